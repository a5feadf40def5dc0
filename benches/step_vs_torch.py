#!/usr/bin/env python3
"""Times a training step on the CPU against the same network in PyTorch.

    pip install -r requirements.txt
    python benches/step_vs_torch.py [--rounds 5] [--batch 8]

A step is forward, cross-entropy, backward and AdamW on images in memory, with
the same batch, sizes and cores. The two programs take turns, because a busy
machine then slows both. Prints the medians of the rounds and their ratio.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import torch

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))
import torch_reference  # noqa: E402

CASES = [
    ("compact", (216, 128), 16),
    ("compact", (1292, 128), 16),
    ("deeppixel", (180, 180), 16),
    ("deeppixel", (180, 180), 8),
]


def time_sonoprint(network, size, batch, steps):
    """Returns the median milliseconds of `steps` steps."""
    words = [network, f"{size[0]}x{size[1]}", str(batch), str(steps)]
    command = ["cargo", "bench", "--quiet", "--bench", "train_step", "--", *words]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return float(done.stdout.split()[-1])


def time_torch(network, size, batch, steps, channels_last):
    """Returns the median milliseconds of `steps` steps, after two to warm up."""
    layout = torch.channels_last if channels_last else torch.contiguous_format
    reference = (
        torch_reference.NETWORKS[network](10, (4, size[1], size[0]))
        .to(memory_format=layout)
        .train()
    )
    optimizer = torch.optim.AdamW(reference.parameters(), lr=1e-4, weight_decay=1e-2)
    images = torch.rand(batch, 4, size[1], size[0]).to(memory_format=layout)
    targets = torch.arange(batch) % 10
    times = []
    for step in range(steps + 2):
        start = time.perf_counter()
        optimizer.zero_grad(set_to_none=True)
        loss = torch.nn.functional.cross_entropy(reference(images), targets)
        loss.backward()
        optimizer.step()
        loss.item()
        if step >= 2:
            times.append(1e3 * (time.perf_counter() - start))
    return statistics.median(times)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=7)
    parser.add_argument("--batch", type=int, help="run only the cases of this batch size")
    args = parser.parse_args()
    cores = len(os.sched_getaffinity(0))
    torch.set_num_threads(cores)
    print(
        f"PyTorch {torch.__version__}, {cores} threads; medians of {args.rounds} rounds"
    )
    for network, size, batch in CASES:
        if args.batch not in (None, batch):
            continue
        rounds = []
        for _ in range(args.rounds):
            ours = time_sonoprint(network, size, batch, args.steps)
            # PyTorch's faster memory layout.
            theirs = min(
                time_torch(network, size, batch, args.steps, last)
                for last in (False, True)
            )
            rounds.append((ours, theirs))
        ratios = [ours / theirs for ours, theirs in rounds]
        ours, theirs = (statistics.median(column) for column in zip(*rounds))
        print(
            f"{network} {size[0]}x{size[1]}, batch {batch}: sonoprint {ours:.0f} ms, "
            f"PyTorch {theirs:.0f} ms, ratio {statistics.median(ratios):.2f} "
            f"({min(ratios):.2f} to {max(ratios):.2f})"
        )


if __name__ == "__main__":
    main()
