"""MP3: lengths in tags, joined files, changes, holes, junk; layers I and II."""

import struct

from bytes_of import (ape_tag, flipped, id3v1, id3v2, mp3_frames, patched_info, text_frame,
                      without_frames, zeroed)
from sound import (by_ffmpeg, by_wav, ffmpeg, join, lame, noise, run, silence, tone, through_files, wav)

RATE = 44100
FRAME = 1152
# What libmp3lame's files carry before the first sample: its delay and the decoder's.
DELAY = 1105


def by(data):
    return by_ffmpeg(data, ".mp3")


def untrimmed(data):
    """Decodes all frames, delay and padding too: what a decoder gives that does not trust the tag."""
    return by(data[mp3_frames(data)[1][0] :])


def counts(corpus):
    """B: an Info or Xing tag that counts wrongly. All frames are there, so all must be read."""
    for channels, rate, options, what in ((1, 44100, ("-b", "64"), "cbr"), (2, 44100, ("-V", "4"), "vbr"),
                                          (2, 22050, ("-b", "64"), "v2"), (1, 16000, ("-V", "6"), "v2vbr"),
                                          (1, 8000, ("-b", "32"), "v25")):
        x = tone(4, rate, channels)
        whole = lame(x, rate, *options)
        frames = len(mp3_frames(whole)) - 1
        bare = lame(x, rate, "-t", *options)
        corpus.add(f"mp3_info_right_{what}.mp3", "B-mp3-info", "control: the count is right", whole,
                   lambda w=whole: by(w), rate)
        corpus.add(f"mp3_no_info_{what}.mp3", "B-mp3-info", "control: no tag", bare,
                   lambda w=bare: by(w), rate)
        for n, name in ((0, "0"), (1, "1"), (frames // 4, "quarter"), (frames // 2, "half"),
                        (frames - 1, "1_less"), (frames - 10, "10_less")):
            # With a count that is wrong the end's padding is not known: it may stay.
            corpus.add(f"mp3_info_{name}_{what}.mp3", "B-mp3-info", f"the tag counts {n} of {frames} frames",
                       patched_info(whole, n), [lambda w=whole: by(w), lambda w=whole: untrimmed(w)], rate,
                       damaged=None,
                       slack=2 * FRAME)
        for n, name in ((frames + 1, "1_more"), (frames + 100, "100_more"), (0xFFFFFFFF, "max")):
            corpus.add(f"mp3_info_{name}_{what}.mp3", "B-mp3-info", f"the tag counts {n} of {frames} frames",
                       patched_info(whole, n), [lambda w=whole: by(w), lambda w=whole: untrimmed(w)], rate,
                       damaged=None,
                       slack=2 * FRAME)
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
        corpus.add(f"mp3_info_{name}.mp3", "B-mp3-info", f"Info tag: {name}", patch,
                   [lambda: by(whole), lambda: untrimmed(whole)], RATE, damaged=None,
                   slack=10000 if name == "delay_max" else 3 * FRAME,
                   loose=[(0, 9)] if name in ("delay_max", "no_frames_flag") else ())
    start, size = mp3_frames(whole)[0]
    vbri = bytearray(whole)
    vbri[start + 4 : start + size] = bytes(size - 4)
    for count, name in ((len(mp3_frames(whole)) - 1, "right"), (10, "10"), (0, "0")):
        vbri[start + 36 : start + 36 + 26] = (b"VBRI" + struct.pack(
            ">HHHIIHHHH", 1, 0, 75, len(whole), count, 1, 1, 2, 1))
        corpus.add(f"mp3_vbri_{name}.mp3", "B-mp3-info", f"a VBRI tag counts {count}", bytes(vbri),
                   [lambda d=bytes(vbri): by(d), lambda d=bytes(vbri): by(d)[FRAME:]], RATE,
                   damaged=None, slack=FRAME)


def joined(corpus):
    """B: two files in one. Every second of both must be there, at its place."""
    first = tone(3, RATE, 1)
    second = tone(3, RATE, 1, first=3)
    a, b = lame(first, RATE, "-b", "64"), lame(second, RATE, "-b", "64")
    abare, bbare = lame(first, RATE, "-t", "-b", "64"), lame(second, RATE, "-t", "-b", "64")

    for between, what in ((b"", "nothing"), (id3v1(), "ID3v1"), (id3v2(text_frame()), "ID3v2"),
                          (id3v1() + id3v2(text_frame() + bytes(2000)), "ID3v1 and ID3v2"),
                          (ape_tag(), "APE"), (ape_tag() + id3v1(), "APE and ID3v1"),
                          (bytes(5000), "zeros")):
        short = what.replace(" ", "_")
        corpus.add(f"mp3_joined_{short}.mp3", "B-mp3-joined", f"two files with Info tags, {what} between",
                   a + between + b, seam(a, b, len(between) if what == "zeros" else 0), RATE, damaged=None, slack=3 * FRAME, loose=[(2.7, 3.6)],
                   tolerance=None)
        corpus.add(f"mp3_joined_bare_{short}.mp3", "B-mp3-joined", f"two files without tags, {what} between",
                   abare + between + bbare, seam(abare, bbare, len(between) if what == "zeros" else 0), RATE, damaged=None,
                   slack=3 * FRAME,
                   loose=[(2.7, 3.6)], tolerance=None)
    corpus.add("mp3_joined_first_bare.mp3", "B-mp3-joined", "the second has an Info tag", abare + b,
               seam(abare, b), RATE, damaged=None, slack=3 * FRAME, loose=[(2.7, 3.6)], tolerance=None)
    corpus.add("mp3_joined_second_bare.mp3", "B-mp3-joined", "the first has an Info tag", a + bbare,
               seam(a, bbare), RATE, damaged=None, slack=3 * FRAME, loose=[(2.7, 3.6)], tolerance=None)
    short = lame(tone(0.5, RATE, 1, first=3), RATE, "-b", "64")
    corpus.add("mp3_joined_short.mp3", "B-mp3-joined", "the second is short", a + short,
               seam(a, short), RATE, damaged=None, slack=3 * FRAME, loose=[(2.7, 3.6)], tolerance=None)
    three = lame(tone(2, RATE, 1, first=6), RATE, "-b", "64")
    corpus.add("mp3_joined_three.mp3", "B-mp3-joined", "three files", a + b + three,
               lambda: join(by(a), by(b), by(three)), RATE, damaged=None, slack=6 * FRAME,
               loose=[(2.7, 3.6), (5.7, 6.6)], tolerance=None)
    fast = lame(second, RATE, "-b", "128")
    corpus.add("mp3_joined_bitrate.mp3", "B-mp3-joined", "the second has another bit rate", a + fast,
               seam(a, fast), RATE, damaged=None, slack=3 * FRAME, loose=[(2.7, 3.6)], tolerance=None)


def seam(one, two, junk=0):
    """Returns what two joined files may give, whether the second's delay is cut off or not, and
    whether `junk` bytes between them count as lost frames of 64 kbit/s or not."""
    return [lambda: join(by(one), by(two)), lambda: join(by(one), silence(FRAME), by(two)),
            lambda: join(by(one), silence(FRAME + DELAY), by(two)), 
            lambda: join(by(one), silence(junk * RATE // 8000), by(two))]


def changes(corpus):
    """B: the number of channels or the rate changes. The time line goes on."""
    parts = {"mono": (44100, 1), "stereo": (44100, 2), "48k": (48000, 2), "22k": (22050, 1), "32k": (32000, 1)}
    for bare in (True, False):
        tag = ("-t",) if bare else ()
        for names in (("mono", "stereo"), ("stereo", "mono"), ("mono", "stereo", "mono"),
                      ("mono", "48k"), ("48k", "mono"), ("stereo", "22k"), ("22k", "stereo"), ("mono", "32k")):
            data, seconds, expected, rate = b"", 0, [], parts[names[0]][0]
            for name in names:
                r, channels = parts[name]
                data += lame(tone(2, r, channels, first=seconds), r, *tag, "-b", "64" if r > 24000 else "48")
                expected.append(tone(2, rate, channels, first=seconds).mean(axis=1))
                seconds += 2
            changed = any(parts[n][0] != rate for n in names)
            corpus.add(f"mp3_{'_'.join(names)}{'' if bare else '_info'}.mp3", "B-mp3-change",
                       "changes from " + " to ".join(names), data, [lambda e=expected: join(*e)], rate,
                       damaged=None, slack=5 * FRAME * len(names), tolerance=None,
                       loose=[(k - 0.3, k + 0.6) for k in range(2, seconds, 2)] + [(k - .3, k + .3) for k in range(1, seconds)],
                       words="" if not changed else "")
    x = tone(4, RATE, 2)
    joint = lame(x, RATE, "-t", "-b", "128", "-m", "j") + lame(tone(2, RATE, 2, first=4), RATE, "-t", "-m", "s", "-b", "128")
    corpus.add("mp3_joint_to_stereo.mp3", "B-mp3-change", "joint stereo to plain stereo", joint,
               lambda: by(joint), RATE, damaged=None, loose=[(3.9, 4.3)], slack=2 * FRAME)


def holes(corpus):
    """B: bytes are gone, zeroed or replaced. Without time stamps, junk is a hole of unknown length."""
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
                corpus.add(f"mp3_cut_{first}_{count}_{name}.mp3", "B-mp3-hole", f"{count} frames cut out",
                           without_frames(whole, frames, first, count), closed if bare else [closed, filled], RATE,
                           loose=[(at - 0.1, at + 0.3)] if bare else around,
                           **{**exact, "damaged": None if bare else True})
                for junk, body in (("zeros", bytes(b - a)), ("junk", bytes((n * n >> 3) * 31 & 127 for n in range(b - a)))):
                    corpus.add(f"mp3_{junk}_{first}_{count}_{name}.mp3", "B-mp3-hole",
                               f"{junk} in place of {count} frames", whole[:a] + body + whole[b:],
                               [filled, closed], RATE, loose=around,
                               **{**exact, "damaged": True, "slack": 6 * FRAME, "tolerance": None})
            a = frames[90][0]
            insert = bytes((n * n >> 3) * 31 & 127 for n in range(3000))
            at = 90 * FRAME / RATE
            corpus.add(f"mp3_inserted_{name}.mp3", "B-mp3-hole", "3000 bytes of junk between frames",
                       whole[:a] + insert + whole[a:], intact, RATE, damaged=None, slack=40 * FRAME, tolerance=None,
                       loose=[(at - 0.2, 9)])
            for k, cut in ((1, 10), (2, len(whole) // 2 + 3), (3, len(whole) // 4)):
                corpus.add(f"mp3_truncated_{k}_{name}.mp3", "B-mp3-hole", f"the last {cut} bytes are gone",
                           whole[:-cut], lambda d=whole[:-cut]: by(d), RATE, damaged=None if bare or k == 1 else True,
                           slack=3 * FRAME)
    x = tone(6, RATE, 1)
    whole = lame(x, RATE, "-b", "64", "-t")
    frames = mp3_frames(whole)
    for count in (1, 10, 99, 100, 101, 150):
        data = bytearray(whole)
        for start, size in frames[60 : 60 + count]:
            data[start + 4 : start + 20] = b"\xff" * 16
        corpus.add(f"mp3_{count}_bad.mp3", "C-packets", f"{count} frames with unusable side information",
                   bytes(data), lambda: by(whole), RATE, damaged=True, slack=2 * FRAME, tolerance=0.01,
                   loose=[(60 * FRAME / RATE - 0.1, (62 + count) * FRAME / RATE + 0.1)])


def fronts(corpus):
    """C: something else stands before or behind the sound."""
    x = tone(3, RATE, 1)
    whole, bare = lame(x, RATE, "-b", "64"), lame(x, RATE, "-b", "64", "-t")
    quiet = bytes((n * n >> 3) * 31 & 127 for n in range(1 << 20))
    options = dict(rate=RATE, slack=2 * FRAME)
    for size in (100, 10_000, 65_000, 66_000, 100 << 10, 1 << 20):
        for kind, body in (("zeros", bytes(size)), ("junk", quiet[:size])):
            corpus.add(f"mp3_behind_{size}_{kind}.mp3", "C-mp3", f"{size} bytes of {kind} before the sound",
                       body + whole, lambda: by(whole), damaged=None, **options)
            corpus.add(f"mp3_bare_behind_{size}_{kind}.mp3", "C-mp3", f"{size} bytes of {kind} before bare MP3",
                       body + bare, lambda: by(bare), damaged=None, **options)
    tags = {
        "id3v2": id3v2(text_frame()), "id3v2_padded": id3v2(text_frame() + bytes(4000)),
        "id3v2_200k": id3v2(text_frame() + bytes(200_000)), "two_id3v2": id3v2(text_frame()) * 2,
        "id3v2_zero": id3v2(b""), "ape": ape_tag(), "id3v1_first": id3v1(),
        "id3v2_then_zeros": id3v2(text_frame()) + bytes(3000),
        "id3v2_then_100k": id3v2(text_frame()) + bytes(100_000),
        "id3v2_short": id3v2(text_frame() + bytes(5000), size=30),
        "id3v2_picture": id3v2(text_frame(b"APIC", b"image/jpeg\0\3\0" + b"\xff\xfb\x90\x64" * 3000)),
        "id3v2_bad_frame": id3v2(b"TIT2" + b"\x7f\x7f\x7f\x7f\0\0abc"),
        "id3v2_not_syncsafe": b"ID3\3\0\0" + struct.pack(">I", 0x80 + 300) + bytes(428),
        "id3v2_v5": b"ID3\5\0\0\0\0\0\x10" + bytes(16),
    }
    for name, tag in tags.items():
        corpus.add(f"mp3_{name}.mp3", "C-mp3", f"before the sound: {name}", tag + whole, lambda: by(whole),
                   damaged=None if "short" in name or "not_sync" in name else False, **options)
    for extra in (1, 300, 3000):
        corpus.add(f"mp3_id3v2_long_{extra}.mp3", "C-mp3", f"the ID3v2 tag states {extra} bytes too many",
                   id3v2(text_frame(), size=len(text_frame()) + extra) + whole,
                   lambda: by(whole), damaged=None, **{**options, "slack": 20 * FRAME, "loose": [(0, 9)]})
    corpus.add("mp3_id3v2_beyond.mp3", "C-mp3", "the ID3v2 tag states more than the file has",
               id3v2(text_frame(), size=0x0FFFFFFF) + whole, lambda: by(whole), damaged=None,
               fails=["empty", "damaged"], **options)
    ends = {"id3v1": id3v1(), "ape": ape_tag(), "ape_id3v1": ape_tag() + id3v1(),
            "lyrics": b"LYRICSBEGININD0000200LYRICS200" + id3v1(), "zeros": bytes(4000),
            "junk": quiet[:4000], "id3v2": id3v2(text_frame()), "text": b"the end\n" * 50,
            "zeros_100k": bytes(100_000), "ff": b"\xff" * 3000}
    for name, end in ends.items():
        corpus.add(f"mp3_then_{name}.mp3", "C-mp3", f"behind the sound: {name}", whole + end,
                   lambda: by(whole), damaged=False if name not in ("zeros", "junk", "zeros_100k", "ff", "text") else None,
                   **options)
        corpus.add(f"mp3_bare_then_{name}.mp3", "C-mp3", f"behind bare MP3: {name}", bare + end,
                   lambda: by(bare), damaged=False if name not in ("zeros", "junk", "zeros_100k", "ff", "text") else None,
                   **options)


def layers(corpus):
    """C: free format, CRC, layers I and II."""
    x = tone(3, RATE, 2)
    free = lame(x, RATE, "-t", "--freeformat", "-b", "96")
    corpus.add("mp3_free_format.mp3", "C-layers", "free format", free,
               lambda: by_wav(free, ".mp3", "mpg123", "-q", "--no-gapless", "-w", "OUT", "IN"), RATE,
               damaged=None, fails=["unsupported", "unknown_format", "damaged"], slack=2 * FRAME)
    crc = lame(x, RATE, "-p", "-b", "96")
    corpus.add("mp3_crc.mp3", "C-layers", "frames with CRC", crc, lambda: by(crc), RATE)
    for mode in ("s", "j", "d", "m"):
        data = lame(x, RATE, "-m", mode, "-b", "96")
        corpus.add(f"mp3_mode_{mode}.mp3", "C-layers", f"mode {mode}", data, lambda d=data: by(d), RATE)
    intensity = noise(3, RATE, 2)
    low = lame(intensity, RATE, "-b", "32")
    corpus.add("mp3_low_rate.mp3", "C-layers", "noise at 32 kbit/s, resampled", low, lambda: by(low),
               rate_of(low), tolerance=1e-3)
    for channels in (1, 2):
        two = through_files(".wav", ".mp2", wav(tone(3, 44100, channels), 44100), "twolame", "--quiet",
                            "IN", "OUT")
        corpus.add(f"layer2_{channels}.mp2", "C-layers", "layer II", two, lambda d=two: by_ffmpeg(d, ".mp2"), 44100,
                   damaged=None, fails=["unsupported"], words="(?i)layer|mp2|^$")
        corpus.add(f"layer2_{channels}.mp3", "C-layers", "layer II under the name of MP3", two,
                   lambda d=two: by_ffmpeg(d, ".mp2"), 44100, damaged=None, fails=["unsupported"],
                   words="(?i)layer|mp2|^$")


def rate_of(data):
    """Returns the rate of an MP3's first frame."""
    b = data[mp3_frames(data)[0][0] :]
    return {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}[b[1] >> 3 & 3][b[2] >> 2 & 3]
