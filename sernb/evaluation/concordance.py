"""The concordance correlation coefficient (CCC) of predicted emotional dimensions.

    CCC = 2 cov(x, y) / (var(x) + var(y) + (mean(x) - mean(y))²)

Lin 1989, "A concordance correlation coefficient to evaluate reproducibility", with population moments. All of
it is made of six sums over utterances, so thousands of resampled tables are one matrix product.
"""

import numpy as np
import pandas as pd

from sernb.core.errors import SernbError
from sernb.core.tables import DIMENSIONS

ROUNDING = 1e-12  # a variance this small beside the square of the values is what rounding left of 0


def concordance(truth: np.ndarray, predicted: np.ndarray) -> float:
    """The CCC of predictions ``(utterances,)`` with the true values ``(utterances,)``, between -1 and 1.

    A NaN truth is left out. NaN for fewer than two, or truth and prediction constant and equal; 0 where one
    is constant, or both are and differ. Raises SernbError for other lengths and predictions not finite.
    """
    truth, predicted = np.asarray(truth, float), np.asarray(predicted, float)
    if truth.ndim != 1 or truth.shape != predicted.shape:
        shapes = f"got the shapes {truth.shape} and {predicted.shape}"
        raise SernbError(f"concordance needs (utterances,) true values and as many predictions; {shapes}.")
    if not np.isfinite(predicted).all() or np.isinf(truth).any():
        raise SernbError("concordance needs finite numbers (a true value may be NaN: it is left out).")
    return float(concordance_of(sums(truth, predicted).sum(0)))


def sums(truth: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """What each utterance adds, ``(utterances, 6)``: n, Σx, Σy, Σx², Σy², Σxy, centred; 0 for a NaN."""
    known = ~np.isnan(truth)
    centre = truth[known].mean() if known.any() else 0.0
    x, y = (np.where(known, values - centre, 0.0) for values in (truth, predicted))
    return np.stack([known.astype(float), x, y, x * x, y * y, x * y], axis=-1)


def concordance_of(added: np.ndarray) -> np.ndarray:
    """The CCC of summed terms ``(..., 6)`` of :func:`sums` → ``(...)``."""
    n, *moments = np.moveaxis(added, -1, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        x, y, xx, yy, xy = (total / n for total in moments)
        spreads = ((xx - x * x, xx), (yy - y * y, yy))
        var_x, var_y = (np.where(v <= ROUNDING * square, 0.0, v) for v, square in spreads)
        covariance = np.where((var_x == 0) | (var_y == 0), 0.0, xy - x * y)
        below = var_x + var_y + (x - y) ** 2
        undefined = (n < 2) | (below <= ROUNDING * (xx + yy))
        return np.where(undefined, np.nan, 2 * covariance / below)


def mean_concordance(added: np.ndarray) -> np.ndarray:
    """The mean CCC over dimensions that have one, ``(..., dimensions, 6)`` → ``(...)``."""
    each = concordance_of(added)
    defined = ~np.isnan(each)
    with np.errstate(invalid="ignore"):
        return np.where(defined, each, 0.0).sum(-1) / defined.sum(-1)


def dimensions_of(predictions: pd.DataFrame, metric: str = "CCC") -> list[str]:
    """The dimensions of a metric: one for ``"CCC_valence"``, all that are predicted for ``"CCC"``."""
    predicted = [name for name in DIMENSIONS if f"{name}_predicted" in predictions]
    named = {"CCC": predicted} | {f"CCC_{name}": [name] for name in predicted}
    if metric in named:
        return named[metric]
    raise SernbError(f"Unknown metric {metric!r}. Of the predicted dimensions there are: {', '.join(named)}.")
