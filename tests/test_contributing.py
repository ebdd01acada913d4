"""The worked examples of CONTRIBUTING.md run: the code in the package's place, and the tests beside it."""

import re
import sys
import types
from pathlib import Path

import pytest

from sernb import corpora, figures, losses
from sernb.figures import corpus as figures_of_corpora
from tests.corpora.conftest import fill  # noqa: F401  (a fixture of the corpus's example)
from tests.figures import material

TEXT = (Path(__file__).parents[1] / "CONTRIBUTING.md").read_text(encoding="utf-8")


def blocks(heading: str) -> list[str]:
    """The Python code below a heading."""
    part = TEXT.split(f"## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"```python\n(.*?)```", part, re.DOTALL)


def module(name: str, code: str, monkeypatch):
    made = types.ModuleType(name)
    monkeypatch.setitem(sys.modules, name, made)
    exec(compile(code, name, "exec"), made.__dict__)
    return made


def functions_of(code: str, **names) -> dict:
    place = dict(names)
    exec(compile(code, "the example's test", "exec"), place)
    return {name: function for name, function in place.items() if name.startswith("test_")}


@pytest.mark.parametrize("name", ["test_published_layout", "test_names_outside_the_code"])
def test_a_corpus(name, tmp_path, fill, monkeypatch):  # noqa: F811
    loader, tests = blocks("Add a corpus")
    module("sernb.corpora.savee", loader, monkeypatch)
    monkeypatch.setattr(corpora, "NAMES", (*corpora.NAMES, "savee"))
    monkeypatch.setattr(
        corpora, "CORPORA", {**corpora.CORPORA, "savee": sys.modules["sernb.corpora.savee"].CORPUS}
    )
    functions_of(tests)[name](tmp_path, fill)


def test_a_loss(monkeypatch):
    code, tests = blocks("Add a loss")
    focal = module("sernb.losses.focal", code, monkeypatch)
    monkeypatch.setattr(losses, "focal_loss", focal.focal_loss, raising=False)
    for test in functions_of(tests).values():
        test()


def test_a_figure(monkeypatch):
    code, tests = blocks("Add a figure")
    place = dict(vars(figures_of_corpora))
    exec(compile(code, "the example's figure", "exec"), place)
    monkeypatch.setattr(figures, "speaking_time", place["speaking_time"], raising=False)
    names = {**vars(figures_of_corpora), "figures": figures, "pytest": pytest, "texts": material.texts}
    for test in functions_of(tests, **names).values():
        test()
