"""Bootstrap intervals of a metric, by utterance or by speaker.

The expanded percentile interval (Hesterberg 2015, "What teachers should know about the bootstrap"): resample the
units with replacement, score each resample, take the middle of the scores, a little more of it the fewer units there
are. The plain percentile interval is too narrow for the handful of speakers that most emotional corpora have; with
hundreds of units the two are the same. BCa was left out: its correction comes from leaving out one unit at a time,
and rests on four numbers where there are four speakers.
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
    predictions: pd.DataFrame,
    metric: str | list[str] = "UAR",
    unit: str = "utterance",
    n: int = 2000,
    seed: int = 0,
    level: float = LEVEL,
) -> pd.DataFrame:
    """The interval of a metric for each model of a predictions table.

    Where a model has several seeds, the unit stays the utterance (or speaker): each draw takes the same utterances
    from every seed, and the metric is averaged over the seeds. The interval is then that of the mean over *these*
    seeds; how far seeds differ is another question, answered by ``scores(predictions, by=("model", "seed"))``.

    Args:
        predictions: the table. Utterances without a true value are left out of a dimension's CCC, and of its units.
        metric: one or several of ``METRICS``, ``"recall_<class>"``, and for dimensions ``"CCC_arousal"``,
            ``"CCC_valence"``, ``"CCC_dominance"`` and ``"CCC"`` (their mean).
        unit: ``"utterance"`` asks how the score would move with other clips of the *same* speakers; ``"speaker"``
            resamples whole speakers (cluster bootstrap) and asks how it would move with *other speakers*, which is
            the question for a speaker-independent test; it is usually wider.
        n, seed: how many resamples, and of their draws.
        level: of the interval, between 0 and 1.

    Returns:
        A row for each model and metric: ``model, metric, value, low, high, unit, units`` (how many), ``level, note``.
        Below ten speakers ``note`` says that the interval is rough (it tends to be too narrow); with a single unit
        ``low`` and ``high`` are NaN.

    Raises:
        SernbError: an unknown metric or unit, or ``unit="speaker"`` where the speakers are not given.
    """
    metrics = [metric] if isinstance(metric, str) else list(metric)
    rows = []
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
    """The unit to draw where none is asked for: whole speakers where ten or more are known, else utterances."""
    known = "speaker" in predictions and predictions["speaker"].notna().all()
    return "speaker" if known and predictions["speaker"].nunique() >= FEW["speaker"] else "utterance"


def unit_sums(table: pd.DataFrame, unit: str, metric: str) -> tuple[np.ndarray, Callable]:
    """What adds up to a metric, for each unit in each run, and the function that makes the metric of it.

    ``(units, runs, classes, classes)`` confusion counts, or ``(units, runs, dimensions, 6)`` terms of a CCC. The
    function takes sums over units, ``(..., runs, …)``, and gives ``(..., runs)``. A run is one model with one seed;
    runs of one model stand together, in the table's order of models.
    """
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

    Units with the same counts are interchangeable, so how often each *kind* of unit is drawn is one multinomial
    draw, and a resample is a product of two matrices: 2,000 of them take milliseconds, whatever the corpus's size.
    """
    if n < 1:
        raise SernbError(f"A bootstrap needs at least one resample; n is {n}.")
    kinds, repeats = np.unique(counts.reshape(len(counts), -1), axis=0, return_counts=True)
    rng, shares, each = np.random.default_rng(seed), repeats / len(counts), max(1, AT_ONCE // len(kinds))
    drawn = [
        rng.multinomial(len(counts), shares, size=min(each, n - done)).astype(float) @ kinds
        for done in range(0, n, each)
    ]
    return np.concatenate(drawn).reshape(n, *counts.shape[1:])


def interval(drawn: np.ndarray, level: float, units: int) -> tuple[float, float]:
    """The expanded percentile interval of drawn scores ``(n,)``: low, high; NaN where one unit is all there is."""
    if not 0 < level < 1:
        raise SernbError(f"The level of an interval lies between 0 and 1 (0.95 is usual); it is {level}.")
    if units < 2 or np.isnan(drawn).all():
        return np.nan, np.nan
    tail = norm.cdf(t.ppf((1 - level) / 2, units - 1) * np.sqrt(units / (units - 1)))
    low, high = np.nanquantile(drawn, [tail, 1 - tail])
    return float(low), float(high)


def interval_columns(drawn: np.ndarray, unit: str, units: int, level: float = LEVEL, **beside) -> dict:
    """What every result says of its interval: low, high, what stands beside them, unit, units, level, note."""
    low, high = interval(drawn, level, units)
    about = {"unit": unit, "units": units, "level": level, "note": note(unit, units)}
    return {"low": low, "high": high} | beside | about


def note(unit: str, units: int) -> str:
    """What a reader must know about an interval from so few units; "" where there are enough."""
    if units == 1:
        return f"no interval: one {unit} only"
    return f"rough: {units} {unit}s only" if units < FEW[unit] else ""


def check_unit(table: pd.DataFrame, unit: str) -> None:
    if unit not in UNITS:
        raise SernbError(f"Unknown unit {unit!r}. Valid: {', '.join(UNITS)}.")
    if unit == "speaker" and ("speaker" not in table or table["speaker"].isna().any()):
        blank = table["speaker"].isna().sum() if "speaker" in table else 0
        absent = f"{blank} blank speakers" if blank else "no speaker column"
        raise SernbError(
            f"A bootstrap by speaker needs the speaker of every row; these predictions have {absent}. Add it with "
            'predictions.join(utterances["speaker"]), or use unit="utterance".'
        )
