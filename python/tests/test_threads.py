"""Promise: threads, signals, processes and an early end do what Python's users expect."""

import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import sonoprint
from conftest import CLIPS, DEVICE, hum, write_wav

linux = pytest.mark.skipif(sys.platform != "linux", reason="counts the threads of /proc")


def threads():
    return len(os.listdir("/proc/self/task"))


@pytest.fixture()
def long_files(tmp_path):
    path = write_wav(tmp_path / "long.wav", hum(60))
    return [path] * 200


def test_other_threads_run_while_files_are_read(predictor, clips):
    ticks, stop = 0, False

    def tick():
        nonlocal ticks
        while not stop:
            ticks += 1
            time.sleep(0.001)

    thread = threading.Thread(target=tick)
    thread.start()
    try:
        before = ticks
        predictor.embeddings(sonoprint.find(clips / "recorded"))
        during = ticks - before
    finally:
        stop = True
        thread.join()
    assert during > 20


def test_two_threads_share_a_predictor(predictor, clips):
    paths = sonoprint.find(clips / "jazz")
    want = list(predictor.predict(paths))
    with ThreadPoolExecutor(2) as pool:
        for got in pool.map(lambda _: list(predictor.predict(paths)), range(4)):
            assert [r.path for r in got] == paths
            for a, b in zip(got, want):
                assert a.probabilities == pytest.approx(b.probabilities, abs=1e-6)


def test_two_threads_share_an_iterator(predictor, clips):
    paths = sonoprint.find(clips / "jazz") * 5
    results = predictor.predict(paths)
    with ThreadPoolExecutor(2) as pool:
        halves = list(pool.map(lambda _: [r.path for r in results], range(2)))
    assert sorted(halves[0] + halves[1]) == sorted(paths)


@linux
def test_an_early_end_stops_the_threads(predictor, long_files):
    short = CLIPS / "metal" / "metal.00019.wav"
    list(predictor.predict(short))
    before = threads()
    for end in ["drop", "close", "raise"]:
        start = time.monotonic()
        results = predictor.predict([short, "missing.wav", *long_files], errors="raise")
        next(results)
        assert threads() > before
        if end == "close":
            results.close()
            assert list(results) == []
        elif end == "raise":
            with pytest.raises(sonoprint.AudioError):
                next(results)
            assert list(results) == []
        else:
            del results
        # A thread that has ended stays in the list for a moment.
        while threads() > before and time.monotonic() - start < 20:
            time.sleep(0.01)
        assert threads() <= before


@linux
def test_a_slow_reader_holds_the_pipeline_back(predictor, clips):
    results = predictor.predict([clips / "metal" / "metal.00019.wav"] * 100_000)
    next(results)
    end = time.monotonic() + 60
    while time.monotonic() < end:
        before = time.process_time()
        time.sleep(0.3)
        if time.process_time() - before < 0.03:
            break
    else:
        pytest.fail("the pipeline goes on without a reader")
    assert next(results).status == "ok"
    results.close()


INTERRUPTED = """
import sys, sonoprint
predictor = sonoprint.Predictor(device="cpu")
paths = [sys.argv[1]] * 100_000
print("ready", flush=True)
try:
    {work}
except KeyboardInterrupt:
    print("interrupted")
"""


@pytest.mark.parametrize(
    "work", ["predictor.embeddings(paths)", "[r for r in predictor.predict(paths)]"]
)
def test_ctrl_c_interrupts(work):
    script = INTERRUPTED.format(work=work)
    args = [sys.executable, "-c", script, CLIPS / "metal" / "metal.00019.wav"]
    with subprocess.Popen(args, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=20)
    assert (out, process.returncode) == ("interrupted\n", 0)


def test_python_may_end_while_files_are_read(python):
    script = """
import sys, sonoprint
results = sonoprint.Predictor(device="cpu").predict([sys.argv[1]] * 100_000)
print(next(results).status)
"""
    done = python(script, CLIPS / "metal" / "metal.00019.wav")
    assert (done.stdout, done.stderr, done.returncode) == ("ok\n", "", 0)


def test_a_predictor_is_pickled_by_name(tagger):
    again = pickle.loads(pickle.dumps(tagger))
    assert (again.model, again.fingerprint) == ("musicnn-msd", tagger.fingerprint)
    path = CLIPS / "jazz" / "jazz.00014.flac"
    np.testing.assert_allclose(again.embeddings(path), tagger.embeddings(path), atol=1e-6)


def test_a_checkpoint_is_found_from_any_folder(tmp_path, monkeypatch):
    folder = CLIPS.parent / "musicnn"
    monkeypatch.chdir(folder)
    predictor = sonoprint.Predictor("musicnn-msd.safetensors", device=DEVICE)
    assert predictor.model == str(folder / "musicnn-msd.safetensors")
    pickled = pickle.dumps(predictor)
    monkeypatch.chdir(tmp_path)
    assert pickle.loads(pickled).fingerprint == predictor.fingerprint


def embed(predictor, path):
    return predictor.embeddings(path)


def embed_inherited(path):
    return embed(INHERITED, path)


def load_len(path):
    return len(sonoprint.load(path)[0])


def test_spawned_workers_predict(tagger):
    path = CLIPS / "jazz" / "jazz.00014.flac"
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        got = pool.apply(embed, (tagger, path))
    np.testing.assert_allclose(got, tagger.embeddings(path), atol=1e-6)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_forked_workers_load_and_refuse_to_predict(predictor):
    path = CLIPS / "jazz" / "jazz.00014.flac"
    results = predictor.predict([path] * 1000)
    next(results)
    global INHERITED
    INHERITED = predictor
    with multiprocessing.get_context("fork").Pool(2) as pool:
        assert pool.map(load_len, [path] * 4) == [load_len(path)] * 4
        with pytest.raises(RuntimeError, match="spawn"):
            pool.apply(embed_inherited, (path,))
    assert next(results).status == "ok"
    results.close()
