"""The regressor: sizes of Table 1, padding and order of a batch, every branch, every kind of encoder."""

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import BertConfig, BertModel

from sernb.models.audio_text_regressor import (
    PUBLISHED,
    TINYBERT,
    AudioTextRegressor,
    RegressorConfig,
    assemble,
    front,
    pooled,
    receptive_field,
    speech_network,
)

SMALL = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32,
         "conv_dim": (8,) * 7, "num_conv_pos_embeddings": 8, "num_conv_pos_embedding_groups": 2}  # fmt: skip
KINDS = {
    "hubert": {"model_type": "hubert", **SMALL},
    "distilhubert": {"model_type": "hubert", **SMALL, "feat_proj_layer_norm": False},
    "wav2vec2": {"model_type": "wav2vec2", **SMALL},
    "large": {"model_type": "wav2vec2", **SMALL, "feat_extract_norm": "layer", "conv_bias": True,
              "do_stable_layer_norm": True},
}  # fmt: skip
TEXT = {
    "vocab_size": 50,
    "hidden_size": 12,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 24,
}
LENGTHS = (4000, 7000, 1200)


def model(kind="hubert", text=TEXT, **given):
    torch.manual_seed(0)
    speech = None if kind is None else KINDS[kind]
    return AudioTextRegressor(RegressorConfig(speech, text, **given)).eval()


def batch(pad=0):
    """Three utterances, with so much padding beyond the longest; what lies in the padding is noise, not
    zeros."""
    rng = torch.Generator().manual_seed(0)
    waveforms = torch.randn(3, max(LENGTHS) + pad, generator=rng)
    ids = torch.randint(1, 50, (3, 7 + pad % 5), generator=rng)
    mask = torch.arange(ids.shape[1]) < torch.tensor([7, 3, 5])[:, None]
    first = torch.Generator().manual_seed(1)
    for row, length in enumerate(LENGTHS):
        waveforms[row, :length] = torch.randn(length, generator=first)
        ids[row, : mask[row].sum()] = torch.randint(1, 50, (int(mask[row].sum()),), generator=first)
    return {
        "waveforms": waveforms, "samples": torch.tensor(LENGTHS), "input_ids": ids, "text_mask": mask,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "text", "millions"),
    [
        ("w2v2-L-robust(p)", None, 165), ("HuBERT base", None, 95), ("DistilHuBERT", None, 24),
        ("w2v2-L-robust(p)", TINYBERT, 180), ("HuBERT base", TINYBERT, 109), ("DistilHuBERT", TINYBERT, 39),
    ],
)  # fmt: skip
def test_sizes_of_table_1(name, text, millions):
    with torch.device("meta"):
        made = AudioTextRegressor(RegressorConfig(PUBLISHED[name], text))
    assert round(sum(one.numel() for one in made.parameters()) / 1e6) == millions


@pytest.mark.parametrize(
    ("name", "parameters"),
    [("w2v2-L-robust(p)", 164_284_032), ("HuBERT base", 94_371_712), ("DistilHuBERT", 23_491_968)],
)
def test_sizes_of_the_encoders(name, parameters):
    with torch.device("meta"):
        assert speech_network(PUBLISHED[name]).num_parameters() == parameters


@pytest.mark.parametrize("kind", KINDS)
def test_padding_changes_no_prediction(kind):
    one = model(kind)
    with torch.inference_mode():
        torch.testing.assert_close(
            one(**batch(0)).predicted, one(**batch(3333)).predicted, atol=2e-6, rtol=1e-5
        )


@pytest.mark.parametrize("kind", KINDS)
def test_a_batch_says_what_single_utterances_say(kind):
    one, given = model(kind), batch(777)
    with torch.inference_mode():
        together = one(**given).predicted
        for row, length in enumerate(LENGTHS):
            words = int(given["text_mask"][row].sum())
            alone = one(
                given["waveforms"][row : row + 1, :length], torch.tensor([length]),
                input_ids=given["input_ids"][row : row + 1, :words],
                text_mask=torch.ones(1, words, dtype=torch.bool),
            ).predicted[0]  # fmt: skip
            torch.testing.assert_close(together[row], alone, atol=2e-6, rtol=1e-5)


def test_order_of_a_batch_changes_no_prediction():
    one, given, turned = model(), batch(5), [2, 0, 1]
    with torch.inference_mode():
        torch.testing.assert_close(
            one(**given).predicted[turned],
            one(**{name: x[turned] for name, x in given.items()}).predicted,
            atol=2e-6, rtol=1e-5,
        )  # fmt: skip


def test_an_utterance_alone_is_what_transformers_makes_of_it():
    """The front end, projection and encoder in a row are the encoder's own forward pass."""
    one, wave = model(text=None), torch.randn(5000)
    with torch.inference_mode():
        states = one.speech(wave[None]).last_hidden_state
        expected = one.head((states.mean(1) + states.amax(1)) / 2)
        torch.testing.assert_close(one(wave[None], torch.tensor([5000])).predicted, expected)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("text", [None, TEXT])
def test_what_was_computed_before_gives_the_same(kind, text):
    one, given = model(kind, text), batch(10)
    with torch.inference_mode():
        whole = one(**given)
        frames, mask = one.frames_of(given["waveforms"], given["samples"])
        words = {name: given[name] for name in ("input_ids", "text_mask")}
        torch.testing.assert_close(one(frames=frames, frame_mask=mask, **words).predicted, whole.predicted)
        again = one(speech_pooled=whole.speech_pooled, text_pooled=whole.text_pooled)
        torch.testing.assert_close(again.predicted, whole.predicted)


def test_pooling_by_hand():
    states = torch.tensor([[[1.0, -4.0], [3.0, -2.0], [9.0, 9.0]]])
    mask = torch.tensor([[True, True, False]])
    assert pooled(states, mask).tolist() == [[2.5, -2.5]]
    assert pooled(states, mask, "sum").tolist() == [[5, -5]]
    assert pooled(states, mask, "concatenation").tolist() == [[2, -3, 3, -2]]


def test_padding_gets_no_gradient_and_the_front_end_none():
    one = assemble(speech_network(KINDS["hubert"]), None).train()
    frames = torch.randn(2, 9, 8, requires_grad=True)
    mask = torch.arange(9) < torch.tensor([9, 4])[:, None]
    one(frames=frames, frame_mask=mask).predicted.sum().backward()
    assert not frames.grad[1, 4:].any()
    assert frames.grad[1, :4].any()
    assert not any(p.requires_grad for p in one.speech.feature_extractor.parameters())
    assert all(p.grad is not None for p in one.head.parameters())


def test_training_drops_no_layer_and_masks_no_frame():
    one = model(text=None).train()
    assert one.speech.config.layerdrop == 0
    assert not one.speech.config.apply_spec_augment


def test_words_alone_and_speech_alone():
    given = batch()
    words = model(None)
    assert words(input_ids=given["input_ids"], text_mask=given["text_mask"]).predicted.shape == (3, 3)
    assert words.head[1].out_features == 12
    speech = model("hubert", None)
    assert speech(given["waveforms"], given["samples"]).predicted.shape == (3, 3)


def test_it_goes_through_a_folder(tmp_path):
    one, given = model("large", join="concatenation"), batch()
    one.save_pretrained(tmp_path)
    again = AudioTextRegressor.from_pretrained(tmp_path).eval()
    with torch.inference_mode():
        torch.testing.assert_close(one(**given).predicted, again(**given).predicted)


def test_assembled_encoders_are_kept():
    speech, text = speech_network(KINDS["wav2vec2"]), BertModel(BertConfig(**TEXT))
    one = assemble(speech, text)
    assert one.speech is speech
    assert one.text is text
    assert one.text.pooler is None
    assert all(p.isfinite().all() for p in one.head.parameters())


def test_the_shortest_waveform():
    one = speech_network(KINDS["hubert"])
    assert receptive_field(one.config) == 400
    assert front(one, torch.randn(400)).shape == (1, 8)
    with pytest.raises(ValueError, match=r"has 399 samples; a frame takes 400 \(25 ms"):
        front(one, torch.randn(399))


def test_bad_input_is_named():
    one, given = model(), batch()
    with pytest.raises(ValueError, match="was given no waveforms"):
        one(input_ids=given["input_ids"], text_mask=given["text_mask"])
    with pytest.raises(ValueError, match="was given no input_ids"):
        one(given["waveforms"], given["samples"])
    mask = given["text_mask"].clone()
    mask[1] = False
    with pytest.raises(ValueError, match="row 1 of the batch is padding throughout: its text mask"):
        one(**{**given, "text_mask": mask})
    with pytest.raises(ValueError, match="row 0 of the batch is padding throughout: its frame mask"):
        one.pool_speech(torch.randn(1, 4, 8), torch.zeros(1, 4, dtype=torch.bool))
    with pytest.raises(ValueError, match="first two sizes differ"):
        one.pool_speech(torch.randn(1, 4, 8), torch.ones(1, 5, dtype=torch.bool))
    with pytest.raises(ValueError, match="join is 'median'"):
        RegressorConfig(join="median")
    with pytest.raises(ValueError, match="both None"):
        RegressorConfig(None, None)
    with pytest.raises(ValueError, match="choose hubert or wav2vec2"):
        RegressorConfig({"model_type": "wavlm"})


def test_weights_that_are_missing_do_not_become_random_ones(tmp_path):
    model().save_pretrained(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    save_file(
        {name: one for name, one in weights.items() if not name.startswith("head.4")},
        tmp_path / "model.safetensors",
        {"format": "pt"},
    )
    with pytest.raises(ValueError, match=r"not the weights of this AudioTextRegressor .*\n?.*head\.4"):
        AudioTextRegressor.from_pretrained(tmp_path)


def test_an_assembled_encoder_drops_no_layer():
    speech = speech_network({**KINDS["hubert"], "layerdrop": 0.5, "apply_spec_augment": True})
    one = assemble(speech, None)
    assert (one.speech.config.layerdrop, one.speech.config.apply_spec_augment) == (0, False)
