"""The kinds of older collections: .au, depths that are no bytes, codecs of telephones."""

import struct

import numpy as np

from kinds.pcm import aiff
from sound import by_ffmpeg, ffmpeg, int_bytes, quantized, riff, source_of, through_files, tone, wav

RATE = 22050


def afsp(corpus):
    """The kinds of AFsp's samples and others: depths that are no bytes, codecs of telephones."""
    x = tone(2, RATE, 1)
    for bits, size in ((12, 2), (10, 2), (20, 3), (6, 1), (17, 3)):
        fmt = struct.pack("<HHIIHH", 1, 1, RATE, RATE * size, size, bits)
        body = int_bytes(np.round(x * 2 ** (bits - 1)) / 2 ** (bits - 1), 8 * size)
        if size == 1:
            body = bytes(b ^ 128 for b in body)
        corpus.add(
            f"wav_{bits}_bits.wav",
            "A2",
            f"WAV of {bits} bits, left-justified",
            riff([(b"fmt ", fmt), (b"data", body)]),
            quantized(x, bits),
            RATE,
            tolerance=1e-4,
            fails="unsupported",
        )
        corpus.add(
            f"aiff_{bits}_bits.aiff",
            "A2",
            f"AIFF of {bits} bits, left-justified",
            aiff(
                x,
                RATE,
                bits,
                body=int_bytes(np.round(x * 2 ** (bits - 1)) / 2 ** (bits - 1), 8 * size, True),
            ),
            quantized(x, bits),
            RATE,
            tolerance=1e-4,
            fails="unsupported",
        )
    phone = wav(tone(2, 8000, 1), 8000)
    names = {"gsm": "gsm", "g726": "g\\.?726|adpcm"}
    corpus.add(
        "wav_gsm.wav",
        "D",
        "GSM 6.10 in WAV",
        lambda: through_files(".wav", ".wav", phone, "sox", "IN", "-e", "gsm-full-rate", "OUT"),
        None,
        fails="unsupported",
        words=f"(?i){names['gsm']}|0x0*31|49",
    )
    corpus.add(
        "wav_g726.wav",
        "D",
        "G.726 in WAV",
        lambda: ffmpeg(phone, ".wav", "-c:a", "g726"),
        None,
        fails="unsupported",
        words="(?i)g.?72|0x0*45|69|adpcm",
    )
    corpus.add(
        "wav_g722.wav",
        "D",
        "G.722 in WAV",
        lambda: ffmpeg(wav(tone(2, 16000, 1), 16000), ".wav", "-c:a", "g722"),
        None,
        fails="unsupported",
        words="(?i)g.?722|0x0*28f|0x0*65|codec|format",
    )
    corpus.add(
        "wav_yamaha.wav",
        "D",
        "Yamaha ADPCM in WAV",
        lambda: ffmpeg(phone, ".wav", "-c:a", "adpcm_yamaha"),
        None,
        fails="unsupported",
        words="(?i)yamaha|adpcm|0x0*20",
    )
    corpus.add(
        "wav_ac3.wav",
        "D",
        "AC-3 in WAV",
        lambda: ffmpeg(wav(tone(2, 44100, 2), 44100), ".wav", "-c:a", "ac3"),
        None,
        fails="unsupported",
        words="(?i)ac-?3|0x2000",
    )
    corpus.add(
        "wav_wma.wav",
        "D",
        "WMA in WAV",
        lambda: ffmpeg(wav(tone(2, 44100, 2), 44100), ".wav", "-c:a", "wmav2"),
        None,
        fails="unsupported",
        words="(?i)wma|windows|0x0*161",
    )
    for code in (0x0002 + 0x100, 0x0022, 0x0050, 0x0092, 0x00FF, 0xF1AC, 0x674F):
        fmt = struct.pack("<HHIIHHH", code, 1, 8000, 1000, 32, 1, 0)
        corpus.add(
            f"wav_tag_{code:04x}.wav",
            "D",
            f"WAV of format {code:#06x}",
            riff([(b"fmt ", fmt), (b"data", bytes(range(256)) * 20)]),
            None,
            fails="unsupported",
            words=f"(?i)0x0*{code:x}|{code}|codec|format|ac-?3|truespeech|mpeg|aac|flac|vorbis",
        )
    for name, encoding in (
        ("s8", "signed-integer -b 8"),
        ("s16", "signed-integer -b 16"),
        ("s24", "signed-integer -b 24"),
        ("s32", "signed-integer -b 32"),
        ("f32", "floating-point -b 32"),
        ("f64", "floating-point -b 64"),
        ("mulaw", "mu-law"),
        ("alaw", "a-law"),
    ):
        for channels in (1, 2):
            data = through_files(
                ".wav",
                ".au",
                wav(tone(2, RATE, channels), RATE),
                "sox",
                "-D",
                "IN",
                "-e",
                *encoding.split(),
                "OUT",
            )
            corpus.add(
                f"au_{name}_{channels}.au",
                "A2",
                f".au, {name}",
                data,
                lambda d=data: by_ffmpeg(d, ".au"),
                RATE,
                tolerance=2e-5,
            )
            corpus.add(
                f"au_{name}_{channels}_unknown.au",
                "A2",
                f".au of unknown length, {name}",
                data[:8] + b"\xff" * 4 + data[12:],
                lambda d=data: by_ffmpeg(d, ".au"),
                RATE,
                tolerance=2e-5,
            )
    plain = through_files(".wav", ".au", wav(x, RATE), "sox", "-D", "IN", "OUT")
    corpus.add(
        "au_cut.au",
        "A2",
        ".au, the last third is gone",
        plain[: len(plain) * 2 // 3],
        quantized(x)[: (len(plain) * 2 // 3 - 24) // 2],
        RATE,
        damaged=True,
        tolerance=1e-4,
        slack=40,
    )
    corpus.add(
        "au_size_0.au",
        "A2",
        ".au with a size of 0",
        plain[:8] + bytes(4) + plain[12:],
        quantized(x),
        RATE,
        tolerance=1e-4,
        damaged=None,
        slack=40,
    )
    corpus.add(
        "au_header_long.au",
        "A2",
        ".au with a header of 1000 bytes",
        plain[:4] + struct.pack(">I", 1000) + plain[8:24] + bytes(976) + plain[plain[7] :],
        quantized(x),
        RATE,
        tolerance=1e-4,
        damaged=None,
        slack=40,
    )
    corpus.add(
        "au_g721.au",
        "D",
        ".au, G.721",
        plain[:12] + struct.pack(">I", 23) + plain[16:],
        None,
        fails="unsupported",
        words="(?i)g\\.?72|adpcm|encoding",
    )
    for channels in (3, 5, 6, 7):
        y = tone(2, 44100, channels)
        data = ffmpeg(source_of(y, 44100), ".m4a", "-c:a", "alac")
        corpus.add(
            f"alac_{channels}ch.m4a",
            "B-mp4",
            f"ALAC, {channels} channels",
            data,
            quantized(y),
            44100,
            tolerance=1e-5,
            fails="unsupported",
        )
    for channels in (1, 2):
        y = tone(2, 44100, channels)
        data = ffmpeg(wav(y, 44100, 24), ".m4a", "-c:a", "alac", "-sample_fmt", "s32p")
        corpus.add(
            f"alac_24_{channels}.m4a",
            "B-mp4",
            "ALAC of 24 bits",
            data,
            quantized(y, 24),
            44100,
            tolerance=1e-5,
        )
    corpus.add(
        "alac.caf",
        "D",
        "ALAC in CAF",
        lambda: ffmpeg(wav(x, RATE), ".caf", "-c:a", "alac"),
        None,
        fails="unsupported",
        words="(?i)core audio|caf",
    )
    many = ffmpeg(
        source_of(tone(2, 48000, 4), 48000),
        ".opus",
        "-c:a",
        "libopus",
        "-mapping_family",
        "255",
        "-b:a",
        "256k",
    )
    corpus.add(
        "opus_family_255.opus",
        "B-opus",
        "4 channels without an order",
        many,
        lambda: by_ffmpeg(many, ".opus"),
        48000,
        tolerance=3e-3,
        slack=700,
        fails="unsupported",
    )
