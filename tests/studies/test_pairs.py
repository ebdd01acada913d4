"""Which pairs are kept, why the others are not, and that no label is looked at."""

import numpy as np
import pandas as pd
import pytest

from sernb.core.errors import SernbError
from sernb.studies.pairs import select

CLASSES = ["neutral", "happy", "sad"]
ROWS = [  # text, seconds, teacher's class, its probability
    ("good news at last", 2.0, "happy", 0.9),
    ("Hooray!", 2.0, "happy", 0.9),  # one word
    ("it went so well", 1.4, "happy", 0.9),  # too short
    ("", 2.0, "neutral", 0.9),  # no words
    ("[laughs] ...", 2.0, "neutral", 0.9),  # no words
    ("who knows that", 2.0, "sad", 0.4),  # not sure
    ("gone for ever", 1.5, "sad", 0.5),
    ("the train leaves", 3.0, "neutral", 0.8),
    ("so it does", 3.0, "neutral", 0.7),
    ("my good friend", 3.0, "happy", 0.7),
]


def given(rows=ROWS):
    index = pd.Index([f"u{number}" for number in range(len(rows))], name="utterance")
    utterances = pd.DataFrame({"text": [one[0] for one in rows], "seconds": [one[1] for one in rows]}, index)
    answers = pd.DataFrame(
        [{name: p if name == own else (1 - p) / 2 for name in CLASSES} for _, _, own, p in rows], index
    )
    return utterances, answers


def test_the_papers_rules_and_the_table():
    kept, dropped = select(*given())
    assert kept.tolist() == ["u0", "u6", "u7", "u8", "u9"]
    assert dropped["rule"].tolist() == [
        "candidates", "no words", "shorter than 1.5 s", "fewer than 2 words", "teacher less than 0.5 sure"
    ]  # fmt: skip
    assert dropped["dropped"].tolist() == [0, 2, 1, 1, 1]
    assert dropped["left"].tolist() == [10, 8, 7, 6, 5]
    assert dropped[CLASSES].iloc[-1].tolist() == [2, 2, 1]
    assert (dropped[CLASSES].sum(axis=1) == dropped["left"]).all()


def test_each_rule_can_be_loosened():
    kept, _ = select(*given(), shortest=0, fewest_words=1, confident=0)
    assert kept.tolist() == ["u0", "u1", "u2", "u5", "u6", "u7", "u8", "u9"]


def test_no_label_is_looked_at():
    utterances, answers = given()
    rng = np.random.default_rng(0)
    expected, table = select(utterances, answers)
    for _ in range(3):
        labelled = utterances.assign(
            emotion=pd.Categorical(rng.choice(CLASSES, len(utterances))),
            valence=rng.normal(size=len(utterances)),
        )
        kept, again = select(labelled, answers)
        assert kept.equals(expected)
        pd.testing.assert_frame_equal(again, table)

    class Guarded(pd.DataFrame):
        """A table whose labels must not be asked for."""

        def __getitem__(self, key):
            assert "emotion" not in np.atleast_1d(np.asarray(key, object)).tolist()
            return super().__getitem__(key)

    assert select(Guarded(labelled), answers)[0].equals(expected)


def test_durations_from_elsewhere():
    utterances, answers = given()
    seconds = utterances.pop("seconds")
    expected = select(*given())[0]
    assert select(utterances, answers, seconds=seconds.to_numpy())[0].equals(expected)
    spans = utterances.assign(start=1.0, end=1.0 + seconds)
    assert select(spans, answers)[0].equals(expected)
    with pytest.raises(SernbError, match="durations are not known"):
        select(utterances, answers)
    with pytest.raises(SernbError, match="durations are not known"):
        select(spans.assign(end=np.nan), answers)
    with pytest.raises(SernbError, match="1 durations for 10"):
        select(utterances, answers, seconds=[1.0])


def test_words_of_another_language_are_reported():
    utterances, answers = given()
    _, dropped = select(utterances, answers.assign(out_of_vocabulary=0.25))
    assert dropped.attrs["out_of_vocabulary"] == pytest.approx(0.25)
    assert "out_of_vocabulary" not in dropped
    with pytest.warns(UserWarning, match="80% of the words are not in the teacher's vocabulary"):
        select(utterances, answers.assign(out_of_vocabulary=0.8))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda u, a: (u.drop(columns="text"), a, {}), "no column 'text'"),
        (lambda u, a: (u, a.iloc[3:], {}), "says nothing of 3 utterances: u0, u1, u2"),
        (lambda u, a: (u, a.assign(sad=np.nan), {}), "a column of probabilities .* with 10 gaps"),
        (lambda u, a: (u, a.assign(sad="much"), {}), "a column of probabilities .* with 10 gaps"),
        (lambda u, a: (u, a * 5, {}), r"a column of probabilities \(0 to 1\) .* to 4.5"),
        (lambda u, a: (u, a[["sad"]].assign(out_of_vocabulary=0.1), {}), "of two classes or more, got sad"),
        (lambda u, a: (u, pd.concat([a, a[:2]]), {}), "more than one row for 2 utterances: u0, u1"),
        (lambda u, a: (u, a, {"seconds": ["long"] * 10}), "durations are not known, or no numbers"),
        (lambda u, a: (u, a, {"shortest": 60}), r"none of 10 .* \(no words: 2; shorter than 60 s: 8\)"),
        (lambda u, a: (u.assign(text=None), a, {}), r"none of 10 pairs is left \(no words: 10\)"),
    ],
)  # fmt: skip
def test_bad_input(change, message):
    utterances, answers, options = change(*given())
    with pytest.raises(SernbError, match=message):
        select(utterances, answers, **options)
