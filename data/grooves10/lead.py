"""A lead line: two motifs, repeated and varied along a scale."""

from dataclasses import dataclass

from harmony import QUALITIES
from midi import TICKS_PER_BEAT, add_note, add_program, free_channel

MAJOR, MINOR, DORIAN = (
    (0, 2, 4, 5, 7, 9, 11),
    (0, 2, 3, 5, 7, 8, 10),
    (0, 2, 3, 5, 7, 9, 10),
)
PENTA_MAJOR, PENTA_MINOR, BLUES = (0, 2, 4, 7, 9), (0, 3, 5, 7, 10), (0, 3, 5, 6, 7, 10)
VOICES = (52, 53, 54)
STRAIGHT_GENRES = ("country", "pop", "reggae")
SWUNG_GENRES = ("jazz", "blues")


@dataclass(frozen=True)
class Style:
    """The chance of a lead, its instruments and its scales."""

    chance: float
    programs: tuple
    major: tuple
    minor: tuple
    density: float
    range: tuple


STYLES = {
    "blues": Style(0.85, (22, 27, 26, 66, 28, 0, 29), BLUES, BLUES, 0.5, (57, 81)),
    "classical": Style(
        0.8, (40, 73, 68, 71, 42, 0, 6, 56, 48), MAJOR, MINOR, 0.5, (60, 86)
    ),
    "country": Style(
        0.85, (25, 110, 105, 24, 22, 27, 53), PENTA_MAJOR, MINOR, 0.5, (60, 84)
    ),
    "disco": Style(0.75, (53, 54, 61, 48, 73, 81), MAJOR, DORIAN, 0.4, (62, 84)),
    "hiphop": Style(
        0.6, (80, 81, 73, 11, 53, 54, 46), PENTA_MAJOR, PENTA_MINOR, 0.35, (60, 84)
    ),
    "jazz": Style(
        0.9, (65, 66, 56, 59, 26, 11, 0, 71, 57), MAJOR, DORIAN, 0.55, (55, 84)
    ),
    "metal": Style(0.5, (30, 29, 30, 84), MAJOR, MINOR, 0.6, (57, 88)),
    "pop": Style(0.85, (53, 54, 52, 81, 73, 25, 4), MAJOR, MINOR, 0.42, (60, 82)),
    "reggae": Style(
        0.75, (53, 54, 22, 57, 66, 16, 59), PENTA_MAJOR, PENTA_MINOR, 0.35, (58, 80)
    ),
    "rock": Style(
        0.75, (29, 27, 30, 53, 54, 18), PENTA_MAJOR, PENTA_MINOR, 0.45, (57, 84)
    ),
}


def add_lead(rng, genre, events, chords, bars, beats, key):
    """Returns (events with a lead on the least used channel, its program or '')."""
    style = STYLES[genre]
    if rng.random() > style.chance:
        return events, ""
    channel, events = free_channel(events)
    program = rng.choice(style.programs)
    add_program(events, channel, program, rng.uniform(75, 115))
    scale = style.minor if chords[0][1].startswith("m") else style.major
    pool = [n for n in range(*style.range) if (n - key) % 12 in scale]
    swing = genre in SWUNG_GENRES and rng.random() < 0.8
    eighths = genre in STRAIGHT_GENRES and rng.random() < 0.6
    grid = 2 if swing or eighths else 4  # steps per beat
    phrase = rng.choice([2, 4])  # bars
    motifs = [_motif(rng, style.density, phrase * beats, grid) for _ in range(2)]
    place = len(pool) // 2 + rng.randint(-3, 3)
    for start in range(0, bars, phrase):
        if rng.random() < 0.2:
            continue
        motif = motifs[0 if rng.random() < 0.65 else 1]
        for i, (step, move, hold) in enumerate(motif):
            beat = step / grid
            bar = start + int(beat // beats)
            if bar >= bars:
                break
            if swing and step % 2:
                beat += 0.16
            move += 0 if rng.random() < 0.8 else rng.choice([-1, 1])
            place = max(0, min(len(pool) - 1, place + move))
            note = pool[place]
            if step % (grid * 2) == 0:
                note = _chord_tone(note, *chords[bar % len(chords)])
            after = motif[i + 1][0] if i + 1 < len(motif) else step + grid * 2
            gate = 0.95 if program in VOICES else min(0.98, hold)
            length = min(after - step, grid * 2) / grid * TICKS_PER_BEAT * gate
            tick = (start * beats + beat) * TICKS_PER_BEAT + rng.gauss(0, 6)
            velocity = rng.gauss(92, 9)
            add_note(events, max(0, tick), channel, note, velocity, length)
    return events, program


def _motif(rng, density, beats, grid):
    """Returns [(step, move along the scale, how long the note is held), ...]."""
    motif = []
    steps = int(beats * grid)
    for step in range(steps):
        if step > beats * grid * rng.uniform(0.7, 1):
            break
        if rng.random() < density * (0.75 if step % grid else 1.25):
            move = rng.choice([-2, -1, -1, 0, 1, 1, 2, 3, -3])
            motif.append((step, move, rng.uniform(0.6, 1.6)))
    return motif


def _chord_tone(note, root, quality):
    """Returns the chord tone nearest to a note."""
    tones = [
        n for n in range(note - 4, note + 5) if (n - root) % 12 in QUALITIES[quality]
    ]
    return min(tones, key=lambda n: abs(n - note)) if tones else note
