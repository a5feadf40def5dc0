#!/usr/bin/env python3
"""Times `sonoprint classify FILE` from the start of its process, with a warm disk, to
its prediction, and shows where the time goes.

    cargo build --release --locked
    python benches/start.py [--devices cpu software] [--rounds 10] [FILE]

The parts are what classify itself prints. The time to compile the network's kernels
is the difference between the first batch of a process and the same batch again, in
the trace of `sonoprint bench --trace`.
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
# Where it is unset, sonoprint starts over to set it.
SET = {"XDG_RUNTIME_DIR": "/tmp"}


def run(command, **variables):
    """Runs a command and returns its seconds and its stderr."""
    env = {k: v for k, v in os.environ.items() if k not in SET}
    start = time.perf_counter()
    done = subprocess.run(
        command, env=env | variables, check=True, capture_output=True, text=True
    )
    return time.perf_counter() - start, done.stderr


def spread(values):
    """Formats the median, the lowest and the highest of some seconds."""
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
    restarted = [run(nothing)[0] for _ in range(args.rounds)]
    once = [run(nothing, **SET)[0] for _ in range(args.rounds)]
    print(f"a process that does nothing, including its start over: {spread(restarted)}")
    print(f"  without the start over, which sets its environment: {spread(once)}")
    for device in args.devices:
        command = [args.binary, "classify", args.file, "-v", "--device", device]
        run(command)
        rounds = [run(command) for _ in range(args.rounds)]
        print(f"{device}: {spread([seconds for seconds, _ in rounds])}")
        parts = {}
        for _, stderr in rounds:
            line = next(s for s in stderr.splitlines() if "first answer came" in s)
            for name, ms in re.findall(r"([a-z ]+?) (\d+) ms \(", line.split(": ")[1]):
                parts.setdefault(name.strip(", "), []).append(int(ms) / 1e3)
        for name, times in parts.items():
            print(f"  {name}: {spread(times)}")
        with tempfile.TemporaryDirectory() as folder:
            trace = Path(folder) / "trace.json"
            command = [args.binary, "bench", "--only", "n256", "--clips", "1", "--runs"]
            run([*command, "1", "--device", device, "--trace", trace])
            events = json.loads(trace.read_text())["traceEvents"]
        times = {e["name"]: e["dur"] / 1e6 for e in events if "dur" in e}
        first, later = times["classify: first batch"], times["classify: one batch"]
        print(
            f"  the first batch of a process takes {1e3 * (first - later):.0f} ms more "
            f"than the second ({1e3 * first:.0f}, {1e3 * later:.0f}): "
            "it compiles the kernels"
        )


if __name__ == "__main__":
    main()
