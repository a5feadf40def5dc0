"""ISO media in fragments, with other tracks, with other codecs."""

import struct
import tempfile

from kinds.aac import AAC, by, m4a, raw
from sound import by_ffmpeg, ffmpeg, quantized, source_of, tone

RATE = 44100
FRAME = 1024


def wrappings(corpus):
    """B: fragments, index in front or behind, other tracks, other codecs."""
    kind = "B-mp4"
    x = tone(4, RATE, 2)
    whole = m4a(x)
    options = dict(slack=2 * FRAME, tolerance=1e-3)

    def copy(ending, *flags):
        return ffmpeg(whole, ending, "-c:a", "copy", *flags, before=".m4a")

    made = {
        "front.m4a": copy(".m4a", "-movflags", "+faststart"),
        "behind.m4a": whole,
        "fragments.mp4": copy(".mp4", "-movflags", "+frag_keyframe+empty_moov"),
        "fragments_1s.mp4": copy(
            ".mp4", "-movflags", "+empty_moov+default_base_moof", "-frag_duration", "1000000"
        ),
        "fragments_dash.mp4": copy(
            ".mp4", "-movflags", "+dash+global_sidx", "-frag_duration", "500000"
        ),
        "fragments_delay.mp4": copy(".mp4", "-movflags", "+frag_every_frame+delay_moov"),
        "quicktime.mov": copy(".mov"),
        "three_gp.3gp": copy(".3gp"),
        "audiobook.m4b": copy(".m4b", "-f", "ipod"),
    }
    for name, data in made.items():
        ending = name[name.index(".") :]
        corpus.add(
            f"mp4_{name}",
            kind,
            f"AAC, {name}",
            data,
            [
                lambda d=data, e=ending: by_ffmpeg(d, e),
                lambda: raw(whole),
                lambda: raw(whole)[FRAME:],
            ],
            RATE,
            damaged=None if "fragments" in name else False,
            **options,
        )
    source = source_of(x, RATE)
    for name, codec, ending, rate, want in (
        ("alac", ("-c:a", "alac"), ".m4a", RATE, quantized(x)),
        ("flac", ("-c:a", "flac", "-strict", "-2"), ".mp4", RATE, quantized(x)),
        ("alac_24", ("-c:a", "alac", "-sample_fmt", "s32p"), ".m4a", RATE, quantized(x)),
        ("opus", ("-c:a", "libopus", "-ar", "48000", "-strict", "-2"), ".mp4", 48000, None),
        ("mp3", ("-c:a", "libmp3lame"), ".mp4", RATE, None),
        ("ac3", ("-c:a", "ac3"), ".mp4", RATE, None),
        ("mp2", ("-c:a", "mp2"), ".mp4", RATE, None),
        ("vorbis", ("-c:a", "libvorbis", "-strict", "-2"), ".mp4", RATE, None),
    ):
        data = ffmpeg(source, ending, *codec)
        corpus.add(
            f"mp4_{name}{ending}",
            kind,
            f"{name} in MP4",
            data,
            want if want is not None else (lambda d=data, e=ending: by_ffmpeg(d, e)),
            rate,
            damaged=None if want is None else False,
            slack=3000 if want is None else 0,
            tolerance=5e-3 if want is None else 1e-5,
            loose=[(0, 0.1)] if want is None else (),
            fails="unsupported" if name not in ("alac", "alac_24", "opus") else (),
            words={
                "ac3": "(?i)ac-?3|dolby",
                "mp2": "(?i)mp2|layer|mpeg|^$",
                "vorbis": "(?i)vorbis|^$",
                "flac": "(?i)flac|^$",
            }.get(name, ""),
        )
    frag = ffmpeg(
        source,
        ".mp4",
        "-c:a",
        "flac",
        "-strict",
        "-2",
        "-movflags",
        "+frag_keyframe+empty_moov",
        "-frag_duration",
        "500000",
    )
    corpus.add(
        "mp4_flac_fragments.mp4",
        kind,
        "FLAC in fragments",
        frag,
        quantized(x),
        RATE,
        tolerance=1e-5,
        fails="unsupported",
    )
    video = ffmpeg(
        source,
        ".mp4",
        "-f",
        "lavfi",
        "-i",
        "testsrc=size=64x64:rate=10:duration=4",
        "-map",
        "1:v",
        "-map",
        "0:a",
        "-c:v",
        "mpeg4",
        *AAC,
    )
    corpus.add(
        "mp4_video_first.mp4",
        kind,
        "a video track before the sound",
        video,
        lambda: by(video),
        RATE,
        **options,
    )
    silent = ffmpeg(
        source,
        ".mp4",
        "-f",
        "lavfi",
        "-i",
        "testsrc=size=64x64:rate=10:duration=2",
        "-map",
        "1:v",
        "-c:v",
        "mpeg4",
    )
    corpus.add("mp4_video_only.mp4", "D", "video without sound", silent, fails="no_audio_track")
    chapters = (
        b";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=2000\ntitle=one\n"
        b"[CHAPTER]\nTIMEBASE=1/1000\nSTART=2000\nEND=4000\ntitle=two\n"
    )
    with tempfile.NamedTemporaryFile(suffix=".txt") as file:
        file.write(chapters)
        file.flush()
        extra = ("-i", file.name, "-map_metadata", "1", "-map", "0:a", "-c:a", "copy", "-f", "ipod")
        book = ffmpeg(whole, ".m4b", *extra, before=".m4a")
    corpus.add("mp4_chapters.m4b", kind, "a chapter track", book, lambda: by(book), RATE, **options)
    for name, end in {
        "zeros": bytes(3000),
        "junk": b"\x55" * 3000,
        "id3v1": b"TAG" + bytes(125),
        "free": struct.pack(">I4s", 16, b"free") + bytes(8),
    }.items():
        corpus.add(
            f"mp4_then_{name}.m4a",
            kind,
            f"behind the index: {name}",
            whole + end,
            lambda: by(whole),
            RATE,
            damaged=None,
            **options,
        )
