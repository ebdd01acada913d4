"""Does knowing the speaker, or the sentence, give the label away? Association of two columns, and a look-up as a model."""

import numpy as np
import pandas as pd

from sernb.evaluation.audit.by_parts import part_codes
from sernb.evaluation.audit.finding import gathered
from sernb.protocols import Fold

SHUFFLES = 999


def association(
    one: pd.Series, two: pd.Series, seed: int = 0, shuffles: int = SHUFFLES
) -> tuple[float, float]:
    """How strongly two columns of labels belong together: (Cramér's V, p).

    V is corrected for bias (Bergsma 2013): 0 where they are independent, even with few of each, 1 where one gives
    the other. p is the share of shuffles of `two` with as large a chi-squared, itself counted. Rows where either is missing are left out;
    (NaN, NaN) where fewer than two values of either are left.
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

    observed = chi_squared(b)
    draw = np.random.default_rng(seed)
    as_large = sum(chi_squared(draw.permutation(b)) >= observed * (1 - 1e-9) for _ in range(shuffles))
    phi = max(0.0, observed / n - (rows - 1) * (columns - 1) / (n - 1))
    smaller = min(rows - (rows - 1) ** 2 / (n - 1), columns - (columns - 1) ** 2 / (n - 1)) - 1
    v = float(np.sqrt(min(phi / smaller, 1.0))) if smaller > 0 else np.nan
    return v, (1 + as_large) / (1 + shuffles)


def one_label_only(groups: pd.Series, labels: pd.Series, least: int) -> pd.Series:
    """Groups (speakers, sentences) of `least` or more utterances that all have one label: the label, by group."""
    known = pd.DataFrame({"group": groups, "label": labels.astype(object)}).dropna()
    counts = known.groupby("group")["label"].agg(["size", "nunique", "first"])
    return counts.loc[(counts["size"] >= least) & (counts["nunique"] == 1), "first"]


def looked_up(utterances: pd.DataFrame, groups: pd.Series, folds: list[Fold]) -> pd.DataFrame:
    """Predictions of a model that knows nothing but the group (its sentence, say): the label that it had in training.

    Each label counts by its share of its class, so that rare classes are named too; a group that is new gets the label
    drawn at random (seeded). Utterances without a label or a group are left out.
    """
    labels = utterances["emotion"].astype(object)
    codes, classes = pd.factorize(labels, sort=True)
    group = pd.factorize(groups)[0]  # in the order of utterances
    draw, tables = np.random.default_rng(0), []
    for fold in folds:
        part = part_codes(fold, utterances.index)
        train, test = (np.flatnonzero((part == code) & (codes >= 0) & (group >= 0)) for code in (1, 3))
        if not (len(train) and len(test)):
            continue
        counts = np.zeros((group.max() + 1, len(classes)))
        np.add.at(counts, (group[train], codes[train]), 1)
        counts /= np.maximum(counts.sum(0), 1)
        said = (counts[group[test]] + 1e-9 * draw.random((len(test), len(classes)))).argmax(1)
        table = pd.DataFrame(
            {
                "fold": fold.name,
                "model": "look-up",
                "emotion": labels.to_numpy()[test],
                "predicted": classes[said],
            },
            index=utterances.index[test],
        )
        tables.append(table)
    return gathered(tables, utterances)
