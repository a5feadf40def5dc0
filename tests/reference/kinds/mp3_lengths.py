"""MP3: wrong counts in tags, files joined, changes of rate and channels."""

import struct

from bytes_of import ape_tag, flipped, id3v1, id3v2, mp3_frames, patched_info, text_frame, zeroed
from sound import by_ffmpeg, join, lame, silence, tone

RATE = 44100
FRAME = 1152
# What libmp3lame's files carry before the first sample: its delay and the decoder's.
DELAY = 1105


def by(data):
    return by_ffmpeg(data, ".mp3")


def untrimmed(data):
    """Decodes all frames, delay and padding too, as a decoder that does not trust the tag."""
    return by(data[mp3_frames(data)[1][0] :])


def counts(corpus):
    """B: an Info or Xing tag that counts wrongly. All frames are there, so all must be read."""
    for channels, rate, options, what in (
        (1, 44100, ("-b", "64"), "cbr"),
        (2, 44100, ("-V", "4"), "vbr"),
        (2, 22050, ("-b", "64"), "v2"),
        (1, 16000, ("-V", "6"), "v2vbr"),
        (1, 8000, ("-b", "32"), "v25"),
    ):
        x = tone(4, rate, channels)
        whole = lame(x, rate, *options)
        frames = len(mp3_frames(whole)) - 1
        bare = lame(x, rate, "-t", *options)
        corpus.add(
            f"mp3_info_right_{what}.mp3",
            "B-mp3-info",
            "control: the count is right",
            whole,
            lambda w=whole: by(w),
            rate,
        )
        corpus.add(
            f"mp3_no_info_{what}.mp3",
            "B-mp3-info",
            "control: no tag",
            bare,
            lambda w=bare: by(w),
            rate,
        )
        for n, name in (
            (0, "0"),
            (1, "1"),
            (frames // 4, "quarter"),
            (frames // 2, "half"),
            (frames - 1, "1_less"),
            (frames - 10, "10_less"),
        ):
            # With a count that is wrong the end's padding is not known: it may stay.
            corpus.add(
                f"mp3_info_{name}_{what}.mp3",
                "B-mp3-info",
                f"the tag counts {n} of {frames} frames",
                patched_info(whole, n),
                [lambda w=whole: by(w), lambda w=whole: untrimmed(w)],
                rate,
                damaged=None,
                slack=2 * FRAME,
            )
        for n, name in ((frames + 1, "1_more"), (frames + 100, "100_more"), (0xFFFFFFFF, "max")):
            corpus.add(
                f"mp3_info_{name}_{what}.mp3",
                "B-mp3-info",
                f"the tag counts {n} of {frames} frames",
                patched_info(whole, n),
                [lambda w=whole: by(w), lambda w=whole: untrimmed(w)],
                rate,
                damaged=None,
                slack=2 * FRAME,
            )
    x = tone(4, RATE, 2)
    whole = lame(x, RATE, "-b", "96")
    at = whole.index(b"Info")
    for name, patch in {
        "no_frames_flag": whole[: at + 7] + b"\x0e" + whole[at + 12 :],
        "bytes_wrong": whole[: at + 12] + b"\0\0\4\0" + whole[at + 16 :],
        "toc_zero": zeroed(whole, at + 16, at + 116),
        "delay_max": whole[: at + 141] + b"\xff\xff\xff" + whole[at + 144 :],
        "tag_crc": flipped(whole, at + 154),
    }.items():
        corpus.add(
            f"mp3_info_{name}.mp3",
            "B-mp3-info",
            f"Info tag: {name}",
            patch,
            [lambda: by(whole), lambda: untrimmed(whole)],
            RATE,
            damaged=None,
            slack=10000 if name == "delay_max" else 3 * FRAME,
            loose=[(0, 9)] if name in ("delay_max", "no_frames_flag") else (),
        )
    start, size = mp3_frames(whole)[0]
    vbri = bytearray(whole)
    vbri[start + 4 : start + size] = bytes(size - 4)
    for count, name in ((len(mp3_frames(whole)) - 1, "right"), (10, "10"), (0, "0")):
        vbri[start + 36 : start + 36 + 26] = b"VBRI" + struct.pack(
            ">HHHIIHHHH", 1, 0, 75, len(whole), count, 1, 1, 2, 1
        )
        corpus.add(
            f"mp3_vbri_{name}.mp3",
            "B-mp3-info",
            f"a VBRI tag counts {count}",
            bytes(vbri),
            [lambda d=bytes(vbri): by(d), lambda d=bytes(vbri): by(d)[FRAME:]],
            RATE,
            damaged=None,
            slack=FRAME,
        )


def joined(corpus):
    """B: two files in one. Every second of both must be there, at its place."""
    first = tone(3, RATE, 1)
    second = tone(3, RATE, 1, first=3)
    a, b = lame(first, RATE, "-b", "64"), lame(second, RATE, "-b", "64")
    abare, bbare = lame(first, RATE, "-t", "-b", "64"), lame(second, RATE, "-t", "-b", "64")

    for between, what in (
        (b"", "nothing"),
        (id3v1(), "ID3v1"),
        (id3v2(text_frame()), "ID3v2"),
        (id3v1() + id3v2(text_frame() + bytes(2000)), "ID3v1 and ID3v2"),
        (ape_tag(), "APE"),
        (ape_tag() + id3v1(), "APE and ID3v1"),
        (bytes(5000), "zeros"),
    ):
        short = what.replace(" ", "_")
        corpus.add(
            f"mp3_joined_{short}.mp3",
            "B-mp3-joined",
            f"two files with Info tags, {what} between",
            a + between + b,
            seam(a, b, len(between) if what == "zeros" else 0),
            RATE,
            damaged=None,
            slack=3 * FRAME,
            loose=[(2.7, 3.6)],
            tolerance=None,
        )
        corpus.add(
            f"mp3_joined_bare_{short}.mp3",
            "B-mp3-joined",
            f"two files without tags, {what} between",
            abare + between + bbare,
            seam(abare, bbare, len(between) if what == "zeros" else 0),
            RATE,
            damaged=None,
            slack=3 * FRAME,
            loose=[(2.7, 3.6)],
            tolerance=None,
        )
    corpus.add(
        "mp3_joined_first_bare.mp3",
        "B-mp3-joined",
        "the second has an Info tag",
        abare + b,
        seam(abare, b),
        RATE,
        damaged=None,
        slack=3 * FRAME,
        loose=[(2.7, 3.6)],
        tolerance=None,
    )
    corpus.add(
        "mp3_joined_second_bare.mp3",
        "B-mp3-joined",
        "the first has an Info tag",
        a + bbare,
        seam(a, bbare),
        RATE,
        damaged=None,
        slack=3 * FRAME,
        loose=[(2.7, 3.6)],
        tolerance=None,
    )
    short = lame(tone(0.5, RATE, 1, first=3), RATE, "-b", "64")
    corpus.add(
        "mp3_joined_short.mp3",
        "B-mp3-joined",
        "the second is short",
        a + short,
        seam(a, short),
        RATE,
        damaged=None,
        slack=3 * FRAME,
        loose=[(2.7, 3.6)],
        tolerance=None,
    )
    three = lame(tone(2, RATE, 1, first=6), RATE, "-b", "64")
    corpus.add(
        "mp3_joined_three.mp3",
        "B-mp3-joined",
        "three files",
        a + b + three,
        lambda: join(by(a), by(b), by(three)),
        RATE,
        damaged=None,
        slack=6 * FRAME,
        loose=[(2.7, 3.6), (5.7, 6.6)],
        tolerance=None,
    )
    fast = lame(second, RATE, "-b", "128")
    corpus.add(
        "mp3_joined_bitrate.mp3",
        "B-mp3-joined",
        "the second has another bit rate",
        a + fast,
        seam(a, fast),
        RATE,
        damaged=None,
        slack=3 * FRAME,
        loose=[(2.7, 3.6)],
        tolerance=None,
    )


def seam(one, two, junk=0):
    """Returns what two joined files may give, whether the second's delay is cut off or not, and
    whether `junk` bytes between them count as lost frames of 64 kbit/s or not."""
    return [
        lambda: join(by(one), by(two)),
        lambda: join(by(one), silence(FRAME), by(two)),
        lambda: join(by(one), silence(FRAME + DELAY), by(two)),
        lambda: join(by(one), silence(junk * RATE // 8000), by(two)),
    ]


def changes(corpus):
    """B: the number of channels or the rate changes. The time line goes on."""
    parts = {
        "mono": (44100, 1),
        "stereo": (44100, 2),
        "48k": (48000, 2),
        "22k": (22050, 1),
        "32k": (32000, 1),
    }
    for bare in (True, False):
        tag = ("-t",) if bare else ()
        for names in (
            ("mono", "stereo"),
            ("stereo", "mono"),
            ("mono", "stereo", "mono"),
            ("mono", "48k"),
            ("48k", "mono"),
            ("stereo", "22k"),
            ("22k", "stereo"),
            ("mono", "32k"),
        ):
            data, seconds, expected, rate = b"", 0, [], parts[names[0]][0]
            for name in names:
                r, channels = parts[name]
                data += lame(
                    tone(2, r, channels, first=seconds), r, *tag, "-b", "64" if r > 24000 else "48"
                )
                expected.append(tone(2, rate, channels, first=seconds).mean(axis=1))
                seconds += 2
            changed = any(parts[n][0] != rate for n in names)
            corpus.add(
                f"mp3_{'_'.join(names)}{'' if bare else '_info'}.mp3",
                "B-mp3-change",
                "changes from " + " to ".join(names),
                data,
                [lambda e=expected: join(*e)],
                rate,
                damaged=None,
                slack=5 * FRAME * len(names),
                tolerance=None,
                loose=[(k - 0.3, k + 0.6) for k in range(2, seconds, 2)]
                + [(k - 0.3, k + 0.3) for k in range(1, seconds)],
                words="" if not changed else "",
            )
    x = tone(4, RATE, 2)
    joint = lame(x, RATE, "-t", "-b", "128", "-m", "j") + lame(
        tone(2, RATE, 2, first=4), RATE, "-t", "-m", "s", "-b", "128"
    )
    corpus.add(
        "mp3_joint_to_stereo.mp3",
        "B-mp3-change",
        "joint stereo to plain stereo",
        joint,
        lambda: by(joint),
        RATE,
        damaged=None,
        loose=[(3.9, 4.3)],
        slack=2 * FRAME,
    )
