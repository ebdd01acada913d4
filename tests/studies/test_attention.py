from dataclasses import replace

import numpy as np
import pytest
import torch

from sernb.models.three_m_ser import ThreeMSERConfig, assemble
from sernb.studies.attention import attention_of, left_out
from sernb.studies.multimodal import Examples, prepare
from tests.studies.two_streams import corpus, encoders


@pytest.fixture(scope="module")
def network():
    utterances, waveforms, tokenizer = corpus(count=6)
    text, audio = encoders()
    inputs = prepare(utterances, waveforms, tokenizer, audio, progress=False)
    return assemble(text, audio, ThreeMSERConfig(classes=inputs.classes)).eval(), inputs


def test_weights_add_up_and_are_followed_back_through_the_words(network):
    model, inputs = network
    tokens = inputs.tokens.lengths[2]
    plain, rolled = (attention_of(model, inputs, 2, way) for way in (False, True))
    for weights in (plain, rolled):
        assert len(weights) == tokens + inputs.audio.lengths[2]
        assert weights.sum() == pytest.approx(1, abs=1e-5) and (weights >= 0).all()
    np.testing.assert_allclose(plain[tokens:], rolled[tokens:])
    batch = Examples(inputs, [2]).__getitems__([0])
    batch.pop("labels")
    with torch.inference_mode():
        seen = model(**batch, attention=True)
    by_hand = [
        sum(float(plain[k]) * float(seen.text_attention[0, k, token]) for k in range(tokens))
        for token in range(tokens)
    ]
    np.testing.assert_allclose(rolled[:tokens], by_hand, atol=1e-6)


def test_leaving_a_token_out_is_the_same_as_a_mask_without_it(network):
    model, inputs = network
    found = left_out(model, inputs, 1)
    tokens, examples = inputs.tokens.lengths[1], inputs.audio.lengths[1]
    assert len(found) == tokens + examples and found[0] == 0
    batch = Examples(inputs, [1]).__getitems__([0])
    batch.pop("labels")
    with torch.inference_mode():
        before = model(**batch).logits.softmax(-1)[0]
        batch["text_mask"][0, 2] = False
        after = model(**batch).logits.softmax(-1)[0]
    assert found[2] == pytest.approx(float(before.max() - after[before.argmax()]), abs=1e-6)
    assert np.abs(found[1:tokens]).max() > 0


def test_one_stream_and_one_example(network):
    _, inputs = network
    text, audio = encoders()
    reader = assemble(text, None, ThreeMSERConfig(classes=inputs.classes))
    assert attention_of(reader, inputs.only("text"), 0).sum() == pytest.approx(1, abs=1e-5)
    hearer = assemble(None, audio, ThreeMSERConfig(classes=inputs.classes))
    heard = inputs.only("audio")
    short = int(np.argmin(heard.audio.lengths))
    assert heard.audio.lengths[short] == 1 and left_out(hearer, heard, short).tolist() == [0.0]
    with pytest.raises(Exception, match="stream is 'video'"):
        replace(inputs).only("video")
