"""Transcripts as the paper's text stream takes them."""

import re
import warnings

import numpy as np
import pandas as pd

from sernb.core.errors import SernbError, some

NOTES = re.compile(r"\[[^\[\]]*\]|\([^()]*\)")
EMPTY = "NULL"
LONGEST = 512  # tokens, the positions of a BERT


def clean(text) -> str:
    """A transcript without the annotator's notes: [...] and (...) go, and what is then empty becomes "NULL".

    Source: the code of DistilSER. A missing transcript (None, NaN) is an empty one.
    """
    if text is None or (isinstance(text, float) and np.isnan(text)) or text is pd.NA:
        return EMPTY
    text, notes = str(text), 1
    while notes:  # a note may stand within another
        text, notes = NOTES.subn(" ", text)
    return " ".join(text.split()) or EMPTY


def token_ids(texts: pd.Series, tokenizer, longest: int = LONGEST) -> list[list[int]]:
    """Token ids of each cleaned transcript, [CLS] first, at most `longest`; a longer one keeps its beginning, with a
    warning. Raises SernbError where every one of several transcripts is empty."""
    cleaned = texts.map(clean)
    if len(cleaned) > 1 and (cleaned == EMPTY).all():
        raise SernbError(
            f"all {len(cleaned)} transcripts are empty: this corpus has no words for a text stream. Choose audio alone."
        )
    ids = tokenizer(list(cleaned), add_special_tokens=True, truncation=False, verbose=False)["input_ids"]
    cut = [name for name, one in zip(texts.index, ids, strict=True) if len(one) > longest]
    if cut:
        warnings.warn(
            f"{len(cut)} transcripts have more than {longest} tokens and keep their first {longest}: {some(cut)}.",
            stacklevel=2,
        )
    return [one if len(one) <= longest else [*one[: longest - 1], one[-1]] for one in ids]


def words_of(ids: list[int], weights: np.ndarray, tokenizer) -> tuple[list[str], np.ndarray]:
    """The words that token ids stand for, pieces put together again, and each word's share of `weights (tokens,)`."""
    words, shares = [], []
    for piece, weight in zip(tokenizer.convert_ids_to_tokens(list(map(int, ids))), weights, strict=True):
        if piece.startswith("##") and words:
            words[-1] += piece[2:]
            shares[-1] += float(weight)
        else:
            words.append(piece)
            shares.append(float(weight))
    return words, np.array(shares)
