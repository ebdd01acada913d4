"""Training of a regressor: it learns, stops early, resumes, and is not moved by padding or order."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from sernb.audio_text import prepare
from sernb.errors import SernbError
from sernb.models.audio_text_regressor import RegressorConfig, assemble
from sernb.ratings import targets_of
from sernb.regression import HEAD, PAPER, Recipe, _rate, fit, frozen, predict
from tests.rated_speech import corpus, encoders

QUICK = Recipe(epochs=4, learning_rate=3e-3, batch_size=8, patience=4)


def given(count=40, speech=True, text=True, **changed):
    utterances, waveforms, tokenizer = corpus(count)
    hears, reads = encoders(**changed)
    targets = targets_of(utterances)
    spoken = prepare(
        utterances, targets, waveforms if speech else None, hears if speech else None,
        tokenizer=tokenizer if text else None, progress=False,
    )  # fmt: skip
    torch.manual_seed(0)
    model = assemble(hears if speech else None, reads if text else None, RegressorConfig(dropout=0.0))
    return spoken, model


def ccc(model, spoken, rows):
    from sernb.losses import concordance

    return concordance(
        torch.from_numpy(predict(model, spoken, rows)), torch.from_numpy(spoken.targets.values[rows])
    )


def test_it_learns_from_words_and_tells_the_best_epoch():
    spoken, model = given(64, speech=False)
    rows = np.arange(64)
    before = ccc(model, spoken, rows[48:])[1]
    curve = fit(
        model, spoken, rows[:48], rows[48:], replace(QUICK, epochs=12, patience=12, learning_rate=1e-2)
    )
    assert list(curve["epoch"]) == list(range(1, 13))
    after = ccc(model, spoken, rows[48:])
    assert after[1] > max(0.6, before + 0.3)
    assert after.mean() == pytest.approx(curve["development_CCC"].max(), abs=1e-5)


def test_early_stopping_keeps_the_best_weights():
    spoken, model = given(24, speech=False)
    curve = fit(
        model, spoken, np.arange(16), np.arange(16, 24), Recipe(epochs=30, learning_rate=0.3, patience=2)
    )
    assert len(curve) < 30
    best = curve["development_CCC"].idxmax()
    assert best == len(curve) - 3  # two epochs in a row were no better
    assert ccc(model, spoken, np.arange(16, 24)).mean() == pytest.approx(
        curve["development_CCC"][best], abs=1e-5
    )


def test_the_front_end_stays_and_the_encoders_move():
    spoken, model = given(16)
    before = {name: one.clone() for name, one in model.state_dict().items()}
    fit(model, spoken, np.arange(16), recipe=replace(QUICK, epochs=1))
    moved = {name for name, one in model.state_dict().items() if not torch.equal(one, before[name])}
    assert not any(name.startswith("speech.feature_extractor") for name in moved)
    for part in ("speech.encoder", "speech.feature_projection", "text.encoder", "head"):
        assert any(name.startswith(part) for name in moved), part


def test_a_frozen_start_moves_the_head_alone():
    spoken, model = given(16)
    pooled = frozen(model, spoken)
    with torch.inference_mode():
        np.testing.assert_allclose(
            predict(model, pooled, np.arange(16)), predict(model, spoken, np.arange(16)), atol=1e-6
        )
    before = {name: one.clone() for name, one in model.state_dict().items()}
    fit(model, pooled, np.arange(16), recipe=replace(HEAD, epochs=2))
    moved = {name for name, one in model.state_dict().items() if not torch.equal(one, before[name])}
    assert moved
    assert all(name.startswith("head") for name in moved)


def test_predictions_stand_in_the_order_of_the_rows():
    spoken, model = given(40)
    rows = np.array([7, 33, 0, 39, 12])
    np.testing.assert_allclose(
        predict(model, spoken, rows), predict(model, spoken, np.arange(40))[rows], atol=1e-6
    )


def test_a_killed_training_goes_on(tmp_path):
    whole_spoken, whole = given(24)
    expected = fit(whole, whole_spoken, np.arange(16), np.arange(16, 24), QUICK)
    spoken, model = given(24)
    stopped = {"epochs": 0}

    class Killed(Exception):
        pass

    import sernb.regression as place

    original = place._development

    def killed(found):
        stopped["epochs"] += 1
        if stopped["epochs"] == 3:
            raise Killed
        return original(found)

    place._development = killed
    try:
        with pytest.raises(Killed):
            fit(model, spoken, np.arange(16), np.arange(16, 24), QUICK, checkpoints=tmp_path / "c")
    finally:
        place._development = original
    spoken, model = given(24)
    curve = fit(model, spoken, np.arange(16), np.arange(16, 24), QUICK, checkpoints=tmp_path / "c")
    np.testing.assert_allclose(curve["development_CCC"], expected["development_CCC"], rtol=1e-6)
    for a, b in zip(whole.parameters(), model.parameters(), strict=True):
        assert torch.equal(a, b)


def test_unrated_rows_are_left_out():
    spoken, model = given(16, speech=False)
    spoken.targets.values[:15] = np.nan
    with pytest.raises(SernbError, match="1 training utterances have a rating"):
        fit(model, spoken, np.arange(16))


@pytest.mark.skipif(torch.cuda.is_available(), reason="with a GPU bf16 is right")
def test_half_precision_is_refused_on_a_cpu():
    spoken, model = given(8, speech=False)
    with pytest.raises(SernbError, match="bf16 needs a GPU"):
        fit(model, spoken, np.arange(8), recipe=replace(QUICK, bf16=True))


def test_rates_rise_and_fall():
    recipe = Recipe(epochs=4, batch_size=8, learning_rate=1.0, warm_up=0.25, falling=True)
    rates = [_rate(step, 8, recipe) for step in range(8)]
    np.testing.assert_allclose(rates, [0.5, 1, 1, 5 / 6, 4 / 6, 3 / 6, 2 / 6, 1 / 6])
    assert {_rate(step, 8, PAPER) for step in range(8)} == {1.0}


def test_the_papers_numbers():
    assert (PAPER.learning_rate, PAPER.batch_size, PAPER.by_length, PAPER.falling) == (1e-5, 16, True, False)
    with pytest.raises(SernbError, match="patience is 0"):
        Recipe(patience=0)
