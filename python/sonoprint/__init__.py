"""Music genre classification, tags and embeddings of audio files, on the GPU or the CPU.

>>> import sonoprint
>>> for track in sonoprint.Predictor().predict("~/music"):
...     print(track.path, track.label, track.confidence)
"""

from ._native import Predictions, Predictor, __version__, devices, find, load, models
from ._types import (
    AudioError,
    Clip,
    DamagedAudioWarning,
    Device,
    DeviceError,
    Error,
    ModelError,
    Prediction,
)

__all__ = [
    "AudioError",
    "Clip",
    "DamagedAudioWarning",
    "Device",
    "DeviceError",
    "Error",
    "ModelError",
    "Prediction",
    "Predictions",
    "Predictor",
    "__version__",
    "devices",
    "find",
    "load",
    "models",
]
