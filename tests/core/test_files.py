"""A folder is there whole or not at all."""

import os
from pathlib import Path

import pytest

from sernb.core.errors import SernbError
from sernb.core.files import whole_folder


def names(folder):
    return sorted(one.name for one in folder.iterdir())


def test_what_is_written_takes_the_folders_place(tmp_path):
    place = tmp_path / "a" / "model"
    for text in ("one", "two"):
        with whole_folder(place) as beside:
            (beside / "told.txt").write_text(text)
            assert beside != place
        assert (place / "told.txt").read_text() == text and names(place.parent) == ["model"]
    assert place.stat().st_mode == place.parent.stat().st_mode  # not for its owner alone


def test_a_failure_leaves_what_was_there(tmp_path):
    place = tmp_path / "model"
    with whole_folder(place) as beside:
        (beside / "old").write_text("old")
    with pytest.raises(RuntimeError), whole_folder(place) as beside:
        (beside / "new").write_text("half")
        raise RuntimeError
    assert names(place) == ["old"] and names(tmp_path) == ["model"]


def test_what_was_not_written_here_is_not_lost(tmp_path, monkeypatch):
    thesis = tmp_path / "runs" / "sub" / "thesis.txt"
    thesis.parent.mkdir(parents=True)
    thesis.write_text("years")
    monkeypatch.chdir(tmp_path / "runs")
    for place in (tmp_path / "runs", "."):
        with (
            pytest.raises(SernbError, match=r"holds other files too \(sub/thesis.txt\)"),
            whole_folder(place) as beside,
        ):
            (beside / "config.json").write_text("{}")
    with pytest.raises(SernbError, match=r"thesis.txt is not empty"), whole_folder(thesis):
        pass
    assert thesis.read_text() == "years" and names(tmp_path) == ["runs"]


def test_a_swap_that_is_interrupted_leaves_the_old_one(tmp_path, monkeypatch):
    place = tmp_path / "model"
    with whole_folder(place) as beside:
        (beside / "told").write_text("old")
    replace = os.replace

    def interrupted(source, target):
        if Path(target) == place and Path(source).suffix == ".unfinished":
            raise KeyboardInterrupt
        replace(source, target)

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt), whole_folder(place) as beside:
        (beside / "told").write_text("new")
    assert (place / "told").read_text() == "old" and names(tmp_path) == ["model"]


def test_a_new_folder_replaces_nothing(tmp_path):
    place = tmp_path / "model"
    place.mkdir()
    with whole_folder(place, new=True) as beside:
        (beside / "first").write_text("")
    with pytest.raises(SernbError, match="not empty"), whole_folder(place, new=True):
        pass
    assert names(place) == ["first"] and names(tmp_path) == ["model"]
