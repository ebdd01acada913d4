"""Two models compared, in numbers and in words: would other test utterances say so, and other seeds?"""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
from scipy.stats import ttest_1samp

from sernb.evaluation import paired_bootstrap, seed_difference, usual_unit


def compare(predictions: pd.DataFrame, a: str, b: str, metric: str = "UAR", unit: str = "") -> pd.Series:
    """Model a less model b: what `paired_bootstrap` says, `seeds low` and `seeds high` (NaN for one seed).

    `unit`: what is drawn for `low` and `high`, "utterance" or "speaker"; "": the usual one of the
    predictions.
    """
    rows = predictions[predictions["model"].isin([a, b])]
    difference = paired_bootstrap(rows, a, b, metric, unit or usual_unit(rows))
    over = seed_difference(rows, a, b, metric) if "seed" in rows else {"low": np.nan, "high": np.nan}
    return pd.concat([difference, pd.Series({"seeds low": over["low"], "seeds high": over["high"]})])


def comparisons(rows: Iterable[pd.Series]) -> pd.DataFrame:
    """Comparisons to look at, one a row: the difference, its intervals in words, and the p of the first."""
    table = pd.DataFrame(list(rows))
    words = table[["a", "b", "metric"]].copy()
    words[["of a", "of b"]] = table[["value_a", "value_b"]].round(3)
    words["a − b"] = table["difference"].map(signed)
    for unit, part in table.groupby("unit", sort=False):
        words[f"other {unit}s"] = span(part["low"], part["high"])
    if "seeds low" in table and table["seeds low"].notna().any():
        words["other seeds"] = span(table["seeds low"], table["seeds high"])
    return words.fillna("–").assign(p=table["p"].round(3))


def signed(number: float) -> str:
    return f"{number:+.3f}".replace("-", "−")


def span(low: pd.Series, high: pd.Series) -> pd.Series:
    """Intervals in words; a dash for one without ends."""
    known = low.notna() & high.notna()
    return ("[" + low.map(signed) + ", " + high.map(signed) + "]").where(known, "–")


def t_interval(values: Sequence[float]) -> tuple[float, float, float]:
    """(mean, low, high) of some numbers, with the 95 % t interval; NaN for the ends of a single one."""
    ends = ttest_1samp(values, 0).confidence_interval(0.95) if len(values) > 1 else (np.nan, np.nan)
    return float(np.mean(values)), *map(float, ends)
