"""Which layers of an encoder carry an emotion dimension: learnt weights, and a probe for each layer."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator
from scipy.stats import sem, t

from sernb.core.errors import SernbError
from sernb.figures.comparison import axis_of
from sernb.figures.given import needs, targets_of
from sernb.figures.palette import FAINT, INK, Picture, headline, plain, series_style, tidy

LEVEL = 0.95
LAYER = "layer (0: what the first layer is given)"
LEAST = 3.0  # percentage points to either side of the start that a panel of weights shows at least
STYLES = ("-", "--", ":", "-.")
CLEAR = {"facecolor": "white", "edgecolor": "none", "pad": 0.6, "alpha": 0.8}


def layer_weights(table: pd.DataFrame, title: str = "") -> Picture:
    """The weight that each layer was given, a panel for each target (Figure 2 of the audio-textual distilled SSL paper).

    ``table``: ``layer`` (0 = CNN output, 1 … N the transformer's), ``target``, ``seed``, ``weight`` (softmax weights: they
    add up to 1 over the layers). Optional ``features``: what was weighted (e.g. "as they are", "layer-normalised"), a
    line each. The thick line is the mean over seeds with its 95 % t interval (of two seeds or more); where there is one kind of
    features, thin lines are the single seeds. The dashed line is 1/(N + 1), where training starts; it lies in the middle.

    Raises SernbError for an absent column, a row that stands twice, a seed that lacks layers, and weights that do
    not add up to 1.
    """
    table = _with_features(table)
    needs(table, ["layer", "target", "seed", "weight"], once=["features", "target", "seed", "layer"])
    layers = sorted(table["layer"].unique())
    _check_weights(table, layers)
    figure, panels, styles = _panels(table, "weight of the layer (%)")
    seeds, single, start, far = table["seed"].nunique(), len(styles) == 1, 100 / len(layers), LEAST
    for target, ax in panels.items():
        for features, (color, marker, style) in styles.items():
            rows = table[(table["target"] == target) & (table["features"] == features)]
            if rows.empty:
                continue
            each = 100 * rows.pivot(index="layer", columns="seed", values="weight").sort_index()
            far = max(far, 1.1 * (each.mean(axis=1) - start).abs().max())
            if each.shape[1] > 1:
                half = t.ppf((1 + LEVEL) / 2, each.shape[1] - 1) * sem(each, axis=1)
                ax.fill_between(each.index, each.mean(axis=1) - half, each.mean(axis=1) + half, color=color, alpha=0.18,
                                linewidth=0)  # fmt: skip
                far = max(far, 1.05 * ((each.mean(axis=1) - start).abs() + half).max())
            if each.shape[1] > 1 and single:
                ax.plot(each.index, each, color=color, linewidth=0.8, alpha=0.45, gid="seed", zorder=2)
                far = max(far, 1.05 * (each - start).abs().to_numpy().max())
            ax.plot(each.index, each.mean(axis=1), style, color=color, marker=marker, markersize=5, linewidth=2.2, gid="mean",
                    zorder=3)  # fmt: skip
        ax.axhline(start, color=INK, linestyle=(0, (4, 3)), linewidth=1, gid="start", zorder=1)
    ax.set_ylim(max(start - far, 0), min(start + far, 100))  # of all panels: they share it
    what = [Line2D([], [], color=INK, linewidth=2.2,
                   label=f"mean of {seeds} seeds, 95 % interval shaded" if seeds > 1 else "one seed")]  # fmt: skip
    if seeds > 1 and single:
        what.append(Line2D([], [], color=FAINT, linewidth=0.8, label="single seeds"))
    what.append(Line2D([], [], color=INK, linestyle=(0, (4, 3)), linewidth=1,
                       label=f"start of training: 1/{len(layers)} = {start:.1f} %"))  # fmt: skip
    _legend(figure, styles, what)
    headline(figure, title or "Learnt weight of each layer")
    return figure


def layer_scores(
    table: pd.DataFrame,
    measure: str = "CCC",
    chance: float | None = None,
    mixed: Mapping[str, float] | None = None,
    title: str = "",
) -> Picture:
    """What a probe of each single layer reaches, a panel for each target.

    ``table``: ``layer``, ``target``, ``value``, ``low``, ``high`` (may be NaN: no band). Optional ``features``: whose layers
    (e.g. "trained", "random weights"), a line each. ``measure``: "CCC", or a score of classes ("UAR", 0 to 1), which is
    drawn in per cent; ``chance`` (0 to 1) draws a dashed line; ``mixed`` draws a dotted one for each target, what a probe on the
    plain mean of all layers reaches. Each line's best layer has its number. Raises SernbError for an absent column and
    a row that stands twice.
    """
    table = _with_features(table)
    needs(table, ["layer", "target", "value", "low", "high"], once=["features", "target", "layer"])
    factor, digits, label = axis_of(measure)
    table = table.assign(**{one: factor * table[one].astype(float) for one in ("value", "low", "high")})
    figure, panels, styles = _panels(table, label)
    for target, ax in panels.items():
        tops = table[table["target"] == target].groupby("features", sort=False)["value"].max()
        for features, (color, marker, style) in styles.items():
            rows = table[(table["target"] == target) & (table["features"] == features)].sort_values("layer")
            if rows["value"].notna().sum() == 0:
                continue
            ax.fill_between(rows["layer"], rows["low"], rows["high"], color=color, alpha=0.18, linewidth=0)
            ax.plot(rows["layer"], rows["value"], style, color=color, marker=marker, markersize=5, linewidth=2, gid="mean",
                    zorder=3)  # fmt: skip
            best = rows.loc[rows["value"].idxmax()]
            up = best["value"] == tops.max()  # the lower line's number stands below it, away from the other
            side = {rows["layer"].min(): "left", rows["layer"].max(): "right"}.get(best["layer"], "center")
            ax.annotate(f"{best['value']:.{digits}f}", (best["layer"], best["value"]), (0, 7 if up else -15),
                        textcoords="offset points", ha=side, fontsize=8.5, color=color, bbox=CLEAR, zorder=4)  # fmt: skip
        if chance is not None:
            ax.axhline(factor * chance, color=INK, linestyle=(0, (4, 3)), linewidth=1, gid="chance", zorder=1)
        if mixed and target in mixed:
            ax.axhline(factor * mixed[target], color=INK, linestyle=":", linewidth=1.2, gid="mixed", zorder=1)
        ax.margins(y=0.15)
    what = [Patch(color=INK, alpha=0.18, linewidth=0, label="95 % interval; number: best layer")]
    if chance is not None:
        what.append(Line2D([], [], color=INK, linestyle=(0, (4, 3)), linewidth=1, label="chance"))
    if mixed:
        what.append(Line2D([], [], color=INK, linestyle=":", linewidth=1.2, label="mean of all layers"))
    _legend(figure, styles, what)
    headline(figure, title or f"{measure} of a probe on each layer alone")
    return figure


def _with_features(table):
    return table if "features" in table else table.assign(features="")


def _panels(table, y):
    """Figure, {target: its axes}, {features: (colour, marker, line style)}."""
    names = [str(one) for one in table["features"].unique()]
    dashes = dict(zip(names, STYLES * len(names), strict=False))
    styles = {name: (*style, dashes[name]) for name, style in series_style(names).items()}
    targets = targets_of(table)
    figure = Picture(height=3.5, width=min(9.0, max(6.5, 2.2 + 2.5 * len(targets))))
    panels = figure.subplots(1, len(targets), sharex=True, sharey=True, squeeze=False)[0]
    for ax, target in zip(panels, targets, strict=True):
        tidy(
            ax,
            plain(target) if len(targets) > 1 else "",
            LAYER if len(targets) < 3 or ax is panels[1] else "",
            y if ax is panels[0] else "",
            "y",
        )
        ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
    return figure, dict(zip(targets, panels, strict=True)), styles


def _legend(figure, styles, others):
    named = [
        Line2D(
            [], [], color=color, marker=marker, linestyle=style, linewidth=2, markersize=5, label=plain(name)
        )
        for name, (color, marker, style) in styles.items()
        if len(styles) > 1
    ]
    if named or others:
        figure.legend(handles=[*named, *others], loc="outside lower left", ncols=3, frameon=False, fontsize=9)


def _check_weights(table, layers):
    runs = table.groupby(["features", "target", "seed"], sort=False, dropna=False)
    for (features, target, seed), rows in runs:
        run = " ".join(filter(None, [str(target), str(features), f"seed {seed}"]))
        if missing := sorted(set(layers) - set(rows["layer"])):
            raise SernbError(f"{run} has no weight of layer {', '.join(map(str, missing))}; others have.")
        total = rows["weight"].sum(skipna=False)
        if not abs(total - 1) < 0.01 or (rows["weight"] < 0).any():
            raise SernbError(
                f"the weights of {run} add up to {total:.3g}: give softmax weights, not negative and together 1."
            )
