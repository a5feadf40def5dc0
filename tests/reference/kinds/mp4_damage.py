"""ISO media and ADTS with bad packets, bad indexes, or cut off."""

import struct

from bytes_of import adts_frames, atoms, isom, samples_of
from kinds.aac import by, m4a, raw
from sound import by_ffmpeg, ffmpeg, join, quantized, silence, source_of, tone

RATE = 44100
FRAME = 1024


def damage(corpus):
    """C: bad packets, an index that points beyond the file, a cut file, no index."""
    kind = "C-m4a"
    x = tone(6, RATE, 2)
    whole = m4a(x)
    full, want = raw(whole), by(whole)
    places = samples_of(whole)
    prime = 1024
    for count in (1, 2, 50, 99, 100, 101, 150):
        for name, byte in (("ff", b"\xff"), ("zero", b"\0"), ("junk", b"\x5a")):
            data = bytearray(whole)
            for at, size in places[40 : 40 + count]:
                data[at : at + size] = byte * size
            s, e = 40 * FRAME - prime, (40 + count) * FRAME - prime
            corpus.add(
                f"m4a_{count}_bad_{name}.m4a",
                "C-packets",
                f"{count} packets overwritten with {name}",
                bytes(data),
                want,
                RATE,
                damaged=True,
                slack=FRAME,
                tolerance=1e-3,
                loose=[(s / RATE - 0.05, e / RATE + 0.1)],
            )
    alac = ffmpeg(source_of(x, RATE), ".m4a", "-c:a", "alac")
    spots, exact = samples_of(alac), quantized(x)
    for count in (1, 20):
        data = bytearray(alac)
        for at, size in spots[20 : 20 + count]:
            data[at : at + size] = b"\xff" * size
        corpus.add(
            f"alac_{count}_bad.m4a",
            "C-packets",
            f"{count} ALAC packets overwritten",
            bytes(data),
            exact,
            RATE,
            damaged=True,
            tolerance=1e-4,
            loose=[(20 * 4096 / RATE - 0.01, (20 + count) * 4096 / RATE + 0.01)],
        )
    moov = whole.index(b"moov") - 4
    faststart = ffmpeg(whole, ".m4a", "-c:a", "copy", "-movflags", "+faststart", before=".m4a")
    front_places = samples_of(faststart)
    for share in (2, 3, 10):
        cut = front_places[len(front_places) * (share - 1) // share][0] + 20
        n = len([1 for at, size in front_places if at + size <= cut])
        corpus.add(
            f"m4a_cut_1_{share}.m4a",
            kind,
            f"index in front, the last 1/{share} is gone",
            faststart[:cut],
            full[prime : n * FRAME],
            RATE,
            damaged=True,
            slack=2 * FRAME,
            tolerance=1e-3,
        )
    for name, data in (
        ("behind", whole[:moov]),
        ("half", whole[: moov // 2]),
        ("moov_cut", whole[: moov + 200]),
    ):
        corpus.add(
            f"m4a_no_index_{name}.m4a",
            kind,
            f"no index: {name}",
            data,
            None,
            fails=["damaged"],
            words="(?i)moov|index|cut|incomplete",
        )
    mdat_first = whole[whole.index(b"mdat") - 4 : moov]
    corpus.add(
        "m4a_mdat_first.m4a",
        kind,
        "mdat first, no index",
        mdat_first,
        None,
        fails=["damaged"],
        words="(?i)moov|index|cut|incomplete",
    )
    corpus.add(
        "m4a_ftyp_only.m4a",
        kind,
        "ftyp alone",
        whole[: struct.unpack(">I", whole[:4])[0]],
        None,
        fails=["damaged", "empty"],
        words="(?i)moov|index|cut|incomplete|no audio",
    )
    frag = ffmpeg(
        whole,
        ".mp4",
        "-c:a",
        "copy",
        "-movflags",
        "+empty_moov+default_base_moof",
        "-frag_duration",
        "1000000",
        before=".m4a",
    )
    cut = frag[: len(frag) * 2 // 3]
    corpus.add(
        "m4a_fragments_cut.mp4",
        kind,
        "fragments, the last third is gone",
        cut,
        lambda: by_ffmpeg(cut, ".mp4"),
        RATE,
        damaged=True,
        slack=RATE + 4 * FRAME,
        tolerance=1e-3,
    )
    moofs = [m for m in find_all(frag, b"moof")]
    if len(moofs) > 3:
        a, b = moofs[2] - 4, moofs[3] - 4
        corpus.add(
            "m4a_fragment_lost.mp4",
            kind,
            "one fragment is lost",
            frag[:a] + frag[b:],
            [want, full],
            RATE,
            damaged=True,
            slack=2 * FRAME,
            tolerance=1e-3,
            loose=[(1.8, 3.2)],
        )
    root = atoms(whole)
    table = root.find(b"moov", b"trak", b"mdia", b"minf", b"stbl")
    stco = table.find(b"stco")
    chunks = list(struct.unpack(f">{(len(stco.body) - 8) // 4}I", stco.body[8:]))

    def with_chunks(values):
        stco.body = stco.body[:8] + struct.pack(f">{len(values)}I", *values)
        return isom(root)

    if len(chunks) > 4:
        half = len(chunks) // 2
        beyond = with_chunks(chunks[:half] + [c + 0x10000000 for c in chunks[half:]])
        per = sum(1 for at, _ in places if at < chunks[half])
        corpus.add(
            "m4a_index_beyond_half.m4a",
            kind,
            "the second half of the index points beyond the file",
            beyond,
            [
                full[prime : per * FRAME],
                join(full[prime : per * FRAME], silence(len(want) - per * FRAME + prime)),
            ],
            RATE,
            damaged=True,
            slack=3 * FRAME,
            tolerance=1e-3,
        )
        one = with_chunks(chunks[:half] + [0x10000000] + chunks[half + 1 :])
        a = sum(1 for at, _ in places if at < chunks[half])
        b = sum(1 for at, _ in places if at < chunks[half + 1])
        corpus.add(
            "m4a_index_beyond_one.m4a",
            kind,
            "one chunk of the index points beyond the file",
            one,
            want,
            RATE,
            damaged=True,
            slack=3 * FRAME,
            tolerance=1e-3,
            loose=[((a * FRAME - prime) / RATE - 0.05, (b * FRAME - prime) / RATE + 0.1)],
        )
        corpus.add(
            "m4a_index_beyond_all.m4a",
            kind,
            "the whole index points beyond the file",
            with_chunks([c + 0x10000000 for c in chunks]),
            None,
            fails=["damaged"],
        )
        with_chunks(chunks)
    adts = ffmpeg(whole, ".aac", "-c:a", "copy", before=".m4a")
    frames = adts_frames(adts)
    got = by_ffmpeg(adts, ".aac")
    for count in (1, 30, 120):
        a, b = frames[60][0], frames[60 + count][0]
        s, n = 60 * FRAME, count * FRAME
        corpus.add(
            f"adts_cut_{count}.aac",
            "B-adts-hole",
            f"{count} frames cut out",
            adts[:a] + adts[b:],
            join(got[:s], got[s + n :]),
            RATE,
            damaged=None,
            slack=2 * FRAME,
            tolerance=1e-3,
            loose=[(s / RATE - 0.1, s / RATE + 0.1)],
        )
        filled = join(got[:s], silence(n), got[s + n :])
        for junk, body in (
            ("zeros", bytes(b - a)),
            ("junk", bytes((k * k >> 3) * 31 & 127 for k in range(b - a))),
        ):
            corpus.add(
                f"adts_{junk}_{count}.aac",
                "B-adts-hole",
                f"{junk} in place of {count} frames",
                adts[:a] + body + adts[b:],
                [filled, join(got[:s], got[s + n :])],
                RATE,
                damaged=True,
                slack=4 * FRAME,
                tolerance=None,
                loose=[(s / RATE - 0.1, (s + n) / RATE + 0.4)],
            )
        bad = bytearray(adts)
        for at, size in frames[60 : 60 + count]:
            bad[at + 7 : at + size] = b"\xff" * (size - 7)
        corpus.add(
            f"adts_{count}_bad.aac",
            "C-packets",
            f"{count} ADTS frames overwritten",
            bytes(bad),
            got,
            RATE,
            damaged=True,
            slack=2 * FRAME,
            tolerance=1e-3,
            loose=[(s / RATE - 0.05, (s + n) / RATE + 0.1)],
        )
    corpus.add(
        "adts_cut_end.aac",
        "B-adts-hole",
        "cut off in a frame",
        adts[: frames[-20][0] + 50],
        got[: (len(frames) - 20) * FRAME],
        RATE,
        damaged=None,
        slack=2 * FRAME,
        tolerance=1e-3,
    )
    mono = ffmpeg(m4a(tone(3, RATE, 1, 6)), ".aac", "-c:a", "copy", before=".m4a")
    corpus.add(
        "adts_stereo_mono.aac",
        "B-adts-hole",
        "stereo, then mono",
        adts + mono,
        [join(got, by_ffmpeg(mono, ".aac")), got],
        RATE,
        damaged=None,
        slack=3 * FRAME,
        tolerance=1e-3,
        loose=[(5.9, 6.2)],
    )
    other = ffmpeg(m4a(tone(3, 22050, 2, 6), 22050), ".aac", "-c:a", "copy", before=".m4a")
    corpus.add(
        "adts_rate.aac",
        "B-adts-hole",
        "44100 Hz, then 22050 Hz",
        adts + other,
        [join(got, tone(3, RATE, 2, 6).mean(axis=1)), got],
        RATE,
        damaged=None,
        slack=6 * FRAME,
        tolerance=None,
        loose=[(k - 0.1, k + 0.2) for k in range(6, 10)],
    )
    for size in (100 << 10,):
        corpus.add(
            f"adts_behind_{size}.aac",
            "C-m4a",
            f"{size} zeros before ADTS",
            bytes(size) + adts,
            got,
            RATE,
            damaged=None,
            slack=FRAME,
            tolerance=1e-3,
        )


def find_all(data, name):
    at = data.find(name)
    while at >= 0:
        yield at
        at = data.find(name, at + 1)
