"""A folder of small notebooks, and one run of them that the tests look at from all sides."""

from pathlib import Path

import nbformat
import pytest

PARAMETERS = (
    'corpus: str = "embedded"\nroot: str = ""\nepochs: int = 3\nrate: float = 0.5\nword: str = "a"',
    ["parameters"],
)
SHOW = """
import matplotlib.pyplot as plt
import plotly.graph_objects as go
plt.plot([1, epochs]);
"""
HEADLINE = """
from IPython.display import display
data = {"name": word, "value": 0.25, "low": 0.2, "high": None}
display({"application/vnd.sernb.headline+json": data, "text/plain": "x"}, raw=True)
go.Figure(go.Scatter(y=[1, 2, 3])).show()
"""


def write_notebook(folder, name, *cells):
    """A notebook of the given cells: text for Markdown where it starts with #, else code; or (code, tags)."""
    notebook = nbformat.v4.new_notebook(metadata={"language_info": {"name": "python"}})
    for number, cell in enumerate(cells):
        source, tags = cell if isinstance(cell, tuple) else (cell, [])
        new = nbformat.v4.new_markdown_cell if source.startswith("#") else nbformat.v4.new_code_cell
        notebook.cells.append(new(source, metadata={"tags": tags}, id=f"cell-{number}"))
    nbformat.write(notebook, folder / f"{name}.ipynb")


def write_folder(place):
    """A place (a folder with a space in its name) with `notebooks` and its profiles, as in the checkout."""
    folder = place / "notebooks"
    (folder / "profiles").mkdir(parents=True)
    for name in ("smoke", "laptop", "full"):
        (folder / "profiles" / f"{name}.yaml").write_text(f"name: {name}\n")
    (folder / "profiles" / "smoke.yaml").write_text(
        "parameters: {epochs: 1}\nnotebooks: {01_good: {rate: 1}}\n"
    )
    write_notebook(
        folder,
        "01_good",
        "# A <script>title</script>\n\nwith $\\frac{1}{2}$ in it",
        PARAMETERS,
        ("import time\ntime.sleep(0.3)", ["stage:imports"]),
        (SHOW, ["picture"]),
        HEADLINE,
        "import os, sys\nprint(sys.executable, os.environ['MALLOC_TOP_PAD_'], os.getcwd(), sep='|')",
    )
    write_notebook(
        folder,
        "02_fails",
        "# Fails",
        PARAMETERS,
        "1 + 1",
        "raise ValueError('no <b>such</b> thing\\nat all')",
        "2 + 2",
    )
    write_notebook(folder, "03_exits", PARAMETERS, "import sys\nsys.exit(0)", "open('after.txt', 'w')")
    write_notebook(folder, "04_dies", PARAMETERS, "import os\nos._exit(0)", "open('after.txt', 'w')")
    return folder


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    place = tmp_path / "a place"
    folder = write_folder(place)
    monkeypatch.chdir(place)
    return folder


@pytest.fixture(scope="session")
def report(tmp_path_factory):
    """(summary, folder of the report, place): the four notebooks run with the smoke profile, two at a
    time."""
    from sernb.notebook.plan import make_plans
    from sernb.notebook.run import run

    place = tmp_path_factory.mktemp("reports") / "a place"
    folder = write_folder(place)
    plans = make_plans([], "smoke", {"word": "<script>alert(1)</script>"}, folder)
    out = place / "reports" / "latest"
    return run(plans, out, "smoke", jobs=2), out, place
