"""Truth against prediction: what correlation sees, and what concordance sees."""

from collections.abc import Mapping, Sequence

import numpy as np

from sernb.core.errors import SernbError
from sernb.evaluation.concordance import concordance
from sernb.figures.palette import FAINT, INK, SERIES_COLORS, Picture, plain, tidy


def concordance_panels(
    truth: Sequence[float],
    guesses: Mapping[str, Sequence[float]],
    scale: tuple[float, float] | None = None,
    name: str = "",
    jitter: float = 0.02,
) -> Picture:
    """A panel for each guess: true values across, guessed ones up, with Pearson's r and the CCC above.

    The diagonal is where both agree; `scale` sets both axes, `name` says what is rated ("arousal"). Mean ratings fall on few
    values, so dots are moved to the side at random by up to `jitter`, a share of the axis; the numbers are those of the
    values as they are. Raises SernbError for guesses of another length than the truth.
    """
    truth = np.asarray(truth, float)
    figure = Picture(height=3.2, width=min(9.0, 3.0 * len(guesses)))
    panels = figure.subplots(1, len(guesses), sharex=True, sharey=True, squeeze=False)[0]
    low, high = scale or (truth.min(), truth.max())
    room = 0.04 * (high - low)
    aside = np.random.default_rng(0).uniform(-1, 1, len(truth)) * jitter * (high - low)
    for ax, (label, guess) in zip(panels, guesses.items(), strict=True):
        guess = np.asarray(guess, float)
        if guess.shape != truth.shape:
            raise SernbError(f"{label}: {len(guess)} guesses for {len(truth)} true values.")
        constant = np.ptp(guess) == 0 or np.ptp(truth) == 0
        r = np.nan if constant else np.corrcoef(truth, guess)[0, 1]
        ax.plot([low, high], [low, high], color=FAINT, linewidth=1, linestyle=(0, (4, 3)), gid="diagonal")
        ax.scatter(truth + aside, guess, s=9, color=SERIES_COLORS[0], alpha=0.2, linewidths=0, gid="guesses")
        across, up = (f"{one} {plain(name)}".strip() for one in ("true", "guessed"))
        tidy(ax, plain(label), across, up if ax is panels[0] else "")
        ax.text(0.04, 0.96, f"r = {r:.2f}\nCCC = {concordance(truth, guess):.2f}", transform=ax.transAxes, va="top",
                fontsize=10, color=INK, bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8})  # fmt: skip
        if scale:
            ax.set_xlim(low - room, high + room)
    return figure
