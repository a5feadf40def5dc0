"""FLAC made by hand: verbatim frames and metadata."""

import struct

from bytes_of import streaminfo, verbatim_frame
from sound import to_int

RATE = 22050
BLOCK = 1152


def frames_of(x, rate=RATE, bits=16, sizes=None, variable=False, by_sample=False, first=0):
    """Returns verbatim frames of `x`. `sizes` are block sizes, repeated to the end."""
    ints, out, at, n = to_int(x, bits), b"", 0, first
    sizes = sizes or [BLOCK]
    while at < len(ints):
        size = min(sizes[n % len(sizes)], len(ints) - at)
        out += verbatim_frame(ints[at : at + size], at if by_sample else n, rate, bits, variable)
        at += size
        n += 1
    return out


def info(x, rate=RATE, bits=16, low=BLOCK, high=BLOCK, total=None):
    """Returns a STREAMINFO block for `x`."""
    return 0, streaminfo(rate, x.shape[1], bits, len(x) if total is None else total, low, high)


def comment(vendor=b"made by hand", entries=(b"TITLE=A title",)):
    """Returns the body of a Vorbis comment."""
    body = struct.pack("<I", len(vendor)) + vendor + struct.pack("<I", len(entries))
    return body + b"".join(struct.pack("<I", len(e)) + e for e in entries)
