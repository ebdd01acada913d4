"""When a model may say "I don't know": how often it is right of those utterances that it answers.

The surest are answered first, sureness being the largest p_<class>. Selective classification: Chow 1970, "On optimum
recognition error and reject tradeoff"; Geifman & El-Yaniv 2017, "Selective classification for deep neural networks".
"""

import numpy as np
import pandas as pd

from sernb.core.errors import SernbError
from sernb.evaluation.intervals import _check_unit as check_unit
from sernb.evaluation.intervals import interval, note
from sernb.evaluation.metrics import checked, needs_classes

AT_ONCE = 2**21  # weights of utterances in memory at a time


def answered(predictions: pd.DataFrame) -> pd.DataFrame:
    """Accuracy of the answers by how many are given, a row for each possible threshold of each model, surest first.

    Columns: model, threshold (what is as sure or surer is answered), answered (how many), coverage (their share),
    accuracy (the share of these that are right). Utterances that are equally sure are answered together. Several seeds
    are added up: an utterance counts once a seed. Raises SernbError for predictions without probabilities.
    """
    tables = []
    for model, sure, right in _by_model(predictions):
        order = np.argsort(-sure, kind="stable")
        count = np.arange(1, len(order) + 1)
        last = np.append(np.diff(sure[order]) != 0, True)  # of those that are equally sure
        rows = {
            "model": model,
            "threshold": sure[order],
            "answered": count,
            "coverage": count / len(order),
            "accuracy": np.cumsum(right[order]) / count,
        }
        tables.append(pd.DataFrame(rows)[last])
    return pd.concat(tables, ignore_index=True)


def abstaining(
    predictions: pd.DataFrame,
    coverage: float = 0.5,
    accuracy: float = 0.9,
    unit: str = "utterance",
    n: int = 2000,
    seed: int = 0,
    level: float = 0.95,
) -> pd.DataFrame:
    """What abstaining is worth, with intervals: four rows a model.

    `metric`: "accuracy of all"; "accuracy of the surest" (the share `coverage` of the utterances that is answered first);
    "gain" (the second less the first); "coverage at accuracy" (the largest share that can be answered with at least
    `accuracy` of the answers right; 0 where none can). Other columns: model, value, low, high, unit, units, level, note, as
    of :func:`sernb.evaluation.bootstrap`; a resample draws the same units for all four.

    The order is found on the utterances that it is judged by, so a threshold taken from here does a little worse on new
    ones. Raises SernbError for predictions without probabilities, and `unit="speaker"` without speakers.
    """
    for what, value in (("coverage", coverage), ("accuracy", accuracy)):
        if not 0 < value <= 1:
            raise SernbError(f"{what} is {value}; it is a share above 0, and 1 at most.")
    check_unit(predictions, unit)
    rows = []
    for model, sure, right in _by_model(predictions):
        table = predictions[(predictions["model"] == model).to_numpy()]
        codes, names = pd.factorize(table.index if unit == "utterance" else table["speaker"])
        order = np.argsort(-sure, kind="stable")
        sure, right, codes = sure[order], right[order], codes[order]
        found = _measured(sure, right, np.ones((1, len(order))), coverage, accuracy)[0]
        rng, shares = np.random.default_rng(seed), np.full(len(names), 1 / len(names))
        drawn, each = [], max(1, AT_ONCE // len(order))
        for done in range(0, n, each):
            weights = rng.multinomial(len(names), shares, min(each, n - done))[:, codes]
            drawn.append(_measured(sure, right, weights, coverage, accuracy))
        drawn = np.concatenate(drawn)
        metrics = ("accuracy of all", "accuracy of the surest", "gain", "coverage at accuracy")
        for number, metric in enumerate(metrics):
            low, high = interval(drawn[:, number], level, len(names))
            said = note(unit, len(names))
            rows.append((model, metric, found[number], low, high, unit, len(names), level, said))
    columns = ["model", "metric", "value", "low", "high", "unit", "units", "level", "note"]
    return pd.DataFrame(rows, columns=columns)


def _measured(sure, right, weights, coverage, accuracy):
    """The four numbers for utterances in order of sureness, weighted `(draws, utterances)`; `(draws, 4)`."""
    last = np.append(np.diff(sure) != 0, True)
    count = np.cumsum(weights, axis=1)[:, last]
    hits = np.cumsum(weights * right, axis=1)[:, last]
    total = count[:, -1:]
    share, correct = count / total, hits / np.maximum(count, 1e-9)
    every = correct[:, -1]
    first = (share >= coverage - 1e-9).argmax(1)  # the fewest that are at least so many
    surest = correct[np.arange(len(correct)), first]
    good = np.where((correct >= accuracy - 1e-9) & (count > 0), share, 0.0).max(1)
    return np.stack([every, surest, surest - every, good], axis=1)


def _by_model(predictions):
    """(model, sureness (n,), right (n,)) of each model."""
    table = needs_classes(checked(predictions))
    columns = [name for name in table if name.startswith("p_")]
    if not columns:
        raise SernbError(
            "without probabilities (columns p_<class>) nobody knows how sure a model was, so it cannot abstain."
        )
    for model, part in table.groupby("model", sort=False, observed=True):
        right = part["emotion"].astype(str) == part["predicted"].astype(str)
        yield model, part[columns].to_numpy().max(1), right.to_numpy(float)
