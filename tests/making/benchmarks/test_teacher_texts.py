"""Table 1 of the MCED paper beside what the kit takes, and the marks that tell XED's files apart."""

import pytest

from making.benchmarks.teacher_texts import PAPER, beside_paper, counting_rules, telling_marks
from making.benchmarks.text_emotions import CLASSES, teacher_texts
from sernb import corpora


def test_marks_that_tell_the_files_apart(xed):
    assert telling_marks(xed).loc["space before a mark"].tolist() == [
        pytest.approx((xed["source"] == "annotated").mul(xed["text"].str.contains(r"\s[.?!]")).sum()
                      / (xed["source"] == "annotated").sum()),
        pytest.approx(10 / 13),
    ]  # fmt: skip


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
    xed = corpora.load("xed", real_text("xed_en"))
    meld = corpora.load("meld", real_text("meld"), recordings=False)
    rules = counting_rules(xed, meld)
    assert rules["away"].drop(("paper", "")).idxmin() == ("XED + EmotionLines", "every")
    assert rules.loc[("XED + EmotionLines", "every"), "away"] < 100  # of 30,522
    beside = beside_paper(teacher_texts(xed, meld))
    assert (beside["difference"].abs() / beside["paper"]).max() < 0.3
    assert beside.loc["test", "meld"].tolist() == [1256, 402, 281, 208, 345]
    assert telling_marks(xed).loc["comma", "neutral"] == 0
