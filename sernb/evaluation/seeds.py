"""Would other seeds say the same? The difference of two models, seed by seed."""

import numpy as np
import pandas as pd
from scipy.stats import sem, t

from sernb.core.errors import SernbError
from sernb.evaluation.metrics import scores


def seed_difference(
    predictions: pd.DataFrame, a: str, b: str, metric: str = "UAR", level: float = 0.95
) -> pd.Series:
    """The mean over seeds of a − b, with its t interval: how far it may lie from the mean over *all* seeds.

    It says nothing of other test utterances: :func:`sernb.evaluation.paired_bootstrap` does. Returns ``a, b, metric,
    difference, low, high, seeds, level``; low and high are NaN where both models share fewer than two seeds. A model
    with one seed (a teacher, a baseline) is compared with every seed of the other.

    Raises SernbError for an unknown model or metric, and where no seed is shared.
    """
    if "seed" not in predictions:
        raise SernbError("a difference by seed needs a column 'seed'; these predictions have none.")
    if absent := [one for one in (a, b) if one not in set(predictions["model"])]:
        raise SernbError(
            f"No predictions of model {absent[0]!r}; the table holds {', '.join(predictions['model'].unique())}."
        )
    table = scores(predictions[predictions["model"].isin([a, b])], by=("model", "seed"))
    if metric not in table:
        raise SernbError(f"Unknown metric {metric!r}. Valid: {', '.join(table.columns.drop('n'))}.")
    one, two = table.loc[a, metric], table.loc[b, metric]
    if len(one) == 1 or len(two) == 1:
        each = (one.iloc[0] if len(one) == 1 else one) - (two.iloc[0] if len(two) == 1 else two)
        each = pd.Series(np.atleast_1d(each))
    else:
        each = one.sub(two).loc[one.index.intersection(two.index)]
    if each.empty:
        raise SernbError(f"{a!r} and {b!r} share no seed: {list(one.index)} against {list(two.index)}.")
    mean, low, high = float(each.mean()), np.nan, np.nan
    if len(each) > 1:
        half = float(t.ppf((1 + level) / 2, len(each) - 1) * sem(each))
        low, high = mean - half, mean + half
    return pd.Series(
        {
            "a": a,
            "b": b,
            "metric": metric,
            "difference": mean,
            "low": low,
            "high": high,
            "seeds": len(each),
            "level": level,
        }
    )
