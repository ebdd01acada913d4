"""A validation part for folds that have none: for choosing weights or settings without a look at the test."""

import warnings

import pandas as pd
from sklearn.model_selection import StratifiedShuffleSplit

from sernb.core.errors import SernbError
from sernb.protocols.folds import Fold

FEWEST = 3  # groups that must be left to train on


def with_validation(
    folds: list[Fold], utterances: pd.DataFrame, share: float = 0.15, seed: int = 0
) -> list[Fold]:
    """The folds, each with a part of its training part set aside for validation; folds that have one stay as they are.

    Whole sessions are set aside where at least three others are left, another one in each fold; else about `share` of
    the speakers, where three others are left; else `share` of the utterances, stratified by emotion, with a warning:
    the validation part then knows the voices, though the test does not. Raises SernbError for a training part too small
    to be split.
    """
    made = []
    for number, fold in enumerate(folds):
        if len(fold.validation):
            made.append(fold)
            continue
        chosen = _groups(utterances.loc[fold.train], number, share, seed)
        if chosen is None:
            chosen = _stratified(utterances.loc[fold.train], share, seed + number, fold.name)
        made.append(Fold(fold.name, fold.train[~chosen], fold.train[chosen], fold.test))
    return made


def _groups(train, number, share, seed):
    """Rows of whole sessions or speakers, None where too few are known."""
    for column, portion in (("session", 0.0), ("speaker", share)):
        if column not in train or train[column].isna().any():
            continue
        names = sorted(train[column].astype(str).unique())
        count = max(1, round(portion * len(names)))
        if len(names) - count < FEWEST:
            continue
        shuffled = names if column == "session" else list(pd.Series(names).sample(frac=1, random_state=seed))
        held = {shuffled[(number * count + step) % len(names)] for step in range(count)}
        rows = train[column].astype(str).isin(held).to_numpy()
        if "emotion" not in train or set(train["emotion"][~rows].dropna()) == set(train["emotion"].dropna()):
            return rows
    return None


def _stratified(train, share, seed, name):
    labels = train["emotion"].astype(str) if "emotion" in train else pd.Series("", train.index)
    try:
        split = StratifiedShuffleSplit(1, test_size=share, random_state=seed)
        _, held = next(split.split(labels, labels))
    except ValueError as problem:
        raise SernbError(
            f"{name}: {len(train)} training utterances are too few to set a validation part aside ({problem})."
        ) from problem
    warnings.warn(
        f"{name}: too few sessions or speakers to set whole ones aside, so the validation part shares its voices with "
        "training; the test part does not change.",
        stacklevel=3,
    )
    rows = pd.Series(False, range(len(train)))
    rows[held] = True
    return rows.to_numpy()
