"""Classical clips: scores of music21's corpus, played by a random ensemble."""

import functools
import math
import os
import re
from dataclasses import dataclass, field

from midi import TICKS_PER_BEAT, add_note, add_program

COMPOSERS = (
    "bach beethoven mozart haydn corelli handel schumann_robert schumann_clara "
    "schubert chopin monteverdi palestrina cpebach weber beach"
).split()
SCORE_TYPES = (".mxl", ".xml", ".musicxml", ".krn")
# name, programs from the first part to the last, weight
ENSEMBLES = [
    ("strings", (40, 40, 41, 42), 4),
    ("string-ens", (48, 48, 48, 48), 2),
    ("piano", (0, 0, 0, 0), 3),
    ("harpsi", (6, 6, 6, 6), 2),
    ("organ", (19, 19, 19, 19), 2),
    ("choir", (52, 52, 52, 52), 2),
    ("winds", (73, 68, 71, 70), 2),
    ("brass", (56, 56, 60, 57), 1),
    ("orch", (40, 73, 60, 42), 2),
]
SECONDS = 45
MAX_FILES = 6


@dataclass
class Performance:
    """The music of a clip and how it is played."""

    bpm: float
    shift: int  # semitones
    ensemble: str
    files: list
    events: list = field(default_factory=list)
    tempo_changes: list = field(default_factory=list)


def corpus_root():
    """Returns the folder of music21's corpus."""
    import music21.corpus

    return os.path.dirname(music21.corpus.__file__)


@functools.cache
def works():
    """Returns work -> score files. Movements of a work stay together."""
    root = corpus_root()
    found = {}
    for composer in COMPOSERS:
        for folder, _, files in os.walk(os.path.join(root, composer)):
            sub = os.path.relpath(folder, os.path.join(root, composer))
            for file in sorted(files):
                if file.lower().endswith(SCORE_TYPES):
                    work = _work_id(composer, sub, os.path.splitext(file)[0])
                    found.setdefault(work, []).append(os.path.join(folder, file))
    return found


def _work_id(composer, sub, name):
    """Returns the work of a file: its folder, with exceptions for some composers."""
    if composer == "palestrina":
        return composer  # movements of one mass cannot be told apart
    if composer == "schumann_robert" and re.match("dichterliebe|opus48", name):
        return composer + "/opus48"  # one song cycle, two encodings
    if composer == "schumann_clara" and name.startswith("polonaise_op1"):
        return composer + "/op1"
    bwv = re.match(r"bwv\d+", name.lower())
    if bwv:
        return f"{composer}/{bwv[0]}"
    return f"{composer}/{name if sub == '.' else sub}"


def perform(rng, work):
    """Plays an excerpt of a work, with rubato and slow dynamic waves."""
    paths = sorted(works()[work])
    first = rng.choice(paths)
    name, programs, _ = rng.choices(ENSEMBLES, [e[2] for e in ENSEMBLES])[0]
    bpm = rng.uniform(60, 132)
    shift = rng.randint(-3, 3)
    beats = SECONDS * bpm / 60
    order = [first] + [p for p in paths if p != first]
    notes, total, used = _gather(order, beats, shift)
    if not notes:
        raise RuntimeError(f"no notes in {work}")
    start = math.floor(rng.uniform(0, max(0, total - beats)))
    notes = [(o - start, p, n, d) for o, p, n, d in notes if start <= o < start + beats]
    files = [os.path.relpath(path, corpus_root()) for path in used]
    out = Performance(bpm, shift, name, files)
    channels = _seat(rng, out.events, notes, programs)
    phase = rng.uniform(0, 6.28)
    loudness = rng.uniform(60, 92)
    legato = rng.uniform(0.8, 1.05)
    for offset, part, note, length in notes:
        accent = 6 if offset % 1 == 0 else 0
        wave = 14 * math.sin(offset / 9 + phase)
        velocity = loudness + wave + accent + rng.gauss(0, 4)
        tick = max(0, offset * TICKS_PER_BEAT + rng.gauss(0, 6))
        length *= TICKS_PER_BEAT * legato
        add_note(out.events, tick, channels[part], note, velocity, length)
    for beat in range(2, int(beats), 2):
        rubato = 1 + 0.06 * math.sin(beat / 7 + phase) + rng.gauss(0, 0.012)
        out.tempo_changes.append((beat * TICKS_PER_BEAT, bpm * rubato))
    return out


def _gather(paths, beats, shift):
    """Returns (notes, length in beats, files) of at least `beats` beats.

    Files follow each other. A work that is too short repeats the last one.
    """
    notes, total, used, segment = [], 0, [], []

    def append():
        nonlocal total
        notes.extend((total + o, p, n, d) for o, p, n, d in segment)
        total += math.ceil(max(o + d for o, _, _, d in segment)) + 1

    for path in paths[:MAX_FILES]:
        parsed = _parse(path, shift)
        if parsed:
            segment = parsed
            used.append(path)
            append()
            if total >= beats:
                break
    while used and total < beats:
        append()
    return notes, total, used


def _parse(path, shift):
    """Returns [(offset, part, MIDI note, length in beats), ...] of a score."""
    from music21 import converter

    score = converter.parse(path, forceSource=True, storePickle=False)
    segment = []
    for index, part in enumerate(list(score.parts) or [score]):
        for element in part.flatten().notes:
            offset, length = float(element.offset), float(element.quarterLength)
            if length > 0:
                for pitch in getattr(element, "pitches", []):
                    segment.append((offset, index, pitch.midi + shift, length))
    return segment


def _seat(rng, events, notes, programs):
    """Returns part -> channel and assigns the programs from high to low."""
    parts = sorted({part for _, part, _, _ in notes})
    melodic = [c for c in range(16) if c != 9][:15]
    channels = {}
    for part in parts:
        channels[part] = melodic[part % 15]
        seat = min(3, int(part * 4 / max(1, len(parts))))
        add_program(events, channels[part], programs[seat], rng.uniform(85, 120))
    return channels
