"""What several tests of notebooks read in an executed one."""

import nbformat


def said(out, entry):
    """The text of all outputs of a notebook that was run into `out`; `entry` is its part of the summary."""
    return "\n".join(
        str(one.get("text", one.get("data", {}).get("text/plain", "")))
        for cell in nbformat.read(out / entry["executed"], 4).cells
        for one in cell.get("outputs", [])
    )
