"""What handed-in code gets to see, to write and to reach: each of the first tests starts a kernel."""

import asyncio
import json
import os
import socket
import subprocess
import sys
import time

import pytest

from classroom import __main__ as command
from classroom import confinement, doctor
from medlessons import settings
from tests.classroom.test_scoring import COUNT, NEURON, hand_in, scores, states

confined = pytest.mark.skipif(bool(confinement.missing()), reason="this system gives no namespaces")
ATTACK = """
import os, pathlib, socket, subprocess, sys
found = [name for name in os.environ if "TOKEN" in name.upper() or "KEY" in name.upper()]
for place in {places}:
    try:
        pathlib.Path(place, "written").write_text("x")
        found.append(place)
    except OSError:
        pass
try:
    socket.create_connection(("127.0.0.1", {port}), timeout=2)
    found.append("socket")
except OSError:
    pass
try:
    for number in range(20):
        with open(f"full{{number}}", "wb") as file:
            file.write(bytes(90 << 20))
    found.append("disk")
except OSError as error:
    pass
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(77.5)"], start_new_session=True)
print("x" * 10**7); os.system("echo 1,2,3"); os.write(1, b"1,2,3")
assert not found, found
"""


@confined
def test_a_notebook_that_attacks_finds_nothing_and_is_scored(tmp_path, monkeypatch):
    for name in ("GITHUB_TOKEN", "AWS_SECRET_ACCESS_KEY", "KAGGLE_KEY", "TF_TOKEN_app", "medlessons_api_key"):
        monkeypatch.setenv(name, "secret")
    places = [str(settings.REPOSITORY), str(settings.embedded_dir()), str(tmp_path), os.path.expanduser("~"), "/tmp"]
    with socket.create_server(("127.0.0.1", 0)) as server:
        attack = ATTACK.format(places=places, port=server.getsockname()[1])
        rows = scores([hand_in(tmp_path / "01.ipynb", NEURON + attack, COUNT)])
        server.settimeout(0)
        with pytest.raises(BlockingIOError):
            server.accept()
    assert rows[-1]["state"] != "stopped", rows[-1]
    assert states(rows)["1.2"] == states(rows)["1.8"] == "done"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["01.ipynb"]
    assert "time.sleep(77.5)" not in subprocess.run(["ps", "ax"], capture_output=True, text=True, check=False).stdout


def python(code, seconds=30):
    """Return what a piece of code printed on its short lead, and the last line of its complaints."""
    printed, complaint = asyncio.run(confinement.run(["-c", code], seconds))
    return printed.decode().strip(), complaint


@pytest.fixture(params=[True, False], ids=["confined", "not confined"])
def either_way(request, monkeypatch):
    """With namespaces and without, as on other systems."""
    if request.param and confinement.missing():
        pytest.skip("this system gives no namespaces")
    monkeypatch.setattr(confinement, "_is_confined", lambda: request.param)


@pytest.mark.parametrize("name", ["OPENAI_API_KEY", "SSH_AUTH_SOCK", "TF_VAR_password", "PGPASSWORD", "LC", "MY_PATH"])
def test_variables_of_the_marker_are_not_passed_on(monkeypatch, name):
    monkeypatch.setenv(name, "secret")
    assert name not in confinement.environment("/folder")


@pytest.mark.parametrize(
    "name", ["PATH", "PYTHONPATH", "LC_CTYPE", "MEDLESSONS_SOURCE", "TF_ENABLE_ONEDNN_OPTS", "SystemRoot"]
)
def test_what_python_and_the_lessons_need_is_passed_on(monkeypatch, name):
    monkeypatch.setenv(name, "needed")
    assert confinement.environment("/folder")[name] == "needed"


def test_files_for_a_user_go_to_the_folder(either_way):
    code = "import os, pathlib, tempfile; print(os.getcwd(), pathlib.Path.home(), tempfile.gettempdir(), os.listdir())"
    folder, home, temporary, *files = python(code)[0].split()
    assert folder == home == temporary and files == ["[]"]
    assert not os.path.exists(folder)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such limits")
@pytest.mark.parametrize(
    ("code", "fault"),
    [
        ("bytes(5 << 30)", "MemoryError"),
        ("import mmap; mmap.mmap(-1, 5 << 30, mmap.MAP_PRIVATE)", "Cannot allocate memory"),
        ("open('large', 'wb').truncate(101 << 20)", "File too large"),
        ("import subprocess, sys; subprocess.run([sys.executable, '-c', 'bytes(5 << 30)'], check=True)", "status 1"),
    ],
)
def test_memory_and_files_are_limited(either_way, code, fault):
    assert fault in python(f"from classroom import confinement; confinement.limit()\n{code}")[1]


def test_time_is_limited_and_nothing_goes_on(either_way):
    before = time.monotonic()
    with pytest.raises(TimeoutError):
        python("import time; time.sleep(78.5)", seconds=1)
    assert time.monotonic() - before < 10
    assert "time.sleep(78.5)" not in subprocess.run(["ps", "ax"], capture_output=True, text=True, check=False).stdout


def test_a_module_beside_a_notebook_does_not_take_the_place_of_another(either_way):
    code = "open('json.py', 'w').write('raise RuntimeError'); import json; print(json.__file__)"
    assert python(code)[0] == json.__file__


@confined
@pytest.mark.parametrize(
    "where", [settings.REPOSITORY / "README.md", settings.models_dir() / "new", "/etc/new", sys.prefix]
)
def test_nothing_outside_can_be_written(where):
    complaint = python(f"open({str(where)!r}, 'a')")[1]
    assert "Read-only file system" in complaint or "Is a directory" in complaint


@confined
@pytest.mark.parametrize("address", ["127.0.0.1", "192.0.2.1", "::1"])
def test_no_address_is_reached(address):
    assert "OSError" in python(f"import socket\nsocket.create_connection(({address!r}, 9), timeout=1)")[1]


def test_a_system_without_namespaces_says_so(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(doctor, "remedies", list)
    monkeypatch.setattr(confinement, "_is_confined", lambda: False)
    (tmp_path / "01.ipynb").write_text("{")
    assert command.main(["score", str(tmp_path)]) == 0
    assert "does not let `score` take the network" in capsys.readouterr().err
    monkeypatch.setattr(confinement, "_is_confined", lambda: True)
    assert command.main(["score", str(tmp_path)]) == 0
    assert "network" not in capsys.readouterr().err


def test_a_computer_that_cannot_run_the_lessons_scores_nobody(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(doctor, "remedies", lambda: ["TensorFlow: it cannot be loaded."])
    (tmp_path / "01.ipynb").write_text("{")
    assert command.main(["score", str(tmp_path)]) == 1
    printed = capsys.readouterr()
    assert printed.out == "" and printed.err == "medlessons: TensorFlow: it cannot be loaded.\n"
