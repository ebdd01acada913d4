"""Scores of a predictions table; the classes that count are those present in the truth."""

import numpy as np
import pandas as pd
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, recall_score

from sernb.core.errors import SernbError, some
from sernb.core.tables import check_predictions, classes_of, in_order
from sernb.evaluation.concordance import concordance, dimensions_of

METRICS = ("UAR", "WA", "macro_f1", "weighted_f1")


def scores(predictions: pd.DataFrame, by=("model",)) -> pd.DataFrame:
    """Score a predictions table, one row for each group of ``by``; each number is at most 1, and 1 is best.

    Of classes: ``UAR`` (BACC, UA: mean recall), ``WA`` (ACC: accuracy), ``macro_f1``, ``weighted_f1`` (by how
    often the class is true). Of dimensions: ``CCC_<dimension>`` and ``CCC``, their mean. Last, ``n``
    (utterances). ``by``: ``"model"``, ``"seed"``, ``"fold"``, ``"speaker"`` or another column, else
    SernbError. Seeds that it does not name are scored alone and averaged, never pooled; folds are pooled, as
    is usual in SER.
    """
    table, by = _grouping(predictions, by)
    n = table.reset_index().groupby(by, sort=False, observed=True, dropna=False)["utterance"].nunique()
    return _mean_over_seeds(table, by, _score).assign(n=n)


def recalls(predictions: pd.DataFrame, by=("model",)) -> pd.DataFrame:
    """Recall of each class, by groups and seeds as in :func:`scores`; NaN where a group never has it."""
    table, by = _grouping(needs_classes(predictions), by)
    return _mean_over_seeds(table, by, _recall)[in_order(table["emotion"].unique())]


def confusion(predictions: pd.DataFrame) -> pd.DataFrame:
    """Counts ``(classes, classes)`` of one model, rows the truth; several seeds are added up."""
    table = one_model(checked(needs_classes(predictions)))
    classes = classes_of(table)
    counts = confusion_matrix(table["emotion"].astype(str), table["predicted"].astype(str), labels=classes)
    return pd.DataFrame(counts, pd.Index(classes, name="emotion"), pd.Index(classes, name="predicted"))


def checked(predictions: pd.DataFrame) -> pd.DataFrame:
    """The table, checked, with the column `model`."""
    table = check_predictions(predictions)
    if "model" not in table:
        raise SernbError("The predictions lack a column 'model'; name it: predictions.assign(model='mine').")
    return table


def needs_classes(predictions: pd.DataFrame) -> pd.DataFrame:
    """The table itself, if it holds emotion classes."""
    if "predicted" not in predictions:
        need = "These scores are for emotion classes, columns 'emotion' and 'predicted'"
        raise SernbError(f'{need}; for dimensions, bootstrap has metric="CCC_valence" and the like.')
    return predictions


def one_model(table: pd.DataFrame) -> pd.DataFrame:
    """The table itself, if it holds the predictions of one model only."""
    if len(models := table["model"].unique()) != 1:
        raise SernbError(f"Choose predictions of one model; the table holds {len(models)}: {some(models)}.")
    return table


def from_counts(metric: str, counts: np.ndarray, classes: list[str]) -> np.ndarray:
    """A metric (METRICS, ``recall_<class>``) of counts ``(..., classes, classes)``, or NaN, ``(...)``."""
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
    hint = "BACC and UA are UAR, ACC is WA; dimensions have CCC_valence and the like"
    raise SernbError(f"Unknown metric {metric!r} ({hint}). Valid: {', '.join([*METRICS, *recall_of])}.")


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
    return pd.Series(recall_score(truth, predicted, labels=present, average=None, zero_division=0), present)
