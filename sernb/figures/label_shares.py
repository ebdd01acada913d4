"""How many labels does a pretrained model save? A score against the share of the labels it was fine-tuned on."""

from fractions import Fraction

import numpy as np
import pandas as pd
from matplotlib.ticker import NullLocator

from sernb.core.errors import SernbError
from sernb.figures.comparison import axis_of
from sernb.figures.dimensions import series_of
from sernb.figures.given import needs
from sernb.figures.palette import FAINT, Picture, plain, series_style, tidy


def label_shares(
    table: pd.DataFrame,
    metric: str = "UAR",
    reference: str | None = None,
    chance: float | None = None,
    title: str = "",
) -> Picture:
    """A line for each start by the share of labels (Table 7 of Li et al. 2022, as a curve with intervals).

    ``table``: ``start`` (e.g. with and without pretraining), ``share`` (above 0, 1 = all labels), ``value``, ``low``, ``high`` (0-1;
    NaN: no interval), as :func:`sernb.evaluation.bootstrap` gives them; optional ``labels``: how many utterances a share is.
    ``reference``: the start whose value at the largest share is drawn as a dashed line through all shares: where another
    line crosses it, that start does as well with fewer labels. Shares stand on a logarithmic axis.

    Raises SernbError for an absent column, a row that stands twice, a share outside of (0, 1], and an unknown reference.
    """
    needs(table, ["start", "share", "value", "low", "high"], once=["start", "share"])
    if not table["share"].between(0, 1, inclusive="right").all():
        wrong = table.loc[~table["share"].between(0, 1, inclusive="right"), "share"].iloc[0]
        raise SernbError(f"a share of the labels lies above 0 and is 1 at most; there is {wrong:g}.")
    styles, there = series_style(series_of(table["start"])), set(table["start"])
    if reference is not None and reference not in there:
        raise SernbError(f"there is no start {reference!r}; the table has {', '.join(map(str, there))}.")
    factor, digits, label = axis_of(metric)
    figure = Picture(height=4.2, width=7.5)
    ax = figure.subplots()
    names = [one for one in styles if one in there]
    for number, name in enumerate(names):
        color, marker = styles[name]
        rows = table[table["start"] == name].sort_values("share")
        at = rows["share"] * 1.012 ** (number - (len(names) - 1) / 2)  # so that intervals stand side by side
        low, high = (factor * rows[one].astype(float) for one in ("low", "high"))
        ax.vlines(at, low, high, color=color, linewidth=2.2, alpha=0.5)
        ax.plot(at, factor * rows["value"], color=color, marker=marker, linewidth=2, markersize=6,
                label=plain(name), gid="start", zorder=3)  # fmt: skip
    if reference is not None:
        rows = table[table["start"] == reference].sort_values("share")
        value = factor * rows["value"].iloc[-1]
        ax.axhline(value, color=styles[reference][0], linestyle=(0, (4, 3)), linewidth=1, zorder=1, gid="reference",
                   label=plain(f"{reference}, {_share(rows['share'].iloc[-1])}: {value:.{digits}f}"))  # fmt: skip
    if chance is not None:
        ax.axhline(factor * chance, color=FAINT, linestyle=":", linewidth=1, zorder=0, label="chance")
    tidy(ax, plain(title or f"{metric} by share of the labels"), "labels that are known", label, grid="y")
    shares = np.sort(table["share"].unique())
    ax.set_xscale("log")
    ax.set_xticks(shares, [_tick(table, one) for one in shares])
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xlim(shares[0] / 1.15, shares[-1] * 1.15)
    figure.legend(loc="outside lower left", ncols=2, frameon=False, fontsize=9)
    return figure


def _share(share: float) -> str:
    return "all labels" if share == 1 else f"{Fraction(share).limit_denominator(100)} of the labels"


def _tick(table: pd.DataFrame, share: float) -> str:
    name = "all" if share == 1 else str(Fraction(share).limit_denominator(100))
    counts = table.loc[table["share"] == share, "labels"].dropna() if "labels" in table else []
    return f"{name}\n({counts.iloc[0]:,.0f})" if len(counts) else name
