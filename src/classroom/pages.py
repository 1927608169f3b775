"""The pages that a run writes: a page a lesson, the report with the key figures, and the index."""

import copy
import json
import os
import re
from collections.abc import Sequence
from html import escape
from pathlib import Path

import nbformat
from latex2mathml.converter import convert as mathml
from nbconvert import HTMLExporter

from classroom.notebooks import Run, place
from medlessons import settings
from medlessons.errors import LessonError

REPORT_TAG = "report"  # cells with this tag print the key figures of their lesson
SIMULATED_TAG, MIXED_TAG = "simulated", "mixed"  # figures of simulated patients, or of both, whatever the source is
WEIGHTS = re.compile(r"models\.load\(\"(\w+)\"|^weights of the networks: (\w+)", re.MULTILINE)  # loaded, or told


def write(run: Run, build: Path) -> None:
    """Write the executed notebook and its HTML page to the folder `build`."""
    place(nbformat.writes(run.notebook) + "\n", build / run.lesson.path.name)
    place(page(run), (build / run.lesson.path.name).with_suffix(".html"))


def page(run: Run) -> str:
    """Return an executed lesson as one HTML page that needs no network: formulas are written as MathML."""
    notebook = copy.deepcopy(run.notebook)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = with_mathml(cell.source)
        else:
            cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
    exporter = HTMLExporter(mathjax_url="", require_js_url="")
    html, _ = exporter.from_notebook_node(notebook, {"metadata": {"name": run.lesson.title}})
    return html


def with_mathml(markdown: str) -> str:
    """Replace the formulas of a text, $...$ and $$...$$, by MathML, which browsers draw by themselves.

    Code, fenced or between backticks, stays as it is. Raises LessonError if a formula cannot be read.
    """
    parts = re.split(r"(```.*?```|`[^`\n]*`)", markdown, flags=re.DOTALL)
    for number in range(0, len(parts), 2):  # every second part is code
        parts[number] = re.sub(r"\$\$(.+?)\$\$", lambda m: _formula(m[1], "block"), parts[number], flags=re.DOTALL)
        parts[number] = re.sub(r"(?<![\\$])\$([^$\n]+?)\$", lambda m: _formula(m[1], "inline"), parts[number])
    return "".join(parts)


def _formula(latex: str, display: str) -> str:
    try:
        return mathml(latex.strip(), display=display)
    except Exception as error:  # the parser raises many kinds
        raise LessonError(f"The formula ${latex}$ cannot be read ({type(error).__name__}). Mend it.") from error


def key_figures(notebook: nbformat.NotebookNode) -> list[str]:
    """Return the text outputs of the cells that carry the tag ``report``. Each line says on whose images, with which
    weights: a figure of simulated patients must not be taken for one of real patients, wherever it is copied to.
    """
    texts = []
    weights = weights_of(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code" and REPORT_TAG in cell.metadata.get("tags", []):
            label = f"[{_patients_of(cell)}{'; ' if weights else ''}{', '.join(weights)}] "
            for output in cell.outputs:
                text = output.get("text") if output.output_type == "stream" else _plain(output)
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
        return "simulated"
    return "real and simulated" if MIXED_TAG in tags else "real"


def _plain(output: nbformat.NotebookNode) -> str:
    data = output.get("data", {})
    return "" if "image/png" in data else data.get("text/plain", "")


def report(runs: Sequence[Run]) -> str:
    """Return the report as text: a line a lesson, then the key figures of each."""
    total = sum(run.seconds for run in runs)
    lines = [
        f"Source: {settings.source()}. Profile: {settings.profile()}. Processor cores: {os.cpu_count()}.",
        *_ran_on({run.lesson.number for run in runs}),
        "",
        f"{'lesson':<58}{'cells':>6}{'seconds':>9}",
    ]
    for run in runs:
        lines.append(f"{run.lesson.number} {run.lesson.title[:55]:<56}{run.cells:>6}{run.seconds:>9.1f}")
    lines.append(f"{'all':<58}{sum(run.cells for run in runs):>6}{total:>9.1f}")
    for run in runs:
        lines += ["", f"Lesson {run.lesson.number}: {run.lesson.title}"]
        lines += [run.fault] if run.fault else []
        lines += key_figures(run.notebook)
    return "\n".join(lines) + "\n"


def _ran_on(numbers: set[int]) -> list[str]:
    """Return a line for each data set that these lessons use of the chosen source, and for each file of weights."""
    from medlessons import data, models  # here, since pages alone need neither

    tasks = [task for task in data.REGISTRY.values() if numbers & set(task.LESSONS)]
    lines_of = [line for task in tasks for line in task.status()]
    there = [line for line in lines_of if line.source == settings.source() and line.present]
    lines = [f"Data: {line.name}: {line.note}, {line.rows} rows." for line in there]
    try:
        faults = models.status()
    except LessonError as error:
        return [*lines, f"Weights: {error}"]
    return lines + [f"Weights: {name}: {fault or 'as published.'}" for name, fault in faults.items()]


def write_report(runs: Sequence[Run], build: Path) -> str:
    """Write report.txt, report.json and index.html to `build`, and return the text of the report."""
    text = report(runs)
    rows = [
        {
            "lesson": run.lesson.number,
            "title": run.lesson.title,
            "cells": run.cells,
            "seconds": round(run.seconds, 1),
            "figures": key_figures(run.notebook),
            "fault": run.fault,
        }
        for run in runs
    ]
    place(text, build / "report.txt")
    place(json.dumps(rows, indent=2), build / "report.json")
    place(index(runs, text), build / "index.html")
    return text


def index(runs: Sequence[Run], text: str) -> str:
    """Return the page that links to the lessons and shows the report."""
    links = "\n".join(
        f'<li><a href="{escape(run.lesson.path.stem)}.html">Lesson {run.lesson.number}: '
        f"{escape(run.lesson.title)}</a> ({run.seconds:.0f} s)</li>"
        for run in runs
    )
    return f"""<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Deep learning for medical diagnosis: the lessons</title>
<style>body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 52rem; margin: 2rem auto; padding: 0 1rem; }}
pre {{ background: #f4f4f4; padding: 1rem; overflow-x: auto; }}</style></head>
<body><h1>Deep learning for medical diagnosis</h1>
<ul>
{links}
</ul>
<h2>Report</h2>
<pre>{escape(text)}</pre>
<p>Not for medical use.</p>
</body></html>
"""
