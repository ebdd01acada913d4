"""Accuracy against cost: which models no other one beats, and what distillation lifts."""

import html

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from sernb.core.errors import SernbError
from sernb.figures.palette import FAINT, INK, SERIES_COLORS

ALONE, TAUGHT = SERIES_COLORS[:2]
ASIDE = 0.012  # of the axis: how far a pair of equal cost is moved apart, so that both intervals are seen


def pareto(
    table: pd.DataFrame,
    x: str,
    y: str = "value",
    x_title: str = "",
    y_title: str = "score (%)",
    logarithmic: bool = False,
    title: str = "",
) -> go.Figure:
    """Accuracy against cost, to point at: a dot a model with its interval, and the front that no model beats.

    ``table``, one row a model: ``model`` (its name), the column ``x`` (cost: parameters, milliseconds …; the less the
    better), the column ``y`` (score from 0 to 1). Optional: ``low`` and ``high`` (the score's interval), and
    ``without``, the name of the model that this one is without distillation: an arrow leads from that row to this one.
    A row that lacks x or y is left out. ``logarithmic`` is for x. A distilled model that costs the same as its other
    half is drawn a little to the right of it. Names are data and are escaped.

    Raises SernbError for a column that is absent, a name that stands twice, a ``without`` that is no model of the table,
    and a table without a row to draw.
    """
    _check(table, x, y, logarithmic)
    rows = pd.DataFrame({"model": table["model"].astype(str), "cost": table[x].astype(float)})
    for name, column in (("value", y), ("low", "low"), ("high", "high")):
        rows[name] = 100 * table[column].astype(float) if column in table else np.nan
    rows["without"] = table["without"].astype(object) if "without" in table else None
    rows = rows.dropna(subset=["cost", "value"]).set_index("model")
    taught = rows["without"].notna()
    place, room = _places(rows, logarithmic)
    rows["place"] = 10**place if logarithmic else place

    figure, front = go.Figure(), rows[_front(rows["cost"], rows["value"])].sort_values("cost")
    figure.add_scatter(
        x=front["place"].tolist(), y=front["value"].tolist(), mode="lines", name="Pareto front", hoverinfo="skip",
        line={"color": FAINT, "dash": "dot", "shape": "hv"},
    )  # fmt: skip
    side = "bottom left" if taught.any() else "top right"
    _dots(figure, rows[~taught], "trained alone", ALONE, "circle", side, x_title or x)
    _dots(figure, rows[taught], "with distillation", TAUGHT, "diamond", "top right", x_title or x)
    for name, source in rows["without"].dropna().astype(str).items():
        if source in rows.index:
            figure.add_annotation(
                x=float(place[name]), y=float(rows["value"][name]), ax=float(place[source]),
                ay=float(rows["value"][source]), xref="x", yref="y", axref="x", ayref="y", showarrow=True, arrowhead=2,
                arrowsize=1.2, arrowwidth=2, arrowcolor=TAUGHT, standoff=8, startstandoff=7, text="",
            )  # fmt: skip
    figure.update_layout(
        title={"text": _escape(title or f"{y_title} against {x_title or x}"), "x": 0.02, "font": {"size": 15}},
        xaxis={"title": {"text": _escape(x_title or x)}, "type": "log" if logarithmic else "linear", "zeroline": False,
               "range": [float(place.min() - room), float(place.max() + room)], "gridcolor": "#e4e4e4"},
        yaxis={"title": {"text": _escape(y_title)}, "gridcolor": "#e4e4e4", "zeroline": False},
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"}, width=900, height=520,
        margin={"l": 60, "r": 20, "t": 90, "b": 60}, plot_bgcolor="white", font={"color": INK},
        hoverlabel={"align": "left", "bgcolor": "white"}, hovermode="closest",
    )  # fmt: skip
    return figure


def _check(table, x, y, logarithmic):
    lacking = [c for c in ("model", x, y) if c not in table]
    if lacking:
        there = ", ".join(map(str, table.columns))
        raise SernbError(f"this figure needs the column {', '.join(lacking)}; the table has {there}.")
    names = table["model"].astype(str)
    if names.duplicated().any():
        raise SernbError(f"{names[names.duplicated()].iloc[0]!r} stands twice: give one row a model.")
    if table[[x, y]].dropna().empty:
        raise SernbError(f"no row of the table has both {x} and {y}: there is nothing to draw.")
    if logarithmic and (table[x] <= 0).any():
        raise SernbError(f"a logarithmic axis needs values above 0; {x} goes down to {table[x].min():g}.")
    sources = table["without"].dropna().astype(str) if "without" in table else []
    unknown = [one for one in sources if one not in set(names)]
    if unknown:
        raise SernbError(f"without names {unknown[0]!r}, which is no model of the table: {', '.join(names)}.")


def _places(rows, logarithmic):
    """Where each model stands on the axis (its logarithm on a logarithmic one), and how much room names need."""
    place = np.log10(rows["cost"]) if logarithmic else rows["cost"].copy()
    room = 0.22 * np.ptp(place) or 0.3 * max(abs(place.iloc[0]), 1.0)
    cost = rows["cost"].to_dict()
    same = [cost.get(source) == own for source, own in zip(rows["without"], rows["cost"], strict=True)]
    return place.where(~np.array(same, bool), place + ASIDE * (np.ptp(place) + 2 * room)), room


def _front(cost, value):
    """Models that no other one beats: none costs no more and scores higher, or costs less and scores as high."""
    beaten = [
        ((cost <= c) & (value >= v) & ((cost < c) | (value > v))).any()
        for c, v in zip(cost, value, strict=True)
    ]
    return ~np.array(beaten, bool)


def _dots(figure, rows, kind, color, symbol, side, x_title):
    if rows.empty:
        return
    error = {"array": (rows["high"] - rows["value"]).clip(lower=0).fillna(0).tolist()}
    error["arrayminus"] = (rows["value"] - rows["low"]).clip(lower=0).fillna(0).tolist()
    figure.add_scatter(
        x=rows["place"].tolist(), y=rows["value"].tolist(), mode="markers+text", name=kind, textposition=side,
        text=[_escape(_short(name)) for name in rows.index], cliponaxis=False,
        marker={"size": 12, "color": color, "symbol": symbol, "line": {"color": "white", "width": 1}},
        error_y={"type": "data", "symmetric": False, "thickness": 1.3, "width": 4, "color": color, **error},
        customdata=[_hover(name, row, x_title) for name, row in rows.iterrows()],
        hovertemplate="%{customdata}<extra></extra>",
    )  # fmt: skip


def _hover(name, row, x_title):
    interval = (
        "" if pd.isna(row["low"]) or pd.isna(row["high"]) else f" [{row['low']:.1f}, {row['high']:.1f}]"
    )
    return (
        f"<b>{_escape(name)}</b><br>{row['value']:.1f} %{interval}<br>{_escape(x_title)}: {row['cost']:,.5g}"
    )


def _short(text, longest=28):
    text = " ".join(str(text).split())
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _escape(text):
    """For plotly, which knows &amp; &lt; &gt; but would show &quot; as it stands."""
    return html.escape(str(text), quote=False)
