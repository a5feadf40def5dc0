from collections.abc import Iterable, Iterator, Sequence
from os import PathLike
from typing import Any, Literal, TypeAlias, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._types import Device, Prediction

Path: TypeAlias = str | PathLike[str]

__version__: str

@final
class Predictor:
    """A model on a device.

    ``model`` is the name of a built-in model (``sonoprint.models()``; the default one if None) or
    the path of a checkpoint. ``device`` is ``auto`` (a GPU if there is one, else the CPU), ``cpu``,
    ``gpu``, ``software``, or an adapter's number or part of its name (``sonoprint.devices()``).

    Several threads may use one predictor. Pickling keeps the model's name and the device, and
    loads the model again. A process that was forked after the first predictor was created cannot
    use any, and raises RuntimeError.

    Raises ModelError and DeviceError.
    """

    def __new__(cls, model: Path | None = None, device: str = "auto") -> Predictor: ...
    def predict(
        self,
        paths: Path | Iterable[Path],
        *,
        ordered: bool = True,
        errors: Literal["result", "raise"] = "result",
        min_confidence: float | None = None,
        threshold: float | None = None,
        timeline: bool = False,
        overlap: float = 0.0,
        hidden: bool = False,
        workers: int | None = None,
    ) -> Predictions:
        """Names the genre, or the tags, of audio files.

        ``paths`` is a file, a folder, or any number of both. A folder stands for the audio files in
        it and its subfolders, in the order of names; ``hidden`` takes hidden ones, too. A file that
        is named may be called anything, and has a result as often as it is named.

        Returns an iterator with one result per file. Threads decode and classify ahead of it, and
        wait for a slow reader. Results come in the order of the files, or as soon as each is known
        with ``ordered=False``, which is faster where some files are hours long.

        A file that fails is a result with the status ``failed``. With ``errors="raise"`` it raises
        AudioError in its turn and ends the iterator.

        ``min_confidence`` gives no label to less sure files. ``threshold`` is the probability from
        which a tag is given. ``timeline`` keeps the prediction of each clip, and ``overlap`` is the
        fraction of a clip that it shares with the next one. ``workers`` is the number of threads
        that decode, one per core if None.
        """
    def embeddings(
        self,
        paths: Path | Iterable[Path],
        *,
        errors: Literal["raise", "nan"] = "raise",
        hidden: bool = False,
    ) -> NDArray[np.float32]:
        """Returns the embeddings of audio files: ``(files, width)``, in the order of the files.

        An embedding is what the network's last layer reads, the mean over a file's clips with sound.
        ``paths`` are those of ``predict``. ``sonoprint.find`` names the files of a folder.

        The first file that fails raises AudioError. With ``errors="nan"`` its row is NaN.
        """
    def features(self, pcm: ArrayLike, rate: int) -> NDArray[np.float32]:
        """Returns what the network reads: ``(clips, channels, height, width)``.

        ``pcm`` is ``(samples,)`` or ``(channels, samples)``, of float32 or float64 with full scale 1
        or of int16. As with files, the channels are averaged, the samples resampled from ``rate`` Hz
        to the model's rate, and cut into clips. Unlike with files, silent clips stay.

        Raises AudioError for samples that a file would fail for, and for any NaN.
        """
    @property
    def model(self) -> str: ...
    @property
    def device(self) -> str: ...
    @property
    def classes(self) -> tuple[str, ...]: ...
    @property
    def task(self) -> Literal["single-label", "multi-label"]: ...
    @property
    def sample_rate(self) -> int: ...
    @property
    def clip_seconds(self) -> float: ...
    @property
    def fingerprint(self) -> str: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class Predictions(Iterator[Prediction]):
    """The results of ``Predictor.predict``. Dropping or closing it stops the threads behind it."""

    def __iter__(self) -> Predictions: ...
    def __next__(self) -> Prediction: ...
    def close(self) -> None:
        """Stops the threads behind the results. There are no more results."""
    @property
    def left_out(self) -> list[str]:
        """What the search of folders has left out so far, a line per kind."""

def devices() -> list[Device]:
    """Lists the devices that can compute: the graphics adapters, best first, and the CPU."""

def find(paths: Path | Iterable[Path], *, hidden: bool = False) -> list[str]:
    """Returns the audio files in folders, in the order in which ``predict`` takes them.

    Paths of files stay as they are. A folder that cannot be read stays in the list, too: ``predict``
    says why.
    """

def load(path: Path, sr: int | None = 22050) -> tuple[NDArray[np.float32], int]:
    """Reads an audio file as mono samples of float32, and returns them with their sample rate.

    The channels are averaged, and the samples resampled to ``sr`` Hz, or kept at the file's rate if
    ``sr`` is None. What is missing in the middle of a file becomes silence of its length, so that
    the rest keeps its time, and raises a DamagedAudioWarning. Works in forked processes.

    Raises AudioError.
    """

def models() -> dict[str, str]:
    """Returns the built-in models: their names, and a line about each. The first is the default."""

def run(args: Sequence[str]) -> int:
    """Runs the program with a command line that begins with its name. Returns the exit code."""
