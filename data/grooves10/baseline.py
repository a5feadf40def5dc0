#!/usr/bin/env python3
"""Accuracy of simple features on a rendered set's own split.

    python baseline.py grooves10

Computes MFCC and spectral statistics of each clip and trains logistic
regression and a random forest on train + valid. Scores them on test, whose
templates neither has seen, and on a random split that shares templates, which
shows what memorizing a template is worth.
"""

import argparse
import os

import librosa
import numpy as np
import soundfile
from scipy.stats import norm
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import confusion_matrix
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from splits import read_manifest

HOP = 1024


def features(samples, rate):
    """Returns mean and deviation over the clip of MFCC and spectral shape."""
    spectrum = np.abs(librosa.stft(samples, n_fft=2048, hop_length=HOP))
    mel = librosa.feature.melspectrogram(S=spectrum**2, sr=rate, n_mels=64)
    mfcc = librosa.feature.mfcc(S=librosa.power_to_db(mel), n_mfcc=20)
    contrast = librosa.feature.spectral_contrast(S=spectrum, sr=rate)
    shapes = (
        librosa.feature.spectral_centroid(S=spectrum, sr=rate),
        librosa.feature.spectral_rolloff(S=spectrum, sr=rate),
        librosa.feature.spectral_flatness(S=spectrum),
        librosa.feature.zero_crossing_rate(samples, hop_length=HOP),
    )
    return np.concatenate(
        [mfcc.mean(1), mfcc.std(1), np.diff(mfcc, axis=1).std(1)]
        + [[shape.mean(), shape.std()] for shape in shapes]
        + [contrast.mean(1), contrast.std(1)]
    )


def wilson(hits, total, level=0.95):
    """Returns the Wilson score interval of a proportion."""
    z = norm.ppf((1 + level) / 2)
    share = hits / total
    center = share + z**2 / (2 * total)
    spread = z * np.sqrt(share * (1 - share) / total + z**2 / (4 * total**2))
    scale = 1 + z**2 / total
    return (center - spread) / scale, (center + spread) / scale


def models():
    """Returns the untrained models by name."""
    return {
        "logistic regression": make_pipeline(
            StandardScaler(), LogisticRegression(C=0.1, max_iter=2000)
        ),
        "random forest": RandomForestClassifier(500, random_state=0),
    }


def score(title, x, y, test):
    """Fits both models, prints their scores and returns their predictions."""
    predicted = {}
    for name, model in models().items():
        predicted[name] = model.fit(x[~test], y[~test]).predict(x[test])
        hits, total = int((predicted[name] == y[test]).sum()), int(test.sum())
        low, high = wilson(hits, total)
        print(f"{title}, {name}: {hits}/{total} = {hits / total:.3f}", end=" ")
        print(f"[{low:.3f}, {high:.3f}]")
    return predicted


def random_split(y, test):
    """Returns a test mask with as many clips of each genre, ignoring templates."""
    rng = np.random.default_rng(0)
    chosen = np.zeros(len(y), bool)
    for genre in sorted(set(y)):
        clips = np.flatnonzero(y == genre)
        chosen[rng.permutation(clips)[: int(test[clips].sum())]] = True
    return chosen


def print_confusion(y, predicted):
    """Prints the confusion matrix, a row per true genre."""
    genres = sorted(set(y))
    print(f"{'true':10s} predicted " + " ".join(g[:5].rjust(5) for g in genres))
    for genre, counts in zip(genres, confusion_matrix(y, predicted, labels=genres)):
        print(f"{genre:20s} " + " ".join(f"{count:5d}" for count in counts))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("set", help="folder of a rendered set")
    folder = parser.parse_args().set
    rows = read_manifest(folder)
    clips = (soundfile.read(os.path.join(folder, r["file"])) for r in rows)
    x = np.array([features(samples, rate) for samples, rate in clips])
    y = np.array([row["genre"] for row in rows])
    test = np.array([row["split"] == "test" for row in rows])
    predicted = score("template-disjoint test", x, y, test)
    score("random split (templates shared)", x, y, random_split(y, test))
    for name, guesses in predicted.items():
        print(f"\n{name}, template-disjoint test:")
        print_confusion(y[test], guesses)


if __name__ == "__main__":
    main()
