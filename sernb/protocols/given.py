"""The split that a corpus brings along."""

import pandas as pd

from sernb.core.errors import SernbError
from sernb.protocols.folds import Fold, groups_of, leave_one_out, some, warn_of_shared

PARTS = {
    word: part
    for part, words in {
        "train": "train training",
        "validation": "validation valid val dev development",
        "test": "test testing eval evaluation",
    }.items()
    for word in words.split()
}


def fixed(utterances: pd.DataFrame, column: str = "part") -> list[Fold]:
    """The split that the corpus brings in `column`: train / validation / test (or dev, eval, …), one fold.

    Several test parts (test1, test2, or test_seen, test_unseen) are a fold each, trained on the same part.
    If the column holds none of these words (fold numbers, say), each of its values is tested once.
    Raises SernbError for a mix of both and for a part that is missing. Warns if parts share speakers.
    """
    protocol = f"fixed (column {column!r})"
    values = groups_of(utterances, column, protocol)
    words = values.str.strip().str.lower()
    parts = words.map(lambda word: PARTS.get(word, "test" if word.startswith("test") else None))
    if parts.isna().all():
        folds = leave_one_out(utterances, column, protocol)
    elif parts.isna().any():
        unknown = sorted(values[parts.isna()].unique())
        raise SernbError(
            f"{protocol}: {int(parts.isna().sum())} utterances are in parts called {some(unknown)}; "
            f"expected {', '.join(PARTS)}, or names that begin with test."
        )
    else:
        ids = {part: utterances.index[parts == part] for part in ("train", "validation", "test")}
        empty = [part for part in ("train", "test") if ids[part].empty]
        if empty:
            raise SernbError(
                f"{protocol}: no utterance is marked {' or '.join(empty)}; found {some(values.unique())}."
            )
        tests = sorted(words[parts == "test"].unique())
        folds = [
            Fold(
                "fixed" if len(tests) == 1 else f"fixed, {test}",
                ids["train"],
                ids["validation"],
                utterances.index[words == test],
            )
            for test in tests
        ]
    warn_of_shared(folds, utterances, protocol)
    return folds
