"""Files do not depend on the number of workers, and nothing half-written is left."""

import numpy as np
import pytest
from PIL import Image

from medlessons.data import rendering
from medlessons.errors import LessonError


def ramp(row, size):
    """Any function of a module will do."""
    return np.full((size, size), row["level"], np.uint8)


def request(count=120):
    return [{"path": f"{k % 3}/{k}.png", "level": k} for k in range(count)]


def test_the_number_of_workers_does_not_matter(tmp_path):
    rendering.write(request(), tmp_path / "one", 48, ramp, workers=1)
    rendering.write(request(), tmp_path / "two", 48, ramp, workers=2)
    for path, level in map(dict.values, request()):
        assert (tmp_path / "one" / path).read_bytes() == (tmp_path / "two" / path).read_bytes()
        assert (np.asarray(Image.open(tmp_path / "one" / path)) == level).all()


def test_where_no_process_can_be_started_the_work_is_done_here(tmp_path, monkeypatch):
    def refuse(*arguments, **options):
        raise PermissionError

    monkeypatch.setattr(rendering, "ProcessPoolExecutor", refuse)
    rendering.write(request(), tmp_path, 48, ramp, workers=2)
    assert len(list(tmp_path.rglob("*.png"))) == 120


def test_a_row_without_its_own_path_is_named(tmp_path):
    with pytest.raises(LessonError, match="Row 1 has no 'path'"):
        rendering.write([{"path": "a.png", "level": 0}, {"level": 1}], tmp_path, 48, ramp)
    with pytest.raises(LessonError, match=r"Row 120 has the path '0/0\.png' of an earlier row"):
        rendering.write(request() + request(1), tmp_path, 48, ramp)
    assert not list(tmp_path.iterdir())
