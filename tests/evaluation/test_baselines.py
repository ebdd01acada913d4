"""Baselines on made-up tables whose answer is known, and on the embedded corpus, where they must land in their bands."""

import numpy as np
import pandas as pd
import pytest

from sernb.core.errors import SernbError
from sernb.corpora import load
from sernb.evaluation.baselines import KINDS, baseline, pipeline
from sernb.evaluation.metrics import scores
from sernb.features.acoustics import acoustic_table
from sernb.protocols import leave_one_session_out, leave_one_speaker_out


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
    """Scaling and vocabulary come from the training part: what is done to the test part of a fold changes no other's."""
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


def test_the_embedded_corpus_lands_in_its_bands():
    """Voice and words each tell a part, both together tell more, and nothing tells all; unseen speakers and words."""
    utterances = load("embedded")
    folds, sound = leave_one_session_out(utterances), acoustic_table(utterances, progress=False)
    table = scores(pd.concat([baseline(utterances, folds, kind, sound) for kind in KINDS]))
    uar = {kind: table.loc[f"baseline: {kind}", "UAR"] for kind in KINDS}
    assert 0.62 < uar["audio"] < 0.75, uar
    assert 0.52 < uar["text"] < 0.65, uar
    assert 0.75 < uar["both"] < 0.85, uar
    assert uar["both"] > max(uar["audio"], uar["text"]) + 0.04, uar
    assert uar["both"] + 0.05 < uar["ceiling"] < 0.95, uar
