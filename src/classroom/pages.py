"""The pages that a run writes: a page per lesson, the report with the key figures, and the index."""

import json
import os
import re
from collections.abc import Sequence
from pathlib import Path

import nbformat
from nbformat.v4 import new_markdown_cell, new_notebook

from classroom import doctor
from classroom.notebooks import Run, place
from classroom.web import page
from medlessons import settings
from medlessons.wording import _

REPORT_TAG = "report"  # cells with this tag print the key figures of their lesson
SIMULATED_TAG, MIXED_TAG = "simulated", "mixed"  # figures of simulated patients, or of both, whatever the source is
WEIGHTS = re.compile(r"models\.load\(\"(\w+)\"|^weights of the networks: (\w+)", re.MULTILINE)  # loaded, or told


def write(run: Run, build: Path) -> None:
    """Write the executed notebook and its HTML page to the folder `build`."""
    place(nbformat.writes(run.notebook) + "\n", build / run.lesson.path.name)
    place(page(run.notebook, run.lesson.title), (build / run.lesson.path.name).with_suffix(".html"))


def key_figures(notebook: nbformat.NotebookNode) -> list[str]:
    """Return the text outputs of the cells that carry the tag ``report``. Each line says on whose images, with which
    weights: a figure of simulated patients must not be taken for one of real patients, wherever it is copied to.
    """
    texts, weights = [], weights_of(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code" and REPORT_TAG in cell.metadata.get("tags", []):
            label = f"[{'; '.join(filter(None, [_patients_of(cell), ', '.join(weights)]))}] "
            for output in cell.outputs:
                data = output.get("data", {})
                shown = data.get("text/markdown", data.get("text/plain"))
                text = output.get("text", "" if "image/png" in data else shown)
                if text and output.get("name") != "stderr":
                    texts.append("\n".join(label + line for line in text.rstrip().split("\n")))
    return texts


def weights_of(notebook: nbformat.NotebookNode) -> list[str]:
    """Return the names of the trained networks that a lesson loads, or the kind of weights that it prints, sorted."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    texts = [cell.source for cell in code] + [output.get("text", "") for cell in code for output in cell.outputs]
    return sorted({name or f"{kind} backbones" for text in texts for name, kind in WEIGHTS.findall(text)})


def _patients_of(cell: nbformat.NotebookNode) -> str:
    """Say whose images the figures of a cell are about."""
    tags = cell.metadata.get("tags", [])
    if settings.source() == "embedded" or SIMULATED_TAG in tags:
        return _("simulated")
    return _("real and simulated") if MIXED_TAG in tags else _("real")


def report(runs: Sequence[Run]) -> str:
    """Return the report as text: one line per lesson, then the key figures of each."""
    line = "{:<58}{:>6}{:>9}".format
    opening = _("Source: {source}. Profile: {profile}. Processor cores: {cores}.")
    lines = [opening.format(source=settings.source(), profile=settings.profile(), cores=os.cpu_count())]
    lines += [*_ran_on({run.lesson.number for run in runs}), "", line(_("lesson"), _("cells"), _("seconds"))]
    for run in runs:
        lines.append(line(f"{run.lesson.number} {run.lesson.title[:55]}", run.cells, f"{run.seconds:.1f}"))
    elapsed = max(run.began + run.seconds for run in runs) - min(run.began for run in runs)  # some ran at once
    lines.append(line(_("all"), sum(run.cells for run in runs), f"{elapsed:.1f}"))
    for run in runs:
        lines += ["", _name(run), *filter(None, [run.fault]), *key_figures(run.notebook)]
    return "\n".join(lines) + "\n"


def _name(run: Run) -> str:
    return _("Lesson {number}: {title}").format(number=run.lesson.number, title=run.lesson.title)


def _ran_on(numbers: set[int]) -> list[str]:
    """Return a line for each data set that these lessons use of the chosen source, and for each file of weights."""
    from classroom import fetching  # here, since pages alone do not need them

    there = [line for line in fetching.status(numbers) if line.source == settings.source() and line.present]
    says = _("Data: {name}: {note}, {rows} rows.")
    lines = [says.format(name=line.name, note=line.note, rows=line.rows) for line in there]
    return lines + [f"{finding.what}: {finding.says}" for finding in doctor.weights()]


def write_report(runs: Sequence[Run], build: Path) -> str:
    """Write report.txt, report.json and index.html to `build`, and return the text of the report."""
    text = report(runs)
    rows = []
    for run in runs:
        about = {"lesson": run.lesson.number, "title": run.lesson.title, "cells": run.cells, "fault": run.fault}
        rows.append({**about, "seconds": round(run.seconds, 1), "figures": key_figures(run.notebook)})
    place(text, build / "report.txt")
    place(json.dumps(rows, indent=2), build / "report.json")
    place(index(runs, text), build / "index.html")
    return text


def index(runs: Sequence[Run], text: str) -> str:
    """Return the page that links to the lessons and shows the report."""
    title, heading = _("Deep learning for medical diagnosis"), _("Report")
    links = [f"- [{_name(run)}]({run.lesson.path.stem}.html) ({run.seconds:.0f} s)" for run in runs]
    lines = [f"# {title}", "", *links, "", f"## {heading}", "", "```", text, "```", "", _("Not for medical use.")]
    return page(new_notebook(cells=[new_markdown_cell("\n".join(lines))]), title)
