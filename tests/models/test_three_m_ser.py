import pytest
import torch
from torch.nn import functional as F
from transformers import BertConfig, BertModel

from sernb.models.three_m_ser import ThreeMSER, ThreeMSERConfig, assemble
from sernb.models.vggish import PostProcess, VGGish, VGGishConfig

TEXT = {
    "vocab_size": 50,
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 64,
}
AUDIO = VGGishConfig(channels=(2, 2, 4, 4, 4, 4), hidden=(8, 8), embedding=16)


def network(**given):
    torch.manual_seed(0)
    return ThreeMSER(ThreeMSERConfig(text=TEXT, audio=AUDIO, **given)).eval()


def batch(lengths=(4, 7, 2), examples=(2, 1, 3)):
    torch.manual_seed(1)
    ids = [torch.randint(5, 50, (length,)) for length in lengths]
    sounds = [torch.randn(count, 96, 64) for count in examples]
    text_mask = torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]
    audio_mask = torch.arange(max(examples)) < torch.tensor(examples)[:, None]
    pad = torch.nn.utils.rnn.pad_sequence
    return (
        ids,
        sounds,
        {
            "input_ids": pad(ids, batch_first=True),
            "text_mask": text_mask,
            "examples": pad(sounds, batch_first=True),
            "audio_mask": audio_mask,
        },
    )


@pytest.mark.parametrize("streams", [("text", "audio"), ("text",), ("audio",)])
@pytest.mark.parametrize("postprocess", [False, True])
def test_a_batch_gives_the_logits_of_single_utterances(streams, postprocess):
    model = network(streams=streams, postprocess=postprocess)
    ids, sounds, together = batch()
    with torch.inference_mode():
        found = model(**together).logits
        for row, (one, sound) in enumerate(zip(ids, sounds, strict=True)):
            alone = model(
                input_ids=one[None],
                text_mask=torch.ones(1, len(one), dtype=torch.bool),
                examples=sound[None],
                audio_mask=torch.ones(1, len(sound), dtype=torch.bool),
            )
            torch.testing.assert_close(found[row : row + 1], alone.logits, atol=1e-5, rtol=0)


def test_what_stands_in_the_padding_makes_no_difference():
    model = network()
    _, _, given = batch()
    with torch.inference_mode():
        before = model(**given)
        given["input_ids"][~given["text_mask"]] = 17
        given["examples"][~given["audio_mask"]] = torch.nan
        after = model(**given)
    torch.testing.assert_close(before.logits, after.logits)
    torch.testing.assert_close(before.fused, after.fused)


def test_encoder_outputs_computed_before_give_the_same():
    model = network()
    _, _, given = batch()
    with torch.inference_mode():
        whole = model(**given)
        states = model.encode_text(given["input_ids"], given["text_mask"])
        heard = model.encode_audio(given["examples"], given["audio_mask"])
        again = model(
            text_states=states,
            text_mask=given["text_mask"],
            audio_states=heard,
            audio_mask=given["audio_mask"],
        )
    torch.testing.assert_close(whole.logits, again.logits)
    torch.testing.assert_close(whole.text_states, states)


def test_the_head_is_the_papers_written_out_again():
    """Position 0 of full attention over [text, audio], as the authors' code has it: all positions ask, the
    first is read."""
    model = network()
    _, _, given = batch((5,), (2,))
    head = model.head
    with torch.inference_mode():
        text = model.text(given["input_ids"]).last_hidden_state
        audio = model.audio(given["examples"][0])[None]
        x, _ = head.text_attention(text, text, text)
        x = F.layer_norm(head.text_linear(x), (16,), head.text_norm.weight, head.text_norm.bias)
        y = F.layer_norm(audio, (16,), head.audio_norm.weight, head.audio_norm.bias)
        both = torch.cat([x, y], 1)
        z, weights = head.fusion_attention(both, both, both)
        z = F.layer_norm(head.fusion_linear(z), (16,), head.fusion_norm.weight, head.fusion_norm.bias)
        logits = head.classify(F.leaky_relu(head.linear(z[:, 0])))
        out = model(**given, attention=True)
    torch.testing.assert_close(out.logits, logits, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(out.fusion_attention, weights[:, 0], atol=1e-6, rtol=1e-5)
    assert out.text_attention.shape == (1, 5, 5)


def test_attention_is_over_real_positions_and_sums_to_one():
    _, _, given = batch()
    seen = network()(**given, attention=True).fusion_attention
    torch.testing.assert_close(seen.sum(1), torch.ones(3))
    assert not seen[~torch.cat([given["text_mask"], given["audio_mask"]], 1)].any()


def test_the_gradient_behind_the_rounding_is_zero():
    _, _, given = batch()
    for postprocess in (True, False):
        model = network(postprocess=postprocess)
        model(**given, labels=torch.tensor([0, 1, 2])).loss.backward()
        assert any(p.grad is not None and p.grad.any() for p in model.audio.parameters()) != postprocess


def test_it_is_assembled_from_encoders_and_comes_back_from_disk(tmp_path):
    torch.manual_seed(0)
    config = ThreeMSERConfig(classes=("happy", "sad"))
    model = assemble(BertModel(BertConfig(**TEXT)), VGGish(AUDIO), config, PostProcess(torch.eye(16))).eval()
    assert model.shape.postprocess and model.shape.classes == ("happy", "sad")
    _, _, given = batch()
    model.save_pretrained(tmp_path)
    again = ThreeMSER.from_pretrained(tmp_path).eval()
    assert again.shape == model.shape
    with torch.inference_mode():
        torch.testing.assert_close(again(**given).logits, model(**given).logits)
    alone = assemble(None, VGGish(AUDIO), config)
    assert alone.shape.streams == ("audio",) and not hasattr(alone, "text")


def test_what_does_not_fit_is_named():
    model = network()
    _, _, given = batch()
    with pytest.raises(ValueError, match="no examples with audio_mask, or audio_states"):
        model(input_ids=given["input_ids"], text_mask=given["text_mask"])
    with pytest.raises(ValueError, match="no input_ids with text_mask"):
        model(**{**given, "text_mask": None})
    empty = given["text_mask"].clone()
    empty[1] = False
    with pytest.raises(ValueError, match="row 1 of the batch is padding throughout: its text mask"):
        model(**{**given, "text_mask": empty})
    states = model.encode_audio(given["examples"], given["audio_mask"])[:, :2]
    with pytest.raises(ValueError, match=r"audio mask is \(3, 3\)"):
        model(**{**given, "audio_states": states})
    with pytest.raises(ValueError, match="streams"):
        ThreeMSERConfig(streams=("video",))
