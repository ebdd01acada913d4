"""What a corpus holds."""

import numpy as np
import pandas as pd

from sernb.core.errors import SernbError
from sernb.core.tables import in_order
from sernb.figures.palette import FAINT, INK, Picture, emotion_color, plain, tidy

MOST = 28  # groups that a figure shows one by one


def class_balance(utterances: pd.DataFrame, by: str | None = None, title: str = "") -> Picture:
    """How many utterances each emotion has, with its share; or, with ``by`` ("speaker", "session",
    "gender" …), stacked for each group. Of more than ``MOST`` groups the largest are shown, the others as one.

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
        counts = _largest(pd.crosstab(labelled[by].astype(str), emotion)[emotions])
        figure = Picture(height=1.4 + 0.3 * len(counts))
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


def class_shares(
    utterances: pd.DataFrame, reference: dict[str, int], name: str, here: str = "here", title: str = ""
) -> Picture:
    """The share of each emotion beside that of a published corpus, of the labels that the reference has.

    ``reference``: {emotion: count}, called ``name`` in the legend. Other labels are left out of the shares and counted
    in the title. Raises SernbError where no utterance bears one of the reference's labels.
    """
    labels = list(reference)
    emotion = utterances["emotion"].dropna().astype(str) if "emotion" in utterances else pd.Series(dtype=str)
    counts = emotion[emotion.isin(labels)].value_counts().reindex(labels, fill_value=0)
    if not counts.sum():
        raise SernbError(f"no utterance is labelled {', '.join(labels)}, so there are no shares to compare.")
    others = len(emotion) - counts.sum()
    figure = Picture(height=1.3 + 0.62 * len(labels))
    ax = figure.subplots()
    rows = ((counts, here, -0.2, 1.0), (pd.Series(reference), name, 0.2, 0.4))
    for values, _, shift, alpha in rows:
        places = np.arange(len(labels)) + shift
        shares = 100 * values / values.sum()
        bars = ax.barh(places, shares, 0.36, color=[emotion_color(one) for one in labels], alpha=alpha)
        texts = [f"{share:.1f} %  ({count})" for share, count in zip(shares, values, strict=True)]
        ax.bar_label(bars, texts, padding=4, fontsize=9, color=INK if alpha == 1 else FAINT)
    for _, what, _, alpha in rows:
        ax.barh([0], [0], color=INK, alpha=alpha, label=plain(what))
    heading = plain(title or "Shares of the emotions") + (
        f" ({others} of other emotions left out)" if others else ""
    )
    tidy(ax, heading, "share (%)", "", grid="x")
    ax.set_yticks(range(len(labels)), [plain(one) for one in labels])
    ax.margins(x=0.15)
    ax.invert_yaxis()
    ax.tick_params(axis="y", length=0)
    figure.legend(loc="outside right upper", frameon=False)
    return figure


def _largest(counts: pd.DataFrame) -> pd.DataFrame:
    """The `MOST` largest groups, largest first, and the sum of the others as the last row."""
    if len(counts) <= MOST + 1:
        return counts
    kept = counts.sum(axis=1).nlargest(MOST).index
    others = counts.drop(index=kept)
    return pd.concat([counts.loc[kept], others.sum().to_frame(f"{len(others)} others").T]).rename_axis(
        counts.index.name
    )
