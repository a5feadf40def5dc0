"""What the header of Opus says, and packets that no decoder takes."""

import struct
from dataclasses import replace

from bytes_of import ogg, packets, page_of, pages
from sound import by_oggdec, by_opusdec, oggenc, opusenc, tone

RATE = 44100


def opus(corpus):
    """B: what the Opus header says: pre-skip, gain, channels; and every frame size."""
    base = opusenc(tone(4, 48000, 2), 48000, "--bitrate", "64")
    parts = pages(base)

    def patched(at, body):
        head = parts[0].body[:at] + body + parts[0].body[at + len(body) :]
        return ogg([replace(parts[0], body=head), *parts[1:]])

    def add(name, odd, data, want=None, **options):
        corpus.add(
            f"opus_{name}.opus",
            "B-opus",
            odd,
            data,
            want or (lambda d=data: by_opusdec(d)),
            48000,
            tolerance=options.pop("tolerance", 2e-3),
            slack=options.pop("slack", 0),
            **options,
        )

    add("plain", "control", base)
    for skip in (0, 1, 3840, 4608, 4609, 6000, 10000, 48000, 65535):
        add(
            f"skip_{skip}",
            f"pre-skip of {skip}",
            patched(10, struct.pack("<H", skip)),
            damaged=False,
        )
    for gain in (-1536, 1536, -32768 // 4, 256):
        add(
            f"gain_{gain}",
            f"output gain of {gain / 256:g} dB",
            patched(16, struct.pack("<h", gain)),
        )
    add(
        "gain_max",
        "output gain of 128 dB",
        patched(16, struct.pack("<h", 32767)),
        damaged=None,
        tolerance=None,
        fails=["not_finite", "damaged"],
    )
    add("rate_field", "an input rate of 0", patched(12, bytes(4)))
    add("version_15", "header version 15", patched(8, b"\x0f"))
    corpus.add(
        "opus_version_16.opus",
        "B-opus",
        "header version 16",
        patched(8, b"\x10"),
        lambda: by_opusdec(base),
        48000,
        damaged=None,
        fails=["unsupported", "damaged"],
        tolerance=2e-3,
    )
    for size in ("2.5", "5", "10", "20", "40", "60"):
        add(
            f"frames_{size}",
            f"frames of {size} ms",
            opusenc(tone(2, 48000, 2), 48000, "--framesize", size, "--bitrate", "64"),
        )
    for rate in (8000, 16000, 44100):
        add(
            f"from_{rate}", f"made of {rate} Hz", opusenc(tone(2, rate, 1), rate, "--bitrate", "32")
        )
    for bits in ("6", "12", "24", "256"):
        add(
            f"bits_{bits}",
            f"{bits} kbit/s",
            opusenc(tone(2, 48000, 1), 48000, "--bitrate", bits),
            tolerance=5e-3,
        )
    for count in (3, 4, 5, 6, 8):
        add(
            f"{count}ch",
            f"{count} channels",
            opusenc(tone(2, 48000, count), 48000, "--bitrate", "256"),
        )
    for length in (0.001, 0.01, 0.1, 1.00003):
        add(
            f"seconds_{length}",
            f"{length} s",
            opusenc(tone(length, 48000, 1), 48000, "--bitrate", "64"),
            tolerance=5e-3,
        )
    for n in (1, 50, 99, 100, 101, 150):
        bad(corpus, "opus", base, by_opusdec, 48000, 312, n, b"\x03\x00", 960)
        voice = oggenc(tone(6, RATE, 1), RATE, "-q", "3")
        bad(corpus, "vorbis", voice, by_oggdec, RATE, 0, n, b"\x01\x00\x00", 1024)


def bad(corpus, name, whole, decode, rate, skip, count, body, size):
    """C: `count` packets in a row that no decoder takes, in good pages."""
    parts = pages(whole)
    heads = [p for p in parts if p.granule <= 0]
    audio = parts[len(heads) :]
    out, seen = list(heads), 0
    for page in audio:
        inside = packets([page])
        if page.lacing and page.lacing[-1] == 255 or page.flags & 1:
            out.append(page)
            seen += len(inside)
            continue
        changed = []
        for p in inside:
            wrong = 30 <= seen < 30 + count
            changed.append(body if wrong else p)
            seen += 1
        new = page_of(changed, page.granule, page.number, page.flags, page.serial)
        out.append(new)
    start, end = 30 * size - skip, (30 + count) * size - skip
    corpus.add(
        f"{name}_{count}_bad.ogg",
        "C-packets",
        f"{count} packets in a row that cannot be decoded",
        ogg(out),
        lambda: decode(whole),
        rate,
        damaged=True,
        slack=2 * size,
        tolerance=5e-3,
        loose=[(start / rate - 0.3, end / rate + 0.3)],
    )
