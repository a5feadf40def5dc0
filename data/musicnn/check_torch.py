#!/usr/bin/env python3
"""Runs the pruned network in PyTorch, and checks it against TensorFlow's outputs.

    python check_torch.py [--weights musicnn-msd.safetensors]

It shares no code with the scripts that make the file. The module is what
README.md describes, in PyTorch's usual layout: [n, channels, time, frequency].
"""

import argparse
import gzip
import sys
import tomllib
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from torch import nn
from torch.nn import functional as F

HERE = Path(__file__).resolve().parent
FRONT_END = ["timbral_38", "timbral_67", "temporal_128", "temporal_64", "temporal_32"]


class ConvNorm(nn.Module):
    """Convolution, ReLU, batch norm; 'same' in time."""

    def __init__(self, inputs, outputs, height, width=1):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, (height, width))
        self.norm = nn.BatchNorm2d(outputs, eps=1e-3)
        self.padding = (0, 0, (height - 1) // 2, height // 2)

    def forward(self, x):
        return self.norm(F.relu(self.conv(F.pad(x, self.padding))))


class Musicnn(nn.Module):
    """The network of a file's header: [n, 1, 187, 96] to penultimate features and logits."""

    def __init__(self, filters, classes):
        super().__init__()
        self.input_norm = nn.BatchNorm2d(1, eps=1e-3)
        for name in FRONT_END:
            size = int(name.split("_")[1])
            kernel = (7, size) if name.startswith("timbral") else (size, 1)
            self.add_module(name, ConvNorm(1, filters[name], *kernel))
        front, live = sum(filters[name] for name in FRONT_END), filters["mid_1"]
        self.mid_1 = ConvNorm(front + 1, live, 7)
        self.mid_2 = ConvNorm(live + 1, 64, 7)
        self.mid_3 = ConvNorm(64, 64, 7)
        pooled = 2 * (front + live + 128)
        self.pool_norm = nn.BatchNorm1d(pooled, eps=1e-3)
        self.dense = nn.Linear(pooled, 200)
        self.dense_norm = nn.BatchNorm1d(200, eps=1e-3)
        self.output = nn.Linear(200, classes)

    def forward(self, x):
        x = self.input_norm(x)
        front = [getattr(self, name)(x).amax(3, keepdim=True) for name in FRONT_END]
        front = torch.cat(front, 1)
        ones = torch.ones_like(front[:, :1])
        m1 = self.mid_1(torch.cat([front, ones], 1))
        m2 = self.mid_2(torch.cat([m1, ones], 1))
        m2 = m2 + F.pad(m1, (0, 0, 0, 0, 0, m2.shape[1] - m1.shape[1]))
        m3 = self.mid_3(m2) + m2
        z = torch.cat([front, m1, m2, m3], 1).squeeze(3)
        x = torch.stack([z.amax(2), z.mean(2)], 2).flatten(1)
        penultimate = self.dense_norm(F.relu(self.dense(self.pool_norm(x))))
        return penultimate, self.output(penultimate)


def load(path):
    """Returns the network of a checkpoint, for inference, and its header."""
    with safe_open(path, "pt") as file:
        header = tomllib.loads(file.metadata()["sonoprint"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}
    network = Musicnn(header["network"]["filters"], header["network"]["classes"])
    # Our checkpoints have Burn's names of a norm's parts, and its layout of a dense layer.
    renamed = {}
    for name, tensor in tensors.items():
        name = name.replace(".gamma", ".weight").replace(".beta", ".bias")
        renamed[name] = tensor.T if name in ("dense.weight", "output.weight") else tensor
    missing, unexpected = network.load_state_dict(renamed, strict=False)
    missing = [name for name in missing if not name.endswith("num_batches_tracked")]
    if missing or unexpected:
        sys.exit(f"{path} lacks {missing} and should not have {unexpected}")
    return network.eval(), header


def golden(name):
    with gzip.open(HERE / f"golden/{name}.npy.gz") as file:
        return np.load(file)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", type=Path, default=HERE / "musicnn-msd.safetensors")
    args = parser.parse_args()
    network, header = load(args.weights)
    dataset = args.weights.stem.split("-")[1]
    patch = torch.from_numpy(golden("logmel"))
    with torch.no_grad():
        penultimate, logits = network(patch[None, None])
    got = {"penultimate": penultimate, "logits": logits, "tags": logits.sigmoid()}
    failed = False
    for name, most in {"penultimate": 2e-5, "logits": 3e-5, "tags": 4e-6}.items():
        error = np.abs(got[name][0].numpy() - golden(f"{dataset}_{name}")).max()
        print(f"{name}: within {error:.1e}")
        failed |= not error <= most
    best = got["tags"][0].topk(5)
    print(", ".join(f"{header['classes'][i]} {p:.2f}" for p, i in zip(*best)))
    sys.exit(failed)


if __name__ == "__main__":
    main()
