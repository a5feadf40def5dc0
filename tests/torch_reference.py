#!/usr/bin/env python3
"""Compare exported networks with the same networks in PyTorch.

    pip install -r requirements.txt
    python tests/torch_reference.py [--sonoprint target/release/sonoprint] [CHECKPOINT ...]

Without arguments, this checks the rendered-music checkpoint and one checkpoint of each
network, trained for an epoch on data/clips. It fails if a logit differs by more
than 1e-4. With --write-golden DIR it writes the features for that
checkpoint and PyTorch's logits as the .npy.gz files that
`tests/integration/model.rs` reads.
"""

import argparse
import gzip
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import load_file
from torch import nn

ROOT = Path(__file__).parent.parent
TOLERANCE = 1e-4
RENDERED = ROOT / "data/checkpoint/grooves10.safetensors"


class ConvNorm(nn.Module):
    def __init__(self, channels_in, channels_out, kernel, stride):
        super().__init__()
        self.conv = nn.Conv2d(
            channels_in, channels_out, kernel, stride, kernel // 2, bias=False
        )
        self.norm = nn.BatchNorm2d(channels_out)

    def forward(self, x):
        return self.norm(self.conv(x))


class Residual(nn.Module):
    def __init__(self, channels_in, channels_out):
        super().__init__()
        self.first = ConvNorm(channels_in, channels_out, 3, 2)
        self.second = ConvNorm(channels_out, channels_out, 3, 1)
        self.shortcut = ConvNorm(channels_in, channels_out, 1, 2)

    def forward(self, x):
        return torch.relu(self.second(torch.relu(self.first(x))) + self.shortcut(x))


class Compact(nn.Module):
    """The default network: src/model/networks/compact.rs."""

    def __init__(self, classes, shape=(4, 128, 216)):
        super().__init__()
        # An image has frequency in its height, a spectrogram of one channel in its width.
        self.frequency = 3 if shape[0] == 1 else 2
        self.stem = ConvNorm(shape[0], 24, 3, 2)
        self.stages = nn.ModuleList(
            [Residual(24, 32), Residual(32, 64), Residual(64, 128)]
        )
        self.dropout = nn.Dropout(0.3)
        self.head = nn.Linear(128, classes)

    def forward(self, x):
        x = torch.relu(self.stem(x))
        for stage in self.stages:
            x = stage(x)
        x = x.mean(self.frequency)
        return self.head(self.dropout(x.mean(2) + x.amax(2)))


class DeepPixel(nn.Module):
    """The original project's network: src/model/networks/deeppixel.rs."""

    def __init__(self, classes, shape):
        super().__init__()
        layers = [(shape[0], 32, 3), (32, 64, 3), (64, 64, 3), (64, 128, 2), (128, 128, 2)]
        for i, (channels_in, channels_out, kernel) in enumerate(layers, start=1):
            setattr(self, f"conv{i}", nn.Conv2d(channels_in, channels_out, kernel))
            if i != 4:
                setattr(self, f"prelu{i}", nn.PReLU(channels_out))
        self.dropout = nn.Dropout(0.5)
        sides = list(shape[1:])
        for _, _, kernel in layers:
            sides = [(side - kernel + 1) // 2 for side in sides]
        self.dense = nn.Linear(128 * sides[0] * sides[1], classes)

    def forward(self, x):
        for i in range(1, 6):
            x = getattr(self, f"conv{i}")(x)
            x = getattr(self, f"prelu{i}")(x) if i != 4 else x
            x = nn.functional.max_pool2d(x, 2)
        return self.dense(self.dropout(x.flatten(1)))


NETWORKS = {"compact": Compact, "deeppixel": DeepPixel}


def input_shape(spec):
    """Return (channels, height, width) of a network's input.

    Exports before format 2 name the size of an RGBA picture instead.
    """
    if "input" in spec:
        return tuple(spec["input"])
    return (4, spec["picture"]["height"], spec["picture"]["width"])


def load(path):
    """Return a network in PyTorch with the exported weights, and the header of the export."""
    with safe_open(path, "pt") as file:
        header = json.loads(file.metadata()["sonoprint"])
    spec = header["network"]
    network = NETWORKS[spec["kind"]](spec["classes"], input_shape(spec))
    missing, unexpected = network.load_state_dict(load_file(path), strict=False)
    # PyTorch counts batches, and nothing here uses that count.
    missing = [name for name in missing if not name.endswith("num_batches_tracked")]
    assert not missing and not unexpected, (missing, unexpected)
    return network.eval(), header


def compare(sonoprint, checkpoint, folder, golden):
    """Return the largest difference between a checkpoint's logits and PyTorch's."""
    weights, example = folder / "export.safetensors", folder / "example.safetensors"
    subprocess.run(
        [sonoprint, "model", "export", checkpoint]
        + ["--out", weights, "--example", example],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    network, header = load(weights)
    tensors = load_file(example)
    with torch.no_grad():
        logits = network(tensors["pictures"])
    difference = (logits - tensors["logits"]).abs().max().item()
    verdict = "ok" if difference <= TOLERANCE else "TOO MUCH"
    classes = len(header["classes"])
    print(
        f"{checkpoint}: {header['network']['kind']}, {classes} classes: {difference:.2e} {verdict}"
    )
    if golden and checkpoint == RENDERED:
        golden.mkdir(parents=True, exist_ok=True)
        arrays = {"pictures": tensors["pictures"][:1], "logits": logits[:1]}
        for key, array in arrays.items():
            with gzip.GzipFile(golden / f"{key}.npy.gz", "wb", mtime=0) as file:
                np.save(file, array.numpy())
    return difference


def train(sonoprint, network, folder):
    """Train a network for one epoch on the repository's clips, and return its checkpoint."""
    run = folder / network
    subprocess.run(
        [sonoprint, "train", ROOT / "data/clips", "--out", run, "--network", network]
        + [
            "--epochs",
            "1",
            "--size",
            "96x80",
            "--clip-seconds",
            "5",
            "--device",
            "cpu",
        ],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return run / "best.safetensors"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint", nargs="*")
    parser.add_argument("--sonoprint", default=ROOT / "target/release/sonoprint")
    parser.add_argument("--write-golden", type=Path)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        checkpoints = args.checkpoint or [RENDERED] + [
            train(args.sonoprint, network, folder) for network in NETWORKS
        ]
        worst = max(
            compare(args.sonoprint, checkpoint, folder, args.write_golden)
            for checkpoint in checkpoints
        )
    sys.exit(worst > TOLERANCE)


if __name__ == "__main__":
    main()
