import json

import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from sernb.core.errors import SernbError
from sernb.models.attention_pooling import CNNConfig, SpectrogramCNN
from sernb.models.three_m_ser import ThreeMSERConfig, assemble
from sernb.studies.checkpoints import learnt_from, load_network, save_network
from tests.studies.two_streams import encoders


@pytest.fixture
def tokenizer():
    pieces = {word: number for number, word in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "good", "bad"])}
    made = Tokenizer(models.WordPiece(pieces, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    return PreTrainedTokenizerFast(tokenizer_object=made, pad_token="[PAD]", unk_token="[UNK]")


def test_what_was_saved_comes_back_with_its_tokenizer(tmp_path, tokenizer):
    model = assemble(*encoders(), ThreeMSERConfig(classes=("happy", "sad", "angry")))
    folder = save_network(model, tokenizer, tmp_path / "teacher")
    assert learnt_from(folder) == []
    save_network(model, tokenizer, folder, ["one", "two"])  # a second time takes its place
    assert learnt_from(folder) == ["one", "two"]
    again, read = load_network(folder)
    assert again.shape == model.shape and read.get_vocab() == tokenizer.get_vocab()
    for name, value in model.state_dict().items():
        torch.testing.assert_close(again.state_dict()[name], value)
    assert [one.name for one in tmp_path.iterdir()] == ["teacher"]


def test_a_network_that_only_listens_needs_no_tokenizer(tmp_path):
    model = assemble(None, encoders()[1], ThreeMSERConfig())
    assert load_network(save_network(model, None, tmp_path / "deep" / "audio"))[1] is None


def test_a_checkpoint_of_another_class_is_refused(tmp_path):
    SpectrogramCNN(CNNConfig()).save_pretrained(tmp_path / "cnn")
    with pytest.raises(SernbError, match="cnn: this is no 3M-SER"):
        load_network(tmp_path / "cnn")


def test_an_incomplete_or_broken_folder_is_refused(tmp_path, tokenizer):
    model = assemble(*encoders(), ThreeMSERConfig())
    folder = save_network(model, tokenizer, tmp_path / "teacher")
    weights = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(weights[: len(weights) // 2])
    with pytest.raises(SernbError, match="this is no 3M-SER"):
        load_network(folder)
    (folder / "model.safetensors").unlink()
    with pytest.raises(SernbError, match=r"no model.safetensors"):
        load_network(folder)


def test_other_shapes_than_the_config_says_are_refused(tmp_path, tokenizer):
    folder = save_network(assemble(*encoders(), ThreeMSERConfig()), tokenizer, tmp_path / "teacher")
    config = json.loads((folder / "config.json").read_text())
    config["classes"] = ["one", "two"]
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(SernbError, match="this is no 3M-SER"):
        load_network(folder)


def test_an_interrupted_save_leaves_the_old_one(tmp_path, tokenizer, monkeypatch):
    model = assemble(*encoders(), ThreeMSERConfig())
    folder = save_network(model, tokenizer, tmp_path / "teacher")
    monkeypatch.setattr(type(tokenizer), "save_pretrained", lambda *a, **k: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        save_network(model, tokenizer, folder)
    assert load_network(folder)[0].shape == model.shape
    assert [one.name for one in tmp_path.iterdir()] == ["teacher"]
