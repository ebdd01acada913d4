"""The two streams of a model that reads and hears: an utterance's words, and its sound in examples of 0.96 s."""

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.patches import FancyBboxPatch
from matplotlib.textpath import TextPath

from sernb.core.errors import SernbError
from sernb.figures.palette import FAINT, INK, SERIES_COLORS, SOUND, Picture, plain, tidy

EXAMPLE = 0.96  # seconds: 96 frames of 10 ms
LOW, HIGH = 125.0, 7500.0  # Hz: the mel bands of VGGish
MOST = 60  # words that are drawn
LONGEST = 18  # characters of a word that are drawn
LINE, HEIGHT, GAP = 600.0, 34.0, 5.0  # points: how long a line of words is, how high, and between two boxes
WEIGHTS, DARKEST = "Oranges", 0.65  # not to its darkest: the waveform must be seen


def fusion_attention(
    words: list[str],
    word_weights: np.ndarray,
    seconds: np.ndarray,
    audio_weights: np.ndarray,
    waveform: np.ndarray,
    rate: int = 16000,
    title: str = "",
) -> Picture:
    """Which word and which second the fusion looks at: shaded words over the waveform, its examples shaded alike.

    ``words`` with ``word_weights`` (words,); ``seconds`` (examples,) where each 0.96 s example begins, with
    ``audio_weights`` (examples,); ``waveform`` (samples,) at ``rate`` Hz. All weights together are scaled to 100 %, one
    scale for both streams; the bar on top says which share the words have. Of more than 60 words the first 60 are drawn.
    Raises SernbError for numbers that do not fit together, and for weights that are negative or all 0.
    """
    words, starts = [str(word) for word in words], np.asarray(seconds, float)
    text, audio = (
        _weights(word_weights, words, "words"),
        _weights(audio_weights, starts, "seconds"),
    )
    total = text.sum() + audio.sum()
    if not total > 0:
        raise SernbError("all attention weights are 0: there is nothing to show.")
    text, audio = 100 * text / total, 100 * audio / total
    largest = max(text.max(initial=0), audio.max(initial=0))
    shades = ScalarMappable(Normalize(0, largest / DARKEST), WEIGHTS)
    lines = _lines(words[:MOST])
    figure = Picture(height=3.6 + 0.52 * len(lines))
    share, top, bottom = figure.subplots(3, 1, height_ratios=[0.28, 0.52 * len(lines), 1.8])
    _shares(share, {"words": text.sum(), "sound": audio.sum()})
    _draw_words(top, lines, text, shades)
    hidden = f"; {len(words) - MOST} more hold {text[MOST:].sum():.0f} %" if len(words) > MOST else ""
    tidy(top, f"Words: % of all attention, the darker the more{hidden}")
    end = _waveform(bottom, waveform, rate, starts)
    for start, weight in zip(starts, audio, strict=True):
        bottom.axvspan(start, start + EXAMPLE, color=shades.to_rgba(weight), zorder=0, linewidth=0)
        bottom.axvline(start, color="white", linewidth=1.5, zorder=1)
        if len(starts) <= 24:
            bottom.annotate(
                f"{weight:.1f}", (start + EXAMPLE / 2, 0.97), xycoords=("data", "axes fraction"), ha="center", va="top",
                fontsize=8.5 if len(starts) <= 12 else 6.5, color=_ink(shades.to_rgba(weight)),
            )  # fmt: skip
    tidy(bottom, f"Sound: % of all attention, by examples of {EXAMPLE} s", "time (s)", "amplitude")
    bottom.set_xlim(0, end)
    _headline(figure, title or "What the fusion looks at")
    return figure


def streams(
    waveform: np.ndarray, rate: int, examples: np.ndarray, words: list[str], title: str = ""
) -> Picture:
    """Both streams of one utterance: its words (tokens), its waveform, and the log-mel examples made of it.

    ``waveform`` (samples,) at ``rate`` Hz, ``examples`` (n, 96, 64) log-mel: 96 frames of 10 ms, 64 bands from 125 to
    7500 Hz; their borders are drawn. What is grey in the waveform is in no example (a partial tail is dropped); an
    example that reaches beyond the recording holds silence. Raises SernbError for examples of another shape.
    """
    examples = np.asarray(examples)
    if examples.ndim != 3 or not len(examples):
        raise SernbError(
            f"expected examples (n, 96, 64) with n of at least 1, got the shape {examples.shape}."
        )
    words = [str(word) for word in words]
    lines = _lines(words[:MOST])
    figure = Picture(height=4.6 + 0.42 * len(lines))
    top, middle, bottom = figure.subplots(3, 1, height_ratios=[0.42 * len(lines), 1.2, 1.9])
    _draw_words(top, lines, None, None)
    hidden = f", the first {MOST}" if len(words) > MOST else ""
    tidy(top, f"Text stream: {_number(len(words), 'token')}{hidden}")
    starts = EXAMPLE * np.arange(len(examples))
    end = _waveform(middle, waveform, rate, starts)
    tidy(middle, f"Sound: {len(waveform) / rate:.2f} s at {rate} Hz", "", "amplitude")
    used = EXAMPLE * len(examples)
    if len(waveform) / rate > used + 0.005:
        middle.axvspan(used, len(waveform) / rate, color="#dddddd", zorder=0, linewidth=0)
    image = bottom.imshow(
        examples.reshape(-1, examples.shape[2]).T, origin="lower", aspect="auto", cmap=SOUND, interpolation="nearest",
        extent=(0, used, 0, examples.shape[2]),
    )  # fmt: skip
    frequencies = np.array([125, 500, 1000, 2000, 4000, 7500])
    bottom.set_yticks(_band(frequencies, examples.shape[2]), [f"{f / 1000:g}" for f in frequencies])
    tidy(
        bottom, f"Audio stream: {_number(len(examples), 'example')} of {EXAMPLE} s", "time (s)", "mel bands (kHz)"
    )  # fmt: skip
    for ax in (middle, bottom):
        for border in [*starts, used]:
            ax.axvline(
                border, color="white" if ax is bottom else FAINT, linewidth=1.5 if ax is bottom else 0.8
            )
        ax.set_xlim(0, end)
    figure.colorbar(image, ax=[middle, bottom], label="log mel", pad=0.01, aspect=35)
    _headline(figure, title or "Both streams of one utterance")
    return figure


def _weights(weights, of, name):
    weights = np.asarray(weights, float)
    if weights.shape != (len(of),):
        raise SernbError(
            f"expected a weight for each of the {len(of)} {name}, got the shape {weights.shape}."
        )
    if not np.isfinite(weights).all() or (weights < 0).any():
        raise SernbError(f"the weights of the {name} must be finite and not negative.")
    return weights


def _lines(words):
    """Words broken into lines of `LINE` points: (number, word, left, width) each."""
    lines, left = [[]], 0.0
    for number, word in enumerate(words):
        word = plain(word if len(word) <= LONGEST else word[: LONGEST - 1] + "…")
        path = TextPath((0, 0), word, size=10) if word.strip() else None
        width = max(path.get_extents().width if path is not None and len(path.vertices) else 0.0, 16.0) + 12
        if left + width > LINE and lines[-1]:
            lines, left = [*lines, []], 0.0
        lines[-1].append((number, word, left, width))
        left += width + GAP
    return lines


def _draw_words(ax, lines, weights, shades):
    """Boxes with words; with weights, shaded, and each with its weight below the word."""
    for row, line in enumerate(lines):
        for number, word, left, width in line:
            y = -(row + 1) * HEIGHT + GAP
            color = "#e8edf3" if weights is None else shades.to_rgba(weights[number])
            box = FancyBboxPatch(
                (left, y),
                width,
                HEIGHT - GAP,
                boxstyle="round,pad=0,rounding_size=4",
                facecolor=color,
                linewidth=0,
            )
            ax.add_patch(box)
            middle, ink = left + width / 2, _ink(color) if weights is not None else INK
            up = 0.5 if weights is None else 0.66
            ax.text(middle, y + up * (HEIGHT - GAP), word, ha="center", va="center", fontsize=10, color=ink)
            if weights is not None:
                ax.text(
                    middle, y + 0.22 * (HEIGHT - GAP), f"{weights[number]:.1f}", ha="center", va="center", fontsize=7,
                    color=ink,
                )  # fmt: skip
    ax.set_xlim(0, LINE)
    ax.set_ylim(-len(lines) * HEIGHT, GAP)
    ax.set_xticks([])
    ax.set_yticks([])
    ax.spines[:].set_visible(False)


def _shares(ax, shares):
    left = 0.0
    for (name, share), color in zip(shares.items(), SERIES_COLORS, strict=False):
        ax.barh(0, share, left=left, color=color)
        label = f"{name} {share:.0f} %"
        if share >= 12:
            ax.text(left + share / 2, 0, label, ha="center", va="center", color="white", fontsize=9.5)
        else:  # too narrow for its words: they stand in the other's part
            right = left > 0
            ax.text(98.5 - share if right else share + 1.5, 0, label, ha="right" if right else "left", va="center",
                    color="white", fontsize=9.5)  # fmt: skip
        left += share
    ax.set_xlim(0, 100)
    ax.axis("off")


def _waveform(ax, waveform, rate, starts):
    """Draw it; returns where the axis ends, in seconds."""
    waveform = np.asarray(waveform)
    ax.plot(np.arange(len(waveform)) / rate, waveform, color="#1f4e79", linewidth=0.5)
    largest = max(float(np.abs(waveform).max(initial=0)), 1e-3)
    ax.set_ylim(-1.35 * largest, 1.35 * largest)  # room for numbers above
    return max([len(waveform) / rate, *(np.asarray(starts) + EXAMPLE)])


def _band(frequency, bands):
    """Where a frequency (Hz) lies among mel bands (HTK's scale); a band's middle is at its number and a half."""
    low, high, mel = (2595 * np.log10(1 + np.asarray(f) / 700) for f in (LOW, HIGH, frequency))
    return np.clip((mel - low) / (high - low) * (bands + 1) - 0.5, 0, bands)


def _ink(color):
    """Black or white, whichever can be read on this colour."""
    return "white" if np.dot(color[:3], [0.299, 0.587, 0.114]) < 0.55 else INK


def _number(count, what):
    return f"{count} {what}{'' if count == 1 else 's'}"


def _headline(figure, title):
    figure.suptitle(plain(title), x=0.01, ha="left", fontsize=11, fontweight="bold", color=INK)
