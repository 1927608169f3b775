"""The command line: ``medlessons`` or ``python -m classroom``."""

import argparse
import io
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from medlessons import settings
from medlessons.errors import LessonError
from medlessons.wording import _

BUILD = settings.REPOSITORY / "build"


def main(arguments: list[str] | None = None) -> int:
    """Run one verb. Returns 0, or 1 if something went wrong that the reader can fix."""
    options, options_of_jupyterlab = parser().parse_known_args(arguments)
    if options.run is lab:
        options.jupyterlab = options_of_jupyterlab
    elif options_of_jupyterlab:
        parser().parse_args(arguments)  # ends here, and says what is wrong
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # a cancelled CI job tidies up as Ctrl-C does
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            # An old terminal may not know every letter; a file is UTF-8 whatever the letters of this computer.
            stream.reconfigure(encoding=None if stream.isatty() else "utf-8", errors="replace")
    try:
        settings.choose(getattr(options, "source", None), getattr(options, "profile", None))
        return int(options.run(options) or 0)
    except LessonError as error:
        print(f"medlessons: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("medlessons:", _("stopped; nothing half-written is left."), file=sys.stderr)
        return 130


def parser() -> argparse.ArgumentParser:
    """Return the parser of all verbs."""
    main_parser = argparse.ArgumentParser(prog="medlessons", description=_("Run the lessons, their data and checks."))
    verbs = main_parser.add_subparsers(required=True, metavar="VERB")
    _add_lessons(verbs)
    _add_teaching(verbs)
    _add_data(verbs)
    weights = _verb(verbs, "weights", weights_status, _("Say which trained weights are there and whole."))
    weights.add_argument("step", nargs="?", choices=["status"], help=_("the default"))
    _verb(verbs, "doctor", doctor, _("Say in plain words what is missing or too old on this computer."))
    return main_parser


def _verb(verbs, name: str, function: Callable, summary: str) -> argparse.ArgumentParser:
    verb = verbs.add_parser(name, help=summary, description=summary)
    verb.set_defaults(run=function)
    return verb


def _lesson_verb(verbs, name: str, function: Callable, summary: str) -> argparse.ArgumentParser:
    verb = _verb(verbs, name, function, summary)
    verb.add_argument("--lesson", help=_("numbers, such as 1 or 1,2; all unless given"))
    return verb


def _add_lessons(verbs) -> None:
    """Add the verbs that list, execute, open and publish lessons."""
    _lesson_verb(verbs, "list", list_lessons, _("List the lessons."))
    summary = _("Execute lessons; write notebooks, pages and a report to build/.")
    run = _lesson_verb(verbs, "run", run_lessons, summary)
    run.add_argument("--source", choices=("embedded", "real"), help=_("simulated or published data"))
    run.add_argument("--profile", choices=settings.PROFILES, help=_("how large the lessons run"))
    run.add_argument("--build", type=Path, default=BUILD, help=_("where to write"))
    summary = _("Execute lessons and store their outputs in the tracked notebooks.")
    stored = _lesson_verb(verbs, "refresh", refresh, summary)
    for verb in (run, stored):
        at_once = _("how many run at once; two unless given, where cores and memory allow that")
        verb.add_argument("--jobs", type=int, help=at_once)
    summary = _("Put the student edition into work/, once, and open JupyterLab there; options such as --port go to it.")
    _verb(verbs, "lab", lab, summary)
    _verb(verbs, "site", write_site, _("Write the website, from the stored notebooks, to build/site/."))


def _add_teaching(verbs) -> None:
    """Add the verbs that hand out and score."""
    summary = _("Write the student edition to notebooks/student/.")
    handed_out = _lesson_verb(verbs, "student", student_edition, summary)
    course = _("write instead the edition that nbgrader takes, to a course in build/nbgrader or another folder")
    handed_out.add_argument("--nbgrader", nargs="?", const=BUILD / "nbgrader", type=Path, metavar="COURSE", help=course)
    summary = _("Execute notebooks that students handed in; print a CSV of their exercises.")
    scoring = _verb(verbs, "score", score, summary)
    scoring.add_argument("notebooks", nargs="+", type=Path)
    scoring.add_argument("--whole", action="store_true", help=_("execute also what no exercise needs: trainings"))
    scoring.add_argument("--jobs", type=int, default=1, help=_("how many notebooks run at once (1 GB of memory each)"))
    scoring.add_argument("--wide", action="store_true", help=_("a row per student, a column per exercise"))
    scoring.add_argument("--names", help=_("with --wide: a regular expression for the student's name in the path"))
    shown = _lesson_verb(verbs, "slides", write_slides, _("Write slides: figures, questions and exercises."))
    shown.add_argument("--build", type=Path, default=BUILD / "slides", help=_("where to write"))


def _add_data(verbs) -> None:
    """Add the verb with its steps that says which data are there, makes, fetches and removes them."""
    data = _verb(verbs, "data", data_step, _("Say which data are there; prepare or fetch them."))
    data.set_defaults(step="status", name=None)
    steps = data.add_subparsers(metavar="STEP")

    def add(name, summary, wants=None, **options):
        step = steps.add_parser(name, help=summary, description=summary)
        step.set_defaults(step=name)
        if wants:
            step.add_argument("name", help=wants, **options)
        return step

    named = _("a data set or a collection, such as findings or chestxray8")
    or_all = _("a data set; all of them unless given")
    add("status", _("say which data are there (default)"))
    add("prepare", _("make the embedded data"), or_all, nargs="?")
    fetch = add("fetch", _("bring the published data"), named)
    fetch.add_argument("--from", dest="origin", help=_("a URL, an archive, a folder or a file, not the usual place"))
    fetch.add_argument("--subset", type=int, help=_("of chestxray8: how many of its 12 archives; 0: the tables alone"))
    fetch.add_argument("--cases", type=int, help=_("of brain: how many of its 484 scans; all unless given"))
    add("verify", _("read the published data again, and name what has changed"), or_all, nargs="?")
    remove = add("remove", _("remove published data that were fetched"), named)
    for step in (fetch, remove):
        step.add_argument("--yes", action="store_true", help=_("do not ask"))


def list_lessons(options: argparse.Namespace) -> None:
    """Print number, title and file of each lesson."""
    from classroom import notebooks

    for lesson in notebooks.find(options.lesson):
        print(f"{lesson.number}  {lesson.title}  ({lesson.path.relative_to(settings.REPOSITORY)})")


def run_lessons(options: argparse.Namespace) -> bool:
    """Execute lessons, write their pages and the report, print the report."""
    from classroom import doctor, notebooks, pages
    from medlessons import data

    chosen = notebooks.find(options.lesson)
    if settings.source() == "embedded":
        data.prepare(lesson.number for lesson in chosen)
    runs = []
    for run in notebooks.execute_all(chosen, options.jobs or doctor.lessons_at_once()):
        pages.write(run, options.build)
        runs.append(run)
    print(pages.write_report(runs, options.build))
    print(_("Open {page} in a browser.").format(page=options.build / "index.html"))
    faults = [run.fault for run in runs if run.fault]
    faults += doctor.remedies() if faults else []  # it may be this computer, not the lesson
    print(*(f"medlessons: {fault}\n" for fault in faults), sep="", end="", file=sys.stderr)
    return bool(faults)


def refresh(options: argparse.Namespace) -> None:
    """Execute lessons on the embedded data in the quick profile, store the outputs, and list what went false."""
    from classroom import doctor, notebooks, what_came_out

    settings.choose("embedded", "quick")
    failed = []
    for run in notebooks.execute_all(notebooks.find(options.lesson), options.jobs or doctor.lessons_at_once()):
        try:
            notebooks.store(run)
        except LessonError as error:  # the other lessons are stored
            failed.append(str(error))
            continue
        for fault in what_came_out.unsupported(run.notebook):
            print(_("Lesson {number}: no output shows {fault}").format(number=run.lesson.number, fault=fault))
    if failed:
        raise LessonError("\n".join(failed))


def student_edition(options: argparse.Namespace) -> None:
    """Write the student editions, or those for nbgrader."""
    from classroom import nbgrading, notebooks, student

    for lesson in notebooks.find(options.lesson):
        if options.nbgrader:
            print(nbgrading.write(lesson, options.nbgrader))
        else:
            print(student.write(lesson).relative_to(settings.REPOSITORY))


def write_site(_options: argparse.Namespace) -> None:
    """Write the website, and say where it is."""
    from classroom import site

    first = site.build(BUILD / "site")
    if not site.can_search():
        print(_("The pages have no search: pip install 'pagefind[bin]' brings it."))
    print(_("Open {page} in a browser.").format(page=first))


def lab(options: argparse.Namespace) -> None:
    """Lay out the student edition in work/, and open lesson 1 in JupyterLab, which gets all other options."""
    from jupyterlab import labapp

    from classroom import notebooks, student

    for path, is_new in student.lay_out().items():
        says = _("{file}: new") if is_new else _("{file}: kept, with your work in it")
        print(says.format(file=path.relative_to(settings.REPOSITORY)))
    print(_("To start a lesson anew, give its file in work/ another name and come back."))
    where = (student.WORK / notebooks.find()[0].path.name).relative_to(settings.REPOSITORY).as_posix()
    opened = [f"--ServerApp.root_dir={settings.REPOSITORY}", f"--LabApp.default_url=/lab/tree/{where}"]
    quiet = [f"--LabApp.app_settings_dir={Path(__file__).parent / 'jupyterlab'}"]  # asks about no news
    as_root = ["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []  # a container
    labapp.main([*opened, *quiet, *as_root, *options.jupyterlab])


def score(options: argparse.Namespace) -> None:
    """Print a CSV of the exercises of each notebook."""
    from classroom import confinement, doctor, gradebook, scoring

    gradebook.student("", options.names)  # a bad expression is named before anything runs
    if faults := doctor.remedies():
        raise LessonError("\n".join(faults))
    if confinement.missing():
        print("medlessons:", confinement.missing(), file=sys.stderr)
    table = io.StringIO() if options.wide else sys.stdout
    if not sys.stdout.isatty():
        sys.stdout.write("\ufeff")  # Excel takes it for the sign of UTF-8
    scoring.write_scores(options.notebooks, table, options.whole, jobs=max(1, options.jobs))
    if options.wide:
        print(gradebook.wide(table.getvalue(), options.names), end="")


def write_slides(options: argparse.Namespace) -> None:
    """Write the slides of lessons, from their stored outputs."""
    from classroom import notebooks, slides

    for lesson in notebooks.find(options.lesson):
        print(slides.write(lesson, options.build))


def data_step(options: argparse.Namespace) -> int | None:
    """Do one step with the data: status, prepare, fetch, verify or remove."""
    from classroom.fetching import commands

    return commands.STEPS[options.step](options)


def weights_status(options: argparse.Namespace) -> bool:
    """Print one line per file of weights, and where to read about them."""
    from classroom import doctor

    failed = _print_findings(doctor.weights())
    print(_("How they were made, and what they can do: models/README.md."))
    return failed


def doctor(options: argparse.Namespace) -> bool:
    """Print one line per finding; return True if there is something to fix."""
    from classroom import doctor

    return _print_findings(doctor.examine())


def _print_findings(findings) -> bool:
    failed = False
    for finding in findings:
        failed |= not finding.well
        print(f"{'ok ' if finding.well else 'FIX'}  {finding.what}: {finding.says}")
    return failed


if __name__ == "__main__":
    sys.exit(main())
