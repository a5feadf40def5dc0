"""Own pattern sets for the genres that MMA's library hardly covers.

A set is a dict; sixteen steps make a bar, and every list holds alternatives
of which a clip draws one or two:

    bpm            tempo range
    swing          delay of the odd sixteenths, in sixteenths (a range)
    drums          General MIDI note -> patterns of one or two bars; a digit
                   is a hit and its strength, '.' a rest
    bass           'riff' (follow the guitar riff) or patterns of
                   'step:degree:length' words, where the degree is a chord
                   tone (R 3 5 7 8), m (root, an octave down) or N (a semitone
                   below the next root)
    bass_programs  GM programs (default: the electric basses)
    comp           accompaniment parts: (programs, pattern or 'riff', voicing,
                   centre note, volume); in the pattern x is a stab, X an
                   accent, a digit a hit of that strength, - holds the note
    riff           patterns for 'riff' parts
    progressions   a key of harmony.PROGRESSIONS
"""

from . import disco, hiphop, metal, reggae

PATTERNS = {
    "disco": disco.PATTERNS,
    "hiphop": hiphop.PATTERNS,
    "metal": metal.PATTERNS,
    "reggae": reggae.PATTERNS,
}
