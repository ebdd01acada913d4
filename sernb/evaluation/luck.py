"""Is the worst speaker (or any other group) worse than luck makes the worst? Halves, mistakes dealt out anew, shares."""

import numpy as np
import pandas as pd

from sernb.evaluation.intervals import interval, resample


def halves(groups: np.ndarray, labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A half, 0 or 1, for each utterance `(n,)`: random, but even for each group, and nearly so for its labels.

    groups, labels: whole numbers from 0 on, `(n,)` each.
    """
    order = rng.permutation(len(groups))
    order = order[np.lexsort((labels[order], groups[order]))]
    place = pd.Series(groups[order]).groupby(groups[order]).cumcount().to_numpy()
    half = np.empty(len(groups), int)
    half[order] = (place + rng.integers(2, size=groups.max() + 1)[groups[order]]) % 2
    return half


def accuracy(hit: np.ndarray, groups: np.ndarray, chosen: np.ndarray | None = None) -> np.ndarray:
    """The share of hits `(n,)` of each group, among those chosen (bool, `(n,)`); NaN for a group without any."""
    chosen = np.ones(len(hit), bool) if chosen is None else chosen
    count = np.bincount(groups[chosen], minlength=groups.max() + 1).astype(float)
    return np.bincount(groups[chosen], hit[chosen], groups.max() + 1) / np.where(count, count, np.nan)


def lag_of_the_worst(
    hit: np.ndarray, groups: np.ndarray, labels: np.ndarray, splits: int = 300, seed: int = 0
) -> tuple[float, float]:
    """How far the group that is worst in one half lies below the mean of groups there, and in the other half.

    Means over random `halves`. The second is smaller: an extreme that was chosen for being one was partly luck.
    """
    rng, lags = np.random.default_rng(seed), []
    for _ in range(splits):
        half = halves(groups, labels, rng)
        seen, unseen = (accuracy(hit, groups, half == part) for part in (0, 1))
        worst = int(np.nanargmin(seen))
        lags.append((np.nanmean(seen) - seen[worst], np.nanmean(unseen) - unseen[worst]))
    found, left = np.nanmean(lags, axis=0)
    return float(found), float(left)


def by_luck(
    hit: np.ndarray, groups: np.ndarray, labels: np.ndarray, n: int = 1000, seed: int = 0
) -> pd.Series:
    """The worst group beside the worst of mistakes that are dealt out anew, among all utterances of a label.

    Returns worst (its accuracy), by_luck (that of the worst by luck, on average), p_worst (how often luck's is as bad)
    and p_any (how often groups differ as much by luck, in the variance of their accuracies).
    """
    rng, dealt = np.random.default_rng(seed), []
    rows_of = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    for _ in range(n):
        anew = hit.copy()
        for rows in rows_of:
            anew[rows] = rng.permutation(hit[rows])
        dealt.append(accuracy(anew, groups))
    observed, dealt = accuracy(hit, groups), np.array(dealt)
    return pd.Series(
        {
            "worst": observed.min(),
            "by_luck": dealt.min(1).mean(),
            "p_worst": (1 + (dealt.min(1) <= observed.min()).sum()) / (1 + n),
            "p_any": (1 + (dealt.var(1) >= observed.var()).sum()) / (1 + n),
        }
    )


def share_of(
    wrong: np.ndarray, chosen: np.ndarray, units: np.ndarray, n: int = 2000, seed: int = 0
) -> list[tuple]:
    """The share of wrong ones among the chosen, and that less the share among all: (value, low, high) each.

    wrong, chosen: bool `(n,)`; the 95 % intervals draw whole `units` (numbers from 0 on, `(n,)`).
    """
    columns = (chosen, chosen & wrong, np.ones(len(wrong)), wrong)
    sums = np.stack([np.bincount(units, column.astype(float)) for column in columns], 1)  # (units, 4)
    values = []
    with np.errstate(divide="ignore", invalid="ignore"):
        for drawn in (sums.sum(0)[None], resample(sums, n, seed)):
            share = drawn[:, 1] / drawn[:, 0]
            values.append((share, share - drawn[:, 3] / drawn[:, 2]))
    return [(float(one[0]), *interval(drawn, 0.95, len(sums))) for one, drawn in zip(*values, strict=True)]
