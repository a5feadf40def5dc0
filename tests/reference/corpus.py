"""The list of files: what is odd about each, and what a decoder must answer."""

import hashlib
import json
import os

import numpy as np

BLOCKS_PER_SECOND = 4
PROJECTIONS = 2
# Numbers are kept as multiples of this.
UNIT = 1e-5


def signature(x, rate):
    """Returns per block of a quarter second: RMS, projections and the strongest frequency in Hz.

    A projection is the inner product with fixed random signs over the square root of the block's
    length. The differences of two signals' projections have the RMS of the signals' difference as
    their standard deviation, so a handful of numbers measures the error of thousands of samples.
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
        rows.append([round(v / UNIT) for v in (rms, *sums)] + [hz])
    return rows


class Corpus:
    """Writes files into a folder and keeps what is expected of them."""

    def __init__(self, folder, only=None, expected=True):
        self.folder, self.only, self.expected = folder, only, expected
        self.files, self.golden = {}, {"answers": {}, "files": {}}
        os.makedirs(folder, exist_ok=True)

    def add(
        self,
        name,
        kind,
        odd,
        data,
        expect=None,
        rate=44100,
        damaged=False,
        loose=(),
        tolerance=2e-4,
        slack=0,
        fails=(),
        words="",
    ):
        """Adds a file.

        `data`: its bytes, or a function that makes them.
        `expect`: the samples, a function that makes them, or a list of either, each acceptable, the
        best one first.
        `damaged`: whether the answer must (True), may (None) or must not (False) have a note. An
        answer that is shorter than the best one must have a note, unless `damaged` is False.
        `tolerance`: RMS by which the contents may differ, or None to compare pitches alone.
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
        if expect is not None:
            entry.update(rate=rate, damaged=damaged, tolerance=tolerance, slack=slack)
            entry["loose"] = [[round(float(a), 3), round(float(b), 3)] for a, b in loose]
            if self.expected:
                wanted = expect if isinstance(expect, list) else [expect]
                keys = [self.answer(w() if callable(w) else w, rate, name) for w in wanted]
                self.golden["files"][name] = [entry["sha256"], *keys]
        self.files[name] = entry

    def answer(self, samples, rate, name):
        """Keeps an acceptable answer, once for all files that have it, and returns its key."""
        assert len(samples), name
        kept = {"samples": len(samples), "blocks": signature(samples, rate)}
        key = hashlib.sha256(json.dumps([kept, rate]).encode()).hexdigest()[:8]
        self.golden["answers"][key] = kept
        return key

    def write(self):
        """Writes `manifest.json`, and `golden.json` if answers were made.

        Files of earlier calls stay in both if this call made only some.
        """
        self.merge("manifest.json", {"files": self.files})
        if self.expected:
            self.merge("golden.json", self.golden)

    def merge(self, name, tables):
        """Writes tables into a file of the folder."""
        path = os.path.join(self.folder, name)
        if self.only and os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                old = json.load(file)
            tables = {title: {**old.get(title, {}), **table} for title, table in tables.items()}
        write_lines(path, tables)


def write_lines(path, tables):
    """Writes tables of JSON with a line per entry, so that differences can be read."""
    parts = []
    for title, table in tables.items():
        lines = [
            f"{json.dumps(k)}: {json.dumps(table[k], separators=(',', ':'))}" for k in sorted(table)
        ]
        parts.append(f"{json.dumps(title)}: {{\n" + ",\n".join(lines) + "\n}")
    with open(path, "w", encoding="utf-8") as file:
        file.write("{\n" + ",\n".join(parts) + "\n}\n")
