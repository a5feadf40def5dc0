"""WAV whose header or other chunks are odd."""

import struct

from bytes_of import id3v1, id3v2, text_frame
from sound import ffmpeg, int_bytes, quantized, riff, tone, wav


def broken_wav(corpus):
    """C: WAV whose header or other chunks are odd, with all of its sound."""
    rate = 16000
    x = tone(3, rate)
    data, want = int_bytes(x, 16), quantized(x)
    fmt = struct.pack("<HHIIHH", 1, 1, rate, 2 * rate, 2, 16)
    head = b"RIFF" + struct.pack("<I", 36 + len(data)) + b"WAVE"
    fmt_chunk = b"fmt " + struct.pack("<I", 16) + fmt

    def chunk(name, size, body):
        return name + struct.pack("<I", size) + body

    def add(name, odd, whole, expected=want, **options):
        corpus.add(name, "C-wav", odd, whole, expected, rate, tolerance=1e-5, **options)

    sound = chunk(b"data", len(data), data)
    for size in (0, 0x7FFFF000, 0xFFFFFFFF, 0x80000000, 0xFFFFF000, 0x7FFFFFFF, 0xFFFFFF00):
        for riff_size in sorted({0, size, 0xFFFFFFFF}):
            whole = b"RIFF" + struct.pack("<I", riff_size) + b"WAVE" + fmt_chunk
            add(
                f"wav_data_{size:x}_riff_{riff_size:x}.wav",
                f"data size {size:#x}, RIFF size {riff_size:#x}: written into a pipe",
                whole + chunk(b"data", size, data),
                damaged=None if size in (0xFFFFF000, 0xFFFFFF00) else False,
            )
    add(
        "wav_data_0_odd_end.wav",
        "data size 0 and an odd number of bytes",
        head + fmt_chunk + chunk(b"data", 0, data + b"\x55"),
    )
    add(
        "wav_data_0_list_behind.wav",
        "a LIST chunk stands between a data size of 0 and the sound",
        head + fmt_chunk + chunk(b"LIST", 4, b"INFO") + chunk(b"data", 0, data),
    )
    add(
        "wav_no_samples.wav",
        "data size 0 and nothing behind",
        head + fmt_chunk + chunk(b"data", 0, b""),
        None,
        fails="empty",
    )
    add(
        "wav_data_beyond.wav",
        "the data chunk states twice what the file has",
        head + fmt_chunk + chunk(b"data", 2 * len(data), data),
        damaged=True,
    )
    add(
        "wav_data_beyond_1.wav",
        "the data chunk states 2 bytes more than the file has",
        head + fmt_chunk + chunk(b"data", len(data) + 2, data),
        damaged=None,
    )
    add(
        "wav_data_odd.wav",
        "the data chunk has an odd length",
        head + fmt_chunk + chunk(b"data", len(data) - 1, data[:-1] + b"\0"),
        want[:-1],
        damaged=None,
    )
    info = b"INFOIART" + struct.pack("<I", 5) + b"Name\0"
    lists = {
        "odd": (chunk(b"LIST", len(info), info), "odd length without padding"),
        "odd_padded": (chunk(b"LIST", len(info), info + b"\0"), "odd length with padding"),
        "empty": (chunk(b"LIST", 0, b""), "length 0"),
        "short": (chunk(b"LIST", 2, b"IN"), "2 bytes, less than its type"),
        "inner_long": (
            chunk(b"LIST", 12, b"INFOIART" + struct.pack("<I", 900)),
            "its entry is longer than the chunk",
        ),
        "inner_huge": (
            chunk(b"LIST", 12, b"INFOIART" + struct.pack("<I", 0xFFFFFFFF)),
            "its entry states 4 GB",
        ),
        "unknown": (chunk(b"LIST", 8, b"xyzwabcd"), "an unknown type"),
        "binary": (chunk(b"LIST", 16, b"INFO" + bytes(range(200, 212))), "not text"),
        "adtl": (chunk(b"LIST", 20, b"adtllabl" + struct.pack("<II", 8, 1) + b"one\0"), "adtl"),
    }
    for name, (body, odd) in lists.items():
        add(
            f"wav_LIST_{name}_before.wav",
            f"LIST before data: {odd}",
            head + fmt_chunk + body + sound,
        )
        add(
            f"wav_LIST_{name}_behind.wav",
            f"LIST behind data: {odd}",
            head + fmt_chunk + sound + body,
        )
    add(
        "wav_LIST_beyond_behind.wav",
        "the LIST behind data states more than the file has",
        head + fmt_chunk + sound + chunk(b"LIST", 99999, info),
    )
    add(
        "wav_LIST_beyond_before.wav",
        "the LIST before data states more than the file has",
        head + fmt_chunk + chunk(b"LIST", 9999999, info + b"\0") + sound,
        damaged=None,
        fails="damaged",
    )
    add(
        "wav_LIST_too_long_before.wav",
        "the LIST before data states 7 bytes too many",
        head + fmt_chunk + chunk(b"LIST", len(info) + 8, info + b"\0") + sound,
        damaged=None,
        fails="damaged",
    )
    for size in (18, 20, 22, 24, 40):
        extra = struct.pack("<H", size - 18) + bytes(size - 18)
        add(
            f"wav_fmt_{size}.wav",
            f"a fmt chunk of {size} bytes",
            head + chunk(b"fmt ", size, fmt + extra) + sound,
        )
        lying = struct.pack("<H", 0) + bytes(size - 18)
        add(
            f"wav_fmt_{size}_zero.wav",
            f"a fmt chunk of {size} bytes whose extension says 0",
            head + chunk(b"fmt ", size, fmt + lying) + sound,
        )
    add(
        "wav_fmt_17.wav",
        "a fmt chunk of 17 bytes, padded",
        head + chunk(b"fmt ", 17, fmt + b"\0\0") + sound,
    )
    for name, body in {
        "JUNK": bytes(28),
        "bext": bytes(602),
        "id3 ": id3v2(text_frame()),
        "fact": struct.pack("<I", 7),
        "PEAK": bytes(16),
        "cue ": bytes(4),
        "iXML": b"<a/>",
        "junk": bytes(3),
        "\0\0\0\0": bytes(4),
        "FLLR": bytes(4000),
    }.items():
        plain = name.strip().strip("\0") or "nul"
        code = name.encode()
        padded = body + b"\0" * (len(body) % 2)
        add(
            f"wav_{plain}_before.wav",
            f"a chunk {plain} before data",
            head + fmt_chunk + chunk(code, len(body), padded) + sound,
        )
        add(
            f"wav_{plain}_first.wav",
            f"a chunk {plain} before fmt",
            head + chunk(code, len(body), padded) + fmt_chunk + sound,
        )
        add(
            f"wav_{plain}_behind.wav",
            f"a chunk {plain} behind data",
            head + fmt_chunk + sound + chunk(code, len(body), padded),
        )
    for size in (0, 4, 100, len(data), 0xFFFFFFFF):
        add(
            f"wav_riff_size_{size:x}.wav",
            f"RIFF size {size}",
            b"RIFF" + struct.pack("<I", size) + b"WAVE" + fmt_chunk + sound,
        )
    add(
        "wav_garbage_behind.wav",
        "300 bytes of garbage behind the data",
        head + fmt_chunk + sound + bytes(n * 37 & 255 for n in range(300)),
    )
    add("wav_id3v1_behind.wav", "an ID3v1 tag behind the data", head + fmt_chunk + sound + id3v1())
    add(
        "wav_id3v2_first.wav",
        "an ID3v2 tag before RIFF",
        id3v2(text_frame()) + head + fmt_chunk + sound,
    )
    half = len(data) // 2
    add(
        "wav_two_data.wav",
        "two data chunks",
        head + fmt_chunk + chunk(b"data", half, data[:half]) + chunk(b"data", half, data[half:]),
        [want, want[: half // 2]],
        damaged=None,
    )
    add(
        "wav_align_0.wav",
        "block align 0",
        head + chunk(b"fmt ", 16, struct.pack("<HHIIHH", 1, 1, rate, 0, 0, 16)) + sound,
        damaged=None,
        fails="damaged",
    )
    add(
        "wav_rate_bytes_wrong.wav",
        "a wrong byte rate",
        head + chunk(b"fmt ", 16, struct.pack("<HHIIHH", 1, 1, rate, 1, 2, 16)) + sound,
    )
    add(
        "wav_bits_0.wav",
        "0 bits per sample",
        head + chunk(b"fmt ", 16, struct.pack("<HHIIHH", 1, 1, rate, 0, 2, 0)) + sound,
        damaged=None,
        fails=["damaged", "unsupported"],
    )
    many = tone(1, rate, 32)
    add("wav_32ch.wav", "32 channels", wav(many, rate), quantized(many))
    ext = struct.pack("<HHIIHHHHI", 0xFFFE, 32, rate, rate * 64, 64, 16, 22, 16, 0)
    ext += struct.pack("<H", 1) + bytes.fromhex("000000001000800000aa00389b71")
    add(
        "wav_32ch_ext.wav",
        "32 channels, extensible, no mask",
        riff([(b"fmt ", ext), (b"data", int_bytes(many, 16))]),
        quantized(many),
    )
    four = tone(2, rate, 4)
    ext = struct.pack("<HHIIHHHHI", 0xFFFE, 4, rate, rate * 8, 8, 16, 22, 16, 3)
    ext += struct.pack("<H", 1) + bytes.fromhex("000000001000800000aa00389b71")
    add(
        "wav_mask_too_few.wav",
        "4 channels with a mask of 2",
        riff([(b"fmt ", ext), (b"data", int_bytes(four, 16))]),
        quantized(four),
    )
    for form in (b"RF64", b"BW64"):
        for bits in (16, 24):
            body = int_bytes(x, bits)
            f = struct.pack("<HHIIHH", 1, 1, rate, rate * bits // 8, bits // 8, bits)
            ds64 = struct.pack("<QQQI", len(body) + 80, len(body), len(x), 0)
            whole = (
                form
                + b"\xff\xff\xff\xffWAVE"
                + chunk(b"ds64", 28, ds64)
                + chunk(b"fmt ", 16, f)
                + chunk(b"data", 0xFFFFFFFF, body)
            )
            add(
                f"wav_{form.decode()}_{bits}.wav",
                f"{form.decode()} of {bits} bits",
                whole,
                quantized(x, bits),
                fails="unsupported",
                words="RF64|BW64|^$",
            )
    add(
        "wav_RIFX.wav",
        "big-endian WAV",
        b"RIFX"
        + struct.pack(">I", 36 + len(data))
        + b"WAVEfmt "
        + struct.pack(">IHHIIHH", 16, 1, 1, rate, 2 * rate, 2, 16)
        + b"data"
        + struct.pack(">I", len(data))
        + int_bytes(x, 16, True),
        fails="unsupported",
        words="RIFX|^$",
    )
    add(
        "wave64.w64",
        "Sony Wave64",
        lambda: ffmpeg(wav(x, rate), ".w64", "-c:a", "pcm_s16le"),
        None,
        fails="unsupported",
        words="Wave64",
    )
    for cut in (20, 40, 43):
        add(
            f"wav_cut_at_{cut}.wav",
            f"cut off after {cut} bytes",
            (head + fmt_chunk + sound)[:cut],
            None,
            fails=["damaged", "empty"],
        )
    add("wav_fmt_missing.wav", "no fmt chunk", head + sound, None, fails="damaged")
    add(
        "wav_data_missing.wav",
        "no data chunk",
        head + fmt_chunk + chunk(b"LIST", 4, b"INFO"),
        None,
        fails=["damaged", "empty"],
    )
    mp3 = lambda: ffmpeg(wav(tone(2, 44100), 44100), ".wav", "-c:a", "libmp3lame")
    corpus.add(
        "wav_mp3_inside.wav",
        "D",
        "MP3 in WAV",
        mp3,
        None,
        fails="unsupported",
        words="(?i)mp3|mpeg",
    )
