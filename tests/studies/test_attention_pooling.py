"""Fold by fold: who is trained on, how segments become an utterance's score, what comes out, bad input."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from joblib import parallel_config

from sernb import figures
from sernb.core.errors import SernbError
from sernb.core.tables import check_predictions
from sernb.features.spectrogram import Segments, SpectrogramConfig
from sernb.models.attention_pooling import CNNConfig, SpectrogramCNN
from sernb.protocols import Fold, leave_one_speaker_out
from sernb.studies.attention_pooling import (
    HEIGHTS,
    PAPER,
    WIDTHS,
    cross_validate,
    filter_study,
    predict,
    segment_probabilities,
    shapes,
    spec_augment,
    train_fold,
)

TINY = CNNConfig(filters=((3, 3, 4),), channels=(6,), max_pools=(1,))
QUICK = replace(PAPER, epochs=8, batch_size=16, drops=(7,))


@pytest.fixture
def corpus():
    """Three speakers, two emotions, one or two segments each: sad has a low band, angry a high one."""
    rng = np.random.default_rng(0)
    rows, spectrograms, owners = {}, [], []
    for speaker in "abc":
        for number in range(12):
            name, emotion = f"{speaker}{number}", ("sad", "angry")[number % 2]
            rows[name] = {"speaker": speaker, "emotion": emotion}
            for _ in range(1 + number % 3 % 2):
                x = rng.normal(0, 0.3, (12, 10)).astype(np.float32)
                x[slice(0, 4) if emotion == "sad" else slice(8, 12)] += 1
                spectrograms.append(x)
                owners.append(name)
    utterances = pd.DataFrame.from_dict(rows, orient="index").rename_axis("utterance")
    utterances["emotion"] = pd.Categorical(utterances["emotion"], categories=["sad", "angry"])
    table = pd.DataFrame({"utterance": owners, "start": 0.0})
    return utterances, Segments(table, torch.from_numpy(np.stack(spectrograms)))


def test_it_predicts_every_utterance_once_and_learns(corpus):
    utterances, segments = corpus
    folds = leave_one_speaker_out(utterances)
    predictions, curves, models = cross_validate(
        utterances, segments, segments, folds, TINY, QUICK, name="tiny", seed=3, progress=False
    )
    checked = check_predictions(predictions)
    assert sorted(checked.index) == sorted(utterances.index)
    assert (checked["fold"] == "speaker " + checked["speaker"]).all()
    assert set(checked["model"]) == {"tiny"} and set(checked["seed"]) == {3}
    np.testing.assert_allclose(checked[["p_sad", "p_angry"]].sum(axis=1), 1, atol=1e-5)
    assert (checked["emotion"] == checked["predicted"]).mean() > 0.9
    assert list(models) == [fold.name for fold in folds]
    assert curves.groupby("fold")["epoch"].max().eq(8).all()


def test_folds_side_by_side_give_what_folds_in_turn_give(corpus):
    utterances, segments = corpus
    arguments = (utterances, segments, segments, leave_one_speaker_out(utterances), TINY, QUICK)
    in_turn, curves, models = cross_validate(*arguments, progress=False)
    with parallel_config(n_jobs=2):
        beside, beside_curves, beside_models = cross_validate(*arguments, progress=False)
    pd.testing.assert_frame_equal(beside, in_turn, atol=1e-3)
    pd.testing.assert_frame_equal(beside_curves, curves, atol=1e-3)
    for fold, model in models.items():
        x = segments.spectrograms[:4]
        torch.testing.assert_close(beside_models[fold](x).logits, model(x).logits, atol=1e-3, rtol=1e-3)


def test_a_fold_that_fails_beside_others_says_why(corpus):
    utterances, segments = corpus
    folds = leave_one_speaker_out(utterances)
    folds[1] = Fold("both", folds[1].train, folds[1].train[:0], folds[1].train[:2])
    with parallel_config(n_jobs=2), pytest.raises(SernbError, match="trained on and tested"):
        cross_validate(utterances, segments, segments, folds, TINY, QUICK, progress=False)


def test_a_test_speaker_is_not_trained_on(corpus):
    """With the test speaker's segments broken, training must not notice."""
    utterances, segments = corpus
    fold = leave_one_speaker_out(utterances)[0]
    clean, _ = train_fold(utterances, segments, fold, TINY, QUICK, seed=1)
    broken = segments.spectrograms.clone()
    broken[torch.as_tensor(segments.of(fold.test))] = float("nan")
    same, _ = train_fold(utterances, Segments(segments.table, broken), fold, TINY, QUICK, seed=1)
    for one, two in zip(clean.state_dict().values(), same.state_dict().values(), strict=True):
        torch.testing.assert_close(one, two)


def test_an_utterances_score_is_the_mean_of_its_segments(corpus):
    utterances, segments = corpus
    fold = leave_one_speaker_out(utterances)[1]
    torch.manual_seed(0)
    model = SpectrogramCNN(CNNConfig(**{**vars(TINY), "classes": 2}))
    table = predict(model, utterances, segments, fold, "m")
    two = next(name for name in fold.test if (segments.table["utterance"] == name).sum() == 2)
    x = segments.spectrograms[torch.as_tensor(segments.of(pd.Index([two])))]
    expected = segment_probabilities(model, x).mean(0)
    np.testing.assert_allclose(table.loc[two, ["p_sad", "p_angry"]].astype(float), expected, atol=1e-6)
    assert list(table.index) == list(fold.test)


def test_variants_of_a_recording_carry_its_label(corpus):
    """Augmented copies come as more rows with the original's id; the test part does not see them."""
    utterances, segments = corpus
    double = Segments.joined([segments, segments])
    fold = leave_one_speaker_out(utterances)[0]
    assert len(double.of(fold.train)) == 2 * len(segments.of(fold.train))
    predictions, _, _ = cross_validate(utterances, double, segments, [fold], TINY, QUICK, progress=False)
    assert sorted(predictions.index) == sorted(fold.test)


def test_spec_augment_silences_one_band_and_one_span():
    torch.manual_seed(0)
    batch = {"spectrogram": torch.rand(64, 40, 30), "labels": torch.zeros(64)}
    floor = float(batch["spectrogram"].min())
    out = spec_augment(replace(PAPER, frequency_mask=10, time_mask=0))(batch)["spectrogram"]
    silenced = (out == floor).all(2).sum(1)  # bins silent over all frames, for each segment
    assert silenced.max() <= 10 and silenced.float().mean() > 2
    assert (out == batch["spectrogram"]).any(2).any(1).all()
    both = spec_augment(replace(PAPER, frequency_mask=10, time_mask=8))(batch)["spectrogram"]
    assert ((both == floor).all(1).sum(1) <= 8 + 0).all() and batch["spectrogram"].min() == floor


def test_an_utterance_on_both_sides_is_named(corpus):
    utterances, segments = corpus
    fold = Fold("leaky", utterances.index, test=utterances.index[:1])
    with pytest.raises(SernbError, match="leaky: 1 utterances are trained on and tested, a0"):
        cross_validate(utterances, segments, segments, [fold], TINY, QUICK, progress=False)


def test_one_class_is_not_enough(corpus):
    utterances, segments = corpus
    sad = utterances[utterances["emotion"] == "sad"]
    with pytest.raises(SernbError, match="all utterances are sad"):
        cross_validate(sad, segments, segments, leave_one_speaker_out(sad), TINY, QUICK, progress=False)


def test_a_class_without_training_utterances_is_named(corpus):
    utterances, segments = corpus
    sad = utterances.index[utterances["emotion"] == "sad"]
    fold = Fold("odd", sad, test=utterances.index.difference(sad))
    with pytest.raises(SernbError, match="odd: no training utterance is angry"):
        cross_validate(utterances, segments, segments, [fold], TINY, QUICK, progress=False)


def test_utterances_without_emotion_are_named(corpus):
    utterances, segments = corpus
    utterances.loc["a0", "emotion"] = None
    with pytest.raises(SernbError, match=r"1 utterances have no emotion"):
        cross_validate(
            utterances, segments, segments, leave_one_speaker_out(utterances), TINY, QUICK, progress=False
        )


@pytest.mark.parametrize("part", ["training", "test"])
def test_utterances_without_segments_are_named(corpus, part):
    utterances, segments = corpus
    rows = segments.of(utterances.index.drop("b3"))
    fewer = Segments(
        segments.table.iloc[rows].reset_index(drop=True), segments.spectrograms[torch.as_tensor(rows)]
    )
    train, test = (fewer, segments) if part == "training" else (segments, fewer)
    with pytest.raises(SernbError, match=f"1 {part} utterances lack segments: b3"):
        cross_validate(
            utterances, train, test, leave_one_speaker_out(utterances), TINY, QUICK, progress=False
        )


def test_the_papers_range():
    assert (min(HEIGHTS), max(HEIGHTS), min(WIDTHS), max(WIDTHS)) == (2, 100, 2, 80)
    assert len(shapes()) == len(HEIGHTS) + len(WIDTHS) - 1  # 2 x 2 stands in both


def test_no_filter_is_empty():
    with pytest.raises(SernbError, match="widths holds 0"):
        shapes((2,), (0, 2))
    with pytest.raises(SernbError, match="heights is empty"):
        shapes((), (2,))


def test_a_steady_line_needs_width_and_a_click_needs_height():
    """Sad is a click over all bins in a random frame, angry a line over all frames in a random bin, equal in
    energy.

    A filter of 1 x 1 pixels sees the same histogram in both, so the shape decides.
    """
    rng = np.random.default_rng(0)
    rows, spectrograms = {}, []
    for number in range(80):
        emotion = ("sad", "angry")[number % 2]
        rows[f"u{number}"] = {"speaker": "ab"[number // 40], "emotion": emotion}
        x = np.zeros((16, 16), np.float32)
        at = rng.integers(16)
        x[(slice(None), at) if emotion == "sad" else (at, slice(None))] = 1
        spectrograms.append(x)
    utterances = pd.DataFrame.from_dict(rows, orient="index").rename_axis("utterance")
    utterances["emotion"] = pd.Categorical(utterances["emotion"], categories=["sad", "angry"])
    table = pd.DataFrame({"utterance": utterances.index, "start": 0.0})
    segments = Segments(table, torch.from_numpy(np.stack(spectrograms)))
    recipe = replace(PAPER, epochs=25, batch_size=16, drops=(20,))
    got, predictions = filter_study(
        utterances,
        segments,
        segments,
        leave_one_speaker_out(utterances),
        (2, 8),
        (2, 8),
        recipe,
        progress=False,
    )
    assert got[["height", "width"]].to_numpy().tolist() == [[2, 2], [8, 2], [2, 8]]
    assert (got[["WA", "sad", "angry"]].iloc[1:] > 0.9).all(axis=None)
    assert ((got["WA_low"] <= got["WA"]) & (got["WA"] <= got["WA_high"])).all()
    assert predictions["model"].unique().tolist() == ["2 x 2", "8 x 2", "2 x 8"]
    assert len(figures.filter_shapes(got, SpectrogramConfig()).axes) == 2
