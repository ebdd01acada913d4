"""A flat map of many measures, coloured one way and another."""

import numpy as np
import pandas as pd
from matplotlib import colormaps

from sernb.core.tables import in_order
from sernb.figures.palette import EMOTION_COLORS, EMOTION_MARKERS, INK, Picture, emotion_color, plain

NAMED = 16  # so many groups fit into a legend


def feature_map(panels: dict[str, tuple[np.ndarray, pd.Series]], title: str = "") -> Picture:
    """Maps side by side: {caption: (places, labels)}; places (utterances, 2), labels a value an utterance.

    The axes of such a map (t-SNE, UMAP) have no unit, so none is drawn. Emotions have their own colours and signs;
    up to 16 other groups are named in a legend, more of them are only coloured.
    """
    columns = 4 if len(panels) < 3 else 3  # of a legend
    named = max((n for _, labels in panels.values() if (n := labels.nunique()) <= NAMED), default=1)
    figure = Picture(height=0.8 + 8.6 / max(len(panels), 2) + 0.21 * -(-named // columns))
    axes = figure.subplots(1, len(panels), squeeze=False)[0]
    for ax, (caption, (places, labels)) in zip(axes, panels.items(), strict=True):
        places, labels = np.asarray(places), labels.astype(str).to_numpy()
        groups = in_order(np.unique(labels))
        emotions = set(groups) <= set(EMOTION_COLORS)
        size = float(np.clip(9000 / max(len(places), 1), 4, 26))
        for number, group in enumerate(groups):
            rows = labels == group
            color = emotion_color(group) if emotions else _color(number, len(groups))
            marker = EMOTION_MARKERS[group] if emotions else "o"
            ax.scatter(
                *places[rows].T,
                s=size,
                color=color,
                marker=marker,
                alpha=0.7,
                linewidths=0,
                label=plain(group),
            )
        ax.set_title(plain(caption), loc="left", fontsize=10, color=INK)
        ax.set_xticks([])
        ax.set_yticks([])
        ax.spines[:].set_color("#dddddd")
        ax.set_box_aspect(1)
        ax.set_anchor("N")  # what is left of the height is the legend's
        if len(groups) <= NAMED:
            ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.01), ncols=columns, frameon=False, fontsize=8,
                      handletextpad=0.1, columnspacing=0.8, markerscale=(30 / size) ** 0.5)  # fmt: skip
        else:
            ax.set_xlabel(f"{len(groups)} groups, a colour each", fontsize=9, color=INK)
    figure.suptitle(
        plain(title or "A map of sounds"), x=0.01, ha="left", fontsize=11, fontweight="bold", color=INK
    )
    return figure


def _color(number: int, count: int):
    if count <= 20:
        return colormaps["tab20"](number)
    return colormaps["turbo"]((number * 0.618034) % 1)  # neighbours in the list stand apart
