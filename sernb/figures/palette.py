"""The look that all figures share: width, colours, markers, and a Figure that shows itself without pyplot."""

import io
from itertools import cycle

import pandas as pd
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.text import Text

WIDTH = 9.0  # inches: a notebook's width
DPI = 110

# Searched for the largest distance between the two closest of them (CIELAB; it came to 21), seen with normal
# sight and with protanopia, deuteranopia and tritanopia; a test repeats the measurement.
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
# So that colour is never the only sign:
EMOTION_MARKERS = dict(zip(EMOTION_COLORS, "osD^vPX*h", strict=True))
# Labels of the user's own, outside EMOTIONS:
OWN_COLOR = "#b8a99a"
SERIES_COLORS = ("#1f4e79", "#d9730d", "#2a9d8f", "#a23b72", "#8a8a8a", "#6aa9e9", "#5b4a2f", "#c9b400")
SERIES_MARKERS = "osD^vPX*"
INK, FAINT = "#222222", "#8c8c8c"
SOUND = "magma"
AGAINST_FOR = LinearSegmentedColormap.from_list(
    "against_for", ["#0b3fa8", "#5b8fe0", "#ffffff", "#f0883e", "#b02a02"]
)


class Picture(Figure):
    """A matplotlib Figure of notebook width that shows itself there, without pyplot's global state.

    Text is drawn as it stands: dollar signs start no formula (so a logarithmic axis needs tick labels).
    """

    def __init__(self, height: float = 4.0, width: float = WIDTH):
        super().__init__(figsize=(width, height), dpi=DPI, layout="constrained")

    def draw(self, renderer):
        for text in self.findobj(Text):
            text.set_parse_math(False)
        super().draw(renderer)

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        self.savefig(buffer, format="png")
        return buffer.getvalue()


def emotion_color(label: str) -> str:
    return EMOTION_COLORS.get(label, OWN_COLOR)


def series_style(names) -> dict:
    """{name: (colour, marker)} in their order; names of a categorical column keep theirs in every picture."""
    column = pd.Series(names)
    categorical = isinstance(column.dtype, pd.CategoricalDtype)
    every = column.cat.categories if categorical else column.unique()
    looks = zip(every, cycle(SERIES_COLORS), cycle(SERIES_MARKERS), strict=False)
    return {name: (color, marker) for name, color, marker in looks if name in set(column)}
