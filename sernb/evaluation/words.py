"""Which words tell an emotion, how many a recogniser got wrong, and a knob that makes such errors."""

import re
import unicodedata
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cache

import jiwer
import numpy as np
import pandas as pd
from rapidfuzz import process
from rapidfuzz.distance import Levenshtein
from sklearn.feature_extraction.text import CountVectorizer

from sernb.core.errors import SernbError
from sernb.evaluation.baselines import WORDS
from sernb.evaluation.intervals import interval, note, resample
from sernb.features.text import EMPTY, clean

PRIOR = 500.0  # counts that the prior weighs as much as, shared among all words by how frequent they are
KINDS = ("substitutions", "deletions", "insertions")
SHARES = (0.7, 0.15, 0.15)  # of these kinds among made errors
NEAR = 8  # words that may take the place of another: those spelt most like it
# Accents and vowel signs that stand behind their letter; Python's \w knows letters and digits only.
MARKS = "".join(chr(code) for code in range(0x300, 0x10000) if unicodedata.category(chr(code))[0] == "M")
LETTERS = rf"(?:[^\W_]|[{MARKS}])+"
WORD = re.compile(rf"{LETTERS}(?:['’]{LETTERS})*")
BETWEEN = re.compile(rf"(?:_|[^\w{MARKS}])+")


def log_odds(texts: pd.Series, groups: pd.Series, least=5, shuffles=0, seed=0) -> tuple[pd.DataFrame, float]:
    """How much more often each group says a word than all the others do; an utterance counts a word once.

    Args:
        texts, groups: one an utterance, in the same order; rows without a text or a group are left out.
        least: words in fewer utterances are left out.
        shuffles, seed: of the groups among the utterances, to know chance by.

    Returns:
        A table (group, word, count, others: utterances of the group and of all others that say it; log_odds,
        z; the most telling first), and the largest z of one shuffle in 20 (NaN for none), below which a word
        is no news.

    Raises:
        SernbError: fewer than two groups, or no word that is frequent enough.
    """
    known = (texts.notna() & groups.notna()).to_numpy()
    groups = groups[known].astype("category").cat.remove_unused_categories()
    codes, names = groups.cat.codes.to_numpy(), groups.cat.categories
    if len(names) < 2:
        raise SernbError(f"words are compared between groups; there are {len(names)} with words.")

    # Count: which utterance says which of the words that are frequent enough.
    vectorizer = CountVectorizer(token_pattern=WORDS, binary=True)
    try:
        counts = vectorizer.fit_transform(texts[known].str.replace("’", "'"))  # (utterances, words)
    except ValueError:  # scikit-learn's "empty vocabulary"
        raise SernbError("the texts hold no words.") from None
    frequent = np.flatnonzero(np.asarray(counts.sum(0)).ravel() >= least)
    if not len(frequent):
        raise SernbError(f"no word stands in {least} utterances or more; lower `least`.")
    words, counts = vectorizer.get_feature_names_out()[frequent], counts[:, frequent].tocsr()
    members = np.eye(len(names))[codes]  # (utterances, groups)
    of_group = counts.T.dot(members).T  # (groups, words)

    # Score, and score the shuffled groups.
    ratios, z = dirichlet_log_odds(of_group)
    rng = np.random.default_rng(seed)
    shuffled = (counts.T.dot(rng.permutation(members)).T for _ in range(shuffles))
    largest = [dirichlet_log_odds(by_chance)[1].max() for by_chance in shuffled]
    others = of_group.sum(0) - of_group
    group = pd.Categorical(np.repeat(names, len(words)), names)
    table = pd.DataFrame({"group": group, "word": np.tile(words, len(names))})
    table["count"], table["others"] = of_group.ravel().astype(int), others.ravel().astype(int)
    table["log_odds"], table["z"] = ratios.ravel(), z.ravel()
    table = table.sort_values("z", ascending=False, kind="stable", ignore_index=True)
    return table, float(np.quantile(largest, 0.95)) if shuffles else np.nan


def dirichlet_log_odds(counts: np.ndarray, prior: float = PRIOR) -> tuple[np.ndarray, np.ndarray]:
    """Counts (groups, words) → log-odds of each group against all others, and z; both (groups, words).

    Monroe, Colaresi and Quinn, "Fightin' Words", Political Analysis 2008: equations 16, 20 and 22.
    """
    total = counts.sum(0)
    alpha = prior * total / total.sum()

    def odds(mine):
        mine = mine + alpha
        return np.log(mine) - np.log(mine.sum(1, keepdims=True) - mine), 1 / mine

    (here, here_variance), (there, there_variance) = odds(counts), odds(total - counts)
    return here - there, (here - there) / np.sqrt(here_variance + there_variance)


def bare_words(text) -> list[str]:
    """The words that are compared: no notes in brackets, case or punctuation; "don't" counts as two."""
    cleaned = clean(text)
    if cleaned == EMPTY:
        return []
    return BETWEEN.sub(" ", unicodedata.normalize("NFKC", cleaned).casefold()).split()


def word_error_rate(reference: Iterable, hypothesis: Iterable) -> pd.Series:
    """Word errors of a whole column: all errors by all words of the reference, drawn by utterance.

    reference, hypothesis: one transcript an utterance (two Series: of one index). Returns ``WER, low, high``
    (95 %), ``substitutions, deletions, insertions, hits, words`` (of the reference), ``utterances, empty``
    (references without a word), ``note``. Raises SernbError for other lengths or utterances, and for none.
    """
    both = isinstance(reference, pd.Series) and isinstance(hypothesis, pd.Series)
    if both and not reference.index.equals(hypothesis.index):
        raise SernbError("reference and transcript by machine are of different utterances: join them first.")
    counts = error_counts(list(reference), list(hypothesis))
    total, words = counts.sum(0), counts[:, [0, 1, 3]].sum(1)
    low, high = interval(_rate(resample(counts, 2000, 0)), 0.95, len(counts))
    return pd.Series(
        {"WER": float(_rate(total)), "low": low, "high": high}
        | dict(zip((*KINDS, "hits"), total.astype(int).tolist(), strict=True))
        | {"words": int(words.sum()), "utterances": len(counts), "empty": int((words == 0).sum())}
        | {"note": note("utterance", len(counts))}
    )


def error_counts(reference: Sequence, hypothesis: Sequence) -> np.ndarray:
    """Substitutions, deletions, insertions and hits of each utterance, `(utterances, 4)`."""
    if len(reference) != len(hypothesis) or not len(reference):
        sizes = f"there are {len(hypothesis)} and {len(reference)}"
        raise SernbError(f"a word error rate takes as many transcripts as references, one at least; {sizes}.")
    counts = np.zeros((len(reference), 4))
    for row, pair in enumerate(zip(reference, hypothesis, strict=True)):
        aligned = jiwer.process_words(*(" ".join(bare_words(text)) for text in pair))
        counts[row] = aligned.substitutions, aligned.deletions, aligned.insertions, aligned.hits
    return counts


def _rate(counts):
    words = counts[..., 0] + counts[..., 1] + counts[..., 3]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(words > 0, counts[..., :3].sum(-1) / words, np.nan)


def corrupted(texts: Iterable[str], wer: float, seed: int) -> list[str]:
    """The texts with word errors, nested by seed: so many that the word error rate over all is `wer`, 0 to 1.

    About 70 % substitutions, 15 % deletions, 15 % insertions. A word gives way to one that is spelt much like
    it, drawn by how often it is said; all come from the texts themselves. Warns where the rate is missed.
    """
    if not 0 <= wer <= 1:
        raise SernbError(f"a wanted word error rate lies between 0 and 1; it is {wer}.")
    texts = list(texts)
    references = [bare_words(text) for text in texts]
    cleaned = [unicodedata.normalize("NFC", clean(text)) for text in texts]
    words = [WORD.findall(text) if bare else [] for text, bare in zip(cleaned, references, strict=True)]
    heard, changed, errors = [list(line) for line in words], list(texts), [0] * len(texts)
    made, wanted = 0, round(wer * sum(map(len, references)))
    for row, column, instead in _errors(words, seed):
        if instead == heard[row][column]:
            continue
        heard[row][column] = instead
        # A lost word takes what stood before it along; punctuation that would begin a text goes, too.
        *between, last = WORD.split(cleaned[row])
        pieces = [sign + word if word else "" for sign, word in zip(between, heard[row], strict=True)]
        text = "".join([*pieces, last]).lstrip(" ,;:.!?-–—…")
        more = Levenshtein.distance(references[row], bare_words(text)) - errors[row]
        if made + more > wanted:
            break
        changed[row], errors[row], made = text, errors[row] + more, made + more
    else:
        if made < wanted:
            warnings.warn(f"{made} errors could be made of the {wanted} of a WER of {wer:g}.", stacklevel=2)
    return changed


def _errors(words: list[list[str]], seed: int) -> Iterator[tuple[int, int, str]]:
    """One error after another, whatever the rate, so that they nest: row, column, what is heard there."""
    counts = Counter(word.casefold() for line in words for word in line)
    vocabulary = sorted(counts, key=lambda word: (-counts[word], word))

    @cache
    def nearest(word):
        alike = process.extract(word, vocabulary, scorer=Levenshtein.normalized_similarity, limit=NEAR + 40)
        return [other for other, _, _ in alike]

    def one_of(candidates, chance):
        shares = np.cumsum([counts[word] for word in candidates])
        return candidates[np.searchsorted(shares, chance * shares[-1], side="right")] if candidates else ""

    # Draw for each word a turn, a kind of error, and which other word. One that another is put behind has a
    # second turn after all the first ones, and gives way, so that a rate of 1 can be reached.
    cells = [(row, column) for row, line in enumerate(words) for column in range(len(line))]
    rng = np.random.default_rng(seed)
    order, kinds = rng.permutation(len(cells)), rng.choice(KINDS, len(cells), p=SHARES)
    chances = rng.random((len(cells), 2))
    turns = [(number, kinds[number]) for number in order]
    turns += [(number, "both") for number, kind in turns if kind == "insertions"]
    for number, kind in turns:
        row, column = cells[number]
        word, behind = words[row][column], ""
        avoid = {other.casefold() for other in words[row]}
        if kind in ("insertions", "both"):
            behind = one_of([other for other in vocabulary if other not in avoid], chances[number, 0])
        if kind in ("substitutions", "both"):
            alike = [other for other in nearest(word.casefold()) if other not in avoid][:NEAR]
            other = one_of(alike, chances[number, 1])
            word = other.capitalize() if word[0].isupper() else other
        yield row, column, " ".join(filter(None, ("" if kind == "deletions" else word, behind)))
