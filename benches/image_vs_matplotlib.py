#!/usr/bin/env python3
"""Compares drawing a file as a 720x720 image in memory with the original project.

    pip install -r requirements.txt
    python benches/image_vs_matplotlib.py [--rounds 5] [FILE...]

The original project uses librosa.load, plt.specgram, plt.savefig, and plt.imread of
the PNG. Ours decodes the file and draws into memory, on all cores
(benches/picture.rs). Both warm up first and then take turns. The medians of the
rounds, and the lowest and highest ratio of a round, are printed.
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


def originals(files, folder):
    """Returns the original project's milliseconds per file."""
    start = time.perf_counter()
    for path in files:
        pcm, _ = librosa.load(path, mono=True, duration=30)
        plt.figure(figsize=(10, 10), dpi=72)
        plt.axes((0, 0, 1, 1))
        plt.specgram(
            pcm, NFFT=2048, Fs=2, noverlap=128, cmap="inferno", mode="psd", scale="dB"
        )
        plt.axis("off")
        plt.savefig(folder / "image.png", dpi=72)
        plt.close()
        image = plt.imread(folder / "image.png")
        assert image.shape == (720, 720, 4)
    return 1e3 * (time.perf_counter() - start) / len(files)


def ours(files):
    """Returns our milliseconds per file, the median of three rounds."""
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
        originals(files[:1], Path(folder))
        for _ in range(args.rounds):
            rounds.append((ours(files), originals(files, Path(folder))))
    ratios = [theirs / mine for mine, theirs in rounds]
    mine, theirs = (statistics.median(column) for column in zip(*rounds))
    print(
        f"{len(files)} files: sonoprint {mine:.1f} ms per file, "
        f"the original project {theirs:.0f} ms; "
        f"sonoprint is {statistics.median(ratios):.0f} times as fast "
        f"({min(ratios):.0f} to {max(ratios):.0f} over {args.rounds} rounds)"
    )


if __name__ == "__main__":
    main()
