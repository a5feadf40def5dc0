#!/usr/bin/env python3
"""Classify a folder in shards as Ray tasks, and merge the shards.

    pip install ray
    python ray_shards.py FOLDER OUT [--shards 8] [--sonoprint sonoprint] [-- more arguments of classify]

A task is one `sonoprint classify --shard I/N`. Every node must see FOLDER and the
folder of OUT under the same names. If a worker dies, Ray starts its task again, and
the task resumes from the journal beside its part. The script connects to the
cluster that RAY_ADDRESS names, or starts one on this machine.
"""

import argparse
import ctypes
import signal
import subprocess
import sys
from pathlib import Path

import ray


def die_with_me():
    """End the program with its worker (Linux): a retry would find the part locked."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


@ray.remote(max_retries=5)
def classify(sonoprint, folder, part, shard, more):
    """Classify one shard. Exit code 1 means that some files could not be read."""
    command = [sonoprint, "classify", folder, "--shard", shard, "--out", part, *more]
    done = subprocess.run(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=die_with_me,
    )
    if done.returncode > 1:
        raise RuntimeError(f"shard {shard}: {done.stderr.strip()}")
    return part


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder")
    parser.add_argument("out", type=Path)
    parser.add_argument("--shards", type=int, default=8)
    parser.add_argument("--sonoprint", default="sonoprint")
    words = sys.argv[1:]
    end = words.index("--") if "--" in words else len(words)
    args, more = parser.parse_args(words[:end]), words[end + 1 :]
    ray.init()
    suffix = args.out.suffix or ".csv"
    parts = [
        str(args.out.with_name(f"{args.out.stem}.part-{i}{suffix}").absolute())
        for i in range(1, args.shards + 1)
    ]
    tasks = [
        classify.remote(args.sonoprint, args.folder, part, f"{i}/{args.shards}", more)
        for i, part in enumerate(parts, start=1)
    ]
    waiting = tasks
    while waiting:
        done, waiting = ray.wait(waiting)
        print(
            f"{len(tasks) - len(waiting)} of {len(tasks)} shards: {ray.get(done[0])}",
            flush=True,
        )
    subprocess.run([args.sonoprint, "merge", *parts, "--out", args.out], check=False)


if __name__ == "__main__":
    main()
