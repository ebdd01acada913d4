"""notebooks/X.ipynb made from notebooks/py/X.py, the text that people review: `python -m making.pairing`.

The notebook holds no outputs and no traces of a run, and the same text always gives the same bytes.
"""

import argparse
import os
import sys
from pathlib import Path

import jupytext
import nbformat

from sernb.core.errors import SernbError

METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def from_text(path):
    """The notebook that a py:percent text stands for: its cells and their tags, nothing else."""
    read = jupytext.read(path, fmt="py:percent")
    cells = []
    for number, cell in enumerate(read.cells):
        new = {"code": nbformat.v4.new_code_cell, "markdown": nbformat.v4.new_markdown_cell}.get(
            cell.cell_type, nbformat.v4.new_raw_cell
        )
        kept = {key: value for key, value in cell.metadata.items() if key in ("tags", "jupyter", "alt")}
        cells.append(new(cell.source, metadata=kept, id=f"cell-{number}"))
    return nbformat.v4.new_notebook(cells=cells, metadata=METADATA)


def sources(notebook):
    return [(cell.cell_type, cell.source, cell.metadata.get("tags", [])) for cell in notebook.cells]


def problems(folder):
    """What keeps `folder` and its `py` from being pairs, a sentence each; empty when all is well."""
    folder = Path(folder)
    texts = {path.stem: path for path in (folder / "py").glob("*.py")}
    notebooks = {path.stem: path for path in folder.glob("*.ipynb")}
    found = [f"{notebooks[name]} has no text {folder / 'py' / name}.py" for name in notebooks.keys() - texts]
    found += [f"{texts[name]} has no notebook; run `make notebooks`" for name in texts.keys() - notebooks]
    for name in sorted(texts.keys() & notebooks.keys()):
        wanted, there = from_text(texts[name]), notebooks[name].read_text(encoding="utf-8")
        if there == nbformat.writes(wanted) + "\n":
            continue
        same = sources(nbformat.reads(there, 4)) == sources(wanted)
        what = "holds outputs or other traces of a run" if same else f"differs from {texts[name]}"
        found.append(f"{notebooks[name]} {what}; run `make notebooks`")
    return found


def write(folder):
    """Make each notebook from its text. Returns the paths that changed.

    Raises SernbError for a notebook that was edited after its text, so that no edit is lost.
    """
    folder, changed = Path(folder), []
    for text in sorted((folder / "py").glob("*.py")):
        notebook, path = from_text(text), folder / f"{text.stem}.ipynb"
        made = nbformat.writes(notebook) + "\n"
        if path.exists():
            there = path.read_text(encoding="utf-8")
            if there == made:
                continue
            edited = sources(nbformat.reads(there, 4)) != sources(notebook)
            if edited and path.stat().st_mtime > text.stat().st_mtime:
                raise SernbError(
                    f"{path} was edited after {text}. To keep these edits: jupytext --to py:percent "
                    f'--output "{text}" "{path}". To drop them: remove {path}. Then run `make notebooks` '
                    "again."
                )
        beside = path.with_suffix(".unfinished")
        beside.write_text(made, encoding="utf-8")
        os.replace(beside, path)
        changed.append(path)
    return changed


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", default="notebooks")
    parser.add_argument(
        "--check", action="store_true", help="change nothing; exit code 1 when a pair differs"
    )
    arguments = parser.parse_args()
    if arguments.check:
        found = problems(arguments.folder)
        sys.exit("\n".join(found) if found else 0)
    try:
        for path in write(arguments.folder):
            print(path)
    except SernbError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
