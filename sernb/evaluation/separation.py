"""How far emotions, or speakers, lie apart: by one measure at a time, and by all of them together."""

import contextlib

import numpy as np
import pandas as pd
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import StandardScaler

from sernb.core.errors import SernbError


def relative_to_speaker(table: pd.DataFrame, speakers: pd.Series) -> pd.DataFrame:
    """Each column less the speaker's own mean, in the speaker's own deviations (*transductive*)."""
    speakers = speakers.reindex(table.index)
    if speakers.isna().any():
        names = table.index[speakers.isna()]
        raise SernbError(f"{len(names)} utterances have no speaker to compare with, the first is {names[0]}.")
    groups = table.groupby(speakers.astype(str))
    spread = groups.transform("std", ddof=0)
    relative = (table - groups.transform("mean")).div(spread.where(spread > 1e-9))
    return relative.fillna(0.0).where(table.notna())


def explained(values: pd.Series, groups: pd.Series) -> float:
    """Share of a measure's variance between groups: epsilon squared (Kelley 1935); NaN where undefined."""
    known = values.notna() & groups.notna()
    values, groups = values[known].astype(float), groups[known].astype(str)
    n, k = len(values), groups.nunique()
    total = ((values - values.mean()) ** 2).sum()
    if k < 2 or n <= k or total <= 1e-12 * n:
        return np.nan
    within = ((values - values.groupby(groups).transform("mean")) ** 2).sum()
    return float(1 - (within / (n - k)) / (total / (n - 1)))


def shares_of_measures(statistics: pd.DataFrame, emotions: pd.Series, speakers: pd.Series) -> pd.DataFrame:
    """`explained` of every measure, by emotion and speaker as recorded, by emotion within speakers."""
    known = emotions.reindex(statistics.index).notna() & speakers.reindex(statistics.index).notna()
    table = statistics[known]
    emotions, speakers = emotions.loc[table.index], speakers.loc[table.index]
    relative = relative_to_speaker(table, speakers)
    columns = ["emotion, as recorded", "speaker, as recorded", "emotion, within speakers"]
    compared = (table, emotions), (table, speakers), (relative, emotions)
    rows = {name: [explained(numbers[name], groups) for numbers, groups in compared] for name in table}
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).clip(lower=0.0)


def neighbour_purity(
    features: pd.DataFrame, labels: pd.Series, k=10, apart: pd.Series | None = None, shuffles=200, seed=0
) -> dict:
    """How often an utterance's nearest neighbours bear its own label, against labels that are shuffled.

    Args:
        features: (utterances, measures), standardised here; distance is Euclidean.
        labels, k: one an utterance; of a label that stands m times, min(`k`, m - 1) neighbours are looked at.
        apart: only neighbours that differ in this count (*other* speakers, say).
        shuffles, seed: of the labels, to know chance by.

    Returns:
        purity, chance (mean of the shuffles), above_chance (1 for all neighbours), p and n (utterances).

    Raises:
        SernbError: missing values, or nothing that can be compared.
    """
    if features.isna().any(axis=None) or labels.isna().any() or len(features) != len(labels):
        raise SernbError("neighbours need a number for every measure and a label for every utterance.")
    near = _neighbours(StandardScaler().fit_transform(features), apart, min(k, len(features) - 1))
    codes, _ = pd.factorize(labels.astype(str))
    purity, n = _purity(codes, near)
    if not n:
        raise SernbError("no label stands twice, or all utterances are of one group: nothing to compare.")
    rng = np.random.default_rng(seed)
    by_chance = np.array([_purity(rng.permutation(codes), near)[0] for _ in range(shuffles)])
    chance, p = by_chance.mean(), (1 + (by_chance >= purity).sum()) / (1 + shuffles)
    above = (purity - chance) / (1 - chance) if chance < 1 else np.nan
    return {"purity": purity, "chance": chance, "above_chance": above, "p": p, "n": n}


def emotion_or_speaker(
    statistics: pd.DataFrame, utterances: pd.DataFrame, shuffles: int = 200, seed: int = 0
) -> pd.DataFrame:
    """`neighbour_purity` of emotions and speakers; of emotions among *others*, and `relative_to_speaker`."""
    known = [name for name in ("emotion", "speaker") if name in utterances and utterances[name].notna().any()]
    labels = utterances.reindex(statistics.index)[known].dropna()
    statistics = statistics.loc[labels.index]
    compared = {name: (statistics, name, None) for name in known}
    if len(known) == 2 and len(labels):
        speaker = labels["speaker"]
        compared["emotion, among other speakers"] = statistics, "emotion", speaker
        compared["… compared with themselves"] = relative_to_speaker(statistics, speaker), "emotion", speaker
    rows = {}
    for row, (numbers, name, apart) in compared.items():
        if labels[name].nunique() > 1:
            with contextlib.suppress(SernbError):  # a handful of utterances may leave nothing to compare
                rows[row] = neighbour_purity(numbers, labels[name], apart=apart, shuffles=shuffles, seed=seed)
    return pd.DataFrame.from_dict(rows, orient="index")


def _neighbours(x: np.ndarray, apart: pd.Series | None, k: int) -> np.ndarray:
    """Row numbers of the nearest others, nearest first, (n, k); -1 where there are not so many."""
    if apart is None:
        return NearestNeighbors(n_neighbors=k).fit(x).kneighbors(return_distance=False)
    near, groups = np.full((len(x), k), -1), pd.factorize(apart.astype(str))[0]
    for group in np.unique(groups):
        mine, others = np.flatnonzero(groups == group), np.flatnonzero(groups != group)
        count = min(k, len(others))
        if count:
            search = NearestNeighbors(n_neighbors=count).fit(x[others])
            near[mine, :count] = others[search.kneighbors(x[mine], return_distance=False)]
    return near


def _purity(codes: np.ndarray, near: np.ndarray) -> tuple[float, int]:
    """Mean share of same-label neighbours among the first min(k, m - 1), and how many were asked."""
    wanted = np.minimum(np.bincount(codes)[codes] - 1, (near >= 0).sum(1))
    asked = wanted > 0
    same = (codes[near] == codes[:, None]) & (np.arange(near.shape[1]) < wanted[:, None])
    return (float((same.sum(1)[asked] / wanted[asked]).mean()) if asked.any() else np.nan), int(asked.sum())
