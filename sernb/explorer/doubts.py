"""What in the tables looks like a slip, or is missing: functions that give sentences and change nothing.

Likely label errors are found by confident learning (Northcutt et al. 2021), with the optional cleanlab.
"""

import contextlib
import io
import re
import warnings

import numpy as np
import pandas as pd

from sernb.core.errors import some
from sernb.core.tables import in_order

SHOWN = 3  # examples in a sentence
TIE = 1e-6  # probabilities this close are equally large
NEEDS = "Likely label errors need cleanlab: pip install 'sernb[labels]'"
FEWEST = 5  # rows of a class, to say how sure the model usually is of it
_EXTENSION = re.compile(r"(?<=.)\.[A-Za-z][A-Za-z0-9]{1,4}$")


def gaps(table: pd.DataFrame) -> list[str]:
    """What is missing in predictions: true labels, predicted ones, probabilities of a class or of a row."""
    notices = []
    probabilities = [column for column in table if str(column).startswith("p_")]
    asked = pd.Series(True, table.index)
    if "predicted" in table:
        # A model that has no labels at all (of dimensions) is not missing any.
        asked = table["predicted"].notna()
        models = table["model"].to_numpy() if "model" in table else np.zeros(len(table))
        labelled = asked.groupby(models).transform("any")
        no_truth, no_class = table["emotion"].isna() & labelled, ~asked & labelled
        if no_truth.any() and table["emotion"].notna().any():
            notices.append(
                f"{_share(no_truth, labelled)} have no true label: {some(table.index[no_truth], SHOWN)}. "
                "They stand under (none)."
            )
        if no_class.any():
            shown = some(table.index[no_class], SHOWN)
            notices.append(f"{_share(no_class, labelled)} name no class: {shown}. They are left out.")
        used = {*table["emotion"].dropna().unique(), *table["predicted"].dropna().unique()}
        without = in_order(used - {column.removeprefix("p_") for column in probabilities})
        if probabilities and without:
            notices.append(
                f"The table has no probabilities of {some(without)} (no column p_{without[0]}): these show "
                "none."
            )
    unusable = asked & table[probabilities].isna().all(axis=1)
    if probabilities and unusable.any():
        notices.append(
            f"The probabilities of {_share(unusable, asked)} are not used, because they are missing or do "
            f"not add up to 1: {some(table.index[unusable], SHOWN)}. Their labels are shown all the same."
        )
    return notices


def strangers(ids: pd.Index, known: pd.Index, at: np.ndarray) -> list[str]:
    """Predicted `ids` that are not among the `known`, and whether more would be without folder and file
    extension.

    at `(n,)`: the ids' positions in `known`, -1 = not there.
    """
    lost = np.flatnonzero(at < 0)
    if not len(lost):
        return []
    if len(lost) == len(ids):
        notice = (
            f"None of the {len(ids):,} predicted utterances is in the utterances table ({some(ids, 2)} "
            f"against {some(known, 2)}), so only the predictions are shown."
        )
    else:
        notice = (
            f"{len(lost):,} of {len(ids):,} predicted utterances are not in the utterances table: "
            f"{some(ids[lost], SHOWN)}. Their sound and what else it tells are missing."
        )
    if 2 * len(lost) < len(ids):
        return [notice]

    # Ids without folder and extension; one that fits two is no match.
    bare_known, bare = pd.Index(map(_bare, known)), pd.Index([_bare(name) for name in ids[lost]])
    unique = pd.Series(range(len(known)), bare_known)[~bare_known.duplicated(keep=False)]
    match = unique.index.get_indexer(bare)
    match[bare.duplicated(keep=False)] = -1
    if not (match >= 0).any():
        return [notice]
    first = np.argmax(match >= 0)
    own, theirs = ids[lost[first]], known[unique.iloc[match[first]]]
    return [
        notice,
        f"{int((match >= 0).sum()):,} of the ids that are not there differ in nothing but a folder or a file "
        f"extension ({own!r:.100} there, {theirs!r:.100} in the utterances table): write the ids alike in "
        "both tables, and sound and columns are found.",
    ]


def labels_apart(material, classes: list[str], truth: np.ndarray) -> list[str]:
    """The predictions bring other true labels (`truth`, class numbers, -1 unknown) than the corpus."""
    own = material.texts("emotion")
    if own is None:
        return []
    both = (truth >= 0) & pd.notna(own)
    brought = np.array([*classes, None], object)[truth]
    rows = np.flatnonzero(both & (brought != own))
    if not len(rows):
        return []
    shown = [f"{material.ids[row]} ({brought[row]}, in the corpus {own[row]})" for row in rows]
    return [
        f"{len(rows):,} of {int(both.sum()):,} utterances have another true label in the predictions than in "
        f"the utterances table: {some(shown, SHOWN)}. The predictions' labels are shown; where these were "
        "not changed on purpose, load the corpus as it was when the model was tested."
    ]


def written_unlike(material, classes: list[str], truth: np.ndarray) -> list[str]:
    """Predicted classes that are never true, and differ from a true one in capitals and spaces alone."""
    if not classes:
        return []
    true = {classes[k] for k in np.unique(truth[truth >= 0])}
    alike = {_plain(name): name for name in true}
    counts = material.predictions["predicted"].value_counts()
    pairs = [
        f"{name!r} for {alike[_plain(name)]!r} ({count:,} of the predictions)"
        for name, count in counts[counts > 0].items()
        if name not in true and _plain(name) in alike
    ]
    if not pairs:
        return []
    return [
        "Some predicted classes are never true, and only written otherwise than one that is: "
        f"{some(pairs, SHOWN)}. They count as errors: write them alike."
    ]


def not_the_largest(
    ids: pd.Index, model: str, predicted: np.ndarray, p: np.ndarray, classes: list[str]
) -> list[str]:
    """A model names another class than its most probable one.

    Args:
        ids: utterances, n.
        model: its name.
        predicted: class numbers `(n,)`, -1 unknown.
        p: probabilities `(n, classes)`, NaN where not known.
        classes: their names.
    """
    known = np.flatnonzero((predicted >= 0) & ~np.isnan(p).all(1))
    shares = np.where(np.isnan(p[known]), -1.0, p[known])
    largest, own = shares.max(1), shares[np.arange(len(known)), predicted[known]]
    odd = np.flatnonzero(own < largest - TIE)
    if not len(odd):
        return []
    shown = [
        f"{ids[known[i]]} ({classes[predicted[known[i]]]}, but {classes[shares[i].argmax()]} has "
        f"{largest[i]:.2f})"
        for i in odd
    ]
    return [
        f"{len(odd):,} of {len(known):,} predictions of {model} are not the class with the largest "
        f"probability: {some(shown, SHOWN)}. What is called confidence is the largest probability, so for "
        "these it is not that of the predicted class. If this is not meant, see whether the p_ columns stand "
        "under the right names."
    ]


def likely_label_errors(
    labels: np.ndarray, probabilities: np.ndarray
) -> tuple[np.ndarray | None, str | None]:
    """Rows whose label is likely wrong, worst first, and None; or None and a sentence that says why there are
    none.

    labels `(n,)`: class numbers, -1 unknown; probabilities `(n, classes)` of clips that the model had not
    seen, NaN where not known. Rows without a label or with probabilities missing are left out.
    """
    # Classes that the model knows, and rows of known label and probabilities.
    columns = np.flatnonzero(~np.isnan(probabilities).all(0))
    rows = np.flatnonzero(np.isin(labels, columns) & ~np.isnan(probabilities[:, columns]).any(1))
    codes = np.searchsorted(columns, labels[rows])
    counts = np.bincount(codes, minlength=len(columns))
    counts = counts[counts > 0]
    if len(counts) < 2 or counts.min() < FEWEST:
        here = f"{len(counts)}, the smallest with {counts.min()}" if len(counts) else "none"
        return None, (
            f"Likely label errors need two classes or more, each with at least {FEWEST} labelled clips of "
            f"known probabilities; there are {here}."
        )

    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        try:
            from cleanlab.filter import find_label_issues
        except ImportError:
            return None, NEEDS
        shares = np.clip(probabilities[rows][:, columns], 0, 1)
        shares = shares / shares.sum(1, keepdims=True)
        # By the probability of the label as it stands: the lower, the more doubtful.
        worst = find_label_issues(codes, shares, return_indices_ranked_by="self_confidence", n_jobs=1)
    return rows[worst], None


def _share(some_rows, rows):
    return f"{int(some_rows.sum()):,} of {int(rows.sum()):,} predictions"


def _bare(name):
    """An id without folders and file extension."""
    last = re.split(r"[\\/]", str(name))[-1] or str(name)
    return _EXTENSION.sub("", last)


def _plain(name):
    return "".join(str(name).split()).casefold()
