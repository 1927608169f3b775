"""The blocks that say what came out of a stored run: each number in them stands in an output of the same section."""

import re

import nbformat

OPENING = "> **What came out** (stored run: simulated patients, quick profile)."
NUMBER = re.compile(r"(?<![\w.])\d+(?:,\d{3})*(?:\.\d+)?(?!\w)")
ENGLISH = (
    "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen "
    "nineteen twenty"
)
WORDS = {word: number for number, word in enumerate(ENGLISH.split(), start=2)}


def is_block(cell: nbformat.NotebookNode) -> bool:
    """Say whether a cell is such a block."""
    return cell.cell_type == "markdown" and cell.source.startswith("> **What came out**")


def folded(source: str) -> str:
    """Return a block for the student edition: closed, until the reader has guessed and opens it."""
    lines = [line.removeprefix(">").strip() for line in source.removeprefix(OPENING).splitlines()]
    title = OPENING.removeprefix("> ").replace("**", "").removesuffix(".")
    return "\n".join([f"<details><summary>{title}</summary>", "", *lines, "", "</details>"])


def unsupported(notebook: nbformat.NotebookNode) -> list[str]:
    """Return a line for each number of a block that no output since the last heading shows.

    A number is shown if an output has it, or one that rounds to it; "12 %" may stand as 0.12. Number words from
    "two" to "twenty" count as numbers.

    Parameters
    ----------
    notebook : NotebookNode
        With its outputs.

    Returns
    -------
    list of str
        The number, and the first words of its block; empty if all is well.
    """
    faults, shown = [], []
    for cell in notebook.cells:
        if cell.cell_type == "code":
            shown += [float(found.replace(",", "")) for found in NUMBER.findall(_text_of(cell))]
        elif is_block(cell):
            text = cell.source.removeprefix(OPENING).replace("\n> ", " ")
            faults += [
                f"{number}: {text.strip()[:60]} ..." for number in _numbers(text) if not _stands_in(number, shown)
            ]
        elif cell.source.startswith("## "):
            shown = []
    return faults


def _text_of(cell: nbformat.NotebookNode) -> str:
    texts = []
    for output in cell.get("outputs", []):
        data = output.get("data", {})
        texts += [output.get("text", ""), data.get("text/plain", ""), data.get("text/markdown", "")]
    return "\n".join(texts).replace("\N{MINUS SIGN}", "-")


def _numbers(text: str) -> list[str]:
    """Return the numbers of a text as they are written; a percentage keeps its sign, a word becomes its number."""
    text = re.sub(r"\b(section|exercise|lesson)s? \d+(?:\.\d+)?", "", text, flags=re.IGNORECASE)
    text = re.sub(rf"\b({'|'.join(WORDS)})\b", lambda found: str(WORDS[found[0].lower()]), text, flags=re.IGNORECASE)
    return re.findall(rf"{NUMBER.pattern}(?: ?%)?", text)


def _stands_in(number: str, shown: list[float]) -> bool:
    percent, digits = number.endswith("%"), number.rstrip(" %").replace(",", "")
    wanted, decimals = float(digits), len(digits.partition(".")[2])
    half_a_unit = 0.5 * 10**-decimals + 1e-9
    factors = (1, 100) if percent else (1,)
    return any(abs(factor * value - wanted) <= half_a_unit for value in shown for factor in factors)
