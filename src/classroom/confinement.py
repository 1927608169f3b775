"""Handed-in code on a short lead: a process, a folder, limits and an environment of its own, and no network.

On Linux, namespaces take the network and the right to write from it, if the system allows that (`missing` says so). The
limits hold everywhere but on Windows. docs/SCORING.md says what is left, and how to use a container.
"""

import asyncio
import contextlib
import functools
import os
import re
import shutil
import subprocess
import sys
import tempfile

from medlessons import settings
from medlessons.wording import _

MEMORY = 4 << 30  # bytes: of data in each process
LARGEST_FILE = 100 << 20  # bytes
DISK = "500m"  # of all files together: the size of the only file system that can be written
PASSED_ON = re.compile(
    r"PATH|PYTHON(PATH|HOME|UTF8|IOENCODING)|VIRTUAL_ENV|LD_LIBRARY_PATH|LANG|LANGUAGE|LC_\w+|TZ|OMP_NUM_THREADS"
    r"|CUDA_VISIBLE_DEVICES|TF_(CPP_MIN_LOG_LEVEL|ENABLE_ONEDNN_OPTS|NUM_INT(RA|ER)OP_THREADS)|KERAS_(BACKEND|HOME)"
    r"|MEDLESSONS_(SOURCE|PROFILE|DATA|WEIGHTS|EMBEDDED|LANGUAGE|LOCALE)|SYSTEM(ROOT|DRIVE)|WINDIR|COMSPEC|PATHEXT|NUMBER_OF_PROCESSORS|PROCESSOR_\w+"
)
# Every place becomes read-only, but for the folder ($1) and the shared memory, which are new and empty. The shell stays
# the first process of its namespace: when it ends, so does whatever the code has left running.
CONFINED = f"""
cut -d ' ' -f 5 /proc/self/mountinfo | while read -r place; do mount -o remount,bind,ro "$place"; done 2>/dev/null
for place in "$1" /dev/shm; do mount -t tmpfs -o size={DISK} scores "$place" || exit; done
cd "$1" && shift && "$@"
exit
"""
NAMESPACES = ["unshare", "--user", "--map-root-user", "--net", "--mount", "--pid", "--mount-proc", "--kill-child"]


async def run(words: list[str], seconds: float) -> tuple[bytes, str]:
    """Run a command of this Python in a new, empty folder, and end it after some seconds.

    Parameters
    ----------
    words : list of str
        What follows ``python``.
    seconds : float

    Returns
    -------
    bytes, str
        What it printed, and the last line of what it complained about.

    Raises
    ------
    TimeoutError
        If it took longer.
    """
    with tempfile.TemporaryDirectory(prefix="medlessons-", ignore_cleanup_errors=True) as folder:
        process = await asyncio.create_subprocess_exec(
            *_entrance(folder),
            *(sys.executable, "-P", *words),  # -P: not from the folder of the code does Python import
            cwd=folder,
            env=environment(folder),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        try:
            printed, complaints = await asyncio.wait_for(process.communicate(), seconds)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    return printed, complaints.decode(errors="replace").strip().rpartition("\n")[2]


def limit() -> None:
    """Limit memory and files of this process and of those that it starts, for good."""
    with contextlib.suppress(ImportError):  # Windows
        import resource

        limits = {resource.RLIMIT_DATA: MEMORY, resource.RLIMIT_FSIZE: LARGEST_FILE, resource.RLIMIT_CORE: 0}
        for kind, most in limits.items():
            with contextlib.suppress(ValueError, OSError):  # a stricter one holds, or the system does not know it
                resource.setrlimit(kind, (most, most))


def environment(folder: str) -> dict[str, str]:
    """Return the variables that handed-in code may see: what Python and the lessons need; no tokens, no keys.

    Programs that keep files for their user keep them in ``folder``.
    """
    passed_on = {name: value for name, value in os.environ.items() if PASSED_ON.fullmatch(name.upper())}
    return passed_on | dict.fromkeys(("HOME", "USERPROFILE", "TMPDIR", "TEMP", "TMP", "JUPYTER_RUNTIME_DIR"), folder)


def missing() -> str:
    """Return a sentence on what this system does not take from handed-in code; empty if nothing is missing."""
    if _is_confined():
        return ""
    return _(
        "This system does not let `score` take the network, and the right to write, from the code that was handed in. "
        "Use a computer or a container that holds nothing of worth (docs/SCORING.md)."
    )


def _entrance(folder: str) -> list[str]:
    return [*NAMESPACES, "sh", "-c", CONFINED, "sh", folder] if _is_confined() else []


@functools.cache
def _is_confined() -> bool:
    """Try whether the system gives namespaces, in which the folder can be written and the repository cannot."""
    if not shutil.which("unshare"):  # only Linux has it
        return False
    with tempfile.TemporaryDirectory() as folder:
        test = ["sh", "-c", 'test -w . && ! test -w "$1"', "sh", str(settings.REPOSITORY)]
        words = [*NAMESPACES, "sh", "-c", CONFINED, "sh", folder, *test]
        return not subprocess.run(words, capture_output=True, check=False).returncode
