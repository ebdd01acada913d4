"""What training and the filter-shape study leave behind."""

import pandas as pd
import seaborn as sns
from matplotlib.ticker import MaxNLocator, NullLocator

from sernb.core.errors import SernbError
from sernb.core.tables import EMOTIONS
from sernb.evaluation import METRICS
from sernb.figures.palette import EMOTION_MARKERS, INK, Picture, emotion_color, plain, series_style, tidy
from sernb.figures.sound import BIN, HOP


def filter_shapes(table: pd.DataFrame, hop: float = HOP, bin_width: float = BIN, title: str = "") -> Picture:
    """Accuracy against the shape of the first layer's filters (paper, Figure 2): height in Hz, width in
    ms.

    ``table``: one row a shape, ``height`` (DFT bins), ``width`` (frames), ``WA`` and a column for each
    emotion (its recall), all 0–1; optional ``WA_low``, ``WA_high``. The upper panel takes the rows of the
    smallest width, the lower one those of the smallest height. ``hop`` in seconds, ``bin_width`` in Hz.
    """
    lacking = [c for c in ("height", "width", "WA") if c not in table]
    if lacking:
        raise SernbError(
            f"The filter-shape figure needs the column {', '.join(lacking)}; the table has {', '.join(table.columns)}."
        )
    emotions = [e for e in EMOTIONS if e in table]
    thin, flat = table["width"].min(), table["height"].min()
    panels = (
        ("height", table[table["width"] == thin], bin_width, "Hz", f"width {thin * hop * 1000:g} ms"),
        ("width", table[table["height"] == flat], hop * 1000, "ms", f"height {flat * bin_width:g} Hz"),
    )
    figure = Picture(height=6.4)
    axes = figure.subplots(2, 1, sharey=True)
    for ax, (side, rows, scale, unit, other) in zip(axes, panels, strict=True):
        rows = rows.sort_values(side)
        at = rows[side] * scale
        for emotion in emotions:
            ax.plot(at, 100 * rows[emotion], color=emotion_color(emotion), marker=EMOTION_MARKERS.get(emotion, "o"),
                    markersize=5, linewidth=1.2, alpha=0.9, label=plain(emotion))  # fmt: skip
        ax.plot(
            at,
            100 * rows["WA"],
            color=INK,
            linewidth=2.6,
            marker=".",
            markersize=9,
            label="WA (all emotions)",
        )
        if {"WA_low", "WA_high"} <= set(rows):
            ax.fill_between(
                at, 100 * rows["WA_low"], 100 * rows["WA_high"], color=INK, alpha=0.1, linewidth=0
            )
        ax.set_xscale("log")
        ax.set_xticks(at, [f"{v:g}" for v in at])
        ax.xaxis.set_minor_locator(NullLocator())
        tidy(
            ax,
            f"Filter {side} varied, {other}",
            f"filter {side} ({unit}), logarithmic",
            "correct (%)",
            grid="y",
        )
    if title:
        figure.suptitle(plain(title), x=0.01, ha="left", fontsize=11, fontweight="bold", color=INK)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside right upper", frameon=False)
    return figure


def learning_curves(history: pd.DataFrame, drops: tuple[int, ...] = (), title: str = "") -> Picture:
    """Loss and scores by epoch, a panel for each measure: a thin line a fold, a thick one for the mean.

    ``history``: ``epoch`` and a column for each measure (``loss``, ``UAR`` …; scores 0–1), as
    :func:`sernb.studies.training.fit` returns it; optional ``part`` ("train", "validation"; train where absent)
    and ``fold``. A measure may be NaN where a part lacks it. ``drops``: after how many epochs the
    learning rate falls (2.5: half-way through the third), drawn as dotted lines; ``learning_rate`` itself is not drawn.
    """
    measures = [c for c in history.columns if c not in ("epoch", "part", "fold", "learning_rate")]
    if "epoch" not in history or not measures:
        raise SernbError(
            f"Learning curves need the column epoch and one for each measure; the table has {', '.join(history.columns)}."
        )
    history = history if "part" in history else history.assign(part="train")
    styles = series_style(history["part"].unique())
    figure = Picture(height=3.6)
    for ax, measure in zip(figure.subplots(1, len(measures), squeeze=False)[0], measures, strict=True):
        percent = measure in METRICS
        rows = history.dropna(subset=measure)
        rows = rows.assign(value=rows[measure] * (100 if percent else 1))
        colors = {part: color for part, (color, _) in styles.items() if (rows["part"] == part).any()}
        if "fold" in rows and rows["fold"].nunique() > 1:
            sns.lineplot(rows, x="epoch", y="value", hue="part", units="fold", estimator=None, palette=colors, ax=ax,
                         linewidth=0.7, alpha=0.35, legend=False)  # fmt: skip
        sns.lineplot(
            rows, x="epoch", y="value", hue="part", palette=colors, ax=ax, linewidth=2.4, errorbar=None
        )
        for i, epoch in enumerate(drops):
            ax.axvline(epoch, color="#999999", linestyle=":", linewidth=1.2, zorder=0,
                       label="" if i else "learning rate falls")  # fmt: skip
        tidy(
            ax, plain(f"{measure} by epoch"), "epoch", plain(measure) + (" (%)" if percent else ""), grid="y"
        )
        ax.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
        ax.legend(title=None, edgecolor="none", framealpha=0.9)
    if title:
        figure.suptitle(plain(title), x=0.01, ha="left", fontsize=11, fontweight="bold", color=INK)
    return figure
