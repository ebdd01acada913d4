import pandas as pd
import pytest

from sernb import corpora
from sernb.core.errors import SernbError
from sernb.core.tables import check_utterances
from sernb.corpora.text_emotions import (
    CLASSES,
    PAPER,
    beside_paper,
    counting_rules,
    even,
    in_domain,
    teacher_texts,
    telling_marks,
)
from sernb.protocols.sentences import normalised


def xed_of(rows):
    table = pd.DataFrame(rows, columns=["text", "labels"])
    table["source"] = ["neutral" if one == "neutral" else "annotated" for one in table["labels"]]
    table.index = [f"{source}_{number}" for number, source in enumerate(table["source"])]
    return table


@pytest.fixture
def xed():
    """Ten sentences a class, and what is to be dropped, merged or kept apart."""
    rows = [(f"{one} sentence {number} .", one) for one in CLASSES for number in range(10)]
    rows += [
        ("It is mine , [PERSON] .", "angry; trusting"),  # one of the five
        ("How could you ?", "angry; sad"),  # two
        ("Trust me .", "trusting"),  # none
        ("Get out !", "angry"),
        ("Get out!", "neutral"),  # neutral, though somebody called it angry
        ("No way .", "surprised"),
        ("no way...", "sad"),  # the same words, another label
        ("Sit down.", "neutral"),
        ("Sit down", "neutral"),
        ("...", "angry"),
        ("Fine today .", "happy"),  # said in MELD's test part
    ]
    return xed_of(rows)


@pytest.fixture
def meld():
    rows = []
    for part in ("train", "validation", "test"):
        for one in (*CLASSES, "fearful"):
            rows += [
                (f"Friends {part}, {one} {number}", one, part, f"{part}_dia{number}") for number in range(2)
            ]
    rows += [("Okay.", "neutral", "train", "train_dia0"), ("Okay!", "happy", "test", "test_dia0")]
    rows += [("Fine, today!", "happy", "test", "test_dia0"), ("?!", "surprised", "test", "test_dia1")]
    table = pd.DataFrame(rows, columns=["text", "emotion", "part", "dialogue"])
    return table.set_axis([f"utt{number}" for number in range(len(table))])


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


def test_the_other_rules(xed, meld):
    assert has(teacher_texts(xed, meld, "alone"), "it is mine") == []
    every = teacher_texts(xed, meld, "every")
    assert sorted(has(every, "How could you")) == ["angry", "sad"]
    assert sorted(has(every, "No way")) == ["sad", "surprised"] and not every.index.has_duplicates
    both = every[every["text"].map(normalised) == "how could you"]
    assert both["part"].nunique() == 1
    assert {name.split("/")[-1] for name in both.index} == {"angry", "sad"}
    with pytest.raises(SernbError, match="counting is 'two'; choose one of alone, one, every"):
        teacher_texts(xed, meld, "two")


@pytest.mark.parametrize("seed", range(5))
def test_no_words_of_validation_and_test_are_trained_on(xed, meld, seed):
    table = teacher_texts(xed, meld, seed=seed)
    words = table["text"].map(normalised)
    held = set(words[table["part"] != "train"])
    assert not held & set(words[table["part"] == "train"])
    assert "okay" in held and "fine today" in held
    loose = teacher_texts(xed, meld, overlap="utterances", seed=seed)
    kept = loose[(loose["part"] == "train") & (loose["text"].map(normalised) == "okay")]
    assert kept["source"].tolist() == ["meld"]
    assert not set(kept["dialogue"]) & set(loose.loc[loose["part"] != "train", "dialogue"].dropna())


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
    for shares in ((0.5, 0.5, 0.5), (1.0, 0.0, 0.0), (0.5, 0.5)):
        with pytest.raises(SernbError, match="shares are"):
            teacher_texts(xed, meld, shares=shares)


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
    with pytest.raises(SernbError, match="overlap is 'some'"):
        teacher_texts(xed, meld, overlap="some")


def test_marks_that_tell_the_files_apart_are_taken_away(xed, meld):
    assert even("Hey , [PERSON] , it 's “mine” ... isn’t it ?") == "Hey it 's \"mine\"... isn't it?"
    assert even(" , ") == ""
    assert telling_marks(xed).loc["space before a mark"].tolist() == [
        pytest.approx((xed["source"] == "annotated").mul(xed["text"].str.contains(r"\s[.?!]")).sum()
                      / (xed["source"] == "annotated").sum()),
        pytest.approx(10 / 13),
    ]  # fmt: skip
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


def test_beside_the_paper(xed, meld):
    table = beside_paper(teacher_texts(xed, meld))
    assert list(table.index) == [(part, one) for part in PAPER.index for one in CLASSES]
    assert (table["ours"] == table["xed"] + table["meld"]).all()
    assert (table["difference"] == table["ours"] - table["paper"]).all()
    assert table.loc[("test", "happy"), ["meld", "paper"]].tolist() == [4, 838]


def test_counting_rules_by_hand(xed, meld):
    table = counting_rules(xed, meld)
    assert table.loc[("XED + MELD", "every"), ["angry", "sad", "surprised"]].tolist() == [
        13 + 6,
        12 + 6,
        11 + 7,
    ]
    assert table.loc[("XED + MELD", "alone"), "angry"] == 11 + 6
    assert table.loc[("paper", "")].tolist() == [*PAPER.sum(), 0]


def test_real(real_text):
    xed, meld = (
        corpora.load("xed", real_text("xed_en")),
        corpora.load("meld", real_text("meld"), recordings=False),
    )
    rules = counting_rules(xed, meld)
    assert rules["away"].drop(("paper", "")).idxmin() == ("XED + EmotionLines", "every")
    assert rules.loc[("XED + EmotionLines", "every"), "away"] < 100  # of 30,522
    table = teacher_texts(xed, meld)
    words = table["text"].map(normalised)
    assert not set(words[table["part"] == "train"]) & set(words[table["part"] != "train"])
    beside = beside_paper(table)
    assert (beside["difference"].abs() / beside["paper"]).max() < 0.3
    assert beside.loc["test", "meld"].tolist() == [1256, 402, 281, 208, 345]
    assert telling_marks(xed).loc["comma", "neutral"] == 0
