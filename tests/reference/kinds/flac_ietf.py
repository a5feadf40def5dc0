"""The kinds of the IETF's collection of FLAC files."""

import struct

import numpy as np

from bytes_of import crc8, crc16, flac_file, streaminfo, utf8_number
from kinds.flac_frames import BLOCK, comment, frames_of, info
from sound import flac, join, quantized, to_int, tone

RATE = 22050


class Bits:
    """Writes numbers of any width."""

    def __init__(self):
        self.text = []

    def put(self, value, width):
        self.text.append(format(int(value) & (1 << width) - 1, f"0{width}b") if width else "")

    def bytes(self):
        text = "".join(self.text)
        text += "0" * (-len(text) % 8)
        return int(text, 2).to_bytes(len(text) // 8, "big")


def odd_frame(ints, number, bits, rate_code=0, depth_code=0, wasted=0, kinds=("verbatim",)):
    """Returns a FLAC frame of any depth, with the subframe types that `kinds` repeats."""
    n, channels = ints.shape
    head = bytes([0xFF, 0xF8, 7 << 4 | rate_code, (channels - 1) << 4 | depth_code << 1])
    head += utf8_number(number) + struct.pack(">H", n - 1)
    head += bytes([crc8(head)])
    body = Bits()
    for c in range(channels):
        kind, column, width = kinds[c % len(kinds)], ints[:, c] >> wasted, bits - wasted
        body.put(0, 1)
        body.put({"constant": 0, "verbatim": 1, "fixed1": 9}[kind], 6)
        body.put(1 if wasted else 0, 1)
        if wasted:
            body.put(1, wasted)
        if kind == "constant":
            body.put(column[0], width)
        elif kind == "verbatim":
            for v in column:
                body.put(v, width)
        else:
            body.put(column[0], width)
            body.put(0, 2)
            body.put(0, 4)
            body.put(15, 4)
            body.put(width + 1 if width < 31 else 31, 5)
            for v in np.diff(column):
                body.put(v, width + 1)
    frame = head + body.bytes()
    return frame + struct.pack(">H", crc16(frame))


def odd_frames(x, bits, size=BLOCK, **options):
    """Returns frames of `x` with `odd_frame`."""
    ints = to_int(x, bits)
    return b"".join(
        odd_frame(ints[at : at + size], n, bits, **options)
        for n, at in enumerate(range(0, len(ints), size))
    )


def ietf_flac(corpus):
    """The kinds of the IETF's collection: uncommon and faulty FLAC."""
    x = tone(2, RATE, 2)
    want = quantized(x)
    frames = frames_of(x)

    def add(name, odd, data, expected=want, rate=RATE, **options):
        options.setdefault("tolerance", 1e-5)
        corpus.add(f"flac_{name}.flac", "C-flac", odd, data, expected, rate, **options)

    for bits in (4, 5, 7, 9, 12, 13, 15, 17, 20, 22):
        add(
            f"bits_{bits}",
            f"{bits} bits",
            flac_file([info(x, bits=bits)], odd_frames(x, bits)),
            quantized(x, bits),
            fails="unsupported" if bits not in (12, 20) else (),
        )
    for bits in (8, 12, 16, 20, 24):
        add(
            f"bits_{bits}_in_frames",
            f"{bits} bits, said in the frames too",
            flac_file(
                [info(x, bits=bits)],
                odd_frames(x, bits, depth_code={8: 1, 12: 2, 16: 4, 20: 5, 24: 6}[bits]),
            ),
            quantized(x, bits),
        )
    add(
        "wasted_bits",
        "4 wasted bits per sample",
        flac_file([info(x)], odd_frames(np.round(x * 2048) / 2048, 16, wasted=4)),
        quantized(np.round(x * 2048) / 2048),
    )
    add(
        "fixed_escape",
        "residuals in escaped partitions",
        flac_file([info(x)], odd_frames(x, 16, kinds=("fixed1", "verbatim"))),
        want,
    )
    for size in (1, 16, 65535):
        y = tone(0.2 if size == 1 else 4, RATE, 1)
        add(
            f"block_of_{size}",
            f"blocks of {size} samples",
            flac_file([info(y, low=max(size, 16), high=max(size, 16))], odd_frames(y, 16, size)),
            quantized(y),
        )
    y = tone(4, RATE, 1)
    add(
        "block_of_65536",
        "a block of 65536 samples, which STREAMINFO cannot say",
        flac_file([info(y, low=65535, high=65535)], odd_frames(y, 16, 65536)),
        [quantized(y), join(np.zeros(65536), quantized(y)[65536:])],
        damaged=None,
        fails=["damaged", "unsupported"],
    )
    base = dict(damaged=None, tolerance=None)
    lying = {
        "wrong_bits": info(x, bits=24),
        "wrong_channels": (0, streaminfo(RATE, 1, 16, len(x), BLOCK, BLOCK)),
        "wrong_rate": (0, streaminfo(44100, 2, 16, len(x), BLOCK, BLOCK)),
        "wrong_channels_6": (0, streaminfo(RATE, 6, 16, len(x), BLOCK, BLOCK)),
    }
    for name, block in lying.items():
        # The frames say what they are.
        add(
            name,
            f"STREAMINFO lies: {name}",
            flac_file([block], frames),
            want,
            fails=["damaged", "unsupported"],
            **base,
        )
    add(
        "frame_size_wrong",
        "wrong frame sizes in STREAMINFO",
        (lambda f: f[:12] + b"\0\0\1\0\0\2" + f[18:])(flac_file([info(x)], frames)),
    )
    add(
        "no_streaminfo",
        "no STREAMINFO",
        flac_file([(4, comment())], frames),
        want,
        fails=["damaged", "unsupported"],
        damaged=None,
    )
    add(
        "streaminfo_second",
        "a comment before STREAMINFO",
        flac_file([(4, comment()), info(x)], frames),
        want,
        fails=["damaged"],
        damaged=None,
    )
    add(
        "no_marker",
        "starts with a frame, no header",
        frames,
        want,
        fails=["damaged", "unsupported", "unknown_format"],
        damaged=None,
    )
    add(
        "junk_first",
        "starts with junk, then a frame",
        b"\x12\x34" * 3000 + frames,
        want,
        fails=["damaged", "unsupported", "unknown_format"],
        damaged=None,
    )
    add(
        "junk_before_marker",
        "junk before fLaC",
        b"\x12\x34" * 500 + flac_file([info(x)], frames),
        want,
        fails=["damaged", "unsupported", "unknown_format"],
        damaged=None,
    )
    add(
        "block_length_short",
        "a block's length is 4 too small",
        (lambda f: f[:45] + b"\x10" + f[46:])(
            flac_file([info(x), (1, bytes(20)), (4, comment())], frames)
        ),
        want,
        fails=["damaged"],
        damaged=None,
    )
    big = tone(0.5, 384000, 1)
    add(
        "rate_384000",
        "384 kHz",
        flac_file([info(big, 384000)], odd_frames(big, 16)),
        quantized(big),
        384000,
    )
    grow = [tone(1, RATE, c, first=c - 1) for c in (1, 2, 3, 4)]
    mix = join(*[quantized(g) for g in grow])
    pieces = b"".join(odd_frames(g, 16) for g in grow)
    add(
        "channels_grow",
        "1, 2, 3, then 4 channels",
        flac_file([info(grow[0], total=0)], pieces),
        [mix, mix[:RATE]],
        damaged=None,
        tolerance=None,
        slack=BLOCK,
    )
    add(
        "channels_shrink",
        "4, 3, 2, then 1 channel",
        flac_file(
            [info(grow[3], total=0)],
            b"".join(
                odd_frames(g, 16) for g in (tone(1, RATE, c, first=4 - c) for c in (4, 3, 2, 1))
            ),
        ),
        [
            join(*[quantized(tone(1, RATE, c, first=4 - c)) for c in (4, 3, 2, 1)]),
            quantized(tone(1, RATE, 4)),
        ],
        damaged=None,
        tolerance=None,
        slack=BLOCK,
    )
    ogg = flac(x, RATE, "--ogg", "--serial-number=1")
    corpus.add("flac_ogg.oga", "D", "FLAC in Ogg", ogg, want, RATE, tolerance=1e-5)
    corpus.add(
        "flac_ogg_named.flac",
        "D",
        "FLAC in Ogg under the name of FLAC",
        ogg,
        want,
        RATE,
        tolerance=1e-5,
    )
    high = flac(x, RATE, "--ogg", "--serial-number=1", bits=24)
    corpus.add(
        "flac_ogg_24.oga",
        "D",
        "FLAC of 24 bits in Ogg",
        high,
        quantized(x, 24),
        RATE,
        tolerance=1e-5,
    )
