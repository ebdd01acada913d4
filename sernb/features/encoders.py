"""Pretrained encoders by name: the kit's own, or published ones from the hub or a folder."""

from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

import torch
from transformers import (
    AutoConfig,
    AutoFeatureExtractor,
    AutoTokenizer,
    BertModel,
    HubertModel,
    Wav2Vec2Model,
)
from transformers.utils import logging as transformers_logging

from sernb.core.errors import SernbError
from sernb.core.files import reading
from sernb.features.speech import RATE
from sernb.features.vggish_weights import published_vggish
from sernb.models.audio_text_regressor import KINDS, first_speech_layers
from sernb.models.three_m_ser import first_layers
from sernb.models.vggish import VGGish

OWN = {
    "mini-bert": "mini_bert",
    "mini-tinybert": "mini_tinybert",
    "mini-vggish": "mini_vggish",
    "mini-hubert": "mini_hubert",
    "mini-distilhubert": "mini_distilhubert",
}


def own_folder(name: str) -> Path:
    """Where one of the kit's own encoders lies: one of the names of `OWN`."""
    return Path(str(files("sernb.features") / "weights" / OWN[name]))


def text_encoder(name: str = "mini-bert", layers: int | None = None) -> tuple[BertModel, object]:
    """A pretrained BERT with its tokenizer; `layers` keeps the first so many (None: all).

    name: "mini-bert", "mini-tinybert" (the kit's own), a folder, or a name on the Hugging Face hub ("bert-base-uncased",
    "huawei-noah/TinyBERT_General_4L_312D"). Weights are read from safetensors only. The tokenizer's `model_max_length` is
    at most what the model has positions for. Raises SernbError for another architecture, an incomplete folder, a tokenizer
    that is missing or another model's, or too few layers.
    """
    where = str(own_folder(name)) if name in OWN else name
    expected = "expected config.json, model.safetensors and a tokenizer of a BERT"
    with reading(name, expected):
        kind = AutoConfig.from_pretrained(where).model_type
        if kind != "bert":
            raise SernbError(f"{name}: this is a {kind!r}; the text stream takes a BERT ('bert').")
        tokenizer = AutoTokenizer.from_pretrained(where)
        with quietly():
            model, report = BertModel.from_pretrained(
                where, dtype=torch.float32, use_safetensors=True, output_loading_info=True
            )
    lacking = [one for one in report["missing_keys"] if not one.startswith("pooler.")]
    if lacking:  # transformers would go on with random weights
        raise SernbError(f"{name}: {len(lacking)} weights are missing, {lacking[0]} among them; {expected}.")
    known = model.config.vocab_size
    if not known / 2 <= len(tokenizer) <= known:  # without its files transformers makes one that knows five
        raise SernbError(
            f"{name}: the tokenizer knows {len(tokenizer)} pieces and the model {known}; they do not belong together, or "
            "tokenizer.json (or vocab.txt) is missing. Save both into one folder."
        )
    tokenizer.model_max_length = min(tokenizer.model_max_length, model.config.max_position_embeddings)
    try:
        return (model if layers is None else first_layers(model, layers)), tokenizer
    except ValueError as problem:
        raise SernbError(f"{name}: {problem}.") from None


def speech_encoder(
    name: str = "mini-hubert", layers: int | None = None, dropout: float = 0.1
) -> tuple[HubertModel | Wav2Vec2Model, bool]:
    """A pretrained HuBERT, DistilHuBERT or wav2vec 2.0, and whether it wants each waveform at mean 0 and variance 1.

    name: "mini-hubert", "mini-distilhubert" (the kit's own), a folder, or a name on the hub ("facebook/hubert-base-ls960",
    "ntu-spml/distilhubert", "facebook/wav2vec2-large-robust"). `layers` keeps the first so many (None: all; 12 of the 24 of
    wav2vec2-large-robust are the paper's w2v2-L-robust(p)). dropout: throughout the encoder (paper, 3.2); no layer is
    dropped and no frame masked in training. Weights are read from safetensors only. Raises SernbError for another
    architecture, an incomplete folder, another sampling rate than 16 kHz, a batch normalisation, or too few layers.
    """
    where = str(own_folder(name)) if name in OWN else name
    expected = (
        "expected config.json, preprocessor_config.json and model.safetensors of a HuBERT or wav2vec 2.0"
    )
    settings = {
        one: dropout
        for one in ("hidden_dropout", "attention_dropout", "activation_dropout", "feat_proj_dropout")
    }
    with reading(name, expected):
        config = AutoConfig.from_pretrained(where)
        kind = config.model_type
        if kind not in KINDS:
            raise SernbError(
                f"{name}: this is a {kind!r}; a speech encoder is a HuBERT or wav2vec 2.0 ({', '.join(KINDS)})."
            )
        if getattr(config, "conv_pos_batch_norm", False):
            raise SernbError(
                f"{name}: conv_pos_batch_norm is true. That normalisation gives padding a value, so predictions would "
                "depend on the other utterances of a batch. Choose an encoder without it, as all published by name here."
            )
        extractor = AutoFeatureExtractor.from_pretrained(where)
        normalise = bool(extractor.do_normalize)
        if extractor.sampling_rate != RATE:
            raise SernbError(
                f"{name}: preprocessor_config.json says {extractor.sampling_rate} Hz; speech is given at {RATE} Hz here. "
                "Choose an encoder that was trained at that rate."
            )
        with quietly():
            model, report = KINDS[kind][1].from_pretrained(
                where, dtype=torch.float32, use_safetensors=True, output_loading_info=True,
                layerdrop=0.0, apply_spec_augment=False, **settings,
            )  # fmt: skip
    lacking = [one for one in report["missing_keys"] if one != "masked_spec_embed"]
    if lacking:  # transformers would go on with random weights
        raise SernbError(f"{name}: {len(lacking)} weights are missing, {lacking[0]} among them; {expected}.")
    try:
        return (model if layers is None else first_speech_layers(model, layers)), normalise
    except ValueError as problem:
        raise SernbError(f"{name}: {problem}.") from None


def audio_encoder(name: str = "mini-vggish") -> VGGish:
    """A pretrained VGGish: "mini-vggish" (the kit's own), "vggish" (published; downloaded once), a .pth file with the
    published weights, or a folder that `VGGish.save_pretrained` wrote. Raises SernbError for anything else."""
    if name == "vggish" or str(name).endswith(".pth"):
        return published_vggish(None if name == "vggish" else Path(name))
    folder = own_folder(name) if name in OWN else Path(name)
    for file in ("config.json", "model.safetensors"):
        if not (folder / file).is_file():
            raise SernbError(
                f"{name}: there is no {folder / file}. Name mini-vggish, vggish, a .pth file with the published weights, "
                "or a folder that VGGish.save_pretrained wrote."
            )
    with reading(name, "expected what VGGish.save_pretrained wrote"):
        return VGGish.from_pretrained(
            str(folder), strict=True
        ).float()  # or what is missing would stay random


@contextmanager
def quietly():
    """Without transformers' bar and its table of missing weights, which are looked at here (a pooler is never used)."""
    level, bars = transformers_logging.get_verbosity(), transformers_logging.is_progress_bar_enabled()
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    try:
        yield
    finally:
        transformers_logging.set_verbosity(level)
        if bars:
            transformers_logging.enable_progress_bar()
