"""The plane of two emotional dimensions, to point at: each utterance a dot that says its words."""

import html
import textwrap

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from sernb.core.errors import SernbError
from sernb.core.tables import DIMENSIONS, in_order
from sernb.figures.palette import EMOTION_MARKERS, INK, OWN_COLOR, emotion_color

LONGEST = 110  # characters of a transcript that a hover shows
MOST = 3000  # dots: more make a page heavy, and hide each other
SYMBOLS = {"o": "circle", "s": "square", "D": "diamond", "^": "triangle-up", "v": "triangle-down", "P": "cross",
           "X": "x", "*": "star", "h": "hexagon"}  # fmt: skip
UNLABELLED = "no label"


def affect_plane(
    utterances: pd.DataFrame,
    x: str = "valence",
    y: str = "arousal",
    jitter: float | None = None,
    seed: int = 0,
) -> go.Figure:
    """Every utterance in the plane of two dimensions, coloured by emotion; pointing at one shows its id, words, speaker
    and ratings. A click on an emotion in the legend hides or shows it; buttons choose another pair of dimensions.

    At most `MOST` dots are drawn, chosen by `seed`. Mean ratings fall on few values, so dots are moved at random by up to `jitter` (None: half the smallest step that
    occurs; 0: not at all); the hover tells the true values. A large mark is the mean of an emotion. `customdata` of
    each dot begins with the utterance's id. Ids and words are data and are escaped.
    Raises SernbError where a dimension is absent.
    """
    for dimension in (x, y):
        if dimension not in utterances:
            there = [one for one in DIMENSIONS if one in utterances]
            raise SernbError(
                f"no column {dimension!r}; of the dimensions there are: {', '.join(there) or 'none'}."
            )
    there = [one for one in DIMENSIONS if one in utterances and utterances[one].notna().any()]
    table = utterances.dropna(subset=[x, y])
    of = len(table)
    table = table.sample(min(MOST, of), random_state=seed)
    labels = table["emotion"].astype(object) if "emotion" in table else pd.Series(UNLABELLED, table.index)
    labels = labels.where(labels.notna(), UNLABELLED).astype(str)
    rng = np.random.default_rng(seed)
    shown = {one: table[one] + _noise(table[one], jitter, rng) for one in there}
    figure, groups = go.Figure(), in_order(labels.unique())
    for group in groups:
        rows = table[labels == group]
        figure.add_scatter(
            x=shown[x][rows.index], y=shown[y][rows.index], mode="markers", name=escape(group), legendgroup=group,
            marker={"color": emotion_color(group), "size": 6, "opacity": 0.55, "symbol": symbol(group)},
            customdata=[[str(name), hover(name, row, _values(row, there))] for name, row in rows.iterrows()],
            hovertemplate="%{customdata[1]}<extra></extra>",
        )  # fmt: skip
    for group in groups if len(groups) > 1 else []:
        mean = table.loc[labels == group, there].mean()
        figure.add_scatter(
            x=[mean[x]], y=[mean[y]], mode="markers", legendgroup=group, showlegend=False,
            marker={"color": emotion_color(group), "size": 17, "symbol": symbol(group),
                    "line": {"color": "white", "width": 2.5}},
            hovertemplate=f"mean of {escape(group)}: {_values(mean, there)}<extra></extra>",
        )  # fmt: skip
    some = f", {len(table)} of {of} drawn by chance" if len(table) < of else ""
    layout(figure, x, y, utterances.attrs.get("scale"), f"Each dot an utterance{some}")
    _buttons(figure, table, labels, groups, shown, there, (x, y))
    return figure


def layout(figure, x, y, scale, title):
    """Titles, axes (with the ends of the scale, where it is known), legend and colours of a plane."""
    ends = "" if scale is None else f" ({scale[0]:g} to {scale[1]:g})"
    figure.update_layout(
        title={"text": title, "x": 0.02, "y": 0.97, "font": {"size": 15}},
        xaxis={"title": {"text": f"{x}{ends}"}, "gridcolor": "#e4e4e4", "zeroline": False},
        yaxis={"title": {"text": f"{y}{ends}"}, "gridcolor": "#e4e4e4", "zeroline": False},
        legend={"itemsizing": "constant", "title": {"text": "emotion"}},
        width=900, height=560, margin={"l": 60, "r": 20, "t": 100, "b": 50}, plot_bgcolor="white",
        font={"color": INK}, hoverlabel={"align": "left", "bgcolor": "white"}, hovermode="closest",
    )  # fmt: skip


def _buttons(figure, table, labels, groups, shown, there, first):
    """Buttons for every pair of the dimensions, where there are three."""
    pairs = [
        first,
        *(pair for pair in (("valence", "dominance"), ("dominance", "arousal")) if set(pair) <= set(there)),
    ]
    if len(pairs) < 2:
        return
    buttons = []
    for x, y in pairs:
        dots = [(shown[x][labels == group], shown[y][labels == group]) for group in groups]
        means = [([table.loc[labels == g, x].mean()], [table.loc[labels == g, y].mean()]) for g in groups]
        both = [*dots, *(means if len(groups) > 1 else [])]
        data = {"x": [one.tolist() if hasattr(one, "tolist") else one for one, _ in both]}
        data["y"] = [one.tolist() if hasattr(one, "tolist") else one for _, one in both]
        titles = {}
        for axis, dimension in (("xaxis", x), ("yaxis", y)):
            text = figure.layout[axis].title.text
            titles[f"{axis}.title.text"] = dimension + (text[text.index(" (") :] if " (" in text else "")
        buttons.append({"label": f"{y} over {x}", "method": "update", "args": [data, titles]})
    menu = {"type": "buttons", "direction": "right", "x": 0, "y": 1.11, "xanchor": "left", "buttons": buttons}
    figure.update_layout(updatemenus=[{**menu, "showactive": True}])


def _noise(values, jitter, rng):
    if jitter is None:
        steps = np.diff(np.unique(values.dropna()))
        jitter = steps[steps > 1e-6].min() / 2 if (steps > 1e-6).any() else 0.0
    return rng.uniform(-jitter, jitter, len(values)) if jitter else 0.0


def hover(name, row, values):
    """What pointing at a dot says: id, emotion, speaker, words, and its values."""
    first = [f"<b>{escape(name)}</b>"]
    first += [escape(row["emotion"])] if pd.notna(row.get("emotion")) else []
    first += [f"speaker {escape(row['speaker'])}"] if pd.notna(row.get("speaker")) else []
    text = textwrap.shorten(str(row["text"]), LONGEST, placeholder=" …") if pd.notna(row.get("text")) else ""
    words = [escape(line) for line in textwrap.wrap(f"“{text}”", 60)] if text else []
    return "<br>".join([" · ".join(first), *words, values])


def _values(row, there):
    return ", ".join(f"{one} {row[one]:.2f}" for one in there if pd.notna(row[one]))


def symbol(group):
    return SYMBOLS[EMOTION_MARKERS.get(group, "o")] if emotion_color(group) != OWN_COLOR else "circle"


def escape(text):
    """For plotly, which knows &amp; &lt; &gt; but would show &quot; as it stands."""
    return html.escape(str(text), quote=False)
