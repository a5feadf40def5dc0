"""Vorbis of all channels and qualities, and streams of short pages for the other kinds."""

import numpy as np

from bytes_of import ogg, packets, page_of, pages
from sound import (
    by_ffmpeg,
    by_oggdec,
    by_opusdec,
    ffmpeg,
    flac,
    noise,
    oggenc,
    opusenc,
    quantized,
    source_of,
    tone,
)

RATE = 44100


def channels(corpus):
    """A1: Vorbis of every number of channels and quality, coupled and not.

    oggdec scrambles 7 and 8 channels (its table of channel orders ends at 6).
    """
    for count in range(1, 9):
        for coupled in (True, False):
            options = () if coupled else ("--advanced-encode-option", "disable_coupling")
            if not coupled and count == 1:
                continue
            for quality in ("0", "4", "9") if count < 3 or count == 6 else ("4",):
                x = tone(2, RATE, count) + noise(2, RATE, count) * 0.3
                data = oggenc(x, RATE, "-q", quality, *options)
                corpus.add(
                    f"vorbis_{count}ch_q{quality}{'' if coupled else '_uncoupled'}.ogg",
                    "A1",
                    f"Vorbis, {count} channels, quality {quality}{'' if coupled else ', not coupled'}",
                    data,
                    lambda d=data, c=count: by_oggdec(d) if c < 7 else by_ffmpeg(d, ".ogg"),
                    RATE,
                    tolerance=1e-4,
                    slack=64,
                )
    for rate in (8000, 16000, 22050, 48000, 96000):
        x = tone(2, rate, 2)
        data = oggenc(x, rate, "-q", "3")
        corpus.add(
            f"vorbis_{rate}.ogg",
            "A1",
            f"Vorbis at {rate} Hz",
            data,
            lambda d=data: by_oggdec(d),
            rate,
            tolerance=1e-4,
            slack=64,
        )
    x = tone(2, RATE, 2)
    for q in ("-1", "10"):
        data = oggenc(x, RATE, "-q", q)
        corpus.add(
            f"vorbis_q{q}.ogg",
            "A1",
            f"Vorbis, quality {q}",
            data,
            lambda d=data: by_oggdec(d),
            RATE,
            tolerance=1e-4,
            slack=64,
        )
    own = ffmpeg(source_of(x, RATE), ".ogg", "-c:a", "vorbis", "-strict", "-2")
    corpus.add(
        "vorbis_ffmpeg.ogg",
        "A1",
        "Vorbis by ffmpeg's own encoder",
        own,
        lambda: by_oggdec(own),
        RATE,
        tolerance=1e-4,
        slack=256,
    )
    clicks = tone(2, RATE, 2) * (np.arange(2 * RATE) % 6000 < 300)[:, None]
    blocks = oggenc(clicks, RATE, "-q", "2")
    corpus.add(
        "vorbis_short_blocks.ogg",
        "A1",
        "Vorbis of clicks: short and long blocks",
        blocks,
        lambda: by_oggdec(blocks),
        RATE,
        tolerance=1e-4,
        slack=64,
    )


def streams():
    """Returns per codec: file, decoder, rate, samples cut off at the start, ending."""
    x, y = tone(6, RATE, 2), tone(6, 48000, 1)
    made = {
        "vorbis": (paged(oggenc(x, RATE, "-q", "3")), by_oggdec, RATE, 0, 2, "ogg"),
        "opus": (
            opusenc(y, 48000, "--bitrate", "48", "--max-delay", "200"),
            by_opusdec,
            48000,
            312,
            2,
            "opus",
        ),
        "opus_60ms": (
            opusenc(
                tone(6, 48000, 2),
                48000,
                "--bitrate",
                "48",
                "--framesize",
                "60",
                "--max-delay",
                "240",
            ),
            by_opusdec,
            48000,
            312,
            2,
            "opus",
        ),
        "flac": (flac(x, RATE, "--ogg", "--serial-number=1"), None, RATE, 0, 2, "oga"),
    }
    return {
        name: (made[name][0], made[name][1] or (lambda d, w=quantized(x): w), *made[name][2:])
        for name in made
    }


def paged(data):
    """Returns an Ogg Vorbis file with about ten packets per page, so that pages are short."""
    source = pages(data)
    head = [p for p in source if p.granule <= 0]
    body = source[len(head) :]
    whole = packets(body)
    # Only page ends are stamped. The stamps between them follow from the blocks' sizes.
    sizes = block_sizes(data, whole)
    ends = np.cumsum(sizes)
    last = body[-1].granule
    out, number = list(head), len(head)
    for at in range(0, len(whole), 10):
        part = whole[at : at + 10]
        final = at + 10 >= len(whole)
        out.append(
            page_of(
                part,
                last if final else int(ends[at + len(part) - 1]),
                number,
                4 if final else 0,
                source[0].serial,
            )
        )
        number += 1
    return ogg(out)


def block_sizes(data, whole):
    """Returns the samples that each packet adds. libvorbis has two modes: bit 1 of a packet."""
    ident = packets(pages(data)[:1])[0]
    small, large = 1 << (ident[28] & 15), 1 << (ident[28] >> 4)
    now = [large if p[0] >> 1 & 1 else small for p in whole]
    return [0] + [(a + b) // 4 for a, b in zip(now, now[1:])]
