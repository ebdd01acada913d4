import numpy as np
import pytest
import torch

from sernb.core.errors import SernbError
from sernb.models.three_m_ser import ThreeMSERConfig, assemble
from sernb.studies.three_m_inputs import (
    attention_of,
    audio_states,
    left_out,
    outputs,
    prepare,
    text_states,
)
from tests.studies.two_streams import corpus, encoders


def test_rows_hold_what_the_corpus_says():
    utterances, waveforms, tokenizer = corpus()
    _, audio = encoders()
    inputs = prepare(utterances, waveforms, tokenizer, audio, progress=False)
    assert inputs.classes == tuple(utterances["emotion"].cat.categories)
    assert [inputs.classes[label] for label in inputs.labels] == list(utterances["emotion"])
    assert inputs.audio.lengths.tolist() == [max(1, int((len(w) / 16000 - 0.015) / 0.96)) for w in waveforms]
    assert inputs.rows(utterances.index[[3, 1]]).tolist() == [3, 1]
    with pytest.raises(SernbError, match="1 utterances are not among these inputs: nobody"):
        inputs.rows(["nobody"])


def test_batches_of_other_sizes_give_the_same_states():
    utterances, waveforms, tokenizer = corpus()
    text, audio = encoders()
    inputs = prepare(utterances, waveforms, tokenizer, audio, progress=False, keep_examples=True)
    found = text_states(inputs, text, progress=False)
    with torch.inference_mode():
        for row in (0, 5, len(utterances) - 1):
            ids = torch.from_numpy(inputs.tokens[row])[None]
            alone = text.eval()(ids).last_hidden_state[0].numpy()
            np.testing.assert_allclose(found[row], alone, atol=1e-5)
            alone = audio.eval()(torch.from_numpy(inputs.examples[row])).numpy()
            np.testing.assert_allclose(inputs.audio[row], alone, atol=1e-5)


def test_the_cache_knows_its_weights_and_its_input(tmp_path):
    utterances, waveforms, tokenizer = corpus()
    text, audio = encoders()
    inputs = prepare(utterances, waveforms, tokenizer, audio, progress=False, keep_examples=True)
    one = text_states(inputs, text, tmp_path, progress=False)
    text.forward = None  # a second call must not need the network
    again = text_states(inputs, text, tmp_path, progress=False)
    assert isinstance(again.values, np.memmap) and np.array_equal(one.values, again.values)
    del text.forward
    with torch.no_grad():
        text.embeddings.word_embeddings.weight.add_(0.1)
    other = text_states(inputs, text, tmp_path, progress=False)
    assert not np.allclose(other.values, one.values)
    audio_states(inputs.examples, audio, cache=tmp_path, progress=False)
    assert len(list(tmp_path.iterdir())) == 3


def test_what_a_model_says_of_all_rows():
    utterances, waveforms, tokenizer = corpus()
    text, audio = encoders()
    inputs = prepare(utterances, waveforms, tokenizer, audio, progress=False)
    model = assemble(text, audio, ThreeMSERConfig(classes=inputs.classes))
    said = outputs(model, inputs, progress=False)
    batch = inputs.dataset().__getitems__([4, 2])
    labels = batch.pop("labels")
    with torch.inference_mode():
        out = model(**batch)
    np.testing.assert_allclose(said.logits[[4, 2]], out.logits, atol=1e-5)
    np.testing.assert_allclose(said.fused[[4, 2]], out.fused, atol=1e-5)
    assert labels.tolist() == inputs.labels[[4, 2]].tolist()
    together = inputs.dataset(teacher=said).__getitems__([4, 2])
    torch.testing.assert_close(together["teacher"]["text_mask"], together["text_mask"])


def test_one_stream_alone():
    utterances, waveforms, tokenizer = corpus()
    _, audio = encoders()
    words = prepare(utterances, tokenizer=tokenizer)
    assert words.audio is None
    assert set(words.dataset([0, 1]).__getitems__([0])) == {"labels", "input_ids", "text_mask"}
    sounds = prepare(utterances.drop(columns="text"), waveforms, audio=audio, progress=False)
    assert sounds.tokens is None
    assert sounds.dataset([0, 1]).lengths().tolist() == sounds.audio.lengths[:2].tolist()


def test_what_is_missing_is_named():
    utterances, waveforms, tokenizer = corpus()
    _, audio = encoders()
    with pytest.raises(SernbError, match="needs a column 'text'"):
        prepare(utterances.drop(columns="text"), tokenizer=tokenizer)
    with pytest.raises(SernbError, match=f"recording for each of {len(utterances)} utterances, not 1"):
        prepare(utterances, waveforms[:1], audio=audio, progress=False)
    bad = [*waveforms[:2], np.full(16000, np.nan, np.float32), *waveforms[3:]]
    with pytest.raises(SernbError, match=f"{utterances.index[2]}: .*NaN"):
        prepare(utterances, bad, audio=audio, progress=False)
    unknown = utterances.assign(emotion=utterances["emotion"].where(utterances.index != utterances.index[0]))
    assert prepare(unknown, tokenizer=tokenizer).labels[0] == -100


@pytest.fixture(scope="module")
def network():
    utterances, waveforms, tokenizer = corpus(count=6)
    text, audio = encoders()
    inputs = prepare(utterances, waveforms, tokenizer, audio, progress=False)
    return assemble(text, audio, ThreeMSERConfig(classes=inputs.classes)).eval(), inputs


def test_weights_add_up_and_are_followed_back_through_the_words(network):
    model, inputs = network
    tokens = inputs.tokens.lengths[2]
    rolled = attention_of(model, inputs, 2)
    assert len(rolled) == tokens + inputs.audio.lengths[2]
    assert rolled.sum() == pytest.approx(1, abs=1e-5) and (rolled >= 0).all()
    batch = inputs.dataset([2]).__getitems__([0])
    batch.pop("labels")
    with torch.inference_mode():
        seen = model(**batch, attention=True)
    plain = seen.fusion_attention[0]
    np.testing.assert_allclose(plain[tokens:], rolled[tokens:], atol=1e-6)
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
    batch = inputs.dataset([1]).__getitems__([0])
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
        inputs.only("video")
