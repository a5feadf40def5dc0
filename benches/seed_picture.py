#!/usr/bin/env python3
"""From a file to its 720x720 picture in memory: the seed's way against ours.

    pip install librosa matplotlib soundfile
    python benches/seed_picture.py [--rounds 5] [FILE...]

The seed's way is librosa.load, plt.specgram, plt.savefig, and plt.imread of the
PNG. Ours decodes the file and draws into memory, on all cores (benches/picture.rs).
Both are warm; they take turns; medians of the rounds and the ratio of each.
"""

import argparse
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import librosa
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

ROOT = Path(__file__).parent.parent


def seeds(files, folder):
    """Milliseconds a file."""
    start = time.perf_counter()
    for path in files:
        pcm, _ = librosa.load(path, mono=True, duration=30)
        plt.figure(figsize=(10, 10), dpi=72)
        plt.axes((0, 0, 1, 1))
        plt.specgram(
            pcm, NFFT=2048, Fs=2, noverlap=128, cmap="inferno", mode="psd", scale="dB"
        )
        plt.axis("off")
        plt.savefig(folder / "picture.png", dpi=72)
        plt.close()
        picture = plt.imread(folder / "picture.png")
        assert picture.shape == (720, 720, 4)
    return 1e3 * (time.perf_counter() - start) / len(files)


def ours(files):
    """Milliseconds a file, of one round that followed a warm one."""
    command = ["cargo", "bench", "--quiet", "--bench", "picture", "--", "3", *files]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return statistics.median(float(line) for line in done.stdout.split())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    files = args.files or sorted(ROOT.glob("data/clips/*/*.00019.*"))
    rounds = []
    with tempfile.TemporaryDirectory() as folder:
        seeds(files[:1], Path(folder))
        for _ in range(args.rounds):
            rounds.append((ours(files), seeds(files, Path(folder))))
    ratios = [theirs / mine for mine, theirs in rounds]
    mine, theirs = (statistics.median(column) for column in zip(*rounds))
    print(
        f"{len(files)} files: sonoprint {mine:.1f} ms a file, the seed's way {theirs:.0f} ms; "
        f"ours is {statistics.median(ratios):.0f} times as fast "
        f"({min(ratios):.0f} to {max(ratios):.0f} over {args.rounds} rounds)"
    )


if __name__ == "__main__":
    main()
