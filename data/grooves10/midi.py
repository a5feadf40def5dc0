"""MIDI events, as lists of (tick, channel, kind, mido message), and MIDI files."""

import mido

TICKS_PER_BEAT = 480
DRUM_CHANNEL = 9

# programs that may replace each other
SIMILAR_PROGRAMS = [
    (0, 1, 2),
    (4, 5),
    (16, 17, 18),
    (24, 25),
    (26, 27, 28),
    (29, 30),
    (33, 34, 35),
    (36, 37),
    (38, 39),
    (48, 49),
    (50, 51),
    (61, 62),
    (64, 65, 66, 67),
    (88, 89, 90, 91),
]


def add_note(events, tick, channel, note, velocity, length):
    """Appends a note. A note outside MIDI's range is left out."""
    note = int(note)
    velocity = max(1, min(127, int(velocity)))
    if not 0 <= note < 128:
        return
    for kind, at, vel in (
        ("note_on", int(tick), velocity),
        ("note_off", int(tick + max(20, length)), 0),
    ):
        message = mido.Message(kind, channel=channel, note=note, velocity=vel)
        events.append((at, channel, kind, message))


def add_program(events, channel, program, volume=None):
    """Sets a channel's program and, if given, its volume at tick 0."""
    message = mido.Message("program_change", channel=channel, program=program)
    events.append((0, channel, "program_change", message))
    if volume is not None:
        value = int(max(10, min(127, volume)))
        message = mido.Message(
            "control_change", channel=channel, control=7, value=value
        )
        events.append((0, channel, "control_change", message))


def free_channel(events):
    """Returns (least used melodic channel, events without that channel)."""
    counts = {channel: 0 for channel in range(16) if channel != DRUM_CHANNEL}
    for event in events:
        if event[2] == "note_on" and event[1] in counts:
            counts[event[1]] += 1
    channel = min(counts, key=lambda c: (counts[c], c))
    return channel, [e for e in events if e[1] != channel]


def swap_programs(rng, events):
    """Replaces some programs by similar ones, consistently within the clip."""
    chosen = {}
    out = []
    for tick, channel, kind, message in events:
        if kind == "program_change" and channel != DRUM_CHANNEL:
            program = message.program
            if (channel, program) not in chosen:
                group = next((g for g in SIMILAR_PROGRAMS if program in g), None)
                swap = group and rng.random() < 0.4
                chosen[channel, program] = rng.choice(group) if swap else program
            message = message.copy(program=chosen[channel, program])
        out.append((tick, channel, kind, message))
    return out


def _priority(kind, message):
    """Returns the order within a tick: set-up, then note-offs, then note-ons."""
    if kind == "note_on":
        return 2 if message.velocity else 1
    return 1 if kind == "note_off" else 0


def save(events, bpm, path, tempo_changes=()):
    """Writes the events as a one-track file. `tempo_changes` are (tick, bpm)."""
    merged = [
        (tick, -1, mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(tempo)))
        for tick, tempo in [(0, bpm), *tempo_changes]
    ]
    merged += [(max(0, t), _priority(kind, m), m) for t, _, kind, m in events]
    merged.sort(key=lambda event: event[:2])
    track = mido.MidiTrack()
    last = 0
    for tick, _, message in merged:
        track.append(message.copy(time=tick - last))
        last = tick
    midi_file = mido.MidiFile(ticks_per_beat=TICKS_PER_BEAT)
    midi_file.tracks.append(track)
    midi_file.save(path)
