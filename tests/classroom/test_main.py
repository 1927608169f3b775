"""The command line: what each verb prints, and how mistakes are answered."""

import codecs
import os
import signal
import subprocess
import sys
import time

import nbformat
import pandas as pd
import psutil
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from classroom import __main__ as command
from classroom import notebooks, student
from classroom.fetching import archives, commands, placing
from medlessons import data, settings
from simclinic import blood


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
    for name in data.REGISTRY:
        assert name in printed
    assert "not there" in printed


def test_a_file_with_impossible_values_is_not_fetched(capsys):
    data.REGISTRY["anemia"].prepare()  # it has the faults of the published file, and is not the published file
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
        (["data", "fetch", "anemia", "--subset", "1"], "--subset is for chestxray8 from its usual place"),
        (["data", "fetch", "chestxray8", "--subset", "1", "--from", "x"], "--subset is for chestxray8 from its usual"),
        (["data", "fetch", "chestxray8", "--subset", "13"], "There is no subset of 13 archives"),
        (["data", "fetch", "covid", "--cases", "5"], "--cases is for brain from its usual place"),
        (["data", "fetch", "brain", "--cases", "5", "--from", "x"], "--cases is for brain from its usual place"),
        (["data", "fetch", "brain", "--cases", "0"], "There are no 0 cases; choose 1 to 484"),
    ],
)
def test_a_mistake_is_answered_with_what_to_do(arguments, says, capsys):
    assert command.main(arguments) == 1
    assert says in capsys.readouterr().err


def test_an_unknown_source_is_answered(monkeypatch, capsys):
    monkeypatch.setenv("MEDLESSONS_SOURCE", "kaggle")
    assert command.main(["run", "--lesson", "1"]) == 1
    assert "MEDLESSONS_SOURCE is 'kaggle', but it must be one of: embedded, real" in capsys.readouterr().err


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
def test_a_run_that_is_stopped_ends_at_once_and_leaves_no_kernel(number, jobs, tmp_path):
    for lesson in (1, 2, 3):
        write_pid = f"pathlib.Path('{lesson}.pid').write_text(str(os.getpid()))"
        slow = f"print('on {lesson}')\nimport os, pathlib, time\n{write_pid}\ntime.sleep(60)"
        cells = [new_markdown_cell(f"# Lesson {lesson}"), new_code_cell(slow)]
        nbformat.write(new_notebook(cells=cells), tmp_path / f"0{lesson}_slow.ipynb")
    code = """
import pathlib, signal, sys
from classroom import __main__ as command
from classroom import notebooks
from medlessons import data
signal.signal(signal.SIGINT, signal.default_int_handler)  # where tests run in the background, Ctrl-C is ignored
notebooks.find.__defaults__ = (None, pathlib.Path(sys.argv[1]))
data.prepare = lambda numbers: None
sys.exit(command.main(["run", "--build", sys.argv[1] + "/build", "--jobs", sys.argv[2]]))
"""
    words = [sys.executable, "-c", code, str(tmp_path), str(jobs)]
    run = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
    said = ""
    while not all(f"print('on {lesson}')" in said for lesson in range(1, jobs + 1)):  # the bars show the cells that run
        said += run.stderr.read(1)
        assert run.poll() is None
    time.sleep(1)
    run.send_signal(number)
    said += run.communicate(timeout=30)[1]
    assert run.returncode == 130
    assert "medlessons: stopped" in said
    assert "Traceback" not in said
    assert f"Lesson {jobs + 1}" not in said
    kernels = [int(path.read_text()) for path in tmp_path.glob("*.pid")]
    assert len(kernels) == jobs and not any(map(psutil.pid_exists, kernels))


def test_what_can_be_stored_is_stored_beside_a_lesson_that_fails(monkeypatch, tmp_path, capsys):
    for lesson, source in ((1, "1 / 0"), (2, "print('fine')")):
        path = tmp_path / f"0{lesson}_tiny.ipynb"
        nbformat.write(new_notebook(cells=[new_markdown_cell(f"# Lesson {lesson}"), new_code_cell(source)]), path)
    lessons = notebooks.find(folder=tmp_path)
    monkeypatch.setattr(notebooks, "find", lambda selection: lessons)
    monkeypatch.setattr(settings, "choose", lambda *names: None)  # it would last longer than this test
    assert command.main(["refresh", "--jobs", "2"]) == 1
    assert "01_tiny.ipynb, cell 1 (1 / 0): ZeroDivisionError" in capsys.readouterr().err
    stored = [notebooks.read(lesson.path).cells[1].outputs for lesson in lessons]
    assert (stored[0], stored[1][0].text) == ([], "fine\n")


def test_lab_keeps_what_is_there_and_opens_jupyterlab_where_links_lead(monkeypatch, capsys, tmp_path):
    opened = []
    monkeypatch.setattr(settings, "REPOSITORY", tmp_path)
    monkeypatch.setattr(student, "WORK", tmp_path / "work")
    monkeypatch.setattr(student.lay_out, "__defaults__", (tmp_path / "work",))
    monkeypatch.setattr("jupyterlab.labapp.main", opened.append)
    assert command.main(["lab"]) == 0
    assert "01_anemia_mlp.ipynb: new" in capsys.readouterr().out
    assert command.main(["lab"]) == 0
    assert "01_anemia_mlp.ipynb: kept, with your work in it" in capsys.readouterr().out
    usual = [f"--ServerApp.root_dir={tmp_path}", "--LabApp.default_url=/lab/tree/work/01_anemia_mlp.ipynb"]
    assert [arguments[:2] for arguments in opened] == [usual] * 2


@pytest.mark.parametrize("given", [["--port", "8889"], ["--no-browser", "--ip=0.0.0.0"], ["--ServerApp.token=x", "-y"]])
@pytest.mark.parametrize(("user", "root"), [(0, ["--allow-root"]), (1000, [])])
def test_lab_passes_options_on_and_runs_as_root_in_a_container(given, user, root, monkeypatch):
    opened = []
    monkeypatch.setattr(student, "lay_out", dict)
    monkeypatch.setattr(os, "geteuid", lambda: user, raising=False)
    monkeypatch.setattr("jupyterlab.labapp.main", opened.append)
    assert command.main(["lab", *given]) == 0
    assert opened[0][3:] == [*root, *given]


@pytest.mark.parametrize("given", [["list", "--port", "1"], ["doctor", "now"], ["score", "x.ipynb", "--hole"]])
def test_other_verbs_name_an_option_that_they_do_not_know(given, capsys):
    with pytest.raises(SystemExit):
        command.main(given)
    assert f"unrecognized arguments: {given[-1]}" in capsys.readouterr().err.replace("--port 1", "1")


def test_what_goes_to_a_file_is_utf_8_and_keeps_the_names_of_files(tmp_path):
    (tmp_path / "\u674e.ipynb").write_text("{")
    words = [sys.executable, "-m", "classroom", "score", str(tmp_path)]
    environment = os.environ | {"PYTHONIOENCODING": "cp1252"}
    result = subprocess.run(words, env=environment, capture_output=True, check=False)
    assert result.returncode == 0
    assert result.stdout.startswith(codecs.BOM_UTF8), "Excel would take it for another encoding"
    assert "\u674e.ipynb,,,could not be run" in result.stdout.decode("utf-8-sig")


@pytest.mark.parametrize("names", ["(", "[a", "*"])
def test_an_expression_for_names_that_is_none_is_named_first(names, capsys):
    assert command.main(["score", "absent.ipynb", "--wide", "--names", names]) == 1
    assert f"--names {names!r} is no regular expression" in capsys.readouterr().err


def test_weights_says_where_to_read_about_them(capsys):
    assert command.main(["weights", "status"]) == command.main(["weights"]) == 0
    assert capsys.readouterr().out.count("models/README.md") == 2


def test_ctrl_c_ends_without_a_traceback(monkeypatch, capsys):
    def interrupted():
        raise KeyboardInterrupt

    monkeypatch.setattr(commands, "status", interrupted)
    assert command.main(["data", "status"]) == 130
    assert "stopped" in capsys.readouterr().err


def test_a_folder_that_cannot_be_is_named(monkeypatch, capsys):
    monkeypatch.setenv("MEDLESSONS_DATA", "~nobody-of-this-name/data")
    assert command.main(["data", "status"]) == 1
    assert "MEDLESSONS_DATA is '~nobody-of-this-name/data'" in capsys.readouterr().err


# ---------------------------------------------------------------------------------------------------------
# Data are fetched, verified, removed


@pytest.fixture
def counts(tmp_path):
    """An instructor's own blood counts."""
    table, truth = map(pd.DataFrame, blood.draw(return_truth=True))
    table = table[~truth["filled"] & (truth["corrupted"] == "")]
    common = table["Diagnosis"].value_counts().loc[lambda many: many >= 5].index
    table[table["Diagnosis"].isin(common)].to_csv(tmp_path / "mine.csv", index=False)
    return tmp_path / "mine.csv"


@pytest.fixture
def roomy_disk(monkeypatch):
    """A disk that any data set fits on, whatever this computer has left."""
    monkeypatch.setattr(archives.shutil, "disk_usage", lambda folder: type("Usage", (), {"free": 1e12}))


@pytest.mark.usefixtures("roomy_disk")
@pytest.mark.parametrize(
    ("name", "arguments", "says"),
    [
        ("anemia", [], ["licence   no licence found", "124.3 KB", "kaggle.com/datasets/ehababoelnaga"]),
        ("orientation", [], ["differs by image", "arXiv", "not known before"]),
        ("covid", [], ["CC BY 4.0", "1.2 GB", "10.17632/rscbjbr9sj.2", "differs by image"]),
        ("chestxray8", [], ["NIH Clinical Center", "45.1 GB", "12 of 12 archives"]),
        ("findings", ["--subset", "1"], ["2.0 GB", "1 of 12"]),
        ("chestxray8", ["--subset", "0"], ["12.0 MB", "0 of 12"]),
        ("covid", ["--from", "http://127.0.0.1:9/x.zip"], ["CC BY 4.0"]),
    ],
)
def test_nothing_is_fetched_before_its_licence_was_agreed_to(name, arguments, says, monkeypatch, capsys):
    monkeypatch.setattr(placing, "fetch", lambda *_, **__: pytest.fail("nothing may be fetched"))
    assert command.main(["data", "fetch", name, *arguments]) == 1
    printed = capsys.readouterr()
    assert all(word.lower() in printed.out.lower() for word in says), printed.out
    assert "Nobody can answer here: if you agree, run the command again with --yes" in printed.err


@pytest.mark.usefixtures("roomy_disk")
@pytest.mark.parametrize(("answer", "fetched"), [("y", True), ("Yes", True), ("", False), ("n", False)])
def test_the_answer_counts(answer, fetched, monkeypatch, capsys):
    asked = []
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda question: answer)
    monkeypatch.setattr(placing, "fetch", lambda *wanted: asked.append(wanted) or [])
    assert command.main(["data", "fetch", "chestxray8", "--subset", "2"]) == (0 if fetched else 1)
    assert asked == ([("chestxray8", None, 2, None)] if fetched else [])


def test_a_disk_that_is_too_small_is_said_before_the_question(monkeypatch, capsys):
    monkeypatch.setattr(archives.shutil, "disk_usage", lambda folder: type("Usage", (), {"free": 5e9}))
    assert command.main(["data", "fetch", "chestxray8"]) == 1
    assert "chestxray8: it needs 49.3 GB, but the disk of" in capsys.readouterr().err


def test_what_was_fetched_is_verified_and_removed(counts, capsys):
    assert command.main(["data", "fetch", "anemia", "--from", str(counts)]) == 0
    folder = settings.real_dir() / "anemia"
    assert command.main(["data", "verify"]) == command.main(["data", "verify", "anemia"]) == 0
    assert capsys.readouterr().out.count(f"ok    {folder}\n") == 2
    with (folder / "diagnosed_cbc_data_v4.csv").open("a") as file:
        file.write("\n")
    assert command.main(["data", "verify"]) == 1
    assert "diagnosed_cbc_data_v4.csv: it has changed since it was fetched." in capsys.readouterr().out
    assert command.main(["data", "remove", "anemia"]) == 1
    assert "Remove this? Nobody can answer here" in capsys.readouterr().err and folder.is_dir()
    assert command.main(["data", "remove", "anemia", "--yes"]) == 0
    assert not folder.exists()
    assert command.main(["data", "remove", "anemia", "--yes"]) == 1
    assert "Nothing of anemia is there that was fetched" in capsys.readouterr().err
    assert command.main(["data", "verify"]) == 0
    assert "No published data are there. Fetch some with `medlessons data fetch NAME`" in capsys.readouterr().out


def test_what_was_laid_by_hand_is_not_removed(counts, capsys):
    folder = settings.real_dir() / "anemia"
    folder.mkdir(parents=True)
    counts.rename(folder / "diagnosed_cbc_data_v4.csv")
    assert command.main(["data", "remove", "anemia", "--yes"]) == 1
    assert f"{folder} was laid there by hand, and stays. Remove it yourself" in capsys.readouterr().out
    assert folder.is_dir()
    assert command.main(["data", "verify", "anemia"]) == 0


def test_a_task_and_its_collection_are_verified_and_removed_by_either_name(counts, capsys, write_image):
    folder = settings.real_dir() / "chest_xray"
    for name in ("train/NORMAL/IM-0001-0001.jpeg", "train/PNEUMONIA/person1_virus_6.jpeg"):
        write_image(counts.parent / "chest_xray" / name)
    assert command.main(["data", "fetch", "kermany", "--from", str(counts.parent / "chest_xray")]) == 0
    assert command.main(["data", "verify", "covid"]) == command.main(["data", "verify", "kermany"]) == 0
    capsys.readouterr()
    assert command.main(["data", "remove", "covid", "--yes"]) == 0 and not folder.exists()
    assert f"{folder} (read by covid)" in capsys.readouterr().out
