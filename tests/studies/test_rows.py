"""Padded rows, batches of like length, and word embeddings of what is used."""

import numpy as np
import pytest
import torch

from sernb.core.ragged import Ragged
from sernb.studies.rows import Shuffled, only_used
from tests.studies.two_streams import encoders

TOKENS = Ragged.of([[1, 7, 9, 2], [1, 9, 2]], np.int64)


def test_the_same_ids_give_the_same_states_and_only_what_is_used_learns():
    text, _ = encoders()
    text.eval()
    whole = text.embeddings.word_embeddings
    before = whole.weight.detach().clone()
    ids, mask = TOKENS.padded([0, 1])
    expected = text(ids, mask.long()).last_hidden_state
    with only_used(text, TOKENS):
        few = text.embeddings.word_embeddings
        assert few.weight.shape == (5, 32) and few.padding_idx == 0  # 0, 1, 2, 7, 9
        states = text(ids, mask.long()).last_hidden_state
        torch.testing.assert_close(states, expected, rtol=0, atol=0)
        states[..., 0].sum().backward()  # the sum over features is the same for all ids
        assert not few.weight.grad[0].any() and few.weight.grad[1:].any(1).all()
        with torch.no_grad():
            few.weight[3] += 1
    assert text.embeddings.word_embeddings is whole
    changed = (whole.weight != before).any(1).nonzero().flatten()
    assert changed.tolist() == [7]


def test_a_training_that_breaks_off_leaves_the_whole_table():
    text, _ = encoders()
    with pytest.raises(KeyboardInterrupt), only_used(text, TOKENS):
        raise KeyboardInterrupt
    assert text.embeddings.word_embeddings.weight.shape == (50, 32)
    assert set(text.state_dict()) == set(encoders()[0].state_dict())


def test_batches_are_of_like_length_and_every_row_comes_once():
    lengths = np.random.default_rng(0).integers(3, 40, 2003)
    sampler = Shuffled(lengths, 16, 0)
    orders = []
    for epoch in (0, 1, 0):
        sampler.set_epoch(epoch)
        orders.append(list(sampler))
    assert sorted(orders[0]) == list(range(2003)) and orders[0] == orders[2] != orders[1]

    def waste(order):
        batches = [lengths[order[i : i + 16]] for i in range(0, 2003, 16)]
        return sum(len(one) * one.max() for one in batches) / lengths.sum()

    assert waste(orders[0]) < 1.2 < waste(list(Shuffled(lengths, 16, 0, by_length=False)))
