"""Finds the filters that are constant for every input, and removes them.

A filter is removed only if interval arithmetic proves that its output, behind
ReLU and batch norm, moves by less than TOLERANCE over all spectrograms that f32
can hold. No sound needs to be tried for that.
"""

import numpy as np

from network import BRANCHES, MIDS, TIMBRAL, scale_shift

# Of log10(1 + 10000 power): 0 for silence, under 43 for any power that is a finite f32.
HIGHEST = 43.0
# Values of the front end go up to 75, and those of the mid-end up to 108.
TOLERANCE = 1e-6


def relu_norm_range(tensors, name, low, high):
    """Returns the range behind ReLU and norm, for a range of the convolution, per channel."""
    scale, shift = scale_shift(tensors, f"{name}.norm")
    ends = [np.maximum(end, 0) * scale + shift for end in (low, high)]
    return np.minimum(*ends), np.maximum(*ends)


def convolution_range(tensors, name, low, high):
    """Returns the range of a convolution and its bias, per channel.

    `low` and `high` bound the inputs, [in] or a number. Zeros of the padding
    may stand in place of any of them.
    """
    low, high = np.minimum(low, 0), np.maximum(high, 0)
    weight = tensors[f"{name}.conv.weight"]
    weight = np.moveaxis(weight, 1, -1).reshape(len(weight), -1, weight.shape[1])
    bias = tensors[f"{name}.conv.bias"]
    ends = weight * low, weight * high
    return (bias + np.minimum(*ends).sum((1, 2)), bias + np.maximum(*ends).sum((1, 2)))


def ranges(tensors):
    """Returns name -> (low, high), the bounds of each filter's output, of the branches and mid_1.

    `tensors` are those of the original network, in f64.
    """
    scale, shift = scale_shift(tensors, "input_norm")
    low, high = sorted((shift.item(), HIGHEST * scale.item() + shift.item()))
    bounds = {}
    for name in BRANCHES:
        convolved = convolution_range(tensors, name, low, high)
        bounds[name] = relu_norm_range(tensors, name, *convolved)
    front = [np.concatenate(ends) for ends in zip(*bounds.values())]
    convolved = convolution_range(tensors, "mid_1", *front)
    bounds["mid_1"] = relu_norm_range(tensors, "mid_1", *convolved)
    return bounds


def live_filters(bounds):
    """Returns name -> indices of the filters that may move by TOLERANCE or more."""
    return {name: np.flatnonzero(high - low >= TOLERANCE) for name, (low, high) in bounds.items()}


def take(tensors, name, index):
    """Returns the tensors of `name` (a norm or a filter bank) with these channels alone."""
    found = {k: v for k, v in tensors.items() if k.startswith(f"{name}.")}
    return {k: v[index] for k, v in found.items()}


def prune(tensors):
    """Returns the pruned network: tensors in f32, live filters by name, channels of its pools.

    `tensors` are those of the original network, in f64. The channels are those
    of the original network's pooled features that are left, in the new order.
    """
    bounds = ranges(tensors)
    live = live_filters(bounds)
    # Of a dead filter both bounds are the same number but for TOLERANCE.
    constants = {name: (low + high) / 2 for name, (low, high) in bounds.items()}
    out = {k: v for k, v in tensors.items() if not k.startswith("mid_2.")}
    for name in BRANCHES:
        out |= take(tensors, name, live[name])

    # mid_1: dead channels of the front end become one channel of ones.
    sizes = np.cumsum([0] + [len(constants[b]) for b in BRANCHES])
    front_live = np.concatenate([live[b] + at for b, at in zip(BRANCHES, sizes)])
    front_constant = np.concatenate([constants[b] for b in BRANCHES])
    out |= take(tensors, "mid_1", live["mid_1"])
    out["mid_1.conv.weight"] = with_ones(out["mid_1.conv.weight"], front_live, front_constant)

    # The live channels of mid_1 come first in all of the mid-end.
    mids = len(constants["mid_1"])
    kept = len(live["mid_1"])
    dead = np.setdiff1d(np.arange(mids), live["mid_1"])
    order = np.concatenate([live["mid_1"], dead])
    for name in MIDS[1:]:
        out |= take(tensors, name, order)
    out["mid_2.conv.weight"] = with_ones(
        out["mid_2.conv.weight"], live["mid_1"], constants["mid_1"]
    )
    # m2 = norm(..) + m1, where m1 is the constant of a dead channel.
    out["mid_2.norm.beta"][kept:] += constants["mid_1"][dead]
    out["mid_3.conv.weight"] = out["mid_3.conv.weight"][:, order]

    # Both pooled features of a dead channel are its constant.
    front = sizes[-1]
    channels = np.concatenate(
        [front_live, front + live["mid_1"], front + mids + order, front + 2 * mids + order]
    )
    all_constants = np.concatenate([front_constant, constants["mid_1"]])
    gone = np.setdiff1d(np.arange(len(all_constants)), channels)
    scale, shift = scale_shift(tensors, "pool_norm")
    normed = np.repeat(all_constants[gone], 2) * scale[pair(gone)] + shift[pair(gone)]
    out["dense.bias"] = tensors["dense.bias"] + normed @ tensors["dense.weight"][pair(gone)]
    out["dense.weight"] = tensors["dense.weight"][pair(channels)]
    out |= take(tensors, "pool_norm", pair(channels))
    shipped = {k: np.ascontiguousarray(v, dtype="<f4") for k, v in out.items()}
    return shipped, live, pair(channels)


def with_ones(weight, live, constant):
    """Returns a kernel [out, in, time, 1] that reads the live channels and a channel of ones.

    The convolution pads with zeros, so that the dead channels' constants are
    missing at a patch's ends. They cannot be part of the bias for that reason.
    """
    dead = np.setdiff1d(np.arange(len(constant)), live)
    ones = np.tensordot(weight[:, dead], constant[dead], (1, 0))[:, None]
    return np.concatenate([weight[:, live], ones], axis=1)


def pair(channels):
    """Returns the indices of the channels' pooled features: maximum and mean, interleaved."""
    return np.stack([2 * channels, 2 * channels + 1], axis=1).ravel()


def multiply_adds(tensors, frames, bands):
    """Returns the multiply-adds of one patch."""
    total = tensors["dense.weight"].size + tensors["output.weight"].size
    for name in [*BRANCHES, *MIDS]:
        weight = tensors[f"{name}.conv.weight"]
        across = 1 if name in MIDS else bands - TIMBRAL.get(name, 1) + 1
        total += weight.size * frames * across
    return total
