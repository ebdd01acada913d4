"""Is the worst speaker (or any other group) worse than luck makes the worst?"""

import numpy as np
import pandas as pd

from sernb.evaluation.intervals import interval, resample


def halves(groups: np.ndarray, labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A random half, 0 or 1 `(n,)`, even for each group and nearly so for its labels."""
    order = rng.permutation(len(groups))
    order = order[np.lexsort((labels[order], groups[order]))]
    place = pd.Series(groups[order]).groupby(groups[order]).cumcount().to_numpy()
    half = np.empty(len(groups), int)
    half[order] = (place + rng.integers(2, size=groups.max() + 1)[groups[order]]) % 2
    return half


def accuracy(hit: np.ndarray, groups: np.ndarray, chosen: np.ndarray | None = None) -> np.ndarray:
    """The share of hits `(n,)` of each group, among those chosen (bool); NaN for a group without any."""
    chosen = np.ones(len(hit), bool) if chosen is None else chosen
    count = np.bincount(groups[chosen], minlength=groups.max() + 1).astype(float)
    return np.bincount(groups[chosen], hit[chosen], groups.max() + 1) / np.where(count, count, np.nan)


def lag_of_the_worst(hit: np.ndarray, groups: np.ndarray, labels: np.ndarray, splits=300, seed=0) -> tuple:
    """How far the group that is worst in one random half lies below the mean there, and in the other half.

    Args:
        hit, groups, labels: of each utterance, `(n,)`: 0 or 1, and whole numbers from 0 on.
        splits, seed: how many halvings, and of their draws.
    """
    rng, lags = np.random.default_rng(seed), []
    for _ in range(splits):
        half = halves(groups, labels, rng)
        seen, unseen = (accuracy(hit, groups, half == part) for part in (0, 1))
        worst = int(np.nanargmin(seen))
        lags.append((np.nanmean(seen) - seen[worst], np.nanmean(unseen) - unseen[worst]))
    return tuple(map(float, np.nanmean(lags, axis=0)))


def by_luck(hit: np.ndarray, groups: np.ndarray, labels: np.ndarray, n=1000, seed=0) -> pd.Series:
    """The worst group beside the worst of mistakes that are dealt out anew, among all utterances of a label.

    Args:
        hit, groups, labels: of each utterance, `(n,)`: 0 or 1, and whole numbers from 0 on.
        n, seed: how many deals, and of their draws.

    Returns:
        worst (its accuracy), by_luck (on average), p_worst (luck's is as bad), p_any (in variance of groups).
    """
    rng, dealt = np.random.default_rng(seed), []
    rows_of = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    for _ in range(n):
        anew = hit.copy()
        for rows in rows_of:
            anew[rows] = rng.permutation(hit[rows])
        dealt.append(accuracy(anew, groups))
    observed, dealt = accuracy(hit, groups), np.array(dealt)
    as_bad, as_uneven = dealt.min(1) <= observed.min(), dealt.var(1) >= observed.var()
    p = {"p_worst": (1 + as_bad.sum()) / (1 + n), "p_any": (1 + as_uneven.sum()) / (1 + n)}
    return pd.Series({"worst": observed.min(), "by_luck": dealt.min(1).mean()} | p)


def share_of(wrong: np.ndarray, chosen: np.ndarray, units: np.ndarray, n=2000, seed=0) -> list[tuple]:
    """The share of wrong ones among the chosen, and that less the share among all: (value, low, high) each.

    Args:
        wrong, chosen, units: of each utterance, `(n,)`: bool, bool, and whole numbers from 0 on.
        n, seed: how many resamples of units, and of their draws, for the 95 % intervals.
    """
    columns = (chosen, chosen & wrong, np.ones(len(wrong)), wrong)
    sums = np.stack([np.bincount(units, column.astype(float)) for column in columns], 1)  # (units, 4)
    values = []
    with np.errstate(divide="ignore", invalid="ignore"):
        for drawn in (sums.sum(0)[None], resample(sums, n, seed)):
            share = drawn[:, 1] / drawn[:, 0]
            values.append((share, share - drawn[:, 3] / drawn[:, 2]))
    return [(float(one[0]), *interval(drawn, 0.95, len(sums))) for one, drawn in zip(*values, strict=True)]
