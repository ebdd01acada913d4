"""Pictures of sound in seconds and kilohertz: spectrograms, what a model looks at in them, frames against
frames."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.ticker import MaxNLocator
from scipy.ndimage import zoom

from sernb.core.errors import SernbError
from sernb.figures import drawing as draw
from sernb.figures.palette import AGAINST_FOR, INK, SERIES_COLORS, SOUND, Picture, emotion_color

if TYPE_CHECKING:  # it imports torch, which figures need not
    from sernb.features.spectrogram import SpectrogramConfig

RATE = 16000  # Hz of all waveforms that are drawn
FRAME = 0.020  # seconds from one state of a speech encoder to the next
COLUMNS = 4  # attention maps in a row


def spectrogram(
    values: np.ndarray, config: SpectrogramConfig, unit: str = "level", title: str = ""
) -> Picture:
    """A spectrogram `(bins, frames)`, low frequencies first, on axes of seconds and kilohertz.

    ``config`` is the front end that made it; ``unit`` is what the colours mean ("dB", "mu-law of magnitude").
    """
    figure, (ax,) = draw.row(3.4)
    image = _image(ax, values, config)
    draw.tidy(ax, title or "Spectrogram", "time (s)", "frequency (kHz)")
    figure.colorbar(image, ax=ax, label=unit, pad=0.01)
    return figure


def sound(
    waveform: np.ndarray, values: np.ndarray, config: SpectrogramConfig, unit: str = "level", title: str = ""
) -> Picture:
    """A waveform `(samples,)` at 16 kHz over its spectrogram; other arguments as of :func:`spectrogram`."""
    figure = Picture(height=4.6)
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=[1, 2.2])
    draw_waveform(top, waveform, 1.08)
    top.axhline(0, color="#cccccc", linewidth=0.6, zorder=0)
    draw.tidy(top, title or "Waveform and spectrogram", "", "amplitude")
    top.tick_params(labelbottom=False)
    image = _image(bottom, values, config)
    end = max((len(waveform) - 1) / RATE, _extent(values, config)[1])
    draw.tidy(bottom, "", "time (s)", "frequency (kHz)", xlim=(0, end))
    figure.colorbar(image, ax=[top, bottom], label=unit, pad=0.01, aspect=35)
    return figure


def spectrograms(panels: dict[str, np.ndarray], config: SpectrogramConfig, title: str = "") -> Picture:
    """Several spectrograms, {caption: `(bins, frames)`}, two in a row on shared axes, each in its own range
    of colours; ``config`` is the front end that made them."""
    rows = -(-len(panels) // 2)
    figure = Picture(height=0.8 + 2.1 * rows)
    axes = figure.subplots(rows, 2, squeeze=False, sharex=True, sharey=True)
    for number, (ax, (label, values)) in enumerate(zip(axes.ravel(), panels.items(), strict=False)):
        _image(ax, values, config)
        draw.caption(ax, label)
        ax.set_facecolor("#f4f4f4")  # past the end of a shorter one
        if number + 2 >= len(panels):  # nothing stands below it
            ax.set_xlabel("time (s)", fontsize=9)
            ax.tick_params(labelbottom=True)
    for ax in axes[:, 0]:
        ax.set_ylabel("kHz", fontsize=9)
    for ax in axes.ravel()[len(panels) :]:
        ax.remove()
    axes[0, 0].set_xlim(0, max(_extent(values, config)[1] for values in panels.values()))
    return draw.headline(figure, title or "Spectrograms")


def attention_maps(
    values: np.ndarray, maps: dict[str, np.ndarray | dict], config: SpectrogramConfig, title: str = ""
) -> Picture:
    """Attention maps (2.4.2 of the attention-pooling paper) over the spectrogram `(bins, frames)` they look
    at; orange speaks for, blue against.

    ``maps``: what it is → one map `(H, W)`, or {class: map}; for the paper {"bottom-up": map, "top-down":
    {"angry": map, …}, "product": {"angry": map, …}}. Every map is stretched over the whole spectrogram
    (bilinear); those of a group share a scale, the group's strongest value. Raises SernbError for a map that
    is not (H, W) or holds NaN.
    """
    groups = {group: m if isinstance(m, dict) else {"": m} for group, m in maps.items()}
    for group, classes in groups.items():
        named = f"an attention map of {group!r}"
        groups[group] = {name: draw.array_of(m, ("H", "W"), named) for name, m in classes.items()}
    # In rows of at most COLUMNS: the spectrogram with the single maps first, then each group of classes.
    single = [group for group, classes in groups.items() if list(classes) == [""]]
    rows = [[(None, ""), *((group, "") for group in single)]]
    rows += [[(group, name) for name in groups[group]] for group in groups if group not in single]
    rows = [row[i : i + COLUMNS] for row in rows for i in range(0, len(row), COLUMNS)]
    figure = Picture(height=0.9 + 1.75 * len(rows))
    grid = figure.subplots(len(rows), COLUMNS, sharex=True, sharey=True, squeeze=False)
    low, high = np.quantile(values, [0.02, 0.995])
    for cells, panels in zip(rows, grid, strict=True):
        for ax in panels[len(cells) :]:
            ax.remove()
        for ax, (group, label) in zip(panels, cells, strict=False):
            # The spectrogram, faint under a map.
            faint = high if group is None else high + (high - low) * (1 / 0.45 - 1)
            _image(ax, values, config, cmap="gray_r", vmin=low, vmax=faint)

            if group is not None:
                strongest = max(np.abs(m).max() for m in groups[group].values()) or 1.0
                overlay = upsample(groups[group][label] / strongest, values.shape)
                colors = AGAINST_FOR(Normalize(-1, 1)(overlay))
                colors[..., 3] = 0.85 * np.clip(np.abs(overlay), 0, 1) ** 0.7
                _image(ax, colors, config)
            draw.caption(ax, f"{group}: {label}" if label else group or "spectrogram")
            if label:  # the class's colour, as in the other figures
                ax.spines[:].set(color=emotion_color(label), linewidth=2)
            ax.tick_params(colors=INK, labelsize=8)
    for ax in grid[:, 0]:
        ax.set_ylabel("kHz", fontsize=9)
    for ax in grid[-1]:
        ax.set_xlabel("time (s)", fontsize=9)

    scale = ScalarMappable(Normalize(-1, 1), AGAINST_FOR)
    bar = figure.colorbar(scale, ax=figure.axes, aspect=40, pad=0.01, ticks=[-1, -0.5, 0, 0.5, 1])
    bar.ax.tick_params(labelsize=8)
    bar.set_label("against  ←  share of the group's strongest value  →  for", fontsize=9)
    return draw.headline(figure, title or "Where the model looks")


def frame_similarity(
    states: np.ndarray, layers: list[int] | None = None, waveform: np.ndarray | None = None, title: str = ""
) -> Picture:
    """How alike the frames of one utterance are to each layer of an encoder: time against time, a panel each.

    ``states`` `(frames, layers, width)`, a frame every 20 ms; a layer's frames are centred first, since all
    share a large part. The colour is the cosine, dark from 0 down. ``waveform`` `(samples,)` at 16 kHz stands
    above the panels. ``layers``: which (None: four of them, spread). Raises SernbError for a layer that is
    not there and for fewer than two frames.
    """
    frames, count, _ = states.shape
    chosen = sorted({round(n) for n in np.linspace(0, count - 1, 4)}) if layers is None else list(layers)
    draw.known(chosen, range(count), "layer")
    if frames < 2:
        raise SernbError(f"an utterance of {frames} frame has nothing to be compared with.")
    seconds = frames * FRAME
    figure = Picture(height=4.2 if waveform is not None else 3.2)
    top = [["wave"] * len(chosen)] if waveform is not None else []
    panels = figure.subplot_mosaic([*top, chosen], height_ratios=[1, 4] if top else [1])
    if top:
        ax = panels.pop("wave")
        ax.plot(np.arange(len(waveform)) / RATE, waveform, color=SERIES_COLORS[0], linewidth=0.4)
        draw.tidy(ax, xlim=(0, seconds), yticks=[])

    for layer, ax in panels.items():
        x = np.asarray(states[:, layer], np.float32)
        x = x - x.mean(0)
        x /= np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-6)
        extent = (0, seconds, 0, seconds)
        image = ax.imshow(x @ x.T, cmap=SOUND, vmin=0, vmax=1, origin="lower", extent=extent, aspect="auto")
        first = layer == chosen[0]
        draw.tidy(ax, f"layer {layer}", "time (s)", "time (s)" if first else "")
        ax.tick_params(labelleft=first)
    figure.colorbar(image, ax=list(panels.values()), label="cosine of two frames", pad=0.01)
    return draw.headline(figure, title)


def draw_waveform(ax, waveform, room):
    """A waveform (samples,) over seconds; the axis is so many times as high as its largest sample."""
    ax.plot(np.arange(len(waveform)) / RATE, waveform, color=SERIES_COLORS[0], linewidth=0.5)
    largest = max(float(np.abs(waveform).max(initial=0)), 1e-3)
    ax.set_ylim(-room * largest, room * largest)


def upsample(small: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Stretch a map (H, W) over (bins, frames), bilinear between the middles of its positions."""
    factors = [big / little for big, little in zip(shape, small.shape, strict=True)]
    return zoom(np.asarray(small, float), factors, order=1, mode="nearest", grid_mode=True)


def _extent(values, config):
    """Where the array lies (s, s, kHz, kHz): a frame at its window's middle, a bin around its frequency."""
    bins, frames = values.shape[:2]
    left = (config.window - config.shift) / 2
    return left, left + frames * config.shift, -config.bin_hz / 2000, (bins - 0.5) * config.bin_hz / 1000


def _image(ax, values, config, cmap=SOUND, **colors):
    image = ax.imshow(values, cmap, origin="lower", aspect="auto", extent=_extent(values, config),
                      interpolation="nearest", **colors)  # fmt: skip
    ax.set_ylim(0, values.shape[0] * config.bin_hz / 1000)
    ax.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    ax.tick_params(colors=INK)
    return image
