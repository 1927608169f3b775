"""Whatever disturbs a fetch: no half data set stands in its place, and the next fetch ends well (``faults.py``)."""

import io
import multiprocessing
import os

import numpy as np
import pytest
from PIL import Image

from tests.classroom.fetching import faults


def make_image(number):
    file = io.BytesIO()
    Image.fromarray(np.random.default_rng(number).integers(0, 256, (40, 50), np.uint8)).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def toy(server, tmp_path):
    return faults.Toy(server, tmp_path, np.random.default_rng(0), make_image)


needs_signals = pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
FEW_AND_MANY = [pytest.param(False, id="few"), pytest.param(True, id="many", marks=pytest.mark.slow)]


@pytest.mark.parametrize("many", FEW_AND_MANY)
def test_a_network_that_fails(toy, many):
    print(faults.disturb_network(toy, 500 if many else 20))


@pytest.mark.parametrize("many", FEW_AND_MANY)
def test_an_archive_that_is_wrong(toy, many):
    print(faults.disturb_archive(toy, 200 if many else 10))


@pytest.mark.parametrize("many", FEW_AND_MANY)
def test_a_disk_that_is_full(toy, many):
    print(faults.disturb_disk(toy, 100 if many else 6))


@needs_signals
@pytest.mark.parametrize("many", FEW_AND_MANY)
def test_a_run_that_is_killed(server, tmp_path, many):
    toy = faults.Toy(server, tmp_path, np.random.default_rng(0), make_image, count=100)
    print(faults.kill_fetches(toy, 300 if many else 6))


@needs_signals
def test_two_runs_at_once_both_end_well(toy):
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([faults.__name__])
    toy.offer()
    toy.server.plan = ["drip"]
    runs = [context.Process(target=faults.fetch, args=(*toy.arguments(), faults.PATIENCE)) for _ in range(2)]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert [run.exitcode for run in runs] == [0, 0] and toy.look()
    assert len(toy.server.asked) == 1, "only one of them downloads"
