"""What the doctor says of a computer that is well, and of one that is not."""

import shutil
from importlib.metadata import requires

import pytest
from packaging.requirements import Requirement

from classroom import __main__ as command
from classroom import doctor
from medlessons import settings
from medlessons.errors import LessonError


def test_this_computer_is_well_enough_to_test():
    assert all(finding.well for finding in doctor.versions())


@pytest.mark.parametrize(("version", "well"), [((3, 10), False), ((3, 11), True), ((3, 13), True), ((3, 14), False)])
def test_only_the_pythons_of_tensorflow_are_well(version, well):
    finding = doctor.python(version)
    assert finding.well is well
    assert well or "Install one of them" in finding.says


def test_a_missing_package_is_named_with_the_next_step():
    finding = doctor.installed("a-package-that-is-not-there", (1, 0))
    assert not finding.well
    assert "make setup" in finding.says


def test_an_old_package_is_named_with_the_version_wanted():
    finding = doctor.installed("keras", (99, 0))
    assert not finding.well
    assert "need 99.0 or later" in finding.says


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
    doctor.start(lesson=1)
    assert "Source: embedded (simulated patients). Profile: quick." in capsys.readouterr().out


def test_a_lesson_does_not_open_with_a_wrong_version(monkeypatch):
    monkeypatch.setattr(doctor, "OLDEST", {"keras": (99, 0)})
    with pytest.raises(LessonError, match=r"keras is .* but the lessons need 99\.0"):
        doctor.start(lesson=1)


def test_the_error_shows_itself_without_a_traceback():
    assert LessonError("Mend it.")._render_traceback_() == ["LessonError: Mend it."]


def test_the_whole_examination_runs():
    assert {"Python", "Memory", "Disk", "GPU"} <= {finding.what for finding in doctor.examine()}


def test_a_missing_package_ends_the_examination_without_a_traceback(monkeypatch, capsys):
    monkeypatch.setattr(doctor, "OLDEST", {"a-package-that-is-not-there": (1, 0)})
    assert [finding.well for finding in doctor.examine()] == [True, False]
    assert command.main(["doctor"]) == 1
    assert "MEND  a-package-that-is-not-there" in capsys.readouterr().out


def test_a_missing_list_of_weights_is_a_finding(monkeypatch, tmp_path):
    monkeypatch.setattr(settings, "models_dir", lambda: tmp_path)
    (finding,) = doctor.weights()
    assert not finding.well
    assert "git checkout" in finding.says


def test_the_versions_are_those_of_the_package():
    required = {Requirement(line).name: Requirement(line).specifier for line in requires("medlessons")}
    for package, oldest in doctor.OLDEST.items():
        specifier = required[package]
        version = ".".join(map(str, oldest))
        assert specifier.contains(version), f"{package} {version} is not in {specifier}"
        assert not specifier.contains(f"{oldest[0]}.{oldest[1] - 1}")


def test_another_backend_is_named(monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    with pytest.raises(LessonError, match="KERAS_BACKEND is 'jax', but the lessons use TensorFlow"):
        doctor.start(lesson=1)
