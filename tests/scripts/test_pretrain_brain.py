"""A training of lesson 6's network that is killed goes on and ends the same; its parts follow from seed and step."""

import json

import numpy as np
import pytest

from medlessons import models, unet
from scripts import pretrain_brain
from tests.scripts.workers import Here


@pytest.fixture(autouse=True)
def small(monkeypatch):
    for name, value in {"BLOCK": 2, "VALIDATION": 2, "PART": 1, "SIZE": (16, 16, 12)}.items():
        monkeypatch.setattr(pretrain_brain, name, value)
    monkeypatch.setattr(unet, "SHIPPED", (2, 4))
    monkeypatch.setattr(pretrain_brain.os, "cpu_count", lambda: 1)
    monkeypatch.setattr(pretrain_brain, "ProcessPoolExecutor", Here)  # workers would not see these sizes


def test_a_training_that_is_stopped_goes_on_and_ends_the_same(tmp_path, monkeypatch):
    class Killed(BaseException):
        """Nothing tidies up after it, as after kill -9."""

    whole = pretrain_brain.train(3, 2, 5, tmp_path / "whole", tmp_path / "log")
    usual = pretrain_brain.checkpoint

    def dies_after_two(folder, state, network):
        usual(folder, state, network)
        if state["part"] == 2:
            raise Killed

    monkeypatch.setattr(pretrain_brain, "checkpoint", dies_after_two)
    with pytest.raises(Killed):
        pretrain_brain.train(3, 2, 5, tmp_path / "again", tmp_path / "other")
    assert not (tmp_path / "again").exists()
    again = pretrain_brain.train(3, 2, 5, tmp_path / "again", tmp_path / "other")
    assert [line["loss"] for line in again["log"]] == pytest.approx([line["loss"] for line in whole["log"]], abs=1e-4)
    first, second = (models.unpack(tmp_path / name / "brain.npz") for name in ("whole", "again"))
    assert all(np.allclose(a, b, atol=1e-3) for a, b in zip(first, second, strict=True))
    assert json.loads((tmp_path / "again" / "brain.json").read_text())["pixels"] is None


def test_parts_follow_from_seed_and_step_and_keep_air_dark():
    rng = np.random.default_rng(0)
    images, labels = rng.normal(size=(3, 20, 20, 20, 4)).astype(np.float16), rng.integers(0, 4, (3, 20, 20, 20))
    images[:, :4] = 0
    one, same, other = (pretrain_brain.batch(images, labels, 1, step)[0] for step in (7, 7, 8))
    assert one.shape == (4, 16, 16, 12, 4)
    assert (one == same).all() and not (one == other).all()
    assert (pretrain_brain.expose(images[0].astype(np.float32), rng)[:4] == 0).all()


def test_parts_have_the_labels_of_their_place():
    label = np.arange(20**3).reshape(20, 20, 20)
    image = np.repeat(label[..., None], 4, axis=-1).astype(np.float32)
    part, named = pretrain_brain.cut(image, label, np.random.default_rng(1))
    assert (part[..., 0] == named).all()
