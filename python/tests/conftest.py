"""What the tests share: the installed package, its command, and audio files."""

import os
import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import pytest
import sonoprint

REPOSITORY = Path(__file__).resolve().parents[2]
CLIPS = REPOSITORY / "data" / "clips"
# Built-in models need no network and no GPU here.
DEVICE = "cpu"


@pytest.fixture(scope="session")
def clips():
    return CLIPS


@pytest.fixture(scope="session")
def predictor():
    return sonoprint.Predictor(device=DEVICE)


@pytest.fixture(scope="session")
def tagger():
    return sonoprint.Predictor("musicnn-msd", device=DEVICE)


@pytest.fixture(scope="session")
def command():
    """Runs the wheel's program."""
    program = Path(sys.executable).parent / "sonoprint"

    def run(*args, **options):
        args = [program, *args]
        return subprocess.run(args, capture_output=True, text=True, timeout=120, **options)

    return run


@pytest.fixture(scope="session")
def python():
    """Runs a script in a Python of its own."""

    def run(script, *args, **variables):
        args = [sys.executable, "-c", script, *args]
        env = {name: value for name, value in (os.environ | variables).items() if value is not None}
        return subprocess.run(args, capture_output=True, text=True, timeout=120, env=env)

    return run


def write_wav(path, samples, rate=22050):
    """Writes samples of full scale 1, ``(samples,)`` or ``(channels, samples)``."""
    samples = np.atleast_2d(samples)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(len(samples))
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((samples.T * 32767).astype("<i2").tobytes())
    return str(path)


def hum(seconds, rate=22050, hz=330):
    return 0.5 * np.sin(2 * np.pi * hz * np.arange(int(seconds * rate)) / rate)


@pytest.fixture()
def bad_files(tmp_path):
    """Returns files that fail, by the reason for which they do."""
    files = {reason: tmp_path / f"{reason}.wav" for reason in ["empty", "unknown_format"]}
    files["empty"].touch()
    files["unknown_format"].write_bytes(b"not audio, but words\n" * 100)
    files["io"] = tmp_path / "missing.wav"
    files["silent"] = write_wav(tmp_path / "silent.wav", np.zeros(22050))
    files["too_short"] = write_wav(tmp_path / "short.wav", hum(0.05))
    files["cancelled"] = write_wav(tmp_path / "cancelled.wav", [hum(1), -hum(1)])
    # A header that states no channels.
    wav = (CLIPS / "metal" / "metal.00019.wav").read_bytes()
    files["damaged"] = tmp_path / "damaged.wav"
    files["damaged"].write_bytes(wav[:22] + bytes(2) + wav[24:])
    return {reason: os.fspath(path) for reason, path in files.items()}
