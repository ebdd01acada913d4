"""Checks of the words, and of what gives the label away: a transcript in two parts, labels of its own."""

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import HashingVectorizer

from sernb.core.errors import some
from sernb.evaluation.audit.duplicates import candidates
from sernb.evaluation.audit.finding import count, finding, guessed, part_codes, uar
from sernb.protocols import Fold, normalised

SCRIPTED = 4.0  # utterances a sentence from which the corpus repeats its sentences by design
SPOKEN = 3  # words: shorter ones ("yes", "I see") come back in any conversation
TOLERATED = 0.01  # share of what is tested whose words may be known before it is called a leak
WEAK = 0.1  # Cramér's V up to which two columns are called independent
OFTEN = 0.5  # share of a corpus whose sentences come back from which their labels decide about its scores
PURE = 3  # utterances of a sentence before its having one label says something …
LONE = 10  # … and of a speaker
SHUFFLES = 999
GRAMS = 3  # letters; a word begins and ends with a space
NEAR = 0.8  # share of letter triples in common from which two texts are nearly one
BANDS, ROWS = 20, 5  # a pair at 0.8 is missed once in 2,800 times, at 0.9 never


def transcripts(utterances: pd.DataFrame, folds: list[Fold]) -> dict:
    """The share of what is tested whose words, or nearly, stand in training or validation of that fold."""
    check, words = "transcripts", _words(utterances)
    if words is None:
        return finding(check, "not checked", "No transcripts (no column 'text').")
    codes, distinct = pd.factorize(words)  # -1: no words, which is the last of what is indexed by codes
    spoken = np.append([text.count(" ") + 1 >= SPOKEN for text in distinct], False)[codes]
    pairs, _ = near_pairs(list(distinct))
    a, b = np.concatenate([pairs, pairs[:, ::-1]]).T

    # Of each tested utterance, find one of training or validation that has its words, or nearly.
    partner, exact, nearly, tested = np.full(len(words), -1), 0, 0, 0
    for fold in folds:
        part = part_codes(fold, utterances.index)
        learnt = np.flatnonzero((part == 1) | (part == 2))
        same = np.full(len(distinct) + 1, -1)  # a row with the words
        same[codes[learnt]] = learnt
        same[-1] = -1
        like, nearby = same.copy(), (same[a] < 0) & (same[b] >= 0)
        like[a[nearby]] = same[b[nearby]]
        rows = np.flatnonzero((part == 3) & spoken)
        rows_like = like[codes[rows]]
        partner[rows[rows_like >= 0]] = rows_like[rows_like >= 0]
        sizes = (same[codes[rows]] >= 0).sum(), (rows_like >= 0).sum(), (part == 3).sum()
        exact, nearly, tested = exact + int(sizes[0]), nearly + int(sizes[1]), tested + int(sizes[2])

    # Say how much that is.
    rows = np.flatnonzero(partner >= 0)
    if not len(rows):
        sentence = f"No sentence of {SPOKEN} words or more is both trained on and tested, nor nearly."
        return finding(check, "fine", sentence, (), 0.0)
    share, exact = nearly / max(tested, 1), exact / max(tested, 1)
    ids = [name for row in rows[:20] for name in utterances.index[[row, partner[row]]]]
    if (codes >= 0).sum() / len(distinct) >= SCRIPTED:
        said = f"By design: {count(len(distinct), 'sentence')} are said {(codes >= 0).sum():,} times"
        sentence = f"{said}; {share:.0%} of what is tested has known words (not by group-k-fold-by-sentence)."
        return finding(check, "caution", sentence, ids, share)
    sentence = f"{share:.1%} of what is tested has the words of a training or validation utterance "
    sentence += f"({exact:.1%} word for word, the rest nearly; {SPOKEN} words or more): known by heart?"
    return finding(check, "leak" if share > TOLERATED else "caution", sentence, ids, share)


def text_and_label(utterances: pd.DataFrame, folds: list[Fold]) -> dict:
    """Whether sentences that come back come back with the same label: then the words give it away."""
    check, words = "text and label", _words(utterances)
    if words is None or "emotion" not in utterances:
        return finding(check, "not checked", "Transcripts and emotion labels are both needed.")

    # Sentences that two speakers say or more (that are said twice, where nobody is known).
    labelled = words.where(utterances["emotion"].notna())
    known = "speaker" in utterances and utterances["speaker"].notna().any()
    voices = utterances["speaker"].groupby(labelled).nunique() if known else labelled.value_counts()
    back = labelled.where(labelled.isin(voices.index[voices > 1]))
    repeated = utterances[back.notna()]
    if back.nunique() < 2 or repeated["emotion"].nunique() < 2:
        few = f"{count(back.nunique(), 'sentence')} said by two speakers or more: too few to tell labels by."
        return finding(check, "not checked", few)

    # How far the sentence gets at telling the label.
    v, p = association(back, utterances["emotion"])
    pure = one_label_only(back, utterances["emotion"], PURE)
    rows = utterances.index[back.isin(pure.index)]
    guess = uar(looked_up(utterances, back, folds))
    facts = f"Cramér's V {v:.2f} (corrected), p {p:.3f}"
    if guess.tells:
        which = ""
        if len(pure):
            short = (text if len(text) <= 50 else text[:49] + "…" for text in pure.index)
            such = some((f"“{text}” ({label})" for text, label in zip(short, pure, strict=True)), 3)
            which = f": {count(len(pure), 'sentence')} of {back.nunique()} ({len(rows)} utterances) only ever"
            which += f" come with one emotion, such as {such}{_where(utterances, rows)}"
        most = len(repeated) >= OFTEN * len(labelled.dropna())
        give = "The words give the class away" if most else "Sentences that come back tend to have one label"
        sentence = f"{give}{which}; knowing only which sentence it is, and its label in training, gives "
        sentence += f"{guess} on the {len(repeated):,} that come back (chance {guess.chance:.2f}); {facts}."
        return finding(check, "leak" if most else "caution", sentence, rows, guess.value)
    if p < 0.01 and v > WEAK:
        sentence = f"Sentences and emotions are not independent; alone they give {guess} only ({facts})."
        return finding(check, "caution", sentence, rows, guess.value)
    sentence = f"Which of {back.nunique()} sentences it is says little about the label ({facts})."
    return finding(check, "fine", sentence, (), guess.value)


def group_and_label(utterances: pd.DataFrame, folds: list[Fold], column: str) -> dict:
    """Whether a speaker (gender, session) has own labels, and the folds let a model profit."""
    check = f"{column} and label"
    if column not in utterances or "emotion" not in utterances:
        return finding(check, "not checked", f"Columns {column!r} and 'emotion' are both needed.")
    v, p = association(utterances[column], utterances["emotion"])
    if np.isnan(v):
        return finding(check, "not checked", f"Fewer than two {column}s or two labels.")
    lone = one_label_only(utterances[column], utterances["emotion"], LONE)
    rows = utterances.index[utterances[column].isin(lone.index)]
    facts, alone = f"Cramér's V {v:.2f} (corrected), p {p:.3f}", ""
    if len(lone):
        names = some(f"{name} ({label})" for name, label in lone.items())
        alone = f" {count(len(lone), column)} have one label only: {names}."
    guess = uar(looked_up(utterances, utterances[column], folds))
    if guess.tells:
        knowing = f"Knowing the {column} alone, and the labels it had in training, gives {guess}"
        sentence = f"{knowing} (chance {guess.chance:.2f}); {facts}.{alone}"
        return finding(check, "leak" if column == "speaker" else "caution", sentence, rows, guess.value)
    apart = "not" if p < 0.01 and v > WEAK else "nearly"
    sentence = f"{column.capitalize()} and label are {apart} independent ({facts}).{alone}"
    return finding(check, "caution" if apart == "not" or len(lone) else "fine", sentence, rows, v)


def association(one: pd.Series, two: pd.Series) -> tuple[float, float]:
    """How strongly two columns of labels belong together: (Cramér's V, p); NaN for fewer than two values.

    V is corrected for bias (Bergsma 2013): 0 where they are independent, 1 where one gives the other.
    """
    both = one.notna().to_numpy() & two.notna().to_numpy()
    a, b = (pd.factorize(column[both].astype(str))[0] for column in (one, two))
    rows, columns, n = a.max(initial=-1) + 1, b.max(initial=-1) + 1, len(a)
    if min(rows, columns) < 2:
        return np.nan, np.nan
    expected = np.outer(np.bincount(a), np.bincount(b)) / n

    def chi_squared(b):
        seen = np.bincount(a * columns + b, minlength=rows * columns).reshape(rows, columns)
        return ((seen - expected) ** 2 / expected).sum()

    observed, draw = chi_squared(b), np.random.default_rng(0)
    as_large = sum(chi_squared(draw.permutation(b)) >= observed * (1 - 1e-9) for _ in range(SHUFFLES))
    phi = max(0.0, observed / n - (rows - 1) * (columns - 1) / (n - 1))
    smaller = min(size - (size - 1) ** 2 / (n - 1) for size in (rows, columns)) - 1
    v = float(np.sqrt(min(phi / smaller, 1.0))) if smaller > 0 else np.nan
    return v, (1 + as_large) / (1 + SHUFFLES)


def one_label_only(groups: pd.Series, labels: pd.Series, least: int) -> pd.Series:
    """The label of each group (speaker, sentence) of `least` utterances or more that all have one."""
    known = pd.DataFrame({"group": groups, "label": labels.astype(object)}).dropna()
    counts = known.groupby("group")["label"].agg(["size", "nunique", "first"])
    return counts.loc[(counts["size"] >= least) & (counts["nunique"] == 1), "first"]


def looked_up(utterances: pd.DataFrame, groups: pd.Series, folds: list[Fold]) -> pd.DataFrame:
    """Predictions by what labels the group had in training, rare ones weighing more; else at random."""
    codes, classes = pd.factorize(utterances["emotion"].astype(object), sort=True)
    group, draw = pd.factorize(groups)[0], np.random.default_rng(0)

    def guess(train, test):
        counts = np.zeros((group.max() + 1, len(classes)))
        np.add.at(counts, (group[train], codes[train]), 1)
        counts /= np.maximum(counts.sum(0), 1)
        return classes[(counts[group[test]] + 1e-9 * draw.random((len(test), len(classes)))).argmax(1)]

    return guessed(utterances, folds, group >= 0, guess, "look-up")


def near_texts(texts: pd.Series) -> pd.DataFrame:
    """Pairs of utterances with nearly the same words: columns a, b (ids), similarity, most alike first.

    similarity: the share of letter triples (Jaccard) of the normalised texts, at least 0.8. Of equal texts
    the first is paired with each other one; of nearly equal ones their firsts.
    """
    words = texts.dropna().astype(str).map(normalised)
    words = words[words != ""]
    codes, distinct = pd.factorize(words)
    firsts = np.zeros(len(distinct), int)
    firsts[codes[::-1]] = np.arange(len(codes))[::-1]
    same = np.flatnonzero(firsts[codes] != np.arange(len(codes)))
    pairs, similarity = near_pairs(list(distinct))
    a = words.index[np.concatenate([firsts[codes[same]], firsts[pairs[:, 0]]])]
    b = words.index[np.concatenate([same, firsts[pairs[:, 1]]])]
    table = pd.DataFrame({"a": a, "b": b, "similarity": np.concatenate([np.ones(len(same)), similarity])})
    return table.sort_values("similarity", ascending=False, kind="stable", ignore_index=True)


def near_pairs(texts: list[str], threshold: float = NEAR) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of different normalised texts that are nearly one, `(pairs, 2)`, and similarities `(pairs,)`."""
    if len(texts) < 2:
        return np.empty((0, 2), int), np.empty(0)
    plain = {"lowercase": False, "binary": True, "norm": None, "alternate_sign": False}
    vectors = HashingVectorizer(analyzer="char", ngram_range=(GRAMS, GRAMS), n_features=2**22, **plain)
    grams = vectors.transform(f" {text} " for text in texts)  # (texts, hashed triples), 0 or 1
    keys = np.column_stack([_band(grams, band) for band in range(BANDS)])  # (texts, BANDS)
    pairs = candidates(keys.ravel(), np.repeat(np.arange(len(texts)), BANDS), 1)[:, :2]
    sizes, similarity = np.diff(grams.indptr), np.empty(len(pairs))
    for first in range(0, len(pairs), 100_000):
        a, b = pairs[first : first + 100_000].T
        shared = np.asarray(grams[a].multiply(grams[b]).sum(1)).ravel()
        similarity[first : first + 100_000] = shared / (sizes[a] + sizes[b] - shared)
    near = similarity >= threshold
    return pairs[near], similarity[near]


def _band(grams, band: int) -> np.ndarray:
    """One key a text, uint32: equal where ROWS random orders of the triples begin with the same one."""
    draw, triples = np.random.default_rng(band), grams.indices.astype(np.uint64) + np.uint64(1)
    key = np.full(grams.shape[0], band + 1, np.uint64)
    for _ in range(ROWS):
        factor, shift = draw.integers(1, 2**63, 2, dtype=np.uint64)
        order = (triples * (factor | np.uint64(1)) + shift) >> np.uint64(32)
        key = (key ^ np.minimum.reduceat(order, grams.indptr[:-1])) * np.uint64(0x9E3779B97F4A7C15)
        key ^= key >> np.uint64(29)
    return (key >> np.uint64(32)).astype(np.uint32)


def _where(utterances: pd.DataFrame, ids: pd.Index) -> str:
    """The value of a column with few that nearly all of these utterances have, in words; "" for no such."""
    for column in utterances.columns.difference(["emotion", "text", "speaker", "path"]):
        values = utterances[column]
        if pd.api.types.is_numeric_dtype(values) or not 2 <= values.nunique() <= 10:
            continue
        shares = values[ids].value_counts(normalize=True)
        if len(shares) and shares.iloc[0] >= 0.95 and (values == shares.index[0]).mean() <= 0.8:
            return f", nearly all of {column} {shares.index[0]!r}"
    return ""


def _words(utterances: pd.DataFrame) -> pd.Series | None:
    if "text" not in utterances:
        return None
    words = utterances["text"].astype(object).map(normalised, na_action="ignore")
    words = words.where(words != "")
    return words if words.notna().any() else None
