"""A folder is there whole or not at all."""

import pytest

from sernb.errors import SernbError
from sernb.folders import whole_folder


def names(folder):
    return sorted(one.name for one in folder.iterdir())


def test_what_is_written_takes_the_folders_place(tmp_path):
    place = tmp_path / "a" / "model"
    for text in ("one", "two"):
        with whole_folder(place) as beside:
            (beside / f"{text}.txt").write_text(text)
            assert beside != place
        assert names(place) == [f"{text}.txt"] and names(place.parent) == ["model"]


def test_a_failure_leaves_what_was_there(tmp_path):
    place = tmp_path / "model"
    with whole_folder(place) as beside:
        (beside / "old").write_text("old")
    with pytest.raises(RuntimeError), whole_folder(place) as beside:
        (beside / "new").write_text("half")
        raise RuntimeError
    assert names(place) == ["old"] and names(tmp_path) == ["model"]


def test_a_new_folder_replaces_nothing(tmp_path):
    place = tmp_path / "model"
    place.mkdir()
    with whole_folder(place, new=True) as beside:
        (beside / "first").write_text("")
    with pytest.raises(SernbError, match="not empty"), whole_folder(place, new=True):
        pass
    assert names(place) == ["first"] and names(tmp_path) == ["model"]
