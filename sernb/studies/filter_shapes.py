"""Which filter shape suits emotion? The study of Li et al. (2018), section 3.2 and Figure 2.

One convolution with 16 channels, global average pooling and a 16:classes layer, trained once for each shape.
"""

from collections.abc import Sequence

import pandas as pd
from joblib import delayed

from sernb.core.errors import SernbError
from sernb.evaluation import bootstrap, recalls
from sernb.features.spectrogram import Segments
from sernb.models.attention_pooling import CNNConfig
from sernb.protocols import Fold
from sernb.studies.attention_pooling import cross_validate
from sernb.studies.parallel import side_by_side
from sernb.studies.training import PAPER, Recipe

HEIGHTS = (2, 4, 6, 8, 10, 15, 20, 40, 60, 80, 100)  # bins of 10 Hz, at width 2
WIDTHS = (2, 4, 6, 8, 10, 15, 20, 40, 60, 80)  # frames of 10 ms, at height 2
THIN = 2
CHANNELS = 16


def shapes(heights: Sequence[int] = HEIGHTS, widths: Sequence[int] = WIDTHS) -> list[tuple[int, int]]:
    """Filter shapes (height in bins, width in frames): heights at the smallest width, then widths at the smallest height."""
    for name, sizes in (("heights", heights), ("widths", widths)):
        if wrong := [size for size in sizes if size < THIN]:
            raise SernbError(f"{name} holds {wrong[0]}; the other side is {THIN}, so start there.")
        if not sizes:
            raise SernbError(f"{name} is empty; name at least one size, such as {THIN}.")
    both = [(height, THIN) for height in heights] + [(THIN, width) for width in widths]
    return list(dict.fromkeys(both))


def study(
    utterances: pd.DataFrame,
    train_segments: Segments,
    test_segments: Segments,
    folds: Sequence[Fold],
    heights: Sequence[int] = HEIGHTS,
    widths: Sequence[int] = WIDTHS,
    recipe: Recipe = PAPER,
    seed: int = 0,
    progress: bool = True,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Cross-validate the single layer for each shape (3.2); returns (table, predictions).

    `table` has a row a shape: height, width, WA with `WA_low` and `WA_high` (95 %, by utterance), and a column for
    each emotion, its recall. In `predictions` the model's name is "height x width". Shapes run side by side within
    `with joblib.parallel_config(n_jobs=...)`.
    """
    data, wanted = (utterances, train_segments, test_segments, folds), shapes(heights, widths)
    runs = (delayed(_shape)(*data, recipe, seed, height, width) for height, width in wanted)
    tables = side_by_side(runs, "filter shapes", len(wanted), "shape", progress)
    predictions = pd.concat(tables)
    rows = bootstrap(predictions, "WA").set_index("model")[["value", "low", "high"]]
    rows.columns = ["WA", "WA_low", "WA_high"]
    sizes = predictions.drop_duplicates("model").set_index("model")[["height", "width"]]
    return sizes.join(rows).join(recalls(predictions)).reset_index(drop=True), predictions


def _shape(utterances, train_segments, test_segments, folds, recipe, seed, height, width) -> pd.DataFrame:
    config = CNNConfig(pooling="gap", filters=((height, width, CHANNELS),), channels=(), max_pools=())
    name = f"{height} x {width}"
    predictions, _, _ = cross_validate(
        utterances, train_segments, test_segments, folds, config, recipe, name, seed, progress=False
    )
    return predictions.assign(height=height, width=width)
