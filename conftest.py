"""Strict validation of the notebooks: what counts as the same output.

nbval runs every cell and collects its outputs. Here they are compared with the stored ones: text must agree to the
letter, integers must be equal, and a decimal may differ by one unit in its last printed place. Pictures are not
compared (each has a printed sentence and a text of what was drawn, which are), and neither is stderr.
"""

import json
import os
import re
from decimal import Decimal
from difflib import ndiff

from nbval.plugin import IPyNbCell

# A number with the spaces before it: a table pads 9.99 and 10.00 differently. A version such as 3.12.1 is text.
NUMBER = re.compile(r"[ \t]*(?<![\w.])[-+−]?\d++(?:\.\d++)?+(?:[eE][-+]?\d++)?+(?!\.\d)")
EXEMPT = re.compile(r"^#\s*NBVAL_IGNORE_OUTPUT\s*:\s*\S", re.MULTILINE)
LONGEST_LINE = 100  # characters of a line that a report shows
NOT_COMPARED = ("image/png", "image/jpeg", "image/svg+xml")
COLOR = re.compile(r"\x1b\[[0-9;]*m")
PICTURE = re.compile(r"(?<=;base64,)[\w+/=]+")  # one that stands in a text, such as HTML


def pytest_configure(config):
    # The stored outputs show the embedded data in the quick profile, whatever the shell says.
    for name in ("MEDLESSONS_SOURCE", "MEDLESSONS_PROFILE", "MEDLESSONS_DATA", "MEDLESSONS_WEIGHTS"):
        os.environ.pop(name, None)


def pytest_collection_modifyitems(items):
    for item in items:
        if isinstance(item, IPyNbCell):
            item.options["check"] = not EXEMPT.search(item.cell.source)


def pytest_terminal_summary(terminalreporter, config):
    """Write to a file what differs, too: continuous integration keeps it."""
    path = config.rootpath / "build" / "differences.txt"
    path.unlink(missing_ok=True)
    failed = [report for report in terminalreporter.stats.get("failed", []) if ".ipynb" in report.nodeid]
    if failed:
        path.parent.mkdir(exist_ok=True)
        texts = [f"{report.nodeid}\n{COLOR.sub('', report.longreprtext)}" for report in failed]
        path.write_text("\n\n".join(texts) + "\n", encoding="utf-8")


def decimal_of(number: str) -> Decimal:
    return Decimal(number.strip().replace("−", "-"))


def same_number(stored: str, came: str) -> bool:
    """Integers must be equal; decimals printed alike may differ by one unit in the last place."""
    old, new = decimal_of(stored), decimal_of(came)
    if old == new:
        return True
    exponent = old.as_tuple().exponent
    if exponent != new.as_tuple().exponent or "." not in stored:
        return False
    return abs(old - new) <= Decimal(1).scaleb(exponent)


def differences(stored: str, came: str) -> list[str]:
    """Return what moved between two texts, with the line that it stands in; an empty list if they count as the same."""
    old_lines, new_lines = stored.rstrip("\n").split("\n"), came.rstrip("\n").split("\n")
    if len(old_lines) != len(new_lines):
        changed = [line for line in ndiff(old_lines, new_lines) if line.startswith(("- ", "+ "))]
        named = [("  stored: " if line.startswith("-") else "  came:   ") + line[2:] for line in changed]
        return [f"text differs, {len(old_lines)} lines are stored, {len(new_lines)} came", *named]
    return [moved for old, new in zip(old_lines, new_lines, strict=True) for moved in differences_of_line(old, new)]


def differences_of_line(stored: str, came: str) -> list[str]:
    if NUMBER.split(stored) != NUMBER.split(came):
        return [f"text differs\n  stored: {stored.strip()}\n  came:   {came.strip()}"]
    place = stored.strip() if len(stored.strip()) <= LONGEST_LINE else stored.strip()[:LONGEST_LINE] + " ..."
    return [
        f"stored {old.strip()}, came {new.strip()}, difference {decimal_of(new) - decimal_of(old)} in: {place}"
        for old, new in zip(NUMBER.findall(stored), NUMBER.findall(came), strict=True)
        if not same_number(old, new)
    ]


def text_outputs(outputs) -> list[tuple[str, str]]:
    """Return (kind, text) of each output that is compared."""
    texts = []
    for output in outputs:
        if output["output_type"] == "stream":
            if output["name"] != "stderr":
                texts.append((output["name"], output["text"]))
        elif output["output_type"] == "error":
            texts.append(("error", f"{output['ename']}: {output['evalue']}"))
        else:
            for kind, content in output["data"].items():
                if kind not in NOT_COMPARED:
                    text = content if isinstance(content, str) else json.dumps(content)
                    texts.append((kind, PICTURE.sub("...", text)))
    return sorted(texts, key=lambda text: text[0])


def compare_outputs(cell, came, stored, skip_compare=None) -> bool:
    """Compare the outputs of one cell; takes the place of nbval's comparison to the letter."""
    came, stored = text_outputs(came), text_outputs(stored)
    if [kind for kind, _ in came] != [kind for kind, _ in stored]:
        moved = [f"stored outputs: {[k for k, _ in stored]}, came: {[k for k, _ in came]}"]
        moved += [f"  {kind}: {text.strip()}" for kind, text in came]
    else:
        moved = [line for (_, old), (_, new) in zip(stored, came, strict=True) for line in differences(old, new)]
    cell.comparison_traceback = moved
    return not moved


IPyNbCell.compare_outputs = compare_outputs
