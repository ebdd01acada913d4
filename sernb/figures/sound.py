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
