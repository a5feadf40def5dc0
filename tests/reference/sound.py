"""Test signals, encoders and reference decoders: everything that runs another program."""

import os
import struct
import subprocess
import tempfile

import numpy as np


def tone(seconds, rate=44100, channels=1, first=0):
    """Returns [samples, channels] with a pitch of its own per second and channel.

    Second k of channel 0 has 300 + 50 k Hz, so a second in the wrong place is seen by its pitch.
    `first` is the k of the first second. Other channels are quieter, with other pitches.
    """
    n = int(round(seconds * rate))
    t = np.arange(n)
    pitch = 300.0 + 50.0 * (first + t // rate)
    columns = []
    for c in range(channels):
        phase = np.cumsum(pitch * (1 + 0.37 * c)) / rate
        columns.append((0.4 if c == 0 else 0.2) * np.sin(2 * np.pi * phase))
    return np.stack(columns, axis=1)


def noise(seconds, rate=44100, channels=1, seed=1):
    """Returns quiet white noise, the same for each run."""
    rng = np.random.default_rng(seed)
    return 0.1 * rng.standard_normal((int(seconds * rate), channels))


def to_int(x, bits):
    """Returns `x` (full scale 1) as integers of `bits` bits."""
    top = 2 ** (bits - 1)
    return np.clip(np.round(x * top), -top, top - 1).astype(np.int64)


def quantized(x, bits=16):
    """Returns the mean of channels that a lossless decoder gives of `x` in `bits` bits."""
    return (to_int(x, bits) / 2 ** (bits - 1)).mean(axis=1).astype(np.float32)


def int_bytes(x, bits, big=False):
    """Returns interleaved signed samples of 8, 16, 24 or 32 bits."""
    size = bits // 8
    words = to_int(x, bits).astype("<i8").reshape(-1, 1).view(np.uint8).reshape(-1, 8)[:, :size]
    return (words[:, ::-1] if big else words).tobytes()


def wav_bytes(x, bits):
    """Returns samples as WAV has them: of 8 bits unsigned, of more signed."""
    data = int_bytes(x, bits)
    return bytes(b ^ 128 for b in data) if bits == 8 else data


def wav(x, rate, bits=16):
    """Returns a plain WAV file."""
    channels = x.shape[1]
    fmt = struct.pack(
        "<HHIIHH", 1, channels, rate, rate * channels * bits // 8, channels * bits // 8, bits
    )
    return riff([(b"fmt ", fmt), (b"data", wav_bytes(x, bits))])


MASKS = {1: 4, 2: 3, 3: 7, 4: 0x33, 5: 0x37, 6: 0x3F, 7: 0x70F, 8: 0x63F}


def extensible(x, rate, bits=16):
    """Returns a WAV that says where its channels belong, as encoders want it for more than two."""
    channels, size = x.shape[1], bits // 8 * x.shape[1]
    fmt = struct.pack(
        "<HHIIHHHHI", 0xFFFE, channels, rate, rate * size, size, bits, 22, bits, MASKS[channels]
    )
    fmt += struct.pack("<H", 1) + bytes.fromhex("000000001000800000aa00389b71")
    return riff([(b"fmt ", fmt), (b"data", wav_bytes(x, bits))])


def source_of(x, rate, bits=16):
    """Returns the WAV that an encoder is given."""
    return (extensible if x.shape[1] > 2 else wav)(x, rate, bits)


def riff(chunks, size=None, form=b"RIFF"):
    """Returns a RIFF file of (name, body) chunks, padded to even lengths."""
    body = b"WAVE"
    for name, chunk in chunks:
        body += name + struct.pack("<I", len(chunk)) + chunk + b"\0" * (len(chunk) % 2)
    return form + struct.pack("<I", len(body) if size is None else size) + body


def run(*command, stdin=b"", fails=False):
    """Runs a command and returns its stdout."""
    done = subprocess.run([str(c) for c in command], input=stdin, capture_output=True, check=False)
    if done.returncode and not fails:
        raise RuntimeError(f"{command[0]} failed: {command}\n{done.stderr.decode()[-500:]}")
    return done.stdout


def through_files(before, after, stdin, *command):
    """Runs a command on a temporary file named `IN` and returns the file that it wrote to `OUT`."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = os.path.join(folder, "in" + before), os.path.join(folder, "out" + after)
        with open(source, "wb") as file:
            file.write(stdin)
        run(*[{"IN": source, "OUT": target}.get(c, c) for c in command])
        with open(target, "rb") as file:
            return file.read()


# Encoders. The same input gives the same bytes for one version of a program.

EXACT = (
    "-fflags",
    "+bitexact",
    "-flags:a",
    "+bitexact",
    "-flags:v",
    "+bitexact",
    "-map_metadata",
    "-1",
)


def ffmpeg(source, ending, *options, before=".wav"):
    """Encodes `source` (bytes of a file) with ffmpeg."""
    return through_files(
        before, ending, source, "ffmpeg", "-v", "error", "-y", "-i", "IN", *options, *EXACT, "OUT"
    )


def lame(x, rate, *options):
    """Encodes to MP3. `-t` leaves the Info tag out."""
    return through_files(
        ".wav",
        ".mp3",
        wav(x, rate),
        "lame",
        "--quiet",
        "--resample",
        f"{rate / 1000:g}",
        *options,
        "IN",
        "OUT",
    )


def oggenc(x, rate, *options):
    """Encodes to Ogg Vorbis."""
    return through_files(
        ".wav", ".ogg", source_of(x, rate), "oggenc", "-Q", "-s", "1", *options, "IN", "-o", "OUT"
    )


def opusenc(x, rate, *options):
    """Encodes to Ogg Opus."""
    return through_files(
        ".wav",
        ".opus",
        source_of(x, rate),
        "opusenc",
        "--quiet",
        "--serial",
        "1",
        *options,
        "IN",
        "OUT",
    )


def flac(x, rate, *options, bits=16):
    """Encodes to FLAC. `-8`, `--ogg`, `--blocksize=N` and so on."""
    return through_files(
        ".wav", ".flac", source_of(x, rate, bits), "flac", "-s", "-f", *options, "IN", "-o", "OUT"
    )


def fdkaac(x, rate, ending, *options):
    """Encodes to AAC-LC, HE-AAC (`-p 5`) or HE-AAC v2 (`-p 29`), without the time of day."""
    source = source_of(x, rate)
    data = through_files(".wav", ending, source, "fdkaac", "-S", *options, "IN", "-o", "OUT")
    if ending == ".m4a":
        for name in (b"mvhd", b"tkhd", b"mdhd"):
            at = data.index(name) + 8
            data = data[:at] + bytes(8) + data[at + 8 :]
    return data


# Reference decoders. Each takes the bytes of a file and returns the mean of channels.


def _mean(raw, channels):
    x = np.frombuffer(raw[: len(raw) // (4 * channels) * 4 * channels], "<f4")
    return x.reshape(-1, channels).astype(np.float64).mean(axis=1).astype(np.float32)


def channels_of(data, ending):
    """Returns the channels of the first audio stream, as ffprobe tells them."""
    with tempfile.NamedTemporaryFile(suffix=ending) as file:
        file.write(data)
        file.flush()
        out = run(
            "ffprobe",
            "-v",
            "quiet",
            "-select_streams",
            "a:0",
            "-show_entries",
            "stream=channels",
            "-of",
            "csv=p=0",
            file.name,
            fails=True,
        )
    return int(out.split()[0].split(b",")[0])


def by_ffmpeg(data, ending, *options):
    """Decodes with ffmpeg, at the file's own rate. `options` stand before the input."""
    channels = channels_of(data, ending)
    with tempfile.NamedTemporaryFile(suffix=ending) as file:
        file.write(data)
        file.flush()
        raw = run(
            "ffmpeg",
            "-v",
            "quiet",
            *options,
            "-i",
            file.name,
            "-map",
            "a:0",
            "-f",
            "f32le",
            "-",
            fails=True,
        )
    return _mean(raw, channels)


def by_wav(data, ending, *command):
    """Decodes with a program that writes a WAV of 16 or 24 bits or floats."""
    return from_wav(through_files(ending, ".wav", data, *command))


def from_wav(data):
    """Reads a WAV that a reference decoder wrote. Its sizes may be unset."""
    fmt = data.index(b"fmt ") + 8
    code, channels, _, _, _, bits = struct.unpack("<HHIIHH", data[fmt : fmt + 16])
    at = data.index(b"data") + 8
    body = data[at:]
    if bits == 32 and code in (3, 0xFFFE):
        return _mean(body, channels)
    if bits == 16:
        x = np.frombuffer(body[: len(body) // 2 * 2], "<i2") / 32768.0
    else:
        b = np.frombuffer(body[: len(body) // 3 * 3], np.uint8).reshape(-1, 3).astype(np.int64)
        x = (((b[:, 0] | b[:, 1] << 8 | b[:, 2] << 16) ^ 0x800000) - 0x800000) / 2.0**23
    x = x[: len(x) // channels * channels]
    return x.reshape(-1, channels).mean(axis=1).astype(np.float32)


def by_oggdec(data):
    """Decodes Ogg Vorbis with libvorbis, to 16 bits."""
    return by_wav(data, ".ogg", "oggdec", "-Q", "IN", "-o", "OUT")


def by_opusdec(data):
    """Decodes Ogg Opus with libopus, to floats at 48 kHz."""
    return by_wav(data, ".opus", "opusdec", "--quiet", "--rate", "48000", "--float", "IN", "OUT")


def by_flac(data, *options):
    """Decodes FLAC with libFLAC."""
    return by_wav(data, ".flac", "flac", "-s", "-d", "-f", *options, "IN", "-o", "OUT")


def silence(samples):
    """Returns what a hole is filled with."""
    return np.zeros(int(samples), np.float32)


def join(*parts):
    """Returns stretches of samples, one after the other."""
    return np.concatenate([np.asarray(p, np.float32) for p in parts])
