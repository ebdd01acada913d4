"""Where each word of a teacher listens: the soft alignment of MCED as words × time, under the waveform.

R. Li, J. Zhao, Q. Jin, "Speech Emotion Recognition via Multi-Level Cross-Modal Distillation", Interspeech 2022, Eq. 2.
"""

import html

import numpy as np
import plotly.graph_objects as go

from sernb.core.errors import SernbError
from sernb.features.text import words_of
from sernb.figures.palette import INK, SERIES_COLORS, SOUND, Picture, headline, plain, tidy

MOST = 60  # words that are drawn
LONGEST = 18  # characters of a word that are drawn
POINTS = 1000  # pieces of the waveform, each a lowest and a highest value: a page stays small
ROW, ABOVE = 19, 250  # pixels: a word, and all that is not words


def alignment_of_words(ids, alignment, tokenizer) -> tuple[list[str], np.ndarray]:
    """The words that token ids stand for, pieces put together again, and each word's row, the mean of its pieces' rows.

    ``ids`` (tokens,) with ``alignment`` (tokens, states), as `MultiLevelLoss.alignments` gives it: cut padding off
    both before, and [CLS] and [SEP] where they were not taught. Rows that add up to 1 still do. Raises SernbError for
    numbers of tokens that differ.
    """
    rows = np.asarray(alignment, float)
    if rows.ndim != 2 or len(rows) != len(ids):
        raise SernbError(f"expected a row for each of the {len(ids)} tokens, got the shape {rows.shape}.")
    words, pieces = words_of(ids, np.ones(len(ids)), tokenizer)
    starts = np.cumsum([0, *pieces[:-1]]).astype(int)
    return words, np.add.reduceat(rows, starts) / pieces[:, None] if words else rows


def soft_alignment(
    alignment: np.ndarray,
    words: list[str],
    waveform: np.ndarray,
    step: float,
    rate: int = 16000,
    title: str = "",
) -> go.Figure:
    """The waveform, and below it on the same axis of seconds how much each word listens to each moment.

    ``alignment`` (words, states), each row adding up to 1; ``waveform`` (samples,) at ``rate`` Hz; ``step``: seconds
    from one state to the next (a student's ``shape.stride`` times 0.01 s); state t stands at t · step. Pointing at a
    word's row names the word, its share there, and where it listens most (the dot); a thin line marks the same moment
    in the waveform. All words share one scale of colours. Of more than 60 words the first 60 are drawn. Words are data
    and are escaped.

    Raises SernbError for numbers that do not fit together, and for rows that do not add up to 1.
    """
    shares, words, hidden = _checked(alignment, words, waveform, step)
    edges, peaks = _edges(shares, step), shares.argmax(1)
    figure = go.Figure()
    seconds, line = _outline(waveform, rate)
    figure.add_scatter(
        x=seconds, y=line, mode="lines", hoverinfo="skip", showlegend=False,
        line={"color": SERIES_COLORS[0], "width": 1},
    )  # fmt: skip
    for row, (word, share, peak) in enumerate(zip(words, shares, peaks, strict=True)):
        figure.add_heatmap(
            x=edges, y=[row - 0.48, row + 0.48], z=np.round(share[None], 3), yaxis="y2", coloraxis="coloraxis",
            # The word comes through meta, so that a %{...} in it is not filled in.
            meta=[_escape(word), f"{peak * step:.2f} s ({share[peak]:.1f} %)"],
            hovertemplate="<b>%{meta[0]}</b><br>at %{x:.2f} s: %{z:.1f} % of its listening<br>"
            "listens most at %{meta[1]}<extra></extra>",
        )  # fmt: skip
    figure.add_scatter(
        x=peaks * step, y=np.arange(len(words)), yaxis="y2", mode="markers", hoverinfo="skip", showlegend=False,
        marker={"size": 8, "color": "white", "line": {"color": INK, "width": 1.5}},
    )  # fmt: skip
    end = max(len(waveform) / rate, edges[-1])
    heat = ROW * len(words) / (ROW * len(words) + 120)  # the waveform keeps its height
    fixed = {"fixedrange": True, "zeroline": False, "showgrid": False}
    figure.update_layout(
        title={"text": _escape((title or "Where each word listens") + hidden), "x": 0.02, "font": {"size": 15}},
        xaxis={"range": [0, end], "title": {"text": "time (s)"}, "anchor": "y2", "zeroline": False, "showgrid": False,
               "showspikes": True, "spikemode": "across", "spikesnap": "cursor", "spikethickness": 1,
               "spikedash": "solid", "spikecolor": SERIES_COLORS[1]},
        yaxis={"domain": [heat + 0.03, 1], "title": {"text": "amplitude"}, "nticks": 3, **fixed},
        yaxis2={"domain": [0, heat], "range": [len(words) - 0.5, -0.5], "tickvals": list(range(len(words))),
                "ticktext": [_escape(_short(word)) for word in words], **fixed},
        coloraxis={"colorscale": SOUND.capitalize(), "cmin": 0, "cmax": float(shares.max()),
                   "colorbar": {"title": {"text": _scale(shares), "side": "right"}, "thickness": 14}},
        height=ABOVE + ROW * len(words), margin={"l": 110, "r": 20, "t": 50, "b": 50}, plot_bgcolor="white",
        font={"color": INK}, hovermode="closest", hoverlabel={"align": "left", "bgcolor": "white"},
    )  # fmt: skip
    return figure


def alignment_picture(
    alignment: np.ndarray,
    words: list[str],
    waveform: np.ndarray,
    step: float,
    rate: int = 16000,
    title: str = "",
) -> Picture:
    """`soft_alignment` as a still picture: the same waveform, colours and dots."""
    shares, words, hidden = _checked(alignment, words, waveform, step)
    edges = _edges(shares, step)
    figure = Picture(height=2.2 + 0.2 * len(words))
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=[1.2, max(1.0, 0.2 * len(words))])
    top.plot(*_outline(waveform, rate), color=SERIES_COLORS[0], linewidth=0.5)
    tidy(top, "", "", "amplitude")
    top.tick_params(labelbottom=False)
    mesh = bottom.pcolormesh(
        edges, np.arange(len(words) + 1) - 0.5, shares, cmap=SOUND, vmin=0, vmax=shares.max()
    )
    bottom.plot(shares.argmax(1) * step, range(len(words)), "o", markersize=6, markerfacecolor="white",
                markeredgecolor=INK, gid="most")  # fmt: skip
    tidy(bottom, "", "time (s)")
    bottom.set_yticks(range(len(words)), [plain(_short(word)) for word in words])
    bottom.set_ylim(len(words) - 0.5, -0.5)
    bottom.set_xlim(0, max(len(waveform) / rate, edges[-1]))
    figure.colorbar(mesh, ax=[top, bottom], label=_scale(shares).replace("<br>", "\n"), pad=0.01, aspect=35)
    headline(figure, (title or "Where each word listens") + hidden)
    return figure


def _checked(alignment, words, waveform, step):
    """Shares in per cent (words, states), the words, and what to add to the title where some are not drawn."""
    rows, words, waveform = np.asarray(alignment, float), [str(word) for word in words], np.asarray(waveform)
    if rows.ndim != 2 or len(rows) != len(words) or not rows.size:
        raise SernbError(
            f"expected an alignment (words, states) with a row for each of the {len(words)} words, got the shape {rows.shape}."
        )
    wrong = np.flatnonzero(~((rows >= 0).all(1) & (np.abs(rows.sum(1) - 1) < 0.01)))
    if len(wrong):
        raise SernbError(
            f"the row of the word {words[wrong[0]]!r} adds up to {rows[wrong[0]].sum():.3g}: give shares, none negative and "
            "together 1, and cut padding off."
        )
    if waveform.ndim != 1 or not len(waveform) or not np.isfinite(waveform).all():
        raise SernbError(f"expected a waveform (samples,) of finite numbers, got the shape {waveform.shape}.")
    if not 0 < step < np.inf:
        raise SernbError(f"step is {step}; give the seconds from one state to the next, above 0.")
    hidden = f" (the first {MOST} of {len(words)} words)" if len(words) > MOST else ""
    return 100 * rows[:MOST], words[:MOST], hidden


def _edges(shares, step):
    return step * (np.arange(shares.shape[1] + 1) - 0.5)


def _outline(waveform, rate):
    """Seconds and values of a waveform: all of a short one, else the lowest and the highest value of each piece."""
    waveform = np.asarray(waveform, np.float32)
    if len(waveform) <= 2 * POINTS:
        return np.arange(len(waveform), dtype=np.float32) / rate, waveform
    starts = np.linspace(0, len(waveform), POINTS, endpoint=False).astype(int)
    ends = np.stack([np.minimum.reduceat(waveform, starts), np.maximum.reduceat(waveform, starts)], 1)
    return np.repeat(starts / rate, 2).astype(np.float32), ends.ravel()


def _scale(shares):
    return f"share of the word's listening (%)<br>even attention: {100 / shares.shape[1]:.2g} everywhere"


def _short(text):
    text = " ".join(text.split())
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _escape(text):
    """For plotly, which knows &amp; &lt; &gt; but would show &quot; as it stands."""
    return html.escape(str(text), quote=False)
