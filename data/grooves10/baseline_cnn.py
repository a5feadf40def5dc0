#!/usr/bin/env python3
"""Accuracy of a plain PyTorch CNN on log-mel spectrograms on the set's split.

    python baseline_cnn.py grooves10 [--seeds 3] [--epochs 14]
    python baseline_cnn.py grooves10 --all --epochs 11

The network has four blocks of 3x3 convolution, batch normalization, ReLU and
max-pooling, then global average pooling and one dense layer, as in most
tutorials. It trains on crops of ten seconds of the train subset, and the valid
subset chooses the best epoch. A test file's prediction is the mean over its
clips. Crops are the only augmentation. With --all it trains on train and valid
together and keeps the last epoch.
"""

import argparse
import os
import time

import librosa
import numpy as np
import soundfile
import torch
from torch import nn

from baseline import wilson
from splits import GENRES, read_manifest

MELS, N_FFT, HOP, SECONDS = 128, 2048, 1024, 10
FRAMES = SECONDS * 22050 // HOP + 1


def log_mel(path):
    """Returns [mels, frames]: dB below the clip's maximum, floor -80, scaled to 0..1."""
    samples, rate = soundfile.read(path, dtype="float32")
    power = librosa.feature.melspectrogram(
        y=samples, sr=rate, n_fft=N_FFT, hop_length=HOP, n_mels=MELS
    )
    return (librosa.power_to_db(power, ref=np.max) / 80 + 1).astype("float32")


def network():
    """Returns the untrained network."""
    layers, channels = [], 1
    for out in (16, 32, 64, 128):
        layers += [nn.Conv2d(channels, out, 3, padding=1, bias=False)]
        layers += [nn.BatchNorm2d(out), nn.ReLU(), nn.MaxPool2d(2)]
        channels = out
    pool = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.3)]
    return nn.Sequential(*layers, *pool, nn.Linear(channels, len(GENRES)))


def crops(spectrogram):
    """Returns the clips of a file, without overlap."""
    count = max(1, spectrogram.shape[1] // FRAMES)
    return [spectrogram[:, i * FRAMES : (i + 1) * FRAMES] for i in range(count)]


def probabilities(model, spectrograms):
    """Returns the mean probabilities over the clips of each file."""
    model.eval()
    with torch.no_grad():
        return torch.stack(
            [
                model(torch.from_numpy(np.stack(crops(s)))[:, None]).softmax(1).mean(0)
                for s in spectrograms
            ]
        )


def fit(x, y, valid_x, valid_y, seed, epochs, batch=16):
    """Returns the model of the best valid epoch, or of the last one without valid."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    model = network()
    per_file = len(crops(x[0]))
    steps = epochs * (len(x) * per_file // batch)
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, total_steps=steps)
    loss_of = nn.CrossEntropyLoss(label_smoothing=0.1)
    best, kept = (-1.0, 0.0), None
    for epoch in range(1, epochs + 1):
        start, model = time.time(), model.train()
        order = rng.permutation(np.repeat(np.arange(len(x)), per_file))
        for at in range(0, len(order) - batch + 1, batch):
            files = order[at : at + batch]
            starts = [rng.integers(x[f].shape[1] - FRAMES + 1) for f in files]
            clips = [x[f][:, s : s + FRAMES] for f, s in zip(files, starts)]
            loss = loss_of(model(torch.from_numpy(np.stack(clips))[:, None]), y[files])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        if not valid_x:
            print(f"seed {seed}, epoch {epoch}: loss {loss.item():.3f}", flush=True)
            continue
        answers = probabilities(model, valid_x)
        hits = (answers.argmax(1) == valid_y).float().mean().item()
        likely = answers[torch.arange(len(valid_y)), valid_y].log().mean().item()
        if (hits, likely) > best:
            best = (hits, likely)
            kept = {k: v.clone() for k, v in model.state_dict().items()}
        print(f"seed {seed}, epoch {epoch}: loss {loss.item():.3f}, ", end="")
        print(f"valid {hits:.3f}, {time.time() - start:.0f} s", flush=True)
    if kept:
        model.load_state_dict(kept)
    return model


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("set", help="folder of a rendered set")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=14)
    everything = "train on train and valid together"
    parser.add_argument("--all", action="store_true", help=everything)
    args = parser.parse_args()
    rows = read_manifest(args.set)
    subsets = {}
    for subset in ("train", "valid", "test"):
        mine = [row for row in rows if row["split"] == subset]
        x = [log_mel(os.path.join(args.set, row["file"])) for row in mine]
        y = torch.tensor([GENRES.index(row["genre"]) for row in mine])
        subsets[subset] = (x, y)
    if args.all:
        (x, y), (more_x, more_y) = subsets["train"], subsets["valid"]
        subsets["train"] = (x + more_x, torch.cat([y, more_y]))
        subsets["valid"] = ([], None)
    print(sum(p.numel() for p in network().parameters()), "parameters")
    accuracies = []
    for seed in range(1, args.seeds + 1):
        model = fit(*subsets["train"], *subsets["valid"], seed, args.epochs)
        x, y = subsets["test"]
        hits = int((probabilities(model, x).argmax(1) == y).sum())
        low, high = wilson(hits, len(y))
        accuracies.append(hits / len(y))
        print(f"seed {seed}: test {hits}/{len(y)} = {hits / len(y):.3f}", end=" ")
        print(f"[{low:.3f}, {high:.3f}]", flush=True)
    mean, deviation = np.mean(accuracies), np.std(accuracies, ddof=1)
    print(f"mean of {args.seeds} seeds {mean:.3f}, sd {deviation:.3f}")


if __name__ == "__main__":
    main()
