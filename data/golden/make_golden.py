#!/usr/bin/env python3
"""Make the golden files of sonoprint's front end with the real libraries.

    python3 -m venv venv && venv/bin/pip install -r ../../requirements.txt
    venv/bin/python make_golden.py                   # all but signals/clip30.flac
    venv/bin/python make_golden.py --clip TRACK.ogg  # that one too

Every array is computed from the samples of the very file that the tests read
(16 bit, taken as float32 = int16 / 32768).  All outputs are little-endian,
C-order .npy version 1.0 under gzip with no name and no time, so a second run
on the same versions gives the same bytes.  README.md says what each file is.
"""
import argparse
import gzip
import io
import os
import warnings
from math import gcd
from pathlib import Path

for threads in ("OMP", "OPENBLAS", "MKL", "NUMBA"):
    # A sum over the mel bands must not depend on how many threads share it.
    os.environ[f"{threads}_NUM_THREADS"] = "1"

import matplotlib

matplotlib.use("Agg")
import librosa
import matplotlib.pyplot as plt
import numpy as np
import scipy.signal
import soundfile as sf
from matplotlib import mlab

HERE = Path(__file__).resolve().parent
RATE = 22050
SCALE = 250             # int16 steps per dB
NO_VALUE = -32768       # the int16 of "PSD is exactly 0, dB is -inf"
CLIP_COLUMN_STEP = 8    # clip30's RGBA keeps frames 0, 8, 16, ...
COLORMAPS = ["inferno", "viridis", "magma", "plasma", "cividis", "gray"]
manifest = []           # (file, dtype, shape, finite min, finite max, no value, clamped)


# ---------------------------------------------------------------- writing

def save(name, array, extra=("", "", "", "")):
    """Write one array as NAME.npy.gz and note it in the manifest."""
    array = np.ascontiguousarray(array)
    assert array.dtype.str in ("<i2", "|u1", "<f4"), array.dtype
    raw = io.BytesIO()
    np.lib.format.write_array(raw, array, version=(1, 0), allow_pickle=False)
    path = HERE / f"{name}.npy.gz"
    path.parent.mkdir(exist_ok=True)
    with open(path, "wb") as out, gzip.GzipFile("", "wb", 9, out, mtime=0) as gz:
        gz.write(raw.getvalue())
    shape = "x".join(map(str, array.shape))
    manifest.append((f"{name}.npy.gz", array.dtype.str, shape, *map(str, extra)))


def save_db(name, db):
    """Write dB as int16 = round(dB * 250): -inf is -32768, and any finite
    value below -131.068 dB is clamped to -32767."""
    finite = np.isfinite(db)
    steps = np.rint(np.where(finite, db, 0.0).astype(np.float64) * SCALE)
    clamped = finite & (steps < NO_VALUE + 1)
    assert steps.max() <= 32767
    code = np.where(finite, np.maximum(steps, NO_VALUE + 1), NO_VALUE)
    low, high = (("none", "none") if not finite.any() else
                 (f"{db[finite].min():.17g}", f"{db[finite].max():.17g}"))
    save(name, code.astype("<i2"), (low, high, (~finite).sum(), clamped.sum()))


# ---------------------------------------------------------------- signals

def quantize(y):
    return np.clip(np.rint(np.asarray(y) * 32768), -32768, 32767).astype(np.int16)


def make_signals():
    """The made signals, as 16-bit WAV."""
    t = np.arange(4 * RATE) / RATE
    tone = 0.5 * np.sin(2 * np.pi * 440.3 * t[:3 * RATE])

    impulse = np.zeros(2 * RATE)
    impulse[RATE] = 1.0                         # becomes 32767 / 32768

    noise = np.random.Generator(np.random.PCG64(1000)).standard_normal(1000)

    gap = 0.1 * np.random.Generator(np.random.PCG64(4)).standard_normal(len(t))
    gap += 0.3 * np.sin(2 * np.pi * 1000.7 * t)
    start = len(t) // 2 - 33075 // 2            # 1.5 s of exact zeros, the middle
    gap[start:start + 33075] = 0.0

    made = {"tone": tone, "impulse": impulse, "silence": np.zeros(2 * RATE),
            "short": 0.2 * noise, "gap": gap}
    (HERE / "signals").mkdir(exist_ok=True)
    for name, y in made.items():
        sf.write(HERE / "signals" / f"{name}.wav", quantize(y), RATE, subtype="PCM_16")


def make_clip(track, start_s):
    """30 s of a real track: channel mean, polyphase resampling, 16-bit FLAC."""
    y, rate = sf.read(track, dtype="float64", always_2d=True)
    y = y[round(start_s * rate):round((start_s + 31) * rate)].mean(axis=1)
    by = gcd(RATE, rate)
    y = scipy.signal.resample_poly(y, RATE // by, rate // by)[:30 * RATE]
    assert len(y) == 661500 and np.abs(y).max() < 1.0
    (HERE / "signals").mkdir(exist_ok=True)
    sf.write(HERE / "signals" / "clip30.flac", quantize(y), RATE,
             subtype="PCM_16", compression_level=1.0)


def read_signal(name):
    """The samples as the tests get them: float32 = int16 / 32768."""
    path = next((HERE / "signals").glob(f"{name}.*"))
    pcm, rate = sf.read(path, dtype="int16")
    assert rate == RATE and pcm.ndim == 1
    return pcm.astype(np.float32) / np.float32(32768)


# ---------------------------------------------------------------- preset deeppixel

def specgram_db(y, n_fft, noverlap):
    """The dB array of matplotlib's specgram, [n_fft/2+1, frames], row 0 = DC,
    in float64, and its RGBA [rows, frames, 4], row 0 = Nyquist (top).

    The colors come from the image that Axes.specgram itself makes: it masks
    -inf, and its Normalize takes the finite minimum and maximum.
    """
    y = y.astype(np.float64)
    with warnings.catch_warnings(record=True) as caught, np.errstate(divide="ignore"):
        warnings.simplefilter("always")
        psd, _, _ = mlab.specgram(y, NFFT=n_fft, Fs=2, noverlap=noverlap, mode="psd")
        db = 10.0 * np.log10(psd)
    for w in caught:
        print("   matplotlib warns:", w.message)

    figure, axes = plt.subplots()
    with warnings.catch_warnings(), np.errstate(divide="ignore"):
        warnings.simplefilter("ignore")
        image = axes.specgram(y, NFFT=n_fft, Fs=2, noverlap=noverlap, mode="psd",
                              scale="dB", cmap="inferno")[3]
        shown = image.get_array()
        flipped = np.flipud(db)
        mask = np.ma.getmaskarray(shown)
        assert np.array_equal(mask, np.isneginf(flipped))
        assert np.array_equal(shown.data[~mask], flipped[~mask])
        rgba = image.to_rgba(shown, bytes=True)
    plt.close(figure)
    assert (rgba[mask] == 0).all() and (rgba[~mask][:, 3] == 255).all()

    if len(y) >= n_fft:     # SciPy's own spectrogram is a second opinion
        _, _, check = scipy.signal.spectrogram(
            y, fs=2, window=np.hanning(n_fft), nperseg=n_fft, noverlap=noverlap,
            detrend=False, scaling="density", mode="psd")
        assert np.allclose(check, psd, rtol=1e-9, atol=1e-14 * max(psd.max(), 1e-30))
    return db, rgba


# ---------------------------------------------------------------- preset mel

def mel_db(y, n_fft, hop, n_mels):
    """librosa's mel spectrogram in dB under its own maximum, [n_mels, frames]."""
    def compute(samples):
        power = librosa.feature.melspectrogram(
            y=samples, sr=RATE, n_fft=n_fft, hop_length=hop, window="hann",
            center=True, pad_mode="constant", power=2.0, n_mels=n_mels)
        return librosa.power_to_db(power, ref=np.max, amin=1e-10, top_db=80)

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        db = compute(y)
        wide = compute(y.astype(np.float64))
    for message in sorted({str(w.message) for w in caught}):
        print("   librosa warns:", message)
    print(f"   mel {n_fft}/{hop}/{n_mels}: float32 and float64 differ by at most "
          f"{np.abs(db - wide).max():.2g} dB")
    assert db.dtype == np.float32
    return db


# ---------------------------------------------------------------- all of it

def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clip", type=Path, help="track to cut signals/clip30.flac from")
    parser.add_argument("--start", type=float, default=40.0, help="cut from this second")
    args = parser.parse_args()

    make_signals()
    if args.clip:
        make_clip(args.clip, args.start)

    for name in ["clip30", "tone", "impulse", "silence", "short", "gap"]:
        print(name)
        y = read_signal(name)
        db, rgba = specgram_db(y, 2048, 128)
        save_db(f"deeppixel/{name}.db", db)
        if name == "clip30":
            rgba = rgba[:, ::CLIP_COLUMN_STEP]
        save(f"deeppixel/{name}.rgba", rgba)
        save_db(f"mel/{name}.db", mel_db(y, 2048, 512, 128))

    print("other shapes")
    gap = read_signal("gap")
    for n_fft in (256, 8192):
        save_db(f"other/gap_specgram_{n_fft}_{n_fft // 2}.db",
                specgram_db(gap, n_fft, n_fft // 2)[0])
    for n_fft, hop, n_mels in ((512, 128, 40), (4096, 1024, 128)):
        save_db(f"other/gap_mel_{n_fft}_{hop}_{n_mels}.db", mel_db(gap, n_fft, hop, n_mels))

    bank = librosa.filters.mel(sr=RATE, n_fft=2048, n_mels=128)
    save("tables/mel_filterbank_22050_2048_128", bank.astype("<f4"))
    tables = [matplotlib.colormaps[c](np.arange(256), bytes=True)[:, :3] for c in COLORMAPS]
    save("tables/colormaps", np.stack(tables))

    header = ("file", "dtype", "shape", "min_db", "max_db", "no_value", "clamped")
    lines = ["\t".join(row) for row in [header, *manifest]]
    (HERE / "manifest.tsv").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
