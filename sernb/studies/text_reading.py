"""How well a vocabulary fits texts, and M1: a BERT that reads on in the domain of the texts it will be asked about.

Source: Li, Zhao, Jin, "Speech Emotion Recognition via Multi-Level Cross-Modal Distillation", Interspeech 2022, 2.1
(after Gururangan et al., "Don't Stop Pretraining", ACL 2020).
"""

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.nn import functional as F
from transformers import (
    BertConfig,
    BertForMaskedLM,
    BertModel,
    DataCollatorForLanguageModeling,
    set_seed,
)

from sernb.core.errors import SernbError
from sernb.core.files import must_be_new, whole_folder
from sernb.features.encoders import OWN, own_folder, quietly, text_encoder
from sernb.features.text import EMPTY, clean, learn
from sernb.studies.text_training import LAPTOP_READING, Recipe, Sentences, tokens_of, trained

VOCABULARIES = ("given", "own")
UNKNOWN, PIECES = 0.05, 2.5  # share of words, and pieces a word, above which a vocabulary does not fit
SAMPLE = 5000  # texts that a vocabulary is tried on before a training


def vocabulary_fit(tokenizer, sets: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """How well a vocabulary fits sets of texts, a row a set: texts, words, unknown, whole, pieces_per_word.

    unknown: share of the words that hold an unknown piece; whole: share of those that are one known piece. Marks count as
    words. A vocabulary of another language or domain has many unknown words or, where it knows single letters, cuts them to pieces.
    """
    rows = {}
    for name, texts in sets.items():
        told = [text for text in map(clean, texts) if text != EMPTY]
        if not told:
            raise SernbError(f"{name}: there is no text in {len(texts)} rows.")
        encoded = tokenizer(told, add_special_tokens=False, verbose=False)
        words = [
            (place, word, piece == tokenizer.unk_token_id)
            for place, ids in enumerate(encoded["input_ids"])
            for word, piece in zip(encoded.word_ids(place), ids, strict=True)
        ]
        each = pd.DataFrame(words, columns=["text", "word", "unknown"]).groupby(["text", "word"])["unknown"]
        unknown, pieces = each.any(), each.size()
        rows[name] = {
            "texts": len(told),
            "words": len(pieces),
            "unknown": unknown.mean(),
            "whole": ((pieces == 1) & ~unknown).mean(),
            "pieces_per_word": pieces.mean(),
        }
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("set")
    return table.astype({"texts": int, "words": int})


def warn_of_misfit(tokenizer, texts: list[str], what: str) -> None:
    """A warning where the texts are in another language or domain than the vocabulary."""
    row = vocabulary_fit(tokenizer, {what: texts[:: -(-len(texts) // SAMPLE)]}).iloc[0]
    if row["unknown"] > UNKNOWN or row["pieces_per_word"] > PIECES:
        warnings.warn(
            f"{what} do not fit the vocabulary: {row['unknown']:.1%} of their words are unknown, a word takes "
            f"{row['pieces_per_word']:.1f} pieces. Is it another language or domain? What cannot be read cannot be learnt; "
            'take an encoder of this language, or adapt(..., vocabulary="own").',
            stacklevel=3,
        )


def adapt(
    encoder: str,
    texts: Sequence[str],
    out: str | Path,
    recipe: Recipe = LAPTOP_READING,
    vocabulary: str = "given",
    size: int = 8000,
    held_out: float = 0.02,
    seed: int = 0,
    checkpoints: str | Path | None = None,
    progress: str | None = None,
) -> Path:
    """M1: let a BERT guess masked pieces of in-domain sentences; returns `out`, a folder for `text_encoder`.

    encoder: as `text_encoder` takes it (M0). The head that guesses is the encoder's own where it brings one, else new; it
    is not kept. The pooler stays as it was. vocabulary="own": a tokenizer of `size` pieces is learnt from `texts` first
    (sernb.features.text); pieces that both know keep their embedding, the others begin at random: what M0 could not read, M1 learns.
    held_out: share of the sentences that are only tried. `out` gets training.csv: epoch, loss, learning_rate and
    held_out_loss, cross-entropies in nats a masked piece. checkpoints: a folder from which a killed training goes on.
    Raises SernbError for fewer than two sentences, an unknown vocabulary, and a folder that is not empty.
    """
    out = Path(out)
    must_be_new(out)
    if vocabulary not in VOCABULARIES:
        raise SernbError(f"vocabulary is {vocabulary!r}; choose one of {', '.join(VOCABULARIES)}.")
    told = [text for text in map(clean, texts) if text != EMPTY]
    if len(told) < 2:
        raise SernbError(f"{len(told)} of {len(texts)} sentences have words; reading takes two or more.")
    model, tokenizer = text_encoder(encoder)
    set_seed(seed)
    if vocabulary == "own":
        model, tokenizer = _with_own_vocabulary(model, tokenizer, told, size)
    else:
        warn_of_misfit(tokenizer, told, "the sentences to read")
    tokens = tokens_of(told, tokenizer, model)
    order = np.random.default_rng(seed).permutation(len(told))
    tried, read = np.split(order, [max(1, round(held_out * len(told)))])
    reader = _Reader(model, _guesser(encoder, model.config))
    sets = [Sentences(tokens, rows) for rows in (read, tried)]
    collator = DataCollatorForLanguageModeling(tokenizer, mlm_probability=recipe.masked)
    curve = trained(
        reader, sets, recipe, seed, "held_out", collator, checkpoints=checkpoints, progress=progress
    )
    with whole_folder(out, new=True) as beside, quietly():
        model.save_pretrained(beside)
        tokenizer.save_pretrained(beside)
        curve.to_csv(beside / "training.csv", index=False, lineterminator="\n")
    return out


class _Reader(nn.Module):
    """An encoder that guesses the masked pieces, and them alone: the others' logits would be most of the work."""

    def __init__(self, encoder: BertModel, guess: nn.Module):
        super().__init__()
        self.encoder, self.transform, self.bias = encoder, guess.transform, guess.bias

    def forward(self, input_ids, attention_mask, labels):
        states = self.encoder(input_ids, attention_mask=attention_mask).last_hidden_state
        asked = labels != -100
        pieces = self.encoder.embeddings.word_embeddings.weight
        logits = F.linear(self.transform(states[asked]), pieces, self.bias)
        lost = F.cross_entropy(logits.float(), labels[asked], reduction="sum")
        return {"loss": lost / asked.sum().clamp(min=1)}


def _guesser(encoder: str, config: BertConfig) -> nn.Module:
    """The encoder's own head for masked pieces, or a new one where it has none or other pieces."""
    with quietly():
        own, report = BertForMaskedLM.from_pretrained(
            str(own_folder(encoder)) if encoder in OWN else encoder,
            dtype=torch.float32,
            use_safetensors=True,
            output_loading_info=True,
        )
    brought = not any(name.startswith("cls.") for name in report["missing_keys"])
    if brought and own.config.vocab_size == config.vocab_size:
        return own.cls.predictions
    return BertForMaskedLM(config).cls.predictions


def _with_own_vocabulary(encoder: BertModel, tokenizer, texts: list[str], size: int):
    """The encoder with embeddings for a tokenizer learnt from `texts`, and that tokenizer."""
    try:
        learnt = learn(texts, size)
    except ValueError as problem:
        raise SernbError(f"a vocabulary of the texts' own: {problem}") from None
    old, known, pieces = encoder.embeddings.word_embeddings, tokenizer.get_vocab(), learnt.get_vocab()
    new = nn.Embedding(len(learnt), old.embedding_dim, padding_idx=learnt.pad_token_id)
    shared = [piece for piece in pieces if piece in known]
    with torch.no_grad():
        new.weight.normal_(std=float(old.weight.std()))
        new.weight[[pieces[one] for one in shared]] = old.weight[[known[one] for one in shared]]
    encoder.embeddings.word_embeddings = new
    encoder.config.vocab_size, encoder.config.pad_token_id = len(learnt), learnt.pad_token_id
    return encoder, learnt
