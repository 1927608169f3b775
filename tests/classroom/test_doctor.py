"""What the doctor says of a computer that is well, and of one that is not."""

import json
import os
import shutil
import subprocess
import sys
from importlib import metadata
from types import SimpleNamespace

import psutil
import pytest
from packaging.requirements import Requirement

from classroom import __main__ as command
from classroom import doctor
from medlessons import settings, start
from medlessons.errors import LessonError


def test_this_computer_is_well_enough_to_test():
    assert all(finding.well for finding in start.versions())


@pytest.mark.parametrize(("version", "well"), [((3, 10), False), ((3, 11), True), ((3, 13), True), ((3, 14), False)])
def test_only_the_pythons_of_tensorflow_are_well(version, well):
    finding = start.python(version)
    assert finding.well is well
    assert well or "Install one of them" in finding.says


def test_a_missing_package_is_named_with_the_next_step():
    finding = start.installed(Requirement("a-package-that-is-not-there>=1"))
    assert not finding.well
    assert "make setup" in finding.says


@pytest.mark.parametrize(
    ("wanted", "says"),
    [("keras>=99.0,<100", ">=99.0, <100"), ("keras<1", "<1"), ("keras>=3", None), ("tensorflow-cpu>=99", ">=99")],
)
def test_a_package_that_is_too_old_or_too_new_is_named_with_what_is_wanted(wanted, says):
    finding = start.installed(Requirement(wanted))
    assert finding.well is (says is None)
    assert says is None or f"but the lessons need {says}. Run `make setup`" in finding.says


@pytest.mark.parametrize(("there", "well"), [("tensorflow", True), ("tensorflow-cpu", True), ("jax", False)])
def test_either_build_of_tensorflow_will_do(there, well, monkeypatch):
    def version(name):
        if name != there:
            raise metadata.PackageNotFoundError
        return "2.21.0"

    monkeypatch.setattr(metadata, "version", version)
    finding = start.installed(Requirement("tensorflow-cpu>=2.20,<2.22"))
    assert (finding.what, finding.well) == ("tensorflow", well)


def test_what_is_wanted_is_what_the_package_says():
    lessons, command = start.requirements(), start.requirements("classroom")
    assert {"keras", "numpy", "pandas", "scikit-learn"} <= {requirement.name for requirement in lessons}
    assert {"jupyterlab", "psutil"} <= {requirement.name for requirement in command}
    assert sum(requirement.name.startswith("tensorflow") for requirement in lessons) == 1


def test_an_installation_without_the_folder_of_the_lessons_says_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setattr(settings, "REPOSITORY", tmp_path)
    with pytest.raises(LessonError, match="weights are missing"):
        start.start(lesson=1)


@pytest.fixture
def installs(monkeypatch):
    """Return what pip is called with, without calling it."""
    calls = []
    monkeypatch.setattr(subprocess, "run", lambda words, check: calls.append(words[4:]))
    return calls


def test_a_kernel_of_somebody_else_gets_what_is_missing_or_too_old_alone(installs, monkeypatch):
    wanted = ["a-package-that-is-not-there>=1", "tqdm>=4", "tensorflow-cpu>=99", "babel>=99"]
    monkeypatch.setattr(start, "requirements", lambda: list(map(Requirement, wanted)))
    monkeypatch.setattr(sys, "modules", {})  # none of them is loaded
    start.raise_packages()
    assert installs == [["--quiet", "a-package-that-is-not-there>=1", "babel>=99"]]


def test_a_kernel_that_has_everything_is_left_alone(installs):
    start.raise_packages()
    assert not installs


def test_a_kernel_that_has_loaded_what_was_too_old_is_to_be_restarted(installs, monkeypatch):
    monkeypatch.setattr(start, "requirements", lambda: [Requirement("numpy>=99")])
    with pytest.raises(LessonError, match="numpy: a newer version was installed"):
        start.raise_packages()
    assert installs == [["--quiet", "numpy>=99"]]


def test_too_little_memory_and_disk_are_said(monkeypatch):
    monkeypatch.setattr(doctor, "MEMORY_GB", 10**6)
    monkeypatch.setattr(doctor, "DISK_GB", 10**6)
    assert "Close other programs" in doctor.memory().says
    assert "make room" in doctor.disk().says


@pytest.mark.parametrize(("source", "variable"), [("embedded", "MEDLESSONS_EMBEDDED"), ("real", "MEDLESSONS_DATA")])
def test_the_disk_is_the_one_where_the_data_go(monkeypatch, tmp_path, source, variable):
    looked_at = []
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda place: looked_at.append(place) or usage)
    monkeypatch.setenv("MEDLESSONS_SOURCE", source)
    monkeypatch.setenv(variable, str(tmp_path / "not" / "made yet"))
    assert str(tmp_path / "not" / "made yet") in doctor.disk().says
    assert looked_at == [tmp_path]


def test_a_lesson_opens_with_source_and_profile(monkeypatch, capsys):
    monkeypatch.setenv("MEDLESSONS_SOURCE", "embedded")
    monkeypatch.setenv("MEDLESSONS_PROFILE", "quick")
    start.start(lesson=1)
    assert "Source: embedded (simulated patients). Profile: quick." in capsys.readouterr().out


def want(monkeypatch, requirement):
    monkeypatch.setattr(start, "requirements", lambda extra=None: [Requirement(requirement)])


def test_a_lesson_does_not_open_with_a_wrong_version(monkeypatch):
    want(monkeypatch, "keras>=99.0")
    with pytest.raises(LessonError, match=r"keras is .* but the lessons need >=99\.0"):
        start.start(lesson=1)


def test_the_error_shows_itself_without_a_traceback():
    assert LessonError("Fix it.")._render_traceback_() == ["LessonError: Fix it."]


@pytest.mark.parametrize("module", ["tqdm", "filelock"])
@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("raise ImportError('DLL load failed')", "ImportError: DLL load failed"),
        ("raise ValueError('numpy.dtype size changed')", "ValueError: numpy.dtype size changed"),
        ("import os; os.kill(os.getpid(), 4)", "nstruction"),
        ("import os; os.abort()", "bort"),
        ("import os; os._exit(3)", "it ended with 3"),
        ("syntax error", "SyntaxError: invalid syntax"),
    ],
)
def test_a_package_that_cannot_be_loaded_is_named(module, code, reason, monkeypatch, tmp_path):
    monkeypatch.setattr(start, "requirements", lambda extra=None: [Requirement("tqdm"), Requirement("filelock")])
    monkeypatch.setattr(doctor, "requirements", start.requirements)
    (tmp_path / f"{module}.py").write_text(code)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    (remedy,) = doctor.remedies()
    assert remedy.startswith(f"{module}: it cannot be loaded (") and reason in remedy and "make setup" in remedy


def test_packages_that_fail_together_only_are_said_to_do_so(monkeypatch):
    monkeypatch.setattr(doctor, "LOOK", "raise RuntimeError('two of a kind')")
    monkeypatch.setattr(doctor, "_modules", lambda: ["json"])
    (finding,) = doctor.libraries()
    assert (finding.what, finding.well) == ("Packages", False) and "two of a kind" in finding.says


@pytest.mark.parametrize(
    ("setting", "value"), [("image_data_format", "channels_first"), ("floatx", "float16"), ("epsilon", 0.001)]
)
def test_a_setting_of_keras_that_changes_the_lessons_is_named(setting, value, monkeypatch):
    found = json.dumps(doctor.KERAS | {"cards": 0, setting: value})
    monkeypatch.setattr(doctor, "_try_in", lambda python, code: ("", f"a greeting\n{found}\n"))
    card, finding = doctor.libraries()
    assert card.well and not finding.well
    assert f"{setting} is {value!r}, but the lessons need" in finding.says and "keras.json" in finding.says


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ('{"argv": ["/removed/python", "-f", "{connection_file}"]}', "/removed/python: No such file"),
        ('{"argv": ["/bin/false"]}', "it ended with 1"),
        ('{"argv": ["/bin/sh"]}', "import"),
        ('{"argv": []}', "IndexError"),
        ("{", "JSONDecodeError"),
        ("", "JSONDecodeError"),
        ("[1]", "TypeError"),
    ],
)
@pytest.mark.skipif(os.name == "nt", reason="the paths of other systems")
def test_a_kernel_that_cannot_run_the_lessons_is_named(content, reason, monkeypatch, tmp_path):
    place = tmp_path / "kernels" / "python3" / "kernel.json"
    place.parent.mkdir(parents=True)
    place.write_text(content)
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    finding = doctor.kernel()
    assert not finding.well
    assert (
        reason in finding.says
        and str(place.parent) in finding.says
        and "jupyter kernelspec remove python3" in finding.says
    )


def test_the_kernel_of_this_python_is_well(monkeypatch, tmp_path):
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    assert doctor.kernel().well


@pytest.mark.parametrize("error", [PermissionError(13, "Permission denied"), OSError(30, "Read-only file system")])
def test_a_folder_that_cannot_be_written_is_named(error, monkeypatch, tmp_path):
    def refuse(**where):
        raise error

    monkeypatch.setenv("MEDLESSONS_EMBEDDED", str(tmp_path / "mine"))
    assert list(doctor.folders()) == []
    monkeypatch.setattr(doctor.tempfile, "TemporaryFile", refuse)
    finding = next(doctor.folders())
    assert not finding.well and str(tmp_path / "mine") in finding.says and "MEDLESSONS_EMBEDDED" in finding.says


def test_a_file_in_the_place_of_a_folder_is_named(monkeypatch, tmp_path):
    (tmp_path / "mine").write_text("")
    monkeypatch.setenv("MEDLESSONS_EMBEDDED", str(tmp_path / "mine"))
    (finding,) = doctor.folders()
    assert "something else stands in the way" in finding.says


def test_the_whole_examination_runs():
    assert {"Python", "Memory", "Disk", "GPU", "Kernel"} <= {finding.what for finding in doctor.examine()}


def test_a_missing_package_ends_the_examination_without_a_traceback(monkeypatch, capsys):
    want(monkeypatch, "a-package-that-is-not-there>=1")
    assert [finding.well for finding in doctor.examine()] == [True, False]
    assert command.main(["doctor"]) == 1
    assert "FIX  a-package-that-is-not-there" in capsys.readouterr().out


def test_a_missing_list_of_weights_is_a_finding(monkeypatch, tmp_path):
    monkeypatch.setattr(settings, "models_dir", lambda: tmp_path)
    (finding,) = doctor.weights()
    assert not finding.well
    assert "git checkout" in finding.says


def test_another_backend_is_named(monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    with pytest.raises(LessonError, match="KERAS_BACKEND is 'jax', but the lessons use TensorFlow"):
        start.start(lesson=1)


@pytest.mark.parametrize(
    ("cores", "gigabytes", "profile", "card", "lessons"),
    [
        (2, 8, "quick", None, 2),
        (64, 500, "quick", None, 2),
        (1, 8, "quick", None, 1),
        (None, 8, "quick", None, 1),
        (2, 7, "quick", None, 1),
        (2, 1, "quick", None, 1),
        (2, 64, "full", None, 1),
        (2, 64, "quick", "/usr/bin/nvidia-smi", 1),
    ],
)
def test_two_lessons_run_at_once_where_that_is_well(cores, gigabytes, profile, card, lessons, monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=gigabytes * 1e9))
    monkeypatch.setattr(shutil, "which", lambda name: card)
    monkeypatch.setenv("MEDLESSONS_PROFILE", profile)
    assert doctor.lessons_at_once() == lessons
