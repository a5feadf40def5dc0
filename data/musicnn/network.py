"""musicnn in numpy: the front end, the original network and the pruned one.

Everything after the front end is computed in f64, so that two networks differ
by their weights and not by the order of sums. Time comes first and channels
last here: a patch is [frames, 96], activations are [frames, channels].

J. Pons and X. Serra, "musicnn: pre-trained convolutional neural networks for
music audio tagging", 2019.
"""

import librosa
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

RATE = 16000  # Hz
FRAMES = 187  # of a patch
HOP = 256  # samples
BANDS = 96
EPSILON = 1e-3  # of every batch norm
TIMBRAL = {"timbral_38": 38, "timbral_67": 67}  # width of the kernels, bands
TEMPORAL = {"temporal_128": 128, "temporal_64": 64, "temporal_32": 32}  # height, frames
BRANCHES = [*TIMBRAL, *TEMPORAL]
TIMBRAL_HEIGHT = MID_HEIGHT = 7  # frames
MIDS = ["mid_1", "mid_2", "mid_3"]


def log_mel(pcm):
    """Returns log10(1 + 10000 power) of 96 mel bands, f32 [samples // 256 + 1, 96]."""
    power = librosa.feature.melspectrogram(
        y=pcm, sr=RATE, n_fft=512, hop_length=HOP, n_mels=BANDS, pad_mode="constant"
    )
    return np.log10(1 + 10000 * power.T.astype(np.float32))


def in_f64(tensors):
    return {name: tensor.astype(np.float64) for name, tensor in tensors.items()}


def scale_shift(tensors, norm):
    """Returns a batch norm at inference as factor and summand, one per channel."""
    gamma, beta, mean, variance = (
        tensors[f"{norm}.{part}"] for part in ("gamma", "beta", "running_mean", "running_var")
    )
    scale = gamma / np.sqrt(variance + EPSILON)
    return scale, beta - mean * scale


def batch_norm(tensors, norm, x):
    scale, shift = scale_shift(tensors, norm)
    return x * scale + shift


def padding(branch):
    """Returns the frames of zeros before and behind a patch, for one kernel over time."""
    height = TEMPORAL.get(branch, MID_HEIGHT)
    return (height - 1) // 2, height // 2


def convolve(tensors, name, x):
    """Returns norm(relu(convolution)) of [frames, ...] with [channels, in, time, frequency].

    `x` is [frames, 96] for the front end, and [frames, in] for the mid-end.
    """
    weight = tensors[f"{name}.conv.weight"]
    channels, _, height, width = weight.shape
    x = np.pad(x, (padding(name), (0, 0)))
    if name in MIDS:
        patches = sliding_window_view(x, height, axis=0)  # [frames, in, time]
        patches = patches.reshape(len(patches), -1)
    else:
        patches = sliding_window_view(x, (height, width))  # [frames, bands, time, frequency]
        patches = patches.reshape(*patches.shape[:2], -1)
    sums = patches @ weight.reshape(channels, -1).T + tensors[f"{name}.conv.bias"]
    return batch_norm(tensors, f"{name}.norm", np.maximum(sums, 0))


def front_end(tensors, x):
    """Returns the maxima over frequency of all branches, [frames, channels]."""
    x = batch_norm(tensors, "input_norm", x.astype(np.float64))
    return np.concatenate([convolve(tensors, b, x).max(axis=1) for b in BRANCHES], axis=1)


def pooled(z):
    """Returns maximum and mean over time, interleaved: [2 channels]."""
    return np.stack([z.max(axis=0), z.mean(axis=0)], axis=1).ravel()


def classifier(tensors, features):
    """Returns the penultimate features and the logits of pooled features."""
    x = batch_norm(tensors, "pool_norm", features)
    x = np.maximum(x @ tensors["dense.weight"] + tensors["dense.bias"], 0)
    penultimate = batch_norm(tensors, "dense_norm", x)
    return penultimate, penultimate @ tensors["output.weight"] + tensors["output.bias"]


def original(tensors, x):
    """Returns pooled features, penultimate features and logits of the original network."""
    front = front_end(tensors, x)
    m1 = convolve(tensors, "mid_1", front)
    m2 = convolve(tensors, "mid_2", m1) + m1
    m3 = convolve(tensors, "mid_3", m2) + m2
    features = pooled(np.concatenate([front, m1, m2, m3], axis=1))
    return features, *classifier(tensors, features)


def pruned(tensors, x):
    """Returns the same of the pruned network, whose tensors README.md describes."""
    front = front_end(tensors, x)
    ones = np.ones((len(x), 1))
    m1 = convolve(tensors, "mid_1", np.concatenate([front, ones], axis=1))
    m2 = convolve(tensors, "mid_2", np.concatenate([m1, ones], axis=1))
    m2[:, : m1.shape[1]] += m1
    m3 = convolve(tensors, "mid_3", m2) + m2
    features = pooled(np.concatenate([front, m1, m2, m3], axis=1))
    return features, *classifier(tensors, features)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))
