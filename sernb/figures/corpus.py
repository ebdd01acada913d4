"""What a corpus holds."""

import pandas as pd

from sernb.errors import SernbError
from sernb.figures.palette import INK, Picture, emotion_color, plain, tidy
from sernb.tables import in_order


def class_balance(utterances: pd.DataFrame, by: str | None = None, title: str = "") -> Picture:
    """How many utterances each emotion has, with its share; or, with ``by`` ("speaker", "session",
    "gender" …), stacked for each group.

    Utterances without an emotion are left out, and counted in the title. Raises SernbError where ``by``
    is not a column.
    """
    for column in ("emotion", *([by] if by else [])):
        if column not in utterances:
            raise SernbError(
                f"No column {column!r} to count by; the table has {', '.join(map(str, utterances.columns))}."
            )
    labelled = utterances.dropna(subset="emotion")
    emotion = labelled["emotion"].astype(str)
    emotions = in_order(emotion.unique())
    blank = len(utterances) - len(labelled)
    heading = plain(title or f"{len(labelled)} utterances" + (f" by {by}" if by else ""))
    heading += f" ({blank} without an emotion left out)" if blank else ""
    if by is None:
        counts = emotion.value_counts().reindex(emotions)
        figure = Picture(height=1.1 + 0.36 * len(emotions))
        ax = figure.subplots()
        bars = ax.barh(range(len(emotions)), counts, color=[emotion_color(e) for e in emotions], height=0.72)
        ax.bar_label(
            bars,
            [f"{n}  ({100 * n / len(labelled):.0f} %)" for n in counts],
            padding=4,
            fontsize=9,
            color=INK,
        )
        tidy(ax, heading, "utterances", "", grid="x")
        ax.set_yticks(range(len(emotions)), [plain(e) for e in emotions])
        ax.margins(x=0.12)
    else:
        counts = pd.crosstab(labelled[by].astype(str), emotion)[emotions]
        figure = Picture(height=min(1.4 + 0.3 * len(counts), 10))
        ax = figure.subplots()
        left = 0
        for e in emotions:
            bars = ax.barh(
                range(len(counts)),
                counts[e],
                0.78,
                left,
                color=emotion_color(e),
                label=plain(e),
                edgecolor="white",
            )
            wide = counts[e] > 0.03 * counts.sum(axis=1).max()  # a number has to fit into its piece
            texts = ax.bar_label(
                bars,
                [n if w else "" for n, w in zip(counts[e], wide, strict=True)],
                label_type="center",
                fontsize=8,
            )
            for text in texts:
                text.set_color("black" if e in ("surprised", "calm", "happy") else "white")
            left = left + counts[e]
        ax.bar_label(bars, [f"{n}" for n in counts.sum(axis=1)], padding=4, fontsize=9, color=INK)
        tidy(ax, heading, "utterances", by, grid="x")
        ax.set_yticks(range(len(counts)), [plain(g) for g in counts.index])
        ax.margins(x=0.06)
        ax.set_ylim(-0.6, len(counts) - 0.4)
        figure.legend(loc="outside right upper", frameon=False)
    ax.invert_yaxis()
    ax.tick_params(axis="y", length=0)
    return figure
