"""Sounds on which the pruned network must give what the original one gives."""

from pathlib import Path

import librosa
import numpy as np

from network import BANDS, FRAMES, HOP, RATE, log_mel

SAMPLES = FRAMES * HOP  # of a patch
AUDIO = {".au", ".flac", ".ogg", ".wav"}


def level(db):
    return 10 ** (db / 20)


def pink(rng):
    """Returns noise whose power falls by 3 dB an octave, with a peak of 1."""
    spectrum = np.fft.rfft(rng.standard_normal(SAMPLES))
    spectrum[1:] /= np.sqrt(np.arange(1, len(spectrum)))
    noise = np.fft.irfft(spectrum, SAMPLES)
    return noise / np.abs(noise).max()


def sine(frequency):
    """Returns a full-scale sine. `frequency` may change with time."""
    phase = 2 * np.pi * np.cumsum(np.broadcast_to(frequency, SAMPLES)) / RATE
    return np.sin(phase)


def impulse(at):
    pcm = np.zeros(SAMPLES)
    pcm[at] = 1
    return pcm


def synthetic(rng):
    """Yields (name, pcm)."""
    yield "silence", np.zeros(SAMPLES)
    for value in (1, -1, 0.01):
        yield f"DC {value}", np.full(SAMPLES, value)
    for at in (0, 5000, SAMPLES // 2, SAMPLES - 1):
        yield f"impulse at {at}", impulse(at)
    for db in (20, 0, -20, -40, -60, -80, -100):
        yield f"white noise {db} dB", rng.uniform(-1, 1, SAMPLES) * level(db)
        yield f"pink noise {db} dB", pink(rng) * level(db)
    for frequency in librosa.mel_frequencies(n_mels=BANDS, fmin=20, fmax=7990):
        yield f"sine {frequency:.0f} Hz", sine(frequency)
    for frequency in (27.5, 55, 110, 220, 440, 880, 1760, 3520, 7040):
        yield f"clipped square {frequency} Hz", np.sign(sine(frequency))
        yield f"clipped sine {frequency} Hz", np.clip(20 * sine(frequency), -1, 1)
    time = np.linspace(0, 1, SAMPLES)
    up = 20 * 400**time
    for name, frequency in {"logarithmic": up, "linear": 8000 * time}.items():
        yield f"{name} chirp", sine(frequency)
        yield f"{name} chirp down", sine(frequency[::-1])
    for rate in (1, 2, 5, 10, 31.25, 62.5, 100, 440):
        clicks = np.zeros(SAMPLES)
        clicks[:: int(RATE / rate)] = 1
        yield f"clicks {rate} Hz", clicks
        gate = np.sign(sine(rate)) > 0
        yield f"noise gated at {rate} Hz", rng.uniform(-1, 1, SAMPLES) * gate
    for name, gate in {"first": time < 0.5, "second": time >= 0.5}.items():
        yield f"noise in the {name} half", rng.uniform(-1, 1, SAMPLES) * gate


def random_sound(rng):
    """Returns a random sound: tones and a noise, each with a random envelope."""
    sound = np.zeros(SAMPLES)
    for _ in range(rng.integers(1, 12)):
        tone = sine(10 ** rng.uniform(1.5, 3.9))
        if rng.random() < 0.3:
            tone = rng.uniform(-1, 1, SAMPLES)
        points = np.sort(rng.uniform(0, SAMPLES, 6))
        envelope = np.interp(np.arange(SAMPLES), points, rng.uniform(0, 1, 6))
        sound += tone * envelope * level(rng.uniform(-60, 10))
    return sound


def random_spectrogram(rng):
    """Returns a spectrogram that no sound has to have: cells or blocks, extremes or evenly."""
    height, width = rng.choice([1, 2, 7, 30], 2)
    shape = -(-FRAMES // height), -(-BANDS // width)
    if rng.random() < 0.5:
        cells = 10.0 * rng.integers(0, 2, shape)
    else:
        cells = rng.uniform(0, 8, shape)
    return np.kron(cells, np.ones((height, width)))[:FRAMES, :BANDS]


def patches_of(path):
    """Yields the patches of an audio file, cut from the spectrogram of the whole file.

    The spectrogram of a file that is shorter than a patch is repeated.
    """
    pcm, _ = librosa.load(path, sr=RATE, mono=True)
    spectrogram = log_mel(pcm)
    if len(spectrogram) < FRAMES:
        spectrogram = np.resize(spectrogram, (FRAMES, BANDS))
    for start in range(0, len(spectrogram) - FRAMES + 1, FRAMES):
        yield spectrogram[start : start + FRAMES]


def audio_files(folder):
    return sorted(p for p in Path(folder).rglob("*") if p.suffix in AUDIO)


def patches(folders, seed, count):
    """Yields (name, patch [187, 96]) of everything: synthetic, random and recorded.

    `count` is the number of random sounds, and of random spectrograms.
    """
    rng = np.random.default_rng(seed)
    for name, pcm in synthetic(rng):
        yield name, log_mel(pcm.astype(np.float32))[:FRAMES]
    for number in range(count):
        yield f"random sound {number}", log_mel(random_sound(rng).astype(np.float32))[:FRAMES]
        yield f"random spectrogram {number}", random_spectrogram(rng)
    for folder in folders:
        for path in audio_files(folder):
            for number, patch in enumerate(patches_of(path)):
                yield f"{path.name}, patch {number}", patch
