import numpy as np
import pandas as pd
import pytest

from sernb.core.errors import SernbError
from sernb.evaluation import scores
from sernb.evaluation.audit import random_split_gain
from sernb.evaluation.audit.sound import _mixed, extremes, told_by
from sernb.protocols import Fold, leave_one_speaker_out, speaker_and_sentence_k_fold


def statistics(t, own, seed=0):
    """The emotion under noise; and, if `own`, a number for each speaker that says what only they sound
    like."""
    draw = np.random.default_rng(seed)
    codes, speakers = t["emotion"].cat.codes.to_numpy(), pd.factorize(t["speaker"])[0]
    columns = {"told": codes + draw.normal(0, 1.0, len(t))}
    for speaker in range(speakers.max() + 1 if own else 0):
        turn = (codes + speaker) % 3
        columns[f"voice {speaker}"] = np.where(speakers == speaker, 1.0 + turn * 3, 0) + draw.normal(
            0, 0.1, len(t)
        )
    return pd.DataFrame(columns, index=t.index)


def test_a_voice_that_can_be_learnt_by_heart_is_a_gain(table):
    t = table(6, 30)
    folds = leave_one_speaker_out(t)
    gain = random_split_gain(t, statistics(t, own=True), folds)
    assert gain["gain"] == pytest.approx(gain["random"] - gain["folds"]) and gain["low"] > 0.1
    assert gain["low"] <= gain["gain"] <= gain["high"] and gain["unit"] == "speaker" and gain["units"] == 6
    assert gain["utterances"] == 180 and gain["chance"] == pytest.approx(1 / 3)
    assert gain == random_split_gain(t, statistics(t, own=True), folds)
    none = random_split_gain(t, statistics(t, own=False), folds)
    assert abs(none["gain"]) < 0.06 and none["low"] <= 0 <= none["high"]


def test_random_parts_are_like_the_folds(table):
    t = table(6, 30, sentence=["x", "y"] * 90)
    labels = t["emotion"].astype(str)
    fixed = [Fold("fixed", train=t.index[:120], test=t.index[120:])]
    grid = speaker_and_sentence_k_fold(t, folds=3)
    for folds in (leave_one_speaker_out(t), fixed, grid):
        tested = pd.Index(np.concatenate([fold.test for fold in folds]))
        mixed = _mixed(folds, labels, tested, seed=0)
        assert sorted(np.concatenate([fold.test for fold in mixed])) == sorted(tested)
        for fold in mixed:
            assert not set(fold.train) & set(fold.test) and fold.train.is_unique
            assert abs(len(fold.train) - np.mean([len(one.train) for one in folds])) <= 1
            assert labels[fold.train].value_counts(normalize=True).between(0.3, 0.37).all()
        assert set(t.loc[mixed[0].train, "speaker"]) == set(t["speaker"])


def test_utterances_of_unknown_speakers_are_left_out(table):
    t = table(6, 30)
    numbers, folds = statistics(t, own=True), leave_one_speaker_out(t)
    some = t.copy()
    some.loc[["u0", "u1", "u40"], "speaker"] = None
    gain = random_split_gain(some, numbers, folds)
    assert (gain["utterances"], gain["unit"], gain["units"]) == (177, "speaker", 6)
    kept = t.drop(["u0", "u1", "u40"])
    assert gain == random_split_gain(kept, numbers, leave_one_speaker_out(kept))
    nobody = random_split_gain(t.assign(speaker=None), numbers, folds)
    assert (nobody["utterances"], nobody["unit"]) == (180, "utterance")


def test_words_missing_labels_and_refusals(table):
    t = table(4, 30, text=["it is well said", "so happy so glad", "sad and lost here"] * 40)
    folds = leave_one_speaker_out(t)
    words = random_split_gain(t, None, folds)
    assert words["folds"] == words["random"] == 1 and words["gain"] == 0
    t.loc[["u0", "u40"], "emotion"] = None
    t.loc["u1", "text"] = None
    assert random_split_gain(t, None, folds)["utterances"] == 117
    assert random_split_gain(t.drop(columns="speaker"), None, folds)["unit"] == "utterance"
    with pytest.raises(SernbError, match="no column 'emotion'"):
        random_split_gain(t.drop(columns="emotion"), None, folds)
    with pytest.raises(SernbError, match="one has fewer than 2 classes"):
        random_split_gain(t, None, [Fold("one", train=t.index[3:4], test=t.index[4:9])])
    with pytest.raises(SernbError, match="no labelled utterance is tested"):
        random_split_gain(t, None, [Fold("one", train=t.index[1:9], test=t.index[:1])])


def test_a_number_that_tells_and_one_that_does_not(table):
    utterances = table(4, 30)
    folds = leave_one_speaker_out(utterances)
    draw = np.random.default_rng(0)
    noise = pd.Series(draw.standard_normal(120), utterances.index, name="length")
    tells = noise / 10 + utterances["emotion"].cat.codes
    assert scores(told_by(tells.rename("length"), utterances, folds))["UAR"].iloc[0] > 0.95
    assert scores(told_by(noise, utterances, folds))["UAR"].iloc[0] < 0.5
    medians, ids = extremes(tells, utterances["emotion"])
    assert list(medians.index) == ["neutral", "sad"]
    assert ids[0] == tells.idxmax() and tells.idxmin() in ids and len(ids) == 10
    assert told_by(noise * np.nan, utterances, folds).empty
