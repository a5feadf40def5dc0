#!/usr/bin/env python3
"""Makes musicnn-msd.safetensors from the weights of the PyPI package musicnn.

    python make_weights.py                       # downloads the wheel with pip
    python make_weights.py --wheel WHEEL         # takes it from a file
    python make_weights.py --dataset mtt         # musicnn-mtt.safetensors

README.md says what the file holds. The same wheel gives the same bytes.
"""

import argparse
import gzip
import hashlib
import io
import json
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

# A folded constant must not depend on how many threads share its sum.
for threads in ("OMP", "OPENBLAS", "MKL"):
    os.environ[f"{threads}_NUM_THREADS"] = "1"

import numpy as np

import network
import prune
import signals
import tf_checkpoint

HERE = Path(__file__).resolve().parent
GOLDEN = HERE / "golden"
WHEEL = "musicnn-0.1.0-py3-none-any.whl"
WHEEL_SHA256 = "f38a4890c648c1ddbb141c5d96d2b0a8cfcd36746002d896989f7b88beb65cfa"
LICENSE = (
    "ISC, Copyright (c) Music Technology Group, Universitat Pompeu Fabra 2019. "
    "Code developed by Jordi Pons"
)
# Largest difference of a sigmoid between the original and the pruned network.
MOST_TAG_ERROR = 1e-6

DATASETS = {
    "msd": {
        "title": "Million Song Dataset, 50 most frequent last.fm tags",
        "roc_auc": "0.8802",
        "pr_auc": "0.2891",
        "tags": "rock,pop,alternative,indie,electronic,female vocalists,dance,00s,alternative rock,"
        "jazz,beautiful,metal,chillout,male vocalists,classic rock,soul,indie rock,Mellow,"
        "electronica,80s,folk,90s,chill,instrumental,punk,oldies,blues,hard rock,ambient,acoustic,"
        "experimental,female vocalist,guitar,Hip-Hop,70s,party,country,easy listening,sexy,catchy,"
        "funk,electro,heavy metal,Progressive rock,60s,rnb,indie pop,sad,House,happy",
    },
    "mtt": {
        "title": "MagnaTagATune, 50 most frequent tags",
        "roc_auc": "0.9067",
        "pr_auc": "0.3831",
        "tags": "guitar,classical,slow,techno,strings,drums,electronic,rock,fast,piano,ambient,"
        "beat,violin,vocal,synth,female,indian,opera,male,singing,vocals,no vocals,harpsichord,"
        "loud,quiet,flute,woman,male vocal,no vocal,pop,soft,sitar,solo,man,classic,choir,voice,"
        "new age,dance,male voice,female vocal,beats,harp,cello,no voice,weird,country,metal,"
        "female voice,choral",
    },
}

# Our modules in the order of TensorFlow's numbers: conv2d, conv2d_1 and so on.
CONVOLUTIONS = [*network.BRANCHES, *network.MIDS]
DENSE = ["dense", "output"]
NORMS = ["input_norm", *(f"{name}.norm" for name in CONVOLUTIONS), "pool_norm", "dense_norm"]


def numbered(name, number):
    return f"{name}_{number}" if number else name


def variable_names():
    """Returns TensorFlow's variable -> our tensor."""
    names = {}
    for number, ours in enumerate(CONVOLUTIONS):
        names[f"{numbered('conv2d', number)}/kernel"] = f"{ours}.conv.weight"
        names[f"{numbered('conv2d', number)}/bias"] = f"{ours}.conv.bias"
    for number, ours in enumerate(DENSE):
        names[f"{numbered('dense', number)}/kernel"] = f"{ours}.weight"
        names[f"{numbered('dense', number)}/bias"] = f"{ours}.bias"
    parts = {"gamma": "gamma", "beta": "beta"}
    parts |= {"moving_mean": "running_mean", "moving_variance": "running_var"}
    for number, ours in enumerate(NORMS):
        for theirs, part in parts.items():
            names[f"{numbered('batch_normalization', number)}/{theirs}"] = f"{ours}.{part}"
    return names


def read_original(wheel, dataset):
    """Returns the original network's tensors: f32, kernels [out, in, time, frequency]."""
    folder = f"musicnn/{dataset.upper()}_musicnn"
    with zipfile.ZipFile(wheel) as archive:
        index = archive.read(f"{folder}/.index")
        data = archive.read(f"{folder}/.data-00000-of-00001")
    names = variable_names()
    variables = tf_checkpoint.read_variables(index, data, names.__contains__)
    missing = names.keys() - variables.keys()
    if missing:
        raise tf_checkpoint.CheckpointError(f"the wheel lacks {', '.join(sorted(missing))}")
    tensors = {ours: variables[theirs] for theirs, ours in names.items()}
    for name in CONVOLUTIONS:
        kernel = tensors[f"{name}.conv.weight"]  # [time, frequency, in, out]
        # The mid-end's kernels are as wide as they have input channels, in a single "in".
        order = (3, 1, 0, 2) if name in network.MIDS else (3, 2, 0, 1)
        tensors[f"{name}.conv.weight"] = np.ascontiguousarray(kernel.transpose(order))
    return tensors


def header(dataset, kept, original_size):
    """Returns a checkpoint's header, see src/model/checkpoint/header.rs."""
    facts = DATASETS[dataset]
    tags = facts["tags"].split(",")
    counts = ", ".join(f"{kept[name]} of {original_size[name]} {name}" for name in kept)
    notes = {
        "dataset": facts["title"],
        "made_by": "data/musicnn/make_weights.py",
        "paper": "J. Pons and X. Serra, musicnn: pre-trained convolutional neural networks "
        "for music audio tagging, 2019",
        "pr_auc": f"{facts['pr_auc']} (published, of the original)",
        "pruned": f"filters kept: {counts}; the others are constant for every input",
        "roc_auc": f"{facts['roc_auc']} (published, of the original)",
        "source": f"{dataset.upper()}_musicnn of the PyPI package musicnn 0.1.0",
    }
    lines = ["format = 2", 'task = "multi_label"', f"classes = {json.dumps(tags)}"]
    lines += [f"license = {json.dumps(LICENSE)}", f"threshold = {THRESHOLD}", "", "[training]"]
    lines += [f"{key} = {json.dumps(note)}" for key, note in notes.items()]
    shape = [1, network.FRAMES, network.BANDS]
    lines += ["", "[network]", 'kind = "musicnn"', f"classes = {len(tags)}", f"input = {shape}"]
    lines += ["", "[network.filters]", *(f"{name} = {count}" for name, count in kept.items())]
    lines += ["", FRONT_END]
    return "\n".join(lines)


# From this probability on, a file has a tag: most files then have one to three. The networks are
# sure of few tags, and 0.5 would leave three quarters of the files without any.
THRESHOLD = 0.2

# A clip is 187 frames that lie in it: 186 * 256 + 512 samples.
FRONT_END = """\
[front_end]
preset = "musicnn"
sample_rate = 16000
clip_samples = 48128
n_fft = 512
hop = 256
framing = "track"
window = "hann_periodic"
scale = "power"
output = "features"

[front_end.rows.mel]
n_mels = 96
f_min = 0.0
f_max = 8000.0

[front_end.compression.log]
scale = 10000.0
"""


def safetensors(tensors, metadata):
    """Returns the bytes of a safetensors file, which depend on nothing but the arguments.

    The package safetensors writes several metadata keys in a random order.
    """
    described, offset = {"__metadata__": metadata}, 0
    ordered = sorted(tensors.items())
    for name, tensor in ordered:
        end = offset + tensor.nbytes
        described[name] = {
            "dtype": "F32",
            "shape": list(tensor.shape),
            "data_offsets": [offset, end],
        }
        offset = end
    text = json.dumps(described, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    parts = [len(text).to_bytes(8, "little"), text]
    return b"".join(parts + [tensor.astype("<f4").tobytes() for _, tensor in ordered])


def expect(what, error, most):
    print(f"  {what}: within {error:.1e}")
    if not error <= most:
        sys.exit(f"{what}: off by {error:.1e}, and {most:.0e} is allowed")


def check_golden(dataset, forward, tensors, channels):
    """Compares a network with arrays that the original TensorFlow graph made.

    `channels` are the original's pooled features that the network has.
    """

    def load(name):
        with gzip.open(GOLDEN / f"{name}.npy.gz") as file:
            return np.load(file).astype(np.float64)

    log_mel = load("logmel")
    pcm = (load("pcm_i16") / 32768).astype(np.float32)
    features, penultimate, logits = forward(tensors, log_mel)
    pools = np.stack([load(f"{dataset}_max_pool"), load(f"{dataset}_mean_pool")], axis=1)
    # TensorFlow computed in f32. Pooled values go up to 108.
    for what, got, want, most in (
        ("log-mel", network.log_mel(pcm), log_mel, 1e-5),
        ("pooled features", features, pools.ravel()[channels], 5e-4),
        ("penultimate features", penultimate, load(f"{dataset}_penultimate"), 2e-5),
        ("logits", logits, load(f"{dataset}_logits"), 3e-5),
        ("tags", network.sigmoid(logits), load(f"{dataset}_tags"), 4e-6),
    ):
        expect(what, np.abs(got - want).max(), most)


def check_equal(original, pruned, channels, patches):
    """Compares the pruned network with the original one on every patch.

    Checks that the channels that were removed are constant, too.
    """
    names, errors = [], []
    low, high = np.inf, -np.inf
    for name, patch in patches:
        features, _, want = network.original(original, patch)
        _, _, got = network.pruned(pruned, patch)
        names.append(name)
        errors.append(np.abs(network.sigmoid(got) - network.sigmoid(want)).max())
        low, high = np.minimum(low, features), np.maximum(high, features)
    worst = np.argmax(errors)  # NaN, if there is one
    print(f"Pruned against original, {len(names)} patches, the worst is {names[worst]}:")
    expect("tags", errors[worst], MOST_TAG_ERROR)
    moved = high - low
    still = np.count_nonzero(moved[channels] < prune.TOLERANCE)
    print(f"  pooled features that are kept and did not move: {still}")
    moved[channels] = 0
    expect("pooled features that are removed", moved.max(), prune.TOLERANCE)


def wheel_bytes(path):
    """Returns the bytes of the wheel, which pip downloads if no path is given."""
    with tempfile.TemporaryDirectory() as folder:
        if path is None:
            command = [sys.executable, "-m", "pip", "download", "musicnn==0.1.0", "--no-deps"]
            subprocess.run([*command, "--only-binary=:all:", "--dest", folder], check=True)
            path = Path(folder) / WHEEL
        wheel = Path(path).read_bytes()
    if hashlib.sha256(wheel).hexdigest() != WHEEL_SHA256:
        sys.exit(f"{path} is not the wheel of musicnn 0.1.0: its SHA-256 is another")
    return wheel


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--wheel", type=Path, help=f"{WHEEL}; downloaded if absent")
    parser.add_argument("--dataset", choices=DATASETS, default="msd")
    parser.add_argument("--out", type=Path, help="file to write (musicnn-DATASET.safetensors)")
    parser.add_argument(
        "--check",
        type=Path,
        action="append",
        default=[HERE.parent / "clips"],
        help="another folder of audio on which to compare the networks",
    )
    parser.add_argument("--random", type=int, default=60, help="random sounds and spectrograms")
    parser.add_argument("--seed", type=int, default=1, help="of noise and random sounds")
    args = parser.parse_args()
    args.out = args.out or HERE / f"musicnn-{args.dataset}.safetensors"
    return args


def main():
    args = parse_args()
    original = network.in_f64(read_original(io.BytesIO(wheel_bytes(args.wheel)), args.dataset))
    shipped, live, channels = prune.prune(original)
    kept = {name: len(index) for name, index in live.items()}
    of = {name: len(original[f"{name}.conv.bias"]) for name in kept}
    pruned = network.in_f64(shipped)
    for title, tensors in {"Original": original, "Pruned": pruned}.items():
        numbers = sum(tensor.size for tensor in tensors.values())
        work = prune.multiply_adds(tensors, network.FRAMES, network.BANDS)
        print(f"{title}: {numbers} numbers, {work / 1e6:.1f} M multiply-adds a patch")
    print("Filters kept:", ", ".join(f"{kept[name]} of {of[name]} {name}" for name in kept))
    print("Original against TensorFlow:")
    check_golden(args.dataset, network.original, original, slice(None))
    print("Pruned against TensorFlow:")
    check_golden(args.dataset, network.pruned, pruned, channels)
    patches = signals.patches(args.check, args.seed, args.random)
    check_equal(original, pruned, channels, patches)
    notice = (HERE / "LICENSE.musicnn.md").read_text()
    metadata = {"sonoprint": header(args.dataset, kept, of), "notice": notice}
    args.out.write_bytes(safetensors(shipped, metadata))
    print(f"wrote {args.out}, {args.out.stat().st_size} bytes")


if __name__ == "__main__":
    main()
