"""What in the tables looks like a slip: each function gives sentences that count it, or none; nothing is changed."""

import re

import numpy as np
import pandas as pd

from sernb.core.errors import some
from sernb.core.tables import text_of
from sernb.explorer.columns import take

SHOWN = 3  # examples in a sentence
TIE = 1e-6  # probabilities this close are equally large
_EXTENSION = re.compile(r"(?<=.)\.[A-Za-z][A-Za-z0-9]{1,4}$")


def ids_alike(ids: pd.Index, known: pd.Index, at: np.ndarray) -> list[str]:
    """Few predicted `ids` are among the `known`, but without folder and file extension more would be.

    at `(n,)`: the ids' positions in `known`, -1 = not there.
    """
    lost = np.flatnonzero(at < 0)
    if 2 * len(lost) < len(ids):
        return []
    bare = pd.Index(map(_bare, known))
    names = pd.Series(range(len(known)), bare)[~bare.duplicated(keep=False)]  # what fits two is no match
    given = pd.Index([_bare(name) for name in ids[lost]])
    found = names.index.get_indexer(given)
    found[given.duplicated(keep=False)] = -1
    if not (found >= 0).any():
        return []
    first = np.argmax(found >= 0)
    pair = (
        f"{ids[lost[first]]!r:.100} there, {known[names.iloc[found[first]]]!r:.100} in the utterances table"
    )
    return [
        f"{int((found >= 0).sum()):,} of the ids that are not there differ in nothing but a folder or a file extension ({pair}): write the "
        "ids alike in both tables, and sound and columns are found."
    ]


def labels_apart(material, classes: list[str], truth: np.ndarray) -> list[str]:
    """The predictions bring other true labels than the corpus's own `emotion`. truth `(n,)`: class numbers, -1 unknown."""
    if material.utterances is None or "emotion" not in material.utterances:
        return []
    own = take(text_of(material.utterances["emotion"]).to_numpy(object), material.at, None)
    both = (truth >= 0) & pd.notna(own)
    brought = np.array([*classes, None], object)[truth]
    rows = np.flatnonzero(both & (brought != own))
    if not len(rows):
        return []
    shown = [f"{material.ids[row]} ({brought[row]}, in the corpus {own[row]})" for row in rows[:SHOWN]]
    return [
        f"{len(rows):,} of {int(both.sum()):,} utterances have another true label in the predictions than in the "
        f"utterances table: {_listed(shown, len(rows))}. The predictions' labels are shown; where these were not changed on "
        "purpose, load the corpus as it was when the model was tested."
    ]


def written_unlike(material, classes: list[str], truth: np.ndarray) -> list[str]:
    """Predicted classes that are never true, and differ from a true one in capitals and spaces alone."""
    if not classes:
        return []
    true = {classes[k] for k in np.unique(truth[truth >= 0])}
    alike = {_plain(name): name for name in true}
    counts = material.predictions["predicted"].value_counts()
    odd = {}
    for name, count in counts[counts > 0].items():
        same = alike.get(_plain(name))
        if same is not None and name not in true:
            odd[name] = (same, int(count))
    if not odd:
        return []
    pairs = [f"{name!r} for {same!r} ({count:,} of the predictions)" for name, (same, count) in odd.items()]
    return [
        f"Some predicted classes are never true, and only written otherwise than one that is: {some(pairs, SHOWN)}. They "
        "count as errors: write them alike."
    ]


def not_the_largest(
    ids: pd.Index, model: str, predicted: np.ndarray, p: np.ndarray, classes: list[str]
) -> list[str]:
    """A model names another class than its most probable one.

    predicted `(n,)`: class numbers, -1 unknown; p `(n, classes)`, NaN where not known.
    """
    known = np.flatnonzero((predicted >= 0) & ~np.isnan(p).all(1))
    shares = np.where(np.isnan(p[known]), -1.0, p[known])
    largest, own = shares.max(1), shares[np.arange(len(known)), predicted[known]]
    odd = np.flatnonzero(own < largest - TIE)
    if not len(odd):
        return []
    shown = [
        f"{ids[known[i]]} ({classes[predicted[known[i]]]}, but {classes[shares[i].argmax()]} has {largest[i]:.2f})"
        for i in odd[:SHOWN]
    ]
    return [
        f"{len(odd):,} of {len(known):,} predictions of {model} are not the class with the largest probability: "
        f"{_listed(shown, len(odd))}. What is called confidence is the largest probability, so for these it is not that "
        "of the predicted class. If this is not meant, see whether the p_ columns stand under the right names."
    ]


def _listed(shown, count):
    return ", ".join(shown) + (f" and {count - len(shown):,} more" if count > len(shown) else "")


def _bare(name):
    """An id without folders and file extension."""
    last = re.split(r"[\\/]", str(name))[-1] or str(name)
    return _EXTENSION.sub("", last)


def _plain(name):
    return "".join(str(name).split()).casefold()
