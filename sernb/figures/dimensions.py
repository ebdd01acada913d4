"""Models that predict dimensions, side by side: their CCCs, and what words add to speech."""

import numpy as np
import pandas as pd
from matplotlib.lines import Line2D

from sernb.core.errors import SernbError
from sernb.core.tables import DIMENSIONS
from sernb.figures.comparison import CLEAR, axis_of, in_numbers, interval_line
from sernb.figures.given import needs
from sernb.figures.palette import FAINT, INK, Picture, headline, plain, series_style, tidy

LOOK = {"color": INK, "markersize": 7, "markerfacecolor": "white", "markeredgewidth": 1.4}  # others' numbers
ORDER = (*(f"CCC_{one}" for one in DIMENSIONS), "CCC")


def dimension_comparison(
    intervals: pd.DataFrame,
    by: str | None = None,
    references: dict[str, dict[str, float]] | None = None,
    title: str = "",
) -> Picture:
    """The CCC of each model with its interval, a panel for each dimension (Table 1 of the audio-textual paper).

    ``intervals``: from :func:`sernb.evaluation.bootstrap` with metrics CCC_arousal, CCC_valence, CCC_dominance, CCC; other
    metrics are left out. ``by`` names a column that tells two or more test sets or systems of a model apart (e.g.
    "part": seen, unseen), drawn below one another in colours of their own; those of a categorical column stay the same
    from picture to picture, whichever of its categories are there. ``references``: label → {metric: CCC}, dashed lines. Raises
    SernbError for an absent column, a table without a CCC, and a row that stands twice.
    """
    needs(intervals, ["model", "metric", "value", "low", "high", *([by] if by else [])])
    intervals = intervals[intervals["metric"].isin(ORDER)]
    if intervals.empty:
        raise SernbError(f"this figure needs rows with a metric of {', '.join(ORDER)}; the table has none.")
    needs(intervals, [], once=["model", "metric", *([by] if by else [])])
    models = list(intervals["model"].unique())
    styles = series_style(series_of(intervals[by]) if by else models)
    metrics = [one for one in ORDER if one in set(intervals["metric"])]
    heights = _places(intervals, models, styles, by)
    figure = Picture(height=1.5 + 0.3 * len(models) + 0.27 * len(heights) + (0.2 if by else 0))
    panels = figure.subplots(1, len(metrics), sharex=True, sharey=True, squeeze=False)[0]
    left, right = _ends(intervals, references or {})
    panels[0].set_xlim(left, right)
    for ax, metric in zip(panels, metrics, strict=True):
        for _, row in intervals[intervals["metric"] == metric].iterrows():
            y = heights[row["model"], row[by] if by else None]
            color, marker = styles[row[by] if by else row["model"]]
            interval_line(ax, row, y, color, marker, factor=1)
            at, side = _place(row, left, right)
            ax.annotate(in_numbers(row, 1, 2), (at, y), (0, 7), textcoords="offset points", ha=side, fontsize=8,
                        bbox=CLEAR)  # fmt: skip
        for name, values in (references or {}).items():
            if metric in values:
                ax.axvline(values[metric], color=FAINT, linestyle="--", linewidth=1, zorder=0)
                ax.annotate(plain(name), (values[metric], len(models) - 0.55), (3, 0), textcoords="offset points",
                            fontsize=8, color=FAINT, va="center")  # fmt: skip
        tidy(ax, "", axis_of(metric)[2] if metric != "CCC" else "CCC, mean", grid="x")
    panels[0].set_yticks(range(len(models)), [plain(one) for one in models])
    panels[0].set_ylim(len(models) - 0.4, -0.7)
    if by:
        marks = [Line2D([], [], color=color, marker=marker, linewidth=2.4, label=plain(name))
                 for name, (color, marker) in styles.items() if name in set(intervals[by])]  # fmt: skip
        figure.legend(handles=marks, loc="outside lower left", ncols=len(marks), frameon=False, fontsize=9)  # fmt: skip
    headline(figure, title or _what(intervals))
    return figure


def relative_gain(
    table: pd.DataFrame, title: str = "", published: pd.DataFrame | None = None, dimension: str = "valence"
) -> Picture:
    """How much words add: relative improvement of the CCC of a dimension over speech alone (Figure 3 of the audio-textual paper).

    ``table``: ``encoder``, ``setting`` (e.g. "FT", "FT→FRZ"), ``value``, ``low``, ``high`` (NaN: no interval), where 0.25 is a
    quarter more than speech alone: ``difference``, ``low`` and ``high`` of
    ``paired_bootstrap(..., metric="CCC_valence", relative=True)``. Optional ``part`` (e.g. seen, unseen): a panel each.
    ``published``: ``name``, ``encoder``, ``setting``, ``value``: others' numbers, a mark each on its bar (in a panel's own
    ``part`` alone, where there is such a column). Raises SernbError for an absent column and a row that stands twice.
    """
    table = table if "part" in table else table.assign(part="")
    needs(table, ["encoder", "setting", "value", "low", "high"], once=["part", "encoder", "setting"])
    if published is not None:
        needs(published, ["name", "encoder", "setting", "value"])
    encoders, settings = list(table["encoder"].unique()), list(table["setting"].unique())
    parts, styles = list(table["part"].unique()), series_style(settings)
    figure = Picture(height=4.2, width=min(9.0, 2.4 + 0.75 * len(parts) * len(encoders) * len(settings)))
    panels = figure.subplots(1, len(parts), sharey=True, squeeze=False)[0]
    width = 0.76 / len(settings)
    places = {
        (encoder, setting): number + width * (one - (len(settings) - 1) / 2)
        for number, encoder in enumerate(encoders)
        for one, setting in enumerate(settings)
    }
    marks = {} if published is None else dict(zip(published["name"].unique(), "Do^v", strict=False))
    for ax, part in zip(panels, parts, strict=True):
        for _, row in table[table["part"] == part].iterrows():
            _bar(ax, row, places[row["encoder"], row["setting"]], width, styles, settings)
        if published is not None:
            here = published[published["part"] == part] if "part" in published else published
            for _, row in here.iterrows():
                if (row["encoder"], row["setting"]) in places:
                    at = places[row["encoder"], row["setting"]] + 0.32 * width
                    _mark(ax, at, 100 * row["value"], marks[row["name"]])
        ax.axhline(0, color=INK, linewidth=1, zorder=3)
        left = f"gain in {plain(dimension)} CCC over speech alone (%)" if ax is panels[0] else ""
        tidy(ax, plain(part) if len(parts) > 1 else "", "", left, grid="y")
        ax.set_xticks(range(len(encoders)), [plain(one) for one in encoders])
        ax.set_xlim(-0.6, len(encoders) - 0.4)
        ax.margins(y=0.12)
    bars = [panels[0].bar(0, 0, color=color, hatch="///" if number else None, edgecolor="white", linewidth=0)
            for number, (color, _) in enumerate(styles.values())]  # fmt: skip
    bars += [
        Line2D([], [], linestyle="", marker=mark, **LOOK, label=plain(name)) for name, mark in marks.items()
    ]
    names = [plain(one) for one in (*settings, *marks)]
    figure.legend(bars, names, loc="outside lower left", ncols=len(names), frameon=False)
    headline(figure, title or f"What words add to speech: {dimension}")
    return figure


def _bar(ax, row, at, width, styles, settings):
    """One gain in per cent, with its interval and its number; a dash where there is none."""
    value, low, high = (100 * row[one] for one in ("value", "low", "high"))
    ends = [value] if np.isnan(low) or np.isnan(high) else [value, low, high]
    color, _ = styles[row["setting"]]
    if np.isnan(value):
        ax.annotate("–", (at, 0), (0, 3), textcoords="offset points", ha="center", fontsize=9, color=color)
        return
    hatch = "///" if settings.index(row["setting"]) else None  # so that colour is not the only sign
    ax.bar(at, value, 0.9 * width, color=color, hatch=hatch, edgecolor="white", linewidth=0, zorder=2)
    if len(ends) > 1:
        ax.plot([at, at], [low, high], color=INK, linewidth=1.4, zorder=3, gid="interval")
    up = value >= 0
    end = max(ends) if up else min(ends)
    ax.annotate(f"{value:+.0f} %".replace("-", "−"), (at, end), (0, 4 if up else -4), textcoords="offset points",
                ha="center", va="bottom" if up else "top", fontsize=9, color=INK)  # fmt: skip


def _mark(ax, at, value, mark):
    if np.isfinite(value):
        ax.plot(at, value, mark, **LOOK, zorder=4, gid="published")


def series_of(column) -> list:
    """The names that get a colour each: all categories of a categorical column, else what there is."""
    return (
        list(column.cat.categories)
        if isinstance(column.dtype, pd.CategoricalDtype)
        else list(column.unique())
    )


def _places(intervals, models, styles, by):
    """{(model, series): height}: the series that a model has stand closely around its place, in the order of the styles."""
    if not by:
        return {(model, None): place for place, model in enumerate(models)}
    heights, step = {}, 0.62 / intervals.groupby("model")[by].nunique().max()
    for place, model in enumerate(models):
        there = set(intervals.loc[intervals["model"] == model, by])
        there = [one for one in styles if one in there]
        for number, one in enumerate(there):
            heights[model, one] = place + step * (number - (len(there) - 1) / 2)
    return heights


def _ends(intervals, references):
    """Of the axis that all panels share: room for the numbers, and never so narrow that a tiny difference looks large."""
    drawn = intervals[["value", "low", "high"]].to_numpy(float).ravel()
    drawn = np.concatenate([drawn, [value for one in references.values() for value in one.values()]])
    drawn = drawn[np.isfinite(drawn)] if np.isfinite(drawn).any() else np.array([0.0, 1.0])
    room = max(0.15 * np.ptp(drawn), 0.1)
    return drawn.min() - room, drawn.max() + room


def _place(row, left, right):
    """Where the numbers of a row stand: over its dot, near the borders beside it."""
    share = (row["value"] - left) / (right - left)
    if 0.3 < share < 0.7 or np.isnan(row["low"]):
        return row["value"], "center"
    return (row["low"], "left") if share <= 0.3 else (row["high"], "right")


def _what(intervals):
    if "unit" not in intervals or "units" not in intervals or "level" not in intervals:
        return "CCC of each model"
    first = intervals.iloc[0]
    rough = " (rough)" if str(first.get("note", "")).startswith("rough") else ""
    units = intervals["units"].unique()
    many = f", {units[0]} {first['unit']}s" if len(units) == 1 else ""
    return f"CCC of each model, {100 * first['level']:g} % interval by {first['unit']}{rough}{many}"
