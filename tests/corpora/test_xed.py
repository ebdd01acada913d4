import warnings

import pytest

from sernb import corpora
from sernb.core.errors import SernbError


@pytest.fixture(autouse=True)
def quiet():
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="XED: .* published are 27202")
        yield


@pytest.fixture
def tree(tmp_path):
    """Both files, a few rows each, with what the published ones have: two kinds of line ends, tabs at ends,
    a blank row."""
    place = tmp_path / "xed" / "AnnotatedData"
    place.mkdir(parents=True)
    (place / "en-annotated.tsv").write_bytes(b'What ? "No"\t7\r\nCome on , [PERSON] .\t8, 1\r\nnull\t6\r\n')
    (place / "neu_en.txt").write_bytes(
        "9\tMr. Howard sir.\n\t\t\t\t\n9\tNothing\t\t\t\n9\tHe’s here".encode()
    )
    return tmp_path / "xed"


def load(root, **options):
    return corpora.load("xed", root, **options)


def test_columns(tree):
    table = load(tree)
    assert list(table.index) == [
        "annotated_1",
        "annotated_2",
        "annotated_3",
        "neutral_1",
        "neutral_3",
        "neutral_4",
    ]
    assert list(table["text"])[:3] == ['What ? "No"', "Come on , [PERSON] .", "null"]
    assert list(table["text"])[4:] == ["Nothing", "He’s here"]
    assert list(table["labels"])[:3] == ["surprised", "angry; trusting", "sad"]
    assert table["emotion"].isna().tolist() == [False, True, False, False, False, False]
    assert table["source"].tolist() == ["annotated"] * 3 + ["neutral"] * 3
    assert "path" not in table and "speaker" not in table
    assert any("1 sentences have several labels" in note for note in table.attrs["notes"])


def test_the_readme_s_numbers_are_told_apart(tree):
    path = tree / "AnnotatedData" / "en-annotated.tsv"
    path.write_text("".join(f"sentence {number}\t{number}\n" for number in range(1, 9)))
    assert load(tree)["emotion"].tolist()[:8] == [
        "angry", "anticipating", "disgusted", "fearful", "happy", "sad", "surprised", "trusting",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("file", "old", "new", "why"),
    [
        ("en-annotated.tsv", "\t6", "\t9", "line 3: label is '9', expected numbers from 1 to 8"),
        ("en-annotated.tsv", "8, 1", "8 1", "line 2: label is '8 1'"),
        ("en-annotated.tsv", "null\t6", "null", "line 3: label is ''"),
        ("en-annotated.tsv", "null\t6", "\t6", "line 3: text is ''"),
        (
            "en-annotated.tsv",
            "null\t6",
            "null\tx\t6",
            r"line 3: label is 'x.*6'",
        ),
        ("neu_en.txt", "9\tMr", "7\tMr", "line 1: label is '7', expected one of 0, 9"),
    ],
)
def test_a_bad_row(tree, file, old, new, why):
    path = tree / "AnnotatedData" / file
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(SernbError, match=rf"1 of 3 rows cannot be used(.*\n)*.*{why}"):
        load(tree)
    with pytest.warns(UserWarning, match="1 of 3"):
        table = load(tree, on_bad="skip")
    assert len(table) == 5 and len(table.attrs["skipped"]) == 1


def test_missing_files(tree):
    (tree / "AnnotatedData" / "neu_en.txt").unlink()
    assert any("no neu_en.txt" in note for note in load(tree).attrs["notes"])
    (tree / "AnnotatedData" / "en-annotated.tsv").write_text("\n\n")
    with pytest.raises(SernbError, match="the file has no rows"):
        load(tree)
    (tree / "AnnotatedData" / "en-annotated.tsv").rename(tree / "other.tsv")
    with pytest.raises(SernbError, match=r"no en-annotated.tsv is in this folder"):
        load(tree)


def test_real(real_text):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table = load(real_text("xed_en"))
    assert len(table) == 27202 and table["source"].value_counts().to_dict() == {
        "annotated": 17528,
        "neutral": 9674,
    }
    every = table["labels"].str.split("; ").explode().value_counts()
    assert every[["angry", "happy", "sad", "surprised"]].tolist() == [3828, 2833, 2464, 2442]
    assert table["emotion"].isna().sum() == 3873
