"""Notes go through a file as they are, and a file that is none is refused by line."""

import pandas as pd
import pytest

from sernb.core.errors import SernbError
from sernb.explorer.notes import as_dict, as_table, merged, read_notes, write_notes

ODD = {
    "../../etc/passwd": {
        "note": 'two\nlines, "quoted"; nul \0 and \r return',
        "tags": ["noisy", "two speakers"],
    },
    "u2": {"note": "x" * 10_000, "tags": []},
    "007": {"note": "", "tags": ["=1+1"]},
    "‏עברית": {"note": "</script>", "tags": []},
}


def test_through_a_file_and_back(tmp_path):
    path = write_notes(ODD, tmp_path / "new" / "notes.csv")
    table = read_notes(path)
    assert as_dict(table) == ODD
    assert table.index.name == "utterance" and table.columns.tolist() == ["note", "tags"]
    assert table.loc["../../etc/passwd", "tags"] == "noisy; two speakers"
    assert list(path.parent.iterdir()) == [path]
    write_notes(table, path)
    assert as_dict(read_notes(path)) == ODD


def test_no_notes(tmp_path):
    assert len(read_notes(write_notes({}, tmp_path / "n.csv"))) == 0
    assert as_dict(as_table({})) == {}


def test_notes_as_the_page_saves_them(tmp_path):
    (tmp_path / "n.csv").write_bytes(b'\xef\xbb\xbfutterance,note,tags\r\nu1,"a\r\nb",x; y\r\n\r\nu2,,z\r\n')
    assert as_dict(read_notes(tmp_path / "n.csv")) == {
        "u1": {"note": "a\r\nb", "tags": ["x", "y"]},
        "u2": {"note": "", "tags": ["z"]},
    }


def test_tags_are_parted_tidied_and_kept_once():
    found = as_dict(
        {"u": {"note": "", "tags": [" a ;b", "a", "", "two\n words"]}, "v": {"note": "", "tags": " ; "}}
    )
    assert found == {"u": {"note": "", "tags": ["a", "b", "two words"]}}


def test_a_table_may_have_gaps_and_lists():
    table = pd.DataFrame(
        {"note": ["a", None, None], "tags": [None, ["x", "y"], float("nan")]}, index=["u1", "u2", "u3"]
    )
    assert as_dict(table) == {"u1": {"note": "a", "tags": []}, "u2": {"note": "", "tags": ["x", "y"]}}


@pytest.mark.parametrize(
    "text, words",
    [
        ("", "expected the columns utterance, note, tags; it has"),
        ("utterance;note;tags\n", "it has utterance;note;tags"),
        ("utterance,note,tags,who\n", "it has utterance, note, tags, who"),
        ("utterance,note,tags\nu1,a\n", "line 2: expected 3 fields"),
        ("utterance,note,tags\nu1,a,b\n,c,d\n", "line 3: the utterance is missing"),
        ('utterance,note,tags\nu1,"a\nb",\nu1,c,\n', "line 4: 'u1' stands above already"),
        ('utterance,note,tags\nu1,"a,b\n', "cannot be read as a CSV"),
    ],
)
def test_files_that_are_no_notes(tmp_path, text, words):
    (tmp_path / "n.csv").write_text(text)
    with pytest.raises(SernbError, match=words) as problem:
        read_notes(tmp_path / "n.csv")
    assert "n.csv" in str(problem.value)


def test_files_that_cannot_be_read(tmp_path):
    (tmp_path / "latin.csv").write_bytes("utterance,note,tags\nu,é,\n".encode("latin-1"))
    for name, words in (("none.csv", "no such file"), ("latin.csv", "UTF-8"), (".", "cannot be read")):
        with pytest.raises(SernbError, match=words):
            read_notes(tmp_path / name)


@pytest.mark.parametrize(
    "notes",
    [
        None, "text", [1], {"u": "text"}, {"u": {"note": 1}}, {"u": {"tags": [1]}}, {"u": {"tags": 1}},
        {1: {"note": "a"}},
        {"": {"note": "a"}}, {"u": {"note": "a", "who": "me"}}, {"u": {"note": "x" * 100_001}},
        pd.DataFrame({"note": ["a", "b"]}, index=["u", "u"]), pd.DataFrame({"who": ["a"]}),
    ],
)  # fmt: skip
def test_what_is_no_notes_is_refused(notes):
    with pytest.raises(SernbError):
        as_dict(notes)


def test_changes_are_merged_and_the_rest_stays():
    notes = {"u1": {"note": "a", "tags": []}, "u2": {"note": "b", "tags": ["x"]}}
    assert merged(notes, {}) == notes
    assert merged(notes, {"u1": None, "u3": {"note": "c", "tags": "y; z"}}) == {
        "u2": {"note": "b", "tags": ["x"]},
        "u3": {"note": "c", "tags": ["y", "z"]},
    }
    assert merged(notes, {"u2": {"note": "", "tags": []}}) == {"u1": {"note": "a", "tags": []}}
    assert list(merged(notes, {"u1": {"note": "new", "tags": []}})) == ["u1", "u2"]
    for changes in (None, [], "u1", {"u1": 1}, {"": {"note": "a"}}):
        with pytest.raises(SernbError):
            merged(notes, changes)
    assert list(notes) == ["u1", "u2"]
