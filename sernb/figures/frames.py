"""What each layer of an encoder holds alike in one utterance: frames against frames."""

from collections.abc import Sequence

import numpy as np

from sernb.errors import SernbError
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
    that would make everything look alike; the colour is the cosine, -1 to 1. waveform: `(samples,)`, drawn above
    the panels. layers: which (None: four of them, spread). Raises SernbError for a layer that is not there and for fewer than two frames.
    """
    frames, count, _ = states.shape
    chosen = sorted({round(one) for one in np.linspace(0, count - 1, 4)}) if layers is None else list(layers)
    if wrong := [one for one in chosen if not 0 <= one < count]:
        raise SernbError(f"layer {wrong[0]} is not there: these states have layers 0 to {count - 1}.")
    if frames < 2:
        raise SernbError(f"an utterance of {frames} frame has nothing to be compared with.")
    seconds = frames * 0.02
    figure = Picture(height=3.6 if waveform is not None else 2.9)
    rows = 2 if waveform is not None else 1
    grid = figure.subplots(rows, len(chosen), squeeze=False, sharex=True,
                           height_ratios=[1, 4] if rows == 2 else [1])  # fmt: skip
    for place, (layer, panels) in enumerate(zip(chosen, grid.T, strict=True)):
        if waveform is not None:
            panels[0].plot(np.arange(len(waveform)) / rate, waveform, color="#1f4e79", linewidth=0.4)
            panels[0].set_axis_off()
        x = np.asarray(states[:, layer], np.float32)
        x = x - x.mean(0)
        x /= np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-6)
        image = panels[-1].imshow(
            x @ x.T,
            cmap=SOUND,
            vmin=-1,
            vmax=1,
            origin="lower",
            extent=(0, seconds, 0, seconds),
            aspect="auto",
        )
        tidy(panels[-1], f"layer {layer}", "time (s)", "time (s)" if place == 0 else "")
        panels[-1].tick_params(labelleft=place == 0)
    figure.colorbar(image, ax=grid[-1], label="cosine of two frames", pad=0.01)
    if title:
        figure.suptitle(plain(title), x=0.01, ha="left", fontsize=11)
    return figure
