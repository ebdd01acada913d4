import warnings

import numpy as np
import pandas as pd
import pytest

from sernb import corpora, protocols
from sernb.core.errors import SernbError


@pytest.fixture(autouse=True)
def quiet():
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="EmoBank: .* published are 10062")
        yield


def load(root, **options):
    return corpora.load("emobank", root, **options)


def test_columns(emobank_tree):
    table = load(emobank_tree)
    one = table.loc["110CYL068_1036_1079"]
    assert one[["text", "valence", "arousal", "dominance", "part", "document", "category"]].tolist() == [
        'Remember what she said in my last letter? "', 3.0, 3.0, 3.2, "train", "110CYL068", "letters",
    ]  # fmt: skip
    assert table.loc["SemEval_1", ["valence", "arousal", "dominance"]].tolist() == [1.2, 4.2, 3.8]
    assert list(table["part"]) == ["train", "test", "validation"]
    assert "path" not in table and "emotion" not in table and "speaker" not in table
    assert table.attrs["scale"] == (1, 5)
    (fold,) = [fold for fold in _quietly(protocols.fixed, table)]
    assert [len(ids) for ids in fold.parts().values()] == [1, 1, 1]


def _quietly(protocol, table):
    with pytest.warns(UserWarning, match="no speakers"):
        return protocol(table)


def test_without_meta_and_with_gaps_in_it(emobank_tree):
    meta = emobank_tree / "corpus" / "meta.tsv"
    meta.write_text(meta.read_text().replace("SemEval_1\t", "SemEval_2\t"))
    table = load(emobank_tree)
    assert "meta.tsv has no row of 1 sentences" in " ".join(table.attrs["notes"])
    meta.unlink()
    assert "category" not in load(emobank_tree)


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("2.8,3.1,2.8", "2.8,9.1,2.8", "line 3: A is '9.1', expected a number from 1 to 5"),
        ("2.8,3.1,2.8", "2.8,,2.8", "line 3: A is '', expected a number"),
        ("2.8,3.1,2.8", "2.8,nan,2.8", "line 3: A is 'nan', expected a number"),
        (",test,", ",exam,", "line 3: split is 'exam', expected one of train, dev, test"),
        ("110CYL068_1079_1110,", ",", "line 3: id is '', expected text"),
        ("110CYL068_1079_1110,", "110CYL068_1036_1079,", "line 3: the id stands in line 2 already"),
        ("If I wasn't working here.", "", "line 3: text is '', expected text"),
        ("If I", "If, I", "line 3 has 7 fields"),
    ],
)
def test_a_bad_row_of_many(emobank_tree, old, new, why):
    path = emobank_tree / "corpus" / "emobank.csv"
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(SernbError, match=rf"1 of 3 rows cannot be used(.*\n)*.*{why}"):
        load(emobank_tree)
    with pytest.warns(UserWarning, match="1 of 3"):
        assert len(load(emobank_tree, on_bad="skip")) == 2


def test_byte_order_mark_quotes_and_windows_ends(emobank_tree):
    path = emobank_tree / "corpus" / "emobank.csv"
    path.write_bytes(path.read_text().replace("\n", "\r\n").encode("utf-8-sig"))
    assert load(emobank_tree).at["SemEval_1", "text"] == "“NO”, he said"
    path.write_text(path.read_text() + 'x,train,3,3,3,"never closed\n')
    with pytest.raises(SernbError, match="from line 5 on it cannot be read as CSV"):
        load(emobank_tree)


def test_no_row_left_and_another_folder(emobank_tree, meld_tree):
    path = emobank_tree / "corpus" / "emobank.csv"
    path.write_text("id,split,V,A,D,text\na,train,x,y,z,words\n")
    with pytest.warns(UserWarning), pytest.raises(SernbError, match="none of its 1 rows can be used"):
        load(emobank_tree, on_bad="skip")
    with pytest.raises(SernbError, match=r"no emobank.csv is in this folder"):
        load(meld_tree)


def test_real(real_text):
    root = real_text("emobank")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table = load(root)
    assert len(table) == 10062
    assert table["part"].value_counts().to_dict() == {"train": 8062, "validation": 1000, "test": 1000}
    assert table["category"].nunique() == 7 and table.attrs["notes"] == []
    theirs = pd.read_csv(root / "corpus" / "emobank.csv", index_col="id", keep_default_na=False)
    for ours, name in (("valence", "V"), ("arousal", "A"), ("dominance", "D")):
        assert np.array_equal(table[ours], theirs[name].reindex(table.index))
