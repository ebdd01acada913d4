"""Labels that are likely wrong, by confident learning (Northcutt et al. 2021), as the optional cleanlab finds them."""

import contextlib
import io
import warnings

import numpy as np
import pandas as pd

NEEDS = "Likely label errors need cleanlab: pip install 'sernb[labels]'"
FEWEST = 5  # rows of a class, to say how sure the model usually is of it


def likely_label_errors(
    labels: np.ndarray, probabilities: np.ndarray
) -> tuple[pd.DataFrame | None, str | None]:
    """Rows whose label is likely wrong, worst first, and None; or None and a sentence that says why there are none.

    labels `(n,)`: class numbers, -1 unknown; probabilities `(n, classes)` of clips that the model had not seen, NaN
    where not known. Rows without a label or with probabilities missing are left out. Columns: row, score (the
    probability of the label as it stands, 0–1: the lower, the more doubtful).
    """
    columns = np.flatnonzero(~np.isnan(probabilities).all(0))  # classes that the model knows
    known = np.isin(labels, columns) & ~np.isnan(probabilities[:, columns]).any(1)
    rows = np.flatnonzero(known)
    codes = np.searchsorted(columns, labels[rows])
    counts = np.bincount(codes, minlength=len(columns))
    counts = counts[counts > 0]
    if len(counts) < 2 or counts.min() < FEWEST:
        here = f"{len(counts)}, the smallest with {counts.min()}" if len(counts) else "none"
        return None, (
            f"Likely label errors need two classes or more, each with at least {FEWEST} labelled clips of known "
            f"probabilities; there are {here}."
        )
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            from cleanlab.filter import find_label_issues
            from cleanlab.rank import get_label_quality_scores
    except ImportError:
        return None, NEEDS
    shares = np.clip(probabilities[rows][:, columns], 0, 1)
    shares = shares / shares.sum(1, keepdims=True)
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        found = find_label_issues(codes, shares, return_indices_ranked_by="self_confidence", n_jobs=1)
        scores = get_label_quality_scores(codes, shares, method="self_confidence")
    return pd.DataFrame({"row": rows[found], "score": scores[found]}), None
