"""Ratings of arousal, valence and dominance as targets between 0 and 1, and predictions back on the corpus's scale."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sernb.core.errors import SernbError, some
from sernb.core.tables import DIMENSIONS


@dataclass(frozen=True)
class Targets:
    """`values (utterances, dimensions)` between 0 and 1, NaN where unknown; `dimensions` names the columns; `scale` is
    the corpus's lowest and highest rating; `index` whose row is whose, where it is known."""

    values: np.ndarray
    dimensions: tuple
    scale: tuple
    index: pd.Index | None = None


def targets_of(
    utterances: pd.DataFrame, dimensions: Sequence[str] | None = None, scale: Sequence[float] | None = None
) -> Targets:
    """The ratings of `utterances`, normalised to [0, 1] by the corpus's scale (paper, 3.2).

    dimensions: which (None: all that are there). scale: lowest and highest possible rating (None: what the loader declared
    in `attrs["scale"]`). Raises SernbError where a dimension is absent, the scale is not known, a rating lies outside it,
    or all ratings of a dimension are the same: then no correlation is defined.
    """
    dimensions = (dimensions,) if isinstance(dimensions, str) else dimensions
    chosen = tuple(dimensions or [one for one in DIMENSIONS if one in utterances])
    absent = [one for one in chosen if one not in utterances]
    if absent or not chosen:
        raise SernbError(
            f"there is no column {absent[0] if absent else ' or '.join(DIMENSIONS)!r}: this corpus has no such ratings, so "
            "it can be used for emotion classes only."
        )
    scale = utterances.attrs.get("scale") if scale is None else scale
    if scale is None:
        raise SernbError(
            "the scale of the ratings is not known: name the lowest and highest possible rating, as in scale=(1, 5)."
        )
    try:
        low, high = map(float, () if isinstance(scale, str) else scale)
    except (TypeError, ValueError):
        raise SernbError(
            f"scale is {scale!r}; expected two numbers, the lowest and highest possible rating, as in (1, 5)."
        ) from None
    if not low < high:
        raise SernbError(
            f"the scale is {low:g} to {high:g}; expected the lowest rating first, then the highest."
        )
    values = utterances[list(chosen)].to_numpy(float)
    for column, name in zip(values.T, chosen, strict=True):
        outside = (column < low) | (column > high)  # NaN is neither
        if outside.any():
            rows = [
                f"{row}: {value:g}"
                for row, value in zip(utterances.index[outside], column[outside], strict=True)
            ]
            raise SernbError(
                f"{outside.sum()} ratings of {name} lie outside the scale {low:g} to {high:g} ({some(rows)}). "
                "Correct the rows, or the scale."
            )
        known = column[~np.isnan(column)]
        if len(known) < 2 or np.ptp(known) == 0:
            what = (
                f"all {len(known)} ratings of {name} are {known[0]:g}"
                if len(known)
                else f"no utterance has a {name}"
            )
            raise SernbError(
                f"{what}: there is nothing to learn or to correlate with. Leave the dimension out."
            )
    return Targets(((values - low) / (high - low)).astype(np.float32), chosen, (low, high), utterances.index)


def check_differ(targets: Targets, rows: np.ndarray, part: str, every: bool) -> None:
    """SernbError where a dimension's ratings in these rows are all the same, or too few: of every dimension, or of all."""
    most = 0
    for name, column in zip(targets.dimensions, targets.values[rows].T, strict=True):
        known = column[~np.isnan(column)]
        most = max(most, len(known))
        if (every or len(known) > 1) and len(np.unique(known)) < 2:
            raise SernbError(
                f"the {part} part has {len(known)} ratings of {name}; expected are two or more that differ, or there is "
                "nothing to correlate with. Take more utterances into this part, or leave the dimension out."
            )
    if most < 2:
        raise SernbError(
            f"the {part} part has {most} rated utterances; concordance takes two or more. Take more into it."
        )


def rated(
    predicted: np.ndarray, ids: pd.Index, utterances: pd.DataFrame, targets: Targets, fold: str, model: str
) -> pd.DataFrame:
    """The predictions table of utterances `ids` for `predicted (len(ids), dimensions)`, both on the corpus's own scale.

    Predictions are not cut off at the ends of the scale. Columns: fold, model, speaker (where known), and each dimension
    with `<dimension>_predicted`. Utterances without any rating are left out.
    """
    low, high = targets.scale
    truth = utterances.loc[ids]
    known = {"fold": fold, "model": model}
    if "speaker" in truth:
        known["speaker"] = truth["speaker"]
    for column, name in enumerate(targets.dimensions):
        known |= {
            name: truth[name].astype(float),
            f"{name}_predicted": low + (high - low) * predicted[:, column],
        }
    table = pd.DataFrame(known, index=ids).rename_axis("utterance")
    return table[table[list(targets.dimensions)].notna().any(axis=1)]
