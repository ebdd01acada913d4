"""Errors in the words of a transcript: how many there are, and a knob that makes as many as one likes."""

import re
import unicodedata
import warnings
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache

import jiwer
import numpy as np
import pandas as pd
from rapidfuzz import process
from rapidfuzz.distance import Levenshtein

from sernb.core.errors import SernbError
from sernb.evaluation.intervals import interval, note, resample
from sernb.features.text import EMPTY, clean

KINDS = ("substitutions", "deletions", "insertions")
SHARES = (0.7, 0.15, 0.15)  # of these kinds among errors
NEAR = 8  # words that may take the place of another: those spelt most like it
LARGEST = 2  # errors at a time: a changed "don't" may count as two
# Accents and vowel signs that stand behind their letter; Python's \w knows letters and digits only.
MARKS = "".join(chr(one) for one in range(0x300, 0x10000) if unicodedata.category(chr(one))[0] == "M")
LETTERS = rf"(?:[^\W_]|[{MARKS}])+"
WORD = re.compile(rf"{LETTERS}(?:['’]{LETTERS})*")
BETWEEN = re.compile(rf"(?:_|[^\w{MARKS}])+")


def bare_words(text) -> list[str]:
    """The words that are compared: without notes in brackets, case and punctuation; "don't" counts as two."""
    cleaned = clean(text)
    if cleaned == EMPTY:
        return []
    return BETWEEN.sub(" ", unicodedata.normalize("NFKC", cleaned).casefold()).split()


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
        raise SernbError(
            "the reference and the transcript by machine stand for different utterances: join them first."
        )
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
    about (near a `wer` of 1 there are more substitutions). A word gives way to one that is spelt much like it
    (ASR errors sound like what was said), drawn by how often it is said; inserted words are drawn by that alone.
    Words come from `vocabulary` (texts whose words are counted; by default these `texts`), so no label has a part in
    it. Case and punctuation stay where they were.

    The errors are nested: with the same texts and seed, those at 0.1 are among those at 0.2. At 0 the texts are
    returned as they are. Raises SernbError for a `wer` outside 0 to 1, and for shares that do not add up to 1; warns
    where the rate is missed by more than one error, as for texts in which too little can go wrong.
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
    for line, place in queue:  # it grows: a word that another was put behind may be hit later
        # What is drawn, and what becomes of it, never depends on `wer`: so the errors are nested.
        kind, draw = int(rng.choice(3, p=shares)), float(rng.random())
        for way in dict.fromkeys((kind, 0, 1)):
            heard = line.changed(place, way, draw, vocabulary)
            more = line.errors_of(heard) - line.errors
            if 1 <= more <= LARGEST:
                break
        else:
            continue  # what is repeated or turned round already may make no error more
        if made + more > wanted:
            break
        line.heard, line.errors, made = heard, line.errors + more, made + more
        line.changes += 1
        if way == 2:
            queue.append((line, place))
    if wanted - made > 1:
        warnings.warn(
            f"{made} errors could be made of the {wanted} that a word error rate of {wer:g} takes. Give a larger "
            "vocabulary, or other shares of the kinds.",
            stacklevel=2,
        )
    return [line.text() if line.changes else text for line, text in zip(lines, texts, strict=True)]


def _composed(text):
    """The cleaned text, each letter with its accent as one sign where there is one."""
    return unicodedata.normalize("NFC", clean(text))


class _Line:
    """A text as words, and what is heard in place of each: () for nothing, or one word and more."""

    def __init__(self, text):
        self.truth = bare_words(text)
        cleaned = _composed(text) if self.truth else ""
        self.said, self.between = WORD.findall(cleaned), WORD.split(cleaned)
        self.heard, self.changes = [(word,) for word in self.said], 0
        self.errors = self.errors_of(self.heard)  # 0, but for signs that are compared as words, as ™ is

    def changed(self, place: int, way: int, draw: float, vocabulary: "_Vocabulary") -> list[tuple]:
        """What is heard with another word (way 0), without this one (1), or with one more behind it (2)."""
        first, *behind = self.heard[place]
        avoid = {word.casefold() for word in self.said}
        if way == 1:
            here = tuple(behind)
        elif way == 2:
            here = (first, *behind, *vocabulary.any(avoid, draw))
        else:
            other = vocabulary.near(first.casefold(), avoid, draw)
            here = (*(word.capitalize() if first[0].isupper() else word for word in other), *behind)
        return [*self.heard[:place], here, *self.heard[place + 1 :]]

    def errors_of(self, heard: list[tuple]) -> int:
        return Levenshtein.distance(self.truth, bare_words(" ".join(word for some in heard for word in some)))

    def text(self) -> str:
        """What is heard, with the punctuation of what was said; a lost word takes what stood before it along."""
        pieces = [
            (before if some else "") + " ".join(some)
            for before, some in zip(self.between, self.heard, strict=False)
        ]
        return "".join([*pieces, self.between[-1]]).lstrip(" ,;:.!?-–—…")


class _Vocabulary:
    """The words of some texts, the most frequent first, and how often each is said."""

    def __init__(self, texts: Iterable[str]):
        counts = Counter(
            word.casefold() for text in texts if bare_words(text) for word in WORD.findall(_composed(text))
        )
        self.words = sorted(counts, key=lambda word: (-counts[word], word))
        self.counts = np.array([counts[word] for word in self.words], float)
        self.nearest = cache(self._nearest)

    def near(self, word: str, avoid: set[str], draw: float) -> list[str]:
        """One of the words spelt most like `word`, none of `avoid`; [] where there is none."""
        return self._drawn([one for one in self.nearest(word) if self.words[one] not in avoid][:NEAR], draw)

    def any(self, avoid: set[str], draw: float) -> list[str]:
        """A word at all, none of `avoid`; [] where there is none."""
        return self._drawn([one for one, word in enumerate(self.words) if word not in avoid], draw)

    def _nearest(self, word):
        scored = process.extract(word, self.words, scorer=Levenshtein.normalized_similarity, limit=NEAR + 40)
        return [number for _, _, number in scored]

    def _drawn(self, numbers, draw):
        if not numbers:
            return []
        shares = self.counts[numbers].cumsum()
        return [self.words[numbers[int(np.searchsorted(shares, draw * shares[-1], side="right"))]]]
