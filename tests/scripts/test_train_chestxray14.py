"""Training at scale: who is shown when, the cache, refusals and checkpoints; with JAX also what several devices do."""

import importlib.util
import json
import os
import re
import shlex
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from medlessons import settings, splits
from medlessons.errors import LessonError
from scripts import pretrain, train_chestxray14
from simclinic.thorax import FINDINGS
from tests.scripts.workers import Here

needs_jax = pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason="pip install jax")


@pytest.fixture
def release(tmp_path, write_image):
    """A folder as the NIH publishes it: 60 patients, every third with a second image; 50 to 59 are for testing."""
    rng, rows = np.random.default_rng(0), []
    for patient in range(60):
        for visit in range(1 + (patient % 3 == 0)):
            name, found = f"{patient:08d}_{visit:03d}.png", rng.choice(FINDINGS, 2, replace=False)
            write_image(tmp_path / "images_001" / "images" / name, level=patient, size=(64, 80))
            rows.append((name, "|".join(found), patient, 50, "F", "PA"))
    columns = ["Image Index", "Finding Labels", "Patient ID", "Patient Age", "Patient Gender", "View Position"]
    table = pd.DataFrame(rows, columns=columns)
    table.to_csv(tmp_path / "Data_Entry_2017.csv", index=False)
    for name, listed in (("train_val", table["Patient ID"] < 50), ("test", table["Patient ID"] >= 50)):
        (tmp_path / f"{name}_list.txt").write_text("\n".join(table["Image Index"][listed]))
    return tmp_path


@pytest.fixture
def small_blocks(monkeypatch):
    monkeypatch.setattr(train_chestxray14, "BLOCK", 16)
    monkeypatch.setattr(train_chestxray14, "ProcessPoolExecutor", Here)  # workers would not see this size


# ---------------------------------------------------------------------------------------------------------
# Who is shown when


def test_the_lists_of_the_nih_divide_the_images_and_patients_stay_together(release):
    table = train_chestxray14.read_table(str(release))
    parts = dict(iter(table.groupby("part")))
    assert splits.shared_patients(parts) == []
    assert set(parts["test"]["patient"].astype(int)) == set(range(50, 60))
    assert len(parts["train"]) + len(parts["valid"]) == 67 and 4 <= len(parts["valid"]) <= 14


def test_without_lists_patients_are_divided_and_with_one_alone_nobody_guesses(release):
    (release / "test_list.txt").unlink()
    with pytest.raises(LessonError, match="no image for test"):
        train_chestxray14.read_table(str(release))
    (release / "train_val_list.txt").unlink()
    table = train_chestxray14.read_table(str(release))
    assert splits.shared_patients(dict(iter(table.groupby("part")))) == []
    assert set(table["part"]) == {"train", "valid", "test"}


def test_a_digest_follows_from_images_and_labels_and_not_from_their_folder(release):
    table = train_chestxray14.read_table(str(release))
    moved = table.assign(path=table["path"].str.replace(str(release), "/elsewhere"))
    moved.attrs = table.attrs
    other = table.copy()
    other.loc[3, "Mass"] = 1 - other.loc[3, "Mass"]
    assert train_chestxray14.digest(moved) == train_chestxray14.digest(table) != train_chestxray14.digest(other)


@pytest.mark.parametrize("processes", [1, 2, 4])
def test_the_processes_together_show_what_one_would_show(processes):
    rows = np.random.default_rng(0).permutation(96)
    shares = [train_chestxray14.share(rows, 8, process, processes) for process in range(processes)]
    assert all(part.shape == (12, 8 // processes) for part in shares)
    assert np.array_equal(np.concatenate(shares, axis=1).ravel(), rows)


def test_a_recipe_has_whole_batches_and_every_image_once_per_epoch():
    asked = train_chestxray14.parse(["--data", "x", "--epochs", "2", "--batch", "8", "--every", "3"])
    recipe = train_chestxray14.recipe_of(asked, 50)
    shown = np.concatenate([pretrain.order(recipe, 1, numbers) for _, numbers in recipe.parts()])
    assert len(shown) == 96 and sorted(shown[:50]) == list(range(50))
    assert [len(numbers) for _, numbers in recipe.parts()] == [24, 24, 24, 24]
    with pytest.raises(LessonError, match="do not fill one batch of 8"):
        train_chestxray14.recipe_of(asked, 3)


# ---------------------------------------------------------------------------------------------------------
# Cache


def test_the_cache_is_made_once_and_goes_on_where_it_was_stopped(release, tmp_path, small_blocks):
    table = train_chestxray14.read_table(str(release))
    folder = tmp_path / "cache"
    blocks = train_chestxray14.cached(table["path"], 32, folder)
    assert [len(block) for block in blocks] == [16, 16, 16, 16, 16] and blocks[0].shape[1:] == (32, 32)
    levels = [int(block[i, 0, 0]) for block in blocks for i in range(len(block))]
    assert levels == table["patient"].astype(int).tolist()
    made = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    (folder / "000032.npy").unlink()
    train_chestxray14.cached(table["path"], 32, folder)
    again = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert {name for name in made if made[name] != again[name]} == {"000032.npy"}


def test_processes_that_share_a_folder_begin_at_different_blocks(release, tmp_path, small_blocks, monkeypatch):
    done = []
    monkeypatch.setattr(train_chestxray14, "_resize_block", lambda size, job: done.append(job[0].name) or ["stop"])
    for turn in (0, 0.5):
        with pytest.raises(LessonError, match="stop"):
            train_chestxray14.cached(train_chestxray14.read_table(str(release))["path"], 32, tmp_path / "cache", turn)
    assert done[0] == "000000.npy" and done[5] == "000032.npy" and len(set(done)) == 5


def test_all_damaged_images_are_counted_and_one_is_named(release, tmp_path, small_blocks):
    table = train_chestxray14.read_table(str(release))
    for path in table["path"][[2, 40]]:
        Path(path).write_bytes(Path(path).read_bytes()[:60])
    with pytest.raises(LessonError, match=rf"2 images cannot be used.*{Path(table['path'][2]).name}"):
        train_chestxray14.cached(table["path"], 32, tmp_path / "cache")
    assert len(list((tmp_path / "cache").iterdir())) == 3


def test_a_batch_comes_from_the_cache_with_its_labels(release, tmp_path, small_blocks):
    table = train_chestxray14.read_table(str(release))
    blocks = train_chestxray14.cached(table["path"], 32, tmp_path / "cache")
    labels = table[list(FINDINGS)].to_numpy(np.float32)
    batches = train_chestxray14.batches(blocks, np.array([[3, 70], [20, 21]]), labels)
    pictures, truth = batches[0]
    assert len(batches) == 2 and pictures.shape == (2, 32, 32, 1) and pictures.dtype == np.uint8
    assert pictures[:, 0, 0, 0].tolist() == table["patient"].astype(int)[[3, 70]].tolist()
    assert np.array_equal(truth, labels[[3, 70]])


# ---------------------------------------------------------------------------------------------------------
# Processes and checkpoints


def test_whoever_starts_the_processes_says_which_one_this_is(monkeypatch):
    for number, count in train_chestxray14.LAUNCHERS:
        monkeypatch.delenv(number, raising=False)
        monkeypatch.delenv(count, raising=False)
    assert train_chestxray14.rank() == (0, 1)
    monkeypatch.setenv("SLURM_NTASKS", "4")
    assert train_chestxray14.rank() == (0, 1), "in the shell of a job no process has a number"
    monkeypatch.setenv("SLURM_PROCID", "3")
    assert train_chestxray14.rank() == (3, 4)


def test_processes_with_other_numbers_are_refused():
    names = ["the number of images", "the number of steps"]
    train_chestxray14.refuse_differences(names, np.array([[900, 28], [900, 28]]))
    with pytest.raises(LessonError, match="the number of steps: process 0 has 28, process 1 has 27"):
        train_chestxray14.refuse_differences(names, np.array([[900, 28], [900, 27]]))


FULL_DISK = """
import resource, sys
from pathlib import Path
from types import SimpleNamespace
import numpy as np
from scripts import pretrain

def network(level):
    variables = [SimpleNamespace(numpy=lambda: np.full(50_000, level, np.float32))]
    return SimpleNamespace(variables=variables, optimizer=SimpleNamespace(variables=[]))

folder = Path(sys.argv[1])
pretrain.checkpoint(folder, {"part": 1, "log": []}, network(1.0))
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))  # bytes; a checkpoint has twice as many
try:
    pretrain.checkpoint(folder, {"part": 2, "log": []}, network(2.0))
except OSError as error:
    print("refused:", error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="has no such limit")
def test_a_disk_that_fills_while_a_checkpoint_is_written_leaves_the_old_one_whole(tmp_path):
    told = run(["-c", FULL_DISK, str(tmp_path)])
    assert "refused" in told.stdout, told.stderr
    with np.load(tmp_path / "checkpoint.npz") as stored:
        assert json.loads(str(stored["state"]))["part"] == 1 and (stored["00000"] == 1).all()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint.npz", "log.jsonl"]


def test_a_card_says_what_was_trained_on_what_and_how_good_it_is(release, tmp_path):
    listed = release / "test_list.txt"
    listed.write_text("\n".join(listed.read_text().split()[1:]))
    table = train_chestxray14.read_table(str(release))
    asked = train_chestxray14.parse(["--data", str(release), "--out", str(tmp_path / "out"), "--start", "chestxray8"])
    logits = np.random.default_rng(0).normal(size=((table["part"] == "test").sum(), len(FINDINGS)))
    state = {"images": 640, "hours": 1.5, "commit": "abc1234"}
    train_chestxray14.write_card(asked, table, logits, state, "8 x NVIDIA H100, 2 processes")
    card = (tmp_path / "out" / "card.md").read_text()
    for said in (
        "chestxray8.npz",
        "640 images in 10 epochs",
        "1.50 hours on 8 x NVIDIA H100",
        "1 in neither list",
    ):
        assert said in card
    assert card.count("too few for an interval") == len(FINDINGS)
    told = pd.read_csv(tmp_path / "out" / "test_predictions.csv")
    assert len(told) == len(logits) and told["Mass"].between(0, 1).all()


def test_every_command_of_the_documentation_is_understood():
    told = (settings.REPOSITORY / "docs" / "SCALE.md").read_text(encoding="utf-8").replace("\\\n", " ")
    commands = re.findall(r"python scripts/train_chestxray14.py( --.*)", told)
    assert len(commands) >= 6
    for command in commands:
        train_chestxray14.parse(shlex.split(command))
    with pytest.raises(SystemExit):
        train_chestxray14.parse(["--data", "embedded", "--start", "no_such_weights.npz"])


def test_a_process_that_ends_says_which_one_and_what_to_do():
    explain = train_chestxray14.explain
    assert explain(LessonError("No image."), 0, 1) == "No image."
    told = explain(RuntimeError("connection closed by peer"), 1, 2)
    assert told.startswith("Process 1 of 2 ends: connection closed") and "goes on at its last checkpoint" in told


def run(arguments, **environment):
    """Run Python with this repository's packages; wait for its end."""
    return subprocess.run([sys.executable, *arguments], env=surroundings(**environment), **TEXT, check=False)


def surroundings(**more):
    paths = [str(settings.REPOSITORY / "src"), str(settings.REPOSITORY), os.environ.get("PYTHONPATH", "")]
    return os.environ | {"PYTHONPATH": os.pathsep.join(paths)} | more


TEXT = {"capture_output": True, "text": True}


# ---------------------------------------------------------------------------------------------------------
# Several devices and processes, with JAX

SMALL_NETWORK = """
from medlessons import models
from scripts import train_chestxray14

def small(size, outputs):
    import keras
    from keras import layers
    inputs = keras.Input((None, None, 1))
    maps = layers.Conv2D(8, 3, strides=2, use_bias=False)(layers.Rescaling(1 / 255)(inputs))
    maps = layers.ReLU()(layers.BatchNormalization()(maps))
    logits = layers.Dense(outputs, name="logits")(layers.GlobalAveragePooling2D()(maps))
    return keras.Model(inputs, layers.Activation("sigmoid")(logits))

models.BUILDERS["densenet121"] = small
train_chestxray14.main()
"""
PROCESSES = {"KERAS_DISTRIBUTION_NUM_PROCESSES": "2", "XLA_FLAGS": ""}


def small_training(release, out, *more):
    asked = ["--data", str(release), "--size", "32", "--batch", "16", "--epochs", "30", "--every", "10", "--out", out]
    return ["-c", SMALL_NETWORK, *map(str, asked), "--cache", str(release / "cache"), *more]


def start_two(release, out, port, more=((), ())):
    """Start both processes of a training; return them."""
    together = PROCESSES | {"KERAS_DISTRIBUTION_JOB_ADDRESSES": f"127.0.0.1:{port}"}
    return [
        subprocess.Popen(
            [sys.executable, *small_training(release, out, *more[number])],
            env=surroundings(**together, KERAS_DISTRIBUTION_PROCESS_ID=str(number)),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for number in range(2)
    ]


def variables_of(out):
    """Return all that a training changed, and the losses that it wrote down."""
    with np.load(out / "checkpoint.npz") as stored:
        log = json.loads(str(stored["state"]))["log"]
        return [stored[name] for name in stored.files if name != "state"], [line["loss"] for line in log]


def farthest(one, other):
    return max(np.abs(a - b.astype(float)).max() for a, b in zip(one, other, strict=True) if a.size)


@pytest.fixture
def port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@pytest.fixture
def undisturbed(release):
    """What a training of one process on one device ends with."""
    told = run(small_training(release, release / "one"), XLA_FLAGS="")
    assert told.returncode == 0, told.stderr
    return variables_of(release / "one")


@needs_jax
@pytest.mark.slow
def test_two_devices_and_two_processes_end_as_one_device_does(release, undisturbed, port):
    two = "--xla_force_host_platform_device_count=2"
    told = run(small_training(release, release / "devices"), XLA_FLAGS=two)
    assert told.returncode == 0, told.stderr
    processes = start_two(release, release / "processes", port)
    said = [process.communicate(timeout=600)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], said
    for way in ("devices", "processes"):
        variables, losses = variables_of(release / way)
        assert losses == pytest.approx(undisturbed[1], abs=1e-5)
        assert farthest(variables, undisturbed[0]) < 1e-5
    assert (release / "processes" / "card.md").is_file()


@needs_jax
@pytest.mark.slow
@pytest.mark.parametrize("killed", [0, 1])
def test_a_killed_process_ends_the_other_and_the_next_start_ends_as_if_nothing_had_been(
    release, undisturbed, port, killed
):
    processes, out = start_two(release, release / "out", port), release / "out"
    while not (out / "log.jsonl").is_file() or len((out / "log.jsonl").read_text().splitlines()) < 2:
        assert all(process.poll() is None for process in processes), "ended before it could be killed"
        time.sleep(0.05)
    processes[killed].kill()
    began = time.monotonic()
    said = processes[1 - killed].communicate(timeout=600)[0]
    print(f"{time.monotonic() - began:.0f} s later: {said[-2000:]}")  # pytest -rP shows it
    assert time.monotonic() - began < 60 and processes[1 - killed].returncode != 0
    assert "Process" in said or "terminat" in said, said
    assert not (out / "card.md").exists()
    again = start_two(release, out, port)
    said = [process.communicate(timeout=600)[0] for process in again]
    assert [process.returncode for process in again] == [0, 0], said
    assert farthest(variables_of(out)[0], undisturbed[0]) < 1e-5


@needs_jax
@pytest.mark.slow
def test_processes_with_unequal_numbers_of_steps_are_refused_before_they_train(release, port):
    processes = start_two(release, release / "out", port, more=((), ("--epochs", "29")))
    said = [process.communicate(timeout=600)[0] for process in processes]
    assert all(process.returncode for process in processes)
    assert all("do not agree on the number of steps" in text for text in said), said
    assert not (release / "out").exists()


@needs_jax
@pytest.mark.slow
def test_the_command_of_the_documentation_fine_tunes_on_the_embedded_set(tmp_path):
    script = settings.REPOSITORY / "scripts" / "train_chestxray14.py"
    asked = ["--data", "embedded", "--start", "chestxray8", "--size", "64", "--epochs", "1", "--batch", "32"]
    told = run([str(script), *asked, "--out", str(tmp_path / "out"), "--cache", str(tmp_path / "cache")], XLA_FLAGS="")
    assert told.returncode == 0, told.stderr
    known = json.loads((tmp_path / "out" / "chestxray14.json").read_text())
    assert known["labels"] == list(FINDINGS) and known["sizes"] == [64]
    assert "| Effusion |" in (tmp_path / "out" / "card.md").read_text()
    assert len(pd.read_csv(tmp_path / "out" / "log.csv")) == 1
