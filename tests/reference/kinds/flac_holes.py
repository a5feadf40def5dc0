"""FLAC whose frames are gone or damaged, or change their format."""

import numpy as np

from bytes_of import flac_blocks, flac_file, flac_frames, flipped, zeroed
from kinds.flac_frames import frames_of, info
from sound import flac, join, quantized, silence, tone

RATE = 22050
BLOCK = 1152


def holes(corpus):
    """B: frames are gone or unusable. The frames' numbers tell where and how much."""
    x = tone(6, RATE, 2)
    want = quantized(x)
    styles = {
        "fixed": (flac(x, RATE, "-5"), None),
        "verbatim": (flac_file([info(x)], frames_of(x)), None),
        "variable": (
            flac_file(
                [info(x, low=576, high=2304)],
                frames_of(x, sizes=[1152, 576, 2304], variable=True, by_sample=True),
            ),
            None,
        ),
        "old_style": (
            flac_file(
                [info(x, low=576, high=2304)], frames_of(x, sizes=[1152, 576, 2304], by_sample=True)
            ),
            None,
        ),
    }
    for style, (whole, _) in styles.items():
        starts = flac_frames(whole)
        count = len(starts) - 1
        size = 4096 if style == "fixed" else BLOCK
        lengths = (
            [size] * count
            if style in ("fixed", "verbatim")
            else [[1152, 576, 2304][n % 3] for n in range(count)]
        )
        at = np.concatenate([[0], np.cumsum(lengths)])
        for unknown in (False, True):
            file = whole
            if unknown:
                blocks, start = flac_blocks(whole)
                body = bytearray(blocks[0][1])
                body[13] &= 0xF0
                body[14:18] = bytes(4)
                file = flac_file([(0, bytes(body)), *blocks[1:]], whole[start:])
            name = style + ("_unknown" if unknown else "")
            for first, n in ((count // 3, 1), (count // 3, count // 6), (count // 2, count // 3)):
                a, b = starts[first], starts[first + n]
                s, e = int(at[first]), int(at[first + n])
                expected = join(want[:s], silence(e - s), want[e:])
                options = dict(damaged=True, tolerance=1e-5)
                corpus.add(
                    f"flac_cut_{name}_{n}.flac",
                    "B-flac-hole",
                    f"{n} frames of {count} cut out",
                    file[:a] + file[b:],
                    expected,
                    RATE,
                    **options,
                )
                corpus.add(
                    f"flac_zeroed_{name}_{n}.flac",
                    "B-flac-hole",
                    f"{n} frames of {count} zeroed",
                    zeroed(file, a, b),
                    expected,
                    RATE,
                    **options,
                )
                mid = (a + b) // 2
                corpus.add(
                    f"flac_partly_{name}_{n}.flac",
                    "B-flac-hole",
                    f"half of the bytes of {n} frames are gone",
                    file[: a + 40] + file[mid + 20 :],
                    expected,
                    RATE,
                    loose=[(s / RATE, e / RATE)],
                    **options,
                )
            f = count // 2
            s, e = int(at[f]), int(at[f + 1])
            silent = join(want[:s], silence(e - s), want[e:])
            corpus.add(
                f"flac_crc_{name}.flac",
                "B-flac-hole",
                "one bit of a frame is flipped",
                flipped(file, (starts[f] + starts[f + 1]) // 2),
                [silent, want],
                RATE,
                damaged=True,
                loose=[(s / RATE, e / RATE)],
                tolerance=1e-5,
            )
            corpus.add(
                f"flac_header_crc_{name}.flac",
                "B-flac-hole",
                "a frame's header is damaged",
                flipped(file, starts[f] + 4),
                silent,
                RATE,
                damaged=True,
                loose=[(s / RATE, e / RATE)],
                tolerance=1e-5,
            )
            corpus.add(
                f"flac_first_{name}.flac",
                "B-flac-hole",
                "the first frame is zeroed",
                zeroed(file, starts[0], starts[1]),
                [join(silence(at[1]), want[int(at[1]) :]), want[int(at[1]) :]],
                RATE,
                damaged=True,
                tolerance=1e-5,
            )
            corpus.add(
                f"flac_last_{name}.flac",
                "B-flac-hole",
                "the last frame is zeroed",
                zeroed(file, starts[-2], starts[-1]),
                [join(want[: int(at[-2])], silence(len(want) - at[-2])), want[: int(at[-2])]],
                RATE,
                damaged=None if unknown else True,
                tolerance=1e-5,
            )
            for name_, wrong in (
                ("1", [1]),
                ("2", [2]),
                ("0_1", [0, 1]),
                ("1_2", [1, 2]),
                ("0_2", [0, 2]),
                ("every_2nd", list(range(1, count, 2))),
                ("every_3rd", list(range(0, count, 3))),
            ):
                bad, expected = bytearray(file), want.copy()
                for m in wrong:
                    bad[starts[m] + 4] ^= 0xFF
                    expected[int(at[m]) : int(at[m + 1])] = 0
                corpus.add(
                    f"flac_early_{name_}_{name}.flac",
                    "B-flac-hole",
                    f"the headers of frames {name_} are damaged",
                    bytes(bad),
                    [expected, expected[int(at[1]) :]] if 0 in wrong else expected,
                    RATE,
                    damaged=True,
                    tolerance=1e-5,
                    slack=max(lengths),
                )
            k = count * 2 // 3
            for inside in (0, 30):
                corpus.add(
                    f"flac_truncated_{name}_{inside}.flac",
                    "B-flac-hole",
                    "the last third is gone",
                    file[: starts[k] + inside],
                    [want[: int(at[k])], join(want[: int(at[k])], silence(lengths[k]))],
                    RATE,
                    tolerance=1e-5,
                    slack=0,
                    damaged=True if not unknown else None if inside == 0 else True,
                )
            junk = bytes((n * n >> 2) * 13 & 127 for n in range(5000))
            corpus.add(
                f"flac_inserted_{name}.flac",
                "B-flac-hole",
                "5000 bytes of junk between frames",
                file[: starts[f]] + junk + file[starts[f] :],
                [want, join(want[: int(at[f - 1])], silence(lengths[f - 1]), want[int(at[f]) :])],
                RATE,
                damaged=None,
                tolerance=1e-5,
            )
            if count > 60:
                for n in (99, 100, 101):
                    if 3 + n >= count:
                        continue
                    bad = bytearray(file)
                    for m in range(3, 3 + n):
                        bad[starts[m + 1] - 1] ^= 0xFF
                    s, e = int(at[3]), int(at[3 + n])
                    corpus.add(
                        f"flac_{n}_bad_{name}.flac",
                        "C-packets",
                        f"{n} frames in a row with a wrong checksum",
                        bytes(bad),
                        [want, join(want[:s], silence(e - s), want[e:])],
                        RATE,
                        damaged=True,
                        tolerance=1e-5,
                        loose=[(s / RATE, e / RATE)],
                    )


def changes(corpus):
    """B: rate, channels or depth change within. The sound up to the change is right at least."""
    one, two = tone(2, RATE, 1), tone(2, RATE, 2, first=2)
    base = flac_file([info(one, total=0)], frames_of(one))
    want = quantized(one)
    n = -(-len(one) // BLOCK)
    later = {
        "stereo": (frames_of(two, first=n), quantized(two)),
        "24_bits": (
            frames_of(tone(2, RATE, 1, 2), bits=24, first=n),
            quantized(tone(2, RATE, 1, 2), 24),
        ),
        "8_bits": (
            frames_of(tone(2, RATE, 1, 2), bits=8, first=n),
            quantized(tone(2, RATE, 1, 2), 8),
        ),
        "44k": (frames_of(tone(2, 44100, 1, 2), 44100, first=n), quantized(tone(2, RATE, 1, 2))),
        "16k": (frames_of(tone(2, 16000, 1, 2), 16000, first=n), quantized(tone(2, RATE, 1, 2))),
    }
    for name, (frames, rest) in later.items():
        long = join(want, rest)
        loose = [(1.9, 2.1)] + ([(k + 0.9, k + 1.2) for k in range(2, 4)] if "k" in name else [])
        for known in (False, True):
            file = base + frames
            if known:
                file = flac_file([info(one, total=len(one) + len(rest))], frames_of(one)) + frames
            corpus.add(
                f"flac_to_{name}{'_known' if known else ''}.flac",
                "B-flac-change",
                f"changes to {name}",
                file,
                [long, want],
                RATE,
                damaged=None,
                tolerance=0.02 if "k" in name else 1e-4,
                slack=BLOCK,
                loose=loose,
            )
    second = flac(tone(2, RATE, 1, 2), RATE)
    first = flac(one, RATE)
    corpus.add(
        "flac_joined.flac",
        "B-flac-change",
        "two FLAC files joined",
        first + second,
        [join(want, quantized(tone(2, RATE, 1, 2))), want],
        RATE,
        damaged=None,
        tolerance=1e-5,
    )
    corpus.add(
        "flac_joined_unknown.flac",
        "B-flac-change",
        "two FLAC files joined, lengths unknown",
        flac_file([info(one, total=0)], frames_of(one))
        + flac_file([info(one, total=0)], frames_of(tone(2, RATE, 1, 2))),
        [join(want, quantized(tone(2, RATE, 1, 2))), want],
        RATE,
        damaged=None,
        tolerance=1e-5,
    )
