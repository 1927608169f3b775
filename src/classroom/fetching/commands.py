"""The steps of ``medlessons data``: status, prepare, fetch, verify, remove."""

import argparse
import sys

from classroom.fetching import archives, download, placing, table
from classroom.fetching.overview import status
from medlessons import data, settings
from medlessons.errors import LessonError
from medlessons.wording import _


def show_status(options: argparse.Namespace) -> None:
    """Print one line for each data set."""
    for line in status():
        state = _("{rows} rows, {note}").format(rows=line.rows, note=line.note) if line.present else line.note
        print(f"{line.name:<12} {line.source:<9} {state:<36} {line.path}")


def prepare(options: argparse.Namespace) -> None:
    """Make the embedded data of one data set, or of all lessons."""
    if options.name is None:
        data.prepare(lesson for task in data.REGISTRY.values() for lesson in task.LESSONS)
    elif options.name in data.REGISTRY:
        data.REGISTRY[options.name].prepare()
    else:
        said = _("There is no data set {name!r}; there are: {names}.")
        raise LessonError(said.format(name=options.name, names=", ".join(data.REGISTRY)))


def fetch(options: argparse.Namespace) -> None:
    """Bring the published data of one task, or one collection, after saying under which licence."""
    name, subset, origin = options.name, options.subset, options.origin
    chosen = [one for one in table.named(name) if one.is_published]
    if origin is None and not chosen:
        (only,) = table.named(name)
        print(only.describe(0))
        raise LessonError(_("No program can fetch this: download it by hand, and give its folder with --from."))
    if subset is not None:
        most = max((len(one.pieces) for one in chosen), default=0)
        if origin is not None or not most:
            raise LessonError(_("--subset is for chestxray8 from its usual place; leave it out."))
        if not 0 <= subset <= most:
            said = _("There is no subset of {subset} archives; choose 0 (the tables alone) to {most}.")
            raise LessonError(said.format(subset=subset, most=most))
    cases = _known_cases(options, chosen)
    if origin is None or download.is_url(origin):
        missing = [(one, sizes) for one in chosen if (sizes := one.sizes(name, subset, cases))]
        for one, (size, _room) in missing:
            print(one.describe(size, subset))
        archives.check_space(settings.real_dir(), sum(room for _one, (_size, room) in missing), name)
        if missing:
            _confirm(_("Fetch this from {origin}?").format(origin=origin) if origin else _("Fetch this?"), options.yes)
    print(*placing.fetch(name, origin, subset, cases), sep="\n")


def _known_cases(options: argparse.Namespace, chosen: list[table.Collection]) -> int | None:
    """Return how many cases are asked for, None if all are. Raises LessonError if it cannot be had."""
    cases, most = options.cases, max((one.cases for one in chosen), default=0)
    if cases is not None and (options.origin is not None or not most):
        raise LessonError(_("--cases is for brain from its usual place; leave it out."))
    if cases is not None and not 1 <= cases <= most:
        raise LessonError(_("There are no {cases} cases; choose 1 to {most}.").format(cases=cases, most=most))
    return cases


def verify(options: argparse.Namespace) -> int:
    """Read real data again; print one line for each folder and each fault, and return 1 if there is a fault."""
    chosen = table.named(options.name) if options.name else table.COLLECTIONS
    there = [one for one in chosen if one.folder.exists()]
    failed = 0
    for one in there:
        faults = placing.verify(one)
        print(f"{_('FAULT') if faults else _('ok   ')} {one.folder}")
        print(*(f"      {fault}\n" for fault in faults), sep="", end="")
        failed += bool(faults)
    if not there:
        said = _("No published data are there. Fetch some with `medlessons data fetch {name}`.")
        print(said.format(name=options.name or "NAME"))
    return 1 if failed else 0


def remove(options: argparse.Namespace) -> None:
    """Remove what was fetched of one task, or one collection."""
    chosen = table.named(options.name)
    ours = [one for one in chosen if placing.is_ours(one.folder)]
    for one in chosen:
        if one not in ours and one.folder.exists():
            said = _("{folder} was laid there by hand, and stays. Remove it yourself, if you no longer need it.")
            print(said.format(folder=one.folder))
    if not ours:
        raise LessonError(_("Nothing of {name} is there that was fetched.").format(name=options.name))
    for one in ours:
        print(_("{folder} (read by {tasks})").format(folder=one.folder, tasks=_(" and ").join(one.checks)))
    _confirm(_("Remove this?"), options.yes)
    for one in ours:
        placing.take_away(one.folder)


def _confirm(question: str, agreed: bool) -> None:
    """Ask at the terminal; raise LessonError unless the answer is yes."""
    if agreed:
        return
    if not sys.stdin.isatty():
        said = _("{question} Nobody can answer here: if you agree, run the command again with --yes.")
        raise LessonError(said.format(question=question))
    try:
        answer = input(f"{question} [y/N] ")
    except EOFError:
        answer = ""
    if answer.strip().lower() not in ("y", "yes"):
        raise LessonError(_("Nothing was done."))


STEPS = {"status": show_status, "prepare": prepare, "fetch": fetch, "verify": verify, "remove": remove}
