"""MP3 behind and before other things; layers, modes and free format."""

import struct

from bytes_of import ape_tag, id3v1, id3v2, mp3_frames, text_frame
from kinds.mp3_lengths import by
from sound import by_ffmpeg, by_wav, lame, noise, through_files, tone, wav

RATE = 44100
FRAME = 1152


def fronts(corpus):
    """C: something else stands before or behind the sound."""
    x = tone(3, RATE, 1)
    whole, bare = lame(x, RATE, "-b", "64"), lame(x, RATE, "-b", "64", "-t")
    quiet = bytes((n * n >> 3) * 31 & 127 for n in range(1 << 20))
    options = dict(rate=RATE, slack=2 * FRAME)
    for size in (100, 10_000, 65_000, 66_000, 100 << 10, 1 << 20):
        for kind, body in (("zeros", bytes(size)), ("junk", quiet[:size])):
            corpus.add(
                f"mp3_behind_{size}_{kind}.mp3",
                "C-mp3",
                f"{size} bytes of {kind} before the sound",
                body + whole,
                lambda: by(whole),
                damaged=None,
                **options,
            )
            corpus.add(
                f"mp3_bare_behind_{size}_{kind}.mp3",
                "C-mp3",
                f"{size} bytes of {kind} before bare MP3",
                body + bare,
                lambda: by(bare),
                damaged=None,
                **options,
            )
    tags = {
        "id3v2": id3v2(text_frame()),
        "id3v2_padded": id3v2(text_frame() + bytes(4000)),
        "id3v2_200k": id3v2(text_frame() + bytes(200_000)),
        "two_id3v2": id3v2(text_frame()) * 2,
        "id3v2_zero": id3v2(b""),
        "ape": ape_tag(),
        "id3v1_first": id3v1(),
        "id3v2_then_zeros": id3v2(text_frame()) + bytes(3000),
        "id3v2_then_100k": id3v2(text_frame()) + bytes(100_000),
        "id3v2_short": id3v2(text_frame() + bytes(5000), size=30),
        "id3v2_picture": id3v2(
            text_frame(b"APIC", b"image/jpeg\0\3\0" + b"\xff\xfb\x90\x64" * 3000)
        ),
        "id3v2_bad_frame": id3v2(b"TIT2" + b"\x7f\x7f\x7f\x7f\0\0abc"),
        "id3v2_not_syncsafe": b"ID3\3\0\0" + struct.pack(">I", 0x80 + 300) + bytes(428),
        "id3v2_v5": b"ID3\5\0\0\0\0\0\x10" + bytes(16),
    }
    for name, tag in tags.items():
        corpus.add(
            f"mp3_{name}.mp3",
            "C-mp3",
            f"before the sound: {name}",
            tag + whole,
            lambda: by(whole),
            damaged=None if "short" in name or "not_sync" in name else False,
            **options,
        )
    for extra in (1, 300, 3000):
        corpus.add(
            f"mp3_id3v2_long_{extra}.mp3",
            "C-mp3",
            f"the ID3v2 tag states {extra} bytes too many",
            id3v2(text_frame(), size=len(text_frame()) + extra) + whole,
            lambda: by(whole),
            damaged=None,
            **{**options, "slack": 20 * FRAME, "loose": [(0, 9)]},
        )
    corpus.add(
        "mp3_id3v2_beyond.mp3",
        "C-mp3",
        "the ID3v2 tag states more than the file has",
        id3v2(text_frame(), size=0x0FFFFFFF) + whole,
        lambda: by(whole),
        damaged=None,
        fails=["empty", "damaged"],
        **options,
    )
    ends = {
        "id3v1": id3v1(),
        "ape": ape_tag(),
        "ape_id3v1": ape_tag() + id3v1(),
        "lyrics": b"LYRICSBEGININD0000200LYRICS200" + id3v1(),
        "zeros": bytes(4000),
        "junk": quiet[:4000],
        "id3v2": id3v2(text_frame()),
        "text": b"the end\n" * 50,
        "zeros_100k": bytes(100_000),
        "ff": b"\xff" * 3000,
    }
    for name, end in ends.items():
        corpus.add(
            f"mp3_then_{name}.mp3",
            "C-mp3",
            f"behind the sound: {name}",
            whole + end,
            lambda: by(whole),
            damaged=False if name not in ("zeros", "junk", "zeros_100k", "ff", "text") else None,
            **options,
        )
        corpus.add(
            f"mp3_bare_then_{name}.mp3",
            "C-mp3",
            f"behind bare MP3: {name}",
            bare + end,
            lambda: by(bare),
            damaged=False if name not in ("zeros", "junk", "zeros_100k", "ff", "text") else None,
            **options,
        )


def layers(corpus):
    """C: free format, CRC, layers I and II."""
    x = tone(3, RATE, 2)
    free = lame(x, RATE, "-t", "--freeformat", "-b", "96")
    corpus.add(
        "mp3_free_format.mp3",
        "C-layers",
        "free format",
        free,
        lambda: by_wav(free, ".mp3", "mpg123", "-q", "--no-gapless", "-w", "OUT", "IN"),
        RATE,
        damaged=None,
        fails=["unsupported", "unknown_format", "damaged"],
        slack=2 * FRAME,
    )
    crc = lame(x, RATE, "-p", "-b", "96")
    corpus.add("mp3_crc.mp3", "C-layers", "frames with CRC", crc, lambda: by(crc), RATE)
    for mode in ("s", "j", "d", "m"):
        data = lame(x, RATE, "-m", mode, "-b", "96")
        corpus.add(
            f"mp3_mode_{mode}.mp3", "C-layers", f"mode {mode}", data, lambda d=data: by(d), RATE
        )
    intensity = noise(3, RATE, 2)
    low = lame(intensity, RATE, "-b", "32")
    corpus.add(
        "mp3_low_rate.mp3",
        "C-layers",
        "noise at 32 kbit/s, resampled",
        low,
        lambda: by(low),
        rate_of(low),
        tolerance=1e-3,
    )
    for channels in (1, 2):
        two = through_files(
            ".wav", ".mp2", wav(tone(3, 44100, channels), 44100), "twolame", "--quiet", "IN", "OUT"
        )
        corpus.add(
            f"layer2_{channels}.mp2",
            "C-layers",
            "layer II",
            two,
            lambda d=two: by_ffmpeg(d, ".mp2"),
            44100,
            damaged=None,
            fails=["unsupported"],
            words="(?i)layer|mp2|^$",
        )
        corpus.add(
            f"layer2_{channels}.mp3",
            "C-layers",
            "layer II under the name of MP3",
            two,
            lambda d=two: by_ffmpeg(d, ".mp2"),
            44100,
            damaged=None,
            fails=["unsupported"],
            words="(?i)layer|mp2|^$",
        )


def rate_of(data):
    """Returns the rate of an MP3's first frame."""
    b = data[mp3_frames(data)[0][0] :]
    return {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}[
        b[1] >> 3 & 3
    ][b[2] >> 2 & 3]
