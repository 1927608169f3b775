"""The command line: what each verb prints, and how mistakes are answered."""

import os

import pytest

from medlessons import __main__ as command
from medlessons import datasets, settings
from medlessons.errors import LessonError


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch, tmp_path):
    for name in ("MEDLESSONS_SOURCE", "MEDLESSONS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MEDLESSONS_DATA", str(tmp_path / "real"))


def test_list_names_the_lessons(capsys):
    assert command.main(["list"]) == 0
    assert "1  Telling anemias apart" in capsys.readouterr().out


def test_data_status_names_every_data_set(capsys):
    assert command.main(["data", "status"]) == 0
    printed = capsys.readouterr().out
    for name in datasets.REGISTRY:
        assert name in printed
    assert "not there" in printed


def test_a_file_with_impossible_values_is_not_fetched(capsys):
    datasets.REGISTRY["anemia"].prepare()  # it has the faults of the published file, and is not the published file
    path = settings.embedded_dir() / "anemia" / "diagnosed_cbc_data_v4.csv"
    assert command.main(["data", "fetch", "anemia", "--from", str(path)]) == 1
    assert "is not possible in a living patient" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["data", "fetch", "blood"], "There is no data set 'blood'"),
        (["list", "--lesson", "9"], "There is no lesson '9'"),
        (["score", "absent.ipynb"], "absent.ipynb: there is no such notebook"),
        (["data", "fetch", "anemia", "--from", "nowhere.csv"], "nowhere.csv: there is no such file"),
    ],
)
def test_a_mistake_is_answered_with_what_to_do(arguments, says, capsys):
    assert command.main(arguments) == 1
    assert says in capsys.readouterr().err


def test_an_unknown_source_is_answered(monkeypatch, capsys):
    monkeypatch.setenv("MEDLESSONS_SOURCE", "kaggle")
    assert command.main(["run", "--lesson", "1"]) == 1
    assert "MEDLESSONS_SOURCE is 'kaggle', but it must be one of: embedded, real" in capsys.readouterr().err


def test_ctrl_c_ends_without_a_traceback(monkeypatch, capsys):
    def interrupted():
        raise KeyboardInterrupt

    monkeypatch.setattr(datasets, "status", interrupted)
    assert command.main(["data", "status"]) == 130
    assert "stopped" in capsys.readouterr().err


def test_data_folders_are_absolute_for_the_kernels(monkeypatch):
    monkeypatch.setenv("MEDLESSONS_DATA", "somewhere/below")
    monkeypatch.setenv("MEDLESSONS_EMBEDDED", "~/made")
    command.main(["list"])
    assert settings.real_dir().is_absolute()
    assert os.environ["MEDLESSONS_DATA"] == str(settings.real_dir())
    assert "~" not in os.environ["MEDLESSONS_EMBEDDED"]


def test_an_unknown_profile_is_refused(monkeypatch):
    monkeypatch.setenv("MEDLESSONS_PROFILE", "huge")
    with pytest.raises(LessonError, match="'huge', but it must be one of: quick, full"):
        settings.profile()
