#!/usr/bin/env python3
"""Compare `sonoprint classify` on the CPU with a PyTorch pipeline.

    pip install -r requirements.txt
    python benches/classify_vs_torch.py FOLDER [--rounds 3]

Both do the same job for every WAV file of the folder: read it, cut it into the
checkpoint's clips, compute mel spectrograms in dB and color them, run the same
network with the same weights, and average the probabilities over the clips.
PyTorch's pipeline is a typical one: a DataLoader around soundfile, torch.stft
and a matrix of mel filters on batches, and the network in eval mode under
no_grad. It gets the best of several worker counts and batch sizes. The two take
turns. The time of sonoprint is that of a whole process; PyTorch's leaves out
imports and loading. The script also counts how many genres agree.
"""

import argparse
import csv
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import librosa
import matplotlib
import numpy as np
import soundfile
import torch

ROOT = Path(__file__).parent.parent
RENDERED = ROOT / "data/checkpoint/grooves10.safetensors"
sys.path.insert(0, str(ROOT / "tests"))
import torch_reference  # noqa: E402


class Files(torch.utils.data.Dataset):
    """The clips of each file, end to end. A rest of at least half a clip gives one more."""

    def __init__(self, paths, clip):
        self.paths, self.clip = paths, clip

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, index):
        samples, _ = soundfile.read(self.paths[index], dtype="float32")
        n, clip = len(samples), self.clip
        if n < clip:
            samples, n = np.pad(samples, (0, clip - n)), clip
        starts = list(range(0, n - clip + 1, clip))
        if n % clip >= (clip + 1) // 2:
            starts.append(n - clip)
        return torch.from_numpy(np.stack([samples[s : s + clip] for s in starts]))


def collate(clips):
    return torch.cat(clips), [len(c) for c in clips]


class FrontEnd:
    """librosa's melspectrogram and power_to_db on batches, then the color map."""

    def __init__(self, settings):
        self.n_fft, self.hop = settings["n_fft"], settings["hop"]
        rows = settings["rows"]["mel"]
        mel = librosa.filters.mel(
            sr=settings["sample_rate"],
            n_fft=self.n_fft,
            n_mels=rows["n_mels"],
            fmin=rows["f_min"],
            fmax=rows["f_max"],
        )
        self.mel = torch.from_numpy(mel)
        self.window = torch.hann_window(self.n_fft)
        image = settings["output"]["image"]
        self.top = image["range"]["top"]["db"]
        self.size = (image["size"]["height"], image["size"]["width"])
        colors = matplotlib.colormaps[image["colormap"]](np.arange(256))
        self.colors = torch.from_numpy(colors.astype("float32"))

    def __call__(self, clips):
        spectrum = torch.stft(
            clips,
            self.n_fft,
            self.hop,
            window=self.window,
            pad_mode="constant",
            return_complex=True,
        )
        mel = self.mel @ (spectrum.real**2 + spectrum.imag**2)
        db = 10 * torch.log10(mel.clamp(min=1e-10))
        db = db - db.amax((1, 2), keepdim=True)
        unit = (db.clamp(min=-self.top) + self.top) / self.top
        unit = torch.nn.functional.interpolate(unit[:, None], self.size, mode="area")[
            :, 0
        ]
        # The first row of an image is the highest frequency.
        index = (unit.flip(1) * 255).round().long()
        return self.colors[index].permute(0, 3, 1, 2)


def torch_pipeline(paths, network, front_end, clip, workers, batch):
    loader = torch.utils.data.DataLoader(
        Files(paths, clip), batch_size=batch, num_workers=workers, collate_fn=collate
    )
    predictions = []
    with torch.no_grad():
        for clips, counts in loader:
            probabilities = network(front_end(clips)).softmax(1)
            predictions += [p.mean(0).argmax().item() for p in probabilities.split(counts)]
    return predictions


def ours(sonoprint, checkpoint, folder, out):
    """Run sonoprint afresh and return its seconds and the genre by path."""
    start = time.perf_counter()
    subprocess.run(
        [
            sonoprint,
            "classify",
            folder,
            "--out",
            out,
            "--fresh",
            "--device",
            "cpu",
            "--model",
            checkpoint,
        ],
        check=True,
        capture_output=True,
    )
    seconds = time.perf_counter() - start
    with open(out, newline="") as file:
        return seconds, {row["path"]: row["genre"] for row in csv.DictReader(file)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder")
    parser.add_argument("--checkpoint", default=RENDERED)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sonoprint", default=ROOT / "target/release/sonoprint")
    args = parser.parse_args()
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    paths = sorted(str(p) for p in Path(args.folder).rglob("*.wav"))
    with tempfile.TemporaryDirectory() as name:
        export, out = os.path.join(name, "export.safetensors"), os.path.join(
            name, "out.csv"
        )
        subprocess.run(
            [args.sonoprint, "model", "export", args.checkpoint, "--out", export],
            check=True,
            capture_output=True,
        )
        network, header = torch_reference.load(export)
        front_end, clip = (
            FrontEnd(header["front_end"]),
            header["front_end"]["clip_samples"],
        )
        few = paths[: len(paths) // 10 + 1]
        choices = [(workers, batch) for workers in (0, 1, 2) for batch in (1, 4, 16)]

        def timed(paths, choice):
            start = time.perf_counter()
            predictions = torch_pipeline(paths, network, front_end, clip, *choice)
            return time.perf_counter() - start, predictions

        best = min(choices, key=lambda choice: timed(few, choice)[0])
        rates = []
        for _ in range(args.rounds):
            mine, genres = ours(args.sonoprint, args.checkpoint, args.folder, out)
            theirs, predictions = timed(paths, best)
            rates.append((len(paths) / mine, len(paths) / theirs))
        classes = header["classes"]
        same = sum(genres[path] == classes[p] for path, p in zip(paths, predictions))
    ratios = [a / b for a, b in rates]
    mine, theirs = (statistics.median(column) for column in zip(*rates))
    print(
        f"{len(paths)} files; PyTorch {torch.__version__} with {best[0]} workers, batches of {best[1]} files"
    )
    print(
        f"sonoprint {mine:.1f} files/s, PyTorch {theirs:.1f} files/s, "
        f"ratio {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}); "
        f"the same genre for {same} of {len(paths)}"
    )


if __name__ == "__main__":
    main()
