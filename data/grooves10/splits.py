"""Which templates there are, and which split each belongs to.

A template is what clips of one style share: an MMA groove file, an own
pattern set or, for classical, a work. It belongs to exactly one of train,
valid and test, whatever the seed.
"""

import hashlib
from collections import Counter
from dataclasses import dataclass

import classical
from grooves import DRUM_GROOVES, GROOVES
from patterns import PATTERNS

GENRES = "blues classical country disco hiphop jazz metal pop reggae rock".split()
SPLITS = ("train", "valid", "test")
_DEAL = ["train", "test", "valid", "train", "train"]
_DEAL_FEW = _DEAL + ["test", "valid", "train"]


@dataclass(frozen=True)
class Template:
    """kind: 'mma', 'own', 'drums' (MMA drums under an own set) or 'score'."""

    id: str
    kind: str
    split: str

    @property
    def pattern(self):
        """The name of an own pattern set: own/<genre>_<name>."""
        return self.id.split("_", 1)[1]

    @property
    def composer(self):
        return self.id.split("/")[0]


def stable_hash(text):
    return int(hashlib.sha256(text.encode()).hexdigest()[:12], 16)


def split_of_index(index):
    """Three clips of five are train, the fourth valid, the fifth test."""
    return {3: "valid", 4: "test"}.get(index % 5, "train")


def deal(ids, salt, few=False):
    """Deal ids to the splits about 3:1:1, in a fixed shuffled order."""
    ids = sorted(ids, key=lambda i: stable_hash(salt + i))
    order = _DEAL_FEW if few or len(ids) <= 12 else _DEAL
    return {id_: order[i % len(order)] for i, id_ in enumerate(ids)}


def templates(genre):
    """All templates of a genre."""
    if genre == "classical":
        return _classical_templates()
    groups = {
        "mma": GROOVES.get(genre, []),
        "own": [f"own/{genre}_{name}" for name in PATTERNS.get(genre, [])],
        "drums": DRUM_GROOVES.get(genre, []),
    }
    return [
        Template(id_, kind, split)
        for kind, ids in groups.items()
        for id_, split in deal(ids, kind, few=kind == "own").items()
    ]


def _classical_templates():
    """Works, dealt composer by composer; those with one or two together."""
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
        for work, split in deal(group, "c").items()
    ]


def check(genres=GENRES):
    """Fail unless every template has one genre and one split; the counts."""
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
    return counts


def check_rows(rows):
    """Fail if a template of a manifest's rows is in two splits or genres."""
    seen = {}
    for row in rows:
        place = (row["genre"], row["split"])
        assert seen.setdefault(row["template"], place) == place, row


def choose(rng, genre, index, pool):
    """The template of a clip, from those of its split."""
    if genre == "classical":
        # balance composers, not works: most of those are Bach's
        composer = rng.choice(sorted({t.composer for t in pool}))
        return rng.choice([t for t in pool if t.composer == composer])
    if split_of_index(index) == "train":
        turn = index // 5 * 3 + index % 5
    else:
        turn = index // 5
    return pool[turn % len(pool)]
