"""Baselines on made-up tables whose answer is known, and on the embedded corpus, where they must land in
their bands."""

import numpy as np
import pandas as pd
import pytest

from sernb.core.errors import SernbError
from sernb.corpora import load
from sernb.evaluation.baselines import KINDS, _difference, baseline, guesses, pipeline, voice_and_words
from sernb.evaluation.metrics import scores
from sernb.features.acoustics import acoustic_table
from sernb.protocols import Fold, leave_one_session_out, leave_one_speaker_out


@pytest.fixture
def toy():
    """Sound tells happy from the rest, words tell sad from the rest; both together tell all three apart."""
    rng = np.random.default_rng(0)
    emotion = np.array(["happy", "sad", "neutral"] * 40)
    utterances = pd.DataFrame(
        {
            "path": "nowhere.wav",
            "speaker": np.repeat(["a", "b", "c", "d"], 30),
            "text": np.where(emotion == "sad", "it is gone", "it is here"),
            "emotion": emotion,
        },
        index=pd.Index([f"u{n}" for n in range(120)], name="utterance"),
    )
    sound = pd.DataFrame(
        {"level": (emotion == "happy") + rng.normal(0, 0.1, 120), "hum": 1.0}, utterances.index
    )
    return utterances, sound


def test_each_kind_uses_its_own_inputs(toy):
    utterances, sound = toy
    folds = leave_one_speaker_out(utterances)
    uar = {k: scores(baseline(utterances, folds, k, sound))["UAR"].item() for k in ("audio", "text", "both")}
    assert uar["audio"] == pytest.approx(2 / 3, abs=0.12) and uar["text"] == pytest.approx(2 / 3, abs=0.12)
    assert uar["both"] == 1


def test_the_result_is_a_predictions_table(toy):
    utterances, sound = toy
    table = baseline(utterances, leave_one_speaker_out(utterances), "both", sound)
    assert set(table.index) == set(utterances.index) and table.index.is_unique
    assert (table["model"] == "baseline: both").all()
    assert table["fold"].nunique() == 4
    chances = table[["p_neutral", "p_happy", "p_sad"]]
    assert np.allclose(chances.sum(axis=1), 1)
    assert (chances.idxmax(axis=1).str[2:] == table["predicted"]).all()
    assert (table["emotion"] == utterances["emotion"].loc[table.index]).all()


def test_nothing_of_the_test_part_is_learnt(toy):
    """Scaling and vocabulary come from the training part: what is done to the test part of a fold changes no
    other's."""
    utterances, sound = toy
    folds = leave_one_speaker_out(utterances)
    before = baseline(utterances, folds[:1], "both", sound)
    changed, louder = utterances.copy(), sound.copy()
    rest = folds[0].test[1:]
    changed.loc[rest, "text"] = "something never heard before"
    louder.loc[rest] = 1000.0
    after = baseline(changed, folds[:1], "both", louder)
    first = folds[0].test[:1]
    pd.testing.assert_frame_equal(before.loc[first], after.loc[first])


def test_a_fold_without_a_class_still_gives_its_probability(toy):
    utterances, sound = toy
    utterances = utterances[(utterances["speaker"] == "a") | (utterances["emotion"] != "sad")]
    table = baseline(utterances, leave_one_speaker_out(utterances), "audio", sound)
    assert (table.loc[table["speaker"] == "a", "p_sad"] == 0).all() and not table.isna().any().any()


def test_what_is_missing_is_named(toy):
    utterances, sound = toy
    folds = leave_one_speaker_out(utterances)
    with pytest.raises(SernbError, match="audio, text, both, ceiling"):
        baseline(utterances, folds, "video")
    with pytest.raises(SernbError, match="needs the column text"):
        baseline(utterances.drop(columns="text"), folds, "both", sound)
    with pytest.raises(SernbError, match="needs the column valence_of_words"):
        baseline(utterances, folds, "ceiling", sound)
    utterances.loc["u7", "text"] = None
    with pytest.raises(SernbError, match="needs text for every utterance; 1 have none, the first is u7"):
        baseline(utterances, folds, "both", sound)
    with pytest.raises(SernbError, match="lacks 1 utterances, the first is u0"):
        baseline(utterances, folds, "audio", sound.drop(index="u0"))


def test_pipelines_are_fresh():
    assert pipeline("audio", ["x"]) is not pipeline("audio", ["x"])


@pytest.mark.more
def test_the_embedded_corpus_lands_in_its_bands():
    """Voice and words each tell a part, both together tell more, and nothing tells all; unseen speakers and
    words."""
    utterances = load("embedded")
    folds, sound = leave_one_session_out(utterances), acoustic_table(utterances, progress=False)
    table = scores(pd.concat([baseline(utterances, folds, kind, sound) for kind in KINDS]))
    uar = {kind: table.loc[f"baseline: {kind}", "UAR"] for kind in KINDS}
    assert 0.62 < uar["audio"] < 0.75, uar
    assert 0.52 < uar["text"] < 0.65, uar
    assert 0.75 < uar["both"] < 0.85, uar
    assert uar["both"] > max(uar["audio"], uar["text"]) + 0.04, uar
    assert uar["both"] + 0.05 < uar["ceiling"] < 0.95, uar


def made(n=120):
    """Speakers whose pitch tells arousal, and whose words tell valence."""
    rng = np.random.default_rng(0)
    index = pd.Index([f"u{i}" for i in range(n)], name="utterance")
    good = rng.random(n) < 0.5
    table = pd.DataFrame({"speaker": [f"s{i % 6}" for i in range(n)]}, index)
    table["text"] = np.where(good, "what a good day", "what a bad day")
    table["valence"] = good + rng.normal(0, 0.3, n)
    table["arousal"] = rng.normal(size=n)
    statistics = pd.DataFrame(
        {"pitch": table["arousal"] + rng.normal(0, 0.3, n), "noise": rng.normal(size=n)}, index
    )
    folds = [
        Fold(s, train=index[table["speaker"] != s], test=index[table["speaker"] == s])
        for s in ("s0", "s1", "s2")
    ]
    return table, statistics, folds


def test_the_voice_tells_one_thing_and_the_words_another():
    table, statistics, folds = made()
    for dimension, sign in (("arousal", 1), ("valence", -1)):
        voice = guesses(table, dimension, folds, statistics)
        words = guesses(table, dimension, folds)
        assert list(voice.index) == [name for fold in folds for name in fold.test]
        found = _difference(table[dimension], voice, words, table["speaker"])
        assert sign * found["difference"] > 0.4 and sign * found["low" if sign > 0 else "high"] > 0
        assert found["units"] == 3
        assert found["voice"] == pytest.approx(np.corrcoef(voice, table.loc[voice.index, dimension])[0, 1])


def test_only_what_both_have_is_compared():
    table, statistics, folds = made()
    table.loc[folds[0].test[:4], "text"] = None
    words = guesses(table, "valence", folds)
    voice = guesses(table, "valence", folds, statistics.drop(folds[1].test[:3]))
    assert len(words) == 56 and len(voice) == 57
    assert _difference(table["valence"], voice, words)["units"] == 53


def test_a_guess_that_never_varies_has_no_correlation():
    truth = pd.Series([1.0, 2.0, 3.0, 4.0])
    found = _difference(truth, truth, truth * 0 + 2)
    assert found["voice"] == pytest.approx(1) and np.isnan(found["words"]) and np.isnan(found["low"])


def test_a_fold_that_cannot_be_tested_is_named():
    table, statistics, folds = made()
    with pytest.raises(SernbError, match=r"s0: .* 0 to test"):
        guesses(table, "arousal", folds, statistics.drop(folds[0].test))


def test_texts_without_a_word_are_told():
    table, statistics, folds = made()
    with pytest.raises(SernbError, match="s0: nothing can be learnt"):
        voice_and_words(table.assign(text="…"), folds, statistics)


def test_the_comparison_has_a_row_for_each_dimension():
    table, statistics, folds = made()
    found = voice_and_words(table, folds, statistics)
    assert list(found.index) == ["arousal", "valence"] and set(found["unit"]) == {"speaker"}
    assert found.loc["arousal", "difference"] > 0 > found.loc["valence", "difference"]
    assert set(voice_and_words(table.drop(columns="speaker"), folds, statistics)["units"]) == {60}
    for lacking in (table.drop(columns="text"), table.drop(columns=["arousal", "valence"])):
        assert voice_and_words(lacking, folds, statistics).empty
    assert voice_and_words(table, [], statistics).empty
