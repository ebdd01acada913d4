"""Protocols by name, the default ones, and what folds hold."""

import pytest

from sernb import corpora, protocols
from sernb.core.errors import SernbError
from tests.protocols.tables import check_folds, scripted, utterances, values


def test_by_name_and_defaults():
    table = utterances()
    assert (
        len(protocols.by_name("loso", table)) == len(protocols.by_name("leave_one_speaker_out", table)) == 6
    )
    assert len(protocols.by_name("group-k-fold", table, folds=3)) == 3
    with pytest.raises(SernbError, match="unknown protocol 'lso'; the protocols are auto, loso, leave-one"):
        protocols.by_name("lso", table)
    assert protocols.default(utterances(protocol="fixed")) == "fixed"
    assert len(protocols.by_name("auto", utterances(12, protocol=""))) == 12
    assert len(protocols.by_name("auto", utterances(13, protocol=""))) == 5


def test_describe_says_who_and_what():
    table = utterances(24)
    about = protocols.describe(protocols.ravdess_folds(table), table)
    assert about[["fold", "part"]].iloc[:3].to_numpy().tolist() == [
        ["fold 1", part] for part in ("train", "validation", "test")
    ]
    test = about.iloc[2]
    assert test["speakers"] == "02, 05, 14, 15, 16"
    assert test[["utterances", "neutral", "happy", "sad"]].tolist() == [60, 20, 20, 20]
    assert (about.groupby("fold")["utterances"].sum() == len(table)).all()


def test_describe_counts_many_speakers_and_sentences():
    table = scripted(40, 3, column="text")
    about = protocols.describe(protocols.group_k_fold(table, 2), table)
    trained = values(table, protocols.group_k_fold(table, 2)[0].train, "speaker")
    assert about["speakers"].tolist()[0] == ", ".join(sorted(trained))
    assert (about["sentences"] == 3).all()
    whole = [protocols.Fold("all", train=table.index)]
    assert protocols.describe(whole, table)["speakers"].tolist() == ["40 speakers"]


@pytest.mark.parametrize("name, folds", [("emodb", 10), ("ravdess", 5)])
def test_real(real_corpus, name, folds):
    table = corpora.load(name, real_corpus(name))
    made = protocols.by_name("auto", table)
    assert len(made) == folds and check_folds(made, table) == set(table.index)


@pytest.mark.filterwarnings("ignore:.*both trained on and tested")
def test_ravdess_by_both(real_corpus):
    table = corpora.load("ravdess", real_corpus("ravdess"))
    folds = protocols.by_name("group-k-fold-by-both", table)
    assert len(folds) == 10 and sum(len(fold.test) for fold in folds) == 1440
