"""Plays a pattern set of patterns/ over a chord progression."""

from harmony import QUALITIES, near, voicing
from midi import DRUM_CHANNEL, TICKS_PER_BEAT, add_note, add_program

STEP = TICKS_PER_BEAT // 4
STEPS = 16
DRUM_KITS = [0, 0, 0, 8, 16, 24, 25]
TOMS = [45, 47, 50, 38, 43]
ELECTRIC_BASSES = (33, 34, 35)


def arrange(rng, patterns, chords, bars, bpm, with_drums):
    """Returns the MIDI events of all parts: drums on request, accompaniment, bass."""
    return _Arranger(rng, patterns, chords, bars, bpm).play(with_drums)


class _Arranger:
    """One clip's arrangement. The order of the random draws must not change."""

    def __init__(self, rng, patterns, chords, bars, bpm):
        self.rng = rng
        self.patterns = patterns
        self.chords = chords
        self.bars = bars
        self.events = []
        self.swing = rng.uniform(*patterns.get("swing", (0, 0)))
        self.shuffle = rng.uniform(*patterns.get("shuffle", (0, 0)))
        self.jitter = bpm / 60 * TICKS_PER_BEAT * 0.004  # 4 ms

    def play(self, with_drums):
        rng = self.rng
        if with_drums:
            self.drums()
        self.riff = None
        if "riff" in self.patterns:
            self.riff = [rng.choice(self.patterns["riff"]) for _ in range(2)]
        # the riff's ornaments and the guitars' tuning are the same for the whole clip
        self.ornaments = [rng.choice([0, 0, 0, 0, 1, 3, 5, -2]) for _ in range(32)]
        self.tuning = rng.choice([0, 0, -2, 2])
        parts = self.patterns["comp"]
        for channel, part in enumerate(parts, start=1):
            self.accompaniment(channel, *part)
        self.bass(len(parts) + 1)
        return self.events

    def tick(self, bar, step):
        """Returns the time of a step: on the grid, with swing and jitter."""
        late = self.swing if step % 2 else 0
        if step % 4 >= 2:
            late += self.shuffle * (1 if step % 4 == 2 else 0.5)
        on_grid = bar * STEPS * STEP + (step + late) * STEP
        return on_grid + self.rng.gauss(0, self.jitter)

    def velocity(self, mean):
        return mean + self.rng.gauss(0, 6)

    def ornament(self, bar, step):
        return self.ornaments[(step + STEPS * (bar % 2)) % 32]

    def drums(self):
        """Adds the drums: every fourth bar plays a second choice, some play fills."""
        rng, drums = self.rng, self.patterns["drums"]
        if not drums:
            return
        add_program(self.events, DRUM_CHANNEL, rng.choice(DRUM_KITS))
        usual = {note: rng.choice(choices) for note, choices in drums.items()}
        fourth = {note: rng.choice(choices) for note, choices in drums.items()}
        strength = rng.uniform(0.8, 1.1)
        left_out = {note for note in drums if rng.random() < 0.06}
        for bar in range(self.bars):
            for note, pattern in (fourth if bar % 4 == 3 else usual).items():
                if pattern and note not in left_out:
                    self.drum_bar(bar, note, pattern, strength)
            if bar % 8 == 7 and rng.random() < 0.7:
                for step in range(12, STEPS):
                    tick = self.tick(bar, step)
                    note = rng.choice(TOMS)
                    velocity = self.velocity(95)
                    add_note(self.events, tick, DRUM_CHANNEL, note, velocity, 40)

    def drum_bar(self, bar, note, pattern, strength):
        start = (bar * STEPS) % len(pattern)
        for step, hit in enumerate(pattern[start : start + STEPS]):
            if hit != "." and self.rng.random() > 0.02:
                tick = max(0, self.tick(bar, step))
                velocity = self.velocity(int(hit) * 13 * strength)
                add_note(self.events, tick, DRUM_CHANNEL, note, velocity, 40)

    def accompaniment(self, channel, programs, pattern, kind, center, volume):
        rng = self.rng
        program = rng.choice(programs)
        add_program(self.events, channel, program, volume * rng.uniform(0.8, 1.15))
        gate = rng.uniform(0.45, 0.95)
        shift = self.tuning if kind == "pow" else rng.choice([-3, 0, 0, 3])
        for bar in range(self.bars):
            steps = pattern
            if pattern == "riff":
                steps = self.riff[1 if bar % 4 == 3 else 0]
            root, quality = self.chords[bar % len(self.chords)]
            notes = voicing(kind, root, quality, center + shift)
            for step, mark, held in _strokes(steps):
                length = held * STEP * (0.98 if mark == "X" else gate)
                if mark.isdigit():
                    velocity = self.velocity(int(mark) * 14)
                else:
                    velocity = self.velocity(98 if mark == "X" else 84)
                stroke = (channel, bar, step, mark, notes, velocity, length)
                self.stroke(kind, *stroke)

    def stroke(self, kind, channel, bar, step, mark, notes, velocity, length):
        """Adds one note of an arpeggio, one power chord or one strummed chord."""
        rng, events = self.rng, self.events
        if kind == "arp":
            note = notes[(step // 2 + bar) % len(notes)]
            tick = self.tick(bar, step)
            add_note(events, tick, channel, note, velocity, length * 1.6)
        elif kind == "pow":
            muted = mark == "x"
            shift = 0
            if muted and rng.random() < 0.95:
                shift = self.ornament(bar, step)
            length *= 0.6 if muted else 1
            for note in notes[:2] if muted else notes:
                tick = self.tick(bar, step)
                add_note(events, tick, channel, note + shift, velocity + 8, length)
        else:
            start = self.tick(bar, step)
            for i, note in enumerate(notes):
                tick = start + i * rng.uniform(0, 8)
                add_note(events, tick, channel, note, velocity, length)

    def bass(self, channel):
        rng = self.rng
        program = rng.choice(self.patterns.get("bass_programs", ELECTRIC_BASSES))
        add_program(self.events, channel, program, rng.uniform(90, 120))
        choices = self.patterns["bass"]
        if choices == "riff":
            for bar in range(self.bars):
                self.bass_riff(channel, bar)
            return
        picks = [rng.choice(choices) for _ in range(2)]
        for bar in range(self.bars):
            self.bass_bar(channel, bar, picks[1 if bar % 4 == 3 else 0])

    def bass_riff(self, channel, bar):
        base = near([self.chords[bar % len(self.chords)][0]], 36)[0]
        for step, mark in enumerate(self.riff[1 if bar % 4 == 3 else 0]):
            if mark not in "xX":
                continue
            note = base + (self.ornament(bar, step) if mark == "x" else 0)
            tick = self.tick(bar, step)
            length = STEP * (0.8 if mark == "x" else 3)
            add_note(self.events, tick, channel, note, self.velocity(100), length)

    def bass_bar(self, channel, bar, pattern):
        root, quality = self.chords[bar % len(self.chords)]
        next_root = self.chords[(bar + 1) % len(self.chords)][0]
        base = near([root], 36)[0]
        _, third, fifth, *_ = QUALITIES[quality]
        notes = {
            "R": base,
            "m": base - 12 if base > 35 else base,
            "2": base + 2,
            "6": base + 9,
            "3": base + third,
            "5": base + fifth,
            "7": base + 10,
            "8": base + 12,
            "N": near([next_root], 36)[0] - 1,
        }
        for word in pattern.split():
            step, degree, held = word.split(":")
            if self.rng.random() > 0.04:
                tick = self.tick(bar, int(step))
                length = int(held) * STEP * 0.92
                velocity = self.velocity(98)
                add_note(self.events, tick, channel, notes[degree], velocity, length)


def _strokes(steps):
    """Yields (step, mark, steps held) of every stroke of a one-bar pattern."""
    step = 0
    while step < STEPS:
        if steps[step] in ".-":
            step += 1
            continue
        end = step + 1
        while end < STEPS and steps[end] == "-":
            end += 1
        yield step, steps[step], end - step
        step = end
