"""Chord progressions, chord qualities and voicings."""

# semitones above the tonic
DEGREES = {
    "I": 0,
    "bII": 1,
    "II": 2,
    "bIII": 3,
    "III": 4,
    "IV": 5,
    "bV": 6,
    "V": 7,
    "bVI": 8,
    "VI": 9,
    "bVII": 10,
    "VII": 11,
}
NOTE_NAMES = "C Db D Eb E F Gb G Ab A Bb B".split()

# chord quality -> semitones above the root
QUALITIES = {
    "": (0, 4, 7),
    "m": (0, 3, 7),
    "7": (0, 4, 7, 10),
    "m7": (0, 3, 7, 10),
    "M7": (0, 4, 7, 11),
    "m7b5": (0, 3, 6, 10),
    "dim7": (0, 3, 6, 9),
    "m6": (0, 3, 7, 9),
}

# One chord per bar, 'degree_quality'. The MMA grooves use the genre names, and
# the own pattern sets use the short keys.
PROGRESSIONS = {
    "blues": [
        "I_7 I_7 I_7 I_7 IV_7 IV_7 I_7 I_7 V_7 IV_7 I_7 V_7",
        "I_7 IV_7 I_7 I_7 IV_7 IV_7 I_7 I_7 V_7 IV_7 I_7 V_7",
        "I_7 I_7 IV_7 IV_7 I_7 V_7 I_7 V_7",
        "I_m7 I_m7 I_m7 I_m7 IV_m7 IV_m7 I_m7 I_m7 bVI_7 V_7 I_m7 V_7",
        "I_7 IV_7 I_7 VI_7 II_7 V_7 I_7 V_7",
    ],
    "country": [
        "I_ I_ IV_ I_ I_ I_ V_ V_ I_ I_ IV_ I_ I_ V_ I_ I_",
        "I_ V_ I_ I_ IV_ I_ V_ I_",
        "I_ IV_ I_ V_",
        "I_ I_ IV_ IV_ V_ V_ I_ I_",
        "I_ VI_m IV_ V_",
        "IV_ IV_ I_ I_ V_7 V_7 I_ I_7",
    ],
    "jazz": [
        "II_m7 V_7 I_M7 I_M7",
        "I_M7 VI_m7 II_m7 V_7",
        "I_M7 I_M7 II_m7 V_7 III_m7 VI_7 II_m7 V_7",
        "I_m7 I_m7 IV_m7 IV_m7 II_m7b5 V_7 I_m7 I_m7",
        "VI_m7 II_m7 V_7 I_M7 IV_M7 VII_m7b5 III_7 VI_m6",
        "I_M7 I_7 IV_M7 IV_m6 III_m7 VI_7 II_m7 V_7",
        "I_7 IV_7 I_7 I_7 IV_7 IV_7 I_7 VI_7 II_m7 V_7 I_7 V_7",
        "I_M7 bIII_dim7 II_m7 V_7",
    ],
    "pop": [
        "I_ V_ VI_m IV_",
        "VI_m IV_ I_ V_",
        "I_ VI_m IV_ V_",
        "I_ IV_ VI_m V_",
        "I_ III_m IV_ V_",
        "IV_M7 V_ III_m7 VI_m7",
        "I_ V_ IV_ IV_m",
        "I_ II_m7 IV_ V_",
    ],
    "rock": [
        "I_ bVII_ IV_ I_",
        "I_ IV_ V_ IV_",
        "I_ IV_ I_ V_",
        "VI_m IV_ I_ V_",
        "I_m bVII_ bVI_ bVII_",
        "I_ bIII_ IV_ I_",
        "I_ I_ IV_ IV_ V_ IV_ I_ V_",
        "I_ V_ VI_m IV_",
        "I_7 I_7 IV_7 IV_7 I_7 V_7 I_7 I_7",
    ],
    "metal": [
        "I_m I_m bVI_ bVII_",
        "I_m bII_ I_m bII_",
        "I_m bIII_ bVII_ IV_m",
        "I_m I_m I_m bV_",
        "I_m bVII_ bVI_ V_",
    ],
    "reggae": [
        "I_ IV_ I_ V_",
        "I_ V_ II_m IV_",
        "I_m bVII_ I_m bVII_",
        "I_ II_m I_ II_m",
    ],
    "disco": [
        "I_m IV_7 I_m IV_7",
        "VI_m II_m7 V_7 I_M7",
        "I_m bVII_ bVI_ V_7",
        "II_m7 V_7 I_M7 VI_m7",
        "I_m bVI_ bVII_ I_m",
    ],
    "hiphop": [
        "I_m7 I_m7 IV_m7 IV_m7",
        "I_m bVI_ bVII_ I_m",
        "II_m7 V_7 II_m7 V_7",
        "I_m7 I_m7 I_m7 I_m7",
        "I_m7 bVI_M7 IV_m7 V_7",
    ],
    "r1": [
        "I_ IV_ I_ IV_",
        "I_ V_ II_m IV_",
        "I_ I_ IV_ V_",
        "I_m bVII_ I_m bVII_",
        "I_m IV_m I_m V_m",
    ],
    "r2": [
        "I_ VI_m II_m V_",
        "I_ IV_ V_ IV_",
        "I_ II_m III_m II_m",
        "I_M7 II_m7 I_M7 II_m7",
    ],
    "rm": [
        "I_m bVII_ I_m bVII_",
        "I_m I_m IV_m IV_m",
        "I_m bVI_ bVII_ I_m",
        "I_m V_m I_m V_m",
        "I_m I_m bVII_ bVII_",
    ],
    "hm": [
        "I_m I_m I_m I_m",
        "I_m bVI_ I_m bVI_",
        "I_m IV_m I_m V_m",
        "I_m bVII_ bVI_ V_7",
        "I_m7 I_m7 IV_m7 IV_m7",
    ],
    "hj": [
        "II_m7 V_7 II_m7 V_7",
        "I_m7 IV_7 I_m7 IV_7",
        "I_M7 VI_m7 II_m7 V_7",
        "I_m7 bVI_M7 IV_m7 V_7",
    ],
    "mm": [
        "I_m I_m bVI_ bVII_",
        "I_m bVII_ bVI_ V_",
        "I_m bIII_ bVII_ IV_m",
        "I_m I_m bVII_ bVI_",
    ],
    "md": [
        "I_m bII_ I_m bII_",
        "I_m I_m I_m bV_",
        "I_m bII_ bIII_ bII_",
        "I_m I_m bVI_ bV_",
    ],
    "dm": [
        "I_m bVI_ bVII_ I_m",
        "I_m IV_m bVII_ bIII_",
        "VI_m II_m V_ I_",
        "I_m bVII_ bVI_ V_7",
    ],
    "df": [
        "I_m7 IV_7 I_m7 IV_7",
        "II_m7 V_7 II_m7 V_7",
        "I_m7 I_m7 IV_m7 V_7",
        "I_7 I_7 IV_7 IV_7",
    ],
    "dp": [
        "I_ VI_m II_m V_",
        "I_ III_m IV_ V_",
        "VI_m IV_ I_ V_",
        "IV_ V_ III_m VI_m",
    ],
    "bm": [
        "I_m7 I_m7 I_m7 I_m7 IV_m7 IV_m7 I_m7 I_m7 bVI_7 V_7 I_m7 V_7",
        "I_m7 IV_m7 I_m7 I_m7 IV_m7 IV_m7 I_m7 I_m7 V_m7 IV_m7 I_m7 V_7",
        "I_m7 I_m7 IV_7 IV_7 I_m7 V_7 I_m7 V_7",
    ],
    "bj": [
        "I_7 IV_7 I_7 I_7 IV_7 IV_7 I_7 VI_7 II_m7 V_7 I_7 V_7",
        "I_7 IV_7 I_7 VI_7 II_7 V_7 I_7 V_7",
        "I_7 III_7 IV_7 bV_dim7 I_7 VI_7 II_7 V_7",
    ],
    "cs": [
        "I_ VI_7 II_7 V_7",
        "I_ I_7 IV_ IV_m I_ VI_7 II_7 V_7",
        "I_ I_ II_7 II_7 V_7 V_7 I_ V_7",
        "I_ IV_ I_ VI_7 II_7 V_7 I_ I_",
    ],
    "jm": [
        "I_m7 I_m7 I_m7 I_m7 bII_m7 bII_m7 I_m7 I_m7",
        "I_m7 IV_7 I_m7 IV_7",
        "I_m7 I_m7 II_m7b5 V_7",
        "I_m7 bVII_7 bVI_M7 V_7",
    ],
    "p60": [
        "I_ VI_m IV_ V_",
        "I_ VI_m II_m V_7",
        "I_ IV_ V_ IV_",
        "I_ III_m IV_ IV_m",
    ],
    "pj": [
        "IV_M7 V_ III_m7 VI_m7",
        "I_M7 VI_m7 II_m7 V_7",
        "IV_M7 III_m7 II_m7 I_M7",
    ],
    "rm2": [
        "I_m bVII_ bVI_ bVII_",
        "VI_m IV_ I_ V_",
        "I_m bIII_ bVII_ IV_",
        "I_m I_m IV_m V_",
    ],
    "rb": [
        "I_7 I_7 IV_7 IV_7 I_7 V_7 I_7 I_7",
        "I_7 I_7 I_7 I_7 IV_7 IV_7 I_7 I_7 V_7 IV_7 I_7 V_7",
        "I_ bVII_ IV_ I_",
    ],
    "c1": [
        "I_ V_7 I_ IV_ I_ II_m V_7 I_",
        "I_ IV_ V_7 I_ VI_m II_m V_7 I_",
        "I_ V_ VI_m III_m IV_ I_ IV_ V_7",
        "I_ I_ V_7 V_7 V_7 V_7 I_ I_",
    ],
    "c2": [
        "I_m IV_m V_7 I_m bVI_ bIII_ II_m7b5 V_7",
        "I_m V_7 I_m IV_m I_m V_7 I_m I_m",
        "I_m bVI_ IV_m V_7 I_m bII_ V_7 I_m",
    ],
    "c3": [
        "I_m IV_m bVII_ bIII_ bVI_ II_m7b5 V_7 I_m",
        "I_ IV_ VII_m7b5 III_m VI_m II_m V_7 I_",
        "I_m bVII_ bVI_ V_7 I_m IV_m V_7 I_m",
    ],
}


def parse_progression(text, key):
    """Parses 'I_m IV_7 ...' into [(root pitch class in `key`, quality), ...]."""
    chords = []
    for word in text.split():
        degree, _, quality = word.partition("_")
        chords.append(((DEGREES[degree] + key) % 12, quality))
    return chords


def chord_name(root, quality):
    """Returns the chord in MMA's notation."""
    return NOTE_NAMES[root % 12] + quality


def near(pitch_classes, center):
    """Returns each pitch class as the note in [center - 6, center + 5]."""
    return [center - 6 + ((p - center + 6) % 12) for p in pitch_classes]


def voicing(kind, root, quality, center):
    """Returns MIDI notes of a chord: power chord, wide, thirds on top, or close."""
    tones = [root + i for i in QUALITIES[quality]]
    if kind == "pow":
        low = near([root], center)[0]
        return [low, low + 7, low + 12]
    if kind == "wide":
        notes = sorted(near(tones, center))
        return [notes[0] - 12] + notes
    if kind == "top":
        return near(tones[:2], center)
    if kind == "sev" and len(tones) == 3:
        tones.append(root + 10 if quality == "m" else root + 9)
    return sorted(near(tones, center))
