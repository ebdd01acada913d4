"""A teacher asked once: what it says is what it would say each time, up to half precision, and the disk is
bounded."""

import numpy as np
import pandas as pd
import pytest
import torch
from transformers import AutoTokenizer, BertConfig, BertForSequenceClassification

from sernb.core.errors import SernbError
from sernb.features.encoders import own_folder
from sernb.studies.teacher_states import InTheLoop, answers, size_of, teacher_states
from tests.studies.two_streams import Tokenizer

CLASSES = ("neutral", "happy", "sad")
TEXTS = pd.Series(
    {
        "a": "a fine day",
        "b": "it was [sigh] so good that we stayed until the very end",
        "c": "gone",
        "d": "the train was late",
        "e": "so it was",
    }
)


def teacher(seed=0, layers=3):
    torch.manual_seed(seed)
    names = dict(enumerate(CLASSES))
    config = BertConfig(
        vocab_size=50, hidden_size=12, num_hidden_layers=layers, num_attention_heads=2, intermediate_size=24,
        max_position_embeddings=32, id2label=names, label2id={one: n for n, one in names.items()},
    )  # fmt: skip
    return BertForSequenceClassification(config)


def asked(model=None, texts=TEXTS, layers=(1, 3), **given):
    return teacher_states(model or teacher(), Tokenizer(), texts, layers, progress=False, **given)


def alone(model, text):
    """Logits and states of one text, nothing batched."""
    ids = torch.tensor(Tokenizer()([text])["input_ids"])
    with torch.inference_mode():
        return model.eval()(input_ids=ids, output_hidden_states=True)


def test_the_states_are_the_teachers():
    model = teacher()
    model.train()  # it is asked in evaluation mode
    found = asked(model)
    assert found.classes == CLASSES
    assert found.words.tolist() == [3, 11, 1, 4, 3] and found.width == 12
    assert found.states.values.dtype == np.float16 and found.logits.dtype == np.float32
    for row, text in enumerate(TEXTS.str.replace("[sigh] ", "")):
        out = alone(model, text)
        np.testing.assert_allclose(found.logits[row], out.logits[0], atol=1e-5)
        for place, layer in enumerate((1, 3)):
            np.testing.assert_allclose(
                found.states[row][:, place], out.hidden_states[layer][0, 1:-1], rtol=1e-3, atol=1e-3
            )


def test_a_batch_is_padded_and_in_full_precision():
    found = asked()
    batch = found.batch(np.array([2, 1]))
    assert batch["word_mask"].tolist() == [[True] + 10 * [False], 11 * [True]]
    assert set(batch["teacher_states"]) == {1, 3}
    assert batch["teacher_states"][3].shape == (2, 11, 12)
    assert batch["teacher_states"][3].dtype == torch.float32
    assert not batch["teacher_states"][1][0, 1:].any()
    np.testing.assert_allclose(batch["teacher_states"][3][1], found.states[1][:, 1])
    np.testing.assert_allclose(batch["teacher_logits"], found.logits[[2, 1]])


def test_in_the_loop_it_is_the_same_up_to_half_precision():
    model, rows = teacher(), np.array([4, 0, 1])
    kept = asked(model).batch(rows)
    live = InTheLoop(model, Tokenizer(), TEXTS, (1, 3))
    batch = live.batch(rows)
    assert live.classes == CLASSES and live.width == 12
    assert torch.equal(kept["word_mask"], batch["word_mask"])
    assert kept["word_mask"].sum(1).tolist() == [3, 3, 11]
    torch.testing.assert_close(kept["teacher_logits"], batch["teacher_logits"], rtol=1e-5, atol=1e-5)
    for layer in (1, 3):
        one, two = kept["teacher_states"][layer], batch["teacher_states"][layer]
        torch.testing.assert_close(one, two, rtol=2**-10, atol=1e-4)
        assert not torch.equal(one, two)  # or nothing was halved


def test_the_cache_knows_teacher_texts_and_layers(tmp_path):
    first = asked(cache=tmp_path)
    assert isinstance(first.states.values, np.memmap)
    names = {one.name for one in tmp_path.iterdir()}
    assert len(names) == 2
    again = asked(cache=tmp_path)
    assert {one.name for one in tmp_path.iterdir()} == names
    np.testing.assert_array_equal(again.states.values, first.states.values)
    np.testing.assert_array_equal(again.logits, first.logits)
    np.testing.assert_array_equal(asked().states.values, first.states.values)
    for change in ({"model": teacher(1)}, {"texts": TEXTS[:4]}, {"layers": (1, 2)}):
        before = len(list(tmp_path.iterdir()))
        asked(**{"cache": tmp_path, **change})
        assert len(list(tmp_path.iterdir())) == before + 2, change


def test_nothing_is_asked_twice(tmp_path, monkeypatch):
    model, calls = teacher(), []
    asked(model, cache=tmp_path)
    forward = model.forward
    monkeypatch.setattr(model, "forward", lambda **given: (calls.append(1), forward(**given))[1])
    asked(model, cache=tmp_path)
    assert not calls
    for folder in tmp_path.glob("teacher-logits-*"):  # a run that was cut off between the two
        (folder / "values.npy").unlink()
        (folder / "offsets.npy").unlink()
        folder.rmdir()
    found = asked(model, cache=tmp_path)
    assert calls
    np.testing.assert_allclose(found.logits, asked(model).logits, atol=1e-6)


def test_logits_alone_take_no_layer():
    found = asked(layers=())
    assert found.states is None and found.width is None
    batch = found.batch(np.array([0, 2]))
    assert batch["teacher_states"] == {} and batch["word_mask"].shape == (2, 3)
    np.testing.assert_allclose(found.logits, asked().logits, atol=1e-6)
    live = InTheLoop(teacher(), Tokenizer(), TEXTS, ()).batch(np.array([0, 2]))
    assert live["teacher_states"] == {} and torch.equal(live["word_mask"], batch["word_mask"])


def test_disk_use_is_stated_and_bounded(tmp_path):
    found = asked(cache=tmp_path)
    size = size_of(found.words.sum(), 2, 12)
    assert size == 2 * 22 * 2 * 12
    file = next(tmp_path.glob("teacher-states-*")) / "values.npy"
    assert size <= file.stat().st_size <= size + 1024
    with pytest.raises(
        SernbError, match=r"would take 1.06e-06 GB, and the limit is 1e-06 GB. Take fewer layers"
    ):
        asked(limit=1000)
    again = asked(cache=tmp_path, limit=1000)  # it stands there already
    assert len(again.states) == 5


def test_a_full_disk_is_seen_before(tmp_path, monkeypatch):
    import shutil

    whole = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda where: whole._replace(free=100))
    with pytest.raises(SernbError, match="1e-07 GB are free"):
        asked(cache=tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"texts": pd.Series({"a": "fine", "b": "", "c": None, "d": "[sigh]"})}, "3 of 4 .*empty: b, c, d"),
        ({"texts": pd.Series([], dtype=str)}, "0 of 0 texts are empty"),
        ({"layers": (1, 4)}, "the teacher has 3 layers and no layer 4"),
        ({"layers": (-1,)}, "no layer -1"),
    ],
)  # fmt: skip
def test_bad_input(change, message):
    with pytest.raises(SernbError, match=message):
        asked(**change)


def test_states_beyond_half_precision_are_refused():
    model = teacher()
    with torch.no_grad():
        model.bert.encoder.layer[2].output.LayerNorm.weight.fill_(1e6)
    with pytest.raises(SernbError, match="do not fit into half precision"):
        asked(model)


def test_answers_and_words_out_of_vocabulary():
    tokenizer = AutoTokenizer.from_pretrained(str(own_folder("mini-bert")))
    torch.manual_seed(0)
    model = BertForSequenceClassification(
        BertConfig(vocab_size=len(tokenizer), hidden_size=12, num_hidden_layers=1, num_attention_heads=2,
                   intermediate_size=24, id2label=dict(enumerate(CLASSES)))
    )  # fmt: skip
    texts = pd.Series(
        {
            "en": "Good morning, this is good!",
            "de": "Guten Morgen",
            "ko": "안녕하세요 세계",
            "no": "",
            "half": "good 세계",
        }
    )
    found = answers(model, tokenizer, texts, progress=False)
    assert list(found) == [*CLASSES, "out_of_vocabulary"]
    np.testing.assert_allclose(found[list(CLASSES)].sum(axis=1), 1, atol=1e-6)
    assert found["out_of_vocabulary"].tolist() == [0, 1, 1, 0, 0.5]
    one = model(input_ids=torch.tensor([tokenizer("Guten Morgen")["input_ids"]])).logits.softmax(-1)
    np.testing.assert_allclose(found.loc["de", list(CLASSES)].astype(float), one[0].detach(), atol=1e-5)
