"""Weights are loaded whole or not at all."""

import errno
import shutil

import numpy as np
import pytest

from medlessons import models, settings
from medlessons.errors import LessonError


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(settings, "models_dir", lambda: tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "tiny.keras"
    models.orientation(32, filters=(2, 3)).save(path)
    return path


def test_what_was_recorded_loads_and_predicts_the_same(folder, tiny):
    shutil.copy(tiny, folder)
    models.record(folder / "tiny.keras")
    assert models.status() == {"tiny.keras": None}
    network = models.load("tiny")
    pictures = np.random.default_rng(0).uniform(0, 255, (5, 32, 32, 1)).astype(np.float32)
    chances = models.probabilities(network, pictures, batch_size=2)
    assert chances.shape == (5,) and (chances > 0).all() and (chances < 1).all()
    assert chances == pytest.approx(network.predict(pictures, verbose=0)[:, 0], abs=1e-6)


def test_missing_damaged_and_unknown_weights_are_named(folder, tiny):
    with pytest.raises(LessonError, match="list of checksums"):
        models.load("tiny")
    path = folder / "tiny.keras"
    shutil.copy(tiny, path)
    models.record(path)
    with pytest.raises(LessonError, match="no network 'large'; there are tiny"):
        models.load("large")
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(LessonError, match="damaged"):
        models.load("tiny")
    path.unlink()
    with pytest.raises(LessonError, match="not there"):
        models.load("tiny")
    assert "not there" in models.status()["tiny.keras"]


def test_the_list_keeps_other_files(folder, tiny):
    (folder / "a.keras").write_bytes(b"a")
    models.record(folder / "a.keras")
    shutil.copy(tiny, folder)
    models.record(folder / "tiny.keras")
    assert set(models.checksums()) == {"a.keras", "tiny.keras"}


def test_the_list_is_written_whole_or_not_at_all(folder, monkeypatch):
    (folder / "a.keras").write_bytes(b"a")
    models.record(folder / "a.keras")
    before = (folder / models.CHECKSUMS).read_bytes()

    def fill(path, content, **options):
        path.touch()
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(type(folder), "write_text", fill)
    (folder / "b.keras").write_bytes(b"b")
    with pytest.raises(LessonError, match="the disk is full"):
        models.record(folder / "b.keras")
    assert (folder / models.CHECKSUMS).read_bytes() == before
    assert {path.name for path in folder.iterdir()} == {"a.keras", "b.keras", models.CHECKSUMS}


def test_the_shipped_weights_are_whole():
    assert all(fault is None for fault in models.status().values())
    network = models.load("orientation")
    assert network.input_shape[1:] == (96, 96, 1) and network.output_shape == (None, 1)
