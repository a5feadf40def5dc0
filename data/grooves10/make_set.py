#!/usr/bin/env python3
"""Renders a labeled set of 30 s clips in ten genres from General MIDI music.

    python make_set.py --out grooves10 --per-genre 60 --seed 1 --jobs 2

Writes OUT/<genre>/<genre>.00000.wav and so on (22 050 Hz, mono, 16 bits) and
OUT/manifest.csv. README.md lists what to install.
"""

import argparse
import csv
import functools
import os
from concurrent.futures import ProcessPoolExecutor

import splits
from clip import FIELDS, make_clip


def read_manifest(path):
    """Returns file -> row; empty if there is no manifest yet."""
    if not os.path.exists(path):
        return {}
    with open(path, newline="") as file:
        return {row["file"]: row for row in csv.DictReader(file)}


def write_manifest(path, rows):
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(
            file, FIELDS, lineterminator="\n", extrasaction="ignore"
        )
        writer.writeheader()
        writer.writerows(rows[name] for name in sorted(rows))


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", default="grooves10")
    parser.add_argument("--per-genre", type=int, default=60)
    parser.add_argument("--start", type=int, default=0, help="first index")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--genres", default=",".join(splits.GENRES))
    parser.add_argument("--jobs", type=int, default=1)
    args = parser.parse_args()
    args.genres = args.genres.split(",")
    unknown = set(args.genres) - set(splits.GENRES)
    if unknown:
        parser.error(f"no such genre: {', '.join(sorted(unknown))}")
    return args


def main():
    args = parse_args()
    counts = splits.check()
    os.makedirs(args.out, exist_ok=True)
    manifest = os.path.join(args.out, "manifest.csv")
    rows = read_manifest(manifest)
    with ProcessPoolExecutor(args.jobs) as pool:
        for genre in args.genres:
            work = functools.partial(make_clip, genre, seed=args.seed, out=args.out)
            for row in pool.map(work, range(args.start, args.per_genre)):
                rows[row["file"]] = row
            write_manifest(manifest, rows)
            print(f"{genre}: templates {dict(counts[genre])}", flush=True)
    splits.check_rows(rows.values())


if __name__ == "__main__":
    main()
