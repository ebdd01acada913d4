"""How loaders find their tables, here MELD's."""

import os
from pathlib import Path

import pytest

from sernb.core.errors import SernbError
from sernb.corpora.files import find


def test_two_tables_of_one_name(meld_tree):
    for place in ("one", "two"):
        (meld_tree / place).mkdir()
        other = (meld_tree / "train_sent_emo.csv").read_bytes() + place.encode()
        (meld_tree / place / "train_sent_emo.csv").write_bytes(other)
    assert find(meld_tree, "train_sent_emo.csv").parent == meld_tree  # the highest is meant
    (meld_tree / "train_sent_emo.csv").unlink()
    with pytest.raises(
        SernbError, match=r"found .*one/train_sent_emo.csv, .*two/train_sent_emo.csv, which differ"
    ):
        find(meld_tree, "train_sent_emo.csv")


def test_a_folder_that_cannot_be_read(meld_tree, monkeypatch):
    closed, scan = meld_tree / "lost+found", os.scandir
    closed.mkdir()

    def scandir(place):
        if Path(place) == closed:
            raise PermissionError(13, "Permission denied", str(place))
        return scan(place)

    monkeypatch.setattr("os.scandir", scandir)
    assert find(meld_tree, "train_sent_emo.csv") == meld_tree / "train_sent_emo.csv"
    below = meld_tree / "more" / "deep.csv"
    below.parent.mkdir()
    below.write_text("x")
    assert find(meld_tree, "deep.csv") == below
    with pytest.raises(
        SernbError, match=r"absent.csv was not found, and may be in .*lost\+found \(Permission denied\)"
    ):
        find(meld_tree, "absent.csv")
