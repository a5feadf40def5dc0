"""Uncompressed sound in QuickTime, AIFF and WAV, in every byte order."""

import struct

import numpy as np

from sound import by_ffmpeg, ffmpeg, int_bytes, quantized, riff, tone, wav

RATE = 22050


def ten_bytes(rate):
    """Returns a rate as AIFF's 80-bit float."""
    shift = 63 - (rate.bit_length() - 1)
    return struct.pack(">HQ", 16383 + rate.bit_length() - 1, rate << shift)


def aiff(x, rate, bits, kind=None, body=None, frames=None, ssnd_size=None):
    """Returns AIFF, or AIFF-C of compression `kind`."""
    n, channels = x.shape
    body = int_bytes(x, bits, big=True) if body is None else body
    comm = struct.pack(">hIh", channels, n if frames is None else frames, bits) + ten_bytes(rate)
    chunks = b""
    if kind:
        comm += kind + b"\0\0"
        chunks += b"FVER" + struct.pack(">II", 4, 0xA2805140)
    chunks += b"COMM" + struct.pack(">I", len(comm)) + comm
    size = len(body) + 8 if ssnd_size is None else ssnd_size
    chunks += b"SSND" + struct.pack(">III", size, 0, 0) + body + b"\0" * (len(body) % 2)
    inside = (b"AIFC" if kind else b"AIFF") + chunks
    return b"FORM" + struct.pack(">I", len(inside)) + inside


def quicktime(corpus):
    """A2: PCM in QuickTime and AIFF-C, in every byte order."""
    exact = [
        "s16be twos",
        "s16le sowt",
        "s24be in24",
        "s24le in24",
        "s32be in32",
        "s32le in32",
        "f32be fl32",
        "f32le fl32",
        "f64be fl64",
        "f64le fl64",
        "u8 raw",
        "s8 s8",
    ]
    coded = ["mulaw ulaw", "alaw alaw"]
    for channels in (1, 2):
        x = tone(2, RATE, channels)
        source = wav(x, RATE, 24)
        for line in exact + coded:
            codec, fourcc = line.split()
            data = ffmpeg(source, ".mov", "-c:a", "pcm_" + codec)
            corpus.add(
                f"mov_{codec}_{channels}.mov",
                "A2",
                f"QuickTime, {fourcc}, {codec}, {channels} channels",
                data,
                lambda d=data: by_ffmpeg(d, ".mov"),
                RATE,
                fails="unsupported",
            )
        ima = ffmpeg(source, ".mov", "-c:a", "adpcm_ima_qt")
        corpus.add(
            f"mov_ima4_{channels}.mov",
            "A2",
            "QuickTime, ima4",
            ima,
            lambda d=ima: by_ffmpeg(d, ".mov"),
            RATE,
            fails="unsupported",
            words="(?i)ima|adpcm|^$",
            tolerance=2e-3,
            slack=64,
        )
    x = tone(2, RATE, 1)
    big = ffmpeg(wav(x, RATE, 24), ".mov", "-c:a", "pcm_s24be", "-ar", "48000")
    corpus.add(
        "mov_s24be_48k.mov",
        "A2",
        "QuickTime, in24 at 48 kHz",
        big,
        lambda: by_ffmpeg(big, ".mov"),
        48000,
        fails="unsupported",
    )
    for channels in (1, 2):
        x = tone(2, RATE, channels)
        for bits in (8, 16, 24, 32):
            corpus.add(
                f"aiff_{bits}_{channels}.aiff",
                "A2",
                f"AIFF of {bits} bits",
                aiff(x, RATE, bits),
                quantized(x, bits),
                RATE,
                tolerance=1e-5,
            )
            corpus.add(
                f"aifc_none_{bits}_{channels}.aifc",
                "A2",
                f"AIFF-C NONE, {bits} bits",
                aiff(x, RATE, bits, b"NONE"),
                quantized(x, bits),
                RATE,
                tolerance=1e-5,
            )
        kinds = [
            (b"sowt", 16, int_bytes(x, 16), quantized(x, 16)),
            (b"in24", 24, int_bytes(x, 24, True), quantized(x, 24)),
            (b"in32", 32, int_bytes(x, 32, True), quantized(x, 32)),
            (b"twos", 16, int_bytes(x, 16, True), quantized(x, 16)),
            (b"fl32", 32, x.astype(">f4").tobytes(), x.mean(axis=1)),
            (b"FL32", 32, x.astype(">f4").tobytes(), x.mean(axis=1)),
            (b"fl64", 64, x.astype(">f8").tobytes(), x.mean(axis=1)),
            (b"FL64", 64, x.astype(">f8").tobytes(), x.mean(axis=1)),
            (b"23ni", 32, int_bytes(x, 32), quantized(x, 32)),
        ]
        for kind, bits, body, want in kinds:
            name = kind.decode() + ("_upper" if kind.isupper() and kind[:2] == b"FL" else "")
            corpus.add(
                f"aifc_{name}_{channels}.aifc",
                "A2",
                f"AIFF-C {kind.decode()}",
                aiff(x, RATE, bits, kind, body),
                want,
                RATE,
                tolerance=1e-5,
                fails="unsupported",
            )
        for codec in ("mulaw", "alaw"):
            data = ffmpeg(wav(x, RATE), ".aifc", "-f", "aiff", "-c:a", "pcm_" + codec)
            corpus.add(
                f"aifc_{codec}_{channels}.aifc",
                "A2",
                f"AIFF-C {codec}",
                data,
                lambda d=data: by_ffmpeg(d, ".aifc"),
                RATE,
                fails="unsupported",
                tolerance=1e-4,
            )
    x = tone(2, RATE, 1)
    cut = aiff(x, RATE, 16)
    corpus.add(
        "aiff_truncated.aiff",
        "A2",
        "AIFF cut off after 1 s",
        cut[: len(cut) - 2 * RATE],
        quantized(x)[:RATE],
        RATE,
        damaged=True,
        slack=4,
        tolerance=1e-5,
    )


def formats(corpus):
    """A2: every sample format of WAV."""
    for channels in (1, 2, 3):
        x = tone(2, RATE, channels)
        for bits in (8, 16, 24, 32):
            corpus.add(
                f"wav_{bits}_{channels}.wav",
                "A2",
                f"WAV of {bits} bits",
                wav(x, RATE, bits),
                quantized(x, bits),
                RATE,
                tolerance=1e-5,
            )
        for bits, code in ((32, "<f4"), (64, "<f8")):
            size = bits // 8 * channels
            fmt = struct.pack("<HHIIHH", 3, channels, RATE, RATE * size, size, bits)
            data = riff(
                [
                    (b"fmt ", fmt),
                    (b"fact", struct.pack("<I", len(x))),
                    (b"data", x.astype(code).tobytes()),
                ]
            )
            corpus.add(
                f"wav_f{bits}_{channels}.wav",
                "A2",
                f"WAV of {bits}-bit floats",
                data,
                x.mean(axis=1),
                RATE,
                tolerance=1e-5,
            )
        for valid, bits in ((12, 16), (20, 24), (24, 32), (20, 32), (16, 32), (24, 24)):
            size = bits // 8 * channels
            fmt = struct.pack(
                "<HHIIHHHHI",
                0xFFFE,
                channels,
                RATE,
                RATE * size,
                size,
                bits,
                22,
                valid,
                (1 << channels) - 1,
            )
            fmt += struct.pack("<H", 1) + bytes.fromhex("000000001000800000aa00389b71")
            body = int_bytes(np.round(x * 2 ** (valid - 1)) / 2 ** (valid - 1), bits)
            data = riff([(b"fmt ", fmt), (b"data", body)])
            corpus.add(
                f"wav_ext_{valid}_of_{bits}_{channels}.wav",
                "A2",
                f"WAV, extensible, {valid} valid bits of {bits}",
                data,
                quantized(x, valid),
                RATE,
                tolerance=1e-5,
            )
        for codec in ("mulaw", "alaw", "adpcm_ms", "adpcm_ima_wav"):
            if channels == 3 and "adpcm" in codec:
                continue
            full = codec if "adpcm" in codec else "pcm_" + codec
            data = ffmpeg(wav(x, RATE), ".wav", "-c:a", full)
            corpus.add(
                f"wav_{codec}_{channels}.wav",
                "A2",
                f"WAV, {codec}",
                data,
                lambda d=data: by_ffmpeg(d, ".wav"),
                RATE,
                damaged=None,
                slack=1100 if "adpcm" in codec else 0,
                tolerance=1e-3 if "adpcm" in codec else 1e-4,
            )
