"""Pretrained encoders by name: whole, cut, incomplete, of something else; VGGish's published weights from a
server here."""

import hashlib
import json
import os
import pickle
import shutil
import threading

import numpy as np
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
from sernb.features import encoders
from sernb.features import encoders as module
from sernb.features.encoders import (
    CONVS,
    LINEARS,
    audio_encoder,
    first_layers,
    own_folder,
    published_pca,
    published_vggish,
    speech_encoder,
    text_encoder,
)
from sernb.models.audio_text_regressor import speech_network
from sernb.models.vggish import PostProcess, VGGish, VGGishConfig
from tests.corpora.server import Server

SMALL = VGGishConfig(channels=(3, 4, 5, 5, 6, 7), hidden=(9, 8), embedding=6)
BERT = {
    "vocab_size": 50,
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 64,
}
SMALL_SPEECH = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32,
                "conv_dim": (8,) * 7, "num_conv_pos_embeddings": 8,
                "num_conv_pos_embedding_groups": 2}  # fmt: skip
SPEECH = {
    "hubert": {"model_type": "hubert", **SMALL_SPEECH},
    "large": {"model_type": "wav2vec2", **SMALL_SPEECH, "feat_extract_norm": "layer", "conv_bias": True,
              "do_stable_layer_norm": True},
}  # fmt: skip


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
    with pytest.raises(SernbError, match="first 5 layers of an encoder that has 3"):
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
    with pytest.raises(SernbError, match=r"size mismatch .*VGGish.save_pretrained wrote"):
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
    with pytest.raises(SernbError, match="first 9 layers of an encoder that has 3"):
        speech_encoder(str(folder), layers=9)


def test_wav2vec2_goes_the_same_way(tmp_path):
    config = Wav2Vec2Config(
        hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32, conv_dim=(8,) * 7,
        num_conv_pos_embeddings=8, num_conv_pos_embedding_groups=2, do_stable_layer_norm=True,
        feat_extract_norm="layer",
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
    with pytest.raises(SernbError, match=r"knows 5 pieces and the model \d+: .*tokenizer.json"):
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


def test_first_layers_are_copies_of_the_first_layers():
    torch.manual_seed(0)
    bert = BertModel(BertConfig(**BERT)).eval()
    student = first_layers(bert, 2).eval()
    ids = torch.randint(5, 50, (2, 6))
    with torch.inference_mode():
        states = bert(ids, output_hidden_states=True).hidden_states
        torch.testing.assert_close(student(ids).last_hidden_state, states[2])
    with torch.no_grad():
        student.encoder.layer[0].output.dense.weight.zero_()
    assert bert.encoder.layer[0].output.dense.weight.any()
    for layers in (0, 4):
        with pytest.raises(ValueError, match="has 3"):
            first_layers(bert, layers)


@pytest.mark.parametrize("kind", ["hubert", "large"])
def test_the_first_layers_of_a_speech_encoder(kind):
    torch.manual_seed(0)
    whole = speech_network(SPEECH[kind]).eval()
    cut = first_layers(whole, 1).eval()
    wave = torch.randn(1, 3000)
    with torch.inference_mode():
        states = whole(wave, output_hidden_states=True).hidden_states
        expected = states[1] if kind == "hubert" else whole.encoder.layer_norm(states[1])
        torch.testing.assert_close(cut(wave).last_hidden_state, expected)
    with pytest.raises(ValueError, match="first 5 layers"):
        first_layers(whole, 5)


@pytest.fixture
def model():
    torch.manual_seed(0)
    return VGGish(SMALL).eval()


@pytest.fixture
def pca():
    rng = np.random.default_rng(0)
    return {"pca_eigen_vectors": rng.normal(0, 0.1, (128, 128)), "pca_means": rng.random((128, 1))}


def as_the_reference(model):
    """The weights under the names that the package torchvggish gives them."""
    layers = [
        *zip((f"features.{n}" for n in CONVS), model.convs, strict=True),
        *zip((f"embeddings.{n}" for n in LINEARS), model.linears, strict=True),
    ]
    return {
        f"{name}.{kind}": getattr(layer, kind).detach().clone()
        for name, layer in layers
        for kind in ("weight", "bias")
    }


def save(content, path, **options):
    torch.save(content, path, **options)
    return path


def test_names_and_shapes_are_the_references():
    reference = pytest.importorskip("torchvggish.torchvggish", reason="pip install torchvggish")
    with torch.device("meta"):
        theirs, ours = reference.VGG(reference.make_layers(), postprocess=False), VGGish()
    expected = {name: tuple(value.shape) for name, value in theirs.state_dict().items()}
    assert {name: tuple(value.shape) for name, value in as_the_reference(ours).items()} == expected


@pytest.mark.parametrize(
    "zipped", [True, False]
)  # torch before 1.6, of which the release is, had another format
def test_weights_under_the_references_names(model, tmp_path, zipped):
    path = save(as_the_reference(model), tmp_path / "own.pth", _use_new_zipfile_serialization=zipped)
    found = published_vggish(path, config=SMALL)
    x = torch.randn(2, 96, 64)
    assert not found.training and torch.equal(found(x), model(x))
    assert all(one.requires_grad for one in found.parameters())


@pytest.mark.parametrize("kind", ["arrays", "tensors"])
def test_the_pca(pca, tmp_path, kind):
    saved = pca if kind == "arrays" else {name: torch.from_numpy(value) for name, value in pca.items()}
    found = published_pca(save(saved, tmp_path / "pca.pth"))
    x = torch.rand(3, 128)
    expected = PostProcess(pca["pca_eigen_vectors"], pca["pca_means"][:, 0])
    assert torch.equal(found(x), expected(x))


def test_arrays_that_an_older_numpy_saved(pca, tmp_path):
    path = save(pca, tmp_path / "new.pth", _use_new_zipfile_serialization=False)
    content = path.read_bytes().replace(b"cnumpy._core.multiarray\n", b"cnumpy.core.multiarray\n")
    assert content != path.read_bytes()
    path.write_bytes(content)
    assert published_pca(path).means.shape == (128,)


def test_a_file_that_runs_code_is_refused(tmp_path):
    class Attack:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "was here"),)

    for path in (save({"features.0.weight": Attack()}, tmp_path / "a.pth"), tmp_path / "b.pth"):
        if not path.exists():
            path.write_bytes(pickle.dumps(Attack(), protocol=2))
        with pytest.raises(SernbError, match="holds more than weights"):
            published_vggish(path, config=SMALL)
    assert not (tmp_path / "was here").exists()


@pytest.mark.parametrize("zipped", [True, False])
def test_a_truncated_file(model, tmp_path, zipped):
    path = save(as_the_reference(model), tmp_path / "own.pth", _use_new_zipfile_serialization=zipped)
    whole = path.read_bytes()
    for length in (0, 10, len(whole) // 2, len(whole) - 100):
        path.write_bytes(whole[:length])
        with pytest.raises(SernbError, match=r"own.pth: .*cut off.*expected the weights of VGGish"):
            published_vggish(path, config=SMALL)


def test_files_of_something_else(model, pca, tmp_path):
    path = tmp_path / "other.pth"
    path.write_text("<html>Sign in</html>")
    with pytest.raises(SernbError, match="is no file of weights"):
        published_vggish(path, config=SMALL)
    with pytest.raises(SernbError, match="holds a Tensor; expected the PCA"):
        published_pca(save(torch.zeros(3), path))
    with pytest.raises(SernbError, match=r"lacks features\.0\.weight, .*; expected the weights"):
        published_vggish(save(pca, path), config=SMALL)
    with pytest.raises(
        SernbError, match=r"cannot be read .*convs.0.weight: .*\[3, 1, 3, 3\].*\[64, 1, 3, 3\]"
    ):
        published_vggish(save(as_the_reference(model), path))
    with pytest.raises(SernbError, match=r"got \(128, 128\) and \(127,\)\); expected the PCA"):
        published_pca(save(pca | {"pca_means": np.zeros(127)}, path))
    with pytest.raises(SernbError, match=r"cannot be read .*expected the PCA"):
        published_pca(save(pca | {"pca_means": ["half"] * 128}, path))
    with pytest.raises(SernbError, match="pca_means holds NaN"):
        published_pca(save(pca | {"pca_means": np.full(128, np.nan)}, path))


def test_sums_of_local_files(pca, tmp_path):
    path = save(pca, tmp_path / "pca.pth")
    published_pca(path)
    renamed = path.rename(tmp_path / module.PCA)
    with pytest.raises(SernbError, match="expected one that begins with 970ea276"):
        published_pca(renamed)
    with pytest.raises(SernbError, match=r"nowhere.pth: there is no such file; expected vggish-10086976.pth"):
        published_vggish(tmp_path / "nowhere.pth")


@pytest.fixture
def published(pca, tmp_path, monkeypatch):
    """A server on this machine that publishes a PCA of ours, and an empty folder for downloads."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    server = Server()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    content = save(pca, tmp_path / "pca.pth").read_bytes()
    (tmp_path / "pca.pth").unlink()
    name = f"vggish_pca_params-{hashlib.sha256(content).hexdigest()[:8]}.pth"
    server.files[f"/{name}"] = content
    monkeypatch.setattr(module, "ADDRESS", f"{server.url}/")
    monkeypatch.setattr(module, "PCA", name)
    monkeypatch.setenv("SERNB_CORPORA", str(tmp_path))
    yield server, tmp_path / "vggish" / name
    server.shutdown()
    server.server_close()


def test_downloaded_once(published, pca):
    server, path = published
    first, second = published_pca(), published_pca()
    assert [asked for asked, _ in server.asked] == [f"/{path.name}"]
    assert [one.name for one in path.parent.iterdir()] == [path.name]
    assert torch.equal(first.means, second.means)
    np.testing.assert_allclose(first.means, pca["pca_means"][:, 0], rtol=1e-6)


def test_a_download_that_is_another_file_leaves_nothing(published):
    server, path = published
    server.files[f"/{path.name}"] = b"<html>Sign in</html>"
    with pytest.raises(SernbError, match="expected one that begins with"):
        published_pca()
    assert list(path.parent.iterdir()) == []


def test_a_download_that_was_damaged_later_is_told(published):
    _, path = published
    published_pca()
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(SernbError, match=f"{path.name}: its SHA-256 is .*damaged, or another"):
        published_pca()


def test_several_speech_encoders_have_a_name_each(monkeypatch):
    asked = []

    def one(name, layers, dropout):
        asked.append((name, layers, dropout))
        return torch.nn.Linear(1, 1), False

    monkeypatch.setattr(encoders, "speech_encoder", one)
    found = encoders.speech_encoders(["a/mini:3", "a/mini", "b/mini", "b/mini:3"], 0.2)
    assert list(found) == ["mini, 3 layers", "mini", "b/mini", "b/mini, 3 layers"]
    assert asked == [("a/mini", 3, 0.2), ("a/mini", None, 0.2), ("b/mini", None, 0.2), ("b/mini", 3, 0.2)]
