import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import (
    BertConfig,
    BertModel,
    HubertConfig,
    HubertModel,
    PreTrainedTokenizerFast,
    Wav2Vec2Config,
    Wav2Vec2FeatureExtractor,
    Wav2Vec2Model,
)

from sernb.core.errors import SernbError
from sernb.features.encoders import audio_encoder, own_folder, speech_encoder, text_encoder
from sernb.models.three_m_ser import first_layers
from sernb.models.vggish import VGGish, VGGishConfig


@pytest.fixture
def checkpoint(tmp_path):
    """A small BERT with its tokenizer, saved as anybody's is."""
    torch.manual_seed(0)
    pieces = {word: number for number, word in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "good", "bad"])}
    tokenizer = Tokenizer(models.WordPiece(pieces, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    folder = tmp_path / "bert"
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]").save_pretrained(
        folder
    )
    config = BertConfig(
        vocab_size=6, hidden_size=32, num_hidden_layers=3, num_attention_heads=4, intermediate_size=64
    )
    model = BertModel(config)
    model.save_pretrained(folder)
    return folder, model.eval()


def test_a_folder_gives_its_weights_and_its_first_layers(checkpoint):
    folder, model = checkpoint
    found, tokenizer = text_encoder(str(folder))
    student, _ = text_encoder(str(folder), layers=2)
    ids = torch.tensor([tokenizer("good bad good")["input_ids"]])
    with torch.inference_mode():
        torch.testing.assert_close(found.eval()(ids).last_hidden_state, model(ids).last_hidden_state)
        torch.testing.assert_close(
            student.eval()(ids).last_hidden_state, first_layers(model, 2).eval()(ids).last_hidden_state
        )
    with pytest.raises(SernbError, match="first 5 layers of a BERT that has 3"):
        text_encoder(str(folder), layers=5)


def test_what_is_no_bert_is_refused(checkpoint, tmp_path):
    folder, _ = checkpoint
    (folder / "model.safetensors").rename(folder / "elsewhere")
    with pytest.raises(SernbError, match=r"cannot be read .*expected config.json, model.safetensors"):
        text_encoder(str(folder))
    with pytest.raises(SernbError, match="cannot be read"):
        text_encoder(str(tmp_path / "nowhere"))
    HubertConfig().save_pretrained(tmp_path / "hubert")
    with pytest.raises(SernbError, match="this is a 'hubert'"):
        text_encoder(str(tmp_path / "hubert"))


def test_weights_that_are_missing_do_not_become_random_ones(checkpoint):
    folder, _ = checkpoint
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "num_hidden_layers": 4}))
    with pytest.raises(SernbError, match="weights are missing"):
        text_encoder(str(folder))


def test_a_tokenizer_of_another_model_is_refused(checkpoint):
    folder, model = checkpoint
    small = BertModel(BertConfig(**{**model.config.to_dict(), "vocab_size": 4}))
    small.save_pretrained(folder)
    with pytest.raises(SernbError, match="knows 6 pieces and the model 4"):
        text_encoder(str(folder))


def test_audio_encoders(tmp_path):
    model = VGGish(VGGishConfig((2, 2, 4, 4, 4, 4), (8, 8), 16))
    model.save_pretrained(tmp_path / "own")
    again = audio_encoder(str(tmp_path / "own"))
    torch.testing.assert_close(again.convs[0].weight, model.convs[0].weight)
    with pytest.raises(SernbError, match=r"there is no .*config.json"):
        audio_encoder(str(tmp_path / "nowhere"))
    (tmp_path / "own" / "config.json").write_text('{"config": {"channels": [2, 2, 4, 4, 4, 8]}}')
    with pytest.raises(SernbError, match="expected what VGGish"):
        audio_encoder(str(tmp_path / "own"))


def test_a_vggish_without_some_weights_does_not_get_random_ones(tmp_path):
    VGGish(VGGishConfig((2, 2, 4, 4, 4, 4), (8, 8), 16)).save_pretrained(tmp_path)
    without(tmp_path, "linears.1")
    with pytest.raises(SernbError, match=r"Missing key.*linears\.1"):
        audio_encoder(str(tmp_path))


def without(folder, part):
    weights = load_file(folder / "model.safetensors")
    kept = {name: one for name, one in weights.items() if part not in name}
    assert len(kept) < len(weights)
    save_file(kept, folder / "model.safetensors", {"format": "pt"})


def test_the_kits_own_are_there():
    bert, tokenizer = text_encoder()
    assert bert.config.num_hidden_layers == 6 and bert.dtype == torch.float32
    assert tokenizer("We won!")["input_ids"][0] == tokenizer.cls_token_id
    vggish = audio_encoder()
    assert vggish(torch.zeros(2, 96, 64)).shape == (2, vggish.shape.embedding)
    assert next(vggish.parameters()).dtype == torch.float32


@pytest.fixture
def speech_checkpoint(tmp_path):
    """A small HuBERT, saved as anybody's is."""
    torch.manual_seed(0)
    folder = tmp_path / "hubert"
    config = HubertConfig(
        hidden_size=16, num_hidden_layers=3, num_attention_heads=2, intermediate_size=32, conv_dim=(8,) * 7,
        num_conv_pos_embeddings=8, num_conv_pos_embedding_groups=2, layerdrop=0.3,
    )  # fmt: skip
    model = HubertModel(config)
    model.save_pretrained(folder)
    Wav2Vec2FeatureExtractor(do_normalize=False).save_pretrained(folder)
    return folder, model.eval()


def test_a_speech_encoder_from_a_folder(speech_checkpoint):
    folder, model = speech_checkpoint
    found, normalise = speech_encoder(str(folder))
    assert normalise is False
    assert found.config.layerdrop == 0
    assert not found.config.apply_spec_augment
    assert found.encoder.layers[0].dropout.p == 0.1
    wave = torch.randn(1, 4000)
    with torch.inference_mode():
        expected = model(wave, output_hidden_states=True).hidden_states
        torch.testing.assert_close(found.eval()(wave).last_hidden_state, expected[-1])
        cut, _ = speech_encoder(str(folder), layers=2)
        torch.testing.assert_close(cut.eval()(wave).last_hidden_state, expected[2])
    with pytest.raises(SernbError, match="first 9 layers of a speech encoder that has 3"):
        speech_encoder(str(folder), layers=9)


def test_wav2vec2_goes_the_same_way(tmp_path):
    config = Wav2Vec2Config(
        hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32, conv_dim=(8,) * 7,
        num_conv_pos_embeddings=8, num_conv_pos_embedding_groups=2, do_stable_layer_norm=True, feat_extract_norm="layer",
    )  # fmt: skip
    Wav2Vec2Model(config).save_pretrained(tmp_path)
    Wav2Vec2FeatureExtractor(do_normalize=True).save_pretrained(tmp_path)
    found, normalise = speech_encoder(str(tmp_path), layers=1)
    assert normalise is True
    assert len(found.encoder.layers) == 1


def test_what_is_no_speech_encoder_is_refused(speech_checkpoint, checkpoint, tmp_path):
    bert, _ = checkpoint
    with pytest.raises(SernbError, match="this is a 'bert'; a speech encoder is a HuBERT or wav2vec"):
        speech_encoder(str(bert))
    with pytest.raises(SernbError, match="cannot be read"):
        speech_encoder(str(tmp_path / "nowhere"))
    folder, _ = speech_checkpoint
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "num_hidden_layers": 4}))
    with pytest.raises(SernbError, match=r"16 weights are missing, encoder\.layers\.3"):
        speech_encoder(str(folder))
    (folder / "model.safetensors").unlink()
    with pytest.raises(SernbError, match="cannot be read"):
        speech_encoder(str(folder))


def test_an_incomplete_speech_folder_is_named(speech_checkpoint):
    folder, _ = speech_checkpoint
    (folder / "preprocessor_config.json").unlink()
    with pytest.raises(SernbError, match=r"expected config.json, preprocessor_config.json"):
        speech_encoder(str(folder))


def changed(folder, file, **given):
    settings = json.loads((folder / file).read_text())
    (folder / file).write_text(json.dumps({**settings, **given}))


def test_a_bert_without_a_tokenizer_is_refused(tmp_path):
    """transformers makes one that takes every word for unknown."""
    folder = tmp_path / "bert"
    shutil.copytree(own_folder("mini-tinybert"), folder)
    (folder / "tokenizer.json").unlink()
    with pytest.raises(SernbError, match=r"knows 5 pieces and the model \d+; .*tokenizer.json"):
        text_encoder(str(folder))


def test_the_tokenizer_knows_how_much_the_model_reads(checkpoint):
    folder, model = checkpoint
    assert text_encoder(str(folder))[1].model_max_length == 512
    BertModel(BertConfig(**{**model.config.to_dict(), "max_position_embeddings": 32})).save_pretrained(folder)
    assert text_encoder(str(folder))[1].model_max_length == 32


def test_a_speech_encoder_that_padding_would_change_is_refused(speech_checkpoint):
    folder, _ = speech_checkpoint
    changed(folder, "config.json", conv_pos_batch_norm=True)
    with pytest.raises(SernbError, match="conv_pos_batch_norm is true"):
        speech_encoder(str(folder))


def test_another_sampling_rate_is_refused(speech_checkpoint):
    folder, _ = speech_checkpoint
    changed(folder, "preprocessor_config.json", sampling_rate=8000)
    with pytest.raises(SernbError, match="says 8000 Hz; speech is given at 16000 Hz"):
        speech_encoder(str(folder))


@pytest.mark.parametrize(
    "settings",
    [
        {"hidden_size": 24}, {"hidden_size": 17}, {"conv_dim": [8] * 6}, {"hidden_act": "foo"},
        {"num_conv_pos_embedding_groups": 7}, {"num_hidden_layers": "three"},
    ],
)  # fmt: skip
def test_damaged_settings_are_named_with_their_folder(speech_checkpoint, settings):
    folder, _ = speech_checkpoint
    changed(folder, "config.json", **settings)
    with pytest.raises(SernbError, match=r"hubert: cannot be read \(.*expected config.json"):
        speech_encoder(str(folder))


@pytest.mark.parametrize("kind", ["bert", "hubert", "vggish"])
@pytest.mark.parametrize("share", [0, 0.5])
def test_cut_off_weights_are_named_with_their_folder(checkpoint, speech_checkpoint, tmp_path, kind, share):
    VGGish(VGGishConfig((2, 2, 4, 4, 4, 4), (8, 8), 16)).save_pretrained(tmp_path / "vggish")
    file = tmp_path / kind / "model.safetensors"
    file.write_bytes(file.read_bytes()[: int(share * file.stat().st_size)])
    read = {"bert": text_encoder, "hubert": speech_encoder, "vggish": audio_encoder}[kind]
    with pytest.raises(SernbError, match=rf"{kind}: .*expected"):
        read(str(tmp_path / kind))
