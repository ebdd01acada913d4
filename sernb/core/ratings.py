"""Ratings of arousal, valence and dominance as targets from 0 to 1, and predictions on the corpus's scale."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sernb.core.errors import SernbError, some
from sernb.core.tables import DIMENSIONS


@dataclass(frozen=True)
class Targets:
    """`values (utterances, dimensions)` from 0 to 1, NaN where unknown; `dimensions` names the columns;
    `scale` is the corpus's lowest and highest rating; `index` whose row is whose, where it is known."""

    values: np.ndarray
    dimensions: tuple
    scale: tuple
    index: pd.Index | None = None


def targets_of(
    utterances: pd.DataFrame, dimensions: Sequence[str] | None = None, scale: Sequence[float] | None = None
) -> Targets:
    """The ratings of `utterances`, normalised to [0, 1] by the corpus's scale (paper, 3.2).

    dimensions: None: all that are there. scale: lowest and highest possible rating; None: what the loader
    declared in `attrs["scale"]`. Raises SernbError for an absent dimension, a scale that is unknown or wrong,
    a rating outside it, or a dimension whose ratings are all the same: then no correlation is defined.
    """
    # The columns, and their scale.
    dimensions = (dimensions,) if isinstance(dimensions, str) else dimensions
    chosen = tuple(dimensions or [column for column in DIMENSIONS if column in utterances])
    absent = [column for column in chosen if column not in utterances]
    if absent or not chosen:
        what = f"there is no column {absent[0] if absent else ' or '.join(DIMENSIONS)!r}"
        raise SernbError(f"{what}: without such ratings a corpus can be used for emotion classes only.")
    scale = utterances.attrs.get("scale") if scale is None else scale
    try:
        low, high = map(float, () if isinstance(scale, str) else scale)
    except (TypeError, ValueError):
        expected = "expected two numbers, the lowest and highest possible rating, as in scale=(1, 5)"
        raise SernbError(f"the scale of the ratings is {scale!r}; {expected}.") from None
    if not low < high:
        raise SernbError(f"the scale is {low:g} to {high:g}; expected the lowest rating first.")

    # The ratings, each column within the scale and not all the same.
    values = utterances[list(chosen)].to_numpy(float)
    for column, name in zip(values.T, chosen, strict=True):
        outside = (column < low) | (column > high)  # NaN is neither
        if outside.any():
            rows = zip(utterances.index[outside], column[outside], strict=True)
            shown = some(f"{row}: {value:g}" for row, value in rows)
            what = f"{outside.sum()} ratings of {name} lie outside the scale {low:g} to {high:g} ({shown})"
            raise SernbError(f"{what}. Correct the rows, or the scale.")
        known = column[~np.isnan(column)]
        if len(known) < 2 or np.ptp(known) == 0:
            same = f"all {len(known)} ratings of {name} are {known[0]:g}" if len(known) else ""
            what = same or f"no utterance has a {name}"
            raise SernbError(f"{what}: there is nothing to correlate with. Leave the dimension out.")
    return Targets(((values - low) / (high - low)).astype(np.float32), chosen, (low, high), utterances.index)


def check_differ(targets: Targets, rows: np.ndarray, part: str, every: bool) -> None:
    """SernbError where a dimension's (every: each one's) ratings in these rows are too few or alike."""
    known = [column[~np.isnan(column)] for column in targets.values[rows].T]
    for name, ratings in zip(targets.dimensions, known, strict=True):
        if (every or len(ratings) > 1) and len(np.unique(ratings)) < 2:
            what = f"the {part} part has {len(ratings)} ratings of {name}; expected two or more that differ"
            raise SernbError(f"{what}. Take more utterances into this part, or leave the dimension out.")
    if (most := max(map(len, known))) < 2:
        what = f"the {part} part has {most} rated utterances"
        raise SernbError(f"{what}; concordance takes two or more. Take more into it.")


def rated(
    predicted: np.ndarray, ids: pd.Index, utterances: pd.DataFrame, targets: Targets, fold: str, model: str
) -> pd.DataFrame:
    """The predictions table of utterances `ids` for `predicted (len(ids), dimensions)`, on its scale.

    Predictions are not cut off at its ends. Columns: fold, model, speaker (where known), and each dimension
    with `<dimension>_predicted`. Utterances without any rating are left out.
    """
    low, high = targets.scale
    truth = utterances.loc[ids]
    known = {"fold": fold, "model": model}
    if "speaker" in truth:
        known["speaker"] = truth["speaker"]
    for column, name in enumerate(targets.dimensions):
        known[name] = truth[name].astype(float)
        known[f"{name}_predicted"] = low + (high - low) * predicted[:, column]
    table = pd.DataFrame(known, index=ids).rename_axis("utterance")
    return table[table[list(targets.dimensions)].notna().any(axis=1)]
