import numpy as np
import pytest

from sernb.evaluation.audit.buckets import candidates


def brute(keys, owners, least):
    sets = {owner: set(keys[owners == owner]) for owner in np.unique(owners)}
    pairs = [(a, b, len(sets[a] & sets[b])) for a in sets for b in sets if a < b]
    return sorted(pair for pair in pairs if pair[2] >= least)


@pytest.mark.parametrize("least", [1, 2, 4])
def test_small_buckets_give_every_pair_that_shares_enough(least):
    draw = np.random.default_rng(least)
    owners = np.repeat(np.arange(20), 30)
    keys = np.concatenate([draw.choice(400, 30, replace=False) for _ in range(20)]).astype(np.uint32)
    found = candidates(keys, owners, least, reach=20)
    assert sorted(map(tuple, found.tolist())) == brute(keys, owners, least)


def test_many_of_a_kind_are_joined_in_linear_numbers():
    """1,000 owners of the same 8 keys: all in one chain, and 4 pairs an owner instead of half a million."""
    owners = np.repeat(np.arange(1000), 8)
    found = candidates(np.tile(np.arange(8, dtype=np.uint32), 1000), owners, 8)
    assert len(found) == 4 * 1000 - 10 and (found[:, 2] == 8).all()
    assert {(a, a + 1) for a in range(999)} <= {(a, b) for a, b, _ in found.tolist()}


def test_nothing_and_one():
    assert candidates(np.array([], np.uint32), np.array([], int), 1).shape == (0, 3)
    assert len(candidates(np.array([7], np.uint32), np.array([0]), 1)) == 0
    large = candidates(np.array([2**32 - 1] * 2, np.uint32), np.array([2**30, 3]), 1)
    assert large.tolist() == [[3, 2**30, 1]]
