"""How far annotators agree, and what they take for what."""

import numpy as np
import pandas as pd
import seaborn as sns

from sernb.figures.palette import FAINT, INK, Picture, plain, tidy


def annotator_agreement(table: pd.DataFrame, heard: pd.DataFrame | None = None, title: str = "") -> Picture:
    """Alpha with its interval for all that was rated (:func:`sernb.evaluation.annotators.agreement`) and, where labels were given,
    who is heard as whom (:func:`sernb.evaluation.annotators.heard_as`: shares, a row adds up to 1).
    """
    figure = Picture(height=3.7 if heard is None else max(3.7, 1.4 + 0.42 * len(heard)))
    axes = figure.subplots(
        1, 1 if heard is None else 2, squeeze=False, width_ratios=[1] if heard is None else [1, 1.25]
    )[0]
    ax, places = axes[0], np.arange(len(table))
    ax.hlines(places, table["low"], table["high"], color="#1f4e79", linewidth=2.6, alpha=0.55)
    ax.plot(table["alpha"], places, "o", color="#1f4e79", markersize=7)
    for place, (_, row) in enumerate(table.iterrows()):
        ax.annotate(f"{row['alpha']:.2f} [{row['low']:.2f}, {row['high']:.2f}]", (row["alpha"], place), (0, 8),
                    textcoords="offset points", ha="center", fontsize=8.5)  # fmt: skip
    for value, name in ((0, "chance"), (1, "all agree")):
        ax.axvline(value, color=FAINT, linestyle="--", linewidth=1, zorder=0)
        ax.annotate(name, (value, -0.75), (3 if value == 0 else -3, 0), textcoords="offset points", fontsize=8,
                    color=FAINT, ha="left" if value == 0 else "right", va="center")  # fmt: skip
    tidy(ax, "Krippendorff's alpha, 95 %", "alpha", "", grid="x")
    ax.set_yticks(places, [plain(what) for what in table.index])
    ax.set_xlim(min(0.0, table["low"].min()) - 0.04, 1.04)
    ax.set_ylim(len(table) - 0.4, -0.95)
    ax.tick_params(axis="y", length=0)
    if heard is not None:
        sns.heatmap(100 * heard, ax=axes[1], vmin=0, vmax=100, cmap="Blues", annot=True, fmt=".0f", linewidths=1,
                    annot_kws={"fontsize": 9}, cbar=False)  # fmt: skip
        tidy(axes[1], "One says (row), another says (column), %", "", "")
        axes[1].set_xticklabels([plain(c) for c in heard.columns], rotation=35 if len(heard) > 4 else 0)
        axes[1].set_yticklabels([plain(c) for c in heard.index], rotation=0)
        axes[1].tick_params(length=0)
    figure.suptitle(plain(title or "Do the annotators agree?"), x=0.01, ha="left", fontsize=11, fontweight="bold", color=INK)  # fmt: skip
    return figure
