"""ISO media with edit lists: what players skip must not be read."""

import struct

from bytes_of import Atom, atoms, isom, with_edits
from kinds.aac import by, everything, m4a, raw
from sound import fdkaac, ffmpeg, join, quantized, silence, source_of, tone

RATE = 44100
FRAME = 1024


def edits(corpus):
    """B: what players skip must not be read."""
    x = tone(6, RATE, 2)
    whole = m4a(x)
    full = raw(whole)
    second = 1000
    lists = {
        "none": [],
        "priming": [(6000, 1024)],
        "priming_2112": [(6000, 2112)],
        "skip_2s": [(4000, 1024 + 2 * RATE)],
        "cut_end": [(3000, 1024)],
        "skip_and_cut": [(2000, 1024 + 2 * RATE)],
        "middle": [(1500, 1024 + RATE * 5 // 2)],
        "empty_first": [(500, -1), (5500, 1024)],
        "empty_and_skip": [(1000, -1), (3000, 1024 + 2 * RATE)],
        "two": [(2000, 1024), (2000, 1024 + 4 * RATE)],
        "two_adjacent": [(2000, 1024), (2000, 1024 + 2 * RATE)],
        "swapped": [(2000, 1024 + 3 * RATE), (2000, 1024)],
        "zero_length": [(0, 1024)],
        "too_long": [(60000, 1024)],
        "beyond": [(1000, 100 * RATE)],
        "repeat": [(1000, 1024)] * 3,
        "three": [(1000, 1024), (1000, 1024 + 2 * RATE), (1000, 1024 + 4 * RATE)],
        "from_0": [(6000, 0)],
        "odd": [(2345, 1024 + 12345)],
        "only_empty": [(1000, -1)],
    }

    def played(entries):
        """Returns what the list plays: the truth by the standard."""
        parts = []
        for duration, start in entries:
            n = round(duration * RATE / second)
            if start < 0:
                parts.append(silence(n))
            elif duration == 0:
                parts.append(full[start:])
            else:
                parts.append(full[start : start + n])
        return join(*parts) if parts else full

    for name, entries in lists.items():
        want = played(entries)
        accepts = [want]
        options = dict(damaged=False, slack=FRAME + 100)
        if entries and entries[0][1] == -1 and len(entries) > 1:
            accepts.append(played(entries[1:]))
        if name in ("too_long",):
            options["damaged"] = None
        if name in ("repeat", "swapped", "two", "three", "two_adjacent"):
            # Rare lists: a reader may refuse or note them, but not misplace seconds without a word.
            options["damaged"] = None
            options["fails"] = "unsupported"
            if name in ("repeat", "swapped"):
                accepts.append(full[1024 : 1024 + (1 if name == "repeat" else 5) * RATE])
        if name in ("beyond", "only_empty"):
            accepts = [full]
            options.update(damaged=None, fails=["empty", "damaged", "unsupported"])
            if name == "beyond":
                accepts.append(full[1024:])
        seams = {
            "two": [2.0],
            "swapped": [2.0],
            "repeat": [1, 2],
            "three": [1, 2],
            "empty_first": [0.5, 0],
            "empty_and_skip": [1.0, 0],
        }.get(name, [])
        corpus.add(
            f"edit_{name}.m4a",
            "B-edit-list",
            f"edit list of {entries}",
            with_edits(whole, *entries),
            accepts,
            RATE,
            tolerance=1e-3,
            loose=[(0, 0.06)] + [(s - 0.05, s + 0.05) for s in seams],
            **options,
        )
    front = ffmpeg(
        with_edits(whole, (4000, 1024 + 2 * RATE)),
        ".m4a",
        "-c:a",
        "copy",
        "-movflags",
        "+faststart",
        before=".m4a",
    )
    corpus.add(
        "edit_skip_by_ffmpeg.m4a",
        "B-edit-list",
        "an edit list that ffmpeg copied, the index in front",
        front,
        lambda: by(front),
        RATE,
        damaged=None,
        slack=2 * FRAME,
        loose=[(0, 0.06)],
        tolerance=1e-3,
    )
    for seek in ("0.5", "2", "3.3"):
        cut = ffmpeg(whole, ".m4a", "-ss", seek, "-c:a", "copy", before=".m4a")
        corpus.add(
            f"edit_cut_at_{seek}.m4a",
            "B-edit-list",
            f"cut at {seek} s without encoding anew",
            cut,
            lambda d=cut: by(d),
            RATE,
            damaged=None,
            slack=3 * FRAME,
            loose=[(0, 0.06)],
            tolerance=1e-3,
        )
    v1 = atoms(whole)
    trak = v1.find(b"moov", b"trak")
    trak.children = [c for c in trak.children if c.name != b"edts"]
    body = struct.pack(">IIQqI", 1 << 24, 1, 4000, 1024 + 2 * RATE, 0x10000)
    trak.children.insert(1, Atom(b"edts", b"", [Atom(b"elst", body)]))
    corpus.add(
        "edit_version_1.m4a",
        "B-edit-list",
        "an edit list with 64-bit fields",
        isom(v1),
        full[1024 + 2 * RATE : 1024 + 6 * RATE],
        RATE,
        slack=FRAME + 100,
        loose=[(0, 0.06)],
        tolerance=1e-3,
    )
    alac = ffmpeg(source_of(x, RATE), ".m4a", "-c:a", "alac")
    want = quantized(x)
    corpus.add(
        "edit_alac_skip_2s.m4a",
        "B-edit-list",
        "ALAC, 2 s skipped",
        with_edits(alac, (4000, 2 * RATE)),
        want[2 * RATE :],
        RATE,
        slack=100,
        tolerance=1e-5,
    )
    corpus.add(
        "edit_alac_cut_end.m4a",
        "B-edit-list",
        "ALAC, the end cut",
        with_edits(alac, (3000, 0)),
        want[: 3 * RATE],
        RATE,
        slack=100,
        tolerance=1e-5,
    )
    for gapless in ("0", "1", "2"):
        data = fdkaac(x, RATE, ".m4a", "-b", "96000", "-G", gapless)
        corpus.add(
            f"gapless_{gapless}.m4a",
            "B-edit-list",
            f"encoder delay in {['iTunSMPB', 'an edit list', 'both'][int(gapless)]}",
            data,
            (
                [lambda d=data: by(d), lambda d=data: everything(d)]
                if gapless == "0"
                else lambda d=data: by(d)
            ),
            RATE,
            damaged=None if gapless == "0" else False,
            slack=2 * FRAME,
            loose=[(0, 0.06)],
            tolerance=1e-3,
        )
