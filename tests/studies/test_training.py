"""The trainer: the paper's schedule, determinism, weights in the loss, that it learns what can be learned;
and trainings side by side: order, one at a time or several, and the first error."""

import os
from dataclasses import replace

import numpy as np
import pytest
import torch
from joblib import delayed, parallel_config
from torch.nn import functional as F

from sernb.core.errors import SernbError
from sernb.models.attention_pooling import CNNConfig, SpectrogramCNN
from sernb.studies.attention_pooling import PAPER, _Classifier
from sernb.studies.recipes import Recipe, chosen
from sernb.studies.rows import Rows
from sernb.studies.training import Goal, fit, rate, side_by_side

TINY = CNNConfig(classes=2, filters=((3, 3, 4),), channels=(6,), max_pools=(1,))
QUICK = replace(PAPER, epochs=3, batch_size=8, drops=(3,))


def easy(count=24):
    """Two classes of noise, one with a bright band."""
    generator = torch.Generator().manual_seed(0)
    x, y = torch.randn(count, 12, 10, generator=generator) * 0.3, torch.arange(count) % 2
    x[y == 1, 3:6] += 1
    return {"spectrogram": x, "labels": y}


def network(seed=0):
    torch.manual_seed(seed)
    return SpectrogramCNN(TINY)


def train(model, rows, recipe=QUICK, **settings):
    learner = _Classifier(model, recipe, rows.columns["labels"][torch.as_tensor(rows.rows)])
    return fit(learner, rows, None, recipe, Goal(best=None), **settings)


def test_the_papers_recipe():
    assert (PAPER.epochs, PAPER.batch_size, PAPER.learning_rate, PAPER.drops) == (50, 64, 0.05, (21, 31, 41))
    assert (PAPER.momentum, PAPER.weight_decay, PAPER.drop) == (0.9, 1e-4, 0.1)


def test_shortened_keeps_the_shares():
    short = PAPER.shortened(10)
    assert (short.epochs, short.drops, short.learning_rate) == (10, (5, 7, 9), 0.05)
    assert PAPER.shortened(4).drops == pytest.approx((2.6, 3.4, 4.2))


def test_the_rate_can_fall_within_an_epoch():
    """24 examples in batches of 8: three steps an epoch; 4 epochs drop after 1.6, 2.4 and 3.2 of them."""
    rates = []

    def change(batch):
        rates.append(0)
        return batch

    curve = train(
        network(), Rows(easy()), replace(QUICK, epochs=4, drops=PAPER.shortened(4).drops), change=change
    )
    assert len(rates) == 12
    # an epoch's row holds the rate of its last step: steps 3, 6, 9, 12 with falls before steps 6, 8 and 11
    np.testing.assert_allclose(curve["learning_rate"], [0.05, 0.005, 0.0005, 0.00005], rtol=1e-6)


def test_the_rate_falls_at_the_start_of_the_named_epochs():
    curve = train(network(), Rows(easy()), replace(QUICK, epochs=4, drops=(3, 4)))
    np.testing.assert_allclose(curve["learning_rate"], [0.05, 0.05, 0.005, 0.0005], rtol=1e-6)
    assert curve["epoch"].tolist() == [1, 2, 3, 4]


def test_it_learns_what_can_be_learned():
    model, data = network(), easy(64)
    curve = train(model, Rows(data), replace(QUICK, epochs=12, drops=(10,)))
    assert curve["loss"].iat[-1] < 0.2 < curve["loss"].iat[0]
    model.eval()
    assert (model(data["spectrogram"]).logits.argmax(1) == data["labels"]).float().mean() > 0.95


def test_one_step_equals_plain_torch():
    """The whole set as one batch for one epoch: the Trainer's step must be SGD's, without clipping or
    scaling."""
    data = easy(8)
    recipe = replace(PAPER, epochs=1, batch_size=8, drops=(), weight_decay=0.01)
    model, other = network(), network()
    curve = train(model, Rows(data), recipe)
    optimizer = torch.optim.SGD(other.parameters(), lr=0.05, momentum=0.9, nesterov=True, weight_decay=0.01)
    loss = F.cross_entropy(other.train()(data["spectrogram"]).logits, data["labels"])
    loss.backward()
    optimizer.step()
    assert curve["loss"].iat[0] == pytest.approx(loss.item(), rel=1e-4)
    for one, two in zip(model.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(one.cpu(), two, rtol=1e-4, atol=1e-6)


def test_a_seed_repeats_and_another_differs():
    curves = [train(network(), Rows(easy()), QUICK, seed=seed)["loss"].iat[-1] for seed in (1, 1, 2)]
    assert curves[0] == curves[1] != curves[2]


def test_class_weights_are_those_of_balanced_classes():
    """16 of one class, 8 of the other, one step: the loss is the mean of the two classes' own losses."""
    data = easy(24)
    rows = np.r_[np.flatnonzero(data["labels"] == 0), np.flatnonzero(data["labels"] == 1)[:6]]
    model = network()
    other = network().train()
    curve = train(
        model, Rows(data, rows), replace(PAPER, epochs=1, batch_size=64, drops=(), class_weights=True)
    )
    x, y = data["spectrogram"][rows], data["labels"][rows]
    each = F.cross_entropy(other(x).logits, y, reduction="none")
    expected = (each[y == 0].mean() + each[y == 1].mean()) / 2
    assert curve["loss"].iat[0] == pytest.approx(expected.item(), rel=1e-4)


def test_only_the_rows_asked_for_are_used():
    data = easy(16)
    data["spectrogram"][8:] = float("nan")
    curve = train(network(), Rows(data, np.arange(8)), QUICK)
    assert np.isfinite(curve["loss"]).all()


def test_training_batches_are_changed():
    seen = []

    def change(batch):
        seen.append(batch["spectrogram"].shape)
        return {**batch, "spectrogram": batch["spectrogram"] * 0}

    train(network(), Rows(easy()), QUICK, change=change)
    assert seen == [torch.Size((8, 12, 10))] * 9


def test_a_loss_that_explodes_stops_with_advice():
    data = easy()
    data["spectrogram"][0] = float("inf")
    with pytest.raises(SernbError, match="lower the learning rate"):
        train(network(), Rows(data), QUICK)


def test_rates_rise_and_fall():
    np.testing.assert_allclose([rate(step, 4, 0.0, True) for step in range(5)], [1, 0.75, 0.5, 0.25, 0])
    expected = [0.5, 1, 1, 5 / 6, 4 / 6, 3 / 6, 2 / 6, 1 / 6]
    np.testing.assert_allclose([rate(step, 8, 0.25, True) for step in range(8)], expected)
    assert {rate(step, 8, 0.0, False) for step in range(8)} == {1.0}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"epochs": 0}, "epochs is 0; it must be at least 1"),
        ({"batch_size": 0}, "batch_size is 0; it must be at least 1"),
        ({"patience": 0}, "patience is 0; it must be at least 1"),
        ({"optimizer": "lamb"}, "optimizer is 'lamb'; choose one of adam, adamw, sgd"),
        ({"masked": 1}, "masked is 1; it must lie between 0 and 1"),
    ],
)
def test_recipes_without_training_are_refused(wrong, message):
    with pytest.raises(SernbError, match=message):
        Recipe(**wrong)


def test_nothing_to_train_on():
    with pytest.raises(SernbError, match="nothing to train on"):
        train(network(), Rows(easy(), np.array([], int)), QUICK)


def square(number):
    return number**2, os.getpid()


def refuse(number):
    raise SernbError(f"task {number} cannot be done")


def test_results_come_in_the_order_of_the_tasks_one_after_another():
    done = side_by_side((delayed(square)(n) for n in range(5)), "squares", 5, "task", progress=False)
    assert [value for value, _ in done] == [0, 1, 4, 9, 16]
    assert {process for _, process in done} == {os.getpid()}


def test_in_processes_of_their_own_where_joblib_is_told_so(capsys):
    with parallel_config(n_jobs=2):
        done = side_by_side((delayed(square)(n) for n in range(5)), "squares", 5, "task")
    assert [value for value, _ in done] == [0, 1, 4, 9, 16]
    assert os.getpid() not in {process for _, process in done}
    assert "squares" in capsys.readouterr().err


def test_an_error_comes_through_as_it_is():
    with parallel_config(n_jobs=2), pytest.raises(SernbError, match="cannot be done"):
        side_by_side((delayed(refuse)(n) for n in range(2)), "refused", 2, "task", progress=False)


def test_a_recipe_is_chosen_by_its_name():
    recipes = {"laptop": Recipe(epochs=3), "paper": Recipe(epochs=50)}
    assert chosen("paper", recipes) is recipes["paper"]
    assert chosen("laptop", recipes, epochs=2) == Recipe(epochs=2)
    with pytest.raises(SernbError, match="recipe is 'tiny'; choose one of laptop, paper"):
        chosen("tiny", recipes)
