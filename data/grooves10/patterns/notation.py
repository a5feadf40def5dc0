"""Reads pattern sets from text with five or six short lines per set.

    chicago 96-126 shuffle .5-.67        name, bpm, optional feel and its range
    d K 9...|9.9. / S bb / R swing       drums: alternatives separated by |
    b 0R4 4T4 8F4 12X4 / ...             bass: step, degree, length (sixteenths)
    c 26,27 x..x..x..x..x... hi 64 66    comp: programs, pattern, voicing,
                                         center, volume; parts separated by /
    r x.x.x.x.x.x.X--- / ...             riff, for comp pattern 'riff'
    p blues                              key of harmony.PROGRESSIONS
    i 32,33                              bass programs, if not electric

A bass of 'riff' follows the riff. Degrees: Root, Third, Fifth, Seventh,
Octave, siXth, seconD, m the root an octave down, N a semitone below the next
root. WORDS names patterns that many sets share.
"""

import re

# General MIDI percussion; T is the tambourine, J the conga, L the cowbell
DRUMS = {
    "K": 36, "I": 37, "S": 38, "C": 39, "H": 42, "P": 44, "O": 46, "Y": 49,
    "R": 51, "B": 53, "T": 54, "L": 56, "G": 60, "J": 63, "Q": 64, "A": 69,
    "M": 70, "V": 75, "W": 76, "t": 45, "f": 41, "h": 50,
}  # fmt: skip
WORDS = {
    "bb": "....9.......9...",
    "four": "9...9...9...9...",
    "off": "..7...7...7...7.",
    "h4": "6...6...6...6...",
    "h8": "6.4.6.4.6.4.6.4.",
    "e8": "5.5.5.5.5.5.5.5.",
    "h16": "6353635363536353",
    "e16": "5454645454546454",
    "swing": "6...6.5.6...6.5.",
    "pedal": "....6.......6...",
    "drop": "........9.......",
}
DEGREES = dict(R="R", T="3", F="5", S="7", O="8", X="6", D="2", m="m", N="N")


def read(text):
    """Returns name -> set, like the Python sets (see the package docstring)."""
    sets = {}
    for block in re.split(r"\n\s*\n", text.strip()):
        head, *lines = [line for line in block.split("\n") if line[:1] != "#"]
        name, tempo, *feel = head.split()
        found = {"bpm": _range(tempo)}
        if feel:
            found[feel[0]] = _range(feel[1])
        for line in lines:
            kind, _, rest = line.partition(" ")
            key, value = _LINES[kind](rest.strip())
            found[key] = value
        assert name not in sets, name
        sets[name] = found
    return sets


def _range(text):
    low, high = text.split("-")
    return float(low), float(high)


def _drums(text):
    drums = {}
    for word in text.split(" / ") if text != "-" else []:
        letter, patterns = word.split()
        drums[DRUMS[letter]] = [WORDS.get(p, p) for p in patterns.split("|")]
    return "drums", drums


def _bass(text):
    if text == "riff":
        return "bass", text
    return "bass", [" ".join(map(_note, line.split())) for line in text.split(" / ")]


def _note(word):
    step, degree, held = re.fullmatch(r"(\d+)([A-Za-z])(\d+)", word).groups()
    return f"{step}:{DEGREES[degree]}:{held}"


def _comp(text):
    parts = []
    for part in text.split(" / "):
        programs, pattern, voicing, center, volume = part.split()
        programs = tuple(map(int, programs.split(",")))
        parts.append((programs, pattern, voicing, int(center), int(volume)))
    return "comp", parts


_LINES = {
    "d": _drums,
    "b": _bass,
    "c": _comp,
    "r": lambda text: ("riff", text.split(" / ")),
    "p": lambda text: ("progressions", text),
    "i": lambda text: ("bass_programs", tuple(map(int, text.split(",")))),
}
