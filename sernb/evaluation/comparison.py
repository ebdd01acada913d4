"""Models compared on the same utterances: McNemar's test, bootstrapped differences and formulas, seeds."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from scipy.stats import binom, norm, sem, t

from sernb.core.errors import SernbError, some
from sernb.core.tables import DIMENSIONS
from sernb.evaluation.concordance import dimensions_of
from sernb.evaluation.intervals import LEVEL, interval_columns, resample, unit_sums
from sernb.evaluation.metrics import checked, needs_classes, scores


def mcnemar(predictions: pd.DataFrame, a: str, b: str, seed=None) -> pd.Series:
    """McNemar's test of two models' accuracies (McNemar 1947): who is right where just one is?

    Returns ``a, b, both_right, only_a, only_b, both_wrong, n, p_exact, p_mid``: the two-sided exact p, and
    the mid-p (Fagerland, Lydersen & Laake 2013), the one to quote. Utterances count as independent: with few
    speakers, check by ``paired_bootstrap(..., unit="speaker")``. Where a model has several seeds, ``seed``
    says which. Raises SernbError for an unknown model or seed, and for other utterances or labels.
    """
    pair = [_run(rows, seed) for rows in _pair(checked(needs_classes(predictions)), a, b)]
    right_a, right_b = (rows["emotion"].astype(str) == rows["predicted"].astype(str) for rows in pair)
    right_b = right_b.reindex(right_a.index)
    only_a, only_b = int((right_a & ~right_b).sum()), int((right_b & ~right_a).sum())
    fewer, differ = min(only_a, only_b), only_a + only_b
    tail, point = binom.cdf(fewer, differ, 0.5), binom.pmf(fewer, differ, 0.5)
    return pd.Series(
        {"a": a, "b": b, "both_right": int((right_a & right_b).sum()), "only_a": only_a, "only_b": only_b}
        | {"both_wrong": int((~right_a & ~right_b).sum()), "n": len(right_a)}
        | {"p_exact": float(min(1.0, 2 * tail)), "p_mid": float(min(1.0, 2 * tail - point))}
    )


def paired_bootstrap(
    predictions: pd.DataFrame, a: str, b: str, metric="UAR", unit="utterance", n=2000, seed=0, relative=False
) -> pd.Series:
    """The difference of two models' metric, a − b, with interval and p; both have the same resamples.

    Args:
        predictions: of both models, for the same utterances; seeds are averaged within each model.
        a, b, metric, unit, n, seed: the models; the rest as for :func:`sernb.evaluation.bootstrap`.
        relative: (a − b) / b; NaN where b is not above 0, without interval where that may well be.

    Returns:
        ``a, b, metric, value_a, value_b, difference, low, high, p, unit, units, level, note``; the two-sided
        ``p`` agrees with the interval and is never 0. Raises as :func:`mcnemar` and
        :func:`sernb.evaluation.bootstrap` do.
    """
    table = checked(predictions)
    _pair(table, a, b)
    (value_a, value_b), (drawn_a, drawn_b), units = _drawn(table, [(a, metric), (b, metric)], unit, n, seed)
    # Sums of the same numbers in another order differ in the last digit: no difference is exactly zero then.
    gain, drawn = value_a - value_b, (drawn_a - drawn_b).round(12)
    p = _two_sided(drawn, units)
    if relative:
        gain = gain / value_b if value_b > 0 else np.nan
        with np.errstate(divide="ignore", invalid="ignore"):  # a gain over nothing has no bound
            drawn = np.where(drawn_b > 0, drawn / drawn_b, np.copysign(np.inf, drawn))
    with np.errstate(invalid="ignore"):
        row = interval_columns(drawn, unit, units, p=p)
    if np.isfinite(gain) and relative and units > 1 and not np.isfinite([row["low"], row["high"]]).all():
        row |= {"low": np.nan, "high": np.nan, "note": f"no interval: {b} may well be 0"}
    values = {"value_a": value_a, "value_b": value_b, "difference": round(gain, 12)}
    return pd.Series({"a": a, "b": b, "metric": metric} | values | row)


def contrast(
    predictions: pd.DataFrame, terms: Sequence, formula: Callable, unit="utterance", n=2000, seed=0
) -> pd.Series:
    """A combination of several scores with an interval: a difference of differences, one gain beside another.

    Args:
        predictions: of all the models, for the same utterances, less those without a true value of a term.
        terms: (model, metric) pairs; all metrics of classes, or all of dimensions.
        formula: makes one number of the terms' scores, in their order; it takes and gives arrays.
        unit, n, seed: as for :func:`sernb.evaluation.bootstrap`; each resample is the same for all terms.

    Returns:
        ``value, low, high, p`` (against zero), ``unit, units, level, note``, of the finite resamples.

    Raises:
        SernbError: metrics of classes and of dimensions in one formula, and as :func:`paired_bootstrap` does.

    Example, does A gain more by B's way in valence than in arousal?

        >>> terms = [(model, metric) for metric in ("CCC_valence", "CCC_arousal") for model in "AB"]
        >>> contrast(p, terms, lambda a, b, c, d: (b - a) - (d - c))  # doctest: +SKIP
    """
    table, metrics = checked(predictions), list(dict.fromkeys(metric for _, metric in terms))
    if len({metric.startswith("CCC") for metric in metrics}) > 1:
        raise SernbError(f"one kind of scores, please: {', '.join(metrics)} are of classes and dimensions.")
    first, *others = dict.fromkeys(model for model, _ in terms)
    _known(table, first)
    for other in others:
        _pair(table, first, other)

    # What lacks a true value in one of the terms is left out of all.
    truths = [name for name in DIMENSIONS if f"CCC_{name}" in metrics and name in table]
    values, drawn, units = _drawn(table.dropna(subset=truths), terms, unit, n, seed)
    with np.errstate(divide="ignore", invalid="ignore"):
        value, resampled = formula(*values), np.asarray(formula(*drawn), float).round(12)
    resampled = np.where(np.isfinite(resampled), resampled, np.nan)
    p = _two_sided(resampled, units)
    return pd.Series({"value": float(value)} | interval_columns(resampled, unit, units, p=p))


def seed_difference(predictions: pd.DataFrame, a: str, b: str, metric: str = "UAR") -> pd.Series:
    """The mean over seeds of a − b, with its t interval: how far it may lie from the mean over *all* seeds.

    Returns ``a, b, metric, difference, low, high, seeds, level``; NaN bounds for fewer than two shared seeds.
    A model with one seed (a baseline) is compared with every seed of the other.
    """
    if "seed" not in predictions:
        raise SernbError("a difference by seed needs a column 'seed'; these predictions have none.")
    _known(predictions, a, b)
    table = scores(predictions[predictions["model"].isin([a, b])], by=("model", "seed"))
    if metric not in table:
        raise SernbError(f"Unknown metric {metric!r}. Valid: {', '.join(table.columns.drop('n'))}.")
    of_a, of_b = table.loc[a, metric], table.loc[b, metric]
    if 1 in (len(of_a), len(of_b)):
        each = pd.Series(of_a.to_numpy() - of_b.to_numpy())
    else:
        each = of_a.sub(of_b).loc[of_a.index.intersection(of_b.index)]
    if each.empty:
        raise SernbError(f"{a!r} and {b!r} share no seed: {list(of_a.index)} against {list(of_b.index)}.")
    mean, low, high = float(each.mean()), np.nan, np.nan
    if len(each) > 1:
        half = float(t.ppf((1 + LEVEL) / 2, len(each) - 1) * sem(each))
        low, high = mean - half, mean + half
    row = {"a": a, "b": b, "metric": metric, "difference": mean, "low": low, "high": high}
    return pd.Series(row | {"seeds": len(each), "level": LEVEL})


def _drawn(table, terms, unit, n, seed):
    """The scores of `terms`, their resamples `(n,)`, the same for all, and how many units."""
    models, metrics = list(dict.fromkeys(m for m, _ in terms)), list(dict.fromkeys(m for _, m in terms))
    parts = [table[table["model"] == model] for model in models]
    runs = [part["seed"].nunique(dropna=False) if "seed" in part else 1 for part in parts]
    first = dict(zip(models, np.cumsum([0, *runs[:-1]]), strict=True))
    last = dict(zip(models, np.cumsum(runs), strict=True))
    table, scored = pd.concat(parts), {}
    for metric in metrics:
        added, score = unit_sums(table, unit, metric)
        if not scored:
            sums, drawn = added.sum(0), resample(added, n, seed)
        scored[metric] = score(sums), score(drawn)  # (runs,), (n, runs)

    def over_seeds(number):
        return [scored[metric][number][..., first[m] : last[m]].mean(-1) for m, metric in terms]

    return [float(value) for value in over_seeds(0)], over_seeds(1), len(added)


def _two_sided(drawn, units):
    """The p at which the interval of `intervals.interval` just reaches zero."""
    drawn = drawn[~np.isnan(drawn)]  # resamples without what the metric needs are left out
    if units < 2 or not len(drawn):
        return np.nan
    beyond = (1 + min((drawn <= 0).sum(), (drawn >= 0).sum())) / (1 + len(drawn))
    return float(2 * t.cdf(norm.ppf(min(beyond, 0.5)) * np.sqrt((units - 1) / units), units - 1))


def _known(table, *models):
    there = list(table["model"].unique())
    for model in models:
        if model not in there:
            raise SernbError(f"No predictions of model {model!r}; the table holds {some(there)}.")


def _pair(table, a, b):
    """The rows of the two models, which must stand for the same utterances with the same truth."""
    _known(table, a, b)
    if a == b:
        raise SernbError(f"A paired test compares two models; both are {a!r}.")
    pair = {name: table[table["model"] == name] for name in (a, b)}
    for here, there in ((a, b), (b, a)):
        lacking = pair[here].index.unique().difference(pair[there].index)
        if len(lacking):
            lack = f"{len(lacking)} of {here!r} are not in {there!r} ({some(lacking, 3)})"
            raise SernbError(f"A paired test needs the same utterances in both models: {lack}.")
    for truth in [*(["emotion"] if "predicted" in table else []), *dimensions_of(table)]:
        truth_a, truth_b = (rows[truth].groupby(level=0).first() for rows in pair.values())
        if truth == "emotion":
            same = (truth_a.astype(str) == truth_b.astype(str)).to_numpy()
        else:  # a table that went through a file may differ in the last digit
            same = np.isclose(truth_a, truth_b, rtol=1e-9, atol=0, equal_nan=True)
        if not same.all():
            what = f"different {'labels' if truth == 'emotion' else truth} in {(~same).sum()} utterances"
            raise SernbError(f"Both models were tested against {what} ({some(truth_a.index[~same], 3)}).")
    return list(pair.values())


def _run(table, seed):
    """The rows of one seed of one model; all of them where it has one, or none, and none is asked for."""
    if "seed" not in table:
        return table
    model, seeds = table["model"].iloc[0], list(table["seed"].unique())
    if seed is None and len(seeds) > 1:
        several = f"{model!r} has {len(seeds)} seeds ({some(seeds, 3)})"
        raise SernbError(f"McNemar's test takes one seed; {several}: name one, or use paired_bootstrap.")
    if seed is None or (len(seeds) == 1 and pd.isna(seeds[0])):
        return table
    if seed not in seeds:
        raise SernbError(f"{model!r} has no seed {seed!r}; it has {some(seeds, 3)}.")
    return table[table["seed"] == seed]
