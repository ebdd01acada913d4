"""Checks of the words: the same transcript in two parts, and sentences that give the label away."""

import numpy as np
import pandas as pd

from sernb.core.errors import some
from sernb.evaluation.audit.by_parts import part_codes
from sernb.evaluation.audit.confounding import association, looked_up, one_label_only
from sernb.evaluation.audit.finding import count, finding, tells, uar
from sernb.evaluation.audit.texts import near_pairs
from sernb.protocols import Fold, normalised

SCRIPTED = 4.0  # utterances a sentence from which the corpus repeats its sentences by design
SPOKEN = 3  # words: shorter ones ("yes", "I see") come back in any conversation
TOLERATED = 0.01  # share of what is tested whose words may be known before it is called a leak
WEAK = 0.1  # Cramér's V up to which two columns are called independent
OFTEN = 0.5  # share of a corpus whose sentences come back from which their labels decide about its scores
PURE = 3  # utterances of a sentence before its having one label says something …
LONE = 10  # … and of a speaker


def transcripts(utterances: pd.DataFrame, folds: list[Fold]) -> dict:
    """The share of what is tested whose words, or nearly, stand in training or validation (of each fold that tests it)."""
    words = _words(utterances)
    if words is None:
        return finding("transcripts", "not checked", "No transcripts (no column 'text').")
    codes, distinct = pd.factorize(words)  # -1: no words
    long = np.array([text.count(" ") + 1 >= SPOKEN for text in distinct], bool)
    pairs, _ = near_pairs(list(distinct))
    codes = np.where(codes < 0, len(distinct), codes)  # the last place takes the missing
    spoken = np.append(long, False)[codes]
    near, same_tests, near_tests, tested = np.zeros(len(words), bool), 0, 0, 0
    partner = np.full(len(words), -1)
    for fold in folds:
        part = part_codes(fold, utterances.index)
        heard = np.full(len(distinct) + 1, -1)  # a row of training or validation with these words
        learnt = np.flatnonzero((part == 1) | (part == 2))
        heard[codes[learnt]] = learnt
        heard[-1] = -1
        like = heard.copy()
        for a, b in (pairs.T, pairs.T[::-1]):
            learnt_too = heard[b] >= 0  # one text may be near several, of which some are heard
            like[a[learnt_too]] = np.where(
                heard[a[learnt_too]] >= 0, heard[a[learnt_too]], heard[b[learnt_too]]
            )
        rows = np.flatnonzero((part == 3) & (codes < len(distinct)))
        near[rows] |= like[codes[rows]] >= 0
        same_tests += int((spoken[rows] & (heard[codes[rows]] >= 0)).sum())
        near_tests += int((spoken[rows] & (like[codes[rows]] >= 0)).sum())
        partner[rows] = np.where(like[codes[rows]] >= 0, like[codes[rows]], partner[rows])
        tested += int((part == 3).sum())
    known = near & spoken
    exact, share = same_tests / max(tested, 1), near_tests / max(tested, 1)
    rows = np.flatnonzero(known)
    ids = [name for row in rows[:20] for name in (utterances.index[row], utterances.index[partner[row]])]
    repeats = (codes < len(distinct)).sum() / max(len(distinct), 1)
    if not known.any():
        return finding(
            "transcripts", "fine", f"No sentence of {SPOKEN} words or more is both trained on and tested, nor nearly.", (), 0.0
        )  # fmt: skip
    if repeats >= SCRIPTED:
        return finding(
            "transcripts", "caution",
            f"By design: {count(len(distinct), 'sentence')} are said {len(words.dropna()):,} times, so {share:.0%} of what is tested has words "
            "that the model has met. Scores say nothing about new sentences; group-k-fold-by-sentence does.", ids, share,
        )  # fmt: skip
    return finding(
        "transcripts", "leak" if share > TOLERATED else "caution",
        f"{share:.1%} of what is tested has the words of a training or validation utterance ({exact:.1%} word for word, the rest nearly; "
        f"sentences of {SPOKEN} words or more): a model of the words may know the answer by heart.", ids, share,
    )  # fmt: skip


def text_and_label(utterances: pd.DataFrame, folds: list[Fold]) -> dict:
    """Whether sentences that come back come back with the same label: then the words give it away."""
    check, words = "text and label", _words(utterances)
    if words is None or "emotion" not in utterances:
        return finding(check, "not checked", "Transcripts and emotion labels are both needed.")
    labelled = words.where(utterances["emotion"].notna())
    by = utterances["speaker"] if "speaker" in utterances else pd.Series(utterances.index, utterances.index)
    voices = by.groupby(labelled).nunique() if by.notna().any() else labelled.value_counts()
    back = labelled.where(labelled.isin(voices.index[voices > 1]))  # said by two speakers or more
    repeated = utterances[back.notna()]
    if back.nunique() < 2 or repeated["emotion"].nunique() < 2:
        return finding(
            check, "not checked",
            f"{count(back.nunique(), 'sentence')} said by two speakers or more: too few to tell if a sentence gives its label away.",
        )  # fmt: skip
    v, p = association(back, utterances["emotion"])
    pure = one_label_only(back, utterances["emotion"], PURE)
    rows = utterances.index[back.isin(pure.index)]
    value, low, high, chance = _guessed(utterances, back, folds)
    told = tells(low, chance)
    facts = f"Cramér's V {v:.2f} (corrected), p {p:.3f}"
    if told:
        guess = (
            f"knowing only which sentence it is, and what label it had in training, gives a UAR of {value:.2f} "
            f"[{low:.2f}, {high:.2f}] on the {len(repeated):,} utterances whose sentence comes back (chance {chance:.2f})"
        )
        which = (
            f": {count(len(pure), 'sentence')} of {back.nunique()} ({len(rows)} utterances) only ever come with one emotion, such as "
            + some((f"“{_short(text)}” ({label})" for text, label in pure.items()), 3)
            + _where(utterances, rows)
            if len(pure)
            else ""
        )
        if len(repeated) < OFTEN * len(labelled.dropna()):
            return finding(
                check,
                "caution",
                f"Sentences that come back tend to have the same label{which}; {guess}; {facts}.",
                rows,
                value,
            )
        return finding(check, "leak", f"The words give the class away{which}; {guess}; {facts}.", rows, value)
    if p < 0.01 and v > WEAK:
        return finding(
            check, "caution",
            f"Sentences and emotions are not independent ({facts}), though under these folds the sentence alone gives a UAR of {value:.2f} "
            f"[{low:.2f}, {high:.2f}] only (chance {chance:.2f}).", rows, value,
        )  # fmt: skip
    return finding(
        check, "fine", f"Which sentence it is says little about the label ({facts}, {back.nunique()} sentences that come back).", (), value
    )  # fmt: skip


def group_and_label(utterances: pd.DataFrame, folds: list[Fold], column: str) -> dict:
    """Whether a speaker (gender, session) has labels of their own, and whether the folds let a model profit."""
    check = f"{column} and label"
    if column not in utterances or "emotion" not in utterances:
        return finding(check, "not checked", f"Columns {column!r} and 'emotion' are both needed.")
    v, p = association(utterances[column], utterances["emotion"])
    if np.isnan(v):
        return finding(check, "not checked", f"Fewer than two {column}s or two labels.")
    lone = one_label_only(utterances[column], utterances["emotion"], LONE)
    rows = utterances.index[utterances[column].isin(lone.index)]
    facts = f"Cramér's V {v:.2f} (corrected), p {p:.3f}"
    alone = (
        f" {count(len(lone), column)} have one label only: {some(f'{name} ({label})' for name, label in lone.items())}."
        if len(lone)
        else ""
    )
    value, low, high, chance = _guessed(utterances, utterances[column], folds)
    if tells(low, chance):
        return finding(
            check, "leak" if column == "speaker" else "caution",
            f"Knowing the {column} alone, and the labels it had in training, gives a UAR of {value:.2f} [{low:.2f}, {high:.2f}] "
            f"(chance {chance:.2f}); {facts}.{alone}", rows, value,
        )  # fmt: skip
    if p < 0.01 and v > WEAK:
        sentence = f"{column.capitalize()} and label are not independent ({facts}).{alone}"
        return finding(check, "caution", sentence, rows, v)
    sentence = f"{column.capitalize()} and label are nearly independent ({facts}).{alone}"
    return finding(check, "caution" if len(lone) else "fine", sentence, rows, v)


def _guessed(
    utterances: pd.DataFrame, groups: pd.Series, folds: list[Fold]
) -> tuple[float, float, float, float]:
    """UAR of the look-up, low, high and chance; NaN where nothing can be looked up."""
    predictions = looked_up(utterances, groups, folds)
    if predictions.empty:
        return np.nan, np.nan, np.nan, np.nan
    return uar(predictions)[:4]


def _where(utterances: pd.DataFrame, ids: pd.Index) -> str:
    """In which part of the corpus nearly all of these are, by a column of its own with few values; "" for no such."""
    for column in utterances.columns.difference(["emotion", "text", "speaker", "path"]):
        values = utterances[column]
        if pd.api.types.is_numeric_dtype(values) or not 2 <= values.nunique() <= 10:
            continue
        shares = values[ids].value_counts(normalize=True)
        if len(shares) and shares.iloc[0] >= 0.95 and (values == shares.index[0]).mean() <= 0.8:
            return f", nearly all of {column} {shares.index[0]!r}"
    return ""


def _words(utterances: pd.DataFrame) -> pd.Series | None:
    """Normalised words, missing where there are none; None without any."""
    if "text" not in utterances:
        return None
    words = utterances["text"].astype(object).map(normalised, na_action="ignore")
    words = words.where(words != "")
    return words if words.notna().any() else None


def _short(text: str, letters: int = 50) -> str:
    return text if len(text) <= letters else text[: letters - 1] + "…"
