"""Results and exceptions: what has no behavior of its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple


class Error(Exception):
    """The base of this module's exceptions."""


class AudioError(Error):
    """An audio file, or an array of samples, cannot be used.

    ``reason`` is the word of the result tables: ``io``, ``empty``, ``unknown_format``,
    ``unsupported``, ``damaged``, ``no_audio_track``, ``too_short``, ``too_long``, ``silent``,
    ``cancelled`` or ``not_finite``. ``path`` is the file, or None for samples.
    """

    def __init__(self, message: str, reason: str, path: str | None = None) -> None:
        # All arguments, so that the exception can be pickled on its way from a worker process.
        super().__init__(message, reason, path)
        self.message = message
        self.reason = reason
        self.path = path

    def __str__(self) -> str:
        name = "" if self.path is None else f"{self.path}: "
        return f"{name}{self.message} ({self.reason})"


class ModelError(Error):
    """There is no such model, or a checkpoint cannot be used."""


class DeviceError(Error):
    """There is no such device, or a device failed."""


class DamagedAudioWarning(UserWarning):
    """A file could be read in part: what is missing in it became silence."""


class Clip(NamedTuple):
    """The prediction for one clip of a file."""

    start: float
    """Start in the file, seconds."""
    end: float
    """End in the file, seconds."""
    probabilities: dict[str, float]
    """The probability of every class."""


class Device(NamedTuple):
    """A device that can compute."""

    id: str
    """What ``Predictor(device=...)`` calls it; a part of its name does as well."""
    kind: str
    """``gpu``, ``cpu``, or ``software`` for a GPU that is emulated on the CPU."""
    name: str
    """The adapter's name."""
    auto: bool
    """Whether ``device="auto"`` takes it."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """The result of one file, with the words of the table that ``sonoprint classify`` writes."""

    path: str
    """The path of the file as it was given or found."""
    status: str
    """``ok``, ``unsure`` (below ``min_confidence``) or ``failed``."""
    label: str | None = None
    """The most probable genre or tag; None if the file failed or is unsure."""
    labels: tuple[str, ...] = ()
    """The genre, or the tags of at least the threshold, most probable first."""
    confidence: float | None = None
    """The probability of the most probable genre or tag."""
    probabilities: dict[str, float] = field(default_factory=dict, repr=False)
    """The probability of every class: the mean over the clips with sound."""
    seconds: float | None = None
    """The length of the file."""
    clips: int = 0
    """Clips that were classified."""
    silent: int = 0
    """Clips that were left out, because they are silent."""
    padded: bool = False
    """Whether the file is shorter than a clip and was filled up."""
    damaged: bool = False
    """Whether the file could be read in part only."""
    reason: str | None = None
    """Why the file failed, as ``AudioError.reason``; ``damaged`` if it was read in part."""
    message: str | None = None
    """The same for people."""
    timeline: tuple[Clip, ...] = field(default=(), repr=False)
    """The clips, in order, if ``timeline=True`` asked for them."""
