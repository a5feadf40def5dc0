"""Run `python -m unittest` in this folder. The tests need no soundfonts."""

import random
import unittest
from collections import Counter

import arrange
import harmony
import lead
import midi
import splits
from grooves import GROOVES
from patterns import PATTERNS, notation
from render import TEST_SOUNDFONTS, choose_soundfont


class Splits(unittest.TestCase):
    def test_templates_are_disjoint(self):
        counts = splits.check()
        self.assertEqual(list(counts), splits.GENRES)

    def test_manifest_rows_that_share_a_template_are_refused(self):
        row = {"genre": "rock", "split": "train", "parts": "a+b", "soundfont": "x"}
        splits.check_rows([row, row])
        for other in ({"split": "test"}, {"split": "test", "parts": "c+b"}):
            with self.assertRaises(AssertionError):
                splits.check_rows([row, row | other])

    def test_a_soundfont_of_the_test_subset_is_refused_elsewhere(self):
        (font,) = TEST_SOUNDFONTS
        row = {"genre": "rock", "split": "test", "parts": "a", "soundfont": font}
        splits.check_rows([row])
        for subset in ("train", "valid"):
            with self.assertRaises(AssertionError):
                splits.check_rows([row | {"split": subset}])
        rng = random.Random(1)
        drawn = {
            s: {choose_soundfont(rng, s) for _ in range(300)} for s in splits.SPLITS
        }
        self.assertIn(font, drawn["test"])
        self.assertNotIn(font, drawn["train"] | drawn["valid"])

    def test_three_of_five_clips_are_train(self):
        got = [splits.split_of_index(i) for i in range(5)]
        self.assertEqual(got, ["train"] * 3 + ["valid", "test"])

    def test_every_genre_has_eight_test_templates(self):
        for genre, counts in splits.check().items():
            self.assertGreaterEqual(counts["test"], 8, genre)

    def chosen(self, genre):
        """Returns subset -> the engines of a hundred clips."""
        engines = {subset: Counter() for subset in splits.SPLITS}
        for index in range(100):
            subset = splits.split_of_index(index)
            pool = [t for t in splits.templates(genre) if t.split == subset]
            engine, parts = splits.choose(random.Random(index), genre, index, pool)
            self.assertTrue(all(part.split == subset for part in parts))
            engines[subset][engine] += 1
        return engines

    def test_no_genre_is_told_by_its_engine(self):
        """Own sets play half of every genre's clips in every subset; the rest is alike."""
        for genre in splits.GENRES:
            for subset, engines in self.chosen(genre).items():
                with self.subTest(genre=genre, subset=subset):
                    total = sum(engines.values())
                    self.assertEqual(engines["own"] / total, 0.5)
                    if genre != "classical":
                        self.assertGreaterEqual(engines["mixed"] / total, 0.3)


class Patterns(unittest.TestCase):
    def test_patterns_fill_their_bars(self):
        for genre, sets in PATTERNS.items():
            for name, patterns in sets.items():
                with self.subTest(genre=genre, name=name):
                    for choices in patterns["drums"].values():
                        self.assertLessEqual({len(c) for c in choices}, {0, 16, 32})
                    for _, steps, *_ in patterns["comp"]:
                        self.assertTrue(steps == "riff" or len(steps) == 16)
                    if patterns["bass"] != "riff":
                        for word in " ".join(patterns["bass"]).split():
                            step, degree, held = word.split(":")
                            self.assertLessEqual(int(step), 15)
                            self.assertIn(degree, "R2356789mN")
                            self.assertGreater(int(held), 0)
                    for steps in patterns.get("riff", []):
                        self.assertEqual(len(steps), 16)
                    self.assertIn(patterns["progressions"], harmony.PROGRESSIONS)

    def test_every_genre_has_progressions_and_a_lead(self):
        for genre in splits.GENRES:
            self.assertIn(genre, lead.STYLES)
            self.assertGreaterEqual(len(PATTERNS[genre]), 16)
            drummed = sum(bool(p["drums"]) for p in PATTERNS[genre].values())
            self.assertEqual(drummed == 0, genre == "classical")
            if GROOVES.get(genre):
                self.assertIn(genre, harmony.PROGRESSIONS)

    def test_the_notation_is_read(self):
        text = "x 80-90 shuffle .5-.6\nd K 9.|four / S bb\nb 0R4 14N2\nc 26 riff top 60 66\nr x-\np blues\ni 32"
        self.assertEqual(
            notation.read(text),
            {
                "x": {
                    "bpm": (80.0, 90.0),
                    "shuffle": (0.5, 0.6),
                    "drums": {36: ["9.", "9...9...9...9..."], 38: ["....9.......9..."]},
                    "bass": ["0:R:4 14:N:2"],
                    "comp": [((26,), "riff", "top", 60, 66)],
                    "riff": ["x-"],
                    "progressions": "blues",
                    "bass_programs": (32,),
                }
            },
        )

    def test_progressions_parse(self):
        for progressions in harmony.PROGRESSIONS.values():
            for text in progressions:
                for root, quality in harmony.parse_progression(text, 3):
                    self.assertIn(root, range(12))
                    self.assertIn(quality, harmony.QUALITIES)


class Arrangement(unittest.TestCase):
    def play(self, seed, patterns):
        rng = random.Random(seed)
        chords = harmony.parse_progression("I_m IV_7 V_ I_m", 0)
        events = arrange.arrange(rng, patterns, chords, 8, 100, True)
        events = midi.swap_programs(rng, events)
        return lead.add_lead(rng, "pop", events, chords, 8, 4, 0)

    def test_same_seed_same_events(self):
        for sets in PATTERNS.values():
            for patterns in sets.values():
                first = self.play(1, patterns)
                self.assertEqual(first, self.play(1, patterns))
                self.assertNotEqual(first, self.play(2, patterns))

    def test_notes_end(self):
        events, _ = self.play(1, PATTERNS["metal"]["thrash"])
        kinds = [kind for _, _, kind, _ in events]
        self.assertEqual(kinds.count("note_on"), kinds.count("note_off"))


if __name__ == "__main__":
    unittest.main()
