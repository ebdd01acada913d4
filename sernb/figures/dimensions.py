"""Models that predict dimensions, side by side: their CCCs, and what words add to the sound."""

import numpy as np
import pandas as pd
from matplotlib.lines import Line2D

from sernb.errors import SernbError
from sernb.figures.comparison import CLEAR, axis_of, in_numbers, interval_line
from sernb.figures.given import needs
from sernb.figures.palette import FAINT, INK, Picture, headline, plain, series_style, tidy
from sernb.tables import DIMENSIONS

ORDER = (*(f"CCC_{one}" for one in DIMENSIONS), "CCC")


def dimension_comparison(
    intervals: pd.DataFrame,
    by: str | None = None,
    references: dict[str, dict[str, float]] | None = None,
    title: str = "",
) -> Picture:
    """The CCC of each model with its interval, a panel for each dimension (Table 1 of the audio-textual paper).

    ``intervals``: from :func:`sernb.evaluation.bootstrap` with metrics CCC_arousal, CCC_valence, CCC_dominance, CCC; other
    metrics are left out. ``by`` names a column that tells two or more test sets or settings of a model apart (e.g.
    "part": seen, unseen), drawn below one another. ``references``: label → {metric: CCC}, dashed lines. Raises
    SernbError for an absent column, a table without a CCC, and a row that stands twice.
    """
    needs(intervals, ["model", "metric", "value", "low", "high", *([by] if by else [])])
    intervals = intervals[intervals["metric"].isin(ORDER)]
    if intervals.empty:
        raise SernbError(f"this figure needs rows with a metric of {', '.join(ORDER)}; the table has none.")
    needs(intervals, [], once=["model", "metric", *([by] if by else [])])
    models = list(intervals["model"].unique())
    series = list(intervals[by].unique()) if by else [None]
    metrics = [one for one in ORDER if one in set(intervals["metric"])]
    styles = series_style(series if by else models)
    shifts = 0.62 / len(series) * (np.arange(len(series)) - (len(series) - 1) / 2)
    figure = Picture(height=1.5 + (0.3 + 0.27 * len(series)) * len(models) + (0.2 if by else 0))
    panels = figure.subplots(1, len(metrics), sharex=True, sharey=True, squeeze=False)[0]
    left, right = _ends(intervals, references or {})
    panels[0].set_xlim(left, right)
    for ax, metric in zip(panels, metrics, strict=True):
        for _, row in intervals[intervals["metric"] == metric].iterrows():
            y = models.index(row["model"]) + (shifts[series.index(row[by])] if by else 0)
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
                 for name, (color, marker) in styles.items()]  # fmt: skip
        figure.legend(handles=marks, loc="outside lower left", ncols=len(marks), frameon=False, fontsize=9)  # fmt: skip
    headline(figure, title or _what(intervals))
    return figure


def relative_gain(table: pd.DataFrame, title: str = "") -> Picture:
    """How much words add: relative improvement of the valence CCC over sound alone (Figure 3 of the audio-textual paper).

    ``table``: ``encoder``, ``setting`` (e.g. "FT", "FT→FRZ"), ``value``, ``low``, ``high`` (NaN: no interval), where 0.25 is a
    quarter more than sound alone: ``difference``, ``low`` and ``high`` of
    ``paired_bootstrap(..., metric="CCC_valence", relative=True)``. Optional ``part`` (e.g. seen, unseen): a panel each.
    Raises SernbError for an absent column and a row that stands twice.
    """
    table = table if "part" in table else table.assign(part="")
    needs(table, ["encoder", "setting", "value", "low", "high"], once=["part", "encoder", "setting"])
    encoders, settings = list(table["encoder"].unique()), list(table["setting"].unique())
    parts, styles = list(table["part"].unique()), series_style(settings)
    figure = Picture(height=4.2, width=min(9.0, 2.4 + 0.75 * len(parts) * len(encoders) * len(settings)))
    panels = figure.subplots(1, len(parts), sharey=True, squeeze=False)[0]
    width = 0.76 / len(settings)
    for ax, part in zip(panels, parts, strict=True):
        for _, row in table[table["part"] == part].iterrows():
            at = encoders.index(row["encoder"]) + width * (
                settings.index(row["setting"]) - (len(settings) - 1) / 2
            )
            value, low, high = (100 * row[one] for one in ("value", "low", "high"))
            ends = [value] if np.isnan(low) or np.isnan(high) else [value, low, high]
            color, _ = styles[row["setting"]]
            if np.isnan(value):
                ax.annotate(
                    "–", (at, 0), (0, 3), textcoords="offset points", ha="center", fontsize=9, color=color
                )
                continue
            hatch = "///" if settings.index(row["setting"]) else None  # so that colour is not the only sign
            ax.bar(at, value, 0.9 * width, color=color, hatch=hatch, edgecolor="white", linewidth=0, zorder=2)
            if len(ends) > 1:
                ax.plot([at, at], [low, high], color=INK, linewidth=1.4, zorder=3, gid="interval")
            up = value >= 0
            end = max(ends) if up else min(ends)
            ax.annotate(f"{value:+.0f} %".replace("-", "−"), (at, end), (0, 4 if up else -4), textcoords="offset points",
                        ha="center", va="bottom" if up else "top", fontsize=9, color=INK)  # fmt: skip
        ax.axhline(0, color=INK, linewidth=1, zorder=3)
        tidy(
            ax,
            plain(part),
            "",
            "gain in valence CCC over sound alone (%)" if ax is panels[0] else "",
            grid="y",
        )
        ax.set_xticks(range(len(encoders)), [plain(one) for one in encoders])
        ax.set_xlim(-0.6, len(encoders) - 0.4)
        ax.margins(y=0.12)
    bars = [panels[0].bar(0, 0, color=color, hatch="///" if number else None, edgecolor="white", linewidth=0)
            for number, (color, _) in enumerate(styles.values())]  # fmt: skip
    figure.legend(
        bars, [plain(one) for one in settings], loc="outside lower left", ncols=len(settings), frameon=False
    )
    headline(figure, title or "What words add to the sound: valence")
    return figure


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
