#!/usr/bin/env python3
"""How long `sonoprint classify FILE` takes to its answer, from a cold process and
a warm disk, and where that time goes.

    cargo build --release
    python benches/start.py [--devices cpu software] [--rounds 10] [FILE]

The parts are what classify itself prints. What a network's kernels take to be
compiled is the difference between the first batch of a process and the same
batch again, in the trace of `sonoprint bench --trace`.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
SET = {"BURN_DEVICE": "flex", "XDG_RUNTIME_DIR": "/tmp"}


def run(command, **variables):
    """Seconds, and what was said on stderr."""
    kept = {k: v for k, v in os.environ.items() if k not in SET}
    start = time.perf_counter()
    done = subprocess.run(
        command, env=kept | variables, check=True, capture_output=True, text=True
    )
    return time.perf_counter() - start, done.stderr


def spread(values):
    ms = sorted(1e3 * v for v in values)
    return f"{statistics.median(ms):.0f} ms ({ms[0]:.0f} to {ms[-1]:.0f})"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    file = ROOT / "data/clips/metal/metal.00019.wav"
    parser.add_argument("file", nargs="?", default=file)
    parser.add_argument("--devices", nargs="+", default=["cpu", "software"])
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--binary", default=ROOT / "target/release/sonoprint")
    args = parser.parse_args()
    nothing = [args.binary, "--version"]
    run(nothing)
    again = [run(nothing)[0] for _ in range(args.rounds)]
    once = [run(nothing, **SET)[0] for _ in range(args.rounds)]
    print(f"a process that does nothing: {spread(again)}")
    print(f"  and does not start over for its environment: {spread(once)}")
    for device in args.devices:
        command = [args.binary, "classify", args.file, "--device", device]
        run(command)
        rounds = [run(command) for _ in range(args.rounds)]
        print(f"{device}: {spread([seconds for seconds, _ in rounds])}")
        parts = {}
        for _, said in rounds:
            line = next(s for s in said.splitlines() if "first answer came" in s)
            for name, ms in re.findall(r"([a-z ]+?) (\d+) ms \(", line.split(": ")[1]):
                parts.setdefault(name.strip(", "), []).append(int(ms) / 1e3)
        for name, times in parts.items():
            print(f"  {name}: {spread(times)}")
        with tempfile.TemporaryDirectory() as folder:
            trace = Path(folder) / "trace.json"
            bench = [args.binary, "bench", "--only", "n256", "--clips", "1", "--runs"]
            run([*bench, "1", "--device", device, "--trace", trace])
            events = json.loads(trace.read_text())["traceEvents"]
        times = {e["name"]: e["dur"] / 1e6 for e in events if "dur" in e}
        first, later = times["classify: first batch"], times["classify: one batch"]
        print(
            f"  the first batch of a process takes {1e3 * (first - later):.0f} ms more "
            f"than the second ({1e3 * first:.0f}, {1e3 * later:.0f}): compiling its kernels"
        )


if __name__ == "__main__":
    main()
