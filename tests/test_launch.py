"""A lesson starts without an installation of one's own: Codespaces, Binder, Colab, Kaggle, and handed out alone.

The services themselves are not asked. Their commands run here in a fresh clone with an empty home, and the kernel of
Colab is a venv with its versions.
"""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from classroom import launch, notebooks, student
from medlessons import __version__, settings

ROOT = settings.REPOSITORY
CODESPACE = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text(encoding="utf-8"))
ADDRESS, TAG = launch.home()
FIRST = notebooks.find()[0].path.name
# Of August 2026. The kernel is old on purpose: Colab's is.
COLAB = ["tensorflow-cpu==2.20.0", "keras==3.13.2", "numpy==2.1.3", "pandas==2.2.3", "scikit-learn==1.6.1"]
COLAB += ["scipy", "matplotlib", "seaborn", "pillow", "tqdm", "filelock", "packaging", "ipython==7.34.0"]
COLAB += ["ipykernel==6.17.1"]


def test_there_is_one_version():
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"v{__version__}" == TAG
    assert f"\nversion: {__version__}\n" in citation


def test_a_codespace_opens_a_lesson_with_the_kernel_that_it_makes():
    (opened,) = CODESPACE["customizations"]["codespaces"]["openFiles"]
    assert ROOT / opened == student.WORK / FIRST
    assert CODESPACE["waitFor"] == "postCreateCommand"
    python = CODESPACE["customizations"]["vscode"]["settings"]["python.defaultInterpreterPath"]
    assert python == "${containerWorkspaceFolder}/.venv/bin/python"
    assert "ms-toolsai.jupyter" in CODESPACE["customizations"]["vscode"]["extensions"]


def test_binder_installs_what_is_locked_in_a_python_that_is_allowed():
    folder = ROOT / ".binder"
    (line,) = (folder / "requirements.txt").read_text(encoding="utf-8").split("\n")[:-1]
    assert (folder / line.removeprefix("-r ")).resolve() == ROOT / "requirements.txt"
    assert (folder / "runtime.txt").read_text(encoding="utf-8").strip() in {
        f"python-3.{minor}" for minor in (11, 12, 13)
    }
    assert os.access(folder / "postBuild", os.X_OK) or os.name == "nt"


@pytest.mark.parametrize("lesson", notebooks.find(), ids=lambda lesson: lesson.path.stem)
def test_each_button_opens_this_lesson_of_this_version(lesson):
    links = re.findall(r"\]\((https://(?!\S+(?:svg))\S+)\)", launch.buttons(lesson.path.name))
    project = ADDRESS.removeprefix("https://github.com/")
    assert len(links) == 4 and all(project in link for link in links)
    assert sum(f"{TAG}" in link and lesson.path.name in link for link in links) == 3, "a codespace opens lesson 1"


@pytest.mark.parametrize("lesson", notebooks.find(), ids=lambda lesson: lesson.path.stem)
def test_each_lesson_that_is_handed_out_starts_everywhere(lesson):
    handed_out, own = student.handed_out(lesson).cells, student.edition(notebooks.read(lesson.path)).cells
    assert launch.buttons(lesson.path.name) in handed_out[0].source
    (place,) = [place for place, cell in enumerate(handed_out) if "git clone" in cell.source]
    assert f"start(lesson={lesson.number})" in handed_out[place].source
    assert own[1:place] + own[place + 1 :] == handed_out[1:place] + handed_out[place + 1 :], "nothing else differs"


def cells(count):
    return [cell.source for cell in notebooks.read(student.FOLDER / FIRST).cells if cell.cell_type == "code"][:count]


def told(count):
    """Return what the first code cells of the lesson print."""
    code = [cell for cell in notebooks.read(notebooks.NOTEBOOKS / FIRST).cells if cell.cell_type == "code"][:count]
    printed = "".join(output.get("text", "") for cell in code for output in cell.outputs)
    assert "of the test rows" in printed, "nothing was trained in these cells"
    return printed


def run_cells(python, folder, environment, count=1):
    """Run the first code cells of a student edition in a folder where it lies alone; return what was printed."""
    nbformat.write(nbformat.v4.new_notebook(), folder / FIRST)
    code = "from IPython.core.interactiveshell import InteractiveShell as Shell; shell = Shell.instance()\n"
    code += "".join(f"assert not shell.run_cell({source!r}).error_in_exec\n" for source in cells(count))
    kept = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "MEDLESSONS_EMBEDDED"}}
    words = [python, "-c", code]
    return subprocess.run(words, cwd=folder, env=kept | environment, capture_output=True, text=True, check=False)


def test_a_lesson_that_was_handed_out_alone_says_what_to_do(tmp_path):
    hide = "import sys; sys.modules['medlessons'] = None\n"  # as if it were not installed
    code = f"{hide}exec(compile({cells(1)[0]!r}, 'cell', 'exec'))"
    result = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    assert f"git clone --depth 1 --branch {TAG} {ADDRESS} && cd medlessons && make lab" in result.stderr
    assert f'%pip install -e "git+{ADDRESS}@{TAG}#egg=medlessons"' in result.stderr


def test_where_the_package_is_there_the_first_cell_only_starts_the_lesson(tmp_path):
    result = run_cells(sys.executable, tmp_path, {"COLAB_RELEASE_TAG": "x", "PYTHONPATH": str(ROOT / "src")})
    assert result.stdout.startswith("Lesson 1. Source: "), result.stderr
    assert [path.name for path in tmp_path.iterdir()] == [FIRST]


@pytest.fixture(scope="module")
def released(tmp_path_factory):
    """Return an environment in which git finds this repository, as last committed, at its address and tag."""
    bare = tmp_path_factory.mktemp("released") / "medlessons.git"
    subprocess.run(["git", "clone", "--quiet", "--bare", ROOT, bare], check=True)
    subprocess.run(["git", "-C", bare, "tag", "--force", TAG], check=True)
    address = {"GIT_CONFIG_KEY_0": f"url.{bare.as_uri()}.insteadOf", "GIT_CONFIG_VALUE_0": ADDRESS}
    return {"GIT_CONFIG_COUNT": "1", **address}


def venv(folder, *packages):
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    python = next(folder.glob("[bS]*/python*"))
    if packages:
        subprocess.run([python, "-m", "pip", "install", "--quiet", *packages], check=True)
    return python


@pytest.mark.slow
def test_two_cells_run_in_a_kernel_as_colabs(tmp_path, released):
    python, folder = venv(tmp_path / "colab", *COLAB), tmp_path / "content"
    folder.mkdir()
    before = frozen(python)
    result = run_cells(python, folder, released | {"COLAB_RELEASE_TAG": "release-colab"}, count=3)
    assert told(3) in result.stdout, result.stderr
    changed = {line.partition("==")[0] for line in frozen(python) ^ before}
    assert "scikit-learn" in changed and not {"tensorflow-cpu", "keras", "numpy", "pandas", "ipykernel"} & changed


def frozen(python):
    listed = subprocess.run([python, "-m", "pip", "freeze"], capture_output=True, text=True, check=True)
    return set(listed.stdout.split())


@pytest.mark.slow
def test_the_line_for_pip_brings_helpers_and_weights(tmp_path, released):
    python = venv(tmp_path / "own")
    line = re.search(r"%pip (install -e .*)", cells(1)[0])[1].format(FROM=ADDRESS, VERSION=TAG)
    words = [python, "-m", "pip", *shlex.split(line), "--quiet", "--no-deps"]  # its dependencies are the locked ones
    subprocess.run(words, env=os.environ | released, check=True)
    subprocess.run([python, "-m", "pip", "install", "--quiet", "numpy", "packaging"], check=True)
    code = "from medlessons import settings; print(settings.models_dir() / 'brain.npz')"
    found = subprocess.run([python, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert Path(found.stdout.strip()).stat().st_size > 10**5


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="a codespace is a Linux machine")
def test_the_commands_of_the_codespace_run_in_a_clone_with_an_empty_home(tmp_path, released):
    clone, home = tmp_path / "medlessons", tmp_path / "home"
    home.mkdir()
    environment = {"HOME": str(home), "PATH": os.environ["PATH"], "LANG": "C.UTF-8", **released}
    subprocess.run(["git", "clone", "--quiet", "--branch", TAG, ADDRESS, clone], env=environment, check=True)
    subprocess.run(CODESPACE["postCreateCommand"], shell=True, cwd=clone, env=environment, check=True)
    opened = clone / CODESPACE["customizations"]["codespaces"]["openFiles"][0]
    assert opened.is_file()
    result = run_cells(clone / ".venv" / "bin" / "python", opened.parent, environment, count=3)
    assert told(3) in result.stdout, result.stderr
