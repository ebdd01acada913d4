"""Predictions in the plane of two emotional dimensions, to point at and click: where they lie, and where the truth is."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from sernb.core.errors import SernbError
from sernb.core.tables import DIMENSIONS, check_predictions, in_order
from sernb.evaluation.metrics import one_model
from sernb.figures.affect import MOST, UNLABELLED, escape, hover, layout, symbol
from sernb.figures.palette import FAINT, emotion_color

BEYOND = "no known truth"
SHOWN = 0.5  # opacity of the lines: dots must be seen before them


def predicted_plane(
    predictions: pd.DataFrame,
    utterances: pd.DataFrame | None = None,
    x: str = "valence",
    y: str = "arousal",
    color: str = "emotion",
    lines: bool = False,
    seed: int = 0,
) -> go.Figure:
    """Each prediction a dot in the plane of two dimensions; buttons draw a line from each to the true value, and hide it.

    ``predictions`` of one model and one seed. ``utterances`` gives words, speaker, emotion and ``attrs["scale"]`` where it
    is there; without it emotion and speaker are the predictions' own. ``color``: "emotion" (a click on one in the legend
    hides or shows it, its lines too) or "error", the distance to the truth in the plane (dots without a truth are left
    out). ``lines``: shown from the start. A box is the scale of the ratings, beyond which a prediction may lie. At most 3000 dots are drawn, chosen by ``seed``. ``customdata`` of each dot
    begins with the utterance's id, for :func:`sernb.notebook.clickable`. Ids and words are data and are escaped.

    Raises SernbError for a dimension that is not predicted, for several models or seeds, and for a prediction of an
    utterance that is not in ``utterances``.
    """
    table = _table(predictions, utterances, (x, y), color)
    table = table.dropna(subset=[x, y]) if color == "error" else table
    if table.empty:
        raise SernbError(f"no prediction has a true {x} and {y}: its error is not known.")
    of = len(table)
    table = table.sample(min(MOST, of), random_state=seed)
    there = [one for one in DIMENSIONS if f"{one}_predicted" in table]
    figure = go.Figure()
    if color == "error":
        groups = {"": table}
    else:
        labels = table["emotion"].astype(object) if "emotion" in table else pd.Series(UNLABELLED, table.index)
        labels = labels.where(labels.notna(), UNLABELLED).astype(str)
        groups = {name: table[labels == name] for name in in_order(labels.unique())}
    for name, rows in groups.items():
        _segments(figure, rows, x, y, name, lines)
    for name, rows in groups.items():
        _dots(figure, rows, x, y, name, there, color)
    some = f", {len(table)} of {of} drawn by chance" if len(table) < of else ""
    titles = {False: f"Each dot a prediction{some}"}
    titles[True] = f"{titles[False]}; the ring at a line's end is the truth"
    scale = None if utterances is None else utterances.attrs.get("scale")
    layout(figure, x, y, scale, titles[lines])
    if scale is not None:
        _box(figure, scale)
    for axis, dimension in (("xaxis", x), ("yaxis", y)):
        figure.layout[axis].title.text = f"predicted {figure.layout[axis].title.text or dimension}"
    # Opacity, not visibility: that belongs to the legend, and hidden emotions would come back.
    at = list(range(len(groups)))
    buttons = [
        {
            "label": label,
            "method": "update",
            "args": [{"opacity": opacity}, {"title.text": titles[opacity > 0]}, at],
        }
        for label, opacity in (("dots alone", 0), ("lines to the truth", SHOWN))
    ]
    figure.update_layout(
        updatemenus=[
            {"type": "buttons", "direction": "right", "x": 0, "y": 1.11, "xanchor": "left", "buttons": buttons,
             "active": int(lines), "showactive": True}
        ]
    )  # fmt: skip
    return figure


def _table(predictions, utterances, dimensions, color):
    """The predictions, with what the utterances know beside them."""
    table = check_predictions(predictions)
    table = one_model(table) if "model" in table else table
    absent = [one for one in dimensions if f"{one}_predicted" not in table]
    if absent:
        there = ", ".join(one for one in DIMENSIONS if f"{one}_predicted" in table) or "none"
        raise SernbError(f"{absent[0]!r} is not predicted; of the dimensions there are: {there}.")
    if "seed" in table and table["seed"].nunique(dropna=False) > 1:
        seeds = ", ".join(map(str, table["seed"].unique()))
        raise SernbError(
            f"this figure needs the predictions of one seed; the table has {seeds}. Choose one with "
            'predictions[predictions["seed"] == SEED].'
        )
    if color not in ("emotion", "error"):
        raise SernbError(f"color is 'emotion' or 'error', not {color!r}.")
    if utterances is not None:
        lacking = table.index.difference(utterances.index.map(str))
        if len(lacking):
            raise SernbError(
                f"{len(lacking)} predictions are of no utterance of the table, the first is {lacking[0]!r}."
            )
        known = utterances.set_axis(utterances.index.map(str)).loc[table.index]
        for column in ("emotion", "speaker", "text"):
            if column in known:
                table[column] = known[column].astype(object)
    return table


def _box(figure, scale):
    """The outline of the ratings' scale, behind the dots."""
    low, high = scale
    figure.add_shape(
        type="rect", x0=low, x1=high, y0=low, y1=high, layer="below", line={"color": FAINT, "width": 1.2, "dash": "dot"},
    )  # fmt: skip


def _segments(figure, rows, x, y, group, shown):
    """Lines from prediction to truth with a ring at the truth; those without a truth have none."""
    rows = rows.dropna(subset=[x, y])
    ends = {}
    for one in (x, y):
        gaps = np.full(len(rows), np.nan)
        ends[one] = np.stack([rows[f"{one}_predicted"], rows[one], gaps], axis=1).ravel()
    color = emotion_color(group) if group else FAINT
    figure.add_scatter(
        x=ends[x], y=ends[y], mode="lines+markers", legendgroup=group, showlegend=False, hoverinfo="skip",
        opacity=SHOWN if shown else 0, line={"color": color, "width": 0.9}, name=f"{escape(group)} truth",
        marker={"symbol": "circle-open", "color": color, "size": np.tile([0, 6, 0], len(rows))},
    )  # fmt: skip


def _dots(figure, rows, x, y, group, there, color):
    away = np.hypot(rows[f"{x}_predicted"] - rows[x], rows[f"{y}_predicted"] - rows[y])
    marker = {
        "color": emotion_color(group),
        "size": 8,
        "opacity": 0.8,
        "symbol": symbol(group),
        "line": {"color": "white", "width": 0.7},
    }
    if color == "error":
        marker = {"color": away, "size": 8, "colorscale": "Viridis", "reversescale": True,
                  "line": {"color": "white", "width": 0.7},
                  "colorbar": {"title": {"text": "distance to<br>the truth"}}}  # fmt: skip
    figure.add_scatter(
        x=rows[f"{x}_predicted"], y=rows[f"{y}_predicted"], mode="markers", name=escape(group), legendgroup=group,
        showlegend=color != "error", marker=marker,
        customdata=[[str(name), hover(name, row, _values(row, there))] for name, row in rows.iterrows()],
        hovertemplate="%{customdata[1]}<extra></extra>",
    )  # fmt: skip


def _values(row, there):
    return "<br>".join(
        f"{one} {row[f'{one}_predicted']:.2f}, " + (f"true {row[one]:.2f}" if pd.notna(row[one]) else BEYOND)
        for one in there
    )
