"""Scores of dimensions (CCC): truth against guesses, models side by side, what words add, and word errors."""

from collections.abc import Sequence
from itertools import cycle

import numpy as np
import pandas as pd
from matplotlib.lines import Line2D

from sernb.core.errors import SernbError
from sernb.core.tables import DIMENSIONS
from sernb.evaluation.concordance import concordance
from sernb.figures import drawing as draw
from sernb.figures.palette import FAINT, INK, SERIES_COLORS, Picture, series_style

METRICS = (*(f"CCC_{name}" for name in DIMENSIONS), "CCC")
# Others' numbers:
PUBLISHED = {"color": INK, "markersize": 7, "markerfacecolor": "white", "markeredgewidth": 1.4}
# Recognisers have other marks than the curve:
RECOGNISERS, COLORS = "^v*Xh<>P", ("#5b4a2f", "#6aa9e9", "#8a8a8a")
LETTER = 0.068  # inches of a letter in the legend, about
HEIGHT = 3.4  # inches of the curve, without its legend
ASIDE = 0.02  # of the axis: how far dots are moved


def concordance_panels(
    truth: Sequence, guesses: dict[str, Sequence], scale: tuple[float, float] | None = None, name: str = ""
) -> Picture:
    """A panel for each guess: true values across, guessed ones up, with Pearson's r and the CCC above.

    ``scale`` sets both axes, ``name`` says what is rated. Dots are moved to the side at random by up to 2 %
    of the axis, as mean ratings fall on few values. Raises SernbError for guesses of another length.
    """
    truth = np.asarray(truth, float)
    figure, panels = draw.row(3.2, len(guesses), min(9.0, 3.0 * len(guesses)), sharex=True, sharey=True)
    low, high = scale or (truth.min(), truth.max())
    aside = np.random.default_rng(0).uniform(-1, 1, len(truth)) * ASIDE * (high - low)
    for ax, (label, guess) in zip(panels, guesses.items(), strict=True):
        guess = np.asarray(guess, float)
        if guess.shape != truth.shape:
            raise SernbError(f"{label}: {len(guess)} guesses for {len(truth)} true values.")
        constant = np.ptp(guess) == 0 or np.ptp(truth) == 0
        r = np.nan if constant else np.corrcoef(truth, guess)[0, 1]
        ax.plot([low, high], [low, high], color=FAINT, linewidth=1, linestyle=draw.DASHED, gid="diagonal")
        ax.scatter(truth + aside, guess, s=9, color=SERIES_COLORS[0], alpha=0.2, linewidths=0, gid="guesses")
        across, up = (f"{kind} {name}".strip() for kind in ("true", "guessed"))
        draw.tidy(ax, label, across, up if ax is panels[0] else "")
        numbers = f"r = {r:.2f}\nCCC = {concordance(truth, guess):.2f}"
        ax.text(0.04, 0.96, numbers, transform=ax.transAxes, va="top", size=10, color=INK, bbox=draw.CLEAR)
        if scale:
            margin = 0.04 * (high - low)
            ax.set_xlim(low - margin, high + margin)
    return figure


def dimension_comparison(intervals: pd.DataFrame, by: str | None = None, title: str = "") -> Picture:
    """The CCC of each model with its interval, a panel a dimension (Table 1 of the audio-textual paper).

    ``intervals``: of :func:`sernb.evaluation.bootstrap`; metrics other than CCC and CCC_<dimension> are left
    out. ``by``: a column of test sets or systems of a model (e.g. "part": seen, unseen), drawn below one
    another; categories keep their colours in every picture. Raises SernbError for an absent column, a table
    without a CCC, and a row that stands twice.
    """
    keys = ["model", *([by] if by else [])]
    draw.needs(intervals, ["metric", "value", "low", "high", *keys])
    intervals = intervals[intervals["metric"].isin(METRICS)]
    if intervals.empty:
        raise SernbError(f"this figure needs rows with a metric of {', '.join(METRICS)}; the table has none.")
    draw.needs(intervals, [], once=["metric", *keys])
    models, styles = list(intervals["model"].unique()), series_style(intervals[by or "model"])
    heights = _heights(intervals, models, list(styles), by)
    metrics = [metric for metric in METRICS if metric in set(intervals["metric"])]
    height = 1.5 + 0.3 * len(models) + 0.27 * len(heights) + (0.2 if by else 0)
    figure, panels = draw.row(height, len(metrics), sharex=True, sharey=True)

    # All panels share an axis with room for the numbers, never so narrow that a tiny difference looks large.
    ends = intervals[["value", "low", "high"]].to_numpy(float)
    ends = ends[np.isfinite(ends)] if np.isfinite(ends).any() else np.array([0.0, 1.0])
    margin = max(0.15 * np.ptp(ends), 0.1)
    left, right = ends.min() - margin, ends.max() + margin
    panels[0].set_xlim(left, right)

    for ax, metric in zip(panels, metrics, strict=True):
        for _, row in intervals[intervals["metric"] == metric].iterrows():
            y = heights[row["model"], row[by] if by else None]
            draw.interval_line(ax, row, y, *styles[row[by or "model"]])
            # Over its dot stand the numbers of a row, near the borders beside it.
            share, at, side = (row["value"] - left) / (right - left), row["value"], "center"
            if not (0.3 < share < 0.7 or np.isnan(row["low"])):
                at, side = (row["low"], "left") if share <= 0.3 else (row["high"], "right")
            draw.note(ax, draw.in_numbers(row), (at, y), (0, 7), 8, ha=side, bbox=draw.CLEAR)
        draw.tidy(ax, "", draw.axis_of(metric)[2] if metric != "CCC" else "CCC, mean", grid="x")
    panels[0].set(yticks=range(len(models)), yticklabels=models, ylim=(len(models) - 0.4, -0.7))
    if by:
        marks = [Line2D([], [], color=color, marker=mark, linewidth=2.4) for color, mark in styles.values()]
        draw.legend_below(figure, marks, len(marks), labels=list(styles))
    return draw.headline(figure, title or draw.interval_title(intervals, "CCC of each model"))


def relative_gain(
    table: pd.DataFrame, title: str = "", published: pd.DataFrame | None = None, dimension: str = "valence"
) -> Picture:
    """How much words add: gain in CCC over speech alone (Figure 3 of the audio-textual paper).

    ``table``: ``encoder``, ``setting`` (e.g. "FT→FRZ"), ``value``, ``low``, ``high`` (NaN: no interval) of
    ``paired_bootstrap(..., metric="CCC_valence", relative=True)``: 0.25 is a quarter more; optional ``part``:
    a panel each. ``published``: ``name``, ``encoder``, ``setting``, ``value``, optional ``part``: others'
    numbers, a mark each on its bar. Raises SernbError for an absent column and a row that stands twice.
    """
    keys = ["part", "encoder", "setting"]
    table = draw.needs(table, ["encoder", "setting", "value", "low", "high"], once=keys, part="")
    if published is not None:
        draw.needs(published, ["name", "encoder", "setting", "value"])
    encoders, parts = list(table["encoder"].unique()), list(table["part"].unique())
    styles = series_style(table["setting"].unique())
    width = min(9.0, 2.4 + 0.75 * len(parts) * len(encoders) * len(styles))
    figure, panels = draw.row(4.2, len(parts), width, sharey=True)
    width = 0.76 / len(styles)
    places = {
        (encoder, setting): number + width * (position - (len(styles) - 1) / 2)
        for number, encoder in enumerate(encoders)
        for position, setting in enumerate(styles)
    }
    # Hatched from the second on, so that colour is not the only sign:
    looks = {
        setting: {"color": color, "hatch": "///" if number else None, "edgecolor": "white", "linewidth": 0}
        for number, (setting, (color, _)) in enumerate(styles.items())
    }
    marks = {} if published is None else dict(zip(published["name"].unique(), "Do^v", strict=False))

    for ax, part in zip(panels, parts, strict=True):
        for _, row in table[table["part"] == part].iterrows():
            _bar(ax, row, places[row["encoder"], row["setting"]], 0.9 * width, looks[row["setting"]])
        if published is not None:
            theirs = published[published["part"] == part] if "part" in published else published
            for _, row in theirs[np.isfinite(theirs["value"])].iterrows():
                if (row["encoder"], row["setting"]) in places:
                    at = places[row["encoder"], row["setting"]] + 0.32 * width
                    look = {"marker": marks[row["name"]], **PUBLISHED}
                    ax.plot(at, 100 * row["value"], **look, zorder=4, gid="published")
        ax.axhline(0, color=INK, linewidth=1, zorder=3)
        left = f"gain in {dimension} CCC over speech alone (%)" if ax is panels[0] else ""
        look = {"xticks": range(len(encoders)), "xticklabels": encoders, "xlim": (-0.6, len(encoders) - 0.4)}
        draw.tidy(ax, part if len(parts) > 1 else "", "", left, grid="y", **look)
        ax.margins(y=0.12)

    handles = [panels[0].bar(0, 0, **look) for look in looks.values()]
    handles += [Line2D([], [], linestyle="", marker=mark, **PUBLISHED) for mark in marks.values()]
    draw.legend_below(figure, handles, len(handles), labels=[*looks, *marks], size=10)
    return draw.headline(figure, title or f"What words add to speech: {dimension}")


def wer_curve(
    table: pd.DataFrame, recognisers: pd.DataFrame | None = None,
    without_text: dict[str, float | tuple[float, float, float]] | None = None, title: str = "",
) -> Picture:  # fmt: skip
    """How bad may the speech recogniser be? CCC by word error rate (Table 2 of the audio-textual paper).

    ``table``: ``wer`` (0 = the human transcript; 0.25 = a quarter of the words wrong), ``target``, ``value``,
    ``low``, ``high`` (NaN: no band) of corrupted transcripts; optional ``system`` (trained on human, on
    corrupted words …): a line each. ``recognisers``: these columns and ``name``: real recognisers, a mark
    each. ``without_text``: target → CCC of the model that only hears, or (CCC, low, high): a dashed line and
    a band. Raises SernbError for an absent column, a row that stands twice, and a negative word error rate.
    """
    columns = ["wer", "target", "value", "low", "high"]
    table = draw.needs(table, columns, once=["system", "target", "wer"], system="")
    if recognisers is None:
        recognisers = pd.DataFrame(columns=["name", *columns])
    else:
        draw.needs(recognisers, ["name", *columns], once=["name", "target"])
    rates = [*table["wer"], *recognisers["wer"]]
    if not min(rates) >= 0:
        raise SernbError(f"a word error rate is 0 or more; there is {min(rates):g}.")
    styles = series_style(table["system"])
    looks = zip(recognisers["name"].unique(), cycle(RECOGNISERS), cycle(COLORS), strict=False)
    marks, aside = {name: (mark, color) for name, mark, color in looks}, _aside(recognisers)
    handles, interval = {}, ", interval shaded" if table["low"].notna().any() else ""
    figure, panels = draw.target_panels(HEIGHT, table["target"], "word error rate (%)", "CCC")
    for target, ax in panels.items():
        # The curves of corrupted transcripts.
        for system, (color, marker) in styles.items():
            rows = table[(table["target"] == target) & (table["system"] == system)].sort_values("wer")
            draw.band(ax, 100 * rows["wer"], rows["low"], rows["high"], color)
            label = system if len(styles) > 1 else f"corrupted transcripts{interval}"
            look = {"color": color, "marker": marker, "markersize": 4.5, "linewidth": 2, "gid": "curve"}
            (handles[label],) = ax.plot(100 * rows["wer"], rows["value"], **look, zorder=3)

        # The model without words.
        if target in (without_text or {}):
            alone, *ends = np.ravel(without_text[target])
            look = {"color": INK, "linestyle": draw.DASHED, "linewidth": 1}
            handles["speech alone"] = ax.axhline(alone, **look, gid="without", zorder=1)
            if ends and np.isfinite(ends).all():
                ax.axhspan(*ends, color=FAINT, alpha=0.15, linewidth=0, zorder=0, gid="without")

        # Real recognisers.
        for _, row in recognisers[recognisers["target"] == target].iterrows():
            at, (mark, color) = 100 * row["wer"] + aside[row["name"]], marks[row["name"]]
            if pd.notna(row["low"]):
                ax.plot([at, at], [row["low"], row["high"]], color=color, linewidth=1.6, alpha=0.8, zorder=4)
            rate = 100 * recognisers.loc[recognisers["name"] == row["name"], "wer"].mean()
            look = {"color": color, "markersize": 10, "markeredgecolor": "white", "gid": "recogniser"}
            name = f"{row['name']} (WER {rate:.1f} %)"
            (handles[name],) = ax.plot(at, row["value"], mark, **look, zorder=5)
    # All panels share their scales.
    ax.margins(y=0.1)
    widest = 100 * max(0.1, *rates)
    ax.set_xlim(-0.03 * widest, 1.03 * widest)

    # As many columns in the legend as its longest name allows.
    columns = max(1, min(3, int(figure.get_figwidth() / (LETTER * max(map(len, handles)) + 0.55))))
    figure.set_figheight(HEIGHT + 0.19 * -(-len(handles) // columns))
    draw.legend_below(figure, list(handles.values()), columns, labels=list(handles))
    return draw.headline(figure, title or "CCC against the word error rate of the transcripts")


def _heights(intervals, models, names, by):
    """{(model, series): height}: a model's series stand closely around its place, in the order of names."""
    if not by:
        return {(model, None): place for place, model in enumerate(models)}
    heights, step = {}, 0.62 / intervals.groupby("model")[by].nunique().max()
    for place, model in enumerate(models):
        own = set(intervals.loc[intervals["model"] == model, by])
        for number, name in enumerate(name for name in names if name in own):
            heights[model, name] = place + step * (number - (len(own) - 1) / 2)
    return heights


def _bar(ax, row, at, width, look):
    """One gain in per cent, with its interval and its number; a dash where there is none."""
    value, low, high = (100 * row[column] for column in ("value", "low", "high"))
    if np.isnan(value):
        draw.note(ax, "–", (at, 0), (0, 3), 9, ha="center", color=look["color"])
        return
    ax.bar(at, value, width, **look, zorder=2)
    ends = [value]
    if not (np.isnan(low) or np.isnan(high)):
        ends += [low, high]
        ax.plot([at, at], [low, high], color=INK, linewidth=1.4, zorder=3, gid="interval")
    end, shift, side = (max(ends), 4, "bottom") if value >= 0 else (min(ends), -4, "top")
    number = f"{value:+.0f} %".replace("-", "−")
    draw.note(ax, number, (at, end), (0, shift), 9, ha="center", va=side, color=INK)


def _aside(recognisers):
    """How far aside, in points of the word error rate, marks are drawn that would lie on one another."""
    first = recognisers.drop_duplicates("name")
    together = first.groupby("wer", sort=False)["name"]
    places = together.cumcount() - (together.transform("size") - 1) / 2
    return dict(zip(first["name"], 2.0 * places, strict=True))
