"""Makes one clip: a function of (seed, genre, index) alone."""

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

FIELDS = "file genre split template kind detail soundfont bpm key lead".split()
SECONDS = 42  # of music: the excerpt starts within it


def make_clip(genre, index, seed, out):
    """Render the clip under `out`; its manifest row."""
    rng = random.Random(zlib.crc32(f"{seed}/{genre}/{index}".encode()))
    split = splits.split_of_index(index)
    pool = sorted(
        (t for t in splits.templates(genre) if t.split == split),
        key=lambda t: splits.stable_hash(f"{seed}{t.id}"),
    )
    template = splits.choose(rng, genre, index, pool)
    assert template.split == split
    row = {
        "file": f"{genre}/{genre}.{index:05d}.wav",
        "genre": genre,
        "split": split,
        "template": template.id,
        "kind": template.kind,
    }
    with tempfile.TemporaryDirectory() as folder:
        midi_path = os.path.join(folder, "clip.mid")
        if genre == "classical":
            row |= _compose_classical(rng, template, midi_path)
        else:
            row |= _compose(rng, genre, template, pool, midi_path, folder)
        row["soundfont"] = render.choose_soundfont(rng)
        samples = render.synthesize(rng, midi_path, row["soundfont"], folder)
    samples = render.master(rng, render.excerpt(rng, samples))
    os.makedirs(os.path.join(out, genre), exist_ok=True)
    render.write_wav(os.path.join(out, row["file"]), samples)
    return row


def _compose_classical(rng, template, midi_path):
    played = classical.perform(rng, template.id)
    midi.save(played.events, played.bpm, midi_path, played.tempo_changes)
    return {
        "detail": "+".join(played.files[:3]),
        "bpm": f"{played.bpm:.1f}",
        "key": played.shift,
        "lead": played.ensemble,
    }


def _compose(rng, genre, template, pool, midi_path, folder):
    """Chords in a drawn key, an accompaniment of the template, a lead."""
    key = rng.randrange(12)
    patterns, detail, beats = None, [], 4
    if template.kind == "mma":
        bpm = rng.uniform(*GROOVES[genre][template.id])
        progressions = PROGRESSIONS[genre]
    else:
        source = template
        if template.kind == "drums":
            source = rng.choice([t for t in pool if t.kind == "own"])
            detail = [source.id]
        patterns = PATTERNS[genre][source.pattern]
        bpm = rng.uniform(*patterns["bpm"])
        progressions = PROGRESSIONS[patterns["progressions"]]
    chords = parse_progression(rng.choice(progressions), key)
    if rng.random() < 0.35:
        chords = chords + parse_progression(rng.choice(progressions), key)
    if template.kind != "own":
        beats = mma.read_groove_file(template.id)[1]
    bars = math.ceil(SECONDS / (beats * 60 / bpm))

    events = []
    if template.kind != "own":
        events, grooves = mma.accompany(rng, template.id, bpm, chords, bars, folder)
        detail = ["|".join(grooves)] + detail
    if template.kind == "drums":
        events = [e for e in events if e[1] == midi.DRUM_CHANNEL]
    if patterns:
        with_drums = template.kind == "own"
        events += arrange.arrange(rng, patterns, chords, bars, bpm, with_drums)
    events = midi.swap_programs(rng, events)
    events, program = lead.add_lead(rng, genre, events, chords, bars, beats, key)
    midi.save(events, bpm, midi_path)
    return {
        "detail": "+".join(detail),
        "bpm": f"{bpm:.1f}",
        "key": key,
        "lead": program,
    }
