"""Own pattern sets, about twenty per genre.

A set is a dict, written in Python or in the short notation of `notation.py`.
Sixteen steps make a bar. Every list holds alternatives, of which a clip draws
one or two:

    bpm            tempo range
    swing          delay of the odd sixteenths, in sixteenths (a range)
    shuffle        delay of the third sixteenth of every beat, likewise
    drums          General MIDI note -> patterns of one or two bars; a digit
                   is a hit and its strength, '.' a rest
    bass           'riff' (follow the guitar riff) or patterns of
                   'step:degree:length' words, where the degree is a tone of
                   the chord or its scale (R 2 3 5 6 7 8), m (root, an octave
                   down) or N (a semitone below the next root)
    bass_programs  GM programs (default: the electric basses)
    comp           accompaniment parts: (programs, pattern or 'riff', voicing,
                   center note, volume); in the pattern x is a stab, X an
                   accent, a digit a hit of that strength, - holds the note
    riff           patterns for 'riff' parts
    progressions   a key of harmony.PROGRESSIONS
"""

from pathlib import Path

from . import disco, hiphop, metal, notation, reggae

_IN_PYTHON = {
    "disco": disco.PATTERNS,
    "hiphop": hiphop.PATTERNS,
    "metal": metal.PATTERNS,
    "reggae": reggae.PATTERNS,
}


def _load():
    """Returns genre -> name -> set."""
    found = {}
    for path in sorted(Path(__file__).parent.glob("*.txt")):
        genre = path.stem
        text = notation.read(path.read_text())
        python = _IN_PYTHON.get(genre, {})
        assert not text.keys() & python.keys(), (genre, text.keys() & python.keys())
        found[genre] = python | text
    return found


PATTERNS = _load()
