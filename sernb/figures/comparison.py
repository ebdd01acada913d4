"""Models, settings, speakers and folds side by side."""

import numpy as np
import pandas as pd

from sernb.core.errors import SernbError
from sernb.evaluation import scores
from sernb.figures.palette import FAINT, INK, Picture, plain, series_style, tidy

CLEAR = {
    "facecolor": "white",
    "edgecolor": "none",
    "pad": 0.8,
    "alpha": 0.85,
}  # behind numbers that lines may cross


def model_comparison(
    intervals: pd.DataFrame, references: dict[str, dict[str, float]] | None = None, title: str = ""
) -> Picture:
    """A dot and an interval for each model, a panel for each metric; from
    :func:`sernb.evaluation.bootstrap`.

    ``references``: label → {metric: value between 0 and 1}, drawn as dashed lines, e.g. {"chance":
    {"UAR": 0.25}}. Scores of classes are drawn in per cent, CCCs as they are.
    """
    models, metrics = list(intervals["model"].unique()), list(intervals["metric"].unique())
    styles = series_style(models)
    figure = Picture(height=1.7 + 0.52 * len(models))
    panels = figure.subplots(1, len(metrics), sharey=True, squeeze=False)[0]
    for ax, metric in zip(panels, metrics, strict=True):
        rows = intervals[intervals["metric"] == metric]
        factor, digits, label = axis_of(metric)
        for _, row in rows.iterrows():
            y, (color, marker) = models.index(row["model"]), styles[row["model"]]
            interval_line(ax, row, y, color, marker, factor=factor)
            ax.annotate(
                in_numbers(row, factor, digits),
                (factor * row["value"], y),
                (0, 7),
                textcoords="offset points",
                ha="center",
                fontsize=8.5,
                bbox=CLEAR,
            )
        for name, values in (references or {}).items():
            if metric in values:
                ax.axvline(factor * values[metric], color=FAINT, linestyle="--", linewidth=1, zorder=0)
                ax.annotate(
                    plain(name), (factor * values[metric], len(models) - 0.55), (3, 0), textcoords="offset points",
                    fontsize=8, color=FAINT, va="center",
                )  # fmt: skip
        tidy(ax, "", label, grid="x")
        ax.margins(x=0.16)
    panels[0].set_yticks(range(len(models)), [plain(m) for m in models])
    panels[0].set_ylim(len(models) - 0.4, -0.6)
    figure.suptitle(
        plain(title or _what(intervals)), x=0.01, ha="left", fontsize=11, fontweight="bold", color=INK
    )
    return figure


def setting_comparison(
    table: pd.DataFrame, x: str, hue: str, metric: str = "UAR", chance: float | None = None, title: str = ""
) -> Picture:
    """One score for each pair of two settings, e.g. x="scaling", hue="pooling"; from columns ``value``,
    ``low``, ``high`` (0–1).

    ``low`` and ``high`` may be absent or NaN. One row a pair. Raises SernbError where a pair stands twice
    or a column is absent.
    """
    lacking = [c for c in (x, hue, "value") if c not in table]
    if lacking:
        raise SernbError(
            f"This figure needs the column {', '.join(lacking)}; the table has {', '.join(table.columns)}."
        )
    twice = table[table.duplicated([x, hue])]
    if len(twice):
        pair = ", ".join(map(str, twice[[x, hue]].iloc[0]))
        raise SernbError(
            f"{len(twice)} pairs of {x} and {hue} stand twice ({pair}): give one row a pair, e.g. the mean over seeds."
        )
    places, series = list(table[x].unique()), list(table[hue].unique())
    figure, (factor, digits, label) = Picture(height=4.2), axis_of(metric)
    ax = figure.subplots()
    step = 0.7 / len(series)
    for (name, (color, marker)), shift in zip(
        series_style(series).items(), step * (np.arange(len(series)) - (len(series) - 1) / 2), strict=True
    ):
        rows = table[table[hue] == name]
        at = np.array([places.index(p) for p in rows[x]]) + shift
        for position, (_, row) in zip(at, rows.iterrows(), strict=True):
            interval_line(ax, row, position, color, marker, vertical=True, factor=factor)
            ax.annotate(
                f"{factor * row['value']:.{digits}f}", (position, factor * row["value"]), (8, 0), textcoords="offset points",
                fontsize=8.5, va="center", color=color,
            )  # fmt: skip
        ax.plot([], [], marker, color=color, label=plain(name), markersize=7)
    if chance is not None:
        ax.axhline(factor * chance, color=FAINT, linestyle="--", linewidth=1)
        ax.annotate("chance", (1, factor * chance), (-2, 3), xycoords=("axes fraction", "data"), textcoords="offset points",
                    ha="right", fontsize=8, color=FAINT)  # fmt: skip
    tidy(ax, plain(title or f"{metric} by {x} and {hue}"), x, label, grid="y")
    ax.set_xticks(range(len(places)), [plain(p) for p in places])
    ax.set_xlim(-0.5, len(places) - 0.5)
    figure.legend(title=plain(hue), loc="outside right upper", frameon=False)
    return figure


def group_scores(
    predictions: pd.DataFrame, by: str = "speaker", metric: str = "UAR", title: str = ""
) -> Picture:
    """The score of each speaker (or fold, session …) under each model: a dot each, the same speaker
    linked by a line.

    The bar is the mean over groups; the hardest and the easiest group are named. UAR is over the classes
    a group has.
    """
    factor, digits, label = axis_of(metric)
    table = scores(predictions, by=("model", by))[metric].mul(factor).unstack("model", sort=False)
    figure = Picture(height=4.4, width=min(9, 3.6 + 1.8 * table.shape[1]))
    ax = figure.subplots()
    ax.plot(range(table.shape[1]), table.T.to_numpy(), color="#d9d9d9", linewidth=0.9, zorder=1)
    for i, (model, (color, marker)) in enumerate(series_style(table.columns).items()):
        values = table[model].dropna()
        ax.scatter(
            np.full(len(values), i),
            values,
            42,
            color,
            marker=marker,
            edgecolors="white",
            linewidths=0.7,
            zorder=3,
        )
        ax.plot(
            [i - 0.16, i + 0.16],
            [values.mean()] * 2,
            color=INK,
            linewidth=2.2,
            zorder=4,
            solid_capstyle="butt",
        )
        ax.annotate(
            f"mean {values.mean():.{digits}f}",
            (i - 0.18, values.mean()),
            ha="right",
            va="center",
            fontsize=9,
            color=INK,
        )
        for group in dict.fromkeys((values.idxmin(), values.idxmax())):
            ax.annotate(plain(group), (i, values[group]), (8, 0), textcoords="offset points", va="center", fontsize=8.5,
                        color=color)  # fmt: skip
    tidy(ax, plain(title or f"{metric} by {by} ({len(table)})"), "model", label, grid="y")
    ax.set_xticks(range(table.shape[1]), [plain(m) for m in table.columns])
    ax.set_xlim(-0.6, table.shape[1] - 0.4)
    return figure


def axis_of(metric: str) -> tuple[float, int, str]:
    """How a metric is drawn: the factor, the digits after the point, and the axis; classes in per cent, CCCs as they are."""
    if metric.startswith("CCC"):
        return 1, 2, f"CCC of {metric[4:]}" if metric[4:] else "CCC"
    return 100, 1, f"{metric.replace('_', ' ')} (%)"


def in_numbers(row, factor: float, digits: int) -> str:
    """The value of a row with its interval, where it has one."""
    value, low, high = (f"{factor * row.get(one, np.nan):.{digits}f}" for one in ("value", "low", "high"))
    return value if low == "nan" else f"{value} [{low}, {high}]"


def interval_line(ax, row, at, color, marker, vertical=False, factor=100):
    """A dot at a row's value, and a line from its low to its high where it has them."""
    value, low, high = (factor * row.get(c, np.nan) for c in ("value", "low", "high"))
    if not np.isnan(low):
        line = ([at, at], [low, high]) if vertical else ([low, high], [at, at])
        ax.plot(*line, color=color, linewidth=2.4, alpha=0.55, solid_capstyle="round")
    ax.plot(*((at, value) if vertical else (value, at)), marker, color=color, markersize=7)


def _what(intervals):
    if "unit" not in intervals:
        return "Models compared"
    first = intervals.iloc[0]
    rough = " (rough)" if str(first["note"]).startswith("rough") else ""
    return f"Models compared, {100 * first['level']:g} % interval by {first['unit']}{rough}, {first['units']} {first['unit']}s"
