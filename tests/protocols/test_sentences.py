"""Protocols that keep sentences apart, several test parts, and DistilSER's split."""

import warnings

import pandas as pd
import pytest

from sernb import corpora, protocols
from sernb.core.errors import SernbError

quiet = pytest.mark.filterwarnings("ignore:.*both trained on and tested")


def scripted(speakers=6, sentences=4, each=3, column="sentence"):
    """Every speaker says every sentence in `each` emotions."""
    rows = [
        {"speaker": f"{speaker:02d}", column: f"Sentence {sentence}.", "emotion": ("neutral", "happy", "sad")[emotion % 3]}
        for speaker in range(speakers)
        for sentence in range(sentences)
        for emotion in range(each)
    ]  # fmt: skip
    index = pd.Index([f"u{row}" for row in range(len(rows))], name="utterance")
    return pd.DataFrame(rows, index=index)


def values(table, ids, column):
    return set(table.loc[ids, column])


@pytest.mark.parametrize("column", ["sentence", "text"])
def test_each_sentence_is_tested_once_and_never_met_before(column):
    table = scripted(column=column)
    with pytest.warns(UserWarning, match="speakers are both trained on and tested"):
        folds = protocols.by_name("group-k-fold-by-sentence", table)
    assert len(folds) == 4  # as many as there are
    for fold in folds:
        assert not values(table, fold.train, column) & values(table, fold.test, column)
    assert sorted(name for fold in folds for name in fold.test) == sorted(table.index)


@quiet
def test_case_and_punctuation_make_no_other_sentence():
    table = scripted(column="text")
    table.loc[table.index[::2], "text"] = table["text"].str.upper().str.rstrip(".")
    for fold in protocols.sentence_k_fold(table, folds=2):
        train, test = (values(table.assign(low=table["text"].str.lower().str.rstrip(".")), ids, "low") for ids in (fold.train, fold.test))  # fmt: skip
        assert not train & test


def test_speakers_and_sentences_are_both_new():
    table = scripted()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        folds = protocols.by_name("group-k-fold-by-both", table, folds=3)
    assert [fold.name for fold in folds] == [
        "part 1.1",
        "part 1.2",
        "part 2.1",
        "part 2.2",
        "part 3.1",
        "part 3.2",
    ]
    for fold in folds:
        for column in ("speaker", "sentence"):
            assert not values(table, fold.train, column) & values(table, fold.test, column)
        assert len(fold.train) == 24 and len(fold.test) == 12  # 4 speakers × 2 sentences × 3, 2 × 2 × 3
    assert sorted(name for fold in folds for name in fold.test) == sorted(table.index)
    about = protocols.describe(folds, table)
    assert about["part"].tolist()[:3] == ["train", "test", "left out"]
    assert (about.groupby("fold")["utterances"].sum() == len(table)).all()


def test_sentences_of_ones_own_leave_nobody_to_train_on():
    table = scripted(2, 2)
    own = table[table["speaker"].str[-1] == table["sentence"].str[-2]]  # speaker 00 says 0, 01 says 1
    folds = protocols.speaker_and_sentence_k_fold(own, folds=2)
    assert len(folds) == 2 and all(len(fold.train) == len(fold.test) == 3 for fold in folds)
    three = table[~((table["speaker"] == "01") & (table["sentence"] == "Sentence 1."))]
    with pytest.raises(SernbError, match="nothing is left to train on beside part"):
        protocols.speaker_and_sentence_k_fold(three, folds=2)
    with pytest.raises(SernbError, match="needs a column 'sentence' or 'text'"):
        protocols.sentence_k_fold(table.drop(columns="sentence"))
    with pytest.raises(SernbError, match=r"all utterances are of 'Sentence 0\.'"):
        protocols.sentence_k_fold(table[table["sentence"] == "Sentence 0."])
    table.loc["u1", "sentence"] = None
    with pytest.raises(SernbError, match="1 of 12 utterances have no sentence: u1"):
        protocols.sentence_k_fold(table)


def test_several_test_parts_are_a_fold_each():
    table = scripted().assign(
        part=["train"] * 36 + ["validation"] * 12 + ["test"] * 12 + ["Test_Unseen"] * 12
    )
    seen, unseen = protocols.fixed(table)
    assert (seen.name, unseen.name) == ("fixed, test", "fixed, test_unseen")
    assert seen.train.equals(unseen.train) and seen.validation.equals(unseen.validation)
    assert list(seen.test) == list(table.index[48:60]) and list(unseen.test) == list(table.index[60:])


def test_distilser_split_has_the_papers_counts():
    """Of IEMOCAP's 5,531 utterances: 4,479 / 498 / 554, alike in emotions."""
    counts = {"neutral": 1708, "happy": 1636, "angry": 1103, "sad": 1084}
    labels = [label for label, count in counts.items() for _ in range(count)]
    table = pd.DataFrame({"emotion": labels, "speaker": [str(row % 10) for row in range(5531)]})
    table.index = pd.Index([f"u{row}" for row in range(5531)], name="utterance")
    with pytest.warns(UserWarning, match="distilser: 10 speakers are both trained on and tested"):
        (fold,) = protocols.by_name("distilser", table)
    assert [len(ids) for ids in fold.parts().values()] == [4479, 498, 554]
    assert len(set().union(*fold.parts().values())) == 5531
    for label, count in counts.items():
        for ids in fold.parts().values():
            assert (table.loc[ids, "emotion"] == label).sum() == pytest.approx(count * len(ids) / 5531, abs=1)


def test_describe_counts_many_speakers_and_sentences():
    table = scripted(40, 3, column="text")
    about = protocols.describe(protocols.group_k_fold(table, 2), table)
    assert about["speakers"].tolist()[0] == ", ".join(sorted(values(table, protocols.group_k_fold(table, 2)[0].train, "speaker")))  # fmt: skip
    assert (about["sentences"] == 3).all()
    whole = [protocols.Fold("all", train=table.index)]
    assert protocols.describe(whole, table)["speakers"].tolist() == ["40 speakers"]


@quiet
def test_ravdess_by_both(real_corpus):
    table = corpora.load("ravdess", real_corpus("ravdess"))
    folds = protocols.by_name("group-k-fold-by-both", table)
    assert len(folds) == 10 and sum(len(fold.test) for fold in folds) == 1440
