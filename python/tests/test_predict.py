"""Promise: ``predict`` says what the table of ``sonoprint classify`` says, one file at a time."""

import json
import pickle

import pytest
import sonoprint
from conftest import DEVICE, hum, write_wav


def some(clips):
    return [clips / name for name in ("jazz", "metal", "recorded")]


def table(command, out, *args, code=0):
    done = command("classify", *args, "--out", out, "--device", DEVICE)
    assert done.returncode == code, done.stderr
    return {row["path"]: row for row in map(json.loads, out.read_text().splitlines())}


@pytest.mark.parametrize("model", ["genres10", "musicnn-msd"])
def test_results_are_the_rows_of_the_table(command, clips, tmp_path, model):
    rows = table(command, tmp_path / "t.jsonl", *some(clips), "--model", model)
    predictor = sonoprint.Predictor(model, device=DEVICE)
    results = list(predictor.predict(some(clips)))
    assert [r.path for r in results] == sonoprint.find(some(clips))
    assert {r.path for r in results} == set(rows)
    for result in results:
        row = rows[result.path]
        assert result.status == row["status"] == "ok"
        assert result.probabilities == pytest.approx(
            {name: row[f"p_{name}"] for name in predictor.classes}, abs=1e-6
        )
        for name in ["seconds", "clips", "silent", "padded", "reason", "message"]:
            assert getattr(result, name) == row[name], name
        assert row["model"] == predictor.fingerprint
        if predictor.task == "single-label":
            best, confidence = row["genre"], row["confidence"]
            assert result.labels == (best,)
        else:
            best, confidence = row["tag_1"], row["score_1"]
            assert list(result.labels) == row["tags"]
        assert result.label == best
        assert result.confidence == pytest.approx(confidence, abs=1e-6)


def test_reasons_are_those_of_the_table(command, predictor, bad_files, tmp_path):
    there = {reason: path for reason, path in bad_files.items() if reason != "io"}
    rows = table(command, tmp_path / "t.jsonl", *there.values(), code=1)
    for reason, path in bad_files.items():
        (result,) = predictor.predict(path)
        assert (result.status, result.reason, result.label) == ("failed", reason, None)
        if reason in there:
            assert (reason, result.message) == (rows[path]["reason"], rows[path]["message"])
        with pytest.raises(sonoprint.AudioError, match=reason) as raised:
            list(predictor.predict(path, errors="raise"))
        assert (raised.value.reason, raised.value.path) == (reason, path)
        again = pickle.loads(pickle.dumps(raised.value))
        assert (again.reason, str(again)) == (reason, str(raised.value))


def test_results_come_in_the_order_of_the_paths(predictor, clips, tmp_path):
    long = write_wav(tmp_path / "long.wav", hum(60))
    paths = [long, *sonoprint.find(clips / "jazz"), "missing.wav", long]
    assert [r.path for r in predictor.predict(paths)] == paths
    finished = [r.path for r in predictor.predict(paths, ordered=False)]
    assert sorted(finished) == sorted(paths)


def test_more_files_than_are_read_ahead_keep_their_order(predictor, tmp_path):
    wav = write_wav(tmp_path / "a.wav", hum(0.2))
    paths = [wav if i % 60 == 0 else f"missing{i}" for i in range(700)]
    assert [r.path for r in predictor.predict(iter(paths))] == paths


def test_a_file_read_in_part_is_damaged(predictor, clips, tmp_path):
    part = tmp_path / "part.flac"
    part.write_bytes((clips / "jazz" / "jazz.00014.flac").read_bytes()[:100_000])
    (result,) = predictor.predict(part)
    assert (result.status, result.damaged, result.reason) == ("ok", True, "damaged")
    assert result.message and result.label
    with pytest.warns(sonoprint.DamagedAudioWarning, match="part.flac"):
        sonoprint.load(part)


def test_unsure_files_have_no_label(predictor, clips):
    (result,) = predictor.predict(clips / "jazz" / "jazz.00014.flac", min_confidence=1.0)
    assert (result.status, result.label, result.labels) == ("unsure", None, ())
    assert 0 < result.confidence < 1


def test_tags_have_a_threshold(tagger, predictor, clips):
    path = clips / "metal" / "metal.00019.wav"
    (few,), (many,) = (list(tagger.predict(path, threshold=t)) for t in (0.3, 0.05))
    assert len(few.labels) < len(many.labels)
    assert all(many.probabilities[tag] >= 0.05 for tag in many.labels)
    with pytest.raises(ValueError, match="threshold"):
        predictor.predict(path, threshold=0.3)


def test_the_timeline_has_every_clip(predictor, clips):
    path = clips / "recorded" / "metal.ezer_ev.ogg"
    (result,) = predictor.predict(path, timeline=True)
    assert len(result.timeline) == result.clips > 1
    for name, p in result.probabilities.items():
        mean = sum(clip.probabilities[name] for clip in result.timeline) / result.clips
        assert mean == pytest.approx(p, abs=1e-6)
    starts = [clip.start for clip in result.timeline]
    assert starts == sorted(starts) and starts[0] == 0
    (closer,) = predictor.predict(path, timeline=True, overlap=0.5)
    assert len(closer.timeline) > len(result.timeline)


def test_folders_say_what_they_leave_out(predictor, tmp_path):
    (tmp_path / "cover.jpg").touch()
    (tmp_path / ".hidden").mkdir()
    write_wav(tmp_path / ".hidden" / "a.wav", hum(1))
    with pytest.raises(ValueError, match="no audio files"):
        predictor.predict(tmp_path)
    wav = write_wav(tmp_path / "b.wav", hum(1))
    results = predictor.predict(tmp_path)
    assert [r.path for r in results] == [wav] == sonoprint.find(tmp_path)
    assert any(".jpg" in line for line in results.left_out)
    assert len(list(predictor.predict(tmp_path, hidden=True))) == 2
    assert list(predictor.predict([])) == []


def test_a_tilde_is_the_users_folder(predictor, monkeypatch, tmp_path):
    wav = write_wav(tmp_path / "a.wav", hum(1))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert [r.path for r in predictor.predict("~/a.wav")] == [wav]
    assert sonoprint.find(["~", "~/a.wav"]) == [wav, wav]


def test_names_that_are_no_text_survive(predictor, tmp_path):
    name = str(tmp_path / "caf\udce9.wav")
    write_wav(tmp_path / "caf.wav", hum(1))
    (tmp_path / "caf.wav").rename(name)
    assert [r.path for r in predictor.predict(tmp_path)] == [name]


def test_results_are_frozen_and_picklable(predictor, clips):
    (result,) = predictor.predict(clips / "jazz" / "jazz.00014.flac", timeline=True)
    assert pickle.loads(pickle.dumps(result)) == result
    with pytest.raises(AttributeError):
        result.label = "polka"


def test_wrong_arguments_are_named(predictor, clips):
    for keywords in [{"errors": "ignore"}, {"min_confidence": 2}, {"overlap": 1.0}]:
        with pytest.raises(ValueError, match=next(iter(keywords))):
            predictor.predict(clips, **keywords)
    with pytest.raises(TypeError):
        predictor.predict(5)
