"""MIDI to audio: a soundfont, then tone, level, saturation and noise."""

import os
import subprocess

import numpy as np
from scipy.io import wavfile
from scipy.signal import butter, resample_poly, sosfilt

RATE = 22050
SAMPLES = 661794  # about 30 s
# name: (file, weight)
SOUNDFONTS = {
    "FluidR3_GM": ("/usr/share/sounds/sf2/FluidR3_GM.sf2", 3),
    "TimGM6mb": ("/usr/share/sounds/sf2/TimGM6mb.sf2", 3),
    "MuseScore_Lite": ("/usr/share/sounds/sf3/MuseScore_General_Lite.sf3", 2),
    "OPL3": ("/usr/share/sounds/sf2/OPL-3_FM_128M.sf2", 1),
    "sf_GMbank": ("/usr/share/sounds/sf2/sf_GMbank.sf2", 4),
}
# used in test only; MuseScore's would not do, because it descends from FluidR3
TEST_SOUNDFONTS = {"sf_GMbank"}


def choose_soundfont(rng, split):
    """Draws a soundfont by weight. Those for test occur in no other split."""
    names = [n for n in SOUNDFONTS if split == "test" or n not in TEST_SOUNDFONTS]
    return rng.choices(names, [SOUNDFONTS[n][1] for n in names])[0]


def synthesize(rng, midi_path, soundfont, folder):
    """Returns mono float samples of the whole file at RATE, with random reverb."""
    wav = os.path.join(folder, "song.wav")
    options = [
        "synth.dynamic-sample-loading=1",
        "synth.polyphony=256",
        f"synth.reverb.room-size={rng.uniform(0.1, 0.85):.2f}",
        f"synth.reverb.level={rng.choice([0, 0.2, 0.4, 0.7, 0.9]):.2f}",
        "synth.reverb.damp=0.3",
        f"synth.chorus.active={rng.choice([0, 1])}",
    ]
    command = ["fluidsynth", "-ni", "-q", "-F", wav, "-T", "wav", "-O", "s16"]
    command += ["-r", str(2 * RATE), "-g", "0.35"]
    for option in options:
        command += ["-o", option]
    command += [SOUNDFONTS[soundfont][0], midi_path]
    subprocess.run(command, check=True, capture_output=True)
    _, samples = wavfile.read(wav)
    mono = samples.astype(np.float32).mean(1) / 32768
    return resample_poly(mono, 1, 2).astype(np.float32)


def excerpt(rng, samples):
    """Returns SAMPLES samples from a random start."""
    start = int(rng.uniform(1, 6) * RATE)
    cut = samples[start : start + SAMPLES]
    if len(cut) < SAMPLES and len(samples) >= SAMPLES:
        return samples[-SAMPLES:]
    if len(cut) < SAMPLES:
        return np.pad(samples, (0, SAMPLES - len(samples)))
    return cut


def _filter(samples, order, hertz, kind):
    return sosfilt(butter(order, hertz, kind, fs=RATE, output="sos"), samples)


def _level(samples, rms):
    return samples / (np.sqrt((samples**2).mean()) + 1e-9) * rms


def master(rng, samples):
    """Applies tone controls, band limits, saturation, noise and a random level."""
    noise = np.random.default_rng(rng.randrange(2**31))
    x = _level(samples, 0.1)
    low = _filter(x, 1, rng.uniform(150, 400), "low")
    high = _filter(x, 1, rng.uniform(2000, 5000), "high")
    bass = 10 ** (rng.uniform(-4, 4) / 20) - 1
    treble = 10 ** (rng.uniform(-4, 5) / 20) - 1
    x = x + low * bass + high * treble
    if rng.random() < 0.4:
        x = _filter(x, 4, rng.uniform(5500, 10000), "low")
    x = _filter(x, 2, rng.uniform(25, 70), "high")
    drive = rng.uniform(0.5, 4)
    x = np.tanh(_level(x, 0.1) * drive) / drive
    x = x + noise.standard_normal(len(x)) * 0.1 * 10 ** (-rng.uniform(35, 65) / 20)
    x = _level(x, 10 ** (-rng.uniform(13, 22) / 20))
    return _tame_peaks(x)


def _tame_peaks(x):
    """Scales down, or limits softly if the peaks are far too high."""
    peak = np.abs(x).max()
    if peak <= 0.97:
        return x
    if peak < 1.6:
        return x * (0.97 / peak)
    limited = np.sign(x) * (0.7 + 0.27 * np.tanh((np.abs(x) - 0.7) / 0.27))
    return np.where(np.abs(x) > 0.7, limited, x)


def write_wav(path, samples):
    """Writes a 16-bit mono WAV file."""
    wavfile.write(path, RATE, (np.clip(samples, -1, 1) * 32767).astype(np.int16))
