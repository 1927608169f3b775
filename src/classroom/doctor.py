"""Is this computer ready for the lessons? Plain words on what is missing or too old, and what to do."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator

from medlessons import settings
from medlessons.errors import LessonError
from medlessons.start import Finding, versions
from medlessons.wording import _

MEMORY_GB = 4
DISK_GB = 2


def examine() -> Iterator[Finding]:
    """Look at everything that the lessons need, one finding after the other."""
    found = list(versions())
    yield from found
    if not all(finding.well for finding in found):
        return  # the rest needs these packages
    yield memory()
    yield disk()
    card = graphics_card()
    yield card
    yield from data()
    if card.well:
        yield from weights()


def memory() -> Finding:
    """Look at the memory of the computer."""
    import psutil

    gigabytes = psutil.virtual_memory().total / 1e9
    if gigabytes >= MEMORY_GB:
        return Finding(_("Memory"), True, f"{gigabytes:.0f} GB.")
    says = _("{gigabytes:.1f} GB, the lessons want {wanted}. Close other programs before you run one.")
    return Finding(_("Memory"), False, says.format(gigabytes=gigabytes, wanted=MEMORY_GB))


def disk() -> Finding:
    """Look at the free space where the data of the chosen source are kept."""
    folder = settings.embedded_dir() if settings.source() == "embedded" else settings.real_dir()
    there = next(place for place in (folder, *folder.parents) if place.exists())
    gigabytes = shutil.disk_usage(there).free / 1e9
    well = gigabytes >= DISK_GB
    says = (
        _("{gigabytes:.0f} GB free for {folder}.")
        if well
        else _("{gigabytes:.1f} GB free for {folder}; make room for {wanted} GB.")
    )
    return Finding(_("Disk"), well, says.format(gigabytes=gigabytes, folder=folder, wanted=DISK_GB))


def graphics_card() -> Finding:
    """Load TensorFlow, in a process of its own since a broken one may end it, and say whether it sees a GPU."""
    code = "import tensorflow; print(len(tensorflow.config.list_physical_devices('GPU')))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    if loaded.returncode:
        reason = signal.strsignal(-loaded.returncode) if loaded.returncode < 0 else None
        says = _(
            "it cannot be loaded ({reason}). Install it anew with `make setup`. If the processor lacks an instruction "
            "(AVX), the lessons need another computer."
        )
        last_line = loaded.stderr.strip().rpartition("\n")[2]
        return Finding("TensorFlow", False, says.format(reason=reason or last_line))
    cards = int(loaded.stdout)
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
