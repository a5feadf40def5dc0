"""Accompaniment by MMA (Musical MIDI Accompaniment) from its groove library."""

import os
import re
import subprocess

import mido

from harmony import chord_name
from midi import TICKS_PER_BEAT

LIBRARY = "/usr/share/mma/lib"
# variants that are not a steady accompaniment
_SKIP = re.compile(r"end\d*$|intro|fill|test|metro|coda", re.I)
_SKIP_SUFFIX = re.compile(r"[a-z0-9](E|F[AB])$")


def read_groove_file(name):
    """Returns (usable groove names, beats per bar) of a library file."""
    with open(f"{LIBRARY}/{name}.mma", encoding="latin-1") as file:
        text = file.read()
    names = re.findall(r"^\s*DefGroove\s+(\S+)", text, re.M | re.I)
    steady = [n for n in names if not _SKIP.search(n) and not _SKIP_SUFFIX.search(n)]
    time = re.search(r"^\s*Time\s+(\d+)", text, re.M | re.I)
    return steady or names, int(time.group(1)) if time else 4


def accompany(rng, name, bpm, chords, bars, folder):
    """Returns (events, grooves used) of a song over the chords, one per bar."""
    names, _ = read_groove_file(name)
    picks = rng.sample(names, min(len(names), rng.choice([1, 2, 2, 3])))
    lines = [f"RndSeed {rng.randrange(1, 10**6)}", f"Tempo {bpm:.2f}"]
    section = rng.choice([4, 8])
    for bar in range(bars):
        if bar % section == 0:
            lines.append(f"Groove {name}:{picks[(bar // section) % len(picks)]}")
        lines.append(f"{bar + 1} {chord_name(*chords[bar % len(chords)])}")
    song = os.path.join(folder, "song.mma")
    with open(song, "w") as file:
        file.write("\n".join(lines) + "\n")
    out = os.path.join(folder, "song.mid")
    run = subprocess.run(
        ["mma", "-w", "-f", out, song],
        capture_output=True,
        text=True,
        errors="replace",
    )
    if not os.path.exists(out):
        raise RuntimeError(f"mma {name}: {run.stdout[-200:]}")
    return _events(mido.MidiFile(out)), picks


def _events(midi_file):
    """Returns the file's channel events, with times in TICKS_PER_BEAT."""
    scale = TICKS_PER_BEAT / midi_file.ticks_per_beat
    events = []
    for track in midi_file.tracks:
        tick = 0
        for message in track:
            tick += message.time
            if message.is_meta or message.type == "sysex":
                continue
            event = (int(tick * scale), message.channel, message.type, message)
            events.append(event)
    return events
