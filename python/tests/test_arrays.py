"""Promise: arrays hold what the library and the program compute."""

import gzip
import json

import numpy as np
import pytest
import sonoprint
from conftest import DEVICE, REPOSITORY, hum, write_wav


def golden(name):
    with gzip.open(REPOSITORY / "data" / "musicnn" / "golden" / f"{name}.npy.gz") as file:
        return np.load(file)


def test_embeddings_are_those_of_the_command(command, tagger, clips, tmp_path):
    out = tmp_path / "e.jsonl"
    files = [clips / "recorded", clips / "jazz"]
    args = ["--model", "musicnn-msd", "--embeddings", out, "--device", DEVICE]
    assert command("classify", *files, "--out", tmp_path / "t.csv", *args).returncode == 0
    rows = {row["path"]: row["embedding"] for row in map(json.loads, out.read_text().splitlines())}
    paths = sonoprint.find(files)
    got = tagger.embeddings(paths)
    assert (got.dtype, got.shape) == (np.float32, (len(paths), 200))
    np.testing.assert_allclose(got, [rows[path] for path in paths], atol=1e-5)
    np.testing.assert_array_equal(got, tagger.embeddings(files))


def test_a_failed_file_raises_or_is_nan(tagger, clips, bad_files):
    paths = [clips / "jazz" / "jazz.00014.flac", bad_files["empty"], bad_files["silent"]]
    with pytest.raises(sonoprint.AudioError) as raised:
        tagger.embeddings(paths)
    assert (raised.value.reason, raised.value.path) == ("empty", bad_files["empty"])
    got = tagger.embeddings(paths, errors="nan")
    assert np.isnan(got).all(axis=1).tolist() == [False, True, True]
    assert tagger.embeddings([]).shape == (0, 200)


def test_features_are_those_of_the_original_network(tagger):
    """The log-mel patch that librosa made for musicnn, from the same samples."""
    pcm, logmel = golden("pcm_i16"), golden("logmel")
    # The patch alone is shorter than a clip of frames of a whole track: one clip, its own frames.
    clips = tagger.features(pcm, 16000)
    assert clips.dtype == np.float32
    assert clips.shape[1:] == (1, *logmel.shape)
    # The first and last frames of the patch see what is around it.
    np.testing.assert_allclose(clips[0, 0][2:-2], logmel[2:-2], atol=2e-3)


def test_samples_of_any_kind_have_the_same_features(predictor, clips):
    pcm, rate = sonoprint.load(clips / "recorded" / "metal.ezer_ev.ogg", sr=None)
    want = predictor.features(pcm, rate)
    assert len(want) > 1 and want.ndim == 4
    np.testing.assert_array_equal(predictor.features(pcm.astype("f8"), rate), want)
    np.testing.assert_array_equal(predictor.features(np.stack([pcm, pcm]), rate), want)
    np.testing.assert_array_equal(predictor.features(np.repeat(pcm, 2)[::2], rate), want)
    rounded = (pcm * 32768).clip(-32768, 32767).astype("i2")
    np.testing.assert_allclose(predictor.features(rounded, rate), want, atol=0.05)
    np.testing.assert_array_equal(
        predictor.features(rounded, rate), predictor.features(rounded / np.float32(32768), rate)
    )


def test_samples_are_resampled_as_files_are(predictor, tmp_path):
    stereo = np.stack([hum(5, 44100), 0.5 * hum(5, 44100, hz=800)])
    path = write_wav(tmp_path / "stereo.wav", stereo, 44100)
    pcm, rate = sonoprint.load(path, sr=predictor.sample_rate)
    assert rate == predictor.sample_rate and len(pcm) == 5 * rate
    own, own_rate = sonoprint.load(path, sr=None)
    assert own_rate == 44100 and len(own) == 5 * 44100
    np.testing.assert_array_equal(
        predictor.features(own, own_rate), predictor.features(pcm, rate)
    )
    as_i2 = (stereo * 32767).astype("i2")
    np.testing.assert_array_equal(
        predictor.features(as_i2, 44100), predictor.features(own, own_rate)
    )


def test_unusable_samples_are_refused(predictor):
    def reason(pcm):
        with pytest.raises(sonoprint.AudioError) as raised:
            predictor.features(pcm, 22050)
        assert raised.value.path is None
        return raised.value.reason

    assert reason(np.zeros(0, "f4")) == "empty"
    assert reason(hum(0.05)) == "too_short"
    assert reason(np.where(np.arange(22050) == 7, np.nan, hum(1))) == "not_finite"
    for shape in [(1000, 2), (2, 3, 4), ()]:
        with pytest.raises(ValueError, match="shape"):
            predictor.features(np.zeros(shape, "f4"), 22050)
    with pytest.raises(TypeError, match="int64"):
        predictor.features(np.zeros(22050, "i8"), 22050)
    with pytest.raises(ValueError, match="Hz"):
        predictor.features(hum(1), 5)


def test_load_has_reasons(bad_files):
    for reason in ["io", "empty", "unknown_format", "cancelled", "damaged"]:
        with pytest.raises(sonoprint.AudioError) as raised:
            sonoprint.load(bad_files[reason])
        assert (raised.value.reason, raised.value.path) == (reason, bad_files[reason])
    with pytest.raises(ValueError, match="Hz"):
        sonoprint.load(bad_files["silent"], sr=5)
