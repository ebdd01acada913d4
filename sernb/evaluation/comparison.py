"""Two models on the same utterances: McNemar's test, and the bootstrap of their difference."""

import numpy as np
import pandas as pd
from scipy.stats import binom, norm, t

from sernb.core.errors import SernbError
from sernb.evaluation.concordance import dimensions_of
from sernb.evaluation.intervals import interval, note, resample, unit_sums
from sernb.evaluation.metrics import checked, needs_classes


def mcnemar(predictions: pd.DataFrame, a: str, b: str, seed=None) -> pd.Series:
    """McNemar's test of two models' accuracies (McNemar 1947): do the utterances where just one is right
    favour one?

    Returns ``a, b, both_right, only_a, only_b, both_wrong, n, p_exact, p_mid``. ``p_exact`` is the
    two-sided exact binomial p; ``p_mid`` the mid-p (Fagerland, Lydersen & Laake 2013), less conservative
    and the one to quote. Both are 1 where the models never differ in being right. It treats utterances as
    independent, so with few speakers it is optimistic: ``paired_bootstrap(..., unit="speaker")`` is the
    check.

    The test takes one answer a model and utterance: where a model has several seeds, ``seed`` says which.
    Raises SernbError where a model or seed is unknown, or where the two were not tested on the same
    utterances.
    """
    one, two = _pair(needs_classes(predictions), a, b)
    right_a, right_b = (_right(_one_run(t, seed)) for t in (one, two))
    right_b = right_b.reindex(right_a.index)
    only_a, only_b = int((right_a & ~right_b).sum()), int((right_b & ~right_a).sum())
    fewer, differ = min(only_a, only_b), only_a + only_b
    tail, point = binom.cdf(fewer, differ, 0.5), binom.pmf(fewer, differ, 0.5)
    return pd.Series(
        {
            "a": a,
            "b": b,
            "both_right": int((right_a & right_b).sum()),
            "only_a": only_a,
            "only_b": only_b,
            "both_wrong": int((~right_a & ~right_b).sum()),
            "n": len(right_a),
            "p_exact": float(min(1.0, 2 * tail)),
            "p_mid": float(min(1.0, 2 * tail - point)),
        }
    )


def paired_bootstrap(
    predictions: pd.DataFrame,
    a: str,
    b: str,
    metric: str = "UAR",
    unit: str = "utterance",
    n: int = 2000,
    seed: int = 0,
    level: float = 0.95,
    relative: bool = False,
) -> pd.Series:
    """The difference of two models' metric, a − b, with interval and p; each resample is the same for
    both models. With ``relative`` it is a share of b: (a − b) / b, 0.25 = a quarter more than b.

    Returns ``a, b, metric, value_a, value_b, difference, low, high, p, unit, units, level, note``. Units,
    seeds (averaged within each model), interval and notes are those of
    :func:`sernb.evaluation.bootstrap`. ``p`` is two-sided and agrees with the interval (below 1 − level
    where that leaves zero out): it starts from the share (1 + k) / (1 + n) of resamples on the other side
    of zero, ties counted on both sides, so it is never 0, and is 1 for identical models.

    A relative difference is NaN where b is not above 0, and has no interval where b is not above 0 in so many
    resamples that the interval would have no end. For dimensions (``"CCC_valence"``) resamples without a CCC are left
    out. Raises SernbError as :func:`mcnemar` and :func:`bootstrap` do.
    """
    one, two = _pair(predictions, a, b)
    both = pd.concat([one, two])
    added, score = unit_sums(both, unit, metric)
    first = _runs_of(one)
    whole = score(added.sum(0))  # (runs,)
    drawn = score(resample(added, n, seed))  # (n, runs)
    base = drawn[:, first:].mean(-1)
    difference = drawn[:, :first].mean(-1) - base
    # Sums of the same numbers in another order differ in the last digit: no difference is exactly zero then.
    difference = difference.round(12)
    value_a, value_b = float(whole[:first].mean()), float(whole[first:].mean())
    gain, said, p = value_a - value_b, note(unit, len(added)), _two_sided(difference, len(added))
    if relative:
        gain = gain / value_b if value_b > 0 else np.nan
        with np.errstate(divide="ignore", invalid="ignore"):  # a gain over nothing has no bound
            difference = np.where(base > 0, difference / base, np.copysign(np.inf, difference))
    with np.errstate(invalid="ignore"):
        low, high = interval(difference, level, len(added))
    if np.isfinite(gain) and relative and len(added) > 1 and not np.isfinite([low, high]).all():
        low, high, said = np.nan, np.nan, f"no interval: {b} may well be 0"
    return pd.Series(
        {
            "a": a,
            "b": b,
            "metric": metric,
            "value_a": value_a,
            "value_b": value_b,
            "difference": round(gain, 12),
            "low": low,
            "high": high,
            "p": p,
            "unit": unit,
            "units": len(added),
            "level": level,
            "note": said,
        }
    )


def _two_sided(drawn, units):
    """The p at which the interval of `intervals.interval` just reaches zero."""
    if units < 2:
        return np.nan
    drawn = drawn[~np.isnan(drawn)]  # resamples without what the metric needs
    if not len(drawn):
        return np.nan
    beyond = (1 + min((drawn <= 0).sum(), (drawn >= 0).sum())) / (1 + len(drawn))
    return float(2 * t.cdf(norm.ppf(min(beyond, 0.5)) * np.sqrt((units - 1) / units), units - 1))


def _pair(predictions, a, b):
    """The rows of the two models, after a check that they stand for the same utterances with the same
    truth.
    """
    table = checked(predictions)
    models = list(table["model"].unique())
    for name in (a, b):
        if name not in models:
            raise SernbError(f"No predictions of model {name!r}; the table holds {', '.join(models)}.")
    if a == b:
        raise SernbError(
            f"A paired test compares two models; both are {a!r}. The table holds {', '.join(models)}."
        )
    one, two = table[table["model"] == a], table[table["model"] == b]
    for x, y, here, there in ((one, two, a, b), (two, one, b, a)):
        lacking = x.index.unique().difference(y.index)
        if len(lacking):
            raise SernbError(
                f"A paired test needs the same utterances in both models: {len(lacking)} of {here!r} are not in {there!r} "
                f"({_few(lacking)}). Keep the common ones, or predict the others as well."
            )
    for truth in [*(["emotion"] if "predicted" in table else []), *dimensions_of(table)]:
        truth_a, truth_b = (t[truth].groupby(level=0).first() for t in (one, two))
        other = truth_a.index[~_equal(truth_a, truth_b)]
        if len(other):
            raise SernbError(
                f"The two models were tested against different {'labels' if truth == 'emotion' else truth} in {len(other)} "
                f"utterances ({_few(other)}). Make both predictions tables from the same utterances table."
            )
    return one, two


def _equal(here, there):
    if here.dtype == float:  # a table that went through a file may differ in the last digit
        return np.isclose(here, there, rtol=1e-9, atol=0, equal_nan=True)
    return (here.astype(str) == there.astype(str)).to_numpy()


def _one_run(table, seed):
    if "seed" not in table:
        return table
    model, seeds = table["model"].iloc[0], list(table["seed"].unique())
    if seed is None and len(seeds) > 1:
        raise SernbError(
            f"McNemar's test takes one answer an utterance, and {model!r} has {len(seeds)} seeds ({_few(seeds)}): name one "
            "with seed=..., or use paired_bootstrap, which averages over seeds."
        )
    if seed is None or (len(seeds) == 1 and pd.isna(seeds[0])):
        return table
    if seed not in seeds:
        raise SernbError(f"{model!r} has no seed {seed!r}; it has {_few(seeds)}.")
    return table[table["seed"] == seed]


def _right(table):
    return table["emotion"].astype(str) == table["predicted"].astype(str)


def _runs_of(table):
    return table["seed"].nunique(dropna=False) if "seed" in table else 1


def _few(names):
    return ", ".join(map(str, names[:3])) + (", …" if len(names) > 3 else "")
