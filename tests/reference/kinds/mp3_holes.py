"""MP3 with bytes cut out, zeroed or replaced."""

from bytes_of import mp3_frames, without_frames
from kinds.mp3_lengths import by
from sound import join, lame, tone

RATE = 44100
FRAME = 1152
# What libmp3lame's files carry before the first sample: its delay and the decoder's.
DELAY = 1105


def holes(corpus):
    """B: bytes are gone or replaced. Without time stamps, junk is a hole of unknown length."""
    for channels, options, what in ((1, ("-b", "64"), "cbr"), (2, ("-V", "5"), "vbr")):
        x = tone(6, RATE, channels)
        for bare in (True, False):
            whole = lame(x, RATE, *options, *(("-t",) if bare else ()))
            frames = mp3_frames(whole)
            name = what + ("_bare" if bare else "_info")
            intact = lambda w=whole: by(w)
            for first, count in ((40, 5), (80, 38), (100, 100)):
                a, b = frames[first][0], frames[first + count][0]
                start, length = first * FRAME, count * FRAME
                shift = 0 if bare else FRAME + DELAY

                def filled(s=start - shift, n=length, i=intact):
                    y = i().copy()
                    y[s : s + n] = 0
                    return y

                def closed(s=start - shift, n=length, i=intact):
                    y = i()
                    return join(y[:s], y[s + n :])

                at = (start - shift) / RATE
                around = [(at - 0.1, at + length / RATE + 0.3), (at - 0.1, at + 0.3)]
                around = [(at - 0.1, at + length / RATE + 0.3)]
                exact = dict(damaged=None, slack=4 * FRAME)
                # A clean cut leaves nothing to see without a count of frames.
                corpus.add(
                    f"mp3_cut_{first}_{count}_{name}.mp3",
                    "B-mp3-hole",
                    f"{count} frames cut out",
                    without_frames(whole, frames, first, count),
                    closed if bare else [closed, filled],
                    RATE,
                    loose=[(at - 0.1, at + 0.3)] if bare else around,
                    **{**exact, "damaged": None if bare else True},
                )
                for junk, body in (
                    ("zeros", bytes(b - a)),
                    ("junk", bytes((n * n >> 3) * 31 & 127 for n in range(b - a))),
                ):
                    corpus.add(
                        f"mp3_{junk}_{first}_{count}_{name}.mp3",
                        "B-mp3-hole",
                        f"{junk} in place of {count} frames",
                        whole[:a] + body + whole[b:],
                        [filled, closed],
                        RATE,
                        loose=around,
                        **{**exact, "damaged": True, "slack": 6 * FRAME, "tolerance": None},
                    )
            a = frames[90][0]
            insert = bytes((n * n >> 3) * 31 & 127 for n in range(3000))
            at = 90 * FRAME / RATE
            corpus.add(
                f"mp3_inserted_{name}.mp3",
                "B-mp3-hole",
                "3000 bytes of junk between frames",
                whole[:a] + insert + whole[a:],
                intact,
                RATE,
                damaged=None,
                slack=40 * FRAME,
                tolerance=None,
                loose=[(at - 0.2, 9)],
            )
            for k, cut in ((1, 10), (2, len(whole) // 2 + 3), (3, len(whole) // 4)):
                corpus.add(
                    f"mp3_truncated_{k}_{name}.mp3",
                    "B-mp3-hole",
                    f"the last {cut} bytes are gone",
                    whole[:-cut],
                    lambda d=whole[:-cut]: by(d),
                    RATE,
                    damaged=None if bare or k == 1 else True,
                    slack=3 * FRAME,
                )
    x = tone(6, RATE, 1)
    whole = lame(x, RATE, "-b", "64", "-t")
    frames = mp3_frames(whole)
    for count in (1, 10, 99, 100, 101, 150):
        data = bytearray(whole)
        for start, size in frames[60 : 60 + count]:
            data[start + 4 : start + 20] = b"\xff" * 16
        corpus.add(
            f"mp3_{count}_bad.mp3",
            "C-packets",
            f"{count} frames with unusable side information",
            bytes(data),
            lambda: by(whole),
            RATE,
            damaged=True,
            slack=2 * FRAME,
            tolerance=0.01,
            loose=[(60 * FRAME / RATE - 0.1, (62 + count) * FRAME / RATE + 0.1)],
        )
