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


def test_a_home_that_is_not_there_is_refused(monkeypatch):
    monkeypatch.setenv("MEDLESSONS_DATA", "~nobody-of-this-name/data")
    with pytest.raises(LessonError, match="MEDLESSONS_DATA is '~nobody-of-this-name/data', which is no folder"):
        settings.real_dir()


def test_folders_and_language_unless_the_environment_says_otherwise(monkeypatch, tmp_path):
    folders = {"DATA": settings.real_dir, "EMBEDDED": settings.embedded_dir, "LOCALE": settings.locale_dir}
    for name, folder in folders.items():
        monkeypatch.delenv(f"MEDLESSONS_{name}", raising=False)
        assert folder() == settings.REPOSITORY / "data" / {"DATA": "real"}.get(name, name.lower())
        monkeypatch.setenv(f"MEDLESSONS_{name}", str(tmp_path))
        assert folder() == tmp_path
    for value, language in (("de", "de"), ("", "en")):
        monkeypatch.setenv("MEDLESSONS_LANGUAGE", value)
        assert settings.language() == language
    assert (settings.models_dir() / "README.md").is_file()


def test_defaults_leave_what_the_environment_says(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    for name in ("KERAS_BACKEND", "TF_CPP_MIN_LOG_LEVEL"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    settings.set_defaults()
    chosen = [os.environ[name] for name in ("OMP_NUM_THREADS", "KERAS_BACKEND", "TF_CPP_MIN_LOG_LEVEL")]
    assert chosen == ["3", "tensorflow", "3"]
    assert settings.backend() == "tensorflow"


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
