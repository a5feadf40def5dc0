"""Ogg with more than one stream."""

import struct
from dataclasses import replace

from bytes_of import ogg, page_of, pages, with_serial
from sound import (
    by_ffmpeg,
    by_oggdec,
    by_opusdec,
    ffmpeg,
    flac,
    join,
    oggenc,
    opusenc,
    quantized,
    source_of,
    tone,
)

RATE = 44100


def chained(corpus):
    """B: one stream follows another."""
    v = {s: oggenc(tone(3, RATE, 1, s), RATE, "-q", "3") for s in (0, 3, 6)}
    o = {s: opusenc(tone(3, 48000, 1, s), 48000, "--bitrate", "48") for s in (0, 3, 6)}
    f = {s: flac(tone(3, RATE, 1, s), RATE, "--ogg", "--serial-number=1") for s in (0, 3)}
    anew = lambda data, serial: ogg(with_serial(pages(data), serial))

    def add(name, odd, data, expected, rate, ending="ogg", **options):
        options.setdefault("loose", [(2.9, 3.1)])
        corpus.add(
            f"chained_{name}.{ending}",
            "B-chained",
            odd,
            data,
            expected,
            rate,
            damaged=options.pop("damaged", None),
            slack=options.pop("slack", 200),
            tolerance=options.pop("tolerance", 2e-3),
            **options,
        )

    add(
        "vorbis",
        "two Vorbis streams",
        v[0] + anew(v[3], 2),
        lambda: join(by_oggdec(v[0]), by_oggdec(v[3])),
        RATE,
    )
    add(
        "vorbis_three",
        "three Vorbis streams",
        v[0] + anew(v[3], 2) + anew(v[6], 3),
        lambda: join(by_oggdec(v[0]), by_oggdec(v[3]), by_oggdec(v[6])),
        RATE,
        loose=[(2.9, 3.1), (5.9, 6.1)],
    )
    add(
        "vorbis_serial",
        "two Vorbis streams of one serial number",
        v[0] + v[3],
        lambda: join(by_oggdec(v[0]), by_oggdec(v[3])),
        RATE,
    )
    add(
        "opus",
        "two Opus streams",
        o[0] + anew(o[3], 2),
        lambda: join(by_opusdec(o[0]), by_opusdec(o[3])),
        48000,
        "opus",
    )
    add(
        "opus_serial",
        "two Opus streams of one serial number",
        o[0] + o[3],
        lambda: join(by_opusdec(o[0]), by_opusdec(o[3])),
        48000,
        "opus",
    )
    add(
        "opus_three",
        "three Opus streams",
        o[0] + anew(o[3], 2) + anew(o[6], 3),
        lambda: join(by_opusdec(o[0]), by_opusdec(o[3]), by_opusdec(o[6])),
        48000,
        "opus",
        loose=[(2.9, 3.1), (5.9, 6.1)],
    )
    add(
        "flac",
        "two FLAC streams",
        f[0] + anew(f[3], 2),
        join(quantized(tone(3, RATE)), quantized(tone(3, RATE, 1, 3))),
        RATE,
        "oga",
    )
    x = lambda first, rate, c=1: tone(3, rate, c, first).mean(axis=1)
    two = opusenc(tone(3, 48000, 2, 3), 48000, "--bitrate", "64")
    add(
        "opus_channels",
        "Opus, mono then stereo",
        o[0] + anew(two, 2),
        lambda: join(by_opusdec(o[0]), by_opusdec(two)),
        48000,
        "opus",
    )
    stereo = oggenc(tone(3, RATE, 2, 3), RATE, "-q", "3")
    add(
        "vorbis_channels",
        "Vorbis, mono then stereo",
        v[0] + anew(stereo, 2),
        lambda: join(by_oggdec(v[0]), by_oggdec(stereo)),
        RATE,
    )
    add(
        "vorbis_channels_back",
        "Vorbis, stereo then mono",
        stereo + anew(v[3], 2),
        lambda: join(by_oggdec(stereo), by_oggdec(v[3])),
        RATE,
    )
    for rate in (22050, 48000):
        other = oggenc(tone(3, rate, 1, 3), rate, "-q", "3")
        add(
            f"vorbis_rate_{rate}",
            f"Vorbis, then at {rate} Hz",
            v[0] + anew(other, 2),
            join(x(0, RATE), x(3, RATE)),
            RATE,
            tolerance=0.05,
            slack=400,
            loose=[(k - 0.1, k + 0.2) for k in range(1, 7)],
        )
    add(
        "vorbis_opus",
        "Vorbis, then Opus",
        v[0] + anew(o[3], 2),
        join(x(0, RATE), x(3, RATE)),
        RATE,
        tolerance=0.1,
        slack=400,
        loose=[(k - 0.1, k + 0.2) for k in range(1, 7)],
    )
    add(
        "opus_vorbis",
        "Opus, then Vorbis",
        o[0] + anew(v[3], 2),
        join(x(0, 48000), x(3, 48000)),
        48000,
        tolerance=0.1,
        slack=400,
        loose=[(k - 0.1, k + 0.2) for k in range(1, 7)],
    )
    add(
        "vorbis_flac",
        "Vorbis, then FLAC",
        v[0] + anew(f[3], 2),
        join(x(0, RATE), x(3, RATE)),
        RATE,
        tolerance=0.1,
        slack=400,
        loose=[(k - 0.1, k + 0.2) for k in range(1, 7)],
    )
    add(
        "garbage_behind",
        "junk behind the last page",
        v[0] + b"\x55" * 5000,
        lambda: by_oggdec(v[0]),
        RATE,
        slack=0,
    )
    add(
        "id3v1_behind",
        "an ID3v1 tag behind the last page",
        v[0] + b"TAG" + bytes(125),
        lambda: by_oggdec(v[0]),
        RATE,
        slack=0,
        damaged=False,
    )
    add(
        "id3v2_before",
        "an ID3v2 tag before the first page",
        b"ID3\4\0\0\0\0\0\x10" + bytes(16) + v[0],
        lambda: by_oggdec(v[0]),
        RATE,
        slack=0,
        damaged=False,
    )
    add(
        "cut_second",
        "the second stream is cut off in its header",
        v[0] + anew(v[3], 2)[:60],
        lambda: by_oggdec(v[0]),
        RATE,
        slack=0,
        loose=[],
    )
    unfinished = ogg([replace(p, flags=p.flags & ~4) for p in pages(v[0])])
    add(
        "vorbis_no_end",
        "the first stream has no last page",
        unfinished + anew(v[3], 2),
        lambda: join(by_oggdec(v[0]), by_oggdec(v[3])),
        RATE,
        slack=1024,
        tolerance=None,
    )


def multiplexed(corpus):
    """B: other streams beside the sound."""
    voice = oggenc(tone(3, RATE, 2), RATE, "-q", "3")
    opus = opusenc(tone(3, 48000, 1), 48000, "--bitrate", "48")
    skeleton = page_of([b"fishead\0" + struct.pack("<HH", 3, 0) + bytes(52)], 0, 0, 2, 77)
    bone = page_of([b"fisbone\0" + bytes(44)], 0, 1, 0, 77)
    end = page_of([b""], 0, 2, 4, 77)
    for name, whole, decode, rate, ending in (
        ("vorbis", voice, by_oggdec, RATE, "ogg"),
        ("opus", opus, by_opusdec, 48000, "opus"),
    ):
        p = pages(whole)
        corpus.add(
            f"skeleton_{name}.{ending}",
            "B-multiplexed",
            "a Skeleton stream before the sound",
            ogg([skeleton, p[0], bone, *p[1:2], end, *p[2:]]),
            lambda w=whole, d=decode: d(w),
            rate,
            tolerance=2e-3,
            slack=64,
        )
    video = lambda *audio: ffmpeg(
        source_of(tone(3, RATE, 2), RATE),
        ".ogv",
        "-f",
        "lavfi",
        "-i",
        "testsrc=size=64x64:rate=10:duration=3",
        "-map",
        "1:v",
        "-c:v",
        "libtheora",
        *audio,
    )
    both = video("-map", "0:a", "-c:a", "libvorbis", "-serial_offset", "5")
    corpus.add(
        "theora_vorbis.ogv",
        "B-multiplexed",
        "Theora beside Vorbis",
        both,
        lambda: by_ffmpeg(both, ".ogv"),
        RATE,
        tolerance=1e-3,
        slack=256,
    )
    corpus.add(
        "theora_opus.ogv",
        "B-multiplexed",
        "Theora beside Opus",
        lambda: video("-map", "0:a", "-c:a", "libopus", "-ar", "48000", "-serial_offset", "5"),
        lambda: tone(3, 48000, 2).mean(axis=1),
        48000,
        tolerance=0.1,
        slack=1000,
    )
    corpus.add(
        "theora_only.ogv",
        "D",
        "Theora alone",
        lambda: video("-serial_offset", "5"),
        fails=["no_audio_track", "unsupported"],
        words="(?i)theora|audio track|sound",
    )
    two = voice_and(voice, oggenc(tone(3, RATE, 2, 3), RATE, "-q", "3"))
    corpus.add(
        "two_vorbis_at_once.ogg",
        "B-multiplexed",
        "two Vorbis streams at once",
        two,
        lambda: by_oggdec(voice),
        RATE,
        tolerance=1e-3,
        slack=64,
        damaged=None,
    )


def voice_and(one, two):
    """Returns two streams multiplexed page by page."""
    a, b = pages(one), with_serial(pages(two), 9)
    out = [a[0], b[0]]
    for k in range(1, max(len(a), len(b))):
        out += a[k : k + 1] + b[k : k + 1]
    return ogg(out)
