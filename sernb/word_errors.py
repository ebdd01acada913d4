"""Errors in the words of a transcript: how many there are, and a knob that makes as many as one likes."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache

import jiwer
import numpy as np
import pandas as pd
from rapidfuzz import process
from rapidfuzz.distance import Levenshtein

from sernb.errors import SernbError
from sernb.evaluation.intervals import interval, note, resample
from sernb.protocols import normalised
from sernb.text import EMPTY, clean

KINDS = ("substitutions", "deletions", "insertions")
SHARES = (0.7, 0.15, 0.15)  # of these kinds among errors
NEAR = 8  # words that may take the place of another: those spelt most like it
LARGEST = 2  # errors at a time: a changed "don't" may count as two
WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")


def bare_words(text) -> list[str]:
    """The words that are compared: without notes in brackets, case and punctuation; "don't" counts as two."""
    cleaned = clean(text)
    return [] if cleaned == EMPTY else normalised(cleaned).split()


def word_error_rate(
    reference: Iterable, hypothesis: Iterable, n: int = 2000, seed: int = 0, level: float = 0.95
) -> pd.Series:
    """Word errors of a whole column: all errors by all words of the reference, with a bootstrap interval by utterance.

    reference, hypothesis: one transcript an utterance, in the same order (two Series need the same index); both are
    compared as `bare_words`. Returns ``WER, low, high, substitutions, deletions, insertions, hits, words`` (of the
    reference), ``utterances, empty`` (references without a word: all that was heard there is an insertion), ``level,
    note``. WER may exceed 1, and is NaN where no reference has a word. Alignment by jiwer (Levenshtein's).

    Raises SernbError for columns of different lengths or utterances, and for none at all.
    """
    both = [isinstance(one, pd.Series) for one in (reference, hypothesis)]
    if all(both) and not reference.index.equals(hypothesis.index):
        raise SernbError("the reference and the transcript by machine stand for different utterances: join them first.")
    counts = error_counts(list(reference), list(hypothesis))
    drawn = resample(counts, n, seed)
    total = dict(zip((*KINDS, "hits"), counts.sum(0).astype(int).tolist(), strict=True))
    low, high = interval(_rate(drawn), level, len(counts))
    return pd.Series(
        {"WER": float(_rate(counts.sum(0))), "low": low, "high": high, **total}
        | {"words": int(counts.sum(0)[[0, 1, 3]].sum()), "utterances": len(counts)}
        | {"empty": int((counts[:, [0, 1, 3]].sum(1) == 0).sum())}
        | {"level": level, "note": note("utterance", len(counts))}
    )


def error_counts(reference: Sequence, hypothesis: Sequence) -> np.ndarray:
    """Substitutions, deletions, insertions and hits of each utterance, `(utterances, 4)`."""
    if len(reference) != len(hypothesis) or not len(reference):
        raise SernbError(
            f"a word error rate compares as many transcripts as references, one at least; there are {len(hypothesis)} "
            f"and {len(reference)}."
        )
    counts = np.zeros((len(reference), 4))
    for row, pair in enumerate(zip(reference, hypothesis, strict=True)):
        said, heard = (" ".join(bare_words(text)) for text in pair)
        found = jiwer.process_words(said, heard)
        counts[row] = found.substitutions, found.deletions, found.insertions, found.hits
    return counts


def _rate(counts):
    words = counts[..., 0] + counts[..., 1] + counts[..., 3]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(words > 0, counts[..., :3].sum(-1) / words, np.nan)


def corrupted(
    texts: Iterable[str],
    wer: float,
    seed: int,
    vocabulary: Iterable[str] | None = None,
    shares: tuple[float, float, float] = SHARES,
) -> list[str]:
    """The texts with word errors: as many that the word error rate over all of them is `wer`, within one error.

    A stand-in for a recogniser of any quality. `shares` of the errors are substitutions, deletions and insertions,
    about (the nearer `wer` comes to 1, the more substitutions). A word gives way to one that is spelt much like it
    (ASR errors sound like what was said), drawn by how often it is said; inserted words are drawn by that alone.
    Words come from `vocabulary` (texts whose words are counted; by default these `texts`), so no label has a part in
    it. Case and punctuation stay where they were.

    The errors are nested: with the same texts and seed, those at 0.1 are among those at 0.2. At 0 the texts are
    returned as they are. Raises SernbError for a `wer` outside 0 to 1, shares that are none, and where the vocabulary
    is too small for so many errors.
    """
    texts = list(texts)
    if not 0 <= wer <= 1:
        raise SernbError(f"a wanted word error rate lies between 0 and 1; it is {wer}.")
    if len(shares) != 3 or min(shares) < 0 or not np.isclose(sum(shares), 1):
        raise SernbError(f"shares of substitutions, deletions and insertions add up to 1; they are {shares}.")
    rng, lines = np.random.default_rng(seed), [_Line(text) for text in texts]
    wanted, made = round(wer * sum(len(line.truth) for line in lines)), 0
    vocabulary = _Vocabulary(texts if vocabulary is None else vocabulary)
    places = [(line, place) for line in lines for place in range(len(line.said))]
    queue = [places[number] for number in rng.permutation(len(places))]
    for line, place in queue:  # it grows: a word that another is put behind may be hit later
        # What is drawn, and what is done with it, never depends on `wer`: so errors are nested.
        kind, draw = int(rng.choice(3, p=shares)), rng.random()
        more, done = line.wrong(place, kind, draw, vocabulary)
        if made + more > wanted:
            break
        if more:
            line.heard, made = done, made + more
        if more and done[place][1:] != ():
            queue.append((line, place))
    if wanted - made >= LARGEST:
        raise SernbError(
            f"only {made} of {wanted} word errors can be made of {len(vocabulary.words)} words: give a larger vocabulary."
        )
    return [line.text() if line.errors else text for line, text in zip(lines, texts, strict=True)]


class _Line:
    """A text as words, and what is heard in place of each: () for nothing, or words."""

    def __init__(self, text: str):
        self.truth = bare_words(text)
        cleaned = clean(text) if self.truth else ""
        self.said = WORD.findall(cleaned)
        self.between = WORD.split(cleaned)  # before the first word, between words, behind the last
        self.heard = [(word,) for word in self.said]
        self.errors = 0
