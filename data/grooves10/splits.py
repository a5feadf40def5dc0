"""The templates and the split that each belongs to.

A template is what clips of one style share: an own pattern set, an MMA groove
file or, for classical, a work. It belongs to exactly one of train, valid and
test, for every seed. The *engine* that plays a clip depends only on the clip's
place in its split, in the same way for every genre:

    own    drums, bass and chords of own pattern sets (half the clips)
    mixed  the drums of an MMA groove with an own set (three of ten)
    mma    a complete MMA groove (two of ten; mixed if a split has none)
    score  a work of music21's corpus (classical, in place of mixed and mma)
"""

import csv
import hashlib
import os
from collections import Counter
from dataclasses import dataclass

import classical
from grooves import DRUM_GROOVES, GROOVES, OTHER_METERS
from patterns import PATTERNS
from render import TEST_SOUNDFONTS

GENRES = "blues classical country disco hiphop jazz metal pop reggae rock".split()
SPLITS = ("train", "valid", "test")
# Orders in which shuffled templates are dealt to the splits. Own sets are dealt
# 10 : 3 : 7 of twenty, which helps give each genre eight test templates. Of few
# groove files, each split gets one first.
_DEAL = ["train", "test", "valid", "train", "train"]
_DEAL_FEW = _DEAL + ["test", "valid", "train"]
_DEAL_OWN = """train test train valid test train train test train test
train valid test train train test train valid test train""".split()
_ENGINES = "own mixed own mma own mixed own mma own mixed".split()
_CLASSICAL_ENGINES = ["own", "score"]
MIN_TEST_TEMPLATES = 8
BORROW = 0.4


@dataclass(frozen=True)
class Template:
    """A template of kind 'own', 'mma', 'drums' (an MMA file of drums) or 'score'."""

    id: str
    kind: str
    split: str

    @property
    def pattern(self):
        """The name of an own pattern set, whose id is own/<genre>_<name>."""
        return self.id.split("_", 1)[1]

    @property
    def composer(self):
        return self.id.split("/")[0]


def stable_hash(text):
    return int(hashlib.sha256(text.encode()).hexdigest()[:12], 16)


def split_of_index(index):
    """Returns the split: of five clips, three train, the fourth valid, the fifth test."""
    return {3: "valid", 4: "test"}.get(index % 5, "train")


def deal(ids, salt, order):
    """Deals ids to the splits in a fixed shuffled order."""
    ids = sorted(ids, key=lambda i: stable_hash(salt + i))
    return {id_: order[i % len(order)] for i, id_ in enumerate(ids)}


def templates(genre):
    """Returns all templates of a genre."""
    own = [f"own/{genre}_{name}" for name in PATTERNS[genre]]
    found = [
        Template(id_, "own", split)
        for id_, split in deal(own, "own", _DEAL_OWN).items()
    ]
    if genre == "classical":
        return found + _works()
    drums = DRUM_GROOVES[genre]
    files = [*GROOVES[genre], *drums]
    order = _DEAL_FEW if len(files) <= 12 else _DEAL
    return found + [
        Template(id_, "drums" if id_ in drums else "mma", split)
        for id_, split in deal(files, "mma", order).items()
    ]


def _works():
    """Returns the works, dealt by composer. Composers with one or two are pooled."""
    by_composer = {}
    for work in classical.works():
        by_composer.setdefault(work.split("/")[0], []).append(work)
    groups, rest = [], []
    for _, works in sorted(by_composer.items()):
        if len(works) < 3:
            rest += works
        else:
            groups.append(works)
    return [
        Template(work, "score", split)
        for group in groups + [rest]
        for work, split in deal(group, "c", _DEAL).items()
    ]


def check(genres=GENRES):
    """Asserts that every template has one genre and one split; returns the counts."""
    owner = {}
    counts = {}
    for genre in genres:
        counts[genre] = Counter()
        for template in templates(genre):
            assert template.split in SPLITS, template
            assert template.id not in owner, (template, owner[template.id])
            owner[template.id] = (genre, template.split)
            counts[genre][template.split] += 1
        assert all(counts[genre][split] for split in SPLITS), (genre, counts[genre])
        assert counts[genre]["test"] >= MIN_TEST_TEMPLATES, (genre, counts[genre])
    return counts


def read_manifest(folder):
    """Returns the rows of a set's manifest, checked."""
    with open(os.path.join(folder, "manifest.csv"), newline="") as file:
        rows = list(csv.DictReader(file))
    check_rows(rows)
    return rows


def check_rows(rows):
    """Asserts one split and genre per template, and test soundfonts in test only.

    A clip's `parts` names every template that it plays. All of them count.
    """
    seen = {}
    for row in rows:
        place = (row["genre"], row["split"])
        for template in row["parts"].split("+"):
            assert seen.setdefault(template, place) == place, row
        if row["soundfont"] in TEST_SOUNDFONTS:
            assert row["split"] == "test", row


def turn_of(index):
    """Returns the number of clips of the genre and split before a clip."""
    if split_of_index(index) == "train":
        return index // 5 * 3 + index % 5
    return index // 5


def choose(rng, genre, index, pool):
    """Returns (engine, templates) of a clip, from the pool of its split.

    The first template is the clip's main one: it gives the drums, or the work.
    An own set may take its bass and chords from another of the same split.
    """
    turn = turn_of(index)
    own = [t for t in pool if t.kind == "own"]
    if genre == "classical":
        engine = _CLASSICAL_ENGINES[turn % 2]
        works = [t for t in pool if t.kind == "score"]
        if engine == "score":
            # balance composers, not works: most works are Bach's
            composer = rng.choice(sorted({t.composer for t in works}))
            return engine, [rng.choice([t for t in works if t.composer == composer])]
        return engine, [own[turn // 2 % len(own)]] * 2
    engine = _ENGINES[turn % len(_ENGINES)]
    cycle, place = divmod(turn, len(_ENGINES))
    nth = cycle * _ENGINES.count(engine) + _ENGINES[:place].count(engine)
    files = [t for t in pool if t.kind in ("mma", "drums")]
    complete = [t for t in files if t.kind == "mma"]
    if engine == "mma" and complete:
        return engine, [complete[nth % len(complete)]]
    if engine != "own":
        files = [t for t in files if t.id not in OTHER_METERS]
        return "mixed", [files[nth % len(files)], rng.choice(own)]
    chosen = own[nth % len(own)]
    return engine, [chosen, rng.choice(own) if rng.random() < BORROW else chosen]
