#!/usr/bin/env python3
"""Classify a folder in shards as Ray tasks, and merge the shards.

    pip install ray
    python ray_shards.py FOLDER OUT [--shards 8] [--sonoprint sonoprint] [-- more arguments of classify]

For long tracks, `-- --excerpts 3` reads three parts of each. A task is one `sonoprint
classify --shard I/N`. Every node must see FOLDER and the folder of OUT under the same
names. If a worker dies, Ray starts its task again, and the task resumes from the journal
beside its part. While tasks run, a line tells how far they are, by the events of
`classify`. The script connects to the cluster that RAY_ADDRESS names, or starts one on
this machine.
"""

import argparse
import ctypes
import json
import signal
import subprocess
import sys
from pathlib import Path

import ray


def die_with_me():
    """End the program with its worker (Linux): a retry would find the part locked."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


@ray.remote
class Board:
    """How far each shard is, by its last event."""

    def __init__(self):
        self.shards = {}

    def tell(self, shard, event):
        self.shards[shard] = event

    def sum(self):
        """Return files done, failed, per second, and the seconds that the slowest shard needs."""
        known = self.shards.values()
        total = lambda key: sum(event[key] or 0 for event in known)
        slowest = max((event["seconds_left"] or 0 for event in known), default=0)
        return total("done"), total("failed"), total("files_per_second"), slowest


@ray.remote(max_retries=5)
def classify(sonoprint, folder, part, shard, more, board):
    """Classify one shard. Exit code 1 means that some files could not be read."""
    command = [sonoprint, "classify", folder, "--shard", shard, "--out", part, "--events", "-", *more]
    running = subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=die_with_me,
    )
    why = "it left no word"
    for line in running.stderr:
        try:
            event = json.loads(line)
        except ValueError:  # words of a driver or of the loader
            why = line.strip()
            continue
        if event["event"] == "progress":
            board.tell.remote(shard, event)
        elif event["event"] == "finished":
            why = event.get("message", event["reason"])
    if running.wait() not in (0, 1):
        raise RuntimeError(f"shard {shard}, exit code {running.returncode}: {why}")
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
    board = Board.remote()
    tasks = [
        classify.remote(args.sonoprint, args.folder, part, f"{i}/{args.shards}", more, board)
        for i, part in enumerate(parts, start=1)
    ]
    waiting = tasks
    while waiting:
        done, waiting = ray.wait(waiting, timeout=10)
        parts_done = f"{len(tasks) - len(waiting)} of {len(tasks)} shards"
        for part in ray.get(done):
            print(f"{parts_done}: {part}", flush=True)
        if waiting:
            files, failed, rate, seconds = ray.get(board.sum.remote())
            print(
                f"{parts_done}; {files} files, {failed} could not be read, "
                f"{rate:.1f} files/s, {seconds / 60:.0f} min left",
                flush=True,
            )
    subprocess.run([args.sonoprint, "merge", *parts, "--out", args.out], check=False)


if __name__ == "__main__":
    main()
