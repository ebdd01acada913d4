"""The systems of Table 1 and Figure 3, fold by fold."""

import re
from dataclasses import replace

import joblib
import numpy as np
import pandas as pd
import pytest
import torch

from sernb.core.errors import SernbError
from sernb.core.ratings import targets_of
from sernb.core.tables import check_predictions
from sernb.models.audio_text_regressor import PUBLISHED
from sernb.protocols import Fold, leave_one_speaker_out, with_validation
from sernb.studies import audio_text
from sernb.studies.audio_text import BOTH, FROZEN, SPEECH, WORDS, train_systems
from sernb.studies.regression import PAPER, prepare, with_words
from tests.studies.rated_speech import corpus, encoders

QUICK = replace(PAPER, epochs=2, learning_rate=3e-3, batch_size=8)


@pytest.fixture(scope="module")
def study():
    utterances, waveforms, tokenizer = corpus()
    speech, text = encoders()
    spoken = prepare(
        utterances, targets_of(utterances), waveforms, speech, tokenizer=tokenizer, progress=False
    )
    folds = with_validation(leave_one_speaker_out(utterances)[:2], utterances)
    before = [one.clone() for one in [*speech.parameters(), *text.parameters()]]
    found = train_systems(
        utterances, spoken, folds, speech, text, "tiny", (SPEECH, BOTH, FROZEN, WORDS), QUICK, QUICK,
        seeds=(0, 1), progress=False,
    )  # fmt: skip
    after = [*speech.parameters(), *text.parameters()]
    return utterances, spoken, folds, found, all(map(torch.equal, before, after))


def test_every_system_answers_for_every_fold_and_seed(study):
    utterances, _, folds, (predictions, curves, models), _ = study
    names = {f"tiny, {one}" for one in (SPEECH, BOTH, FROZEN, WORDS)}
    assert set(predictions["model"]) == names
    assert set(predictions["seed"]) == {0, 1}
    tested = check_predictions(predictions[predictions["part"] == "test"])
    assert len(tested) == 8 * sum(len(fold.test) for fold in folds)
    expected = utterances.loc[tested.index, "valence"]
    np.testing.assert_array_equal(tested["valence"], expected)
    assert set(curves["model"]) == names
    assert set(models) == {(name, fold.name) for name in names for fold in folds}


def test_the_given_encoders_are_not_trained(study):
    assert study[4]


def test_frozen_means_frozen(study):
    """FT→FRZ hears with the encoder of the fine-tuned speech model, and reads with the one that was
    pretrained."""
    *_, folds, (_, _, models), _ = study
    fold = folds[0].name
    frozen, tuned = models[f"tiny, {FROZEN}", fold], models[f"tiny, {SPEECH}", fold]
    assert all(map(torch.equal, frozen.speech.parameters(), tuned.speech.parameters()))
    _, text = encoders()
    kept = {name: one for name, one in text.state_dict().items() if not name.startswith("pooler")}
    for name, one in frozen.text.state_dict().items():
        assert torch.equal(one, kept[name])


def test_a_seed_gives_the_same_again_and_another_seed_does_not(study):
    utterances, spoken, folds, (predictions, _, _), _ = study
    speech, text = encoders()
    again, _, _ = train_systems(
        utterances, spoken, folds[:1], speech, text, "tiny", (SPEECH,), QUICK, progress=False
    )
    first = predictions[(predictions["model"] == f"tiny, {SPEECH}") & (predictions["fold"] == folds[0].name)]
    pd.testing.assert_frame_equal(again, first[first["seed"] == 0])
    others = first[first["seed"] == 1]["valence_predicted"].to_numpy()
    assert not np.allclose(others, again["valence_predicted"])


def test_other_words_move_a_model_that_reads_them(study):
    utterances, spoken, folds, (predictions, _, models), _ = study
    tokenizer, name = corpus()[2], f"tiny, {BOTH}"
    finished = [(models[name, fold.name], spoken, fold) for fold in folds]
    again = audio_text.with_other_words(finished, utterances, tokenizer, "again")
    before = predictions[(predictions["model"] == name) & (predictions["part"] == "test")]
    before = before[before["seed"] == 0]
    dimensions = [column for column in before if column.endswith("_predicted")]
    np.testing.assert_allclose(again[dimensions], before.loc[again.index, dimensions], atol=1e-5)

    other = utterances.assign(text=utterances["text"].iloc[::-1].to_numpy())
    moved = audio_text.with_other_words(finished, other, tokenizer, "moved")
    assert np.abs(moved[dimensions] - again[dimensions]).to_numpy().max() > 1e-4
    weights = [one.clone() for one in finished[0][0].parameters()]
    learnt = audio_text.with_other_words(finished, other, tokenizer, "learnt", head=QUICK)
    assert np.abs(learnt[dimensions] - moved[dimensions]).to_numpy().max() > 1e-4
    assert all(map(torch.equal, weights, finished[0][0].parameters()))  # only the new head learns


def test_test_parts_with_the_same_training_are_trained_once():
    utterances, _waveforms, tokenizer = corpus()
    _speech, text = encoders()
    spoken = prepare(utterances, targets_of(utterances), tokenizer=tokenizer, progress=False)
    ids = utterances.index
    folds = [
        Fold(name, ids[:20], ids[20:28], part) for name, part in (("seen", ids[28:34]), ("unseen", ids[34:]))
    ]
    predictions, _curves, models = train_systems(
        utterances, spoken, folds, None, text, "tiny", (WORDS,), QUICK, progress=False
    )
    assert models[f"tiny, {WORDS}", "seen"] is models[f"tiny, {WORDS}", "unseen"]
    tested = predictions[predictions["part"] == "test"]
    assert tested.groupby("fold").size().to_dict() == {"seen": 6, "unseen": 6}


def test_missing_words_are_named():
    utterances, _, tokenizer = corpus(6)
    spoken = prepare(utterances, targets_of(utterances), progress=False)
    utterances.loc["u002", "text"] = None
    with pytest.raises(SernbError, match=r"1 of 6 utterances have no text: u002"):
        with_words(spoken, utterances, tokenizer)
    with pytest.raises(SernbError, match="no column 'asr_text'"):
        with_words(spoken, utterances, tokenizer, "asr_text")
    utterances["text"] = utterances["text"].fillna("")
    assert len(with_words(spoken, utterances, tokenizer).tokens) == 6


def test_bad_requests_are_named():
    utterances, waveforms, _ = corpus(6)
    speech, text = encoders()
    with pytest.raises(SernbError, match="6 recordings, one an utterance; 5 were given"):
        prepare(utterances, targets_of(utterances), waveforms[:5], speech, progress=False)
    spoken = prepare(utterances, targets_of(utterances), progress=False)
    with pytest.raises(SernbError, match="no system 'video'"):
        train_systems(utterances, spoken, [], speech, text, "tiny", ("video",))
    assert replace(spoken).rows(["u001"]).tolist() == [1]
    with pytest.raises(SernbError, match="1 utterances are not among these inputs: x"):
        spoken.rows(["x"])


def test_side_by_side_gives_the_same():
    """Weight norm does not pickle: encoders and models travel as weights."""
    utterances, waveforms, tokenizer = corpus(24)
    speech, text = encoders()
    spoken = prepare(
        utterances, targets_of(utterances), waveforms, speech, tokenizer=tokenizer, progress=False
    )
    folds = [
        Fold(str(k), utterances.index[8 * k : 8 * k + 12], utterances.index[:0], utterances.index[20:])
        for k in (0, 1)
    ]
    given = (
        utterances,
        spoken,
        folds,
        speech,
        text,
        "tiny",
        (SPEECH, FROZEN),
        replace(QUICK, epochs=1),
        replace(QUICK, epochs=1),
    )
    alone, _, models = train_systems(*given, progress=False)
    with joblib.parallel_config(n_jobs=2):
        together, _, others = train_systems(*given, progress=False)
    pd.testing.assert_frame_equal(alone, together, atol=1e-5)
    for key, model in models.items():
        for one, other in zip(model.parameters(), others[key].parameters(), strict=True):
            torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)


@pytest.fixture(scope="module")
def prepared():
    utterances, waveforms, tokenizer = corpus(24)
    speech, text = encoders()
    spoken = prepare(
        utterances, targets_of(utterances), waveforms, speech, tokenizer=tokenizer, progress=False
    )
    ids = utterances.index
    return utterances, spoken, [Fold("f", ids[:12], ids[12:18], ids[18:])], speech, text


@pytest.mark.parametrize("system", [SPEECH, BOTH, FROZEN, WORDS])
def test_what_a_system_lacks_is_named_before_anything_is_trained(prepared, system):
    utterances, spoken, folds, speech, text = prepared
    lacking = {
        "a speech encoder": (spoken, None, text),
        "waveforms": (replace(spoken, frames=None), speech, text),
        "a text encoder": (spoken, speech, None),
        "a tokenizer": (replace(spoken, tokens=None), speech, text),
    }
    needed = {SPEECH: 2, WORDS: -2}.get(system)
    for name in list(lacking)[:needed] if needed != -2 else list(lacking)[2:]:
        inputs, hears, reads = lacking[name]
        with pytest.raises(SernbError, match=f"'{re.escape(system)}' takes {name} .* none was given"):
            train_systems(utterances, inputs, folds, hears, reads, "tiny", (system,), progress=False)


def test_no_folds_and_parts_that_overlap_are_named(prepared):
    utterances, spoken, _, speech, text = prepared
    ids = utterances.index
    with pytest.raises(SernbError, match="there are no folds"):
        train_systems(utterances, spoken, [], speech, text, "tiny", progress=False)
    for fold, parts in (
        (Fold("f", ids[:12], ids[12:18], ids[10:]), "in train and in test"),
        (Fold("f", ids[:12], ids[12:18], ids[17:]), "in validation and in test"),
        (Fold("f", ids[:13], ids[12:18], ids[18:]), "in train and in validation"),
    ):
        with pytest.raises(SernbError, match=f"fold 'f': . utterances are {parts}: u0"):
            train_systems(utterances, spoken, [fold], speech, text, "tiny", progress=False)


def test_rows_of_other_utterances_are_refused(prepared):
    utterances, spoken, *_ = prepared
    targets, (_, _, tokenizer) = targets_of(utterances), corpus(24)
    for others in (utterances.iloc[12:], utterances.iloc[::-1]):
        with pytest.raises(SernbError, match="the targets are of 24 utterances"):
            prepare(others, targets, progress=False)
        with pytest.raises(SernbError, match="not the 24 of these inputs in order"):
            with_words(spoken, others, tokenizer)
    with pytest.raises(SernbError, match="the targets are of 24 utterances"):
        prepare(utterances.iloc[12:], replace(targets, index=None), progress=False)


def test_a_tokenizer_says_how_much_can_be_read(prepared):
    utterances, spoken, *_ = prepared
    _, _, tokenizer = corpus(1)
    long = utterances.assign(text=["word " * 40, *utterances["text"][1:]])
    tokenizer.model_max_length = 16
    with pytest.warns(UserWarning, match="1 transcripts have more than 16 tokens"):
        assert with_words(spoken, long, tokenizer).tokens.lengths.max() == 16
    tokenizer.model_max_length = int(1e30)  # what transformers gives where nobody knows
    assert with_words(spoken, long, tokenizer).tokens.lengths.max() == 42


def test_table_1_has_the_encoders_whose_sizes_are_counted():
    table = audio_text.of_systems()
    assert list(table.index) == [(one, system) for system in (SPEECH, BOTH) for one in PUBLISHED]
    assert table.shape == (6, 6) and table.stack(["part", "dimension"], future_stack=True).between(0, 1).all()
    # Paper, 4.1: the large model's dominance decreased with words.
    assert (
        table.loc[("w2v2-L-robust(p)", BOTH), ("seen", "dominance")]
        < table.loc[("w2v2-L-robust(p)", SPEECH), ("seen", "dominance")]
    )


def test_gains_of_figure_3():
    gains = audio_text.relative_gains().set_index(["encoder", "part"])["value"]
    assert gains["DistilHuBERT", "seen"] == pytest.approx(0.5823, abs=1e-4)
    assert gains["HuBERT base", "seen"] == pytest.approx(0.2091, abs=1e-4)
    assert gains["DistilHuBERT", "unseen"] > 0.95  # 4.3: about double in the unseen scenarios


def test_table_2_starts_from_table_1():
    human = audio_text.of_recognisers().loc["human", ["arousal", "valence", "dominance"]]
    same = audio_text.of_systems().loc[("DistilHuBERT", BOTH), "seen"]
    assert human.to_dict() == same.to_dict()
