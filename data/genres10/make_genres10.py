#!/usr/bin/env python3
"""Makes genres10.safetensors: a last layer for GTZAN's ten genres on musicnn-msd.

    python make_genres10.py FOLDER [--sonoprint PATH] [--out FILE] [--folds-only]

FOLDER has a folder per genre with GTZAN's files, or cuts of them, under
GTZAN's names (blues/blues.00007.wav): their numbers decide the folds.

Everything is done by `sonoprint train --init musicnn-msd --freeze` and
`sonoprint classify`. First, five folds of whole blocks of ten numbers, because
an artist's songs have numbers in a row: their answers give the accuracy, and
the temperature that goes into the checkpoint. Then the layer is fitted to all
files. The penalty (--l2) was chosen in the same folds; it hardly matters.
"""

import argparse
import csv
import json
import math
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
L2 = "0.3"
# Gains in dB at which the folds are tested: real files are softer than full scale.
LEVELS = [0, -6, -12]


def number(path):
    return int(path.stem.split(".")[1])


def fold_of(path):
    """Blocks of ten numbers; the last block, which is a part of one, goes with the first."""
    return number(path) // 10 % 5


def run(*command):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True)
    if done.returncode not in (0, 1):
        sys.exit(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")


def train(sonoprint, folder, files, train_files, out):
    split = out.parent / f"{out.name}.csv"
    with open(split, "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["file", "split"])
        for path in files:
            side = "train" if path in train_files else "test"
            table.writerow([path.relative_to(folder).as_posix(), side])
    run(sonoprint, "train", folder, "--init", "musicnn-msd", "--freeze", "--l2", L2,
        "--split", split, "--out", out, "--device", "cpu")
    return out / "best.safetensors"


def predict(sonoprint, model, paths, scratch):
    """Returns, for each path, the true class and the probabilities."""
    table = scratch / "table.csv"
    names = scratch / "files.txt"
    names.write_text("".join(f"{path}\n" for path in paths))
    run(sonoprint, "classify", "--files-from", names, "--model", model, "--out", table,
        "--fresh", "--device", "cpu")
    rows = list(csv.DictReader(open(table, newline="")))
    classes = [name for name in rows[0] if name.startswith("p_")]
    return [
        (classes.index("p_" + Path(row["path"]).parent.name), [float(row[c]) for c in classes])
        for row in rows
    ]


def cooled(row, temperature):
    logits = [math.log(max(p, 1e-12)) / temperature for p in row]
    powers = [math.exp(x - max(logits)) for x in logits]
    return [p / sum(powers) for p in powers]


def loss(answers, temperature):
    return sum(-math.log(max(cooled(row, temperature)[truth], 1e-12)) for truth, row in answers)


def wilson(right, n, z=1.959964):
    p = right / n
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return middle - half, middle + half


def with_header(data, change):
    """Returns a checkpoint with the TOML text of its header changed."""
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + size])
    header["__metadata__"]["sonoprint"] = change(header["__metadata__"]["sonoprint"])
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data[8 + size :]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sonoprint", type=Path, default=Path("sonoprint"))
    parser.add_argument("--out", type=Path, default=HERE / "genres10.safetensors")
    parser.add_argument("--folds-only", action="store_true")
    args = parser.parse_args()
    folder = args.folder.resolve()
    files = sorted(p for p in folder.glob("*/*") if p.suffix in (".flac", ".wav", ".au"))
    with tempfile.TemporaryDirectory() as scratch:
        scratch = Path(scratch)
        answers = {level: [] for level in LEVELS}
        for fold in range(5):
            inside = [path for path in files if fold_of(path) == fold]
            rest = {path for path in files if fold_of(path) != fold}
            model = train(args.sonoprint, folder, files, rest, scratch / f"fold-{fold}")
            for level in LEVELS:
                softer = at_level(inside, level, scratch / f"level{level}")
                answers[level] += predict(args.sonoprint, model, softer, scratch)
        notes = {}
        for level, rows in answers.items():
            right = sum(row.index(max(row)) == truth for truth, row in rows)
            low, high = wilson(right, len(rows))
            text = f"{right} of {len(rows)} = {right / len(rows):.3f} [{low:.3f}, {high:.3f}]"
            print(f"{level:4} dB: {text}")
            notes[f"cross_validated_{-level}_db_down"] = text
        pooled = [row for rows in answers.values() for row in rows]
        grid = [math.exp(x / 100) for x in range(-100, 101)]
        temperature = min(grid, key=lambda t: loss(pooled, t))
        print(f"temperature {temperature:.3f}")
        if args.folds_only:
            return
        best = train(args.sonoprint, folder, files, set(files), scratch / "all").read_bytes()

    def finish(text):
        lines = [line for line in text.splitlines() if not line.startswith(("init = ", "device = "))]
        at = lines.index("[training]") + 1
        lines[at:at] = [f'{key} = "{value}"' for key, value in notes.items()]
        lines[at:at] = [f'init = "musicnn-msd"', f'made_by = "data/genres10/make_genres10.py"']
        lines.insert(at - 1, f"temperature = {temperature:.4f}\n")
        return "\n".join(lines) + "\n"

    args.out.write_bytes(with_header(best, finish))
    print(f"wrote {args.out}")


def at_level(paths, level, folder):
    """Returns the files at a gain of `level` dB, as WAV of 32-bit floats."""
    if level == 0:
        return paths
    import soundfile

    out = []
    for path in paths:
        samples, rate = soundfile.read(path, dtype="float32")
        to = folder / path.parent.name / f"{path.stem}.wav"
        to.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(to, samples * 10 ** (level / 20), rate, subtype="FLOAT")
        out.append(to)
    return out


if __name__ == "__main__":
    main()
