"""Files that cannot be read, or hardly, and what is said of them."""

import io
import struct
import zipfile
import zlib

import numpy as np

from bytes_of import ogg, page_of
from sound import (
    by_ffmpeg,
    ffmpeg,
    flac,
    int_bytes,
    lame,
    oggenc,
    quantized,
    riff,
    through_files,
    tone,
    wav,
)

RATE = 22050


def unsupported(corpus):
    """Formats without a reader, each under its own name: the message says which."""
    wide = wav(tone(2, 44100, 2), 44100)
    eight = wav(tone(2, 8000, 1), 8000)

    def add(name, odd, data, words, fails="unsupported"):
        corpus.add(name, "D", odd, data, None, fails=fails, words=f"(?i){words}")

    def with_ffmpeg(ending, *options, of=wide):
        return lambda: ffmpeg(of, ending, *options)

    add(
        "speex.ogg",
        "Ogg Speex by ffmpeg",
        with_ffmpeg(".ogg", "-c:a", "libspeex", of=wav(tone(2, 16000, 1), 16000)),
        "speex",
    )
    add(
        "speex.spx",
        "Ogg Speex by speexenc",
        lambda: through_files(
            ".wav", ".spx", wav(tone(2, 16000, 1), 16000), "speexenc", "--quiet", "IN", "OUT"
        ),
        "speex",
    )
    for name, packet in (
        ("CELT", b"CELT    1.0"),
        ("OggPCM", b"PCM     \0\0\0\0"),
        ("MIDI", b"OggMIDI\0"),
        ("Dirac", b"BBCD\0"),
        ("Kate", b"\x80kate\0\0\0"),
        ("VP8", b"OVP80\1\1\0"),
        ("unknown", b"whatever this is"),
    ):
        add(
            f"ogg_{name}.ogg",
            f"Ogg with {name} alone",
            ogg([page_of([packet + bytes(60)], 0, 0, 2), page_of([b"abc"], 5, 1, 4)]),
            "celt|pcm|midi|dirac|kate|vp8|codec|audio track|ogg",
            fails=["unsupported", "no_audio_track"],
        )
    add(
        "wma1.wma",
        "Windows Media Audio 1",
        with_ffmpeg(".wma", "-c:a", "wmav1"),
        "windows media|asf|wma",
    )
    add(
        "wma2.wma",
        "Windows Media Audio 2",
        with_ffmpeg(".wma", "-c:a", "wmav2"),
        "windows media|asf|wma",
    )
    add(
        "wma2.mp3",
        "Windows Media Audio under the name of MP3",
        with_ffmpeg(".wma", "-c:a", "wmav2"),
        "windows media|asf|wma",
    )
    add(
        "real.ra",
        "RealAudio 1.0",
        with_ffmpeg(".rm", "-c:a", "real_144", of=eight),
        "real",
        fails=["unsupported"],
    )
    add(
        "real_ac3.rm", "RealMedia", with_ffmpeg(".rm", "-c:a", "ac3"), "real", fails=["unsupported"]
    )
    add("tta.tta", "True Audio", with_ffmpeg(".tta"), "true audio|tta")
    add("wavpack.wv", "WavPack", with_ffmpeg(".wv", "-c:a", "wavpack"), "wavpack")
    add("ac3.ac3", "AC-3", with_ffmpeg(".ac3"), "ac-?3|dolby")
    add("eac3.eac3", "E-AC-3", with_ffmpeg(".eac3"), "ac-?3|dolby")
    add("dts.dts", "DTS", with_ffmpeg(".dts", "-c:a", "dca", "-strict", "-2"), "dts")
    add("caf.caf", "Core Audio Format", with_ffmpeg(".caf", "-c:a", "pcm_s16be"), "core audio|caf")
    add(
        "caf_alac.caf",
        "Core Audio Format, ALAC",
        with_ffmpeg(".caf", "-c:a", "alac"),
        "core audio|caf",
    )
    add("matroska.mka", "Matroska", with_ffmpeg(".mka", "-c:a", "libvorbis"), "matroska")
    add(
        "webm.webm",
        "WebM",
        with_ffmpeg(".webm", "-c:a", "libopus", "-ar", "48000"),
        "matroska|webm",
    )
    add(
        "flv.flv",
        "Flash video",
        with_ffmpeg(".flv", "-c:a", "libmp3lame"),
        "flash|flv",
        fails=["unsupported"],
    )
    add("ts.ts", "MPEG transport stream", with_ffmpeg(".ts", "-c:a", "mp2"), "transport|mpeg")
    add(
        "ts_aac.ts",
        "MPEG transport stream, AAC",
        with_ffmpeg(".ts", "-c:a", "aac"),
        "transport|mpeg",
    )
    add("ps.mpg", "MPEG program stream", with_ffmpeg(".mpg", "-c:a", "mp2"), "program|mpeg")
    add("avi.avi", "AVI", with_ffmpeg(".avi", "-c:a", "libmp3lame"), "avi")
    head = b"#!AMR\n" + (b"\x3c" + bytes(31)) * 50
    add("amr.amr", "AMR", head, "amr")
    add("amr_wb.amr", "AMR-WB", b"#!AMR-WB\n" + (b"\x14" + bytes(36)) * 50, "amr")
    dsf = (
        b"DSD "
        + struct.pack("<QQQ", 28, 28 + 52 + 12 + 8192, 0)
        + b"fmt "
        + struct.pack("<QIIIIIIQII", 52, 1, 0, 2, 2, 2822400, 1, 32768, 4096, 0)
    )
    add("dsf.dsf", "DSD", dsf + b"data" + struct.pack("<Q", 12 + 8192) + b"\x69" * 8192, "dsd")
    add("dff.dff", "DSDIFF", b"FRM8" + struct.pack(">Q", 8300) + b"DSD " + bytes(8300), "dsd")
    add("ape.ape", "Monkey's Audio", b"MAC " + struct.pack("<HH", 3990, 0) + bytes(4000), "monkey")
    add("musepack.mpc", "Musepack 8", b"MPCKSH" + bytes(3000), "musepack")
    add("musepack7.mpc", "Musepack 7", b"MP+\x07" + bytes(3000), "musepack")
    add(
        "ofr.ofr",
        "OptimFROG",
        b"OFR \x0f\0\0\0" + bytes(3000),
        "optimfrog|known",
        fails=["unsupported", "unknown_format"],
    )
    add(
        "shorten.shn",
        "Shorten",
        b"ajkg\2" + bytes(n * 7 & 255 for n in range(3000)),
        "shorten|known",
        fails=["unsupported", "unknown_format"],
    )
    midi = (
        b"MThd"
        + struct.pack(">IHHH", 6, 0, 1, 96)
        + b"MTrk"
        + struct.pack(">I", 12)
        + b"\0\x90\x40\x40\x60\x80\x40\x40\0\xff\x2f\0"
    )
    add("midi.mid", "MIDI", midi, "midi")
    add(
        "midi_rmi.rmi",
        "MIDI in RIFF",
        b"RIFF"
        + struct.pack("<I", 20 + len(midi))
        + b"RMIDdata"
        + struct.pack("<I", len(midi))
        + midi,
        "midi|known",
        fails=["unsupported", "unknown_format"],
    )
    add(
        "mod.mod",
        "a tracker module",
        b"a song".ljust(1080, b"\0") + b"M.K." + bytes(4000),
        "known|tracker|module",
        fails=["unknown_format", "unsupported"],
    )
    add(
        "nist.sph",
        "NIST SPHERE",
        b"NIST_1A\n   1024\nsample_rate -i 16000\nend_head\n".ljust(1024) + bytes(8000),
        "sphere",
    )


def not_audio(corpus):
    """Files that are no audio, whatever they are called."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("a.txt", (2020, 1, 1, 0, 0, 0)), "some text\n" * 500)
    jpeg = (
        b"\xff\xd8\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0"
        + zlib.compress(bytes(range(256)) * 40)
        + b"\xff\xd9"
    )
    files = {
        "text.mp3": b"This is not music.\n" * 400,
        "html.mp3": b"<!DOCTYPE html><html><body>404 not found</body></html>\n" * 20,
        "zip.wav": packed.getvalue(),
        "empty.mp3": b"",
        "empty.wav": b"",
        "one_byte.mp3": b"\xff",
        "sync_only.mp3": b"\xff\xfb",
        "jpeg.mp3": jpeg,
        "jpeg.jpg": jpeg,
        "zeros.wav": bytes(20000),
        "zeros.mp3": bytes(300_000),
        "ff.mp3": b"\xff" * 20000,
        "pdf.flac": b"%PDF-1.4\n" + b"1 0 obj <<>> endobj\n" * 100,
        "png.ogg": b"\x89PNG\r\n\x1a\n" + bytes(2000),
        "gzip.mp3": b"\x1f\x8b\x08" + zlib.compress(b"x" * 9000),
        "elf.wav": b"\x7fELF\2\1\1" + bytes(5000),
        "playlist.mp3": b"#EXTM3U\n#EXTINF:1,a\na.mp3\n",
        "id3_only.mp3": b"ID3\4\0\0\0\0\x10\0" + bytes(2048),
        "id3v1_only.mp3": b"TAG" + bytes(125),
        "random.mp3": np.random.default_rng(3).bytes(50_000),
        "random_1m.mp3": np.random.default_rng(4).bytes(1 << 20),
        "apple_double.mp3": b"\0\5\x16\7\0\2\0\0Mac OS X" + bytes(4000),
        "riff_webp.wav": b"RIFF" + struct.pack("<I", 2000) + b"WEBPVP8 " + bytes(2000),
        "form_8svx.aiff": b"FORM" + struct.pack(">I", 2000) + b"8SVX" + bytes(2000),
        "oggs_only.ogg": b"OggS",
        "flac_only.flac": b"fLaC",
        "au_only.au": b".snd",
    }
    for name, data in files.items():
        corpus.add(
            "no_" + name,
            "D",
            "no audio: " + name,
            data,
            None,
            fails=["empty", "unknown_format", "damaged", "unsupported"] if data else ["empty"],
        )


def extremes(corpus):
    """Short, silent and constant files: right as samples. The classifier says what they are."""

    def add(name, odd, data, want, rate=RATE, **options):
        corpus.add(
            name,
            "D",
            odd,
            data,
            want,
            rate,
            **{"tolerance": 1e-5, "fails": ["too_short"], **options},
        )

    for n in (1, 2, 10, 220, 221):
        x = tone(1, RATE, 1)[:n]
        add(f"samples_{n}.wav", f"{n} samples", wav(x, RATE), quantized(x))
    for level in (1.0, 0.5, -0.25, 0.0):
        x = np.full((2 * RATE, 1), level)
        add(f"dc_{level}.wav", f"a constant of {level}", wav(x, RATE), quantized(x))
    tone_ = tone(2, RATE, 1)
    anti = np.concatenate([tone_, -tone_], axis=1)
    add(
        "antiphase.wav",
        "antiphase stereo: the mean is silence",
        wav(anti, RATE),
        quantized(anti),
        tolerance=5e-5,
        fails=["cancelled"],
    )
    left = np.concatenate([tone_, 0 * tone_], axis=1)
    add("left_only.wav", "sound in the left channel alone", wav(left, RATE), quantized(left))
    for name, data in {
        "10ms.mp3": lame(tone(0.01, 44100, 1), 44100, "-b", "64"),
        "1_frame.mp3": lame(tone(0.01, 44100, 1), 44100, "-b", "64", "-t"),
        "10ms.ogg": oggenc(tone(0.01, 44100, 1), 44100),
        "10ms.m4a": ffmpeg(wav(tone(0.01, 44100, 1), 44100), ".m4a", "-c:a", "aac"),
    }.items():
        ending = name[name.index(".") :]
        corpus.add(
            "short_" + name,
            "D",
            "10 ms of sound",
            data,
            lambda d=data, e=ending: by_ffmpeg(d, e),
            44100,
            damaged=False,
            tolerance=None,
            slack=2500,
            fails=["too_short", "empty"],
        )
    x = tone(0.01, 44100, 1)
    add("short_10ms.flac", "10 ms of sound", flac(x, 44100), quantized(x), 44100)
    loud = 8 * tone(2, RATE, 1)
    fmt = struct.pack("<HHIIHH", 3, 1, RATE, RATE * 4, 4, 32)
    add(
        "loud_float.wav",
        "floats up to 3.2",
        riff([(b"fmt ", fmt), (b"data", loud.astype("<f4").tobytes())]),
        loud[:, 0],
        tolerance=1e-4,
    )
    holey = tone(2, RATE, 1).astype("<f4")
    holey[100:200] = np.nan
    want = np.nan_to_num(holey[:, 0], nan=0.0)
    add(
        "nan_few.wav",
        "100 NaN",
        riff([(b"fmt ", fmt), (b"data", holey.tobytes())]),
        want,
        damaged=True,
    )
    holey[:] = np.nan
    corpus.add(
        "nan_all.wav",
        "D",
        "nothing but NaN",
        riff([(b"fmt ", fmt), (b"data", holey.tobytes())]),
        None,
        fails="not_finite",
    )
    for rate in (1000, 4000, 768000 // 4):
        x = tone(1, rate, 1)
        add(f"rate_{rate}.wav", f"{rate} Hz", wav(x, rate), quantized(x), rate, tolerance=1e-4)
    for rate in (1, 0, 999, 4_000_000_000):
        fmt = struct.pack("<HHIIHH", 1, 1, rate, 2 * rate & 0xFFFFFFFF, 2, 16)
        corpus.add(
            f"rate_{rate}.wav",
            "D",
            f"a rate of {rate} Hz",
            riff([(b"fmt ", fmt), (b"data", int_bytes(tone(1, 8000, 1), 16))]),
            None,
            fails=["damaged", "unsupported"],
        )
    fmt = struct.pack("<HHIIHH", 1, 0, RATE, 0, 0, 16)
    corpus.add(
        "no_channels.wav",
        "D",
        "0 channels",
        riff([(b"fmt ", fmt), (b"data", bytes(4000))]),
        None,
        fails=["damaged", "unsupported"],
    )
