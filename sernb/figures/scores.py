"""Scores of classes: confusion matrices, and models, speakers, answers and shares of labels side by side."""

from fractions import Fraction

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.ticker import NullLocator

from sernb.core.errors import SernbError
from sernb.evaluation import confusion, scores
from sernb.evaluation.abstaining import answered
from sernb.figures import drawing as draw
from sernb.figures.palette import FAINT, INK, Picture, series_style

STEP = 10  # per cent of coverage from point to point
FEWEST = 20  # answers that a share must rest on, else the line would begin with leaps
LEAST = 3.0  # per cent between two names beside their lines


def confusion_matrix(predictions: pd.DataFrame, title: str | None = None) -> Picture:
    """Counts of one model's confusions, and the share of the true class (row, %) as colour and text; the
    explorer (`sernb.explorer`) has one to click.

    ``title``: None gives model, UAR and WA. Raises SernbError for a table of several models.
    """
    counts = confusion(predictions)
    total = counts.sum(axis=1)
    share = counts.div(total.replace(0, np.nan), axis=0).mul(100).fillna(0)
    texts = counts.astype(str) + "\n" + share.map("{:.0f} %".format)
    figure, (ax,) = draw.row(min(1.6 + 0.72 * len(counts), 8.5), width=min(3.4 + 0.95 * len(counts), 9))
    sns.heatmap(share, ax=ax, vmin=0, vmax=100, cmap="Blues", linewidths=1, annot=texts, fmt="",
                annot_kws={"fontsize": 9}, cbar_kws={"label": "share of the true emotion (%)"})  # fmt: skip

    if not title:
        row = scores(predictions).iloc[0]
        seeds = predictions["seed"].nunique() if "seed" in predictions else 1
        pooled = f", counts of {seeds} seeds" if seeds > 1 else ""
        title = f"{row.name}: UAR {100 * row['UAR']:.1f} %, WA {100 * row['WA']:.1f} %{pooled}"
    draw.tidy(ax, title, "predicted emotion", "true emotion (utterances)")
    ax.set_xticklabels(counts.columns, rotation=30 if len(counts) > 5 else 0)
    ax.set_yticklabels([f"{c} ({n})" for c, n in total.items()], rotation=0)
    ax.tick_params(length=0)
    return figure


def model_comparison(
    intervals: pd.DataFrame, references: dict[str, dict[str, float]] | None = None, title: str = ""
) -> Picture:
    """A dot and an interval for each model, a panel for each metric; from :func:`sernb.evaluation.bootstrap`.

    ``references``: label → {metric: value between 0 and 1}, dashed lines, e.g. {"chance": {"UAR": 0.25}}.
    """
    draw.needs(intervals, ["model", "metric", "value", "low", "high"])
    styles, metrics = series_style(intervals["model"].unique()), list(intervals["metric"].unique())
    models = list(styles)
    figure, panels = draw.row(1.7 + 0.52 * len(models), len(metrics), sharey=True)
    for ax, metric in zip(panels, metrics, strict=True):
        factor, digits, label = draw.axis_of(metric)
        for _, row in intervals[intervals["metric"] == metric].iterrows():
            y = models.index(row["model"])
            draw.interval_line(ax, row, y, *styles[row["model"]], factor)
            at = (factor * row["value"], y)
            draw.note(ax, draw.in_numbers(row, factor, digits), at, (0, 7), ha="center", bbox=draw.CLEAR)
        for name, values in (references or {}).items():
            if metric in values:
                x = factor * values[metric]
                ax.axvline(x, color=FAINT, linestyle="--", linewidth=1, zorder=0)
                draw.note(ax, name, (x, len(models) - 0.55), (3, 0), 8, color=FAINT, va="center")
        draw.tidy(ax, "", label, grid="x")
        ax.margins(x=0.16)
    panels[0].set(yticks=range(len(models)), yticklabels=models, ylim=(len(models) - 0.4, -0.6))
    return draw.headline(figure, title or draw.interval_title(intervals, "Models compared"))


def group_scores(
    predictions: pd.DataFrame, by: str = "speaker", metric: str = "UAR", title: str = ""
) -> Picture:
    """The score of each speaker (or fold, session …) under each model: dots, those of a speaker linked.

    The bar is the mean; the hardest and the easiest group are named. UAR is over the classes of a group.
    """
    factor, digits, label = draw.axis_of(metric)
    table = scores(predictions, by=("model", by))[metric].mul(factor).unstack("model", sort=False)
    figure, (ax,) = draw.row(4.4, width=min(9, 3.6 + 1.8 * table.shape[1]))
    ax.plot(range(table.shape[1]), table.T.to_numpy(), color="#d9d9d9", linewidth=0.9, zorder=1)
    for i, (model, (color, marker)) in enumerate(series_style(table.columns).items()):
        values = table[model].dropna()
        mean = values.mean()
        look = {"color": color, "marker": marker, "edgecolors": "white", "linewidths": 0.7}
        ax.scatter([i] * len(values), values, s=42, **look, zorder=3)
        ax.plot([i - 0.16, i + 0.16], [mean, mean], color=INK, linewidth=2.2, zorder=4, solid_capstyle="butt")
        ax.text(i - 0.18, mean, f"mean {mean:.{digits}f}", ha="right", va="center", fontsize=9, color=INK)
        for group in dict.fromkeys((values.idxmin(), values.idxmax())):
            draw.note(ax, group, (i, values[group]), (8, 0), va="center", color=color)
    places = {"xticks": range(table.shape[1]), "xticklabels": table.columns}
    heading, xlim = title or f"{metric} by {by} ({len(table)})", (-0.6, table.shape[1] - 0.4)
    draw.tidy(ax, heading, "model", label, grid="y", xlim=xlim, **places)
    return figure


def abstaining(predictions: pd.DataFrame, title: str = "") -> Picture:
    """When should a model say "I don't know"? Coverage across, accuracy of those answered up, the surest
    utterances (largest p_<class>) first; a line for each model.

    A point stands at every 10 % of coverage. Lines begin at twenty answers and end at the plain accuracy,
    where all is answered. Raises SernbError for predictions without probabilities.
    """
    table = answered(predictions)
    figure, (ax,) = draw.row(4.2, width=7.5)
    styles, ends = series_style(table["model"].unique()), {}
    for name, (color, marker) in styles.items():
        rows = table[(table["model"] == name) & (table["answered"] >= FEWEST)]
        if rows.empty:  # fewer utterances than that
            rows = table[table["model"] == name]
        across, up = 100 * rows["coverage"].to_numpy(), 100 * rows["accuracy"].to_numpy()
        ax.plot(across, up, color=color, linewidth=1.6, alpha=0.85, gid="model")
        steps = np.arange(STEP, 101, STEP)
        at = np.unique(np.searchsorted(across, steps[steps >= across[0] - 1e-6] - 1e-6))
        ax.plot(across[at], up[at], marker, color=color, markersize=6, gid="points")
        ends[name] = up[-1]

    # The names beside the ends of the lines, moved so that none lies on another.
    for name, height in _apart(ends).items():
        ax.annotate(
            f"{name}: {ends[name]:.1f} %", (100, ends[name]), (104, height), textcoords="data", fontsize=9,
            color=styles[name][0], va="center", annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": FAINT, "linewidth": 0.6},
        )  # fmt: skip
    across, up = "utterances that are answered, the surest first (%)", "right of those (%)"
    look = {"grid": "y", "xlim": (0, 102), "xticks": range(0, 101, 20)}
    draw.tidy(ax, title or "Answer only when sure", across, up, **look)
    return figure


def label_shares(
    table: pd.DataFrame, reference: str | None = None, chance: float | None = None, title: str = ""
) -> Picture:
    """How many labels does a pretrained model save? UAR by the share of labels that each start was tuned on
    (Table 7 of Li et al. 2022, as a curve with intervals), on a logarithmic axis.

    ``table``: ``start`` (e.g. with and without pretraining), ``share`` (above 0, 1 = all labels), ``value``,
    ``low``, ``high`` (0-1; NaN: no interval); optional ``labels``: how many utterances a share is.
    ``reference``: the start whose value at the largest share is a dashed line through all shares. Raises
    SernbError for an absent column, a row that stands twice, a share outside (0, 1], an unknown reference.
    """
    draw.needs(table, ["start", "share", "value", "low", "high"], once=["start", "share"])
    wrong = table.loc[~table["share"].between(0, 1, inclusive="right"), "share"]
    if len(wrong):
        raise SernbError(f"a share of the labels lies above 0 and is 1 at most; there is {wrong.iloc[0]:g}.")
    styles = series_style(table["start"])
    draw.known([] if reference is None else [reference], styles, "start")
    figure, (ax,) = draw.row(4.2, width=7.5)

    # A line a start, moved a little so that intervals stand side by side.
    for number, (name, (color, marker)) in enumerate(styles.items()):
        rows = table[table["start"] == name].sort_values("share")
        at = rows["share"] * 1.012 ** (number - (len(styles) - 1) / 2)
        low, high = (100 * rows[end].astype(float) for end in ("low", "high"))
        ax.vlines(at, low, high, color=color, linewidth=2.2, alpha=0.5)
        look = {"color": color, "marker": marker, "linewidth": 2, "markersize": 6}
        ax.plot(at, 100 * rows["value"], **look, label=name, gid="start", zorder=3)

    # What to compare with.
    if reference is not None:
        last = table[table["start"] == reference].sort_values("share").iloc[-1]
        share = "all labels" if last["share"] == 1 else f"{_part(last['share'])} of the labels"
        label = f"{reference}, {share}: {100 * last['value']:.1f}"
        look = {"color": styles[reference][0], "linestyle": draw.DASHED, "linewidth": 1, "zorder": 1}
        ax.axhline(100 * last["value"], **look, gid="reference", label=label)
    if chance is not None:
        ax.axhline(100 * chance, color=FAINT, linestyle=":", linewidth=1, zorder=0, label="chance")

    shares = np.sort(table["share"].unique())
    look = {"grid": "y", "xscale": "log", "xlim": (shares[0] / 1.15, shares[-1] * 1.15)}
    draw.tidy(ax, title or "UAR by share of the labels", "labels that are known", "UAR (%)", **look)
    ax.set_xticks(shares, [_tick(table, share) for share in shares])
    ax.xaxis.set_minor_locator(NullLocator())
    draw.legend_below(figure, ax.lines, 2)
    return figure


def _apart(heights: dict[str, float]) -> dict[str, float]:
    """Heights of labels, moved so that none lies on another."""
    placed = {}
    for name, height in sorted(heights.items(), key=lambda item: item[1]):
        placed[name] = max(height, max(placed.values(), default=-np.inf) + LEAST)
    shift = np.mean([placed[name] - heights[name] for name in heights])
    return {name: height - shift for name, height in placed.items()}


def _part(share: float) -> str:
    return "all" if share == 1 else str(Fraction(share).limit_denominator(100))


def _tick(table: pd.DataFrame, share: float) -> str:
    counts = table.loc[table["share"] == share, "labels"].dropna() if "labels" in table else []
    return f"{_part(share)}\n({counts.iloc[0]:,.0f})" if len(counts) else _part(share)
