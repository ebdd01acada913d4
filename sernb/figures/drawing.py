"""What the figures share in drawing: titles and notes, intervals, panels, checks of their tables."""

import html

import numpy as np
import pandas as pd

from sernb.core.errors import SernbError
from sernb.core.tables import DIMENSIONS
from sernb.figures.palette import INK, WIDTH, Picture

GRID = "#e4e4e4"
DASHED = (0, (4, 3))
# Behind numbers that lines may cross:
CLEAR = {"facecolor": "white", "edgecolor": "none", "pad": 0.8, "alpha": 0.85}
# An axis of a plotly figure:
AXIS = {"gridcolor": GRID, "zeroline": False}


def escape(text) -> str:
    """Text of a corpus or user for plotly, which knows &amp; &lt; &gt; but would show &quot; as it stands."""
    return html.escape(str(text), quote=False)


def short(text, longest: int) -> str:
    """Text on one line, cut to so many characters."""
    text = " ".join(str(text).split())
    return text if len(text) <= longest else text[: longest - 1] + "…"


def ink_on(color) -> str:
    """Dark or white, whichever can be read on this colour."""
    return "#ffffff" if np.dot(color[:3], [0.299, 0.587, 0.114]) < 0.55 else INK


def row(height, count=1, width=WIDTH, **shared):
    """A picture, and its panels side by side."""
    figure = Picture(height, width)
    return figure, figure.subplots(1, count, squeeze=False, **shared)[0]


def tidy(ax, title="", x="", y="", grid=None, **others):
    """Title at the left, axis labels, no box; ``grid`` "x" or "y": light lines; ``others`` go to ax.set."""
    ax.set_title(title, loc="left", fontsize=11, fontweight="bold", color=INK)
    ax.set_xlabel(x, color=INK)
    ax.set_ylabel(y, color=INK)
    ax.spines[["top", "right"]].set_visible(False)
    ax.tick_params(colors=INK, labelsize=9)
    ax.set(**others)
    if grid:
        ax.grid(axis=grid, color=GRID, linewidth=0.8)
        ax.set_axisbelow(True)


def headline(figure, title):
    """The title of a figure of several panels, at its left, where there is one; returns the figure."""
    if title:
        figure.suptitle(title, x=0.01, ha="left", fontsize=11, fontweight="bold", color=INK)
    return figure


def caption(ax, text, size=9.5):
    """The title of one panel, smaller than the figure's."""
    ax.set_title(text, loc="left", fontsize=size, color=INK)


def note(ax, text, xy, offset, size=8.5, **look):
    """A short text at a place of the data, moved by an offset in points."""
    ax.annotate(text, xy, offset, textcoords="offset points", fontsize=size, **look)


def band(ax, x, low, high, color, alpha=0.18):
    """The interval of a line, shaded."""
    ax.fill_between(x, low, high, color=color, alpha=alpha, linewidth=0)


def legend_below(figure, handles, columns, labels=None, size=9):
    """A legend below the panels; without ``labels`` the handles have their own."""
    labels = labels or [handle.get_label() for handle in handles]
    figure.legend(handles, labels, loc="outside lower left", ncols=columns, frameon=False, fontsize=size)


def axis_of(metric: str) -> tuple[float, int, str]:
    """Factor, digits after the point and axis label of a metric; classes in per cent, CCCs as they are."""
    if metric.startswith("CCC"):
        return 1, 2, f"CCC of {metric[4:]}" if metric[4:] else "CCC"
    return 100, 1, f"{metric.replace('_', ' ')} (%)"


def interval_line(ax, row, y, color, marker, factor=1):
    """A dot at a row's value, and a line from its low to its high where it has them."""
    value, low, high = (factor * row[column] for column in ("value", "low", "high"))
    if not np.isnan(low):
        ax.plot([low, high], [y, y], color=color, linewidth=2.4, alpha=0.55, solid_capstyle="round")
    ax.plot(value, y, marker, color=color, markersize=7)


def in_numbers(row, factor=1, digits=2) -> str:
    """A row's value with its interval, where it has one."""
    value, low, high = (f"{factor * row[column]:.{digits}f}" for column in ("value", "low", "high"))
    return value if low == "nan" else f"{value} [{low}, {high}]"


def interval_title(intervals: pd.DataFrame, start: str) -> str:
    """What the intervals of :func:`sernb.evaluation.bootstrap` are, where the table says so."""
    if not {"unit", "units", "level"} <= set(intervals):
        return start
    first = intervals.iloc[0]
    rough = " (rough)" if str(first.get("note", "")).startswith("rough") else ""
    units = intervals["units"].unique()
    count = f", {units[0]} {first['unit']}s" if len(units) == 1 else ""
    return f"{start}, {100 * first['level']:g} % interval by {first['unit']}{rough}{count}"


def needs(table: pd.DataFrame, columns: list[str], once: list[str] | None = None, **optional) -> pd.DataFrame:
    """The table with the ``optional`` columns that it lacks; raises SernbError where one of ``columns`` is
    absent, there is no row, or a row of ``once`` stands twice."""
    table = table.assign(**{column: value for column, value in optional.items() if column not in table})
    absent = [column for column in columns if column not in table]
    if absent:
        present = ", ".join(map(str, table.columns))
        raise SernbError(f"this figure needs the column {', '.join(absent)}; the table has {present}.")
    if not len(table):
        raise SernbError("this figure needs a table with at least one row.")
    twice = table[table.duplicated(once)] if once else []
    if len(twice):
        first = ", ".join(f"{column} {twice[column].iloc[0]}" for column in once)
        raise SernbError(f"{len(twice)} rows stand twice, the first is {first}: give one row each.")
    return table


def array_of(values, shape, what) -> np.ndarray:
    """Floats of that shape (a word: any length above 0); raises SernbError for another shape or NaN."""
    values = np.asarray(values, float)
    sizes = zip(shape, values.shape, strict=False)
    fits = values.ndim == len(shape) and all(n > 0 if isinstance(s, str) else n == s for s, n in sizes)
    finite = np.isfinite(values).all()
    if not (fits and finite):
        wanted, holds = str(tuple(shape)).replace("'", ""), "" if finite else " with NaN or infinity"
        raise SernbError(f"expected {what}, finite and {wanted}; got the shape {values.shape}{holds}.")
    return values


def known(names, among, what) -> None:
    """Raise SernbError for the first of the names that is not among those that are there."""
    if absent := [name for name in names if name not in list(among)]:
        present = ", ".join(map(str, among)) or "none"
        raise SernbError(f"there is no {what} {absent[0]!r}; there are: {present}.")


def dimensions_first(names) -> list:
    """Arousal, valence, dominance first, others as they come, each once."""
    names = list(dict.fromkeys(names))
    return [name for name in DIMENSIONS if name in names] + [n for n in names if n not in DIMENSIONS]


def target_panels(height, targets, x="", y="", narrowest=0.0):
    """A figure and {target: its axes}, side by side on shared scales; x stands below the middle of three."""
    targets = dimensions_first(targets)
    width = min(9.0, max(narrowest, 2.2 + 2.5 * len(targets)))
    figure, panels = row(height, len(targets), width, sharex=True, sharey=True)
    for ax, target in zip(panels, targets, strict=True):
        middle = len(targets) < 3 or ax is panels[1]
        tidy(ax, target, x if middle else "", y if ax is panels[0] else "", "y")
    return figure, dict(zip(targets, panels, strict=True))


def lay_out(figure, title="", **layout):
    """A plotly figure in white with dark ink, title at the left; ``layout`` goes to update_layout."""
    heading = {"title": {"text": title, "x": 0.02, "font": {"size": 15}}} if title else {}
    return figure.update_layout(**heading, plot_bgcolor="white", font={"color": INK}, hovermode="closest",
                                hoverlabel={"align": "left", "bgcolor": "white"}, **layout)  # fmt: skip
