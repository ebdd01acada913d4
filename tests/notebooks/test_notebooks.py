"""Every notebook, run as a user runs it, with the smoke profile; and the form that all of them share."""

import json
from pathlib import Path

import nbformat
import pytest
import yaml

from making.pairing import problems
from sernb.features.spectrogram import SpectrogramConfig
from sernb.notebook.plan import make_plans
from sernb.notebook.run import run
from sernb.studies.attention_pooling import HEIGHTS, PAPER, WIDTHS

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
LONGEST_CELL = 25  # lines
FIRST_PICTURE = 30  # lines of code from the parameters to something to see or hear
MOST_CODE = 2500  # lines of all notebooks, those that are blank left out


@pytest.fixture(scope="session")
def report(tmp_path_factory):
    """(summary, folder) of the smoke run of all notebooks."""
    out = tmp_path_factory.mktemp("smoke run") / "report"
    return run(make_plans([], "smoke", {}, ROOT / "notebooks"), out, "smoke"), out


def of(path, report):
    return next(entry for entry in report[0]["notebooks"] if entry["name"] == path.stem)


def code_cells(path):
    return [cell for cell in nbformat.read(path, 4).cells if cell.cell_type == "code"]


each = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


@each
def test_every_code_cell_completed(path, report):
    entry = of(path, report)
    assert entry["error"] is None
    assert entry["status"] == "succeeded" and entry["completed"] == entry["cells"] > 0
    executed = nbformat.read(report[1] / entry["executed"], 4)
    assert all(c.metadata.papermill.status == "completed" for c in executed.cells if c.cell_type == "code")


@each
def test_it_leaves_a_page_a_picture_and_a_headline_number(path, report):
    entry = of(path, report)
    assert path.stem in entry["page"] and (report[1] / entry["page"]).stat().st_size > 10_000
    assert (report[1] / entry["picture"]).read_bytes().startswith(b"\x89PNG")
    assert entry["headline"] and entry["started_with"]
    assert json.loads((report[1] / "summary.json").read_text())["status"] == "succeeded"


@each
def test_its_stages_are_tagged_for_the_benchmark(path, report):
    assert "imports" in of(path, report)["stages"]


@each
def test_it_has_one_cell_of_typed_and_explained_parameters(path):
    (cell,) = [cell for cell in code_cells(path) if "parameters" in cell.metadata.get("tags", [])]
    for line in cell.source.splitlines():
        assert ": " in line.split("=")[0] and "#" in line, f"a type and a comment are due: {line}"


@each
def test_its_cells_are_short(path):
    for cell in code_cells(path):
        lines = cell.source.splitlines()
        assert len(lines) <= LONGEST_CELL, f"{len(lines)} lines: {lines[0]} …"


@each
def test_something_to_see_or_hear_comes_soon(path):
    cells = code_cells(path)
    (first,) = [n for n, cell in enumerate(cells) if "parameters" in cell.metadata.get("tags", [])]
    lines = [line for cell in cells[first + 1 :] for line in cell.source.splitlines() if line.strip()]
    assert any("figures." in line or "notebook.listen(" in line for line in lines[:FIRST_PICTURE])


def test_the_code_stays_short():
    sources = [cell.source for path in NOTEBOOKS for cell in code_cells(path)]
    assert sum(bool(line.strip()) for source in sources for line in source.splitlines()) <= MOST_CODE


@each
def test_its_tags_are_known(path):
    known = {"parameters", "picture", "exercise", "solution"}
    for cell in nbformat.read(path, 4).cells:
        for tag in cell.metadata.get("tags", []):
            assert tag in known or tag in ("stage:imports", "stage:features", "stage:training")


def test_each_notebook_matches_its_text_and_holds_no_outputs():
    assert problems(ROOT / "notebooks") == []


@pytest.mark.parametrize("profile", ["smoke", "laptop", "full", "tuned"])
def test_each_profile_fits_the_notebooks(profile):
    content = yaml.safe_load((ROOT / "notebooks" / "profiles" / f"{profile}.yaml").read_text())
    assert content["name"] == profile and content["description"]
    if NOTEBOOKS:
        make_plans([], profile, {}, ROOT / "notebooks")


def test_the_full_profile_of_attention_pooling_has_the_papers_settings():
    content = yaml.safe_load((ROOT / "notebooks" / "profiles" / "full.yaml").read_text())
    given = content["notebooks"]["07_attention_pooling"]
    config = SpectrogramConfig(**{name: given[name] for name in ("scaling", "dft", "shift")})
    assert config == SpectrogramConfig() and (config.bins, config.frames) == (400, 200)
    for prefix in ("", "filter_"):
        assert given[f"{prefix}epochs"] == PAPER.epochs == 50
        assert given[f"{prefix}batch_size"] == PAPER.batch_size == 64
    assert (tuple(given["filter_heights"]), tuple(given["filter_widths"])) == (HEIGHTS, WIDTHS)
    assert given["filter_folds"] == 0


def test_the_full_profile_of_distillation_has_the_papers_settings():
    content = yaml.safe_load((ROOT / "notebooks" / "profiles" / "full.yaml").read_text())["notebooks"]
    for name in ("02_teacher_training", "03_distillation"):
        given = content[name]
        assert (given["text_encoder"], given["audio_encoder"]) == ("bert-base-uncased", "vggish")
        assert given["postprocess"] and given["recipe"] == "paper" and given["fine_tune_epochs"] == 0
    assert content["03_distillation"]["layers"] == [6, 4, 2]
