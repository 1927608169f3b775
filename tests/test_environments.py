"""What takes minutes: the same outputs in other numeric environments and Pythons, and real damage to real lessons."""

import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from classroom import notebooks, scoring, student
from medlessons import settings
from medlessons.checks.exercise import NOT_DONE

pytestmark = pytest.mark.slow

ROOT = settings.REPOSITORY
LESSONS = notebooks.find()
IDS = [lesson.path.stem for lesson in LESSONS]


def validate(paths, python=sys.executable, **variables) -> subprocess.CompletedProcess:
    command = [python, "-m", "pytest", "-q", "-p", "conftest", "-p", "no:cacheprovider", "--nbval"]
    command += ["--nbval-current-env", "--rootdir", str(ROOT), *map(str, paths)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)} | variables
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "variables",
    [
        {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1", "OMP_NUM_THREADS": "1"},
        {"TF_NUM_INTRAOP_THREADS": "2", "TF_NUM_INTEROP_THREADS": "2", "OMP_NUM_THREADS": "2"},
        {"TF_ENABLE_ONEDNN_OPTS": "0"},
        {
            "OPENBLAS_CORETYPE": "Haswell",
            "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL",
            "ONEDNN_MAX_CPU_ISA": "AVX2",
        },
    ],
    ids=["one thread", "two threads", "without oneDNN", "AVX2"],
)
def test_the_stored_outputs_come_out_in_every_numeric_environment(variables):
    result = validate([lesson.path for lesson in LESSONS], **variables)
    assert result.returncode == 0, result.stdout[-5000:]


def test_the_stored_outputs_come_out_of_radiographs_computed_on_another_processor(tmp_path):
    # The arithmetic of an older x86 processor, from the simulated bodies on.
    older = {
        "OPENBLAS_CORETYPE": "Nehalem",
        "NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX512_ICL",  # NumPy 2.4 knows groups only
        "ONEDNN_MAX_CPU_ISA": "SSE41",
    }
    result = validate([lesson.path for lesson in LESSONS], MEDLESSONS_EMBEDDED=str(tmp_path), **older)
    assert result.returncode == 0, result.stdout[-5000:]


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
def test_the_stored_outputs_come_out_in_every_python(version, tmp_path):
    if version == ".".join(map(str, sys.version_info[:2])):
        pytest.skip("this is the Python that runs the tests")
    python = shutil.which(f"python{version}")
    if python is None or subprocess.run([python, "--version"], capture_output=True, check=False).returncode:
        pytest.skip(f"Python {version} is not installed here")
    subprocess.run([python, "-m", "venv", tmp_path / "venv"], check=True)
    own = next(tmp_path.glob("venv/[bS]*/python*"))
    subprocess.run([own, "-m", "pip", "install", "--quiet", "-r", ROOT / "requirements.txt"], check=True)
    subprocess.run([own, "-m", "pip", "install", "--quiet", "--no-deps", "-e", ROOT], check=True)
    result = validate([lesson.path for lesson in LESSONS], python=str(own))
    assert result.returncode == 0, result.stdout[-5000:]


PREDICT = """
import json
from pathlib import Path
import keras, numpy as np
from medlessons import models
answers = {}
for name in models.status():
    network = models.load(Path(name).stem)
    shape = [size or 64 for size in network.input_shape[1:]]
    image = np.add.outer(np.arange(shape[0]), np.arange(shape[1]))[None, ..., None] * np.ones(shape[2]) % 256
    answers[name] = np.ravel(network(image.astype("float32"), training=False)).astype(float).tolist()
print(json.dumps({"keras": keras.__version__, "answers": answers}))
"""


def test_every_network_loads_with_the_oldest_keras_that_is_allowed(tmp_path):
    oldest = {}
    for line in importlib.metadata.requires("medlessons"):
        wanted = Requirement(line)
        if wanted.name in {"keras", "tensorflow", "tensorflow-cpu"} and (not wanted.marker or wanted.marker.evaluate()):
            (bound,) = [part.version for part in wanted.specifier if part.operator == ">="]
            oldest[wanted.name] = bound
    assert set(oldest) in ({"keras", "tensorflow"}, {"keras", "tensorflow-cpu"})
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    python = next(tmp_path.glob("venv/[bS]*/python*"))
    packages = [f"{name}=={version}.*" for name, version in oldest.items()] + ["pandas", "pillow", "tqdm"]
    install = [python, "-m", "pip", "install", "--quiet", *packages]
    subprocess.run(install, check=True, env=os.environ | {"PYTHONPATH": ""})
    said = {}
    for which in (sys.executable, python):
        environment = os.environ | {"PYTHONPATH": str(ROOT / "src"), "TF_CPP_MIN_LOG_LEVEL": "3"}
        run = subprocess.run([which, "-c", PREDICT], env=environment, capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stderr[-3000:]
        said[which] = json.loads(run.stdout.splitlines()[-1])
    now, then = said.values()
    assert then["keras"].startswith(oldest["keras"])
    assert then["answers"].keys() == now["answers"].keys() and then["answers"]
    for name, answers in now["answers"].items():
        assert then["answers"][name] == pytest.approx(answers, abs=1e-3), name


@pytest.mark.parametrize("lesson", LESSONS, ids=IDS)
def test_the_student_edition_runs_to_its_end_with_every_exercise_left_out(lesson):
    rows = scoring.score(student.FOLDER / lesson.path.name, whole=True)
    assert len(rows) >= 4
    assert {(row["state"], row["remark"]) for row in rows} == {("not done", NOT_DONE)}


@pytest.mark.parametrize("lesson", LESSONS, ids=IDS)
def test_a_number_damaged_anywhere_in_a_lesson_fails(lesson, tmp_path):
    notebook = notebooks.read(lesson.path)
    reported = [cell for cell in notebook.cells if "report" in cell.metadata.get("tags", [])]
    printed = [output for cell in reported for output in cell.outputs if re.search(r"0\.\d", output.get("text", ""))]
    printed[0].text = re.sub(r"0\.\d*(\d)", lambda m: m[0][:-1] + str((int(m[1]) + 5) % 10), printed[0].text, count=1)
    damaged = tmp_path / lesson.path.name
    damaged.write_text(notebooks.nbformat.writes(notebook), encoding="utf-8")
    result = validate([damaged])
    assert re.search(r"^1 failed, \d+ passed", result.stdout, re.MULTILINE), result.stdout[-3000:]


@pytest.mark.parametrize("lesson", LESSONS, ids=IDS)
def test_a_lesson_with_a_damaged_helper_or_figure_fails(lesson, tmp_path):
    startup = tmp_path / "profile_default" / "startup"
    startup.mkdir(parents=True)
    damage = """
from medlessons import plots, training
training.reproducible = lambda seed=0: None
right = plots.confusion
plots.confusion = lambda matrix, labels: right(matrix[::-1], labels)
"""
    (startup / "00.py").write_text(damage)
    result = validate([lesson.path], IPYTHONDIR=str(tmp_path))
    assert re.search(r"^[2-9]\d* failed|^1\d+ failed", result.stdout, re.MULTILINE), result.stdout[-3000:]
    assert "cases lie on the diagonal" in result.stdout


def test_make_run_leaves_tracked_files_untouched():
    before = {path: path.read_bytes() for path in tracked()}
    subprocess.run([sys.executable, "-m", "classroom", "run"], cwd=ROOT, check=True, capture_output=True)
    assert [path for path, content in before.items() if path.read_bytes() != content] == []
    assert (ROOT / "build" / "report.txt").stat().st_size > 0


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]
