"""Halves, and shares of wrong labels, by hand; what luck does to groups that do not differ, and to one that
does."""

import numpy as np
import pytest

from sernb.evaluation import luck


def test_halves_are_even_for_each_speaker():
    groups, labels = np.repeat([0, 1, 2], [10, 7, 1]), np.tile([0, 1], 9)
    halves = np.array([luck.halves(groups, labels, np.random.default_rng(seed)) for seed in range(200)])
    for group, fewest in ((0, 5), (1, 3), (2, 0)):
        counts, size = halves[:, groups == group].sum(1), (groups == group).sum()
        assert set(np.minimum(counts, size - counts)) == {fewest}
    assert abs(halves.mean() - 0.5) < 0.05 and len(np.unique(halves, axis=0)) > 150


def test_accuracy_of_groups():
    hit, groups = (np.arange(18) % 2 == 0).astype(float), np.repeat([0, 1, 2], [10, 7, 1])
    np.testing.assert_allclose(luck.accuracy(hit, groups, np.arange(18) < 10), [0.5, np.nan, np.nan])
    np.testing.assert_allclose(luck.accuracy(hit, groups), [0.5, 4 / 7, 0.0])


@pytest.mark.parametrize(("hard", "real"), [(0.5, False), (0.1, True)])
def test_a_group_that_is_hard_stays_so_and_luck_does_not(hard, real):
    groups, labels = np.repeat(np.arange(10), 40), np.tile([0, 1], 200)
    chance = np.where(groups == 3, hard, 0.5)
    hit = (np.random.default_rng(0).random(400) < chance).astype(float)
    found, left = luck.lag_of_the_worst(hit, groups, labels, splits=50)
    dealt = luck.by_luck(hit, groups, labels, n=200)
    assert left < found and (left > 0.7 * found) == real
    assert (dealt["p_worst"] < 0.05) == (dealt["p_any"] < 0.05) == real


def test_shares_of_wrong_labels_by_hand():
    units, wrong = np.repeat([0, 1], 4), np.array([1, 0, 0, 0, 1, 0, 0, 0], bool)
    share, more = luck.share_of(wrong, np.array([1, 1, 0, 0, 1, 1, 0, 0], bool), units)
    assert share == (0.5, 0.5, 0.5) and more == (0.25, 0.25, 0.25)  # both speakers are alike: no spread
    share, more = luck.share_of(wrong, np.array([1, 1, 1, 1, 0, 0, 0, 0], bool), units)
    assert share[0] == 0.25 and more[0] == 0
