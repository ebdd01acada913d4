"""The plane of two emotional dimensions, to point at: ratings, and predictions beside their truth."""

from textwrap import shorten, wrap

import numpy as np
import pandas as pd
import plotly.express as px
import plotly.graph_objects as go

from sernb.core.errors import SernbError
from sernb.core.tables import DIMENSIONS, check_predictions, in_order
from sernb.evaluation.metrics import one_model
from sernb.figures import drawing as draw
from sernb.figures.palette import EMOTION_MARKERS, FAINT, emotion_color

LONGEST = 110  # characters of a transcript that a hover shows
MOST = 3000  # dots: more make a page heavy, and hide each other
UNLABELLED = "no label"
OPACITY = 0.5  # of the lines to the truth: dots must be seen before them
# plotly's names of matplotlib's markers:
SYMBOLS = {"o": "circle", "s": "square", "D": "diamond", "^": "triangle-up", "v": "triangle-down",
           "P": "cross", "X": "x", "*": "star", "h": "hexagon"}  # fmt: skip


def affect_plane(utterances: pd.DataFrame, seed: int = 0) -> go.Figure:
    """Every utterance in the plane of valence and arousal, coloured by emotion; pointing shows its words.

    Buttons choose another pair of dimensions; a large mark is the mean of an emotion. At most 3000 dots are
    drawn, chosen by ``seed``; mean ratings fall on few values, so dots are moved at random by up to half the
    smallest step that occurs (pointing tells the true values). `customdata` of each dot begins with the
    utterance's id, for :func:`sernb.notebook.clickable`. Raises SernbError where a dimension is absent.
    """
    draw.needs(utterances, ["valence", "arousal"])
    rated = [name for name in DIMENSIONS if name in utterances and utterances[name].notna().any()]
    known = utterances.dropna(subset=["valence", "arousal"])
    draw.needs(known, [])
    table, sampled = _drawn(known, seed, lambda row: _values(row, rated))
    rng = np.random.default_rng(seed)
    moved = table.assign(**{name: table[name] + _noise(table[name], rng) for name in rated})
    means = table.groupby("emotion", sort=False)[rated].mean().reset_index()
    hovers = [f"mean of {draw.escape(row['emotion'])}: {_values(row, rated)}" for _, row in means.iterrows()]

    # The dots in each pair of dimensions, and the means; buttons bring their places, and what the axes say.
    scale = utterances.attrs.get("scale")
    pairs = [("valence", "arousal"), ("valence", "dominance"), ("dominance", "arousal")]
    figures, buttons = [], []
    for x, y in [pair for pair in pairs if set(pair) <= set(rated)]:
        figure = _dots(moved, x, y, size=6, opacity=0.55)
        if len(means) > 1:
            marks = _dots(means.assign(hover=hovers), x, y, size=17, line={"color": "white", "width": 2.5})
            figure.add_traces(marks.update_traces(showlegend=False).data)
        places = {"x": [trace.x.tolist() for trace in figure.data], "y": [t.y.tolist() for t in figure.data]}
        axes = {"xaxis.title.text": _axis(x, scale), "yaxis.title.text": _axis(y, scale)}
        figures.append(figure)
        buttons.append({"label": f"{y} over {x}", "args": [places, axes]})
    ends = (_axis(name, scale) for name in pairs[0])
    return _plane(figures[0].data, *ends, f"Each dot an utterance{sampled}", buttons)


def predicted_plane(
    predictions: pd.DataFrame, utterances: pd.DataFrame | None = None, x: str = "valence", y: str = "arousal"
) -> go.Figure:
    """Each prediction a dot in the plane of two dimensions; buttons draw a line from each to the true value.

    ``predictions`` of one model and one seed; ``utterances`` gives words, speaker, emotion and
    ``attrs["scale"]`` (a box, beyond which a prediction may lie). At most 3000 dots are drawn, chosen by
    chance; `customdata` as in :func:`affect_plane`. Raises SernbError for a dimension that is not predicted,
    for several models or seeds, and for a prediction of an utterance that is not in ``utterances``.
    """
    table = _described(predictions, utterances, (x, y))
    predicted = [name for name in DIMENSIONS if f"{name}_predicted" in table]
    table, sampled = _drawn(table, 0, lambda row: "<br>".join(_prediction(row, name) for name in predicted))
    line = {"color": "white", "width": 0.7}
    dots = _dots(table, f"{x}_predicted", f"{y}_predicted", size=8, opacity=0.8, line=line).data

    # Lines from prediction to truth with a ring at the truth, and a gap (NaN) after each; hidden at first.
    lines = []
    for trace in dots:
        rows = table[table["emotion"] == trace.legendgroup].dropna(subset=[x, y]).assign(gap=np.nan)
        across, up = (rows[[f"{name}_predicted", name, "gap"]].to_numpy().ravel() for name in (x, y))
        rings = {"symbol": "circle-open", "color": trace.marker.color, "size": [0, 6, 0] * len(rows)}
        lines.append(go.Scatter(
            x=across, y=up, mode="lines+markers", legendgroup=trace.legendgroup, showlegend=False,
            hoverinfo="skip", opacity=0, line={"color": trace.marker.color, "width": 0.9}, marker=rings,
        ))  # fmt: skip

    # Opacity, not visibility: that belongs to the legend, and hidden emotions would come back.
    title, numbers = f"Each dot a prediction{sampled}", list(range(len(lines)))
    ringed = f"{title}; the ring at a line's end is the truth"
    buttons = [
        {"label": "dots alone", "args": [{"opacity": 0}, {"title.text": title}, numbers]},
        {"label": "lines to the truth", "args": [{"opacity": OPACITY}, {"title.text": ringed}, numbers]},
    ]
    scale = None if utterances is None else utterances.attrs.get("scale")
    axes = (f"predicted {_axis(name, scale)}" for name in (x, y))
    figure = _plane([*lines, *dots], *axes, title, buttons)
    if scale is not None:
        ends = {"x0": scale[0], "x1": scale[1], "y0": scale[0], "y1": scale[1]}
        line = {"color": FAINT, "width": 1.2, "dash": "dot"}
        figure.add_shape(type="rect", **ends, layer="below", line=line)
    return figure


def _described(predictions, utterances, dimensions):
    """The predictions, checked, with what the utterances know beside them."""
    table = check_predictions(predictions)
    table = one_model(table) if "model" in table else table
    predicted = [name for name in DIMENSIONS if f"{name}_predicted" in table]
    draw.known(dimensions, predicted, "prediction of")
    if "seed" in table and table["seed"].nunique(dropna=False) > 1:
        seeds = ", ".join(map(str, table["seed"].unique()))
        raise SernbError(f"one seed is drawn, the table has {seeds}: predictions[predictions['seed'] == 0].")
    if utterances is None:
        return table
    unknown = table.index.difference(utterances.index.map(str))
    if len(unknown):
        raise SernbError(f"{len(unknown)} predictions have no utterance there, the first is {unknown[0]!r}.")
    known = utterances.set_axis(utterances.index.map(str)).loc[table.index]
    columns = [column for column in ("emotion", "speaker", "text") if column in known]
    return table.assign(**{column: known[column].astype(object) for column in columns})


def _drawn(table, seed, values):
    """At most `MOST` rows, with id and hover (last line: ``values(row)``), and the title's words on it."""
    sampled = f", {MOST} of {len(table)} drawn by chance" if len(table) > MOST else ""
    table = table.sample(min(MOST, len(table)), random_state=seed)
    hovers = []
    for name, row in table.iterrows():
        first = [f"<b>{draw.escape(name)}</b>"]
        first += [draw.escape(row["emotion"])] if pd.notna(row.get("emotion")) else []
        first += [f"speaker {draw.escape(row['speaker'])}"] if pd.notna(row.get("speaker")) else []
        text = shorten(str(row["text"]), LONGEST, placeholder=" …") if pd.notna(row.get("text")) else ""
        words = [draw.escape(line) for line in wrap(f"“{text}”", 60)] if text else []
        hovers.append("<br>".join([" · ".join(first), *words, values(row)]))
    labels = table["emotion"].astype(object) if "emotion" in table else pd.Series(UNLABELLED, table.index)
    labels = labels.where(labels.notna(), UNLABELLED).astype(str)
    return table.assign(emotion=labels, id=table.index.map(str), hover=hovers), sampled


def _noise(values, rng):
    """Up to half the smallest step between values, at random."""
    steps = np.diff(np.unique(values.dropna()))
    steps = steps[steps > 1e-6]
    return rng.uniform(-steps.min() / 2, steps.min() / 2, len(values)) if len(steps) else 0.0


def _dots(table, x, y, **marker):
    """A trace of dots for each emotion; pointing at one shows its `hover`."""
    emotions = in_order(table["emotion"].unique())
    figure = px.scatter(
        table, x=x, y=y, color="emotion", symbol="emotion", category_orders={"emotion": emotions},
        color_discrete_map={emotion: emotion_color(emotion) for emotion in emotions},
        symbol_map={emotion: SYMBOLS[EMOTION_MARKERS.get(emotion, "o")] for emotion in emotions},
        hover_name="hover", custom_data=["id"] if "id" in table else None, render_mode="svg",
    )  # fmt: skip
    figure.update_traces(marker=marker, hovertemplate="%{hovertext}<extra></extra>")
    return figure.for_each_trace(lambda trace: trace.update(name=draw.escape(trace.name)))


def _values(row, dimensions):
    return ", ".join(f"{name} {row[name]:.2f}" for name in dimensions if pd.notna(row[name]))


def _prediction(row, name):
    truth = f"true {row[name]:.2f}" if pd.notna(row[name]) else "no known truth"
    return f"{name} {row[f'{name}_predicted']:.2f}, {truth}"


def _axis(dimension, scale):
    return dimension if scale is None else f"{dimension} ({scale[0]:g} to {scale[1]:g})"


def _plane(traces, x, y, title, buttons):
    """The figure of these traces, with titles of axes, and buttons where there are two or more."""
    menu = {"type": "buttons", "direction": "right", "x": 0, "y": 1.11, "xanchor": "left"}
    buttons = [{"method": "update", **button} for button in buttons]
    return draw.lay_out(go.Figure(traces), title, title_y=0.97,
                        xaxis={"title": {"text": x}, **draw.AXIS}, yaxis={"title": {"text": y}, **draw.AXIS},
                        legend={"itemsizing": "constant", "title": {"text": "emotion"}},
                        width=900, height=560, margin={"l": 60, "r": 20, "t": 100, "b": 50},
                        updatemenus=[{**menu, "buttons": buttons}] if len(buttons) > 1 else [])  # fmt: skip
