"""The plane of two emotional dimensions, to point at: ratings, and predictions beside their truth."""

from textwrap import shorten, wrap

import numpy as np
import pandas as pd
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
    """Every utterance in the plane of valence and arousal, coloured by emotion; pointing at one shows its
    words.

    A click on an emotion in the legend hides or shows it; buttons choose another pair of dimensions. A large
    mark is the mean of an emotion. At most 3000 dots are drawn, chosen by ``seed``. Mean ratings fall on few
    values, so dots are moved at random by up to half the smallest step that occurs; pointing tells the true
    values. `customdata` of each dot begins with the utterance's id, for :func:`sernb.notebook.clickable`. Ids
    and words are data and are escaped. Raises SernbError where a dimension is absent.
    """
    draw.needs(utterances, ["valence", "arousal"])
    rated = [name for name in DIMENSIONS if name in utterances and utterances[name].notna().any()]
    table, sampled = _sample(utterances.dropna(subset=["valence", "arousal"]), seed)
    groups = _by_emotion(table)
    rng = np.random.default_rng(seed)
    moved = table[rated].apply(lambda values: values + _noise(values, rng))
    scale = utterances.attrs.get("scale")

    # For each pair of dimensions where the dots of the emotions lie, then their means, and what the axes say.
    means = [rows[rated].mean().to_frame().T for rows in groups.values()] if len(groups) > 1 else []
    drawn = [*(moved.loc[rows.index] for rows in groups.values()), *means]
    pairs = [("valence", "arousal"), ("valence", "dominance"), ("dominance", "arousal")]
    pairs = [pair for pair in pairs if set(pair) <= set(rated)]
    places = {
        (x, y): {"x": [d[x].tolist() for d in drawn], "y": [d[y].tolist() for d in drawn]} for x, y in pairs
    }
    axes = {
        (x, y): {"xaxis.title.text": _axis(x, scale), "yaxis.title.text": _axis(y, scale)} for x, y in pairs
    }

    figure = go.Figure()
    for group, rows in groups.items():
        hovers = [_values(row, rated) for _, row in rows.iterrows()]
        _dots(figure, group, rows, hovers, size=6, opacity=0.55)
    for group, mean in zip(groups, means, strict=False):
        figure.add_scatter(
            mode="markers", legendgroup=group, showlegend=False,
            marker={"color": emotion_color(group), "size": 17, "symbol": _symbol(group),
                    "line": {"color": "white", "width": 2.5}},
            hovertemplate=f"mean of {draw.escape(group)}: {_values(mean.iloc[0], rated)}<extra></extra>",
        )  # fmt: skip
    buttons = [{"label": f"{y} over {x}", "args": [places[x, y], axes[x, y]]} for x, y in pairs]
    _lay_out(figure, f"Each dot an utterance{sampled}", buttons if len(buttons) > 1 else [])
    figure.plotly_update(places[pairs[0]], axes[pairs[0]])
    return figure


def predicted_plane(
    predictions: pd.DataFrame, utterances: pd.DataFrame | None = None, x: str = "valence", y: str = "arousal"
) -> go.Figure:
    """Each prediction a dot in the plane of two dimensions; buttons draw a line from each to the true value.

    ``predictions`` of one model and one seed. ``utterances`` gives words, speaker, emotion and
    ``attrs["scale"]`` where they are there; without it emotion and speaker are the predictions' own. A click
    on an emotion in the legend hides or shows it, its lines too. A box is the scale of the ratings, beyond
    which a prediction may lie. At most 3000 dots are drawn, chosen by chance. `customdata` of each dot begins
    with the utterance's id, for :func:`sernb.notebook.clickable`. Ids and words are data and are escaped.

    Raises SernbError for a dimension that is not predicted, for several models or seeds, and for a prediction
    of an utterance that is not in ``utterances``.
    """
    table, sampled = _sample(_described(predictions, utterances, (x, y)), 0)
    predicted = [name for name in DIMENSIONS if f"{name}_predicted" in table]
    groups = _by_emotion(table)
    figure = go.Figure()

    # Lines from prediction to truth with a ring at the truth, and a gap (NaN) after each; hidden at first.
    for group, rows in groups.items():
        known, color = rows.dropna(subset=[x, y]).assign(gap=np.nan), emotion_color(group)
        across, up = (known[[f"{name}_predicted", name, "gap"]].to_numpy().ravel() for name in (x, y))
        figure.add_scatter(
            x=across, y=up, mode="lines+markers", legendgroup=group, showlegend=False, hoverinfo="skip",
            opacity=0, line={"color": color, "width": 0.9}, name=f"{draw.escape(group)} truth",
            marker={"symbol": "circle-open", "color": color, "size": [0, 6, 0] * len(known)},
        )  # fmt: skip
    for group, rows in groups.items():
        hovers = ["<br>".join(_prediction(row, name) for name in predicted) for _, row in rows.iterrows()]
        places = {"x": rows[f"{x}_predicted"], "y": rows[f"{y}_predicted"]}
        _dots(
            figure, group, rows, hovers, **places, size=8, opacity=0.8, line={"color": "white", "width": 0.7}
        )

    # Opacity, not visibility: that belongs to the legend, and hidden emotions would come back.
    title, lines = f"Each dot a prediction{sampled}", list(range(len(groups)))
    ringed = f"{title}; the ring at a line's end is the truth"
    choices = (("dots alone", 0, title), ("lines to the truth", OPACITY, ringed))
    buttons = [
        {"label": k, "args": [{"opacity": opacity}, {"title.text": t}, lines]} for k, opacity, t in choices
    ]
    _lay_out(figure, title, buttons)

    scale = None if utterances is None else utterances.attrs.get("scale")
    figure.update_layout(
        xaxis_title_text=f"predicted {_axis(x, scale)}", yaxis_title_text=f"predicted {_axis(y, scale)}"
    )
    if scale is not None:
        low, high = scale
        figure.add_shape(type="rect", x0=low, x1=high, y0=low, y1=high, layer="below",
                         line={"color": FAINT, "width": 1.2, "dash": "dot"})  # fmt: skip
    return figure


def _described(predictions, utterances, dimensions):
    """The predictions, checked, with what the utterances know beside them."""
    table = check_predictions(predictions)
    table = one_model(table) if "model" in table else table
    absent = [name for name in dimensions if f"{name}_predicted" not in table]
    if absent:
        predicted = ", ".join(name for name in DIMENSIONS if f"{name}_predicted" in table) or "none"
        raise SernbError(f"{absent[0]!r} is not predicted; of the dimensions there are: {predicted}.")
    if "seed" in table and table["seed"].nunique(dropna=False) > 1:
        seeds = ", ".join(map(str, table["seed"].unique()))
        raise SernbError(
            f"this figure needs the predictions of one seed; the table has {seeds}. Choose one with "
            'predictions[predictions["seed"] == SEED].'
        )
    if utterances is None:
        return table
    unknown = table.index.difference(utterances.index.map(str))
    if len(unknown):
        raise SernbError(
            f"{len(unknown)} predictions are of no utterance of the table, the first is {unknown[0]!r}."
        )
    known = utterances.set_axis(utterances.index.map(str)).loc[table.index]
    columns = [column for column in ("emotion", "speaker", "text") if column in known]
    return table.assign(**{column: known[column].astype(object) for column in columns})


def _sample(table, seed):
    """At most `MOST` rows, and what to say of it in the title."""
    sampled = f", {MOST} of {len(table)} drawn by chance" if len(table) > MOST else ""
    return table.sample(min(MOST, len(table)), random_state=seed), sampled


def _by_emotion(table):
    """{emotion: rows}, in the order of the emotions."""
    labels = table["emotion"].astype(object) if "emotion" in table else pd.Series(UNLABELLED, table.index)
    labels = labels.where(labels.notna(), UNLABELLED).astype(str)
    return {name: table[labels == name] for name in in_order(labels.unique())}


def _noise(values, rng):
    """Up to half the smallest step between values, at random."""
    steps = np.diff(np.unique(values.dropna()))
    steps = steps[steps > 1e-6]
    return rng.uniform(-steps.min() / 2, steps.min() / 2, len(values)) if len(steps) else 0.0


def _dots(figure, group, rows, hovers, x=None, y=None, **marker):
    """The utterances of an emotion; pointing at one says id, emotion, speaker, words, and its line of
    `hovers`."""
    data = []
    for (name, row), values in zip(rows.iterrows(), hovers, strict=True):
        first = [f"<b>{draw.escape(name)}</b>"]
        first += [draw.escape(row["emotion"])] if pd.notna(row.get("emotion")) else []
        first += [f"speaker {draw.escape(row['speaker'])}"] if pd.notna(row.get("speaker")) else []
        text = shorten(str(row["text"]), LONGEST, placeholder=" …") if pd.notna(row.get("text")) else ""
        words = [draw.escape(line) for line in wrap(f"“{text}”", 60)] if text else []
        data.append([str(name), "<br>".join([" · ".join(first), *words, values])])
    figure.add_scatter(
        x=x, y=y, mode="markers", name=draw.escape(group), legendgroup=group, customdata=data,
        marker={"color": emotion_color(group), "symbol": _symbol(group), **marker},
        hovertemplate="%{customdata[1]}<extra></extra>",
    )  # fmt: skip


def _values(row, dimensions):
    return ", ".join(f"{name} {row[name]:.2f}" for name in dimensions if pd.notna(row[name]))


def _prediction(row, name):
    truth = f"true {row[name]:.2f}" if pd.notna(row[name]) else "no known truth"
    return f"{name} {row[f'{name}_predicted']:.2f}, {truth}"


def _symbol(group):
    return SYMBOLS[EMOTION_MARKERS.get(group, "o")]


def _axis(dimension, scale):
    """What an axis says: the dimension, with the ends of the scale where it is known."""
    return dimension if scale is None else f"{dimension} ({scale[0]:g} to {scale[1]:g})"


def _lay_out(figure, title, buttons):
    menu = {"type": "buttons", "direction": "right", "x": 0, "y": 1.11, "xanchor": "left"}
    buttons = [{"method": "update", **button} for button in buttons]
    draw.lay_out(
        figure, title, title_y=0.97, xaxis=draw.AXIS, yaxis=draw.AXIS,
        legend={"itemsizing": "constant", "title": {"text": "emotion"}},
        width=900, height=560, margin={"l": 60, "r": 20, "t": 100, "b": 50},
        updatemenus=[{**menu, "buttons": buttons}] if buttons else [],
    )  # fmt: skip
