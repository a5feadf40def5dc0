#!/usr/bin/env python3
"""Compares the dB spectrogram on the CPU with torch.stft on the same cores.

    pip install -r requirements.txt
    cargo build --release --locked
    python benches/frontend_vs_torch.py [--rounds 5]

16 clips of 30 s, n_fft 2048, hop 1920 and 512: samples in memory to decibels in
memory. PyTorch gets the best of four ways to write it, and its result is compared
with NumPy first. The two take turns. The medians of the rounds, and the lowest and
highest ratio of a round, are printed.
"""

import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

ROOT = Path(__file__).parent.parent
SHAPES = {"deeppixel": 1920, "deeppixel-512": 512}
N_FFT, CLIPS, SAMPLES = 2048, 16, 661_500


def ours(binary, runs):
    """Returns our milliseconds to the decibels by shape, from `sonoprint bench`."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "bench.json"
        command = [binary, "bench", "--device", "cpu", "--only", "deeppixel"]
        command += ["--runs", str(runs), "--json", out]
        subprocess.run(command, check=True, capture_output=True)
        shapes = json.loads(out.read_text())["shapes"]
    by_id = {s["id"]: s for s in shapes}
    assert all(by_id[name]["clips"] == CLIPS for name in SHAPES)
    return {name: 1e3 * by_id[name]["stft"]["median"] for name in SHAPES}


def implementations(hop):
    """Returns four functions that compute the same decibels: all clips at once or one
    after the other, the power by abs() or from real and imaginary part."""
    window = torch.hann_window(N_FFT, periodic=False)
    scale = torch.full((N_FFT // 2 + 1, 1), 2.0 / (2.0 * float((window**2).sum())))
    scale[0] /= 2
    scale[-1] /= 2

    def transform(pcm):
        return torch.stft(
            pcm, N_FFT, hop, window=window, center=False, return_complex=True
        )

    def by_abs(z):
        return z.abs().square_()

    def by_parts(z):
        return torch.view_as_real(z).square().sum(-1)

    def decibels(pcm, power):
        return power(transform(pcm)).mul_(scale).clamp_min_(1e-38).log10_().mul_(10)

    def batched(power):
        return lambda pcm: decibels(pcm, power)

    def one_by_one(power):
        return lambda pcm: [decibels(clip, power) for clip in pcm]

    powers = (by_abs, by_parts)
    return [make(power) for make in (batched, one_by_one) for power in powers]


def check(hop):
    """Compares PyTorch with NumPy in f64, on the first and last frame of a clip."""
    pcm = torch.rand(1, SAMPLES) - 0.5
    window = np.hanning(N_FFT)
    frames = (SAMPLES - N_FFT) // hop + 1
    for decibels in implementations(hop):
        db = decibels(pcm)[0].numpy()
        assert db.shape == (N_FFT // 2 + 1, frames)
        for t in (0, frames - 1):
            x = pcm[0, t * hop :][:N_FFT].numpy().astype(np.float64)
            p = np.abs(np.fft.rfft(x * window)) ** 2 / (2 * (window**2).sum())
            p[1:-1] *= 2
            assert np.abs(10 * np.log10(p) - db[:, t]).max() < 0.1


def theirs(hop, runs):
    """Returns PyTorch's milliseconds to the decibels: the best of the four."""
    pcm = torch.rand(CLIPS, SAMPLES) - 0.5
    best = []
    for decibels in implementations(hop):
        times = []
        for run in range(runs + 1):
            start = time.perf_counter()
            decibels(pcm)
            times.append(1e3 * (time.perf_counter() - start))
        best.append(statistics.median(times[1:]))
    return min(best)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--binary", default=ROOT / "target/release/sonoprint")
    args = parser.parse_args()
    cores = len(os.sched_getaffinity(0))
    torch.set_num_threads(cores)
    print(f"PyTorch {torch.__version__}, {cores} threads; {args.rounds} rounds")
    rounds = {name: [] for name in SHAPES}
    with torch.inference_mode():
        for hop in SHAPES.values():
            check(hop)
        for _ in range(args.rounds):
            mine = ours(args.binary, args.runs)
            for name, hop in SHAPES.items():
                rounds[name].append((mine[name], theirs(hop, args.runs)))
    for name, pairs in rounds.items():
        ratios = [torch_ms / our_ms for our_ms, torch_ms in pairs]
        our_ms, torch_ms = (statistics.median(column) for column in zip(*pairs))
        print(
            f"hop {SHAPES[name]}: sonoprint {our_ms:.1f} ms, "
            f"torch.stft {torch_ms:.1f} ms; "
            f"sonoprint is {statistics.median(ratios):.2f} times as fast "
            f"({min(ratios):.2f} to {max(ratios):.2f} over {args.rounds} rounds)"
        )


if __name__ == "__main__":
    main()
