"""Transcripts that are the same, or nearly: found by what they share (MinHash, Broder 1997), not each by each."""

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import HashingVectorizer

from sernb.evaluation.audit.buckets import candidates
from sernb.protocols import normalised

GRAMS = 3  # letters; a word begins and ends with a space
NEAR = 0.8  # share of letter triples in common from which two texts are nearly one
BANDS, ROWS = 20, 5  # a pair at 0.8 is missed once in 2,800 times, at 0.9 never


def near_texts(texts: pd.Series, threshold: float = NEAR) -> pd.DataFrame:
    """Pairs of utterances with the same or nearly the same words: columns a, b (ids), similarity, most alike first.

    texts: str by utterance; missing ones and those without a letter are left out. similarity: the share of letter
    triples (Jaccard) of the normalised texts, 1 where these are equal. Of n utterances with the same words, the first
    is paired with each other one; of nearly equal texts their firsts are paired, and where very many are alike, each with its neighbours only.
    """
    words = texts.dropna().astype(str).map(normalised)
    words = words[words != ""]
    codes, distinct = pd.factorize(words)
    firsts = np.zeros(len(distinct), int)
    firsts[codes[::-1]] = np.arange(len(codes))[::-1]
    same = np.flatnonzero(firsts[codes] != np.arange(len(codes)))
    pairs, similarity = near_pairs(list(distinct), threshold)
    table = pd.DataFrame(
        {
            "a": words.index[np.concatenate([firsts[codes[same]], firsts[pairs[:, 0]]])],
            "b": words.index[np.concatenate([same, firsts[pairs[:, 1]]])],
            "similarity": np.concatenate([np.ones(len(same)), similarity]),
        }
    )
    return table.sort_values("similarity", ascending=False, kind="stable", ignore_index=True)


def near_pairs(texts: list[str], threshold: float = NEAR) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of different normalised texts that are nearly one: rows `(pairs, 2)`, and their similarity `(pairs,)`."""
    if len(texts) < 2:
        return np.empty((0, 2), int), np.empty(0)
    vectors = HashingVectorizer(
        analyzer="char", ngram_range=(GRAMS, GRAMS), lowercase=False, binary=True, norm=None,
        alternate_sign=False, n_features=2**22,
    )  # fmt: skip
    grams = vectors.transform(f" {text} " for text in texts)  # (texts, hashed triples), 0 or 1
    keys = np.column_stack([_band(grams, band) for band in range(BANDS)])  # (texts, BANDS)
    pairs = candidates(keys.ravel(), np.repeat(np.arange(len(texts)), BANDS), 1)[:, :2]
    sizes = np.diff(grams.indptr)
    similarity = np.empty(len(pairs))
    for first in range(0, len(pairs), 100_000):
        a, b = pairs[first : first + 100_000].T
        shared = np.asarray(grams[a].multiply(grams[b]).sum(1)).ravel()
        similarity[first : first + 100_000] = shared / (sizes[a] + sizes[b] - shared)
    near = similarity >= threshold
    return pairs[near], similarity[near]


def _band(grams, band: int) -> np.ndarray:
    """One key a text, uint32 `(texts,)`: equal where ROWS random orders of the triples begin with the same one."""
    draw = np.random.default_rng(band)
    key = np.full(grams.shape[0], band + 1, np.uint64)
    for _ in range(ROWS):
        factor, shift = draw.integers(1, 2**63, 2, dtype=np.uint64)
        order = (
            (grams.indices.astype(np.uint64) + np.uint64(1)) * (factor | np.uint64(1)) + shift
        ) >> np.uint64(32)
        lowest = np.minimum.reduceat(order, grams.indptr[:-1])
        key = (key ^ lowest) * np.uint64(0x9E3779B97F4A7C15)
        key ^= key >> np.uint64(29)
    return (key >> np.uint64(32)).astype(np.uint32)
