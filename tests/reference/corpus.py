"""The list of files: what is odd about each, and what a decoder must answer."""

import hashlib
import json
import os

import numpy as np

BLOCKS_PER_SECOND = 4
PROJECTIONS = 2


def signature(x, rate):
    """Returns per block of a quarter second: RMS, projections and the strongest frequency in Hz.

    A projection is the inner product with fixed random signs over the square root of the block's
    length. The differences of two signals' projections have the RMS of the signals' difference as
    their standard deviation, so a handful of numbers measures the error of millions of samples.
    """
    step = -(-rate // BLOCKS_PER_SECOND)
    signs = np.random.default_rng(7).choice([-1.0, 1.0], (PROJECTIONS, step))
    rows = []
    for start in range(0, len(x), step):
        block = np.asarray(x[start : start + step], np.float64)
        n = len(block)
        rms = float(np.sqrt(np.mean(block**2)))
        sums = (signs[:, :n] @ block / np.sqrt(n)).tolist()
        spectrum = np.abs(np.fft.rfft(block * np.hanning(n)))
        hz = int(round(np.argmax(spectrum) * rate / n)) if rms > 1e-4 else 0
        rows.append([round(v, 5) for v in (rms, *sums)] + [hz])
    return rows


class Corpus:
    """Writes files into a folder and keeps what is expected of them."""

    def __init__(self, folder, only=None, expected=True):
        self.folder, self.only, self.expected, self.files = folder, only, expected, {}
        os.makedirs(folder, exist_ok=True)

    def add(self, name, kind, odd, data, expect=None, rate=44100, damaged=False, loose=(),
            tolerance=2e-4, slack=0, fails=(), words="", reference=""):
        """Adds a file.

        `data`: its bytes, or a function that makes them.
        `expect`: the samples, a function that makes them, or a list of either, each acceptable.
        `damaged`: whether the answer must (True), may (None) or must not (False) have a note.
        `loose`: intervals in seconds whose contents are not compared.
        `slack`: samples by which the length may differ.
        `fails`: reasons with which the file may fail. Without `expect`, it must.
        `words`: a pattern that the message or the note must match.
        """
        if self.only and self.only not in name and self.only != kind:
            return
        data = data() if callable(data) else data
        assert name not in self.files, name
        with open(os.path.join(self.folder, name), "wb") as file:
            file.write(data)
        entry = {"kind": kind, "odd": odd, "sha256": hashlib.sha256(data).hexdigest()[:16]}
        if fails:
            entry["fails"] = [fails] if isinstance(fails, str) else list(fails)
        if words:
            entry["words"] = words
        if expect is not None and self.expected:
            wanted = expect if isinstance(expect, list) else [expect]
            wanted = [w() if callable(w) else w for w in wanted]
            entry.update(rate=rate, damaged=damaged, tolerance=tolerance, slack=slack)
            entry["loose"] = [[round(float(a), 3), round(float(b), 3)] for a, b in loose]
            entry["reference"] = reference or "construction"
            entry["answers"] = [
                {"samples": len(w), "blocks": signature(w, rate)} for w in wanted
            ]
            assert all(len(w) for w in wanted), name
        self.files[name] = entry

    def write(self):
        """Writes `manifest.json`."""
        write_manifest(os.path.join(self.folder, "manifest.json"), self.files)


def write_manifest(path, files):
    """Writes one line per file, so that differences can be read."""
    lines = [f"{json.dumps(n)}: {json.dumps(files[n])}" for n in sorted(files)]
    with open(path, "w", encoding="utf-8") as file:
        file.write("{\n" + ",\n".join(lines) + "\n}\n")
