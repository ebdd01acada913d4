"""Could a model cheat? How far a single number, such as the length, gets at telling the emotion."""

import numpy as np
import pandas as pd
from sklearn.tree import DecisionTreeClassifier

from sernb.evaluation.audit.by_parts import part_codes
from sernb.evaluation.audit.finding import gathered
from sernb.protocols import Fold

DEPTH = 3  # so up to eight steps of the number


def told_by(cue: pd.Series, utterances: pd.DataFrame, folds: list[Fold]) -> pd.DataFrame:
    """Predictions of the emotion from one number: a decision tree of depth 3, classes weighted equally, on each fold.

    cue: float by utterance. Utterances without label or number are left out; an empty table where nothing is left.
    """
    labels = utterances["emotion"].astype(object).to_numpy()
    values = cue.reindex(utterances.index).to_numpy(float)[:, None]
    known = pd.notna(labels) & ~np.isnan(values[:, 0])
    tables = []
    for fold in folds:
        part = part_codes(fold, utterances.index)
        train, test = (np.flatnonzero((part == code) & known) for code in (1, 3))
        if not (len(train) and len(test)):
            continue
        leaf = max(2, len(train) // 100)
        tree = DecisionTreeClassifier(
            max_depth=DEPTH, min_samples_leaf=leaf, class_weight="balanced", random_state=0
        )
        said = tree.fit(values[train], labels[train].astype(str)).predict(values[test])
        table = {"fold": fold.name, "model": cue.name, "emotion": labels[test], "predicted": said}
        tables.append(pd.DataFrame(table, index=utterances.index[test]))
    return gathered(tables, utterances)


def extremes(cue: pd.Series, labels: pd.Series, shown: int) -> tuple[str, str, list[str]]:
    """The classes with the lowest and the highest median of a number, and utterances to hear the difference by."""
    medians = cue.groupby(labels.astype(object)).median().sort_values()
    low, high = medians.index[0], medians.index[-1]
    lowest = cue[labels == low].nsmallest(shown // 2)
    highest = cue[labels == high].nlargest(shown - shown // 2)
    return low, high, [*highest.index, *lowest.index]
