"""Learned weights and probes by layer find the layer that tells."""

import numpy as np
import pandas as pd
import pytest
import torch

from sernb.core.errors import SernbError
from sernb.core.ragged import Ragged
from sernb.core.ratings import targets_of
from sernb.evaluation import scores
from sernb.protocols import Fold, leave_one_speaker_out
from sernb.studies.layer_importance import (
    _Classes,
    _score,
    classified_by_layer,
    learned_weights,
    rated_by_layer,
    weights_table,
)
from tests.studies.rated_speech import corpus

QUICK = {"epochs": 25, "learning_rate": 5e-3, "weights_rate": 5e-2}


def drawn(count=80, layers=4, width=6, telling=2):
    """States whose layer `telling` holds arousal, and the utterances."""
    utterances, _, _ = corpus(count)
    states = np.random.default_rng(1).normal(size=(count, layers, width)).astype(np.float32)
    states[:, telling, 0] = utterances["arousal"] - 3
    return utterances, states


def test_the_weights_find_the_layer():
    utterances, states = drawn()
    target = targets_of(utterances).values[:, 0]
    weights, score = learned_weights(states, target, np.arange(60), np.arange(60, 80), seed=0, **QUICK)
    assert weights.sum() == pytest.approx(1, abs=1e-5)
    assert weights.argmax() == 2
    assert score > 0.7


def test_states_with_a_time_axis():
    """Average and maximum of a constant are that constant: both ways of giving it teach the same."""
    utterances, states = drawn()
    target = targets_of(utterances).values[:, 0]
    long = Ragged.of([np.repeat(one[None], 2 + row % 3, 0) for row, one in enumerate(states)])
    given = (target, np.arange(60), np.arange(60, 80))
    short, score = learned_weights(states, *given, epochs=3)
    weights, same = learned_weights(long, *given, epochs=3)
    np.testing.assert_allclose(weights, short, atol=1e-4)
    assert same == pytest.approx(score, abs=1e-4)


def test_classes_too_and_unknown_rows_are_left_out():
    utterances, states = drawn()
    codes = utterances["emotion"].cat.codes.to_numpy(np.int64)
    codes[:5] = -1
    weights, score = learned_weights(states, codes, np.arange(60), np.arange(60, 80), **QUICK)
    assert weights.argmax() == 2
    assert score > 0.8
    with pytest.raises(SernbError, match="0 training and 20 development"):
        learned_weights(states, codes, np.arange(5), np.arange(60, 80))


def test_the_table_has_a_row_a_layer_target_and_seed():
    utterances, states = drawn()
    targets = targets_of(utterances)
    by_name = {"arousal": targets.values[:, 0], "valence": targets.values[:, 1]}
    splits = [(np.arange(60), np.arange(60, 80)), (np.arange(20, 80), np.arange(20))]
    table = weights_table(states, by_name, splits, (0, 1, 2), epochs=2)
    assert len(table) == 4 * 2 * 3
    np.testing.assert_allclose(table.groupby(["target", "seed"])["weight"].sum(), 1, atol=1e-5)
    assert table.equals(weights_table(states, by_name, splits, (0, 1, 2), epochs=2))
    for seed, split in ((1, splits[1]), (2, splits[0])):  # each seed has the next split
        weights, score = learned_weights(states, by_name["valence"], *split, seed=seed, epochs=2)
        rows = table[(table["target"] == "valence") & (table["seed"] == seed)]
        np.testing.assert_array_equal(rows["weight"], weights)
        assert (rows["score"] == score).all()


def test_standardised_features_do_not_depend_on_a_layers_scale():
    utterances, states = drawn()
    target = targets_of(utterances).values[:, 0]
    larger = states * np.array([1, 10, 1, 1], np.float32)[:, None] + np.float32(3)
    given = (target, np.arange(60), np.arange(60, 80), "feature")
    for one, two in zip(
        learned_weights(states, *given, epochs=3), learned_weights(larger, *given, epochs=3), strict=True
    ):
        np.testing.assert_allclose(one, two, atol=1e-4)
    long = Ragged.of([np.repeat(one[None], 2, 0) for one in states])
    with pytest.raises(SernbError, match="averaged over time"):
        learned_weights(long, *given)


def test_a_probe_on_each_layer():
    utterances, states = drawn()
    folds = leave_one_speaker_out(utterances)
    found = scores(rated_by_layer(states, utterances, targets_of(utterances), folds))
    assert list(found.index) == ["0", "1", "2", "3"]
    assert found.loc["2", "CCC_arousal"] > 0.95
    assert (found.drop("2")["CCC_arousal"] < 0.4).all()
    classes = scores(classified_by_layer(states, utterances, folds))
    assert classes.loc["2", "UAR"] > 0.9
    assert (classes.drop("2")["UAR"] < 0.75).all()


def test_a_probe_does_not_depend_on_a_layers_scale():
    utterances, states = drawn()
    folds, targets = leave_one_speaker_out(utterances), targets_of(utterances)
    larger = states * np.array([1, 100, 0.01, 1], np.float32)[:, None]
    one, two = (rated_by_layer(x, utterances, targets, folds)["arousal_predicted"] for x in (states, larger))
    np.testing.assert_allclose(one, two, atol=1e-4)


def test_utterances_without_a_label_are_left_out():
    utterances, states = drawn()
    utterances.loc[utterances.index[:4], "emotion"] = np.nan
    table = classified_by_layer(states, utterances, leave_one_speaker_out(utterances))
    assert not set(utterances.index[:4]) & set(table.index)
    assert "p_nan" not in table


def test_unknown_utterances_are_named_and_teach_nothing():
    """pandas says -1 for an id it does not know, and row -1 is the last one: here a tested one."""
    utterances, states = drawn()
    ids = utterances.index
    fold = Fold("f", ids[:50].append(pd.Index(["gone"])), ids[50:60], ids[60:])
    with pytest.raises(SernbError, match="1 utterances are not among these inputs: gone"):
        rated_by_layer(states, utterances, targets_of(utterances), [fold])
    with pytest.raises(SernbError, match="1 utterances are not among these inputs: gone"):
        classified_by_layer(states, utterances, [fold])
    with pytest.raises(SernbError, match="79 states for 80 utterances"):
        classified_by_layer(states[:79], utterances, [fold])


def test_a_fold_without_ratings_to_learn_from_is_named():
    utterances, states = drawn()
    utterances.loc[utterances.index[:60], "valence"] = np.nan
    fold = Fold("f", utterances.index[:60], test=utterances.index[60:])
    with pytest.raises(SernbError, match="fold 'f': 0 training utterances have a valence"):
        rated_by_layer(states, utterances, targets_of(utterances), [fold])


@pytest.mark.parametrize("part", ["training", "development"])
def test_labels_that_are_all_the_same_are_named(part):
    utterances, states = drawn()
    rows = {"training": np.arange(60), "development": np.arange(60, 80)}
    target = targets_of(utterances).values[:, 0].copy()
    target[rows[part]] = 0.5
    with pytest.raises(SernbError, match=f"of the {part} part have the same rating"):
        learned_weights(states, target, *rows.values())
    codes = np.arange(80) % 2
    codes[rows[part]] = 1
    with pytest.raises(SernbError, match=f"of the {part} part have the same class"):
        learned_weights(states, codes, *rows.values())


def test_states_and_losses_that_are_not_finite_are_named():
    utterances, states = drawn()
    given = (targets_of(utterances).values[:, 0], np.arange(60), np.arange(60, 80))
    with pytest.raises(SernbError, match=r"the loss became nan: lower learning_rate \(it was inf"):
        learned_weights(states, *given, learning_rate=np.inf, epochs=3)
    states[3] = np.nan
    with pytest.raises(SernbError, match="the states hold NaN"):
        learned_weights(states, *given)


def test_a_batch_of_one_rating_teaches_nothing():
    """17 rows in batches of 16 are one step an epoch; a second one, of loss 0, would move the weights by
    Adam's averages."""
    utterances, states = drawn()
    target = targets_of(utterances).values[:, 0]
    steps = []

    class Counted(torch.optim.Adam):
        def step(self, *given):
            steps.append(1)
            return super().step(*given)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.optim, "Adam", Counted)
        learned_weights(states, target, np.arange(17), np.arange(60, 80), epochs=3)
    assert len(steps) == 3
    with pytest.raises(SernbError, match="batch_size is 1"):
        learned_weights(states, target, np.arange(17), np.arange(60, 80), batch_size=1)


def test_uar_counts_the_classes_that_are_there():
    """Rows of classes 0 and 1; one is taken for class 2. Recalls: 2/3 and 1."""

    class Says(torch.nn.Module):
        def forward(self, states):
            return torch.eye(3)[torch.tensor([2, 1, 0, 1, 0, 1])]

    truth = torch.tensor([0, 1, 0, 1, 0, 1])
    found = _score(Says(), np.zeros((6, 2, 4), np.float32), _Classes(truth), np.arange(6))
    assert found == pytest.approx((2 / 3 + 1) / 2)
