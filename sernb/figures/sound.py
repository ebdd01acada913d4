"""A waveform and its spectrogram, in seconds and kilohertz."""

import numpy as np
from matplotlib.ticker import MaxNLocator

from sernb.figures.palette import INK, SOUND, Picture, plain, tidy

# The paper's front end (2.1): 40 ms windows every 10 ms, a DFT of 1600 points at 16 kHz.
HOP, WINDOW, BIN = 0.010, 0.040, 10.0


def spectrogram(
    values: np.ndarray,
    hop: float = HOP,
    window: float = WINDOW,
    bin_width: float = BIN,
    unit: str = "level",
    title: str = "",
) -> Picture:
    """A spectrogram, shape (bins, frames), low frequencies first; ``hop`` and ``window`` in seconds,
    ``bin_width`` in Hz.

    ``unit`` names what the colours mean ("dB", "mu-law of magnitude" …).
    """
    figure = Picture(height=3.4)
    ax = figure.subplots()
    image = draw(ax, values, hop, window, bin_width)
    tidy(ax, plain(title or "Spectrogram"), "time (s)", "frequency (kHz)")
    figure.colorbar(image, ax=ax, label=plain(unit), pad=0.01)
    return figure


def sound(
    waveform: np.ndarray,
    values: np.ndarray,
    rate: int = 16000,
    hop: float = HOP,
    window: float = WINDOW,
    bin_width: float = BIN,
    unit: str = "level",
    title: str = "",
) -> Picture:
    """The waveform, shape (samples,) at ``rate`` Hz, over its spectrogram, shape (bins, frames), on one
    time axis.
    """
    figure = Picture(height=4.6)
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=[1, 2.2])
    seconds = np.arange(len(waveform)) / rate
    top.plot(seconds, waveform, color="#1f4e79", linewidth=0.5)
    top.axhline(0, color="#cccccc", linewidth=0.6, zorder=0)
    largest = max(float(np.abs(waveform).max(initial=0)), 1e-3)
    top.set_ylim(-1.08 * largest, 1.08 * largest)
    tidy(top, plain(title or "Waveform and spectrogram"), "", "amplitude")
    top.tick_params(labelbottom=False)
    image = draw(bottom, values, hop, window, bin_width)
    tidy(bottom, "", "time (s)", "frequency (kHz)")
    bottom.set_xlim(0, max(seconds[-1] if len(seconds) else 0, extent(values, hop, window, bin_width)[1]))
    figure.colorbar(image, ax=[top, bottom], label=plain(unit), pad=0.01, aspect=35)
    return figure


def spectrograms(
    panels: dict[str, np.ndarray],
    hop: float = HOP,
    window: float = WINDOW,
    bin_width: float = BIN,
    columns: int = 2,
    title: str = "",
) -> Picture:
    """Several spectrograms, {caption: (bins, frames)}, on axes that they share; each in its own range of colours."""
    rows = -(-len(panels) // columns)
    figure = Picture(height=0.8 + 2.1 * rows)
    axes = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True).ravel()
    for ax, (caption, values) in zip(axes, panels.items(), strict=False):
        draw(ax, values, hop, window, bin_width)
        ax.set_title(plain(caption), loc="left", fontsize=9.5, color=INK)
    longest = max(extent(values, hop, window, bin_width)[1] for values in panels.values())
    axes[0].set_xlim(0, longest)
    for number, ax in enumerate(axes):
        if number >= len(panels):
            ax.remove()
            continue
        if number % columns == 0:
            ax.set_ylabel("kHz", fontsize=9)
        if number + columns >= len(panels):
            ax.set_xlabel("time (s)", fontsize=9)
            ax.tick_params(labelbottom=True)
        ax.set_facecolor("#f4f4f4")  # past the end of a shorter one
    figure.suptitle(
        plain(title or "Spectrograms"), x=0.01, ha="left", fontsize=11, fontweight="bold", color=INK
    )
    return figure


def extent(values, hop, window, bin_width):
    """Where the array lies in (s, s, kHz, kHz): a frame stands at the middle of its window, a bin around
    its frequency.
    """
    bins, frames = values.shape
    left = (window - hop) / 2
    return left, left + frames * hop, -bin_width / 2000, (bins - 0.5) * bin_width / 1000


def draw(ax, values, hop, window, bin_width, cmap=SOUND, **options):
    image = ax.imshow(
        values, origin="lower", aspect="auto", extent=extent(values, hop, window, bin_width), cmap=cmap,
        interpolation="nearest", **options,
    )  # fmt: skip
    ax.set_ylim(0, values.shape[0] * bin_width / 1000)
    ax.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    ax.tick_params(colors=INK)
    return image
