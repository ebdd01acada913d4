"""How far annotators agree: Krippendorff's alpha, who is taken for what, and one annotator against the others.

Krippendorff, "Computing Krippendorff's alpha-reliability" (2011). Own code, since the usual library is GPL, knows no
bootstrap, and the sums are short; the tests hold the numbers of that paper.
"""

import re

import numpy as np
import pandas as pd

from sernb.core.errors import SernbError
from sernb.core.tables import DIMENSIONS, check_predictions, in_order
from sernb.evaluation.intervals import LEVEL, interval, resample

SEVERAL = ";"  # between the emotions of an annotator who named more than one


def rating_columns(utterances: pd.DataFrame) -> dict[str, list[str]]:
    """The columns that hold single annotators' ratings: {"emotion": ["emotion_1", …], "arousal": ["arousal_1", …]}.

    Annotators are numbered; emotion_true, emotion_self, arousal_spread and the like are none. Only what at least two
    annotators rated is named; an empty dict says that this corpus brings no single ratings.
    """
    columns = {
        rated: [column for column in utterances.columns if re.fullmatch(rf"{rated}_\d+", str(column))]
        for rated in ("emotion", *DIMENSIONS)
    }
    return {rated: names for rated, names in columns.items() if len(names) > 1}


def agreement(utterances: pd.DataFrame, n: int = 1000, seed: int = 0) -> pd.DataFrame:
    """Alpha of everything that several annotators rated, with a 95 % interval; empty without single ratings.

    1 is full agreement, 0 what chance gives, below 0 is worse than chance; NaN where it is not defined: no utterance
    was rated twice, or every rating is the same. An annotator who named several emotions ("neutral; angry") says no
    single one, and counts as not having rated.

    Index `rated` (emotion, arousal, …); columns: annotators (columns of ratings), utterances (with two ratings or
    more), unanimous (share of these on which all say the same), alpha, low, high. The interval draws utterances, `n`
    times: what other clips, rated by the *same* people, would give.
    """
    rows = {}
    for rated, columns in rating_columns(utterances).items():
        if rated == "emotion":
            terms, labels = _coincidences(utterances[columns])
            alike = (terms * ~np.eye(len(labels), dtype=bool)).sum((1, 2)) == 0
        else:
            terms = _moments(utterances[columns])
            alike = terms[:, 3] < 1e-12
        row = {"annotators": len(columns), "utterances": len(terms), "unanimous": np.nan}
        row |= {"alpha": _alpha(terms.sum(0)[None])[0], "low": np.nan, "high": np.nan}
        if len(terms):
            row["low"], row["high"] = interval(_alpha(resample(terms, n, seed)), LEVEL, len(terms))
            row["unanimous"] = alike.mean()
        rows[rated] = row
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("rated")


def heard_as(ratings: pd.DataFrame) -> pd.DataFrame:
    """Where one annotator says the row's label, how often does another say the column's? Shares, a row adds up to 1.

    From the coincidences of alpha, so each utterance weighs by its ratings, and no annotator is the true one.
    """
    pairs, labels = _coincidences(ratings)
    counts = pd.DataFrame(pairs.sum(0), labels, labels).loc[in_order(labels), in_order(labels)]
    return counts.div(counts.sum(axis=1), axis=0)


def one_against_the_others(ratings: pd.DataFrame) -> pd.DataFrame:
    """Each annotator as if it were a model, and what most of the *others* say as the truth: a predictions table.

    Model is "one annotator", the seed counts the annotators. Utterances on which the others are tied are left out.
    Its UAR says how well one person does at this task. Raises SernbError for fewer than three annotators, and where
    nothing was rated by three (or the others are always tied).
    """
    if ratings.shape[1] < 3:
        raise SernbError(
            f"one annotator against the others needs three annotators; there are {ratings.shape[1]}."
        )
    ratings, tables = _single(ratings), []
    for number, column in enumerate(ratings.columns):
        modes = ratings.drop(columns=column).mode(axis=1).reindex(columns=[0, 1])  # a second mode is a tie
        decided = modes[0].notna() & modes[1].isna() & ratings[column].notna()
        table = pd.DataFrame({"emotion": modes[0], "predicted": ratings[column]})[decided]
        tables.append(table.assign(model="one annotator", seed=number))
    if not any(map(len, tables)):
        raise SernbError("one annotator against the others needs an utterance that several of them labelled.")
    return check_predictions(pd.concat(tables), "annotators' labels")


def _krippendorff_alpha(ratings: pd.DataFrame, nominal: bool = True) -> float:
    """Alpha of a row an utterance, a column an annotator, NaN where not rated: of labels, or (interval) of numbers."""
    terms = _coincidences(ratings)[0] if nominal else _moments(ratings)
    return float(_alpha(terms.sum(0)[None])[0])


def _alpha(sums: np.ndarray) -> np.ndarray:
    """Summed coincidences (n, labels, labels), or summed moments (n, 4) → alpha (n,): 1 - observed disagreement /
    expected disagreement."""
    if sums.ndim == 3:
        totals = sums.sum(-1)
        observed = sums.sum((-2, -1)) - np.trace(sums, axis1=-2, axis2=-1)
        count = totals.sum(-1)
        expected = (count**2 - (totals**2).sum(-1)) / (count - 1)
    else:
        count, total, squares, observed = sums.T
        expected = 2 * (count * squares - total**2) / (count - 1)
    return 1 - np.divide(observed, expected, out=np.full_like(observed, np.nan), where=expected > 1e-9)


def _coincidences(labels: pd.DataFrame) -> tuple[np.ndarray, list]:
    """Pairs of labels in an utterance, which weighs as its labels: `(utterances, labels, labels)`; and the labels."""
    single = _single(labels).astype(object).stack().dropna()
    codes, values = pd.factorize(single, sort=True)
    rows = labels.index.get_indexer(single.index.get_level_values(0))
    counts = np.zeros((len(labels), len(values)))
    np.add.at(counts, (rows, codes), 1)
    counts = counts[counts.sum(1) > 1]  # one rating agrees with nothing
    pairs = counts[:, :, None] * counts[:, None, :] - counts[:, :, None] * np.eye(len(values))
    return pairs / (counts.sum(1) - 1)[:, None, None], list(values)


def _moments(ratings: pd.DataFrame) -> np.ndarray:
    """Of each utterance's numbers x: how many, Σx, Σx², Σ(x - x')² over pairs / (how many - 1); `(utterances, 4)`.

    Squared differences need no table of value by value, which ratings by slider would make thousands wide.
    """
    x = ratings.astype(float).to_numpy()
    x = x[(~np.isnan(x)).sum(1) > 1]
    if x.size:  # alpha does not mind where the scale begins, nor its unit
        x = x - np.nanmin(x)
        x = x / (np.nanmax(x) or 1.0)
    count, total, squares = (~np.isnan(x)).sum(1), np.nansum(x, 1), np.nansum(x**2, 1)
    apart = 2 * (count * squares - total**2) / (count - 1)
    return np.stack([count, total, squares, np.maximum(apart, 0)], 1)


def _single(labels: pd.DataFrame) -> pd.DataFrame:
    """The labels, without those of an annotator who named several at once."""
    return labels.mask(labels.apply(lambda column: column.astype(str).str.contains(SEVERAL, regex=False)))
