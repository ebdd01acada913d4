"""Random splits, which share speakers: what several papers do."""

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

from sernb.core.errors import SernbError
from sernb.protocols.folds import Fold, warn_of_shared


def random_split(
    utterances: pd.DataFrame,
    test: float = 0.1,
    validation: float = 0.1,
    seed: int = 0,
    protocol: str = "random",
) -> list[Fold]:
    """One random fold, stratified by emotion: what several papers do, and why their numbers look high.

    `test` and `validation` are shares of all utterances; `protocol` is the name of the fold. Warns (UserWarning) that speakers are shared.
    """
    if not (0 < test < 1 and 0 <= validation < 1 and test + validation < 1):
        raise SernbError(
            f"{protocol}: test={test} and validation={validation} must be shares that leave some for training."
        )
    rest, rows = np.arange(len(utterances)), {}
    labels = utterances["emotion"].astype(str).to_numpy() if "emotion" in utterances else None
    for part, share in (("test", test), ("validation", validation)):
        if share == 0:
            continue
        try:
            rest, rows[part] = train_test_split(
                rest,
                test_size=round(share * len(utterances)),
                random_state=seed,
                stratify=None if labels is None else labels[rest],
            )
        except ValueError as problem:
            raise SernbError(
                f"{protocol}: {len(utterances)} utterances cannot be split so ({problem})."
            ) from problem
    parts = {part: utterances.index[np.sort(chosen)] for part, chosen in rows.items()}
    folds = [Fold(protocol, train=utterances.index[np.sort(rest)], **parts)]
    warn_of_shared(folds, utterances, protocol)
    return folds
