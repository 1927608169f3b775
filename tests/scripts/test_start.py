"""Scripts that use another one can be started as their documentation says: from anywhere."""

import subprocess
import sys

import pytest

from medlessons import settings

SCRIPTS = sorted((settings.REPOSITORY / "scripts").glob("*.py"))
USING = [path for path in SCRIPTS if "from scripts" in path.read_text(encoding="utf-8")]


@pytest.mark.parametrize("path", USING, ids=[path.stem for path in USING])
def test_a_script_that_uses_another_one_starts(path, tmp_path):
    asked = [sys.executable, str(path), "--help"]
    result = subprocess.run(asked, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert "usage:" in result.stdout


def test_there_are_such_scripts():
    assert USING
