"""When a model may say "I don't know" (Chow 1970; Geifman & El-Yaniv 2017): it answers the surest first."""

import numpy as np
import pandas as pd

from sernb.core.errors import SernbError
from sernb.evaluation.intervals import check_unit, interval_columns
from sernb.evaluation.metrics import checked, needs_classes

MEASURES = ("accuracy of all", "accuracy of the surest", "gain", "coverage at accuracy")
AT_ONCE = 2**21  # weights of utterances in memory at a time


def answered(predictions: pd.DataFrame) -> pd.DataFrame:
    """Accuracy by how many are answered, surest (largest p_<class>) first: a row for each threshold."""
    tables = []
    for model, _, _, sure, right in _by_model(predictions):
        count = np.arange(1, len(sure) + 1)
        columns = {"model": model, "threshold": sure, "answered": count, "coverage": count / len(sure)}
        table = pd.DataFrame(columns | {"accuracy": np.cumsum(right) / count})
        tables.append(table[np.append(np.diff(sure) != 0, True)])  # the last of those that are equally sure
    return pd.concat(tables, ignore_index=True)


def abstaining(
    predictions: pd.DataFrame, coverage=0.5, accuracy=0.9, unit="utterance", n=2000, seed=0
) -> pd.DataFrame:
    """What abstaining is worth, with intervals: four rows a model, surest utterances first.

    Args:
        coverage, accuracy: the share of utterances that is answered, and that of answers to be right.
        unit, n, seed: as for :func:`sernb.evaluation.bootstrap`; a resample is the same for all four rows.

    Returns:
        model, metric, value, low, high, unit, units, level, note. `metric`: "accuracy of all"; "accuracy of
        the surest" (of `coverage`); "gain" (the second less the first); "coverage at accuracy".

    Raises:
        SernbError: no probabilities, shares outside 0 to 1, and `unit="speaker"` without speakers.
    """
    for name, share in (("coverage", coverage), ("accuracy", accuracy)):
        if not 0 < share <= 1:
            raise SernbError(f"{name} is {share}; it is a share above 0, and 1 at most.")
    check_unit(predictions, unit)
    rows = []
    for model, part, order, sure, right in _by_model(predictions):
        codes, names = pd.factorize(part.index if unit == "utterance" else part["speaker"])
        whole = _measured(sure, right, np.ones((1, len(sure))), coverage, accuracy)[0]

        # Resample: how often each unit is drawn is the weight of its utterances.
        rng, shares = np.random.default_rng(seed), np.full(len(names), 1 / len(names))
        drawn, each = [], max(1, AT_ONCE // len(sure))
        for done in range(0, n, each):
            weights = rng.multinomial(len(names), shares, min(each, n - done))[:, codes[order]]
            drawn.append(_measured(sure, right, weights, coverage, accuracy))
        for metric, value, column in zip(MEASURES, whole, np.concatenate(drawn).T, strict=True):
            row = {"model": model, "metric": metric, "value": value}
            rows.append(row | interval_columns(column, unit, len(names)))
    return pd.DataFrame(rows)


def _measured(sure, right, weights, coverage, accuracy):
    """The four numbers of utterances in order of sureness, weighted `(draws, utterances)`; `(draws, 4)`."""
    last = np.append(np.diff(sure) != 0, True)  # of those that are equally sure
    count = np.cumsum(weights, axis=1)[:, last]
    hits = np.cumsum(weights * right, axis=1)[:, last]
    share, correct = count / count[:, -1:], hits / np.maximum(count, 1e-9)
    first = (share >= coverage - 1e-9).argmax(1)  # the fewest that are at least so many
    every, surest = correct[:, -1], correct[np.arange(len(correct)), first]
    good = np.where((correct >= accuracy - 1e-9) & (count > 0), share, 0.0).max(1)
    return np.stack([every, surest, surest - every, good], axis=1)


def _by_model(predictions):
    """Of each model its rows, their order, and in that order sureness `(n,)` and right `(n,)`."""
    table = needs_classes(checked(predictions))
    columns = [name for name in table if name.startswith("p_")]
    if not columns:
        raise SernbError("without p_<class> columns nobody knows how sure a model was: it cannot abstain.")
    for model, part in table.groupby("model", sort=False, observed=True):
        sure = part[columns].to_numpy().max(1)
        right = (part["emotion"].astype(str) == part["predicted"].astype(str)).to_numpy(float)
        order = np.argsort(-sure, kind="stable")
        yield model, part, order, sure[order], right[order]
