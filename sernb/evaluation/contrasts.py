"""A combination of several scores, with an interval: a difference of differences, one gain beside another."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from sernb.core.errors import SernbError
from sernb.evaluation.comparison import _pair, _two_sided
from sernb.evaluation.intervals import interval, note, resample, unit_sums


def contrast(
    predictions: pd.DataFrame,
    terms: Sequence[tuple[str, str]],
    formula: Callable,
    unit: str = "utterance",
    n: int = 2000,
    seed: int = 0,
    level: float = 0.95,
) -> pd.Series:
    """`formula(*scores)` of the (model, metric) pairs in `terms`, with an interval and p against zero.

    Each resample draws the same utterances (or speakers) for every term, and `formula` takes and gives arrays, so any
    smooth combination does; seeds are averaged within each model first. Two terms and ``lambda a, b: a - b`` are
    :func:`paired_bootstrap`. Utterances without a true value of one of the dimensions are left out of all.

    Returns ``value, low, high, p, unit, units, level, note``. Resamples without a finite result are left out. Raises SernbError
    for metrics of classes and of dimensions in one formula, and as :func:`paired_bootstrap` does.

    Example, does A gain more by B's way in valence than in arousal?

        >>> contrast(p, [("A", "CCC_valence"), ("B", "CCC_valence"), ("A", "CCC_arousal"), ("B", "CCC_arousal")],
        ...          lambda a, b, c, d: (b - a) - (d - c))  # doctest: +SKIP
    """
    models, metrics = list(dict.fromkeys(m for m, _ in terms)), list(dict.fromkeys(m for _, m in terms))
    if len({one.startswith("CCC") for one in metrics}) > 1:
        raise SernbError(
            f"a contrast draws from one kind of scores; {', '.join(metrics)} are of classes and of dimensions."
        )
    for other in models[1:]:
        _pair(predictions, models[0], other)
    rows = predictions[predictions["model"].isin(models)]
    truths = [one.removeprefix("CCC_") for one in metrics if one.startswith("CCC_")]
    rows = rows[rows[truths].notna().all(axis=1)] if truths else rows
    parts = {model: rows[rows["model"] == model] for model in models}
    runs = [part["seed"].nunique(dropna=False) if "seed" in part else 1 for part in parts.values()]
    ends = dict(zip(models, np.cumsum(runs), strict=True))
    starts = dict(zip(models, np.cumsum([0, *runs]), strict=False))
    table, scored = pd.concat(parts.values()), {}
    for metric in metrics:
        added, score = unit_sums(table, unit, metric)
        if not scored:
            first, drawn = added, resample(added, n, seed)
        scored[metric] = score(first.sum(0)), score(drawn)

    def found(which):
        values = [scored[metric][which][..., starts[model] : ends[model]].mean(-1) for model, metric in terms]
        with np.errstate(divide="ignore", invalid="ignore"):
            return formula(*values)

    resampled = np.asarray(found(1), float).round(12)
    resampled = np.where(np.isfinite(resampled), resampled, np.nan)
    low, high = interval(resampled, level, len(first))
    return pd.Series(
        {
            "value": float(found(0)),
            "low": low,
            "high": high,
            "p": _two_sided(resampled, len(first)),
            "unit": unit,
            "units": len(first),
            "level": level,
            "note": note(unit, len(first)),
        }
    )
