"""Confusion matrices: one to print, one to point at."""

import html

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import seaborn as sns

from sernb.evaluation import confusion, scores
from sernb.figures.palette import INK, Picture, plain, tidy

LONGEST = 70  # characters of a transcript that a hover shows


def confusion_matrix(predictions: pd.DataFrame, title: str | None = None) -> Picture:
    """Confusion matrix of one model: the count in each cell, and its share of the true class (row, %) as
    colour and text.

    The title, where none is given, holds model, UAR and WA. Raises SernbError where several models stand
    in the table.
    """
    counts = confusion(predictions)
    share = _row_share(counts)
    figure = Picture(height=min(1.6 + 0.72 * len(counts), 8.5), width=min(3.4 + 0.95 * len(counts), 9))
    ax = figure.subplots()
    sns.heatmap(
        share, ax=ax, vmin=0, vmax=100, cmap="Blues", square=False, linewidths=1, annot=_cell_texts(counts), fmt="",
        annot_kws={"fontsize": 9}, cbar_kws={"label": "share of the true emotion (%)"},
    )  # fmt: skip
    tidy(ax, plain(title or _title(predictions)), "predicted emotion", "true emotion (utterances)")
    ax.set_xticklabels([plain(c) for c in counts.columns], rotation=30 if len(counts) > 5 else 0)
    ax.set_yticklabels([plain(f"{c} ({n})") for c, n in counts.sum(axis=1).items()], rotation=0)
    ax.tick_params(length=0)
    return figure


def confusion_explorer(
    predictions: pd.DataFrame, utterances: pd.DataFrame | None = None, examples: int = 5
) -> go.Figure:
    """The same matrix to point at: a cell's hover lists its count and the first ``examples`` utterance
    ids.

    With an ``utterances`` table that has ``text``, the words stand beside the ids. Ids and words are data
    and are escaped.
    """
    counts = confusion(predictions)
    share = _row_share(counts)
    table = predictions.set_index("utterance") if "utterance" in predictions else predictions
    cells = table.groupby([table["emotion"].astype(str), table["predicted"].astype(str)])
    ids = {cell: list(dict.fromkeys(rows.index.astype(str))) for cell, rows in cells}
    words = utterances["text"].dropna() if utterances is not None and "text" in utterances else {}
    hover = [[_hover(t, p, counts.loc[t, p], share.loc[t, p], ids.get((t, p), []), words, examples)
              for p in counts.columns] for t in counts.index]  # fmt: skip
    labels = [_escape(c) for c in counts.columns]
    figure = go.Figure(
        go.Heatmap(
            z=share.to_numpy(), x=labels, y=labels, zmin=0, zmax=100, colorscale="Blues", xgap=1, ygap=1,
            text=[[cell.replace("\n", "<br>") for cell in row] for row in _cell_texts(counts)],
            texttemplate="%{text}", customdata=hover, hovertemplate="%{customdata}<extra></extra>",
            colorbar={"title": {"text": "share of the<br>true emotion (%)"}, "thickness": 14},
        )
    )  # fmt: skip
    figure.update_layout(
        title={"text": _escape(_title(predictions)), "x": 0.02},
        xaxis={"title": "predicted emotion", "type": "category"},
        yaxis={"title": "true emotion", "type": "category", "autorange": "reversed"},
        width=900,
        height=170 + 58 * len(counts),
        margin={"l": 90, "r": 20, "t": 60, "b": 60},
        plot_bgcolor="white",
        font={"color": INK},
        hoverlabel={"align": "left", "bgcolor": "white"},
    )
    return figure


def _row_share(counts):
    """Per cent of each row; 0 in a row without utterances."""
    return counts.div(counts.sum(axis=1).replace(0, np.nan), axis=0).mul(100).fillna(0)


def _cell_texts(counts):
    share = _row_share(counts)
    return np.array([[f"{n}\n{p:.0f} %" for n, p in zip(*pair, strict=True)]
                     for pair in zip(counts.to_numpy(), share.to_numpy(), strict=True)])  # fmt: skip


def _title(predictions):
    row = scores(predictions).iloc[0]
    seeds = predictions["seed"].nunique() if "seed" in predictions else 1
    pooled = f", counts of {seeds} seeds" if seeds > 1 else ""
    return f"{predictions['model'].iloc[0]}: UAR {100 * row['UAR']:.1f} %, WA {100 * row['WA']:.1f} %{pooled}"


def _hover(truth, said, count, share, ids, words, examples):
    lines = [
        f"<b>{_escape(truth)}</b> heard as <b>{_escape(said)}</b>",
        f"{count} ({share:.0f} % of {_escape(truth)})",
    ]
    for name in ids[:examples]:
        text = " ".join(str(words[name]).split()) if name in words else ""
        text = text[: LONGEST - 1] + "…" if len(text) > LONGEST else text
        lines.append(f"· {_escape(name)}" + (f" “{_escape(text)}”" if text else ""))
    if len(ids) > examples:
        lines.append(f"… and {len(ids) - examples} more")
    return "<br>".join(lines)


def _escape(text):
    """For plotly, which knows &amp; &lt; &gt; but would show &quot; as it stands."""
    return html.escape(str(text), quote=False)
