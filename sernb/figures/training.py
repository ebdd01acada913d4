"""What training leaves behind: learning curves, filter shapes, and the weight and score of each layer."""

from __future__ import annotations

from itertools import cycle, product
from typing import TYPE_CHECKING

import pandas as pd
import seaborn as sns
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator, NullLocator
from scipy.stats import sem, t

from sernb.core.errors import SernbError
from sernb.core.tables import EMOTIONS
from sernb.evaluation import METRICS
from sernb.figures import drawing as draw
from sernb.figures.palette import EMOTION_MARKERS, FAINT, INK, Picture, emotion_color, series_style

if TYPE_CHECKING:  # it imports torch, which figures need not
    from sernb.features.spectrogram import SpectrogramConfig

LEVEL = 0.95
LEAST = 3.0  # percentage points to either side of the start that a panel of weights shows at least
# Lines to compare with:
DASHES = {"color": INK, "linestyle": draw.DASHED, "linewidth": 1}
DOTS = {"color": INK, "linestyle": ":", "linewidth": 1.2}


def learning_curves(history: pd.DataFrame, drops: tuple[int, ...] = (), title: str = "") -> Picture:
    """Loss and scores by epoch, a panel for each measure: a thin line a fold, a thick one for the mean.

    ``history``: ``epoch`` and a column for each measure (``loss``, ``UAR`` …; scores 0–1; NaN where a part
    lacks it), as :func:`sernb.studies.training.fit` returns it; optional ``part`` ("train", "validation")
    and ``fold``. ``drops``: after how many epochs the learning rate falls (2.5: half-way through the third),
    drawn as dotted lines.
    """
    measures = [c for c in history.columns if c not in ("epoch", "part", "fold", "learning_rate")]
    history = draw.needs(history, ["epoch", *(measures or ["loss"])], part="train")
    styles = series_style(history["part"].unique())
    figure, panels = draw.row(3.6, len(measures))
    for ax, measure in zip(panels, measures, strict=True):
        percent = measure in METRICS
        rows = history.dropna(subset=measure)
        rows = rows.assign(value=rows[measure] * (100 if percent else 1))
        colors = {part: color for part, (color, _) in styles.items() if (rows["part"] == part).any()}
        lines = {"data": rows, "x": "epoch", "y": "value", "hue": "part", "palette": colors, "ax": ax}
        if "fold" in rows and rows["fold"].nunique() > 1:
            sns.lineplot(**lines, units="fold", estimator=None, linewidth=0.7, alpha=0.35, legend=False)
        sns.lineplot(**lines, linewidth=2.4, errorbar=None)
        for i, epoch in enumerate(drops):
            label = "" if i else "learning rate falls"
            ax.axvline(epoch, color="#999999", linestyle=":", linewidth=1.2, zorder=0, label=label)
        draw.tidy(ax, f"{measure} by epoch", "epoch", measure + (" (%)" if percent else ""), "y")
        ax.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
        ax.legend(title=None, edgecolor="none", framealpha=0.9)
    return draw.headline(figure, title)


def filter_shapes(table: pd.DataFrame, config: SpectrogramConfig, title: str = "") -> Picture:
    """Accuracy by height (Hz) and width (ms) of the first filters (Figure 2 of the attention-pooling paper).

    ``table``: one row a shape, ``height`` (DFT bins), ``width`` (frames), ``WA`` and a column for each
    emotion (its recall), all 0–1; optional ``WA_low``, ``WA_high``. The upper panel takes the rows of the
    smallest width, the lower one those of the smallest height. ``config``: the spectrograms' front end.
    """
    draw.needs(table, ["height", "width", "WA"])
    thin, flat = table["width"].min(), table["height"].min()
    hertz, milliseconds = config.bin_hz, config.shift * 1000
    panels = (
        ("height", table[table["width"] == thin], hertz, "Hz", f"width {thin * milliseconds:g} ms"),
        ("width", table[table["height"] == flat], milliseconds, "ms", f"height {flat * hertz:g} Hz"),
    )
    figure = Picture(height=6.4)
    axes = figure.subplots(2, 1, sharey=True)
    for ax, (side, rows, scale, unit, other) in zip(axes, panels, strict=True):
        rows = rows.sort_values(side)
        at = rows[side] * scale
        for emotion in [emotion for emotion in EMOTIONS if emotion in table]:
            ax.plot(at, 100 * rows[emotion], color=emotion_color(emotion), marker=EMOTION_MARKERS[emotion],
                    markersize=5, linewidth=1.2, alpha=0.9, label=emotion)  # fmt: skip
        look = {"color": INK, "linewidth": 2.6, "marker": ".", "markersize": 9}
        ax.plot(at, 100 * rows["WA"], **look, label="WA (all emotions)")
        if {"WA_low", "WA_high"} <= set(rows):
            draw.band(ax, at, 100 * rows["WA_low"], 100 * rows["WA_high"], INK, alpha=0.1)
        label = f"filter {side} ({unit}), logarithmic"
        draw.tidy(ax, f"Filter {side} varied, {other}", label, "correct (%)", grid="y", xscale="log")
        ax.set_xticks(at, [f"{v:g}" for v in at])
        ax.xaxis.set_minor_locator(NullLocator())
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside right upper", frameon=False)
    return draw.headline(figure, title)


def layer_weights(table: pd.DataFrame, title: str = "") -> Picture:
    """The weight that each layer was given, a panel for each target (Figure 2 of the audio-textual paper).

    ``table``: ``layer`` (0 = CNN output, 1 … N the transformer's), ``target``, ``seed``, ``weight`` (softmax
    weights: they add up to 1 over the layers). Optional ``features``: what was weighted (e.g. "as they are",
    "layer-normalised"), a line each. The thick line is the mean over seeds with its 95 % t interval, thin
    ones (of one kind of features) the seeds, the dashed line 1/(N + 1), where training starts. Raises
    SernbError for an absent column, a row that stands twice, and weights that lack layers or a sum of 1.
    """
    keys = ["features", "target", "seed", "layer"]
    table = draw.needs(table, ["layer", "target", "seed", "weight"], once=keys, features="")
    _check_weights(table)
    figure, panels, styles = _panels(table, "weight of the layer (%)")
    layers, seeds = table["layer"].nunique(), table["seed"].nunique()
    start, single = 100 / layers, seeds > 1 and len(styles) == 1

    # Lines of the mean with an interval, and of single seeds; ends are all that must be seen.
    ends = [start - LEAST, start + LEAST]
    for _, ax, rows, look in _lines(table, panels, styles):
        each = 100 * rows.pivot(index="layer", columns="seed", values="weight").sort_index()
        mean, count = each.mean(axis=1), each.shape[1]
        ax.plot(each.index, mean, **look, linewidth=2.2, gid="mean", zorder=3)
        far = 1.1 * (mean - start).abs().max()
        if count > 1:
            half = t.ppf((1 + LEVEL) / 2, count - 1) * sem(each, axis=1)
            draw.band(ax, each.index, mean - half, mean + half, look["color"])
            far = max(far, 1.05 * ((mean - start).abs() + half).max())
        if count > 1 and single:
            ax.plot(each.index, each, color=look["color"], linewidth=0.8, alpha=0.45, gid="seed", zorder=2)
            far = max(far, 1.05 * (each - start).abs().to_numpy().max())
        ends += [start - far, start + far]
    for ax in panels.values():
        ax.axhline(start, **DASHES, gid="start", zorder=1)
    ax.set_ylim(max(min(ends), 0), min(max(ends), 100))  # of all panels: they share it

    marks = {f"mean of {seeds} seeds, 95 % interval shaded" if seeds > 1 else "one seed": {"linewidth": 2.2}}
    if single:
        marks["single seeds"] = {"color": FAINT, "linewidth": 0.8}
    marks[f"start of training: 1/{layers} = {start:.1f} %"] = DASHES
    _legend(figure, styles, [Line2D([], [], **{"color": INK, **look}, label=k) for k, look in marks.items()])
    return draw.headline(figure, title or "Learnt weight of each layer")


def layer_scores(
    table: pd.DataFrame, measure: str = "CCC", chance: float | None = None,
    mixed: dict[str, float] | None = None, title: str = "",
) -> Picture:  # fmt: skip
    """What a probe of each single layer reaches, a panel a target; each line's best layer has its number.
    Raises SernbError for an absent column, or a row that stands twice.

    Args:
        table: ``layer``, ``target``, ``value``, ``low``, ``high`` (may be NaN: no band). Optional
            ``features``: whose layers (e.g. "trained", "random weights"), a line each.
        measure: "CCC", or a score of classes ("UAR", 0 to 1), which is drawn in per cent.
        chance: a dashed line (0 to 1).
        mixed: target → what a probe on the plain mean of all layers reaches, a dotted line.
    """
    keys = ["features", "target", "layer"]
    table = draw.needs(table, ["layer", "target", "value", "low", "high"], once=keys, features="")
    factor, digits, label = draw.axis_of(measure)
    table = table.assign(**factor * table[["value", "low", "high"]].astype(float))
    figure, panels, styles = _panels(table, label)
    highest = table.groupby("target")["value"].max()
    for target, ax, rows, look in _lines(table, panels, styles):
        if rows["value"].isna().all():
            continue
        draw.band(ax, rows["layer"], rows["low"], rows["high"], look["color"])
        ax.plot(rows["layer"], rows["value"], **look, linewidth=2, gid="mean", zorder=3)

        # The number of the best layer; the lower line's stands below it, away from the other.
        layer, value = rows.loc[rows["value"].idxmax(), ["layer", "value"]]
        side = {rows["layer"].min(): "left", rows["layer"].max(): "right"}.get(layer, "center")
        offset, name = (0, 7 if value == highest[target] else -15), f"{value:.{digits}f}"
        look = {"ha": side, "color": look["color"], "bbox": draw.CLEAR, "zorder": 4}
        draw.note(ax, name, (layer, value), offset, **look)
    for target, ax in panels.items():
        if chance is not None:
            ax.axhline(factor * chance, **DASHES, gid="chance", zorder=1)
        if mixed and target in mixed:
            ax.axhline(factor * mixed[target], **DOTS, gid="mixed", zorder=1)
        ax.margins(y=0.15)

    marks = [Patch(color=INK, alpha=0.18, linewidth=0, label="95 % interval; number: best layer")]
    if chance is not None:
        marks.append(Line2D([], [], **DASHES, label="chance"))
    if mixed:
        marks.append(Line2D([], [], **DOTS, label="mean of all layers"))
    _legend(figure, styles, marks)
    return draw.headline(figure, title or f"{measure} of a probe on each layer alone")


def _panels(table, y):
    """Figure, {target: its axes}, {features: how its line looks}."""
    dashes = cycle(("-", "--", ":", "-."))
    styles = {
        name: {"color": color, "marker": marker, "linestyle": next(dashes), "markersize": 5}
        for name, (color, marker) in series_style(table["features"].unique()).items()
    }
    label = "layer (0: what the first layer is given)"
    figure, panels = draw.target_panels(3.5, table["target"], label, y, narrowest=6.5)
    for ax in panels.values():
        ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
        if len(panels) == 1:
            ax.set_title("", loc="left")
    return figure, panels, styles


def _lines(table, panels, styles):
    """(target, axes, rows, look) of each line that has rows."""
    for (target, ax), (features, look) in product(panels.items(), styles.items()):
        rows = table[(table["target"] == target) & (table["features"] == features)]
        if len(rows):
            yield target, ax, rows.sort_values("layer"), look


def _legend(figure, styles, marks):
    named = [Line2D([], [], **look, linewidth=2, label=name) for name, look in styles.items()]
    draw.legend_below(figure, [*(named if len(styles) > 1 else []), *marks], 3)


def _check_weights(table):
    layers = set(table["layer"])
    runs = table.groupby(["features", "target", "seed"], sort=False, dropna=False)
    for (features, target, seed), rows in runs:
        run = " ".join(filter(None, [str(target), str(features), f"seed {seed}"]))
        if missing := sorted(layers - set(rows["layer"])):
            raise SernbError(f"{run} has no weight of layer {', '.join(map(str, missing))}; others have.")
        total = rows["weight"].sum(skipna=False)
        if not abs(total - 1) < 0.01 or (rows["weight"] < 0).any():
            kind = "give softmax weights, not negative, together 1"
            raise SernbError(f"the weights of {run} add up to {total:.3g}: {kind}.")
