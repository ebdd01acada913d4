"""Bootstrap intervals of a metric, by utterance or by speaker: expanded percentile intervals.

Hesterberg 2015, "What teachers should know about the bootstrap": the plain ones are too narrow for few units.
"""

from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd
from scipy.stats import norm, t

from sernb.core.errors import SernbError
from sernb.core.tables import classes_of
from sernb.evaluation.concordance import dimensions_of, mean_concordance, sums
from sernb.evaluation.metrics import checked, from_counts, needs_classes

UNITS = ("utterance", "speaker")
FEW = {"utterance": 30, "speaker": 10}  # below these the note says that the interval is rough
LEVEL = 0.95  # of an interval, where nothing else is asked for
AT_ONCE = 2**23  # draws of kinds of units held in memory at a time


def bootstrap(
    predictions: pd.DataFrame, metric: str | list[str] = "UAR", unit="utterance", n=2000, seed=0, level=LEVEL
) -> pd.DataFrame:
    """The interval of a metric for each model of a predictions table, over all of its seeds' mean.

    Args:
        predictions: the table; utterances without a true value count in no CCC, nor among its units.
        metric: one or several of ``METRICS``, ``"recall_<class>"``, ``"CCC_<dimension>"`` and ``"CCC"``.
        unit: ``"utterance"``, other clips of the *same* speakers, or ``"speaker"``, whole *other speakers*.
        n, seed: how many resamples, and of their draws; each takes the same utterances from every seed.
        level: of the interval, between 0 and 1.

    Returns:
        A row for each model and metric: ``model, metric, value, low, high, unit, units`` (how many), ``level,
        note`` (of few units, whose interval is rough); NaN bounds of a single one.

    Raises:
        SernbError: an unknown metric or unit, or ``unit="speaker"`` where the speakers are not given.
    """
    rows, metrics = [], [metric] if isinstance(metric, str) else list(metric)
    for model, part in checked(predictions).groupby("model", sort=False, observed=True):
        drawn = {}  # metrics that are made of the same sums share their resamples
        for name in metrics:
            added, score = unit_sums(part, unit, name)
            if (key := added.tobytes()) not in drawn:
                drawn[key] = resample(added, n, seed)
            row = {"model": model, "metric": name, "value": score(added.sum(0)).mean()}
            rows.append(row | interval_columns(score(drawn[key]).mean(-1), unit, len(added), level))
    return pd.DataFrame(rows)


def usual_unit(predictions: pd.DataFrame) -> str:
    """The unit to draw where none is asked for: speakers where ten or more are known, else utterances."""
    known = "speaker" in predictions and predictions["speaker"].notna().all()
    return "speaker" if known and predictions["speaker"].nunique() >= FEW["speaker"] else "utterance"


def unit_sums(table: pd.DataFrame, unit: str, metric: str) -> tuple[np.ndarray, Callable]:
    """What adds up to a metric, ``(units, runs, …)``, and its metric; a run is a model with one seed."""
    check_unit(table, unit)
    run = table["model"].astype(str) + ("\n" + table["seed"].astype(str) if "seed" in table else "")
    runs, run_names = pd.factorize(run)

    if metric.startswith("CCC"):
        dimensions, wanted = dimensions_of(table), dimensions_of(table, metric)
        known = table[wanted].notna().any(axis=1).to_numpy()
        if not known.any():
            raise SernbError(f"{metric} needs true values: every {' and '.join(wanted)} is missing.")
        terms = [sums(table[name].to_numpy(), table[f"{name}_predicted"].to_numpy()) for name in dimensions]
        cells, columns = (), [dimensions.index(name) for name in wanted]
        score = lambda added: mean_concordance(added[..., columns, :])  # noqa: E731
        table, runs, terms = table[known], runs[known], np.stack(terms, axis=1)[known]
        shape = terms.shape[1:]
    else:
        classes = classes_of(needs_classes(table))
        cells = tuple(pd.Index(classes).get_indexer(table[c].astype(str)) for c in ("emotion", "predicted"))
        terms, shape, score = 1, (len(classes), len(classes)), partial(from_counts, metric, classes=classes)

    units, names = pd.factorize(table.index if unit == "utterance" else table["speaker"])
    added = np.zeros((len(names), len(run_names), *shape))
    np.add.at(added, (units, runs, *cells), terms)
    return added, score


def resample(counts: np.ndarray, n: int, seed: int) -> np.ndarray:
    """``n`` resamples of the units with replacement: counts ``(units, ...)`` → summed counts ``(n, ...)``.

    How often each *kind* of unit (of the same counts) is drawn is multinomial: a product of two matrices.
    """
    if n < 1:
        raise SernbError(f"A bootstrap needs at least one resample; n is {n}.")
    kinds, repeats = np.unique(counts.reshape(len(counts), -1), axis=0, return_counts=True)
    rng, shares, each = np.random.default_rng(seed), repeats / len(counts), max(1, AT_ONCE // len(kinds))
    sizes = (min(each, n - done) for done in range(0, n, each))
    drawn = [rng.multinomial(len(counts), shares, size).astype(float) @ kinds for size in sizes]
    return np.concatenate(drawn).reshape(n, *counts.shape[1:])


def interval(drawn: np.ndarray, level: float, units: int) -> tuple[float, float]:
    """The expanded percentile interval of drawn scores ``(n,)``: low, high; NaN for a single unit."""
    if not 0 < level < 1:
        raise SernbError(f"The level of an interval lies between 0 and 1 (0.95 is usual); it is {level}.")
    if units < 2 or np.isnan(drawn).all():
        return np.nan, np.nan
    tail = norm.cdf(t.ppf((1 - level) / 2, units - 1) * np.sqrt(units / (units - 1)))
    low, high = np.nanquantile(drawn, [tail, 1 - tail])
    return float(low), float(high)


def interval_columns(drawn: np.ndarray, unit: str, units: int, level: float = LEVEL, **beside) -> dict:
    """Columns of an interval: low, high, what stands beside them, unit, units, level, note."""
    low, high = interval(drawn, level, units)
    about = {"unit": unit, "units": units, "level": level, "note": note(unit, units)}
    return {"low": low, "high": high} | beside | about


def note(unit: str, units: int) -> str:
    """What to know of an interval from so few units; "" where there are enough."""
    if units == 1:
        return f"no interval: one {unit} only"
    return f"rough: {units} {unit}s only" if units < FEW[unit] else ""


def check_unit(table: pd.DataFrame, unit: str) -> None:
    if unit not in UNITS:
        raise SernbError(f"Unknown unit {unit!r}. Valid: {', '.join(UNITS)}.")
    if unit == "speaker" and ("speaker" not in table or table["speaker"].isna().any()):
        blank = f"{table['speaker'].isna().sum()} blank speakers" if "speaker" in table else ""
        need = f"A bootstrap by speaker needs one in every row, not {blank or 'no speaker column'}"
        raise SernbError(need + ': predictions.join(utterances["speaker"]), or unit="utterance".')
