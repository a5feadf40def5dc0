#!/usr/bin/env python3
"""Accuracy of the simplest classifier by number of clips and templates.

    python learning_curve.py grooves10

Trains logistic regression on MFCC statistics of parts of train + valid and
scores it on test: with a share of each genre's templates (only clips of which
every part is among them), and with a number of clips of all templates. Also
scores random folds of train + valid, which share templates.
"""

import argparse
import os

import librosa
import numpy as np
import soundfile
from scipy.fft import dct
from sklearn.model_selection import KFold

from baseline import models
from splits import GENRES, read_manifest

DRAWS = 8


def features(path):
    """Returns means, deviations, and deviations of differences of twenty MFCCs."""
    samples, rate = soundfile.read(path, dtype="float32")
    mel = librosa.feature.melspectrogram(y=samples, sr=rate, hop_length=512)
    mfcc = dct(librosa.power_to_db(mel), axis=0, norm="ortho")[:20]
    return np.concatenate([mfcc.mean(1), mfcc.std(1), np.diff(mfcc, axis=1).std(1)])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("set", help="folder of a rendered set")
    folder = parser.parse_args().set
    rows = read_manifest(folder)
    x = np.array([features(os.path.join(folder, row["file"])) for row in rows])
    y = np.array([row["genre"] for row in rows])
    subset = np.array([row["split"] for row in rows])
    parts = [set(row["parts"].split("+")) for row in rows]
    test = subset == "test"

    def score(train, tested=test):
        model = models()["logistic regression"].fit(x[train], y[train])
        return model.score(x[tested], y[tested])

    def line(title, clips, scores):
        print(f"{title}: {np.mean(clips):.0f} clips, {np.mean(scores):.3f}", end=" ")
        print(f"(sd {np.std(scores):.3f} of {len(scores)})", flush=True)

    line("train, on valid", [600], [score(subset == "train", subset == "valid")])
    line("train", [600], [score(subset == "train")])
    line("train + valid", [800], [score(~test)])
    known = np.flatnonzero(~test)
    folds = KFold(5, shuffle=True, random_state=0).split(known)
    line("folds at random", [640], [score(known[a], known[b]) for a, b in folds])
    for share in (0.25, 0.5, 0.75):
        clips, scores = [], []
        for seed in range(DRAWS):
            rng, chosen = np.random.default_rng(seed), set()
            for genre in GENRES:
                mine = [p for p, g, t in zip(parts, y, test) if g == genre and not t]
                names = sorted(set().union(*mine))
                count = max(2, round(share * len(names)))
                chosen |= set(rng.permutation(names)[:count])
            train = ~test & np.array([p <= chosen for p in parts])
            clips.append(train.sum())
            scores.append(score(train))
        line(f"{share} of the templates", clips, scores)
    for count in (100, 200, 400):
        scores = []
        for seed in range(DRAWS):
            rng, train = np.random.default_rng(seed), np.zeros(len(y), bool)
            for genre in GENRES:
                mine = np.flatnonzero(~test & (y == genre))
                train[rng.permutation(mine)[: count // 10]] = True
            scores.append(score(train))
        line("all templates", [count], scores)


if __name__ == "__main__":
    main()
