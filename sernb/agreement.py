"""How far annotators agree: Krippendorff's alpha, who is taken for what, and one annotator against the others.

Krippendorff, "Computing Krippendorff's alpha-reliability" (2011). Own code, since the usual library is GPL and the
sums are short; the tests hold the numbers of that paper.
"""

import re

import numpy as np
import pandas as pd

from sernb.errors import SernbError
from sernb.evaluation.intervals import interval, resample
from sernb.tables import DIMENSIONS, check_predictions, in_order

LEVELS = ("nominal", "interval")
SEVERAL = ";"  # between the emotions of an annotator who named more than one


def rating_columns(utterances: pd.DataFrame) -> dict[str, list[str]]:
    """The columns that hold single annotators' ratings: {"emotion": ["emotion_1", …], "arousal": ["arousal_1", …]}.

    Annotators are numbered; emotion_true, emotion_self, arousal_spread and the like are none.
    Only what at least two annotators rated is named; an empty dict says that this corpus brings no single ratings.
    """
    found = {what: [] for what in ("emotion", *DIMENSIONS)}
    for column in utterances.columns:
        match = re.fullmatch(rf"({'|'.join(found)})_\d+", str(column))
        if match:
            found[match[1]].append(column)
    return {what: columns for what, columns in found.items() if len(columns) > 1}


def krippendorff_alpha(ratings: pd.DataFrame, level: str = "nominal") -> float:
    """Krippendorff's alpha of `ratings` (a row an utterance, a column an annotator, NaN where not rated).

    Of labels, a cell that names several ("neutral; angry") says no single one, and counts as not rated.
    1 is full agreement, 0 what chance gives, below 0 is worse than chance. level: "nominal" for labels, "interval" for
    numbers. NaN where it is not defined: no utterance was rated twice, or every rating is the same.
    """
    units, values = _coincidences(ratings, level)
    return float(_alpha(units.sum(0)[None], _distances(values, level))[0])


def agreement(utterances: pd.DataFrame, n: int = 1000, seed: int = 0) -> pd.DataFrame:
    """Alpha of everything that several annotators rated, with a 95 % interval.

    Index `rated` (emotion, arousal, …); columns: annotators (columns of ratings), utterances (with two ratings or
    more), unanimous (share of these on which all say the same), alpha, low, high. The interval draws utterances, `n`
    times: what other clips, rated by the *same* people, would give. Empty without single ratings.
    """
    rows = {}
    for what, columns in rating_columns(utterances).items():
        level = "nominal" if what == "emotion" else "interval"
        units, values = _coincidences(utterances[columns], level)
        distances = _distances(values, level)
        low, high = interval(_alpha(resample(units, n, seed), distances), 0.95, len(units)) if len(units) else (np.nan,) * 2  # fmt: skip
        unanimous = (units * ~np.eye(len(values), dtype=bool)).sum((1, 2)) == 0
        rows[what] = {
            "annotators": len(columns),
            "utterances": len(units),
            "unanimous": unanimous.mean() if len(units) else np.nan,
            "alpha": _alpha(units.sum(0)[None], distances)[0],
            "low": low,
            "high": high,
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("rated")


def heard_as(ratings: pd.DataFrame) -> pd.DataFrame:
    """Where one annotator says the row's label, how often does another say the column's? Shares, a row adds up to 1.

    From the coincidences of alpha, so each utterance weighs by its ratings, and no annotator is the true one.
    """
    units, labels = _coincidences(ratings, "nominal")
    counts = pd.DataFrame(units.sum(0), labels, labels).loc[in_order(labels), in_order(labels)]
    return counts.div(counts.sum(axis=1), axis=0)


def one_against_the_others(ratings: pd.DataFrame) -> pd.DataFrame:
    """Each annotator as if it were a model, and what most of the *others* say as the truth: a predictions table.

    Model is "one annotator", the seed counts the annotators. Utterances on which the others are tied are left out.
    Its UAR says how well one person does at this task. Raises SernbError for fewer than three annotators.
    """
    if ratings.shape[1] < 3:
        raise SernbError(
            f"one annotator against the others needs three annotators or more; there are {ratings.shape[1]}."
        )
    ratings, tables = _single(ratings), []
    for number, column in enumerate(ratings.columns):
        modes = ratings.drop(columns=column).mode(axis=1)  # a second mode is a tie
        decided = modes[0].notna() & ratings[column].notna()
        if modes.shape[1] > 1:
            decided &= modes[1].isna()
        table = pd.DataFrame({"emotion": modes[0], "predicted": ratings[column]})[decided]
        tables.append(table.assign(model="one annotator", seed=number))
    return check_predictions(pd.concat(tables), "annotators' labels")


def _coincidences(ratings: pd.DataFrame, level: str) -> tuple[np.ndarray, list]:
    """Pairs of ratings in each utterance (utterances, values, values), each utterance weighing as its ratings; values."""
    if level not in LEVELS:
        raise SernbError(f"the level of measurement is {level!r}; choose one of {', '.join(LEVELS)}.")
    given = (_single(ratings) if level == "nominal" else ratings).astype(object).stack()
    given = given[given.notna()]
    codes, values = pd.factorize(given, sort=True)
    rows = ratings.index.get_indexer(given.index.get_level_values(0))
    counts = np.zeros((len(ratings), len(values)))
    np.add.at(counts, (rows, codes), 1)
    counts = counts[counts.sum(1) > 1]  # one rating agrees with nothing
    pairs = counts[:, :, None] * counts[:, None, :] - counts[:, :, None] * np.eye(len(values))
    return pairs / (counts.sum(1) - 1)[:, None, None], list(values)


def _single(labels: pd.DataFrame) -> pd.DataFrame:
    """The labels, without those of an annotator who named several at once."""
    return labels.mask(labels.apply(lambda column: column.astype(str).str.contains(SEVERAL, regex=False)))


def _distances(values: list, level: str) -> np.ndarray:
    if level == "nominal":
        return 1.0 - np.eye(len(values))
    numbers = np.array(values, float)
    return (numbers[:, None] - numbers[None]) ** 2


def _alpha(coincidences: np.ndarray, distances: np.ndarray) -> np.ndarray:
    """Coincidences (n, values, values) → alpha (n,): 1 - observed disagreement / expected disagreement."""
    totals = coincidences.sum(-1)
    observed = (coincidences * distances).sum((-2, -1))
    expected = np.einsum("nc,ck,nk->n", totals, distances, totals) / (totals.sum(-1) - 1)
    return 1 - np.divide(observed, expected, out=np.full_like(observed, np.nan), where=expected > 0)
