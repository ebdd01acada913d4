"""Words and sound of one utterance: two streams, what their fusion looks at, where each word listens."""

import numpy as np
import plotly.graph_objects as go
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.font_manager import FontProperties
from matplotlib.patches import FancyBboxPatch
from matplotlib.textpath import text_to_path

from sernb.core.errors import SernbError
from sernb.features.text import words_of
from sernb.figures import drawing as draw
from sernb.figures.palette import FAINT, INK, SERIES_COLORS, SOUND, Picture
from sernb.figures.sound import RATE, draw_waveform

MOST = 60  # words that are drawn
LONGEST = 18  # characters of a word that are drawn
EXAMPLE = 0.96  # seconds of an example of VGGish: 96 frames of 10 ms
LOW, HIGH = 125.0, 7500.0  # Hz: the mel bands of VGGish
LINE, HEIGHT, GAP = 600.0, 34.0, 5.0  # points: how long a line of words is, how high, and between two boxes
DARKEST = 0.65  # of the colours of weights: the waveform must be seen
POINTS = 1000  # pieces of a waveform, each a lowest and a highest value: a page stays small
ROW, ABOVE = 19, 250  # pixels of an alignment: a word, and all that is not words


def streams(waveform: np.ndarray, examples: np.ndarray, words: list[str], title: str = "") -> Picture:
    """Both streams of one utterance: its words (tokens), its waveform, and the log-mel examples made of it.

    ``waveform`` `(samples,)` at 16 kHz, ``examples`` `(n, 96, 64)` log-mel: frames of 10 ms, bands from 125
    to 7500 Hz. What is grey in the waveform is in no example (a partial tail is dropped); an example beyond
    the recording holds silence. Raises SernbError for examples of another shape.
    """
    examples = draw.array_of(examples, ("n", 96, 64), "log-mel examples")
    lines = _lines(words)
    figure = Picture(height=4.6 + 0.42 * len(lines))
    top, middle, bottom = figure.subplots(3, 1, height_ratios=[0.42 * len(lines), 1.2, 1.9])

    # Words on top.
    _draw_words(top, lines)
    hidden = f", the first {MOST}" if len(words) > MOST else ""
    draw.tidy(top, f"Text stream: {len(words)} token{'s' * (len(words) != 1)}{hidden}")

    # The waveform, grey past the last example.
    used, length = EXAMPLE * len(examples), len(waveform) / RATE
    draw_waveform(middle, waveform, 1.35)
    draw.tidy(middle, f"Sound: {length:.2f} s at {RATE} Hz", "", "amplitude")
    if length > used + 0.005:
        middle.axvspan(used, length, color="#dddddd", zorder=0, linewidth=0)

    # The examples side by side, on a scale of frequencies.
    bands = examples.shape[2]
    extent = (0, used, 0, bands)
    image = bottom.imshow(examples.reshape(-1, bands).T, SOUND, origin="lower", aspect="auto", extent=extent,
                          interpolation="nearest")  # fmt: skip
    frequencies = np.array([125, 500, 1000, 2000, 4000, 7500])
    bottom.set_yticks(_band(frequencies, bands), [f"{f / 1000:g}" for f in frequencies])
    name = f"Audio stream: {len(examples)} example{'s' * (len(examples) != 1)} of {EXAMPLE} s"
    draw.tidy(bottom, name, "time (s)", "mel bands (kHz)")

    for border in EXAMPLE * np.arange(len(examples) + 1):
        middle.axvline(border, color=FAINT, linewidth=0.8)
        bottom.axvline(border, color="white", linewidth=1.5)
    for ax in (middle, bottom):
        ax.set_xlim(0, max(length, used))
    figure.colorbar(image, ax=[middle, bottom], label="log mel", pad=0.01, aspect=35)
    return draw.headline(figure, title or "Both streams of one utterance")


def fusion_attention(
    words: list[str], word_weights, seconds, audio_weights, waveform: np.ndarray, title: str = ""
) -> Picture:
    """Which word and which second the fusion looks at: shaded words over the waveform, shaded alike.

    All weights together are scaled to 100 %, one scale for both streams; the bar on top says which share the
    words have. Of more than 60 words the first 60 are drawn. Raises SernbError for numbers that do not fit
    together, and weights that are negative or all 0.

    Args:
        words, word_weights: the words, and a weight for each `(words,)`.
        seconds, audio_weights: where each 0.96 s example begins, and a weight for each `(examples,)`.
        waveform: `(samples,)` at 16 kHz.

    Raises:
        SernbError: numbers that do not fit together, or weights that are negative or all 0.
    """
    starts = np.asarray(seconds, float)
    text = _weights(word_weights, words, "words")
    audio = _weights(audio_weights, starts, "seconds")
    total = text.sum() + audio.sum()
    if not total > 0:
        raise SernbError("all attention weights are 0: there is nothing to show.")
    text, audio = 100 * text / total, 100 * audio / total
    largest = max(text.max(initial=0), audio.max(initial=0))
    shades = ScalarMappable(Normalize(0, largest / DARKEST), "Oranges")
    lines = _lines(words)
    figure = Picture(height=3.6 + 0.52 * len(lines))
    share, top, bottom = figure.subplots(3, 1, height_ratios=[0.28, 0.52 * len(lines), 1.8])

    # The shares of both streams, and the words.
    _shares(share, text.sum(), audio.sum())
    _draw_words(top, lines, text, shades)
    hidden = f"; {len(words) - MOST} more hold {text[MOST:].sum():.0f} %" if len(words) > MOST else ""
    draw.tidy(top, f"Words: % of all attention, the darker the more{hidden}")

    # The waveform over its examples, with their numbers where these fit.
    draw_waveform(bottom, waveform, 1.35)
    for start, weight in zip(starts, audio, strict=True):
        color = shades.to_rgba(weight)
        bottom.axvspan(start, start + EXAMPLE, color=color, zorder=0, linewidth=0)
        bottom.axvline(start, color="white", linewidth=1.5, zorder=1)
        if len(starts) <= 24:
            look = {"fontsize": 8.5 if len(starts) <= 12 else 6.5, "color": draw.ink_on(color)}
            at, coordinates = (start + EXAMPLE / 2, 0.97), ("data", "axes fraction")
            bottom.annotate(f"{weight:.1f}", at, xycoords=coordinates, va="top", ha="center", **look)
    name, end = f"by examples of {EXAMPLE} s", max([len(waveform) / RATE, *(starts + EXAMPLE)])
    draw.tidy(bottom, f"Sound: % of all attention, {name}", "time (s)", "amplitude", xlim=(0, end))
    return draw.headline(figure, title or "What the fusion looks at")


def alignment_of_words(ids, alignment, tokenizer) -> tuple[list[str], np.ndarray]:
    """The words that token ids stand for, and each word's row, the mean of its pieces' rows.

    ``ids`` `(tokens,)` with ``alignment`` `(tokens, states)`, as `MultiLevelLoss.alignments` gives it: first
    cut off padding (and [CLS], [SEP] that were not taught). Raises SernbError for numbers that differ.
    """
    rows = draw.array_of(alignment, (len(ids), "states"), f"a row for each of the {len(ids)} tokens")
    words, pieces = words_of(ids, np.ones(len(ids)), tokenizer)
    starts = np.cumsum([0, *pieces[:-1]]).astype(int)
    return words, np.add.reduceat(rows, starts) / pieces[:, None] if words else rows


def soft_alignment(
    alignment: np.ndarray, words: list[str], waveform: np.ndarray, step: float, title: str = ""
) -> go.Figure:
    """How much each word of the teacher listens to each moment, below the waveform (MCED: Li et al.,
    Interspeech 2022, Eq. 2); the dot is where it listens most.

    Pointing at a word's row says its share there, and marks the moment in the waveform. Of more than 60 words
    the first 60 are drawn. Raises SernbError where numbers do not fit, and rows do not add up to 1.

    Args:
        alignment, words: `(words, states)`, each row adding up to 1; as many words as rows.
        waveform: `(samples,)` at 16 kHz.
        step: seconds from one state to the next (a student's ``shape.stride`` times 0.01 s).
    """
    shares, edges, words, hidden = _checked(alignment, words, waveform, step)
    peaks = shares.argmax(1)
    figure = go.Figure()

    # The waveform, a row of colours a word, and dots where the words listen most.
    quiet = {"hoverinfo": "skip", "showlegend": False}
    seconds, line = _outline(waveform)
    figure.add_scatter(x=seconds, y=line, mode="lines", line={"color": SERIES_COLORS[0], "width": 1}, **quiet)
    for row, (word, share, peak) in enumerate(zip(words, shares, peaks, strict=True)):
        figure.add_heatmap(x=edges, y=[row - 0.48, row + 0.48], z=np.round(share[None], 3), yaxis="y2",
                           coloraxis="coloraxis",
                           # The word comes through meta, so that a %{...} in it is not filled in.
                           meta=[draw.escape(word), f"{peak * step:.2f} s ({share[peak]:.1f} %)"],
                           hovertemplate="<b>%{meta[0]}</b><br>at %{x:.2f} s: %{z:.1f} % of its listening<br>"
                           "listens most at %{meta[1]}<extra></extra>")  # fmt: skip
    dots = {"size": 8, "color": "white", "line": {"color": INK, "width": 1.5}}
    rows = np.arange(len(words))
    figure.add_scatter(x=peaks * step, y=rows, yaxis="y2", mode="markers", marker=dots, **quiet)

    # Axes: the waveform keeps its height, however many the words; a spike marks one moment in both.
    heat = ROW * len(words) / (ROW * len(words) + 120)
    bare = {"zeroline": False, "showgrid": False}
    spike = {"showspikes": True, "spikemode": "across", "spikesnap": "cursor", "spikethickness": 1,
             "spikedash": "solid", "spikecolor": SERIES_COLORS[1]}  # fmt: skip
    return draw.lay_out(
        figure, draw.escape((title or "Where each word listens") + hidden),
        xaxis={"range": [0, max(len(waveform) / RATE, edges[-1])], "title": {"text": "time (s)"},
               "anchor": "y2", **bare, **spike},
        yaxis={"domain": [heat + 0.03, 1], "title": {"text": "amplitude"}, "nticks": 3, "fixedrange": True,
               **bare},
        yaxis2={"domain": [0, heat], "range": [len(words) - 0.5, -0.5], "tickvals": rows, "fixedrange": True,
                "ticktext": [draw.escape(draw.short(word, LONGEST)) for word in words], **bare},
        coloraxis={"colorscale": SOUND.capitalize(), "cmin": 0, "cmax": float(shares.max()),
                   "colorbar": {"title": {"text": _scale(shares), "side": "right"}, "thickness": 14}},
        height=ABOVE + ROW * len(words), margin={"l": 110, "r": 20, "t": 50, "b": 50},
    )  # fmt: skip


def alignment_picture(
    alignment: np.ndarray, words: list[str], waveform: np.ndarray, step: float, title: str = ""
) -> Picture:
    """:func:`soft_alignment` as a still picture: the same waveform, colours and dots."""
    shares, edges, words, hidden = _checked(alignment, words, waveform, step)
    figure = Picture(height=2.2 + 0.2 * len(words))
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=[1.2, max(1.0, 0.2 * len(words))])
    top.plot(*_outline(waveform), color=SERIES_COLORS[0], linewidth=0.5)
    draw.tidy(top, "", "", "amplitude")
    top.tick_params(labelbottom=False)
    heights = np.arange(len(words) + 1) - 0.5
    mesh = bottom.pcolormesh(edges, heights, shares, cmap=SOUND, vmin=0, vmax=shares.max())
    dots = {"markersize": 6, "markerfacecolor": "white", "markeredgecolor": INK, "gid": "most"}
    bottom.plot(shares.argmax(1) * step, range(len(words)), "o", **dots)
    length = max(len(waveform) / RATE, edges[-1])
    draw.tidy(bottom, "", "time (s)", xlim=(0, length), ylim=(len(words) - 0.5, -0.5))
    bottom.set_yticks(range(len(words)), [draw.short(word, LONGEST) for word in words])
    figure.colorbar(mesh, ax=[top, bottom], label=_scale(shares).replace("<br>", "\n"), pad=0.01, aspect=35)
    return draw.headline(figure, (title or "Where each word listens") + hidden)


def _weights(weights, of, name):
    weights = draw.array_of(weights, (len(of),), f"a weight for each of the {len(of)} {name}")
    if (weights < 0).any():
        raise SernbError(f"the {name} must not have negative weights, as {weights.min():g} is.")
    return weights


def _lines(words):
    """The first `MOST` words broken into lines of `LINE` points: (number, word, left, width) each."""
    lines, left = [[]], 0.0
    for number, word in enumerate(map(str, words[:MOST])):
        word = draw.short(word, LONGEST)
        wide, *_ = text_to_path.get_text_width_height_descent(word, FontProperties(size=10), False)
        width = max(wide, 16.0) + 12
        if left + width > LINE and lines[-1]:
            lines, left = [*lines, []], 0.0
        lines[-1].append((number, word, left, width))
        left += width + GAP
    return lines


def _draw_words(ax, lines, weights=None, shades=None):
    """Boxes with words; with weights, shaded, and each with its weight below the word."""
    height = HEIGHT - GAP
    for row, line in enumerate(lines):
        y = -(row + 1) * HEIGHT + GAP
        for number, word, left, width in line:
            color = "#e8edf3" if weights is None else shades.to_rgba(weights[number])
            look = {"ha": "center", "va": "center", "color": INK if weights is None else draw.ink_on(color)}
            rounded = "round,pad=0,rounding_size=4"
            ax.add_patch(FancyBboxPatch((left, y), width, height, rounded, facecolor=color, linewidth=0))
            up = 0.5 if weights is None else 0.66
            ax.text(left + width / 2, y + up * height, word, fontsize=10, **look)
            if weights is not None:
                ax.text(left + width / 2, y + 0.22 * height, f"{weights[number]:.1f}", fontsize=7, **look)
    ax.set(xlim=(0, LINE), ylim=(-len(lines) * HEIGHT, GAP), xticks=[], yticks=[])
    ax.spines[:].set_visible(False)


def _shares(ax, words, sound):
    """One bar of 100 %; a part too narrow for its words has them in the other's part."""
    ax.barh(0, words, color=SERIES_COLORS[0])
    ax.barh(0, sound, left=words, color=SERIES_COLORS[1])
    look = {"va": "center", "color": "white", "fontsize": 9.5}
    for name, share, middle, inside, side in (
        ("words", words, words / 2, words + 1.5, "left"),
        ("sound", sound, words + sound / 2, 98.5 - sound, "right"),
    ):
        wide = share >= 12
        ax.text(middle if wide else inside, 0, f"{name} {share:.0f} %", ha="center" if wide else side, **look)
    ax.set_xlim(0, 100)
    ax.axis("off")


def _band(frequency, bands):
    """Where a frequency (Hz) lies among mel bands (HTK's scale); a band's middle is its number and a half."""
    low, high, mel = (2595 * np.log10(1 + np.asarray(f) / 700) for f in (LOW, HIGH, frequency))
    return np.clip((mel - low) / (high - low) * (bands + 1) - 0.5, 0, bands)


def _checked(alignment, words, waveform, step):
    """Shares in per cent (words, states), edges of the states (s), words, what the title says of others."""
    rows, words = np.asarray(alignment, float), [str(word) for word in words]
    if rows.ndim != 2 or len(rows) != len(words) or not rows.size:
        raise SernbError(f"expected a row for each of the {len(words)} words, got the shape {rows.shape}.")
    wrong = np.flatnonzero(~((rows >= 0).all(1) & (np.abs(rows.sum(1) - 1) < 0.01)))
    if len(wrong):
        word, total = words[wrong[0]], rows[wrong[0]].sum()
        raise SernbError(f"the word {word!r} adds up to {total:.3g}: give shares of 1, and cut padding off.")
    draw.array_of(waveform, ("samples",), "a waveform")
    if not 0 < step < np.inf:
        raise SernbError(f"step is {step}; give the seconds from one state to the next, above 0.")
    edges = step * (np.arange(rows.shape[1] + 1) - 0.5)
    hidden = f" (the first {MOST} of {len(words)} words)" if len(words) > MOST else ""
    return 100 * rows[:MOST], edges, words[:MOST], hidden


def _outline(waveform):
    """Seconds and values of a waveform: all of a short one, else lowest and highest value of each piece."""
    waveform = np.asarray(waveform, np.float32)
    if len(waveform) <= 2 * POINTS:
        return np.arange(len(waveform), dtype=np.float32) / RATE, waveform
    starts = np.linspace(0, len(waveform), POINTS, endpoint=False).astype(int)
    ends = np.stack([np.minimum.reduceat(waveform, starts), np.maximum.reduceat(waveform, starts)], 1)
    return np.repeat(starts / RATE, 2).astype(np.float32), ends.ravel()


def _scale(shares):
    return f"share of the word's listening (%)<br>even attention: {100 / shares.shape[1]:.2g} everywhere"
