"""The words that tell an emotion from the others."""

import pandas as pd

from sernb.core.tables import in_order
from sernb.figures.comparison import CLEAR
from sernb.figures.palette import FAINT, INK, Picture, emotion_color, plain, tidy

COLUMNS = 4


def telling_words(table: pd.DataFrame, bar: float = float("nan"), most: int = 10, title: str = "") -> Picture:
    """The `most` telling words of each group, by z; `table` and `bar` as :func:`sernb.evaluation.words.log_odds` returns them.

    Beside a word stands how many utterances of the group say it, and how many of all others. Words short of the dashed line, which
    shuffled labels reach too, are faint.
    """
    ordered = isinstance(table["group"].dtype, pd.CategoricalDtype)
    groups = list(table["group"].cat.categories) if ordered else in_order(table["group"].unique())
    rows = -(-len(groups) // COLUMNS)
    figure = Picture(height=0.9 + (0.8 + 0.2 * most) * rows)
    axes = figure.subplots(rows, min(COLUMNS, len(groups)), squeeze=False, sharex=True).ravel()
    top = max(float(table["z"].max()), 0.0 if pd.isna(bar) else bar, 1.0)
    for ax, group in zip(axes, groups, strict=False):
        best = table[table["group"] == group].nlargest(most, "z")
        best = best[best["z"] > 1e-6]  # none, of words that all say alike
        passed = best["z"] > bar if pd.notna(bar) else pd.Series(True, best.index)
        ax.barh(
            range(len(best)),
            best["z"],
            0.72,
            color=[emotion_color(group) if one else "#d9d9d9" for one in passed],
        )
        for place, (_, row) in enumerate(best.iterrows()):
            counts = f"{plain(row['word'])}  {row['count']}:{row['others']}"
            ax.annotate(counts, (row["z"], place), (4, 0), textcoords="offset points", va="center", fontsize=8, bbox=CLEAR, zorder=3,
                        color=INK if passed.iloc[place] else FAINT)  # fmt: skip
        if pd.notna(bar):
            ax.axvline(bar, color=FAINT, linestyle="--", linewidth=1)
        tidy(ax, plain(group), "z", "")
        ax.set_yticks([])
        ax.set_xlim(0, 1.75 * top)  # the words stand beside their bars
        ax.set_ylim(most - 0.4, -0.6)
        ax.spines["left"].set_color(emotion_color(group))
        ax.tick_params(labelbottom=True)
    for ax in axes[len(groups) :]:
        ax.remove()
    figure.suptitle(
        plain(title or "Words that tell (utterances of this group : of all others)"),
        x=0.01, ha="left", fontsize=11, fontweight="bold", color=INK,
    )  # fmt: skip
    return figure
