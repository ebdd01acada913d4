"""Confusion matrices, to print; the explorer has one to click (`sernb.explorer`)."""

import numpy as np
import pandas as pd
import seaborn as sns

from sernb.evaluation import confusion, scores
from sernb.figures.palette import Picture, plain, tidy


def confusion_matrix(predictions: pd.DataFrame, title: str | None = None) -> Picture:
    """Confusion matrix of one model: the count in each cell, and its share of the true class (row, %) as
    colour and text.

    The title, where none is given, holds model, UAR and WA. Raises SernbError where several models stand
    in the table.
    """
    counts = confusion(predictions)
    share = _row_share(counts)
    figure = Picture(height=min(1.6 + 0.72 * len(counts), 8.5), width=min(3.4 + 0.95 * len(counts), 9))
    ax = figure.subplots()
    sns.heatmap(
        share, ax=ax, vmin=0, vmax=100, cmap="Blues", square=False, linewidths=1, annot=_cell_texts(counts), fmt="",
        annot_kws={"fontsize": 9}, cbar_kws={"label": "share of the true emotion (%)"},
    )  # fmt: skip
    tidy(ax, plain(title or _title(predictions)), "predicted emotion", "true emotion (utterances)")
    ax.set_xticklabels([plain(c) for c in counts.columns], rotation=30 if len(counts) > 5 else 0)
    ax.set_yticklabels([plain(f"{c} ({n})") for c, n in counts.sum(axis=1).items()], rotation=0)
    ax.tick_params(length=0)
    return figure


def _row_share(counts):
    """Per cent of each row; 0 in a row without utterances."""
    return counts.div(counts.sum(axis=1).replace(0, np.nan), axis=0).mul(100).fillna(0)


def _cell_texts(counts):
    share = _row_share(counts)
    return np.array([[f"{n}\n{p:.0f} %" for n, p in zip(*pair, strict=True)]
                     for pair in zip(counts.to_numpy(), share.to_numpy(), strict=True)])  # fmt: skip


def _title(predictions):
    row = scores(predictions).iloc[0]
    seeds = predictions["seed"].nunique() if "seed" in predictions else 1
    pooled = f", counts of {seeds} seeds" if seeds > 1 else ""
    return f"{predictions['model'].iloc[0]}: UAR {100 * row['UAR']:.1f} %, WA {100 * row['WA']:.1f} %{pooled}"
