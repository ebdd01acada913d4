"""What distillation changes: the confusions, what a model costs, and its parameters by two ways to count."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import seaborn as sns
from matplotlib.patches import Patch

from sernb.core.errors import SernbError
from sernb.core.tables import check_predictions, classes_of
from sernb.evaluation import confusion, scores
from sernb.figures import drawing as draw
from sernb.figures.palette import AGAINST_FOR, FAINT, INK, SERIES_COLORS, Picture, series_style

ALONE, TAUGHT = SERIES_COLORS[:2]
ASIDE = 0.012  # of the axis: how far a pair of equal cost is moved apart, so that both intervals are seen


def confusion_difference(predictions: pd.DataFrame, a: str, b: str, title: str = "") -> Picture:
    """Confusions of models ``a`` and ``b``, and b minus a (Figure 4 of the paper on distilled 3M-SER).

    Cells are shares of the true class (row, %; a dash where it is never true), the mean over seeds, and their
    difference in points, orange where ``b`` says it more often. Raises SernbError for a model that is absent.
    """
    table = check_predictions(predictions)
    draw.known([a, b], table["model"].unique() if "model" in table else [], "model")
    table = table[table["model"].isin([a, b])]
    classes = classes_of(table)
    first, second = (_shares(table[table["model"] == model], classes) for model in (a, b))
    difference = second - first
    recall = scores(table)["UAR"] * 100
    largest = max(5.0, float(np.nanmax(difference.abs().to_numpy())))
    share = ("Blues", 0, 100, "share of the true emotion (%)")
    points = (AGAINST_FOR, -largest, largest, "points (orange: more often)")
    panels = (
        (first, "", f"{draw.short(a, 30)}\nUAR {recall[a]:.1f} %", share),
        (second, "", f"{draw.short(b, 30)}\nUAR {recall[b]:.1f} %", share),
        (difference, "+", f"second minus first\nUAR {recall[b] - recall[a]:+.1f} points", points),
    )

    few, names = len(classes) <= 5, [draw.short(c, 14) for c in classes]
    figure, axes = draw.row(min(2.3 + 0.42 * len(classes), 6.5), 3, sharey=True)
    turned = {"rotation": 0, "ha": "center"} if len(classes) <= 4 else {"rotation": 45, "ha": "right"}
    for ax, (panel, sign, label, (colors, low, high, unit)) in zip(axes, panels, strict=True):
        texts = panel.map(lambda value, s=sign: _cell(value, 1 if few else 0, s))
        sns.heatmap(
            panel.fillna(0), ax=ax, annot=texts, fmt="", cmap=colors, vmin=low, vmax=high, linewidths=1,
            annot_kws={"fontsize": 9 if few else 7},
            cbar_kws={"location": "bottom", "aspect": 30, "pad": 0.02, "label": unit},
        )  # fmt: skip
        draw.tidy(ax, "", "predicted emotion", "true emotion" if ax is axes[0] else "")
        draw.caption(ax, label, 10)
        ax.set_xticklabels(names, rotation_mode="anchor", **turned)
        ax.tick_params(length=0, labelsize=8.5)
    axes[0].set_yticklabels(names, rotation=0)
    seeds = table["seed"].nunique(dropna=False) if "seed" in table else 1
    runs = f"mean of {seeds} seeds" if seeds > 1 else "one run each"
    return draw.headline(figure, title or f"Confusions, {runs}")


def two_counts(table: pd.DataFrame, title: str = "") -> Picture:
    """Parameters of each model module by module, counted twice: as published, and all of them.

    ``table``: ``model``, ``module``, ``published`` and ``all`` (numbers of parameters; published NaN or 0
    where left out, hatched in the lower bar). Raises SernbError for an absent column, a module that stands
    twice, and a published count above the module's own.
    """
    draw.needs(table, ["model", "module", "published", "all"], once=["model", "module"])
    table = table.assign(published=table["published"].fillna(0))
    odd = table[(table["published"] > table["all"]) | (table["published"] < 0)]
    if len(odd):
        row = odd.iloc[0]
        counts = f"{row['all']:.0f} parameters, published are {row['published']:.0f}"
        raise SernbError(f"{row['module']!r} of {row['model']!r} has {counts}.")
    models = list(table["model"].unique())
    colors = {name: color for name, (color, _) in series_style(table["module"].unique()).items()}
    figure, (ax,) = draw.row(1.9 + 0.85 * len(models) + 0.2 * -(-len(colors) // 3))
    most = table.groupby("model", sort=False)["all"].sum().max()
    unit, letter, word = (1e6, "M", "million") if most >= 1e6 else (1e3, "k", "thousand")

    # Two bars a model, a piece a module; hatched is what the published count leaves out.
    for number, model in enumerate(models):
        for y, name in ((number - 0.19, "published count"), (number + 0.19, "all parameters")):
            end = 0.0
            for _, row in table[table["model"] == model].iterrows():
                look = {"color": colors[row["module"]], "edgecolor": "white", "linewidth": 0.6}
                left_out = row["all"] - row["published"] if name == "all parameters" else 0
                for hatch, size in ((None, row["published"] / unit), ("////", left_out / unit)):
                    if size > 0:
                        ax.barh(y, size, 0.34, left=end, hatch=hatch, **look)
                        end += size
            draw.note(ax, f"{end:.2f} {letter}  {name}", (end, y), (4, 0), va="center", color=INK)
    ax.set_yticks(range(len(models)), [draw.short(model, 30) for model in models])
    ax.invert_yaxis()
    draw.tidy(ax, "", f"{word} parameters", grid="x", xlim=(0, 1.3 * most / unit))

    handles = [Patch(color=color, label=draw.short(name, 34)) for name, color in colors.items()]
    hatched = {"facecolor": "#bbbbbb", "hatch": "////", "edgecolor": "white"}
    handles.append(Patch(**hatched, label="left out of the published count"))
    draw.legend_below(figure, handles, 3, size=8.5)
    return draw.headline(figure, title or "Two ways to count parameters")


def pareto(
    table: pd.DataFrame, x: str, x_title: str = "", y_title: str = "score (%)", title: str = ""
) -> go.Figure:
    """Accuracy against cost, to point at: a dot a model with its interval, and the front that no model beats.

    A distilled model of equal cost is drawn a little to the right. Raises SernbError for an absent column, a
    name that stands twice, a ``without`` that is no model of the table, and a table without a row to draw.

    Args:
        table: one row a model: ``model`` (its name), the column ``x``, ``value`` (score from 0 to 1); without
            x or value it is left out. Optional: ``low`` and ``high`` (the score's interval), and ``without``,
            the name of the model that this one is without distillation: an arrow leads from there.
        x: the column of the cost (parameters, milliseconds …; the less the better).
        x_title, y_title: what the axes say.
    """
    draw.needs(table, ["model", x, "value"], once=["model"])
    rows = pd.DataFrame({"model": table["model"].astype(str), "cost": table[x].astype(float)})
    for name in ("value", "low", "high"):
        rows[name] = 100 * table[name].astype(float) if name in table else np.nan
    rows["without"] = table["without"].map(str, na_action="ignore") if "without" in table else None
    draw.known(rows["without"].dropna(), rows["model"], "model")
    rows = rows.dropna(subset=["cost", "value"]).set_index("model")
    if rows.empty:
        raise SernbError(f"no row of the table has both {x} and value: there is nothing to draw.")
    taught, x_title = rows["without"].notna(), x_title or x

    # Where each model stands on the axis, which has room for names.
    room = 0.22 * np.ptp(rows["cost"]) or 0.3 * max(abs(rows["cost"].iloc[0]), 1.0)
    same_cost = rows["without"].map(rows["cost"]) == rows["cost"]
    rows["place"] = rows["cost"] + ASIDE * (np.ptp(rows["cost"]) + 2 * room) * same_cost

    # The front, the models, and an arrow for each that was taught.
    figure, models = go.Figure(), list(zip(rows["cost"], rows["value"], strict=True))
    beaten = [any(c <= x and v >= y and (c, v) != (x, y) for c, v in models) for x, y in models]
    front = rows[np.invert(beaten)].sort_values("cost")
    figure.add_scatter(
        x=front["place"], y=front["value"], mode="lines", name="Pareto front", hoverinfo="skip",
        line={"color": FAINT, "dash": "dot", "shape": "hv"},
    )  # fmt: skip
    side = "bottom left" if taught.any() else "top right"
    _models(figure, rows[~taught], "trained alone", {"color": ALONE, "symbol": "circle"}, side, x_title)
    look = {"color": TAUGHT, "symbol": "diamond"}
    _models(figure, rows[taught], "with distillation", look, "top right", x_title)
    arrow = {"xref": "x", "yref": "y", "axref": "x", "ayref": "y", "arrowcolor": TAUGHT, "arrowhead": 2,
             "arrowsize": 1.2, "arrowwidth": 2, "standoff": 8, "startstandoff": 7, "text": ""}  # fmt: skip
    for _, end in rows[rows["without"].isin(rows.index)].iterrows():
        start = rows.loc[end["without"]]
        places = {"x": end["place"], "y": end["value"], "ax": start["place"], "ay": start["value"]}
        figure.add_annotation(**places, **arrow)
    ends = [rows["place"].min() - room, rows["place"].max() + room]
    return draw.lay_out(figure, draw.escape(title or f"{y_title} against {x_title}"),
                        xaxis={"title": {"text": draw.escape(x_title)}, "range": ends, **draw.AXIS},
                        yaxis={"title": {"text": draw.escape(y_title)}, **draw.AXIS},
                        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
                        width=900, height=520, margin={"l": 60, "r": 20, "t": 90, "b": 60})  # fmt: skip


def _cell(value, digits, sign):
    if np.isnan(value):
        return "–"
    rounded = round(value, digits) or 0.0  # never -0
    return f"{rounded:{sign if rounded else ''}.{digits}f}".replace("-", "−")


def _shares(table, classes):
    """Per cent of each true class, the mean over seeds; NaN in the row of a class that is never true."""
    seeds = [rows for _, rows in table.groupby("seed", dropna=False)] if "seed" in table else [table]
    each = []
    for rows in seeds:
        counts = confusion(rows).reindex(index=classes, columns=classes, fill_value=0)
        each.append(counts.div(counts.sum(axis=1).replace(0, np.nan), axis=0).mul(100))
    return pd.concat(each).groupby(level=0, sort=False).mean().loc[classes]


def _models(figure, rows, kind, look, side, x_title):
    """Dots with names and intervals, and what pointing at them says."""
    hovers = []
    for name, row in rows.iterrows():
        interval = "" if row[["low", "high"]].isna().any() else f" [{row['low']:.1f}, {row['high']:.1f}]"
        cost = f"{draw.escape(x_title)}: {row['cost']:,.5g}"
        hovers.append(f"<b>{draw.escape(name)}</b><br>{row['value']:.1f} %{interval}<br>{cost}")
    up, down = ((rows[a] - rows[b]).clip(lower=0).fillna(0) for a, b in (("high", "value"), ("value", "low")))
    if len(rows):
        figure.add_scatter(
            x=rows["place"], y=rows["value"], mode="markers+text", name=kind, textposition=side,
            cliponaxis=False, text=[draw.escape(draw.short(name, 28)) for name in rows.index],
            marker={"size": 12, **look, "line": {"color": "white", "width": 1}},
            error_y={"type": "data", "array": up, "arrayminus": down, "symmetric": False, "thickness": 1.3,
                     "width": 4, "color": look["color"]},
            customdata=hovers, hovertemplate="%{customdata}<extra></extra>",
        )  # fmt: skip
