#!/usr/bin/env python3
"""Compare musicnn on the CPU with PyTorch: the network alone, and a folder of files.

    pip install -r requirements.txt
    cargo bench --bench forward --no-run && cargo build --release --locked
    python benches/musicnn_vs_torch.py network [--rounds 5]
    python benches/musicnn_vs_torch.py folder FOLDER [--rounds 3]

`network` times ten patches, which are 30 s of music, on one thread: ours,
PyTorch with the same pruned weights, and PyTorch with the original network's
sizes (random weights: the time is the same). The figures are seconds of CPU
time, medians of rounds in turn.

`folder` times a whole process of `sonoprint classify --model musicnn-msd`
against a typical pipeline: librosa.load and melspectrogram in the workers of a
DataLoader, and the original network in PyTorch. It gets the best of several
worker counts and batch sizes, chosen on the first files.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import librosa
import numpy as np
import torch

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "data/musicnn"))
import check_torch  # noqa: E402

WEIGHTS = ROOT / "data/musicnn/musicnn-msd.safetensors"
ORIGINAL = {"timbral_38": 204, "timbral_67": 204, "temporal_128": 51, "temporal_64": 51}
ORIGINAL |= {"temporal_32": 51, "mid_1": 64}


def original():
    torch.manual_seed(1)
    return check_torch.Musicnn(ORIGINAL, 50).eval()


def children():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def cpu_of(command, env):
    before = children()
    subprocess.run(command, check=True, capture_output=True, env=env)
    return children() - before


def forward_seconds(binary):
    """CPU seconds of one forward pass: the difference between many rounds and few."""
    env = dict(os.environ, RAYON_NUM_THREADS="1", GEMM_NUM_THREADS="1")
    few = cpu_of([binary, "musicnn-msd", "10", "4"], env)
    many = cpu_of([binary, "musicnn-msd", "10", "44"], env)
    return (many - few) / 40


def torch_seconds(network, patches, times):
    with torch.no_grad():
        network(patches)
        start = time.process_time()
        for _ in range(times):
            network(patches)
        return (time.process_time() - start) / times


def bench_binary():
    """Builds the benchmark and returns its path."""
    built = subprocess.run(
        ["cargo", "bench", "--bench", "forward", "--no-run", "--locked", "--message-format=json"]
        + os.environ.get("CARGO_FLAGS", "").split(),
        check=True, capture_output=True, text=True, cwd=ROOT,
    )
    messages = [json.loads(line) for line in built.stdout.splitlines()]
    return next(m["executable"] for m in messages
                if m.get("executable") and m["target"]["name"] == "forward")


def compare_network(args):
    torch.set_num_threads(1)
    patches = torch.rand(10, 1, 187, 96) * 4
    pruned, full = check_torch.load(WEIGHTS)[0], original()
    binary = args.forward or bench_binary()
    rounds = [
        (forward_seconds(binary), torch_seconds(pruned, patches, 10), torch_seconds(full, patches, 2))
        for _ in range(args.rounds)
    ]
    ours, same, whole = (statistics.median(column) for column in zip(*rounds))
    print(f"ten patches on one thread, CPU seconds, medians of {args.rounds} rounds")
    print(f"  sonoprint                {ours:.4f}")
    print(f"  PyTorch, same weights    {same:.4f}   {same / ours:.1f} times")
    print(f"  PyTorch, original size   {whole:.4f}   {whole / ours:.1f} times")


class Files(torch.utils.data.Dataset):
    """The patches of each file, as the original package makes them."""

    def __init__(self, paths):
        self.paths = paths

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, index):
        samples, _ = librosa.load(self.paths[index], sr=16000)
        mel = librosa.feature.melspectrogram(
            y=samples, sr=16000, n_fft=512, hop_length=256, n_mels=96
        )
        frames = np.log10(1 + 10000 * mel).astype("float32").T
        patches = len(frames) // 187
        return torch.from_numpy(frames[: patches * 187].reshape(patches, 1, 187, 96))


def collate(files):
    return torch.cat(files), [len(patches) for patches in files]


def torch_folder(paths, network, workers, batch):
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    loader = torch.utils.data.DataLoader(
        Files(paths), batch_size=batch, num_workers=workers, collate_fn=collate
    )
    start, tags = time.perf_counter(), []
    with torch.no_grad():
        for patches, counts in loader:
            sigmoids = network(patches)[1].sigmoid()
            tags += [part.mean(0) for part in sigmoids.split(counts)]
    return time.perf_counter() - start


def ours_folder(sonoprint, folder):
    with tempfile.TemporaryDirectory() as name:
        start = time.perf_counter()
        subprocess.run(
            [sonoprint, "classify", folder, "--model", "musicnn-msd", "--device", "cpu",
             "--out", Path(name) / "tags.csv"],
            check=True, capture_output=True,
        )
        return time.perf_counter() - start


def compare_folder(args):
    paths = sorted(p for p in Path(args.folder).rglob("*") if p.is_file())
    network = original()
    settings = [(workers, batch) for workers in (0, 1, 2) for batch in (1, 4)]
    tried = {s: torch_folder(paths[: args.probe], network, *s) for s in settings}
    best = min(tried, key=tried.get)
    for (workers, batch), seconds in tried.items():
        rate = min(args.probe, len(paths)) / seconds
        print(f"  PyTorch, {workers} workers, batch {batch}: {rate:.2f} files/s")
    rounds = [
        (ours_folder(args.sonoprint, args.folder), torch_folder(paths, network, *best))
        for _ in range(args.rounds)
    ]
    ours, other = (len(paths) / statistics.median(column) for column in zip(*rounds))
    print(f"{len(paths)} files, whole process, medians of {args.rounds} rounds in turn")
    print(f"  sonoprint                {ours:.2f} files/s")
    print(f"  PyTorch + librosa        {other:.2f} files/s ({best[0]} workers, batch {best[1]})")
    print(f"  ratio                    {ours / other:.1f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    network = commands.add_parser("network")
    network.add_argument("--rounds", type=int, default=5)
    network.add_argument("--forward", help="the built benchmark `forward`")
    folder = commands.add_parser("folder")
    folder.add_argument("folder")
    folder.add_argument("--rounds", type=int, default=3)
    folder.add_argument("--probe", type=int, default=12, help="files on which PyTorch is tuned")
    folder.add_argument("--sonoprint", default=ROOT / "target/release/sonoprint")
    args = parser.parse_args()
    compare_network(args) if args.command == "network" else compare_folder(args)


if __name__ == "__main__":
    main()
