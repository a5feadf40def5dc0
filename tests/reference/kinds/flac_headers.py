"""FLAC with odd metadata, odd block sizes and tags around it."""

import struct

from bytes_of import ape_tag, flac_blocks, flac_file, id3v1, id3v2, text_frame
from kinds.flac_frames import comment, frames_of, info
from sound import flac, quantized, through_files, tone, wav

RATE = 22050
BLOCK = 1152


def headers(corpus):
    """C: all of the sound is there, the header is odd."""
    rate = RATE
    x = tone(3, rate, 2)
    want, frames = quantized(x), frames_of(x)
    encoded = flac(x, rate)
    blocks, start = flac_blocks(encoded)
    sound = encoded[start:]

    def add(name, odd, data, expected=want, r=rate, **options):
        corpus.add(f"flac_{name}.flac", "C-flac", odd, data, expected, r, tolerance=1e-5, **options)

    for low, high, total, name in (
        (0, BLOCK, None, "min_block_0"),
        (BLOCK, 0, None, "max_block_0"),
        (0, 0, None, "blocks_0"),
        (16, 65535, None, "block_range"),
        (4096, 4096, None, "block_wrong"),
        (1, 1, None, "block_1"),
        (BLOCK, BLOCK, 0, "total_unknown"),
        (0, BLOCK, 0, "min_block_0_total_unknown"),
        (BLOCK, 16, None, "block_swapped"),
        (0, 0, 0, "all_0"),
    ):
        odd = f"STREAMINFO: blocks {low} to {high}, total {'known' if total is None else 'unknown'}"
        add(
            name,
            odd,
            flac_file([info(x, low=low, high=high, total=total)], frames),
            fails=["damaged"] if name in ("block_swapped",) else (),
            damaged=None if name == "block_swapped" else False,
        )
        body = bytearray(blocks[0][1])
        body[:4] = struct.pack(">HH", low, high)
        if total is not None:
            body[13] &= 0xF0
            body[14:18] = bytes(4)
        if name in ("min_block_0", "max_block_0", "blocks_0", "total_unknown", "all_0"):
            add(name + "_encoded", odd, flac_file([(0, bytes(body)), *blocks[1:]], sound))
    real = b"\0" * 128 + struct.pack(">Q", 88200) + b"\x80" + bytes(258) + bytes([1])
    track = struct.pack(">QB", 0, 0xAA) + bytes(12) + bytes(14) + bytes([0])
    extras = {
        "cuesheet": (5, real + track),
        "cuesheet_short": (5, bytes(10)),
        "cuesheet_zero": (5, bytes(396)),
        "cuesheet_tracks": (5, real[:-1] + bytes([99]) + track),
        "cuesheet_real": (
            5,
            real[:-1]
            + bytes([2])
            + struct.pack(">QB", 0, 1)
            + bytes(12)
            + bytes(14)
            + b"\1"
            + struct.pack(">QB", 0, 1)
            + bytes(3)
            + track,
        ),
        "comment": (4, comment()),
        "comment_empty": (4, b""),
        "comment_vendor_long": (4, b"\xff\xff\xff\x7fabc"),
        "comment_count_long": (4, comment()[:16] + struct.pack("<I", 0x7FFFFFFF)),
        "comment_entry_long": (
            4,
            comment(entries=())[:-4] + struct.pack("<II", 1, 0xFFFFFFF0) + b"A=b",
        ),
        "comment_not_utf8": (4, comment(entries=(b"TITLE=\xff\xfe\x80",))),
        "comment_no_equals": (4, comment(entries=(b"TITLE",))),
        "comment_cut": (4, comment()[:-5]),
        "comment_tail": (4, comment() + bytes(50)),
        "padding": (1, bytes(5000)),
        "padding_0": (1, b""),
        "padding_nonzero": (1, b"\xff\xf8" * 300),
        "application": (2, b"riff" + bytes(50)),
        "application_short": (2, b"ri"),
        "seektable": (3, struct.pack(">QQH", 0, 0, BLOCK) + b"\xff" * 8 + bytes(10)),
        "seektable_odd": (3, bytes(25)),
        "seektable_empty": (3, b""),
        "reserved_type": (9, bytes(20)),
        "type_126": (126, bytes(20)),
        "picture": (
            6,
            struct.pack(">II", 3, 10)
            + b"image/jpeg"
            + struct.pack(">IIIIII", 0, 1, 1, 24, 0, 300_000)
            + bytes(300_000),
        ),
        "picture_short": (6, bytes(6)),
        "picture_long_mime": (6, struct.pack(">II", 3, 0x7FFFFFFF) + b"image/jpeg"),
        "picture_data_long": (
            6,
            struct.pack(">II", 3, 10)
            + b"image/jpeg"
            + struct.pack(">IIIIII", 0, 1, 1, 24, 0, 900_000)
            + b"x",
        ),
        "picture_not_utf8": (
            6,
            struct.pack(">II", 3, 3)
            + b"\xff\xff\xff"
            + struct.pack(">IIIIII", 0, 1, 1, 24, 0, 4)
            + bytes(4),
        ),
        "picture_16m": (
            6,
            struct.pack(">II", 3, 10)
            + b"image/jpeg"
            + struct.pack(">IIIIII", 0, 1, 1, 24, 0, 16_000_000)
            + bytes(16_000_000),
        ),
    }
    for name, block in extras.items():
        add(name, f"metadata: {name}", lambda b=block: flac_file([info(x), b], frames))
        if name != "picture_16m":
            add(
                name + "_encoded",
                f"metadata: {name}, before a comment",
                flac_file([blocks[0], block, *blocks[1:]], sound),
            )
    add(
        "two_comments",
        "two Vorbis comments",
        flac_file([info(x), (4, comment()), (4, comment())], frames),
    )
    add(
        "two_streaminfo",
        "two STREAMINFO blocks",
        flac_file([info(x), info(x)], frames),
        damaged=None,
        fails=["damaged"],
    )
    add(
        "padding_first",
        "PADDING before STREAMINFO",
        flac_file([(1, bytes(40)), info(x)], frames),
        damaged=None,
        fails=["damaged"],
    )
    add(
        "no_last_flag",
        "no block is marked as the last",
        (lambda f: f[:4] + bytes([f[4] & 127]) + f[5:])(flac_file([info(x)], frames)),
        damaged=None,
        fails=["damaged"],
    )
    add(
        "block_length_long",
        "a block states more than the file has",
        flac_file([info(x)], b"")[:4]
        + b"\0"
        + flac_file([info(x)], b"")[5:]
        + b"\x81\xff\xff\xff"
        + frames,
        damaged=None,
        fails=["damaged", "empty"],
    )
    for name, sizes, by_sample, variable in (
        ("old_style", [1152, 576, 2304], True, False),
        ("old_style_by_frame", [1152, 576, 2304], False, False),
        ("variable", [1152, 576, 2304], True, True),
        ("old_style_two", [4096, 4608], True, False),
        ("variable_small", [16, 4000, 192], True, True),
    ):
        body = frames_of(x, sizes=sizes, variable=variable, by_sample=by_sample)
        add(
            name,
            f"varying block sizes, blocking strategy {int(variable)}, "
            f"{'sample' if by_sample else 'frame'} numbers",
            flac_file([info(x, low=min(sizes), high=max(sizes))], body),
        )
        add(
            name + "_unknown",
            f"as {name}, of unknown length",
            flac_file([info(x, low=min(sizes), high=max(sizes), total=0)], body),
        )
    for name, end in {
        "id3v1": id3v1(),
        "ape": ape_tag(),
        "ape_id3v1": ape_tag() + id3v1(),
        "zeros": bytes(4000),
        "junk": bytes(n * n * 7 & 255 for n in range(4000)),
        "text": b"the end\n" * 40,
        "id3v2": id3v2(text_frame()),
        "ff": b"\xff" * 500,
        "sync": b"\xff\xf8" * 500,
        "one_byte": b"\0",
    }.items():
        expect_note = None if name in ("zeros", "junk", "ff", "sync", "text", "one_byte") else False
        add(f"then_{name}", f"behind the sound: {name}", encoded + end, damaged=expect_note)
        add(
            f"then_{name}_verbatim",
            f"behind the sound: {name}",
            flac_file([info(x)], frames) + end,
            damaged=expect_note,
        )
        add(
            f"then_{name}_unknown",
            f"behind the sound of unknown length: {name}",
            flac_file([info(x, total=0)], frames) + end,
            damaged=expect_note,
        )
    for name, front in {
        "id3v2": id3v2(text_frame()),
        "two_id3v2": 2 * id3v2(text_frame()),
        "id3v2_padded": id3v2(text_frame() + bytes(3000)),
    }.items():
        add(f"behind_{name}", f"before the sound: {name}", front + encoded)
    for bits in (8, 16, 24):
        for channels in (1, 2, 6):
            y = tone(2, rate, channels)
            add(
                f"depth_{bits}_{channels}",
                f"{bits} bits, {channels} channels",
                flac(y, rate, bits=bits),
                quantized(y, bits),
            )
    y = tone(2, rate, 2)
    wave32 = lambda: through_files(
        ".wav",
        ".flac",
        wav(y, rate, 32),
        "ffmpeg",
        "-v",
        "error",
        "-y",
        "-i",
        "IN",
        "-c:a",
        "flac",
        "-sample_fmt",
        "s32",
        "-bits_per_raw_sample",
        "32",
        "-strict",
        "-2",
        "OUT",
    )
    add(
        "32_bits",
        "32 bits",
        wave32,
        quantized(y, 32),
        fails="unsupported",
        words="24|32|^$",
        damaged=False,
    )
    for level in (0, 5, 8):
        add(f"level_{level}", f"level {level}", flac(x, rate, f"-{level}"))
    for r in (8000, 44100, 48000, 96000, 192000, 12345):
        y = tone(1, r, 1)
        add(f"rate_{r}", f"{r} Hz", flac(y, r, "--lax"), quantized(y), r)
    one = x[:1]
    add(
        "one_block_short",
        "a file of 100 samples",
        flac_file([info(x[:100])], frames_of(x[:100])),
        want[:100],
    )
    add(
        "one_sample",
        "a file of 1 sample",
        flac_file([info(one)], frames_of(one)),
        want[:1],
        fails=["too_short"],
    )
    add("no_frames", "no frames", flac_file([info(x)], b""), None, fails=["empty", "damaged"])
    add(
        "header_only",
        "cut off in STREAMINFO",
        flac_file([info(x)], b"")[:30],
        None,
        fails=["damaged", "empty"],
    )
    add(
        "md5_wrong",
        "a wrong MD5 sum",
        (lambda b: b[:26] + b"\x77" * 16 + b[42:])(encoded),
        damaged=None,
    )
    add(
        "total_1_more",
        "the total is 1 more",
        flac_file([info(x, total=len(x) + 1)], frames),
        damaged=None,
    )
    add(
        "total_1s_more",
        "the total is 1 s more",
        flac_file([info(x, total=len(x) + rate)], frames),
        damaged=True,
    )
    add(
        "total_1s_less",
        "the total is 1 s less",
        flac_file([info(x, total=len(x) - rate)], frames),
        [want, want[:-rate]],
        damaged=None,
    )
