import pandas as pd
import pytest

from making.benchmarks.text_emotions import CLASSES, even, in_domain, teacher_texts
from sernb import corpora
from sernb.core.errors import SernbError
from sernb.core.tables import check_utterances
from sernb.protocols import normalised


def has(table, text):
    return table.loc[table["text"].map(normalised) == normalised(text), "emotion"].tolist()


def test_counting_by_one_gives_no_words_two_answers(xed, meld):
    table = teacher_texts(xed, meld)
    assert has(table, "it is mine") == ["angry"]
    for dropped in ("How could you", "Trust me", "no way"):
        assert has(table, dropped) == []
    assert has(table, "get out") == ["angry"] and has(table, "sit down") == ["neutral"]
    own = table[table["source"] == "xed"]
    assert not own["text"].map(normalised).duplicated().any()
    assert list(table["emotion"].cat.categories) == list(CLASSES)
    assert check_utterances(table)["emotion"].astype(str).equals(table["emotion"].astype(str))


@pytest.mark.parametrize("seed", range(5))
def test_no_words_of_validation_and_test_are_trained_on(xed, meld, seed):
    table = teacher_texts(xed, meld, seed=seed)
    words = table["text"].map(normalised)
    held = set(words[table["part"] != "train"])
    assert not held & set(words[table["part"] == "train"])
    assert "okay" in held and "fine today" in held


def test_dialogues_are_whole_and_meld_keeps_its_parts(xed, meld):
    table = teacher_texts(xed, meld)
    dialogues = table[table["source"] == "meld"]
    assert dialogues.groupby("dialogue")["part"].nunique().eq(1).all()
    for part in ("validation", "test"):
        ours = set(dialogues.index[dialogues["part"] == part])
        theirs = meld.index[(meld["part"] == part) & (meld["emotion"] != "fearful") & (meld["text"] != "?!")]
        assert ours == set("meld_" + theirs)


def test_shares_are_kept_in_each_class_and_the_seed_decides(xed, meld):
    table = teacher_texts(xed, meld)
    counts = table[table["source"] == "xed"].groupby(["emotion", "part"], observed=True).size()
    for one in CLASSES:
        assert counts[one, "validation"] in (1, 2) and counts[one, "test"] in (2, 3)
        assert counts[one].sum() in (10, 11, 12)
    assert teacher_texts(xed, meld, seed=0).equals(teacher_texts(xed, meld, seed=0))
    assert not teacher_texts(xed, meld, seed=1)["part"].equals(table["part"])


def test_every_row_is_counted(xed, meld):
    table = teacher_texts(xed, meld)
    dropped = pd.DataFrame(table.attrs["dropped"]).groupby("source")["count"].sum()
    for source, given in (("xed", xed), ("meld", meld)):
        assert dropped[source] + (table["source"] == source).sum() == len(given)


def test_a_class_that_is_missing_and_columns_that_are(xed, meld):
    with pytest.raises(SernbError, match="no validation: sad"):
        teacher_texts(xed[~xed["labels"].str.contains("sad")], meld[meld["emotion"] != "sad"])
    with pytest.raises(SernbError, match="no column labels"):
        teacher_texts(xed.drop(columns="labels"), meld)
    with pytest.raises(SernbError, match="no column dialogue"):
        teacher_texts(xed, meld.drop(columns="dialogue"))


def test_marks_that_tell_the_files_apart_are_taken_away(xed, meld):
    assert even("Hey , [PERSON] , it 's “mine” ... isn’t it ?") == "Hey it 's \"mine\"... isn't it?"
    assert even(" , ") == ""
    gone = teacher_texts(xed, meld)["text"]
    assert not gone.str.contains(r",|\[|\s[.?!]").any()
    assert teacher_texts(xed, meld, evened=False)["text"].str.contains(" , ").any()


def test_nothing_of_validation_and_test_is_read(xed, meld):
    table = teacher_texts(xed, meld)
    read = in_domain(table, xed["text"], meld["text"])
    words = [normalised(one) for one in read]
    assert not set(words) & set(table.loc[table["part"] != "train", "text"].map(normalised))
    assert len(set(words)) == len(words) and "" not in words
    assert {"trust me", "how could you", "friends train fearful 0"} <= set(words)  # labels do not matter
    assert set(in_domain(table)) == set(table.loc[table["part"] == "train", "text"])


def test_real(real_text):
    xed = corpora.load("xed", real_text("xed_en"))
    meld = corpora.load("meld", real_text("meld"), recordings=False)
    table = teacher_texts(xed, meld)
    words = table["text"].map(normalised)
    assert not set(words[table["part"] == "train"]) & set(words[table["part"] != "train"])
