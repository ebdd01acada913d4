"""When should a model say "I don't know"? Accuracy of the answers against the share of utterances that are answered."""

import numpy as np
import pandas as pd

from sernb.evaluation.abstaining import answered
from sernb.figures.palette import FAINT, Picture, plain, series_style, tidy

STEP = 10  # per cent from point to point
FEWEST = 20  # answers that a share must rest on, else the line would begin with leaps


def abstaining(predictions: pd.DataFrame, title: str = "") -> Picture:
    """A line for each model: coverage across, accuracy of those answered up; the surest (largest p_<class>) first.

    A point stands at every 10 % of coverage (at the fewest answers that are at least so many), the name beside the line.
    Lines begin at twenty answers. At the right end all is answered, so there stands the model's plain accuracy.

    Raises SernbError for predictions without probabilities.
    """
    table = answered(predictions)
    figure = Picture(height=4.2, width=7.5)
    ax = figure.subplots()
    ends = {}
    for name, (color, marker) in series_style(table["model"].unique()).items():
        rows = table[(table["model"] == name) & (table["answered"] >= FEWEST)]
        if rows.empty:  # fewer utterances than that
            rows = table[table["model"] == name]
        across, up = 100 * rows["coverage"].to_numpy(), 100 * rows["accuracy"].to_numpy()
        ax.plot(across, up, color=color, linewidth=1.6, alpha=0.85, gid="model")
        places = np.arange(STEP, 101, STEP)
        at = np.unique(np.searchsorted(across, places[places >= across[0] - 1e-6] - 1e-6))
        ax.plot(across[at], up[at], linestyle="", color=color, marker=marker, markersize=6, gid="points")
        ends[name] = (up[-1], color)
    for name, height in _apart({name: up for name, (up, _) in ends.items()}).items():
        up, color = ends[name]
        ax.annotate(
            f"{plain(name)}: {up:.1f} %", (100, up), (104, height), textcoords="data", color=color, fontsize=9, va="center",
            annotation_clip=False, arrowprops={"arrowstyle": "-", "color": FAINT, "linewidth": 0.6},
        )  # fmt: skip
    tidy(ax, plain(title or "Answer only when sure"), "utterances that are answered, the surest first (%)",
         "right of those (%)", grid="y")  # fmt: skip
    ax.set_xlim(0, 102)
    ax.set_xticks(range(0, 101, 20))
    return figure


def _apart(heights: dict[str, float], least: float = 3.0) -> dict[str, float]:
    """Heights of labels, moved so that none lies on another."""
    placed = {}
    for name, height in sorted(heights.items(), key=lambda one: one[1]):
        placed[name] = max(height, max(placed.values(), default=-np.inf) + least)
    shift = np.mean([placed[name] - heights[name] for name in heights])
    return {name: height - shift for name, height in placed.items()}
