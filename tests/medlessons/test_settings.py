"""What the environment says: source, profile, folders."""

import os

import pytest

from medlessons import settings
from medlessons.errors import LessonError


@pytest.mark.parametrize(("name", "size"), [("quick", 5), ("full", 20), ("", 5)])
def test_the_profile_chooses_how_large_something_is(monkeypatch, name, size):
    monkeypatch.setenv("MEDLESSONS_PROFILE", name)
    assert settings.profile() == (name or "quick")
    assert settings.sized(quick=5, full=20) == size


def test_an_unknown_profile_is_refused(monkeypatch):
    monkeypatch.setenv("MEDLESSONS_PROFILE", "huge")
    with pytest.raises(LessonError, match="'huge', but it must be one of: quick, full"):
        settings.sized(quick=5, full=20)


def test_chosen_folders_are_absolute_for_the_kernels(monkeypatch):
    monkeypatch.setenv("MEDLESSONS_DATA", "somewhere/below")
    monkeypatch.setenv("MEDLESSONS_EMBEDDED", "~/made")
    settings.choose()
    assert settings.real_dir().is_absolute()
    assert os.environ["MEDLESSONS_DATA"] == str(settings.real_dir())
    assert "~" not in os.environ["MEDLESSONS_EMBEDDED"]


def test_a_choice_reaches_the_environment_of_the_kernels(monkeypatch):
    for name in ("MEDLESSONS_SOURCE", "MEDLESSONS_PROFILE"):
        monkeypatch.setenv(name, "")
    settings.choose("real", "full")
    assert (os.environ["MEDLESSONS_SOURCE"], os.environ["MEDLESSONS_PROFILE"]) == ("real", "full")


def test_an_unknown_kind_of_weights_is_refused(monkeypatch):
    monkeypatch.setenv("MEDLESSONS_WEIGHTS", "mine")
    with pytest.raises(LessonError, match="'mine', but it must be one of"):
        settings.choose()
    monkeypatch.setenv("MEDLESSONS_WEIGHTS", "")
    assert settings.weights() is None
