"""How far annotators agree (Krippendorff 2011), who is taken for what, and one against the others."""

import re

import numpy as np
import pandas as pd

from sernb.core.errors import SernbError
from sernb.core.tables import DIMENSIONS, check_predictions, in_order
from sernb.evaluation.intervals import LEVEL, interval, resample

SEVERAL = ";"  # between the emotions of an annotator who named more than one


def rating_columns(utterances: pd.DataFrame) -> dict[str, list[str]]:
    """Columns of single annotators' ratings, where two or more rated: {"emotion": ["emotion_1", …], …}."""
    columns = {}
    for rated in ("emotion", *DIMENSIONS):
        columns[rated] = [name for name in utterances if re.fullmatch(rf"{rated}_\d+", str(name))]
    return {rated: names for rated, names in columns.items() if len(names) > 1}


def agreement(utterances: pd.DataFrame, n: int = 1000, seed: int = 0) -> pd.DataFrame:
    """Alpha of everything that several annotators rated; empty without single ratings, NaN where undefined.

    Who named several emotions ("neutral; angry") counts as not having rated. Index `rated`; columns:
    annotators, utterances (rated twice or more), unanimous (share of these), alpha, low, high (95 %,
    utterances drawn `n` times).
    """
    rows = {}
    for rated, columns in rating_columns(utterances).items():
        if rated == "emotion":
            terms, labels = _coincidences(utterances[columns])
            alike = (terms * ~np.eye(len(labels), dtype=bool)).sum((1, 2)) == 0
        else:
            terms = _moments(utterances[columns])
            alike = terms[:, 3] < 1e-12
        low = high = unanimous = np.nan
        if len(terms):
            low, high = interval(_alpha(resample(terms, n, seed)), LEVEL, len(terms))
            unanimous = alike.mean()
        row = {"annotators": len(columns), "utterances": len(terms), "unanimous": unanimous}
        rows[rated] = row | {"alpha": _alpha(terms.sum(0)[None])[0], "low": low, "high": high}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("rated")


def heard_as(ratings: pd.DataFrame) -> pd.DataFrame:
    """Where one annotator says the row's label, how often another says the column's: shares by row."""
    pairs, labels = _coincidences(ratings)
    counts = pd.DataFrame(pairs.sum(0), labels, labels).loc[in_order(labels), in_order(labels)]
    return counts.div(counts.sum(axis=1), axis=0)


def one_against_the_others(ratings: pd.DataFrame) -> pd.DataFrame:
    """Predictions of each annotator (the seed) as a model; the truth is what most of the *others* say."""
    if ratings.shape[1] < 3:
        raise SernbError(f"one against the others needs three annotators; there are {ratings.shape[1]}.")
    ratings, tables = _single(ratings), []
    for number, column in enumerate(ratings.columns):
        modes = ratings.drop(columns=column).mode(axis=1).reindex(columns=[0, 1])  # a second mode is a tie
        decided = modes[0].notna() & modes[1].isna() & ratings[column].notna()
        table = pd.DataFrame({"emotion": modes[0], "predicted": ratings[column]})[decided]
        tables.append(table.assign(model="one annotator", seed=number))
    if not any(map(len, tables)):
        raise SernbError("one against the others needs an utterance that several of them labelled.")
    return check_predictions(pd.concat(tables), "annotators' labels")


def _alpha(sums: np.ndarray) -> np.ndarray:
    """1 - observed / expected disagreement `(n,)`; of coincidences (n, labels, labels) or moments (n, 4)."""
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
    """Pairs of labels in an utterance, which weighs as its labels: `(utterances, labels, labels)`; labels."""
    single = _single(labels).astype(object).stack().dropna()
    codes, values = pd.factorize(single, sort=True)
    rows = labels.index.get_indexer(single.index.get_level_values(0))
    counts = np.zeros((len(labels), len(values)))
    np.add.at(counts, (rows, codes), 1)
    counts = counts[counts.sum(1) > 1]  # one rating agrees with nothing
    pairs = counts[:, :, None] * counts[:, None, :] - counts[:, :, None] * np.eye(len(values))
    return pairs / (counts.sum(1) - 1)[:, None, None], list(values)


def _moments(ratings: pd.DataFrame) -> np.ndarray:
    """Of an utterance's x: n, Σx, Σx², Σ(x - x')² over pairs / (n - 1); `(utterances, 4)`."""
    x = ratings.astype(float).to_numpy()
    x = x[(~np.isnan(x)).sum(1) > 1]
    if x.size:  # alpha does not mind where the scale begins, nor its unit
        x = x - np.nanmin(x)
        x = x / (np.nanmax(x) or 1.0)
    count, total, squares = (~np.isnan(x)).sum(1), np.nansum(x, 1), np.nansum(x**2, 1)
    apart = 2 * (count * squares - total**2) / (count - 1)
    return np.stack([count, total, squares, np.maximum(apart, 0)], 1)


def _single(labels: pd.DataFrame) -> pd.DataFrame:  # without those who named several at once
    return labels.mask(labels.apply(lambda column: column.astype(str).str.contains(SEVERAL, regex=False)))
