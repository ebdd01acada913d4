"""The attention maps of the paper's pooling (2.4.2), laid over the spectrogram they look at."""

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from scipy.ndimage import zoom

from sernb.core.errors import SernbError
from sernb.figures.palette import AGAINST_FOR, INK, Picture, emotion_color, plain
from sernb.figures.sound import BIN, HOP, WINDOW, draw, extent

COLUMNS = 4


def attention_maps(
    values: np.ndarray,
    maps: dict[str, np.ndarray | dict[str, np.ndarray]],
    hop: float = HOP,
    window: float = WINDOW,
    bin_width: float = BIN,
    title: str = "",
) -> Picture:
    """Attention maps over a spectrogram, shape (bins, frames), low frequencies first.

    ``maps``: what it is → one map, shape (H, W), or {class: map}; for the paper {"bottom-up": map,
    "top-down": {"angry": map, …}, "product": {"angry": map, …}}. Every map is stretched over the whole
    spectrogram (bilinear), which is right for a network that keeps or pools its positions evenly. The
    maps of one group share a scale, so classes can be compared; groups differ in kind, so each is shown
    as a share of its own strongest value. Orange speaks for, blue against.

    Raises SernbError for a map that is not (H, W) or holds NaN.
    """
    groups = {name: m if isinstance(m, dict) else {"": m} for name, m in maps.items()}
    rows = _rows(groups)
    figure = Picture(height=0.9 + 1.75 * len(rows))
    grid = figure.subplots(len(rows), COLUMNS, sharex=True, sharey=True, squeeze=False)
    low, high = np.quantile(values, [0.02, 0.995])
    for cells, panels in zip(rows, grid, strict=True):
        for ax, cell in zip(panels, cells + [None] * (COLUMNS - len(cells)), strict=True):
            if cell is None:
                ax.remove()
                continue
            group, label = cell
            shown = 1 if group is None else 0.45  # faint under a map
            draw(
                ax,
                values,
                hop,
                window,
                bin_width,
                cmap="gray_r",
                vmin=low,
                vmax=high + (high - low) * (1 / shown - 1),
            )
            if group is not None:
                strongest = max(np.abs(_checked(m, group)).max() for m in groups[group].values()) or 1.0
                overlay = upsample(groups[group][label] / strongest, values.shape)
                colors = AGAINST_FOR(Normalize(-1, 1)(overlay))
                colors[..., 3] = 0.85 * np.clip(np.abs(overlay), 0, 1) ** 0.7
                ax.imshow(
                    colors, origin="lower", aspect="auto", extent=extent(values, hop, window, bin_width)
                )
            _caption(ax, "spectrogram" if group is None else group, label)
            ax.set_ylim(0, values.shape[0] * bin_width / 1000)
            ax.tick_params(colors=INK, labelsize=8)
    for panels in grid:
        panels[0].set_ylabel("kHz", fontsize=9)
    for ax in grid[-1]:
        ax.set_xlabel("time (s)", fontsize=9)
    bar = figure.colorbar(
        ScalarMappable(Normalize(-1, 1), AGAINST_FOR),
        ax=figure.axes,
        aspect=40,
        pad=0.01,
        ticks=[-1, -0.5, 0, 0.5, 1],
    )
    bar.ax.tick_params(labelsize=8)
    bar.set_label("against  ←  share of the group's strongest value  →  for", fontsize=9)
    figure.suptitle(
        plain(title or "Where the model looks"), x=0.01, ha="left", fontsize=11, fontweight="bold", color=INK
    )
    return figure


def upsample(small: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Stretch a map (H, W) over (bins, frames), bilinear between the middles of its positions."""
    factors = [big / little for big, little in zip(shape, small.shape, strict=True)]
    return zoom(np.asarray(small, float), factors, order=1, mode="nearest", grid_mode=True)


def _rows(groups):
    """Panels in rows of at most COLUMNS: the spectrogram with the single maps first, then each group of
    classes.
    """
    rows = [[(None, ""), *((group, "") for group, maps in groups.items() if list(maps) == [""])]]
    for group, maps in groups.items():
        if list(maps) != [""]:
            cells = [(group, label) for label in maps]
            rows += [cells[i : i + COLUMNS] for i in range(0, len(cells), COLUMNS)]
    return [row[i : i + COLUMNS] for row in rows for i in range(0, len(row), COLUMNS)]


def _caption(ax, group, label):
    ax.set_title(plain(f"{group}: {label}" if label else group), loc="left", fontsize=9.5, color=INK)
    if label:  # the class's colour, as in the other figures
        for side in ax.spines.values():
            side.set(color=emotion_color(label), linewidth=2)


def _checked(small, group):
    small = np.asarray(small)
    if small.ndim != 2 or not np.isfinite(small).all():
        raise SernbError(
            f"An attention map of {group!r} must be finite and have the shape (H, W); it has the shape {small.shape}"
            f"{'' if np.isfinite(small).all() else ' and holds NaN or infinity'}."
        )
    return small
