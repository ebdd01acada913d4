"""The look that all figures share: size, colours, and a Figure that shows itself without pyplot."""

import io

from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

WIDTH = 9.0  # inches: a notebook's width
DPI = 110

# Searched for the largest distance between the two closest of them (CIELAB; it came to 21), seen with normal sight
# and with protanopia, deuteranopia and tritanopia; a test repeats the measurement.
EMOTION_COLORS = {
    "neutral": "#707070",
    "happy": "#e38a14",
    "sad": "#2951d3",
    "angry": "#c01414",
    "fearful": "#864096",
    "disgusted": "#369f56",
    "surprised": "#e6e02a",
    "calm": "#8ddef5",
    "bored": "#551c1b",
}
EMOTION_MARKERS = dict(zip(EMOTION_COLORS, "osD^vPX*h", strict=True))  # so that colour is never the only sign
OWN_COLOR = "#b8a99a"  # labels of the user's own, outside EMOTIONS
SERIES_COLORS = ("#1f4e79", "#d9730d", "#2a9d8f", "#a23b72", "#8a8a8a", "#6aa9e9", "#5b4a2f", "#c9b400")
SERIES_MARKERS = "osD^vPX*"
INK, FAINT = "#222222", "#8c8c8c"
SOUND = "magma"
AGAINST_FOR = LinearSegmentedColormap.from_list(
    "against_for", ["#0b3fa8", "#5b8fe0", "#ffffff", "#f0883e", "#b02a02"]
)


class Picture(Figure):
    """A matplotlib Figure of notebook width that shows itself in a notebook: pyplot and its global state
    stay out of it.
    """

    def __init__(self, height: float = 4.0, width: float = WIDTH):
        super().__init__(figsize=(width, height), dpi=DPI, layout="constrained")

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        self.savefig(buffer, format="png")
        return buffer.getvalue()


def emotion_color(label: str) -> str:
    return EMOTION_COLORS.get(label, OWN_COLOR)


def series_style(names) -> dict[str, tuple[str, str]]:
    """A colour and a marker for each name (a model, a fold …), in the order they come."""
    return {
        name: (SERIES_COLORS[i % len(SERIES_COLORS)], SERIES_MARKERS[i % len(SERIES_MARKERS)])
        for i, name in enumerate(names)
    }


def plain(text) -> str:
    """Text from a corpus or user as it stands: a pair of dollar signs would start a formula, and a legend would leave
    out a name that begins with an underscore, so a space without width goes before it."""
    text = str(text).replace("$", r"\$")
    return f"\u200b{text}" if text.startswith("_") else text


def tidy(ax, title="", x="", y="", grid=None):
    """Title at the left, axis labels, no box; ``grid`` "x" or "y" draws light lines behind the data."""
    ax.set_title(title, loc="left", fontsize=11, fontweight="bold", color=INK)
    ax.set_xlabel(x, color=INK)
    ax.set_ylabel(y, color=INK)
    ax.spines[["top", "right"]].set_visible(False)
    ax.tick_params(colors=INK, labelsize=9)
    if grid:
        ax.grid(axis=grid, color="#e4e4e4", linewidth=0.8)
        ax.set_axisbelow(True)


def headline(figure, title):
    """The title of a figure of several panels, at its left."""
    figure.suptitle(plain(title), x=0.01, ha="left", fontsize=11, fontweight="bold", color=INK)
