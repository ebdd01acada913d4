"""What every protocol is made of: a fold, the groups it keeps together, and what is said when they do not fit."""

import warnings
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from sernb.core.errors import SernbError


@dataclass(frozen=True, eq=False)
class Fold:
    """One round of an experiment: the ids of the utterances in each part. `validation` may be empty."""

    name: str
    train: pd.Index
    validation: pd.Index = field(default_factory=lambda: pd.Index([], name="utterance", dtype=object))
    test: pd.Index = field(default_factory=lambda: pd.Index([], name="utterance", dtype=object))

    def parts(self) -> dict[str, pd.Index]:
        return {"train": self.train, "validation": self.validation, "test": self.test}


def fold_of(utterances: pd.DataFrame, name: str, test: np.ndarray) -> Fold:
    tested = np.zeros(len(utterances), dtype=bool)
    tested[test] = True
    return Fold(name, utterances.index[~tested], test=utterances.index[tested])


def leave_one_out(utterances: pd.DataFrame, column: str, protocol: str) -> list[Fold]:
    groups = groups_of(utterances, column, protocol)
    names = sorted(groups.unique())
    if len(names) < 2:
        raise SernbError(
            f"{protocol} needs at least 2 different values of {column!r}, these utterances have {len(names)} "
            f"({some(names)}). {hint(utterances)}"
        )
    return [fold_of(utterances, f"{column} {name}", np.flatnonzero(groups == name)) for name in names]


def groups_of(utterances: pd.DataFrame, column: str, protocol: str) -> pd.Series:
    """The column as text; an error where it is absent or has gaps."""
    if column not in utterances:
        raise SernbError(
            f"{protocol} needs a column {column!r}, which these utterances lack. {hint(utterances)}"
        )
    groups = utterances[column]
    if groups.isna().any():
        rows = utterances.index[groups.isna()]
        raise SernbError(
            f"{protocol}: {len(rows)} of {len(groups)} utterances have no {column}: {some(rows)}. "
            f"Fill in the column, or leave them out with utterances[utterances[{column!r}].notna()]."
        )
    return groups.astype(str)


def warn_of_shared(folds: list[Fold], utterances: pd.DataFrame, protocol: str) -> None:
    if "speaker" not in utterances:
        warnings.warn(f"{protocol}: no speakers are known, so train and test may share them.", stacklevel=3)
        return
    speakers = utterances["speaker"]
    shared = set()
    for fold in folds:
        heard = set(speakers[fold.train].dropna()) | set(speakers[fold.validation].dropna())
        shared |= heard & set(speakers[fold.test].dropna())
    if shared:
        warnings.warn(
            f"{protocol}: {len(shared)} speakers are both trained on and tested ({some(sorted(shared))}), which flatters "
            "the results: the model may know the voice. A speaker-independent protocol shows what it does for new ones.",
            stacklevel=3,
        )


def hint(utterances: pd.DataFrame) -> str:
    """Which protocols these utterances have the columns for, without trying them."""
    names = [
        name
        for name, column, least in (
            ("leave-one-speaker-out", "speaker", 2),
            ("group-k-fold", "speaker", 5),
            ("leave-one-session-out", "session", 2),
            ("fixed", "part", 2),
        )
        if column in utterances and utterances[column].notna().all() and utterances[column].nunique() >= least
    ]
    return f"Possible here: {', '.join([*names, 'random'])}."


def some(names, shown: int = 8) -> str:
    names = [str(name) for name in names]
    return ", ".join(names[:shown]) + (f", … ({len(names)})" if len(names) > shown else "")
