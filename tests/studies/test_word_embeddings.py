from contextlib import nullcontext
from dataclasses import replace

import numpy as np
import pytest
import torch

from sernb.core.ragged import Ragged
from sernb.models.three_m_ser import ThreeMSERConfig, assemble
from sernb.studies import two_stages
from sernb.studies.multimodal import prepare
from sernb.studies.two_stages import LAPTOP, train
from sernb.studies.word_embeddings import only_used
from tests.studies.two_streams import corpus, encoders

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


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_training_comes_out_as_with_the_whole_table(optimizer, monkeypatch):
    utterances, waveforms, tokenizer = corpus()
    inputs = prepare(utterances, waveforms, tokenizer, encoders()[1], progress=False)
    stage = replace(LAPTOP.fine_tune, epochs=2, optimizer=optimizer, learning_rate=1e-2, weight_decay=0.0)
    found = []
    for change in (only_used, lambda text, tokens: nullcontext()):
        monkeypatch.setattr(two_stages, "only_used", change)
        text, audio = encoders()
        torch.manual_seed(0)
        model = assemble(text, audio, ThreeMSERConfig(classes=inputs.classes))
        train(
            model, inputs, np.arange(36), np.arange(36, 48), replace(LAPTOP, transfer=None, fine_tune=stage)
        )
        found.append(model.state_dict())
    moved = (
        found[0]["text.embeddings.word_embeddings.weight"] != encoders()[0].embeddings.word_embeddings.weight
    )
    assert moved.any()
    for name, value in found[1].items():
        torch.testing.assert_close(found[0][name], value, rtol=1e-5, atol=1e-6)
