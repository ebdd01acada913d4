"""When a model may say "I don't know": how often it is right of those utterances that it answers.

The surest are answered first, sureness being the largest p_<class>. Selective classification: Chow 1970, "On optimum
recognition error and reject tradeoff"; Geifman & El-Yaniv 2017, "Selective classification for deep neural networks".
"""

import numpy as np
import pandas as pd

from sernb.core.errors import SernbError
from sernb.evaluation.intervals import check_unit, interval_columns
from sernb.evaluation.metrics import checked, needs_classes

AT_ONCE = 2**21  # weights of utterances in memory at a time


def answered(predictions: pd.DataFrame) -> pd.DataFrame:
    """Accuracy of the answers by how many are given, a row for each possible threshold of each model, surest first.

    Columns: model, threshold (what is as sure or surer is answered), answered (how many), coverage (their share),
    accuracy (the share of these that are right). Utterances that are equally sure are answered together. Several
    seeds are added up: an utterance counts once a seed. Raises SernbError for predictions without probabilities.
    """
    tables = []
    for model, _, _, sure, right in _by_model(predictions):
        count = np.arange(1, len(sure) + 1)
        columns = {"model": model, "threshold": sure, "answered": count, "coverage": count / len(sure)}
        table = pd.DataFrame(columns | {"accuracy": np.cumsum(right) / count})
        tables.append(table[np.append(np.diff(sure) != 0, True)])  # the last of those that are equally sure
    return pd.concat(tables, ignore_index=True)


def abstaining(
    predictions: pd.DataFrame,
    coverage: float = 0.5,
    accuracy: float = 0.9,
    unit: str = "utterance",
    n: int = 2000,
    seed: int = 0,
) -> pd.DataFrame:
    """What abstaining is worth, with intervals: four rows a model.

    The order is found on the utterances that it is judged by, so a threshold taken from here does a little worse on
    new ones.

    Args:
        predictions: with probabilities.
        coverage: the share of the utterances that is answered, surest first.
        accuracy: the share of the answers that is to be right.
        unit, n, seed: as for :func:`sernb.evaluation.bootstrap`; a resample draws the same units for all four rows.

    Returns:
        model, metric, value, low, high, unit, units, level, note. `metric`: "accuracy of all"; "accuracy of the
        surest" (of the share `coverage`); "gain" (the second less the first); "coverage at accuracy" (the largest
        share that can be answered with at least `accuracy` of the answers right; 0 where none can).

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
        drawn = np.concatenate(drawn)  # (n, 4)

        metrics = ("accuracy of all", "accuracy of the surest", "gain", "coverage at accuracy")
        for number, metric in enumerate(metrics):
            row = {"model": model, "metric": metric, "value": whole[number]}
            rows.append(row | interval_columns(drawn[:, number], unit, len(names)))
    return pd.DataFrame(rows)


def _measured(sure, right, weights, coverage, accuracy):
    """The four numbers for utterances in order of sureness, weighted `(draws, utterances)`; `(draws, 4)`."""
    last = np.append(np.diff(sure) != 0, True)  # of those that are equally sure
    count = np.cumsum(weights, axis=1)[:, last]
    hits = np.cumsum(weights * right, axis=1)[:, last]
    share, correct = count / count[:, -1:], hits / np.maximum(count, 1e-9)
    every = correct[:, -1]
    first = (share >= coverage - 1e-9).argmax(1)  # the fewest that are at least so many
    surest = correct[np.arange(len(correct)), first]
    good = np.where((correct >= accuracy - 1e-9) & (count > 0), share, 0.0).max(1)
    return np.stack([every, surest, surest - every, good], axis=1)


def _by_model(predictions):
    """(model, its rows, their order by sureness; then in that order sureness `(n,)` and right `(n,)`) of each model."""
    table = needs_classes(checked(predictions))
    columns = [name for name in table if name.startswith("p_")]
    if not columns:
        raise SernbError("without p_<class> columns nobody knows how sure a model was: it cannot abstain.")
    for model, part in table.groupby("model", sort=False, observed=True):
        sure = part[columns].to_numpy().max(1)
        right = (part["emotion"].astype(str) == part["predicted"].astype(str)).to_numpy(float)
        order = np.argsort(-sure, kind="stable")
        yield model, part, order, sure[order], right[order]
