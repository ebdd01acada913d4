"""What each layer of an encoder holds alike in one utterance: frames against frames."""

from collections.abc import Sequence

import numpy as np

from sernb.core.errors import SernbError
from sernb.figures.palette import SOUND, Picture, plain, tidy


def frame_similarity(
    states: np.ndarray,
    layers: Sequence[int] | None = None,
    waveform: np.ndarray | None = None,
    rate: int = 16000,
    title: str = "",
) -> Picture:
    """How alike the frames of one utterance are to each layer: a panel a layer, time against time.

    states: `(frames, layers, width)`. Each layer's frames are centred first, since all frames of a layer share a large part
    that would make everything look alike; the colour is the cosine, dark from 0 down. waveform: `(samples,)`, drawn above
    the panels. layers: which (None: four of them, spread). Raises SernbError for a layer that is not there and for fewer
    than two frames.
    """
    frames, count, _ = states.shape
    chosen = sorted({round(one) for one in np.linspace(0, count - 1, 4)}) if layers is None else list(layers)
    if wrong := [one for one in chosen if not 0 <= one < count]:
        raise SernbError(f"layer {wrong[0]} is not there: these states have layers 0 to {count - 1}.")
    if frames < 2:
        raise SernbError(f"an utterance of {frames} frame has nothing to be compared with.")
    seconds = frames * 0.02
    figure = Picture(height=4.2 if waveform is not None else 3.2)
    top = [["wave"] * len(chosen)] if waveform is not None else []
    panels = figure.subplot_mosaic([*top, chosen], height_ratios=[1, 4] if top else [1])
    if waveform is not None:
        panels["wave"].plot(np.arange(len(waveform)) / rate, waveform, color="#1f4e79", linewidth=0.4)
        panels["wave"].set_xlim(0, seconds)
        tidy(panels["wave"], "", "", "")
        panels["wave"].set_yticks([])
    for place, layer in enumerate(chosen):
        x = np.asarray(states[:, layer], np.float32)
        x = x - x.mean(0)
        x /= np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-6)
        ax, extent = panels[layer], (0, seconds, 0, seconds)
        image = ax.imshow(x @ x.T, cmap=SOUND, vmin=0, vmax=1, origin="lower", extent=extent, aspect="auto")
        tidy(ax, f"layer {layer}", "time (s)", "time (s)" if place == 0 else "")
        ax.tick_params(labelleft=place == 0)
    figure.colorbar(image, ax=[panels[one] for one in chosen], label="cosine of two frames", pad=0.01)
    if title:
        figure.suptitle(plain(title), x=0.01, ha="left", fontsize=11)
    return figure
