"""The recorded tracks that excerpts are shipped of, and their terms.

The genre is the one that the track's author or its tags give it.
"""

from dataclasses import dataclass

GAMES = "usr/share/games"


@dataclass(frozen=True)
class Track:
    genre: str
    name: str
    title: str
    author: str
    package: str
    files: tuple  # in the unpacked package; several are stems to be mixed
    start: int  # of the excerpt, in seconds
    licence: str
    tagged: str  # the genre in the source's own words

    @property
    def source(self):
        return (
            f"Debian package {self.package}: '{self.title}' by {self.author} "
            f"({self.tagged})"
        )

    @property
    def changes(self):
        mixed = "guitar stem mixed in, level lowered; " if len(self.files) > 1 else ""
        return f"{mixed}30 s excerpt from {self.start} s; re-encoded, Ogg Vorbis q4"


def _fretsonfire(name, title, start):
    folder = f"{GAMES}/fretsonfire/data/songs/muldjord/{name}"
    return Track(
        "metal",
        name,
        title,
        "Muldjord (El Senator)",
        "fretsonfire-songs-muldjord 2.dfsg-2.1",
        (f"{folder}/song.ogg", f"{folder}/guitar.ogg"),
        start,
        "CC-BY-SA-3.0",
        "readme: 'the danish metal band Muldjord'",
    )


def _openclonk(genre, name, file, title, start, tag):
    return Track(
        genre,
        name,
        title,
        "Martin Strohmeier (K-Pone)",
        "openclonk-data 8.1-3",
        (f"{GAMES}/openclonk/Music.ocg/{file}.ogg",),
        start,
        "CC-BY-3.0",
        f"genre tag: {tag}",
    )


TRACKS = [
    _openclonk(
        "classical", "urban_bolero", "UrbanBolero", "Urban Bolero", 60, "Orchestral"
    ),
    _fretsonfire("armygeddon", "Armygeddon", 60),
    Track(
        "metal",
        "ezer_ev",
        "Ezer Év",
        "Obsidian Shell",
        "marsshooter-data 0.7.6-7",
        (f"{GAMES}/marsshooter/audio/music/01_-_Ezer_Ev.ogg",),
        60,
        "CC-BY-SA-3.0",
        "genre tag: Female Fronted Metal",
    ),
    _openclonk(
        "reggae", "island_dreams", "IslandDreams", "Island Dreams", 60, "Reggae"
    ),
    _openclonk("rock", "motorway", "Motorway", "Motorway", 60, "Rock"),
]
