"""Decodes the files of `make_files.py` with this program and holds the answers against golden.json.

    compare.py [--program decode] [--only NAME_OR_KIND] [--report FILE] [--update] [FOLDER]

`golden.json` is made from the manifest of `make_files.py` by `--update`, with the reference
decoders at hand. The exit code is 1 if any file differs.
"""

import argparse
import json
import os
import re
import resource
import shutil
import subprocess
import sys
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from corpus import BLOCKS_PER_SECOND, UNIT, signature
from make_files import make

HERE = os.path.dirname(os.path.abspath(__file__))
SECONDS = 10
MEMORY = 500 << 20


def decode(program, path):
    """Returns the answer of the program: ("ok", rate, channels, samples, note),
    ("failed", reason, message) or ("crash", why)."""

    def limit():
        resource.setrlimit(resource.RLIMIT_AS, (4 * MEMORY, 4 * MEMORY))

    try:
        done = subprocess.run(
            [program, path], capture_output=True, timeout=SECONDS, preexec_fn=limit, check=False
        )
    except subprocess.TimeoutExpired:
        return "crash", f"no answer within {SECONDS} s"
    lines = done.stderr.decode(errors="replace").splitlines()
    words = (lines[-1] if lines else "").split("\t")
    if words[0] == "ok" and done.returncode == 0:
        samples = np.frombuffer(done.stdout, "<f4")
        return "ok", int(words[1]), int(words[2]), samples, words[4]
    if words[0] == "failed":
        return "failed", words[1], words[2]
    return "crash", f"exit {done.returncode}: {' '.join(lines[-2:])[:200]}"


def loose(wanted, block):
    """Returns whether the contents of a block are not compared."""
    start, end = block / BLOCKS_PER_SECOND, (block + 1) / BLOCKS_PER_SECOND
    return any(a < end and start < b for a, b in wanted["loose"])


def samples_differ(wanted, answer, rate, samples):
    """Returns what differs between decoded samples and one acceptable answer, or nothing."""
    faults = []
    if rate != wanted["rate"]:
        return [f"rate {rate} instead of {wanted['rate']}"]
    more = len(samples) - answer["samples"]
    if abs(more) > wanted["slack"]:
        faults.append(f"length {len(samples)} is {more:+} ({more / rate:+.3f} s)")
    if len(samples) and not np.isfinite(samples).all():
        faults.append("samples that are no numbers")
    got = signature(samples, rate)
    count = min(len(got), len(answer["blocks"]))
    if more and count > 1:
        count -= 1  # The last block of the shorter one is not whole.
    blocks = [n for n in range(count) if not loose(wanted, n)]
    pairs = [(n, got[n], answer["blocks"][n]) for n in blocks]
    moved = [n for n, mine, theirs in pairs if abs(mine[-1] - theirs[-1]) > 20]
    if wanted["tolerance"] is None:
        # Only the pitch counts, in blocks that a small shift leaves within their second.
        moved = [n for n in moved if n % BLOCKS_PER_SECOND in (1, 2)]
        wrong = moved
    else:
        errors = {n: UNIT * max(abs(a - b) for a, b in zip(m[:-1], t[:-1])) for n, m, t in pairs}
        wrong = [n for n in blocks if errors[n] > 4 * wanted["tolerance"] + 2 * UNIT]
        moved = [n for n in moved if n in wrong]
    if moved:
        first = moved[0]
        faults.append(
            f"wrong contents from {first / BLOCKS_PER_SECOND:.2f} s on in {len(moved)} of {count}"
            f" blocks ({got[first][-1]} Hz instead of {answer['blocks'][first][-1]} Hz)"
        )
    elif wrong:
        faults.append(
            f"off by {max(errors.values()):.5f} in {len(wrong)} of {count} blocks,"
            f" from {wrong[0] / BLOCKS_PER_SECOND:.2f} s on"
        )
    return faults


def judge(wanted, result):
    """Returns a list of differences between a result and what is wanted."""
    if result[0] == "crash":
        return [f"CRASH {result[1]}"]
    pattern = wanted.get("words", "")
    if result[0] == "failed":
        _, reason, message = result
        if reason not in wanted.get("fails", []):
            allowed = ", ".join(wanted.get("fails", [])) or "samples"
            return [f"failed/{reason} ({message}) instead of {allowed}"]
        if pattern and not re.search(pattern, message):
            return [f"words: {message!r} does not match {pattern!r}"]
        return []
    _, rate, _, samples, note = result
    if "answers" not in wanted:
        return [f"{len(samples)} samples instead of failed/{', '.join(wanted['fails'])}"]
    answer = min(wanted["answers"], key=lambda a: len(samples_differ(wanted, a, rate, samples)))
    faults = samples_differ(wanted, answer, rate, samples)
    shorter = wanted["answers"][0]["samples"] - answer["samples"] > wanted["slack"] + rate // 4
    if not note and (wanted["damaged"] is True or shorter and wanted["damaged"] is None):
        faults.append("no note of the damage")
    if wanted["damaged"] is False and note:
        faults.append(f"false note: {note}")
    if note and pattern and not re.search(pattern, note):
        faults.append(f"words: {note!r} does not match {pattern!r}")
    return faults


def describe(result):
    """Returns a result in a few words."""
    if result[0] == "ok":
        _, rate, channels, samples, note = result
        return f"{len(samples)} at {rate} Hz, {channels} ch" + (f", note: {note}" if note else "")
    return "/".join(str(r) for r in result)


def compare(files, folder, program, report):
    """Judges every file and writes the report. Returns the number of files that differ."""

    def one(name):
        result = decode(program, os.path.join(folder, name))
        return name, result, judge(files[name], result)

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(one, sorted(files)))
    by_kind, counts = defaultdict(list), defaultdict(Counter)
    for name, result, faults in answers:
        kind = files[name]["kind"]
        counts[kind][bool(faults)] += 1
        if faults:
            by_kind[kind].append(
                f"  {name}: {files[name]['odd']}\n    {'; '.join(faults)}\n"
                f"    answer: {describe(result)}"
            )
    lines = [
        f"{kind}: {counts[kind][False]} right, {counts[kind][True]} differ"
        for kind in sorted(counts)
    ]
    lines.append("")
    for kind in sorted(by_kind):
        lines += [f"== {kind}", *by_kind[kind], ""]
    differ = sum(len(v) for v in by_kind.values())
    lines.append(f"{len(files) - differ} passed, {differ} failed")
    text = "\n".join(lines)
    print(text)
    if report:
        with open(report, "w", encoding="utf-8") as file:
            file.write(text + "\n")
    return differ


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", default="/tmp/corpus")
    parser.add_argument("--program", default="target/quick/examples/decode")
    parser.add_argument("--golden", default=os.path.join(HERE, "golden.json"))
    parser.add_argument("--only", help="part of a name, or a kind")
    parser.add_argument("--report", help="write the report there too")
    parser.add_argument(
        "--keep", action="store_true", help="take the files of the folder as they are"
    )
    parser.add_argument(
        "--update", action="store_true", help="make golden.json from the reference decoders"
    )
    args = parser.parse_args()
    if not args.keep:
        make(args.folder, args.only, expected=args.update)
    if args.update:
        shutil.copy(os.path.join(args.folder, "golden.json"), args.golden)
        return 0
    with open(os.path.join(args.folder, "manifest.json"), encoding="utf-8") as file:
        files = json.load(file)["files"]
    with open(args.golden, encoding="utf-8") as file:
        golden = json.load(file)
    if args.only:
        files = {n: w for n, w in files.items() if args.only in n or args.only == w["kind"]}
    for name, wanted in files.items():
        if name not in golden["files"]:
            assert "rate" not in wanted, f"{name} has no golden values; make them with --update"
            continue
        made_of, *keys = golden["files"][name]
        wanted["answers"] = [golden["answers"][key] for key in keys]
        if made_of != wanted["sha256"]:
            # Another version of an encoder made it: what it is about stays, its samples do not.
            wanted.update(tolerance=None, slack=max(wanted["slack"], 4096))
    return 1 if compare(files, args.folder, args.program, args.report) else 0


if __name__ == "__main__":
    sys.exit(main())
