#!/usr/bin/env python3
"""Classify a list of files as the partitions of a Spark job, and write one Parquet table.

    pip install pyspark
    find /music -name '*.mp3' > files.txt
    spark-submit spark_partitions.py files.txt OUT [--partitions 64] [--sonoprint sonoprint] [-- more arguments of classify]

A task is one `sonoprint classify --files-from -` over the names of its partition. Every
executor must see the files and OUT under the same names. Each task writes a part with a
journal into OUT/parts. If an executor is lost, Spark starts its tasks again elsewhere,
and they resume from their journals. The table is OUT/table, whose rows are those of the
parts; Spark and pandas read it. Options of classify that write files of their own
(--timeline, --embeddings, ..) do not belong here.
"""

import argparse
import ctypes
import json
import signal
import subprocess
import sys
from pathlib import Path

from pyspark.sql import SparkSession


def die_with_me():
    """End the program with its worker (Linux): a retry would find the part locked."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def classify(sonoprint, parts, more):
    """Return a function that classifies the names of one partition and yields the rows."""

    def run(index, names):
        names = list(names)
        if not names:
            return
        part = Path(parts) / f"part-{index:05}.jsonl"
        command = [sonoprint, "classify", "--files-from", "-", "-0", "--out", part, *more]
        done = subprocess.run(
            command,
            input="\0".join(names).encode(errors="surrogateescape"),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            preexec_fn=die_with_me,
        )
        # Exit code 1: done, but some files could not be read. They have their rows.
        if done.returncode not in (0, 1):
            words = done.stderr.decode(errors="replace").strip()
            raise RuntimeError(f"partition {index}, exit code {done.returncode}: {words}")
        with open(part, encoding="utf-8") as rows:
            yield from (row.rstrip("\n") for row in rows)

    return run


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("list", help="text file with one path per line")
    parser.add_argument("out", type=Path)
    parser.add_argument("--partitions", type=int, default=64)
    parser.add_argument("--sonoprint", default="sonoprint")
    words = sys.argv[1:]
    end = words.index("--") if "--" in words else len(words)
    args, more = parser.parse_args(words[:end]), words[end + 1 :]
    parts = args.out.absolute() / "parts"
    parts.mkdir(parents=True, exist_ok=True)

    spark = SparkSession.builder.appName("sonoprint").getOrCreate()
    with open(args.list, encoding="utf-8", errors="surrogateescape") as text:
        # Sorted, so that a second run gives each partition the same names and resumes.
        names = sorted({line.rstrip("\r\n") for line in text} - {""})
    files = spark.sparkContext.parallelize(names, args.partitions)
    rows = files.mapPartitionsWithIndex(classify(args.sonoprint, str(parts), more)).cache()
    total = rows.count()
    failed = rows.filter(lambda row: json.loads(row)["status"] == "failed").count()
    spark.read.json(rows).write.mode("overwrite").parquet(str(args.out.absolute() / "table"))
    print(f"{total} of {len(names)} files, {failed} could not be read; wrote {args.out}/table")
    spark.stop()


if __name__ == "__main__":
    main()
