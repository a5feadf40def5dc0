#!/usr/bin/env python3
"""Remake the shipped clips and their manifest.

    python make_clips.py --rendered grooves10 --packages unpacked

RENDERED is a set made by ../grooves10/make_set.py with --seed 1; test clips
that it lacks are rendered into it. PACKAGES holds the recorded tracks' Debian
packages, unpacked one over the other; without it the recorded clips are left
as they are. Needs flac, oggenc and sox.
"""

import argparse
import csv
import hashlib
import os
import subprocess
import sys
from pathlib import Path

from recorded_tracks import TRACKS

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "grooves10"))

SEED = 1
FIELDS = "path genre source licence changes sha256".split()
RENDERED_LICENCE = "MIT OR Apache-2.0 (as the project)"

# clip -> format. All are test clips (index % 5 == 4), their templates differ,
# and their soundfonts are free of conditions on what is rendered with them.
RENDERED = {
    "blues.00014": "flac",
    "blues.00039": "ogg",
    "classical.00024": "flac",
    "classical.00044": "flac",
    "country.00014": "flac",
    "country.00019": "au",
    "disco.00019": "wav",
    "disco.00034": "flac",
    "hiphop.00024": "flac",
    "hiphop.00029": "ogg",
    "jazz.00014": "flac",
    "jazz.00039": "flac",
    "metal.00014": "flac",
    "metal.00019": "wav",
    "pop.00004": "flac",
    "pop.00039": "ogg",
    "reggae.00019": "flac",
    "reggae.00044": "flac",
    "rock.00014": "ogg",
    "rock.00039": "flac44",
}
# format -> (suffix, command, changes)
FORMATS = {
    "wav": ("wav", ["cp", "{src}", "{dst}"], "none"),
    "flac": ("flac", ["flac", "-s", "-f", "-8", "-o", "{dst}", "{src}"], "FLAC"),
    "flac44": (
        "flac",
        ["sox", "-D", "{src}", "-C", "8", "-r", "44100", "-c", "2", "{dst}"],
        "resampled to 44.1 kHz, both channels alike; FLAC",
    ),
    "ogg": (
        "ogg",
        ["oggenc", "-Q", "--serial", "1", "-q", "6", "-o", "{dst}", "{src}"],
        "Ogg Vorbis, quality 6",
    ),
    "au": (
        "au",
        ["sox", "-D", "{src}", "-t", "au", "-e", "signed", "-b", "16", "{dst}"],
        "Sun/NeXT audio, 16-bit big-endian",
    ),
}


def run(command, **paths):
    subprocess.run([word.format(**paths) for word in command], check=True)


def read_csv(path, key):
    if not path.exists():
        return {}
    with open(path, newline="") as file:
        return {row[key]: row for row in csv.DictReader(file)}


def rendered_row(name, folder, manifest):
    """The clip's row of the set's manifest; renders the clip if need be."""
    genre, index = name.split(".")
    file = f"{genre}/{name}.wav"
    if file not in manifest or not (folder / file).exists():
        from clip import make_clip

        return make_clip(genre, int(index), SEED, str(folder))
    return manifest[file]


def make_rendered(folder):
    """Encode the rendered clips; their manifest rows."""
    manifest = read_csv(folder / "manifest.csv", "file")
    rows, templates = [], set()
    for name, kind in RENDERED.items():
        row = rendered_row(name, folder, manifest)
        assert row["split"] == "test", row
        assert row["template"] not in templates, row
        templates.add(row["template"])
        suffix, command, changes = FORMATS[kind]
        path = f"{row['genre']}/{name}.{suffix}"
        (HERE / row["genre"]).mkdir(exist_ok=True)
        run(command, src=str(folder / row["file"]), dst=str(HERE / path))
        source = f"rendered: {row['parts']}"
        if row["detail"]:
            source += f" ({row['detail']})"
        source += f", soundfont {row['soundfont']}"
        rows.append([path, row["genre"], source, RENDERED_LICENCE, changes])
    return rows


def make_recorded(packages):
    """Cut the recorded excerpts, where the packages are at hand."""
    rows = []
    for track in TRACKS:
        path = f"recorded/{track.genre}.{track.name}.ogg"
        if packages:
            cut_recorded(track, packages, HERE / path)
        rows.append([path, track.genre, track.source, track.licence, track.changes])
    return rows


def cut_recorded(track, packages, out):
    """Thirty seconds of the track, its stems mixed, with its credits."""
    wav = out.with_suffix(".tmp.wav")
    files = [str(packages / file) for file in track.files]
    mix = ["-m", *(w for f in files for w in ("-v", "0.6", f))]
    sources = files if len(files) == 1 else mix
    subprocess.run(
        ["sox", "-D", *sources, "-b", "16", wav, "trim", str(track.start), "30"],
        check=True,
    )
    comments = [f"LICENSE={track.licence}", "COMMENT=30 s excerpt, see manifest.csv"]
    command = ["oggenc", "-Q", "--serial", "1", "-q", "4", "-o", out]
    command += ["-t", track.title, "-a", track.author]
    for comment in comments:
        command += ["-c", comment]
    subprocess.run([*command, wav], check=True)
    os.remove(wav)


def write_manifest(rows):
    with open(HERE / "manifest.csv", "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(FIELDS)
        for row in rows:
            digest = hashlib.sha256((HERE / row[0]).read_bytes()).hexdigest()
            writer.writerow([*row, digest])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rendered", type=Path, required=True)
    parser.add_argument("--packages", type=Path)
    args = parser.parse_args()
    write_manifest(make_rendered(args.rendered) + make_recorded(args.packages))


if __name__ == "__main__":
    main()
