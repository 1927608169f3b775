"""What the cells of a lesson have printed, as it is stored in the notebook."""

from classroom import notebooks


def outputs_of(lesson):
    """Return the source of each code cell of a lesson, given by its number -> all that it printed."""
    (found,) = notebooks.find(lesson)
    return {
        cell.source: "".join(out.get("text", "") + out.get("data", {}).get("text/plain", "") for out in cell.outputs)
        for cell in notebooks.read(found.path).cells
        if cell.cell_type == "code"
    }


def output_of(outputs, line):
    """Return what the one cell printed that has this line."""
    (text,) = [text for source, text in outputs.items() if line in source]
    return text
