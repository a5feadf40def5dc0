"""Run with: python -m unittest (in this folder); needs no soundfonts."""

import random
import unittest

import arrange
import harmony
import lead
import midi
import splits
from grooves import DRUM_GROOVES, GROOVES
from patterns import PATTERNS

SCORED = [g for g in splits.GENRES if g != "classical"]


class Splits(unittest.TestCase):
    def test_templates_are_disjoint(self):
        counts = splits.check()
        self.assertEqual(list(counts), splits.GENRES)

    def test_manifest_rows_that_share_a_template_are_refused(self):
        row = {"genre": "rock", "split": "train", "template": "a"}
        splits.check_rows([row, row])
        with self.assertRaises(AssertionError):
            splits.check_rows([row, row | {"split": "test"}])

    def test_three_of_five_clips_are_train(self):
        got = [splits.split_of_index(i) for i in range(5)]
        self.assertEqual(got, ["train"] * 3 + ["valid", "test"])

    def test_drums_have_an_own_set_of_their_split(self):
        for genre in DRUM_GROOVES:
            pool = splits.templates(genre)
            own = {t.split for t in pool if t.kind == "own"}
            for template in pool:
                if template.kind == "drums":
                    self.assertIn(template.split, own)


class Patterns(unittest.TestCase):
    def test_patterns_fill_their_bars(self):
        for genre, sets in PATTERNS.items():
            for name, patterns in sets.items():
                with self.subTest(genre=genre, name=name):
                    for choices in patterns["drums"].values():
                        self.assertLessEqual({len(c) for c in choices}, {0, 16, 32})
                    for _, steps, *_ in patterns["comp"]:
                        self.assertTrue(steps == "riff" or len(steps) == 16)
                    for steps in patterns.get("riff", []):
                        self.assertEqual(len(steps), 16)
                    self.assertIn(patterns["progressions"], harmony.PROGRESSIONS)

    def test_every_genre_has_progressions_and_a_lead(self):
        for genre in SCORED:
            self.assertIn(genre, lead.STYLES)
            if GROOVES.get(genre):
                self.assertIn(genre, harmony.PROGRESSIONS)

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
