"""Scores of a predictions table: UAR, WA, F1, the recall of each class, the confusion counts; CCC of dimensions.

One rule for classes holds everywhere: the classes that count are those present in the truth. A class that only the
model names adds no term to an average, but each time it is named in place of a true class, that class loses recall.
"""

import numpy as np
import pandas as pd
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, recall_score

from sernb.core.errors import SernbError, some
from sernb.core.tables import check_predictions, classes_of, in_order
from sernb.evaluation.concordance import concordance, dimensions_of

METRICS = ("UAR", "WA", "macro_f1", "weighted_f1")


def scores(predictions: pd.DataFrame, by=("model",)) -> pd.DataFrame:
    """Score a predictions table, one row for each group of ``by``; each number is at most 1, and 1 is best.

    Columns where the table holds classes: ``UAR`` (unweighted average recall, also called BACC or UA: the mean of the
    classes' recalls), ``WA`` (accuracy, ACC: the share of utterances that are right), ``macro_f1`` (mean of the
    classes' F1), ``weighted_f1`` (mean weighted by how often the class is true). Where it holds dimensions:
    ``CCC_arousal``, ``CCC_valence``, ``CCC_dominance`` (those that are predicted; edge cases in
    :func:`sernb.evaluation.concordance.concordance`; utterances without a true value are left out), and ``CCC``,
    their mean. Last, ``n`` (utterances).

    ``by`` may hold ``"model"``, ``"seed"``, ``"fold"``, ``"speaker"`` or any other column. Where the table holds
    several seeds and ``by`` does not name them, each seed is scored alone and the scores are averaged: predictions of
    different seeds are never pooled into one list. Over folds the predictions are pooled, as is usual in SER.
    Raises SernbError for a column that is not there.
    """
    table, by = _grouping(predictions, by)
    n = table.reset_index().groupby(by, sort=False, observed=True, dropna=False)["utterance"].nunique()
    return _mean_over_seeds(table, by, _score).assign(n=n)


def recalls(predictions: pd.DataFrame, by=("model",)) -> pd.DataFrame:
    """Recall of each class (its accuracy, in the papers' words), a column each; NaN where a group never has it.

    Groups and seeds as in :func:`scores`, so the mean of a row is that row's UAR.
    """
    table, by = _grouping(needs_classes(predictions), by)
    return _mean_over_seeds(table, by, _recall)[in_order(table["emotion"].unique())]


def confusion(predictions: pd.DataFrame) -> pd.DataFrame:
    """Counts ``(classes, classes)``: rows are the true emotion, columns the predicted one, in EMOTIONS order.

    Several seeds are added up, so that an utterance counts once a seed. Raises SernbError for several models.
    """
    table = one_model(checked(needs_classes(predictions)))
    classes = classes_of(table)
    counts = confusion_matrix(table["emotion"].astype(str), table["predicted"].astype(str), labels=classes)
    return pd.DataFrame(counts, pd.Index(classes, name="emotion"), pd.Index(classes, name="predicted"))


def checked(predictions: pd.DataFrame) -> pd.DataFrame:
    """The table, checked, with the columns that every evaluation by model needs (else SernbError)."""
    table = check_predictions(predictions)
    if "model" not in table:
        raise SernbError(
            "The predictions lack a column 'model'; name it with predictions.assign(model='mine')."
        )
    return table


def needs_classes(predictions: pd.DataFrame) -> pd.DataFrame:
    """The table itself, after a check that it holds emotion classes (else SernbError)."""
    if "predicted" not in predictions:
        raise SernbError(
            "These scores are for emotion classes; the predictions have no columns 'emotion' and 'predicted'. For "
            'dimensions there are scores, bootstrap and paired_bootstrap with metric="CCC_valence" and the like.'
        )
    return predictions


def one_model(table: pd.DataFrame) -> pd.DataFrame:
    """The table itself, after a check that it holds the predictions of one model only (else SernbError)."""
    models = table["model"].unique()
    if len(models) != 1:
        raise SernbError(
            f"This needs the predictions of one model; the table holds {len(models)}: {some(models)}. "
            'Choose one with predictions[predictions["model"] == NAME].'
        )
    return table


def from_counts(metric: str, counts: np.ndarray, classes: list[str]) -> np.ndarray:
    """The metric of confusion counts ``(..., classes, classes)``, rows the truth → ``(...)``.

    The same numbers as :func:`scores`, for thousands of resampled tables at once. ``metric`` is one of METRICS or
    ``recall_<class>``. Classes with no true utterance are left out of averages, so in a resample without, say, any
    bored clip, UAR is the mean over the others. NaN where nothing is left to average.
    """
    truth, named = counts.sum(-1), counts.sum(-2)  # (..., classes)
    right = np.diagonal(counts, axis1=-2, axis2=-1)
    present = truth > 0
    with np.errstate(divide="ignore", invalid="ignore"):
        recall = np.where(present, right / truth, np.nan)
        f1 = np.where(present, 2 * right / (truth + named), np.nan)
        match metric:
            case "UAR":
                return np.nansum(recall, -1) / present.sum(-1)
            case "WA":
                return right.sum(-1) / truth.sum(-1)
            case "macro_f1":
                return np.nansum(f1, -1) / present.sum(-1)
            case "weighted_f1":
                return np.nansum(f1 * truth, -1) / truth.sum(-1)
    recall_of = {f"recall_{name}": number for number, name in enumerate(classes)}
    if metric in recall_of:
        return recall[..., recall_of[metric]]
    raise SernbError(
        f"Unknown metric {metric!r}. Valid: {', '.join([*METRICS, *recall_of])}. (BACC and UA are UAR, ACC is WA; "
        "dimensions have CCC_valence and the like.)"
    )


def _grouping(predictions, by):
    table = checked(predictions)
    by = [by] if isinstance(by, str) else list(by)
    missing = [column for column in by if column not in table.columns]
    if missing or not by:
        by, columns = ", ".join(missing) or "nothing", ", ".join(table.columns)
        raise SernbError(f"Cannot group by {by}: the predictions have {columns}.")
    return table, by


def _mean_over_seeds(table, by, score):
    run = [*by, "seed"] if "seed" in table and "seed" not in by else by
    # dropna=False: a table may hold a model with seeds beside one without (its seed is NaN).
    groups = table.groupby(run, sort=False, observed=True, dropna=False)
    rows = pd.DataFrame({key: score(group) for key, group in groups}).T
    rows.index = rows.index.set_names(run)
    if len(run) == 1:
        rows.index = pd.Index([key[0] for key in rows.index], name=by[0])
    return rows if run == by else rows.groupby(level=by, sort=False, dropna=False).mean()


def _score(group):
    numbers = {}
    if "predicted" in group:
        truth, predicted = group["emotion"].astype(str), group["predicted"].astype(str)
        present = {"labels": sorted(truth.unique()), "zero_division": 0}
        numbers["UAR"] = recall_score(truth, predicted, average="macro", **present)
        numbers["WA"] = accuracy_score(truth, predicted)
        numbers["macro_f1"] = f1_score(truth, predicted, average="macro", **present)
        numbers["weighted_f1"] = f1_score(truth, predicted, average="weighted", **present)
    each = {f"CCC_{dim}": concordance(group[dim], group[f"{dim}_predicted"]) for dim in dimensions_of(group)}
    return pd.Series(numbers | (each | {"CCC": pd.Series(each).mean()} if each else {}))


def _recall(group):
    truth, predicted = group["emotion"].astype(str), group["predicted"].astype(str)
    present = sorted(truth.unique())
    each = recall_score(truth, predicted, labels=present, average=None, zero_division=0)
    return pd.Series(each, index=present)
