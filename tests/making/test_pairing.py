import os
from pathlib import Path

import nbformat
import pytest
from jupyter_server.services.contents.largefilemanager import LargeFileManager
from jupytext.sync_contentsmanager import build_sync_jupytext_contents_manager_class

from making.pairing import from_text, problems, write
from sernb.core.errors import SernbError

TEXT = (
    '# %% [markdown]\n# # Title\n\n# %% tags=["parameters"]\nn: int = 1\n\n'
    "# %%\ndef f():\n    return n\n\n\n# %%\nf()\n"
)


@pytest.fixture
def pair(tmp_path):
    (tmp_path / "py").mkdir()
    (tmp_path / "py" / "01_x.py").write_text(TEXT)
    write(tmp_path)
    return tmp_path


def test_the_notebook_has_the_texts_cells_and_nothing_else(pair):
    notebook = nbformat.read(pair / "01_x.ipynb", 4)
    nbformat.validate(notebook)
    assert [cell.source for cell in notebook.cells] == [
        "# Title",
        "n: int = 1",
        "def f():\n    return n",
        "f()",
    ]
    assert [cell.metadata for cell in notebook.cells] == [{}, {"tags": ["parameters"]}, {}, {}]
    assert problems(pair) == [] and write(pair) == []


def test_the_same_text_gives_the_same_bytes(pair):
    first = (pair / "01_x.ipynb").read_bytes()
    (pair / "01_x.ipynb").unlink()
    write(pair)
    assert (pair / "01_x.ipynb").read_bytes() == first


def test_outputs_are_found_and_stripped(pair):
    path = pair / "01_x.ipynb"
    notebook = nbformat.read(path, 4)
    notebook.cells[3].outputs = [nbformat.v4.new_output("stream", text="1")]
    notebook.metadata["papermill"] = {"duration": 3}
    nbformat.write(notebook, path)
    assert len(problems(pair)) == 1 and "holds outputs" in problems(pair)[0]
    assert write(pair) == [path] and problems(pair) == []


def test_a_missing_partner_is_found(pair):
    (pair / "py" / "02_y.py").write_text(TEXT)
    (pair / "03_z.ipynb").write_text((pair / "01_x.ipynb").read_text())
    assert any("03_z.ipynb has no text" in text for text in problems(pair))
    assert any("02_y.py has no notebook" in text for text in problems(pair))


def test_a_changed_text_is_found_and_an_edited_notebook_is_not_lost(pair):
    text, path = pair / "py" / "01_x.py", pair / "01_x.ipynb"
    text.write_text(TEXT.replace("n: int = 1", "n: int = 2"))
    assert "differs from" in problems(pair)[0]
    os.utime(text, (1, 1))  # the notebook is the newer one: somebody edited it
    before = path.read_bytes()
    with pytest.raises(SernbError, match="was edited after"):
        write(pair)
    assert path.read_bytes() == before


def test_tags_are_kept(pair):
    assert from_text(pair / "py" / "01_x.py").cells[1].metadata.tags == ["parameters"]


def test_what_is_saved_in_jupyterlab_reaches_the_text(tmp_path):
    """With the settings in pyproject.toml, and the checkout as the server's root, as `make lab` has it."""
    (tmp_path / "pyproject.toml").write_text((Path(__file__).parents[2] / "pyproject.toml").read_text())
    text = tmp_path / "notebooks" / "py" / "01_x.py"
    text.parent.mkdir(parents=True)
    text.write_text(TEXT)
    write(tmp_path / "notebooks")
    os.utime(text, (1, 1))  # the notebook is much newer, as after `make notebooks`
    lab = build_sync_jupytext_contents_manager_class(LargeFileManager)(root_dir=str(tmp_path))
    opened = lab.get("notebooks/01_x.ipynb")["content"]
    opened["cells"][1]["source"] = "n: int = 2"
    lab.save({"type": "notebook", "format": "json", "content": opened}, "notebooks/01_x.ipynb")
    assert text.read_text() == TEXT.replace("n: int = 1", "n: int = 2")
