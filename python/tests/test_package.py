"""Promise: the wheel is whole, its command is the program, and its documentation is true."""

import ast
import inspect
import json
import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
import sonoprint
from conftest import CLIPS, DEVICE, REPOSITORY


def toml(*path):
    return tomllib.loads(REPOSITORY.joinpath(*path).read_text())


def test_the_tests_import_the_wheel():
    folder = Path(sonoprint.__file__).parent
    assert REPOSITORY / "python" not in folder.parents
    names = {file.name for file in folder.iterdir()}
    assert {"_native.pyi", "py.typed"} <= names


def test_the_licenses_are_in_the_wheel():
    files = {Path(file).name for file in metadata.files("sonoprint")}
    assert {"LICENSE-MIT", "LICENSE-APACHE", "LICENSE.musicnn.md"} <= files


def test_the_version_is_that_of_the_program(command):
    version = toml("Cargo.toml")["package"]["version"]
    assert sonoprint.__version__ == metadata.version("sonoprint") == version
    assert command("--version").stdout == f"sonoprint {version}\n"


def test_the_command_has_the_programs_exit_codes(command, bad_files, tmp_path):
    song = CLIPS / "metal" / "metal.00019.wav"
    done = command("classify", song, "--device", DEVICE)
    assert (done.returncode, "metal.00019.wav" in done.stdout) == (0, True)
    assert command("classify", song, bad_files["empty"], "--device", DEVICE).returncode == 1
    assert command("classify", tmp_path / "missing", "--device", DEVICE).returncode == 2
    wrong = command("classify", "--no-such-flag")
    assert (wrong.returncode, "Usage: sonoprint classify" in wrong.stderr) == (2, True)
    assert "sonoprint classify" in command("--help").stdout


def test_the_module_is_the_command(command):
    done = subprocess.run(
        [sys.executable, "-m", "sonoprint", "model", "list", "--json"], capture_output=True
    )
    assert done.stdout == command("model", "list", "--json").stdout.encode()
    assert list(sonoprint.models()) == [row["name"] for row in json.loads(done.stdout)]


def test_the_command_does_not_import_numpy(python):
    script = "import sys, sonoprint.__main__; assert 'numpy' not in sys.modules"
    assert python(script).returncode == 0


def test_facts_about_a_model():
    predictor = sonoprint.Predictor(device=DEVICE)
    assert predictor.model == next(iter(sonoprint.models()))
    assert (predictor.device, predictor.task) == ("cpu", "single-label")
    assert "blues" in predictor.classes and predictor.sample_rate == 16000
    assert predictor.clip_seconds == pytest.approx(3, abs=0.1)
    assert re.fullmatch("[0-9a-f]{12}", predictor.fingerprint)
    assert repr(predictor) == "<sonoprint.Predictor genres10 on cpu>"


def test_devices_are_listed_and_missing_ones_named():
    devices = sonoprint.devices()
    assert devices[-1][:3] == ("cpu", "cpu", "cpu")
    assert sum(device.auto for device in devices) == 1
    with pytest.raises(sonoprint.DeviceError, match="no such card"):
        sonoprint.Predictor(device="no such card")


def test_looking_for_devices_says_nothing(python):
    done = python("import sonoprint, os; sonoprint.Predictor(); print(*os.environ)", XDG_RUNTIME_DIR=None)
    assert (done.stderr, done.returncode, "XDG_RUNTIME_DIR" in done.stdout) == ("", 0, False)


def test_missing_and_foreign_models_are_named(tmp_path):
    foreign = tmp_path / "foreign.safetensors"
    foreign.write_bytes(b"nothing")
    for model in ["no-such-model", tmp_path / "missing.safetensors", foreign]:
        with pytest.raises(sonoprint.ModelError, match=Path(model).name):
            sonoprint.Predictor(model, device=DEVICE)
    assert issubclass(sonoprint.ModelError, sonoprint.Error)


def test_the_stub_has_the_signatures_and_docstrings_of_the_module():
    stub = ast.parse((REPOSITORY / "python" / "sonoprint" / "_native.pyi").read_text())

    def compare(nodes, owner):
        for node in nodes:
            if not isinstance(node, (ast.ClassDef, ast.FunctionDef)):
                continue
            real = inspect.getattr_static(owner, node.name)
            if (doc := ast.get_docstring(node)) is not None:
                assert inspect.getdoc(getattr(owner, node.name)) == doc, node.name
            if isinstance(node, ast.ClassDef):
                compare(node.body, getattr(owner, node.name))
                public = {name for name in dir(real) if not name.startswith("_")}
                assert public == {
                    n.name for n in node.body if isinstance(n, ast.FunctionDef) and n.name[0] != "_"
                }
            elif not node.decorator_list and not node.name.startswith("__"):
                got = inspect.signature(getattr(owner, node.name))
                names = [a.arg for a in node.args.args + node.args.kwonlyargs]
                assert [p for p in got.parameters if p != "self"] == [
                    n for n in names if n != "self"
                ]

    compare(stub.body, sonoprint._native)


def test_the_profile_and_the_locked_versions_are_those_of_the_program():
    assert toml("python", "Cargo.toml")["profile"] == toml("Cargo.toml")["profile"]

    def versions(lock):
        return {(p["name"], p["version"]) for p in lock["package"] if "source" in p}

    added = versions(toml("python", "Cargo.lock")) - versions(toml("Cargo.lock"))
    assert {re.split("[-_]", name)[0] for name, _ in added} == {"numpy", "pyo3", "target"}
