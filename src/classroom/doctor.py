"""Is this computer ready for the lessons? Plain words on what is missing or too old, and what to do."""

import importlib.metadata
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from packaging.utils import canonicalize_name

from medlessons import files, settings
from medlessons.errors import LessonError
from medlessons.start import Finding, installed, requirements, versions
from medlessons.wording import _

MEMORY_GB = 4
DISK_GB = 2
KERAS = {"image_data_format": "channels_last", "floatx": "float32", "epsilon": 1e-7}
LOOK = """
import json, {modules}, medlessons
from keras import config
from tensorflow.config import list_physical_devices
found = dict(image_data_format=config.image_data_format(), floatx=config.floatx(), epsilon=config.epsilon())
print(json.dumps(found | dict(cards=len(list_physical_devices("GPU")))))
"""


def examine() -> Iterator[Finding]:
    """Look at everything that the lessons need, one finding after the other."""
    for part in (versions(), command(), libraries()):
        found = list(part)
        yield from found
        if not all(finding.well for finding in found):
            return  # the rest needs these packages
    yield kernel()
    yield memory()
    yield disk()
    yield from folders()
    yield from data()
    yield from weights()


def remedies() -> list[str]:
    """Return what has to be put right before a lesson can run here, a sentence for each fault."""
    found = itertools.chain(versions(), command(), libraries())
    return [f"{finding.what}: {finding.says}" for finding in found if not finding.well]


def command() -> Iterator[Finding]:
    """Look at each package that the command `medlessons` needs, beside those of the lessons."""
    return map(installed, requirements("classroom"))


def memory() -> Finding:
    """Look at the memory of the computer."""
    import psutil

    gigabytes = psutil.virtual_memory().total / 1e9
    if gigabytes >= MEMORY_GB:
        return Finding(_("Memory"), True, f"{gigabytes:.0f} GB.")
    says = _("{gigabytes:.1f} GB, the lessons want {wanted}. Close other programs before you run one.")
    return Finding(_("Memory"), False, says.format(gigabytes=gigabytes, wanted=MEMORY_GB))


def lessons_at_once() -> int:
    """Return how many lessons may run at once on this computer: two, if it has the cores and the free memory.

    One in the full profile, which needs more memory, and beside a graphics card, whose memory the first one takes.
    """
    import psutil

    if settings.profile() == "full" or shutil.which("nvidia-smi"):
        return 1
    return max(1, min(2, os.cpu_count() or 1, int(psutil.virtual_memory().available / 1e9 / MEMORY_GB)))


def disk() -> Finding:
    """Look at the free space where the data of the chosen source are kept."""
    folder = settings.embedded_dir() if settings.source() == "embedded" else settings.real_dir()
    gigabytes = shutil.disk_usage(_existing(folder)).free / 1e9
    well = gigabytes >= DISK_GB
    says = (
        _("{gigabytes:.0f} GB free for {folder}.")
        if well
        else _("{gigabytes:.1f} GB free for {folder}; make room for {wanted} GB.")
    )
    return Finding(_("Disk"), well, says.format(gigabytes=gigabytes, folder=folder, wanted=DISK_GB))


def folders() -> Iterator[Finding]:
    """Name each folder that the lessons write to, and cannot."""
    for folder in (settings.embedded_dir(), settings.REPOSITORY):
        try:
            with files.explain_os_errors(folder):
                tempfile.TemporaryFile(dir=_existing(folder)).close()
        except LessonError as error:
            yield Finding(_("Folder"), False, str(error))


def _existing(folder: Path) -> Path:
    return next(place for place in (folder, *folder.parents) if place.exists())


def libraries() -> Iterator[Finding]:
    """Import what the lessons need, in processes of their own since a package that is broken may end them.

    All at once first, which is quick; if that fails, one by one.
    """
    modules = _modules()
    reason, printed = _try_in(sys.executable, LOOK.format(modules=", ".join(modules)))
    if reason:
        says = _(
            "it cannot be loaded ({reason}). Install it anew with `make setup`. If the processor lacks an instruction "
            "(AVX), the lessons need another computer."
        )
        alone = {module: _try_in(sys.executable, f"import {module}")[0] for module in modules}
        broken = {module: why for module, why in alone.items() if why} or {_("Packages"): reason}
        for module, why in broken.items():
            yield Finding(module, False, says.format(reason=why))
        return
    *_others, found = printed.splitlines()
    found = json.loads(found)
    yield graphics_card(found.pop("cards"))
    for name, value in found.items():
        if value != KERAS[name]:
            says = _(
                "{name} is {value!r}, but the lessons need {wanted!r}. Change it in keras.json (in the folder .keras "
                "of your home, or in KERAS_HOME), or remove that file."
            )
            yield Finding("Keras", False, says.format(name=name, value=value, wanted=KERAS[name]))


def _modules() -> list[str]:
    """Return the names under which the packages are imported that the lessons need."""
    wanted = {each.name.removesuffix("-cpu") for each in [*requirements(), *requirements("classroom")]}
    found = {}
    for module, packages in importlib.metadata.packages_distributions().items():
        for package in wanted.intersection(canonicalize_name(name).removesuffix("-cpu") for name in packages):
            found.setdefault(package, module)  # the first of several is enough
    return sorted(found.values())


def _try_in(python: str, code: str) -> tuple[str, str]:
    """Run code in a Python. Returns why it failed, or an empty text, and what it printed."""
    try:
        tried = subprocess.run([python, "-c", code], capture_output=True, text=True, errors="replace", check=False)
    except OSError as error:  # there is no such Python
        return f"{python}: {error.strerror}", ""
    if not tried.returncode:
        return "", tried.stdout
    ended = signal.strsignal(-tried.returncode) if tried.returncode < 0 else None
    last_line = tried.stderr.strip().rpartition("\n")[2]
    return ended or last_line or _("it ended with {code}").format(code=tried.returncode), ""


def kernel() -> Finding:
    """Look at the kernel that JupyterLab starts: is it one that can run the lessons?"""
    from jupyter_client import KernelManager
    from jupyter_client.kernelspec import KernelSpecManager

    where = KernelSpecManager().find_kernel_specs()["python3"]
    try:
        program = KernelManager(kernel_name="python3").format_kernel_cmd()[0]
        reason = _try_in(program, "import ipykernel, medlessons")[0]
    except Exception as error:  # kernel.json is damaged, or cannot be read
        reason = f"{type(error).__name__}: {error}"
    if not reason:
        return Finding(_("Kernel"), True, f"{program}.")
    says = _(
        "JupyterLab's kernel python3 ({where}) cannot run the lessons ({reason}). Remove it with `jupyter kernelspec "
        "remove python3`; then `make lab` takes the one of this environment."
    )
    return Finding(_("Kernel"), False, says.format(where=where, reason=reason))


def graphics_card(cards: int) -> Finding:
    """Say whether TensorFlow sees a GPU."""
    if cards:
        return Finding("GPU", True, _("{cards} seen. The full profile will use it.").format(cards=cards))
    says = _("none seen; the quick profile runs on {cores} processor cores.")
    return Finding("GPU", True, says.format(cores=os.cpu_count()))


def data() -> Iterator[Finding]:
    """Say which data sets are there. The embedded ones are made on demand."""
    from classroom import fetching

    for status in fetching.status():
        if status.present:
            says = _("{rows} rows, {note}.").format(rows=status.rows, note=status.note)
        elif status.source == "embedded":
            says = _("not made yet; the lesson makes it, or `medlessons data prepare`.")
        else:
            says = _("not there (optional); `medlessons data fetch {name}` brings it.").format(name=status.name)
        what = _("Data: {name} ({source})").format(name=status.name, source=status.source)
        yield Finding(what, status.verified or not status.present, says)


def weights() -> Iterator[Finding]:
    """Say which trained weights are there and whole."""
    from medlessons import models

    try:
        for name, fault in models.status().items():
            what = _("Weights: {name}").format(name=name)
            yield Finding(what, fault is None, fault or _("there, and as published."))
    except LessonError as error:
        yield Finding(_("Weights"), False, str(error))
