"""Training of a regressor: it learns, stops early, resumes, and is not moved by padding or order."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from transformers import BertConfig, BertModel

from sernb.core.errors import SernbError
from sernb.core.ratings import targets_of
from sernb.models.audio_text_regressor import RegressorConfig, assemble
from sernb.studies.recipes import Recipe
from sernb.studies.regression import HEAD, PAPER, frozen, predict, prepare, train_regressor, word_effects
from sernb.studies.rows import Shuffled
from sernb.studies.training import rate
from tests.studies.rated_speech import corpus, encoders

QUICK = replace(PAPER, epochs=4, learning_rate=3e-3, batch_size=8, patience=4)


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
    curve = train_regressor(
        model, spoken, rows[:48], rows[48:], replace(QUICK, epochs=12, patience=12, learning_rate=1e-2)
    )
    assert list(curve["epoch"]) == list(range(1, 13))
    after = ccc(model, spoken, rows[48:])
    assert after[1] > max(0.6, before + 0.3)
    assert after.mean() == pytest.approx(curve["development_CCC"].max(), abs=1e-5)


def test_ratings_that_lie_close_together_are_learnt_as_well():
    """CCC does not change when both sides are moved and stretched; with a standardised head training does not
    either."""
    spoken, model = given(64, speech=False)
    rows, recipe = np.arange(64), replace(QUICK, epochs=3, learning_rate=1e-2, standardised=True)
    narrow = replace(spoken.targets, values=np.float32(0.45) + np.float32(0.05) * spoken.targets.values)
    found = []
    for targets in (spoken.targets, narrow):
        spoken, model = given(64, speech=False)
        one = replace(spoken, targets=targets)
        curve = train_regressor(model, one, rows[:48], rows[48:], recipe)
        found.append((curve["loss"], (predict(model, one, rows) - 0.45) / 0.05))
    np.testing.assert_allclose(found[0][0], found[1][0], atol=1e-3)
    wide = 0.45 + 0.05 * found[0][1]
    np.testing.assert_allclose(found[1][1], wide, atol=0.02)


def test_a_standardised_head_begins_at_the_mean_of_the_training_part():
    _, model = given(8, speech=False)
    targets = torch.tensor([[0.2, 0.5, float("nan")], [0.4, 0.7, 0.1], [0.6, 0.6, 0.3]])
    model.standardise(targets)
    torch.testing.assert_close(model.centre, torch.tensor([0.4, 0.6, 0.2]))
    torch.testing.assert_close(
        model.spread, torch.tensor([0.026667, 0.006667, 0.01]).sqrt(), atol=1e-5, rtol=0
    )


def test_early_stopping_keeps_the_best_weights():
    spoken, model = given(24, speech=False)
    curve = train_regressor(
        model, spoken, np.arange(16), np.arange(16, 24), replace(PAPER, learning_rate=0.3, patience=2)
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
    train_regressor(model, spoken, np.arange(16), recipe=replace(QUICK, epochs=1))
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
    train_regressor(model, pooled, np.arange(16), recipe=replace(HEAD, epochs=2))
    moved = {name for name, one in model.state_dict().items() if not torch.equal(one, before[name])}
    assert {"centre", "spread"} < moved  # where the head's numbers lie; it alone learns
    assert all(name.startswith("head") for name in moved - {"centre", "spread"})


def test_predictions_stand_in_the_order_of_the_rows():
    spoken, model = given(40)
    rows = np.array([7, 33, 0, 39, 12])
    np.testing.assert_allclose(
        predict(model, spoken, rows), predict(model, spoken, np.arange(40))[rows], atol=1e-6
    )


def test_a_killed_training_goes_on(tmp_path):
    whole_spoken, whole = given(24)
    expected = train_regressor(whole, whole_spoken, np.arange(16), np.arange(16, 24), QUICK)
    spoken, model = given(24)
    stopped = {"epochs": 0}

    class Killed(Exception):
        pass

    import sernb.studies.regression as place

    original = place._development

    def killed(found):
        stopped["epochs"] += 1
        if stopped["epochs"] == 3:
            raise Killed
        return original(found)

    place._development = killed
    try:
        with pytest.raises(Killed):
            train_regressor(
                model, spoken, np.arange(16), np.arange(16, 24), QUICK, checkpoints=tmp_path / "c"
            )
    finally:
        place._development = original
    spoken, model = given(24)
    curve = train_regressor(
        model, spoken, np.arange(16), np.arange(16, 24), QUICK, checkpoints=tmp_path / "c"
    )
    np.testing.assert_allclose(curve["development_CCC"], expected["development_CCC"], rtol=1e-6)
    for a, b in zip(whole.parameters(), model.parameters(), strict=True):
        assert torch.equal(a, b)


def test_unrated_rows_are_left_out():
    spoken, model = given(16, speech=False)
    spoken.targets.values[:15] = np.nan
    with pytest.raises(SernbError, match="1 training utterances have a rating"):
        train_regressor(model, spoken, np.arange(16))


@pytest.mark.skipif(torch.cuda.is_available(), reason="with a GPU bf16 is right")
def test_half_precision_is_refused_on_a_cpu():
    spoken, model = given(8, speech=False)
    with pytest.raises(SernbError, match="bf16 needs a GPU"):
        train_regressor(model, spoken, np.arange(8), recipe=replace(QUICK, bf16=True))


def test_rates_rise_and_fall():
    recipe = Recipe(epochs=4, batch_size=8, learning_rate=1.0, warm_up=0.25, falling=True)
    rates = [rate(step, 8, recipe.warm_up, recipe.falling) for step in range(8)]
    np.testing.assert_allclose(rates, [0.5, 1, 1, 5 / 6, 4 / 6, 3 / 6, 2 / 6, 1 / 6])
    assert {rate(step, 8, PAPER.warm_up, PAPER.falling) for step in range(8)} == {1.0}


def test_the_papers_numbers():
    assert (PAPER.learning_rate, PAPER.batch_size, PAPER.by_length, PAPER.falling) == (1e-5, 16, True, False)
    with pytest.raises(SernbError, match="patience is 0"):
        Recipe(patience=0)
    spoken, model = given(8, speech=False)
    with pytest.raises(SernbError, match="batch_size is 1; it must be at least 2"):
        train_regressor(model, spoken, np.arange(8), recipe=replace(QUICK, batch_size=1))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"learning_rate": -1.0}, "learning_rate is -1.0"),
        ({"learning_rate": float("nan")}, "learning_rate is nan"),
        ({"encoder_rate": 0.0}, "encoder_rate is 0.0"),
        ({"masked": 1.0}, "masked is 1.0"),
        ({"optimizer": "lion"}, "optimizer is 'lion'"),
        ({"warm_up": 1.0}, "warm_up is 1.0"),
        ({"warm_up": -0.1}, "warm_up is -0.1"),
    ],
)
def test_recipes_that_cannot_be_cooked(wrong, message):
    with pytest.raises(SernbError, match=message):
        Recipe(**wrong)


@pytest.mark.parametrize("tried", [True, False])
def test_a_training_that_diverges_says_so(tried):
    spoken, model = given(24, speech=False)
    rows = np.arange(16, 24) if tried else ()
    with pytest.raises(SernbError, match=r"epoch.*lower the learning rate"):
        train_regressor(model, spoken, np.arange(16), rows, replace(QUICK, learning_rate=1e30))


def test_a_last_step_that_diverges_is_seen_too():
    """The loss is from before the step: with one step an epoch it is still a number."""
    for rows in (np.arange(8, 16), ()):
        spoken, model = given(16, speech=False)
        with pytest.raises(SernbError, match=r"training diverged.*epoch.*learning rate \(it was"):
            train_regressor(model, spoken, np.arange(8), rows, replace(QUICK, epochs=1, learning_rate=3e38))


@pytest.mark.parametrize(("count", "handed"), [(17, 16), (16, 16), (18, 18), (33, 32), (7, 7)])
@pytest.mark.parametrize("by_length", [True, False])
def test_no_batch_is_a_single_row(count, handed, by_length):
    order = Shuffled(np.arange(count) + 1, 16, 0, by_length, least=2)
    rows = list(order)
    assert len(rows) == len(order) == len(set(rows)) == handed


def test_the_loss_of_a_batch_of_one_is_not_counted():
    spoken, model = given(17, speech=False)
    curve = train_regressor(model, spoken, np.arange(17), recipe=replace(QUICK, batch_size=16, epochs=1))
    assert curve["loss"][0] > 0.75  # with a second step of loss 0 it would be about a half


@pytest.mark.parametrize("part", ["training", "development"])
def test_ratings_that_are_all_the_same_are_named(part):
    spoken, model = given(24, speech=False)
    rows = np.arange(16) if part == "training" else np.arange(16, 24)
    spoken.targets.values[rows, 1] = 0.5
    with pytest.raises(SernbError, match=rf"the {part} part has {len(rows)} ratings of valence"):
        train_regressor(model, spoken, np.arange(16), np.arange(16, 24), QUICK)


def test_a_development_part_of_one_or_none_is_named():
    spoken, model = given(24, speech=False)
    with pytest.raises(SernbError, match="the development part has 1 rated utterances"):
        train_regressor(model, spoken, np.arange(16), np.array([20]), QUICK)
    spoken.targets.values[16:] = np.nan
    with pytest.raises(SernbError, match="the development part has 0 rated utterances"):
        train_regressor(model, spoken, np.arange(16), np.arange(16, 24), QUICK)


def test_a_dimension_that_development_does_not_know_is_left_out():
    spoken, model = given(24, speech=False)
    spoken.targets.values[16:, 1] = np.nan
    curve = train_regressor(model, spoken, np.arange(16), np.arange(16, 24), replace(QUICK, epochs=1))
    after = ccc(model, spoken, np.arange(16, 24))[[0, 2]].mean()
    assert curve["development_CCC"][0] == pytest.approx(float(after), abs=1e-5)


@pytest.fixture
def scripted(monkeypatch):
    """Development scores as they are written here."""

    def write(*scores):
        left = iter(scores)
        monkeypatch.setattr("sernb.studies.regression._development", lambda found: {"CCC": next(left)})

    return write


def test_patience_goes_on_where_it_was(tmp_path, scripted):
    """Best in epoch 2, killed in epoch 4: one epoch more without a better one is the last."""
    recipe, rows = replace(QUICK, epochs=8, patience=3), (np.arange(16), np.arange(16, 24))
    scripted(0.1, 0.5, 0.4)
    spoken, model = given(24, speech=False)
    with pytest.raises(StopIteration):
        train_regressor(model, spoken, *rows, recipe, checkpoints=tmp_path / "c")
    scripted(0.3, 0.2, 0.9, 0.9)
    curve = train_regressor(given(24, speech=False)[1], spoken, *rows, recipe, checkpoints=tmp_path / "c")
    assert curve["development_CCC"].tolist() == [0.1, 0.5, 0.4, 0.3, 0.2]


@pytest.mark.parametrize("scores", [(0.5, 0.1, 0.2), (0.1, 0.2, 0.3, 0.4)])
def test_a_finished_training_is_not_trained_on(tmp_path, scripted, scores):
    recipe, rows = replace(QUICK, patience=2), (np.arange(16), np.arange(16, 24))
    scripted(*scores)
    spoken, model = given(24, speech=False)
    first = train_regressor(model, spoken, *rows, recipe, checkpoints=tmp_path / "c")
    scripted()
    again = given(24, speech=False)[1]
    curve = train_regressor(again, spoken, *rows, recipe, checkpoints=tmp_path / "c")
    assert curve.equals(first)
    for a, b in zip(model.parameters(), again.parameters(), strict=True):
        assert torch.equal(a, b)


def test_checkpoints_of_another_run_are_refused(tmp_path):
    spoken, model = given(24, speech=False)
    rows, place = (np.arange(16), np.arange(16, 24)), tmp_path / "c"
    recipe = replace(QUICK, epochs=1)
    train_regressor(model, spoken, *rows, recipe, checkpoints=place)
    turned = replace(spoken, targets=replace(spoken.targets, values=1 - spoken.targets.values))
    for inputs, parts, changed, seed in (
        (spoken, rows, recipe, 1),
        (spoken, rows, replace(recipe, learning_rate=1e-5), 0),
        (spoken, (np.arange(15), rows[1]), recipe, 0),
        (turned, rows, recipe, 0),
    ):
        with pytest.raises(SernbError, match="of a run with other settings"):
            train_regressor(model, inputs, *parts, changed, seed, checkpoints=place)


@pytest.mark.parametrize("file", ["trainer_state.json", "optimizer.pt", "model.safetensors"])
@pytest.mark.parametrize("left", ["half", "nothing"])
def test_half_a_checkpoint_is_passed_over(tmp_path, file, left):
    rows, place = (np.arange(16), np.arange(16, 24)), tmp_path / "c"
    spoken, whole = given(24, speech=False)
    expected = train_regressor(whole, spoken, *rows, QUICK, checkpoints=place)
    newest = max(place.glob("checkpoint-*"), key=lambda one: int(one.name.split("-")[1]))
    if left == "half":
        (newest / file).write_bytes((newest / file).read_bytes()[:50])
    else:
        (newest / file).unlink()
    for other in set(place.glob("checkpoint-*")) - {newest}:
        shutil.rmtree(other)
    again = given(24, speech=False)[1]
    curve = train_regressor(again, spoken, *rows, QUICK, checkpoints=place)
    np.testing.assert_allclose(curve["development_CCC"], expected["development_CCC"], rtol=1e-6)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")
def test_encoders_from_the_cpu_are_trained_on_the_gpu():
    spoken, model = given(24)
    train_regressor(model, spoken, np.arange(16), np.arange(16, 24), replace(QUICK, epochs=1))
    assert {one.device.type for one in model.parameters()} == {"cuda"}
    assert np.isfinite(predict(model, spoken, np.arange(24))).all()


def test_predictions_gather_a_model_on_the_device_of_its_first_part(monkeypatch):
    spoken, model = given(8, speech=False)
    asked = []
    monkeypatch.setattr(
        type(model), "to", lambda self, device: asked.append(device) or torch.nn.Module.to(self, device)
    )
    predict(model, spoken, np.arange(8))
    frozen(model, spoken)
    assert asked == [torch.device("cpu")] * 2


def words_of(speech=True):
    """Utterances of six words or so, and a network that reads them."""
    utterances, _, tokenizer = corpus(6)
    spoken, model = given(6, speech=speech)
    return utterances, spoken, model, tokenizer


def test_ratings_are_those_of_the_model():
    utterances, spoken, model, tokenizer = words_of()
    heard = frozen(model, spoken).speech_pooled
    ratings, effects = word_effects(model, utterances["text"].iloc[2], tokenizer, spoken.targets, heard[2])
    np.testing.assert_allclose(list(ratings.values()), 1 + 4 * predict(model, spoken, [2])[0], atol=1e-5)
    assert list(effects["word"]) == utterances["text"].iloc[2].split()


def test_an_effect_is_the_difference_that_leaving_out_makes():
    _, spoken, model, tokenizer = words_of(speech=False)
    whole, effects = word_effects(model, "it was good", tokenizer, spoken.targets)
    without, _ = word_effects(model, "it good", tokenizer, spoken.targets)
    for name in whole:
        assert effects.loc[1, name] == pytest.approx(whole[name] - without[name], abs=1e-5)


@pytest.mark.parametrize("text", ["", "   ", "(laughs)"])
def test_a_text_without_words_is_still_rated(text):
    _, spoken, model, tokenizer = words_of(speech=False)
    ratings, effects = word_effects(model, text, tokenizer, spoken.targets)
    assert all(np.isfinite(one) for one in ratings.values())
    assert len(effects) == 0


def test_notes_in_brackets_are_no_words():
    """Without "(door" the rest would be "slams) good", which is read as two words."""
    _, spoken, model, tokenizer = words_of(speech=False)
    _, effects = word_effects(model, "(door slams) it was [LAUGHTER] good", tokenizer, spoken.targets)
    _, plain = word_effects(model, "it was good", tokenizer, spoken.targets)
    assert effects["word"].tolist() == ["it", "was", "good"]
    assert effects.equals(plain)


def test_a_text_longer_than_the_model_reads():
    _, spoken, _, tokenizer = words_of(speech=False)
    short = {"max_position_embeddings": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    model = assemble(
        None, BertModel(BertConfig(vocab_size=50, hidden_size=12, intermediate_size=24, **short))
    )
    with pytest.warns(UserWarning, match="more than 16 tokens"):
        _, effects = word_effects(model, "good " * 20, tokenizer, spoken.targets)
    assert len(effects) == 20


def test_one_word():
    _, spoken, model, tokenizer = words_of(speech=False)
    _, effects = word_effects(model, "good", tokenizer, spoken.targets)
    assert effects.shape == (1, 4)
