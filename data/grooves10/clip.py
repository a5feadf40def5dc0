"""Makes one clip, which depends on seed, genre and index only."""

import math
import os
import random
import tempfile
import zlib

import arrange
import classical
import lead
import midi
import mma
import render
import splits
from grooves import GROOVES
from harmony import PROGRESSIONS, parse_progression
from patterns import PATTERNS

FIELDS = "file genre split engine template parts detail soundfont bpm key lead".split()
SECONDS = 42  # of music, from which the excerpt is taken


def make_clip(genre, index, seed, out):
    """Renders the clip under `out` and returns its manifest row."""
    rng = random.Random(zlib.crc32(f"{seed}/{genre}/{index}".encode()))
    split = splits.split_of_index(index)
    pool = sorted(
        (t for t in splits.templates(genre) if t.split == split),
        key=lambda t: splits.stable_hash(f"{seed}{t.id}"),
    )
    engine, parts = splits.choose(rng, genre, index, pool)
    assert all(part.split == split for part in parts)
    row = {
        "file": f"{genre}/{genre}.{index:05d}.wav",
        "genre": genre,
        "split": split,
        "engine": engine,
        "template": parts[0].id,
        "parts": "+".join(dict.fromkeys(part.id for part in parts)),
    }
    with tempfile.TemporaryDirectory() as folder:
        midi_path = os.path.join(folder, "clip.mid")
        if engine == "score":
            row |= _perform(rng, parts[0], midi_path)
        else:
            row |= _compose(rng, genre, engine, parts, midi_path, folder)
        row["soundfont"] = render.choose_soundfont(rng, split)
        samples = render.synthesize(rng, midi_path, row["soundfont"], folder)
    samples = render.master(rng, render.excerpt(rng, samples))
    os.makedirs(os.path.join(out, genre), exist_ok=True)
    render.write_wav(os.path.join(out, row["file"]), samples)
    return row


def _perform(rng, work, midi_path):
    """Plays a score with a random ensemble."""
    played = classical.perform(rng, work.id)
    midi.save(played.events, played.bpm, midi_path, played.tempo_changes)
    return {
        "detail": "+".join(played.files[:3]),
        "bpm": f"{played.bpm:.1f}",
        "key": played.shift,
        "lead": played.ensemble,
    }


def _rubato(rng, bpm, beats):
    """Returns slow tempo changes, every other beat, like a player's breathing."""
    phase = rng.uniform(0, 6.28)
    return [
        (
            beat * midi.TICKS_PER_BEAT,
            bpm * (1 + 0.05 * math.sin(beat / 7 + phase) + rng.gauss(0, 0.012)),
        )
        for beat in range(2, int(beats), 2)
    ]


def _compose(rng, genre, engine, parts, midi_path, folder):
    """Composes chords in a random key, an accompaniment from the templates, a lead."""
    key = rng.randrange(12)
    patterns, groove, beats = None, None, 4
    if engine == "mma":
        groove = parts[0].id
        bpm = rng.uniform(*GROOVES[genre][groove])
        progressions = PROGRESSIONS[genre]
    else:
        tuned = PATTERNS[genre][parts[1].pattern]
        patterns = dict(tuned)
        if engine == "mixed":
            groove = parts[0].id
        else:
            rhythm = PATTERNS[genre][parts[0].pattern]
            for field in ("bpm", "swing", "shuffle", "drums"):
                patterns.pop(field, None)
                if field in rhythm:
                    patterns[field] = rhythm[field]
        bpm = rng.uniform(*patterns["bpm"])
        progressions = patterns["progressions"]
        if isinstance(progressions, str):
            progressions = PROGRESSIONS[progressions]
    chords = parse_progression(rng.choice(progressions), key)
    if rng.random() < 0.35:
        chords = chords + parse_progression(rng.choice(progressions), key)
    if groove:
        beats = mma.read_groove_file(groove)[1]
    bars = math.ceil(SECONDS / (beats * 60 / bpm))

    events, grooves = [], []
    if groove:
        events, grooves = mma.accompany(rng, groove, bpm, chords, bars, folder)
    if engine == "mixed":
        events = [e for e in events if e[1] == midi.DRUM_CHANNEL]
    if patterns:
        events += arrange.arrange(rng, patterns, chords, bars, bpm, engine == "own")
    events = midi.swap_programs(rng, events)
    events, program = lead.add_lead(rng, genre, events, chords, bars, beats, key)
    slow = _rubato(rng, bpm, bars * beats) if genre == "classical" else ()
    midi.save(events, bpm, midi_path, slow)
    return {
        "detail": "|".join(grooves),
        "bpm": f"{bpm:.1f}",
        "key": key,
        "lead": program,
    }
