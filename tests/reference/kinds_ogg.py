"""Ogg: lost and damaged pages, chained and multiplexed streams, odd headers of Opus."""

import struct
from dataclasses import replace

import numpy as np

from bytes_of import ogg, packets, page_of, pages, with_serial
from sound import (by_ffmpeg, by_oggdec, by_opusdec, flac, ffmpeg, join, noise, oggenc, opusenc,
                   quantized, silence, source_of, tone)

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
                corpus.add(f"vorbis_{count}ch_q{quality}{'' if coupled else '_uncoupled'}.ogg", "A1",
                           f"Vorbis, {count} channels, quality {quality}{'' if coupled else ', not coupled'}",
                           data, lambda d=data, c=count: by_oggdec(d) if c < 7 else by_ffmpeg(d, ".ogg"), RATE, tolerance=1e-4, slack=64)
    for rate in (8000, 16000, 22050, 48000, 96000):
        x = tone(2, rate, 2)
        data = oggenc(x, rate, "-q", "3")
        corpus.add(f"vorbis_{rate}.ogg", "A1", f"Vorbis at {rate} Hz", data, lambda d=data: by_oggdec(d), rate,
                   tolerance=1e-4, slack=64)
    x = tone(2, RATE, 2)
    for q in ("-1", "10"):
        data = oggenc(x, RATE, "-q", q)
        corpus.add(f"vorbis_q{q}.ogg", "A1", f"Vorbis, quality {q}", data, lambda d=data: by_oggdec(d), RATE,
                   tolerance=1e-4, slack=64)
    own = ffmpeg(source_of(x, RATE), ".ogg", "-c:a", "vorbis", "-strict", "-2")
    corpus.add("vorbis_ffmpeg.ogg", "A1", "Vorbis by ffmpeg's own encoder", own, lambda: by_oggdec(own), RATE,
               tolerance=1e-4, slack=256)
    clicks = tone(2, RATE, 2) * (np.arange(2 * RATE) % 6000 < 300)[:, None]
    blocks = oggenc(clicks, RATE, "-q", "2")
    corpus.add("vorbis_short_blocks.ogg", "A1", "Vorbis of clicks: short and long blocks", blocks,
               lambda: by_oggdec(blocks), RATE, tolerance=1e-4, slack=64)


def streams():
    """Returns per codec: file, decoder, rate, samples cut off at the start, headers' pages, codec."""
    x, y = tone(6, RATE, 2) , tone(6, 48000, 1)
    made = {
        "vorbis": (paged(oggenc(x, RATE, "-q", "3")), by_oggdec, RATE, 0, 2, "ogg"),
        "opus": (opusenc(y, 48000, "--bitrate", "48", "--max-delay", "200"), by_opusdec, 48000, 312, 2, "opus"),
        "opus_60ms": (opusenc(tone(6, 48000, 2), 48000, "--bitrate", "48", "--framesize", "60", "--max-delay", "240"),
                      by_opusdec, 48000, 312, 2, "opus"),
        "flac": (flac(x, RATE, "--ogg", "--serial-number=1"), None, RATE, 0, 2, "oga"),
    }
    return {name: (made[name][0], made[name][1] or (lambda d, w=quantized(x): w), *made[name][2:]) for name in made}


def paged(data):
    """Returns an Ogg Vorbis file with about ten packets per page, so that pages are short."""
    source = pages(data)
    head = [p for p in source if p.granule <= 0]
    body = source[len(head):]
    whole = packets(body)
    # The granule of each packet is told by the page ends only: keep those, and cut between them by blocks.
    sizes = block_sizes(data, whole)
    ends = np.cumsum(sizes)
    last = body[-1].granule
    out, number = list(head), len(head)
    for at in range(0, len(whole), 10):
        part = whole[at : at + 10]
        final = at + 10 >= len(whole)
        out.append(page_of(part, last if final else int(ends[at + len(part) - 1]), number,
                           4 if final else 0, source[0].serial))
        number += 1
    return ogg(out)


def block_sizes(data, whole):
    """Returns the samples that each Vorbis packet adds. libvorbis has two modes: the bit behind the type."""
    ident = packets(pages(data)[:1])[0]
    small, large = 1 << (ident[28] & 15), 1 << (ident[28] >> 4)
    now = [large if p[0] >> 1 & 1 else small for p in whole]
    return [0] + [(a + b) // 4 for a, b in zip(now, now[1:])]


def faults(corpus):
    """B: pages lost, damaged, cut; the time stamps of pages tell where and how much."""
    for name, (whole, decode, rate, skip, heads, ending) in streams().items():
        parts = pages(whole)
        audio = [n for n, p in enumerate(parts) if p.granule > 0]
        first = audio[0]
        want = decode(whole)
        total = len(want)

        def end(n):
            return min(max(parts[n].granule - skip, 0), total)

        def hole(a, b):
            """Returns the samples without those of pages a to b - 1, and the loose ends."""
            s, e = end(a - 1) if a > first else 0, end(b - 1)
            return join(want[:s], silence(e - s), want[e:]), [((s - 3000) / rate, (s + 4000) / rate),
                                                              ((e - 3000) / rate, (e + 5000) / rate)], (s, e)

        def add(fault, odd, data, expected, edges=(), damaged=True, **options):
            options.setdefault("slack", 64)
            corpus.add(f"{name}_{fault}.{ending}", "B-ogg-hole", odd, data, expected, rate, damaged=damaged,
                       loose=edges, tolerance=2e-3 if "opus" in name else 1e-4, **options)

        mid = (first + len(parts)) // 2
        for a, n in ((mid, 1), (mid, 3), (first + 2, 1), (mid, max(4, (len(parts) - first) // 4))):
            expected, edges, (s, e) = hole(a, a + n)
            lost = parts[:a] + parts[a + n:]
            add(f"lost_{a}_{n}", f"{n} pages from page {a} on are lost", ogg(lost), expected, edges)
            renumbered = [replace(p, number=k) for k, p in enumerate(lost)]
            add(f"lost_{a}_{n}_renumbered", f"{n} pages are lost and the rest is numbered anew", ogg(renumbered),
                expected, edges)
            bad = [replace(p, bad_crc=a <= k < a + n) for k, p in enumerate(parts)]
            add(f"crc_{a}_{n}", f"{n} pages have a wrong checksum", ogg(bad), [expected, want], edges)
            start = len(ogg(parts[:a]))
            stop = len(ogg(parts[: a + n]))
            add(f"zeroed_{a}_{n}", f"{n} pages are zeroed", whole_zeroed(ogg(parts), start, stop), expected, edges)
        expected, edges, _ = hole(mid, mid + 1)
        data = ogg(parts)
        start = len(ogg(parts[:mid]))
        add("half_page", "half of a page is gone", data[: start + 40] + data[start + 300 :], expected, edges)
        junk = bytes((n * n >> 3) * 31 & 127 for n in range(3000))
        add("inserted", "3000 bytes of junk between two pages", data[:start] + junk + data[start:], want, damaged=None)
        expected, edges, _ = hole(first, first + 1)
        add("first_lost", "the first page of sound is lost", ogg(parts[:first] + parts[first + 1 :]),
            [expected, want[end(first) :]], edges if name == "flac" else [(0, 9)], None, slack=1024)
        last = len(parts) - 1
        short, edges = want[: end(last - 1)], [(end(last - 1) / rate - 0.1, 9)]
        padded = join(short, silence(total - len(short)))
        add("last_crc", "the last page has a wrong checksum",
            ogg(parts[:last] + [replace(parts[last], bad_crc=True)]), [short, padded, want], edges, slack=2048)
        add("last_lost", "the last page is lost, the end of the stream with it", ogg(parts[:last]), [short], edges, None, slack=2048)
        add("last_zeroed", "the last page is zeroed", whole_zeroed(data, len(ogg(parts[:last])), len(data)),
            [short, padded], edges, slack=2048)
        add("no_end", "no page is marked as the last",
            ogg(parts[:last] + [replace(parts[last], flags=parts[last].flags & ~4)]), want,
            damaged=None, slack=1024)
        add("cut", "cut off in the middle of a page", data[: len(data) - len(parts[last].body) // 2 - 1],
            [short, want, padded], edges, None, slack=4096)
        add("cut_third", "the last third is gone, cut in a page", data[: start * 4 // 3],
            want[: end(at_byte(parts, start * 4 // 3))], [(end(at_byte(parts, start * 4 // 3)) / rate - 0.1, 9)],
            None, slack=30000)
        add("number_gap", "page numbers jump, nothing is lost",
            ogg([replace(p, number=p.number + (500 if k >= mid else 0)) for k, p in enumerate(parts)]), want,
            [(end(mid - 1) / rate - 0.1, end(mid - 1) / rate + 0.3)], None)
        add("end_early", "the last page's time cuts off the end",
            ogg(parts[:last] + [replace(parts[last], granule=parts[last - 1].granule + 10)]),
            [want[: end(last - 1) + 10], want], edges, None, slack=1024)
        add("end_late", "the last page's time is 1 s too late",
            ogg(parts[:last] + [replace(parts[last], granule=parts[last].granule + rate)]),
            [want, join(want, silence(rate))], edges, None, slack=4096)
        add("no_time", "the time of one page is missing",
            ogg([replace(p, granule=-1) if k == mid else p for k, p in enumerate(parts)]), want, damaged=None)
        add("time_back", "the time of one page is 1 s too early",
            ogg([replace(p, granule=p.granule - rate) if k == mid else p for k, p in enumerate(parts)]), want, damaged=None)
        late = [replace(p, granule=p.granule + 100 * rate) if p.granule > 0 else p for p in parts]
        add("start_late", "the times start at 100 s, as recorded from a live stream", ogg(late), want, damaged=None,
            slack=2048)
        gap = [replace(p, granule=p.granule + (rate if k >= mid else 0)) for k, p in enumerate(parts)]
        s = end(mid - 1)
        add("gap", "the times jump by 1 s in the middle", ogg(gap), [join(want[:s], silence(rate), want[s:]), want],
            [((s - 5000) / rate, (s + 5000) / rate + 1)], None, slack=64)
        corpus.add(f"{name}_header_crc.{ending}", "B-ogg-hole", "the first page has a wrong checksum",
                   ogg([replace(parts[0], bad_crc=True)] + parts[1:]), want, rate, damaged=None, slack=64,
                   fails=["damaged", "unsupported", "no_audio_track"], tolerance=2e-3)


def at_byte(parts, byte):
    """Returns the last page that is whole before a byte."""
    at = 0
    for n, p in enumerate(parts):
        at += len(p.bytes())
        if at > byte:
            return n - 1
    return len(parts) - 1


def whole_zeroed(data, start, end):
    return data[:start] + bytes(end - start) + data[end:]


def chained(corpus):
    """B: one stream follows another."""
    v = {s: oggenc(tone(3, RATE, 1, s), RATE, "-q", "3") for s in (0, 3, 6)}
    o = {s: opusenc(tone(3, 48000, 1, s), 48000, "--bitrate", "48") for s in (0, 3, 6)}
    f = {s: flac(tone(3, RATE, 1, s), RATE, "--ogg", "--serial-number=1") for s in (0, 3)}
    anew = lambda data, serial: ogg(with_serial(pages(data), serial))

    def add(name, odd, data, expected, rate, ending="ogg", **options):
        options.setdefault("loose", [(2.9, 3.1)])
        corpus.add(f"chained_{name}.{ending}", "B-chained", odd, data, expected, rate,
                   damaged=options.pop("damaged", None), slack=options.pop("slack", 200),
                   tolerance=options.pop("tolerance", 2e-3), **options)

    add("vorbis", "two Vorbis streams", v[0] + anew(v[3], 2), lambda: join(by_oggdec(v[0]), by_oggdec(v[3])), RATE)
    add("vorbis_three", "three Vorbis streams", v[0] + anew(v[3], 2) + anew(v[6], 3),
        lambda: join(by_oggdec(v[0]), by_oggdec(v[3]), by_oggdec(v[6])), RATE, loose=[(2.9, 3.1), (5.9, 6.1)])
    add("vorbis_serial", "two Vorbis streams of one serial number", v[0] + v[3],
        lambda: join(by_oggdec(v[0]), by_oggdec(v[3])), RATE)
    add("opus", "two Opus streams", o[0] + anew(o[3], 2), lambda: join(by_opusdec(o[0]), by_opusdec(o[3])), 48000, "opus")
    add("opus_serial", "two Opus streams of one serial number", o[0] + o[3],
        lambda: join(by_opusdec(o[0]), by_opusdec(o[3])), 48000, "opus")
    add("opus_three", "three Opus streams", o[0] + anew(o[3], 2) + anew(o[6], 3),
        lambda: join(by_opusdec(o[0]), by_opusdec(o[3]), by_opusdec(o[6])), 48000, "opus", loose=[(2.9, 3.1), (5.9, 6.1)])
    add("flac", "two FLAC streams", f[0] + anew(f[3], 2),
        join(quantized(tone(3, RATE)), quantized(tone(3, RATE, 1, 3))), RATE, "oga")
    x = lambda first, rate, c=1: tone(3, rate, c, first).mean(axis=1)
    two = opusenc(tone(3, 48000, 2, 3), 48000, "--bitrate", "64")
    add("opus_channels", "Opus, mono then stereo", o[0] + anew(two, 2),
        lambda: join(by_opusdec(o[0]), by_opusdec(two)), 48000, "opus")
    stereo = oggenc(tone(3, RATE, 2, 3), RATE, "-q", "3")
    add("vorbis_channels", "Vorbis, mono then stereo", v[0] + anew(stereo, 2),
        lambda: join(by_oggdec(v[0]), by_oggdec(stereo)), RATE)
    add("vorbis_channels_back", "Vorbis, stereo then mono", stereo + anew(v[3], 2),
        lambda: join(by_oggdec(stereo), by_oggdec(v[3])), RATE)
    for rate in (22050, 48000):
        other = oggenc(tone(3, rate, 1, 3), rate, "-q", "3")
        add(f"vorbis_rate_{rate}", f"Vorbis, then at {rate} Hz", v[0] + anew(other, 2),
            join(x(0, RATE), x(3, RATE)), RATE, tolerance=0.05, slack=400, loose=[(k - 0.1, k + 0.2) for k in range(1, 7)])
    add("vorbis_opus", "Vorbis, then Opus", v[0] + anew(o[3], 2), join(x(0, RATE), x(3, RATE)), RATE,
        tolerance=0.1, slack=400, loose=[(k - 0.1, k + 0.2) for k in range(1, 7)])
    add("opus_vorbis", "Opus, then Vorbis", o[0] + anew(v[3], 2), join(x(0, 48000), x(3, 48000)), 48000,
        tolerance=0.1, slack=400, loose=[(k - 0.1, k + 0.2) for k in range(1, 7)])
    add("vorbis_flac", "Vorbis, then FLAC", v[0] + anew(f[3], 2), join(x(0, RATE), x(3, RATE)), RATE,
        tolerance=0.1, slack=400, loose=[(k - 0.1, k + 0.2) for k in range(1, 7)])
    add("garbage_behind", "junk behind the last page", v[0] + b"\x55" * 5000, lambda: by_oggdec(v[0]), RATE, slack=0)
    add("id3v1_behind", "an ID3v1 tag behind the last page", v[0] + b"TAG" + bytes(125), lambda: by_oggdec(v[0]), RATE,
        slack=0, damaged=False)
    add("id3v2_before", "an ID3v2 tag before the first page", b"ID3\4\0\0\0\0\0\x10" + bytes(16) + v[0],
        lambda: by_oggdec(v[0]), RATE, slack=0, damaged=False)
    add("cut_second", "the second stream is cut off in its header", v[0] + anew(v[3], 2)[:60], lambda: by_oggdec(v[0]), RATE,
        slack=0, loose=[])
    unfinished = ogg([replace(p, flags=p.flags & ~4) for p in pages(v[0])])
    add("vorbis_no_end", "the first stream has no last page", unfinished + anew(v[3], 2),
        lambda: join(by_oggdec(v[0]), by_oggdec(v[3])), RATE, slack=1024, tolerance=None)


def multiplexed(corpus):
    """B: other streams beside the sound."""
    voice = oggenc(tone(3, RATE, 2), RATE, "-q", "3")
    opus = opusenc(tone(3, 48000, 1), 48000, "--bitrate", "48")
    skeleton = page_of([b"fishead\0" + struct.pack("<HH", 3, 0) + bytes(52)], 0, 0, 2, 77)
    bone = page_of([b"fisbone\0" + bytes(44)], 0, 1, 0, 77)
    end = page_of([b""], 0, 2, 4, 77)
    for name, whole, decode, rate, ending in (("vorbis", voice, by_oggdec, RATE, "ogg"), ("opus", opus, by_opusdec, 48000, "opus")):
        p = pages(whole)
        corpus.add(f"skeleton_{name}.{ending}", "B-multiplexed", "a Skeleton stream before the sound",
                   ogg([skeleton, p[0], bone, *p[1:2], end, *p[2:]]), lambda w=whole, d=decode: d(w), rate,
                   tolerance=2e-3, slack=64)
    video = lambda *audio: ffmpeg(source_of(tone(3, RATE, 2), RATE), ".ogv", "-f", "lavfi", "-i",
                                  "testsrc=size=64x64:rate=10:duration=3", "-map", "1:v", "-c:v", "libtheora", *audio)
    both = video("-map", "0:a", "-c:a", "libvorbis", "-serial_offset", "5")
    corpus.add("theora_vorbis.ogv", "B-multiplexed", "Theora beside Vorbis", both, lambda: by_ffmpeg(both, ".ogv"), RATE,
               tolerance=1e-3, slack=256)
    corpus.add("theora_opus.ogv", "B-multiplexed", "Theora beside Opus",
               lambda: video("-map", "0:a", "-c:a", "libopus", "-ar", "48000", "-serial_offset", "5"),
               lambda: tone(3, 48000, 2).mean(axis=1), 48000, tolerance=0.1, slack=1000)
    corpus.add("theora_only.ogv", "D", "Theora alone", lambda: video("-serial_offset", "5"), fails=["no_audio_track", "unsupported"],
               words="(?i)theora|audio track|sound")
    two = voice_and(voice, oggenc(tone(3, RATE, 2, 3), RATE, "-q", "3"))
    corpus.add("two_vorbis_at_once.ogg", "B-multiplexed", "two Vorbis streams at once", two, lambda: by_oggdec(voice), RATE,
               tolerance=1e-3, slack=64, damaged=None)


def voice_and(one, two):
    """Returns two streams multiplexed page by page."""
    a, b = pages(one), with_serial(pages(two), 9)
    out = [a[0], b[0]]
    for k in range(1, max(len(a), len(b))):
        out += a[k : k + 1] + b[k : k + 1]
    return ogg(out)


def opus(corpus):
    """B: what the Opus header says: pre-skip, gain, channels; and every frame size."""
    base = opusenc(tone(4, 48000, 2), 48000, "--bitrate", "64")
    parts = pages(base)

    def patched(at, body):
        head = parts[0].body[:at] + body + parts[0].body[at + len(body) :]
        return ogg([replace(parts[0], body=head), *parts[1:]])

    def add(name, odd, data, want=None, **options):
        corpus.add(f"opus_{name}.opus", "B-opus", odd, data, want or (lambda d=data: by_opusdec(d)), 48000,
                   tolerance=options.pop("tolerance", 2e-3), slack=options.pop("slack", 0), **options)

    add("plain", "control", base)
    for skip in (0, 1, 3840, 4608, 4609, 6000, 10000, 48000, 65535):
        add(f"skip_{skip}", f"pre-skip of {skip}", patched(10, struct.pack("<H", skip)), damaged=False)
    for gain in (-1536, 1536, -32768 // 4, 256):
        add(f"gain_{gain}", f"output gain of {gain / 256:g} dB", patched(16, struct.pack("<h", gain)))
    add("gain_max", "output gain of 128 dB", patched(16, struct.pack("<h", 32767)), damaged=None,
        tolerance=None, fails=["not_finite", "damaged"])
    add("rate_field", "an input rate of 0", patched(12, bytes(4)))
    add("version_15", "header version 15", patched(8, b"\x0f"))
    corpus.add("opus_version_16.opus", "B-opus", "header version 16", patched(8, b"\x10"), lambda: by_opusdec(base), 48000,
               damaged=None, fails=["unsupported", "damaged"], tolerance=2e-3)
    for size in ("2.5", "5", "10", "20", "40", "60"):
        add(f"frames_{size}", f"frames of {size} ms", opusenc(tone(2, 48000, 2), 48000, "--framesize", size, "--bitrate", "64"))
    for rate in (8000, 16000, 44100):
        add(f"from_{rate}", f"made of {rate} Hz", opusenc(tone(2, rate, 1), rate, "--bitrate", "32"))
    for bits in ("6", "12", "24", "256"):
        add(f"bits_{bits}", f"{bits} kbit/s", opusenc(tone(2, 48000, 1), 48000, "--bitrate", bits), tolerance=5e-3)
    for count in (3, 4, 5, 6, 8):
        add(f"{count}ch", f"{count} channels", opusenc(tone(2, 48000, count), 48000, "--bitrate", "256"))
    for length in (0.001, 0.01, 0.1, 1.00003):
        add(f"seconds_{length}", f"{length} s", opusenc(tone(length, 48000, 1), 48000, "--bitrate", "64"), tolerance=5e-3)
    for n in (1, 50, 99, 100, 101, 150):
        bad(corpus, "opus", base, by_opusdec, 48000, 312, n, b"\x03\x00", 960)
        voice = oggenc(tone(6, RATE, 1), RATE, "-q", "3")
        bad(corpus, "vorbis", voice, by_oggdec, RATE, 0, n, b"\x01\x00\x00", 1024)


def bad(corpus, name, whole, decode, rate, skip, count, body, size):
    """C: `count` packets in a row that no decoder takes, in good pages."""
    parts = pages(whole)
    heads = [p for p in parts if p.granule <= 0]
    audio = parts[len(heads) :]
    out, seen, marks = list(heads), 0, []
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
    corpus.add(f"{name}_{count}_bad.ogg", "C-packets", f"{count} packets in a row that cannot be decoded", ogg(out),
               lambda: decode(whole), rate, damaged=True, slack=2 * size, tolerance=5e-3,
               loose=[(start / rate - 0.3, end / rate + 0.3)])
