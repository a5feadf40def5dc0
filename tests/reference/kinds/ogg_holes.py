"""Ogg whose pages are lost, damaged, or stamped wrongly."""

from dataclasses import replace

from bytes_of import ogg, pages
from kinds.ogg_streams import streams
from sound import join, silence


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
            return (
                join(want[:s], silence(e - s), want[e:]),
                [((s - 3000) / rate, (s + 4000) / rate), ((e - 3000) / rate, (e + 5000) / rate)],
                (s, e),
            )

        def add(fault, odd, data, expected, edges=(), damaged=True, **options):
            options.setdefault("slack", 64)
            corpus.add(
                f"{name}_{fault}.{ending}",
                "B-ogg-hole",
                odd,
                data,
                expected,
                rate,
                damaged=damaged,
                loose=edges,
                tolerance=2e-3 if "opus" in name else 1e-4,
                **options,
            )

        mid = (first + len(parts)) // 2
        for a, n in ((mid, 1), (mid, 3), (first + 2, 1), (mid, max(4, (len(parts) - first) // 4))):
            expected, edges, (s, e) = hole(a, a + n)
            lost = parts[:a] + parts[a + n :]
            add(f"lost_{a}_{n}", f"{n} pages from page {a} on are lost", ogg(lost), expected, edges)
            renumbered = [replace(p, number=k) for k, p in enumerate(lost)]
            add(
                f"lost_{a}_{n}_renumbered",
                f"{n} pages are lost and the rest is numbered anew",
                ogg(renumbered),
                expected,
                edges,
            )
            bad = [replace(p, bad_crc=a <= k < a + n) for k, p in enumerate(parts)]
            add(
                f"crc_{a}_{n}",
                f"{n} pages have a wrong checksum",
                ogg(bad),
                [expected, want],
                edges,
            )
            start = len(ogg(parts[:a]))
            stop = len(ogg(parts[: a + n]))
            add(
                f"zeroed_{a}_{n}",
                f"{n} pages are zeroed",
                whole_zeroed(ogg(parts), start, stop),
                expected,
                edges,
            )
        expected, edges, _ = hole(mid, mid + 1)
        data = ogg(parts)
        start = len(ogg(parts[:mid]))
        add(
            "half_page",
            "half of a page is gone",
            data[: start + 40] + data[start + 300 :],
            expected,
            edges,
        )
        junk = bytes((n * n >> 3) * 31 & 127 for n in range(3000))
        add(
            "inserted",
            "3000 bytes of junk between two pages",
            data[:start] + junk + data[start:],
            want,
            damaged=None,
        )
        expected, edges, _ = hole(first, first + 1)
        add(
            "first_lost",
            "the first page of sound is lost",
            ogg(parts[:first] + parts[first + 1 :]),
            [expected, want[end(first) :]],
            edges if name == "flac" else [(0, 9)],
            None,
            slack=1024,
        )
        last = len(parts) - 1
        short, edges = want[: end(last - 1)], [(end(last - 1) / rate - 0.1, 9)]
        padded = join(short, silence(total - len(short)))
        add(
            "last_crc",
            "the last page has a wrong checksum",
            ogg(parts[:last] + [replace(parts[last], bad_crc=True)]),
            [short, padded, want],
            edges,
            slack=2048,
        )
        add(
            "last_lost",
            "the last page is lost, the end of the stream with it",
            ogg(parts[:last]),
            [short],
            edges,
            None,
            slack=2048,
        )
        add(
            "last_zeroed",
            "the last page is zeroed",
            whole_zeroed(data, len(ogg(parts[:last])), len(data)),
            [short, padded],
            edges,
            slack=2048,
        )
        add(
            "no_end",
            "no page is marked as the last",
            ogg(parts[:last] + [replace(parts[last], flags=parts[last].flags & ~4)]),
            want,
            damaged=None,
            slack=1024,
        )
        add(
            "cut",
            "cut off in the middle of a page",
            data[: len(data) - len(parts[last].body) // 2 - 1],
            [short, want, padded],
            edges,
            None,
            slack=4096,
        )
        add(
            "cut_third",
            "the last third is gone, cut in a page",
            data[: start * 4 // 3],
            want[: end(at_byte(parts, start * 4 // 3))],
            [(end(at_byte(parts, start * 4 // 3)) / rate - 0.1, 9)],
            None,
            slack=30000,
        )
        add(
            "number_gap",
            "page numbers jump, nothing is lost",
            ogg(
                [
                    replace(p, number=p.number + (500 if k >= mid else 0))
                    for k, p in enumerate(parts)
                ]
            ),
            want,
            [(end(mid - 1) / rate - 0.1, end(mid - 1) / rate + 0.3)],
            None,
        )
        add(
            "end_early",
            "the last page's time cuts off the end",
            ogg(parts[:last] + [replace(parts[last], granule=parts[last - 1].granule + 10)]),
            [want[: end(last - 1) + 10], want],
            edges,
            None,
            slack=1024,
        )
        add(
            "end_late",
            "the last page's time is 1 s too late",
            ogg(parts[:last] + [replace(parts[last], granule=parts[last].granule + rate)]),
            [want, join(want, silence(rate))],
            edges,
            None,
            slack=4096,
        )
        add(
            "no_time",
            "the time of one page is missing",
            ogg([replace(p, granule=-1) if k == mid else p for k, p in enumerate(parts)]),
            want,
            damaged=None,
        )
        add(
            "time_back",
            "the time of one page is 1 s too early",
            ogg(
                [
                    replace(p, granule=p.granule - rate) if k == mid else p
                    for k, p in enumerate(parts)
                ]
            ),
            want,
            damaged=None,
        )
        late = [replace(p, granule=p.granule + 100 * rate) if p.granule > 0 else p for p in parts]
        add(
            "start_late",
            "the times start at 100 s, as recorded from a live stream",
            ogg(late),
            want,
            damaged=None,
            slack=2048,
        )
        gap = [
            replace(p, granule=p.granule + (rate if k >= mid else 0)) for k, p in enumerate(parts)
        ]
        s = end(mid - 1)
        add(
            "gap",
            "the times jump by 1 s in the middle",
            ogg(gap),
            [join(want[:s], silence(rate), want[s:]), want],
            [((s - 5000) / rate, (s + 5000) / rate + 1)],
            None,
            slack=64,
        )
        corpus.add(
            f"{name}_header_crc.{ending}",
            "B-ogg-hole",
            "the first page has a wrong checksum",
            ogg([replace(parts[0], bad_crc=True)] + parts[1:]),
            want,
            rate,
            damaged=None,
            slack=64,
            fails=["damaged", "unsupported", "no_audio_track"],
            tolerance=2e-3,
        )


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
