"""General MIDI percussion notes used by the drum patterns."""

KICK, SIDE_STICK, SNARE, CLAP = 36, 37, 38, 39
HAT, TOM, OPEN_HAT = 42, 45, 46
CRASH, RIDE, TAMBOURINE, COWBELL, CONGA = 49, 51, 54, 56, 63
