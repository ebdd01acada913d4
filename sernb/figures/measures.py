"""One measure a panel, spread by emotion: what the voice does, how long utterances are."""

from contextlib import contextmanager

import numpy as np
import pandas as pd
import seaborn as sns

from sernb.core.errors import SernbError
from sernb.core.tables import in_order
from sernb.evaluation.separation import explained
from sernb.figures.palette import INK, Picture, emotion_color, plain, tidy

DOTS = 1500  # a panel shows so many utterances as dots; the boxes are made of all


def measures_by_emotion(
    columns: dict[str, pd.DataFrame],
    emotions: pd.Series,
    names: dict[str, str] | None = None,
    speakers: pd.Series | None = None,
    title: str = "",
) -> Picture:
    """A row of panels a measure, a column of panels a way to look at it: {"as recorded": table, "relative to the
    speaker": table}, tables with the same columns, (utterances, measures). Boxes hold the middle half and the median of
    an emotion, whiskers reach to the last dot within 1.5 box lengths.

    names: {column: label (unit)}; absent, the columns' own. Ways after the first are taken to be in deviations. Over a panel stands the share of the variance that
    lies between emotions and, with `speakers`, between speakers (:func:`sernb.evaluation.separation.explained`).
    A measure without any value is left out. Raises SernbError where no utterance has an emotion, or none a value.
    """
    emotions = emotions.dropna().astype(str)
    order = in_order(emotions.unique())
    if not order:
        raise SernbError("no utterance has an emotion to look at measures by.")
    tables = {way: table.loc[table.index.intersection(emotions.index)] for way, table in columns.items()}
    first = next(iter(tables))
    measures = [one for one in tables[first] if tables[first][one].notna().any()]
    if not measures:
        raise SernbError("none of the measures has a value for an utterance with an emotion.")
    figure = Picture(height=0.5 + (0.95 + 0.24 * len(order)) * len(measures))
    axes = figure.subplots(len(measures), len(tables), squeeze=False, sharey=True)
    for row, measure in zip(axes, measures, strict=True):
        for ax, (way, table) in zip(row, tables.items(), strict=True):
            values, labels = table[measure], emotions.reindex(table.index)
            look = {
                "x": values,
                "y": labels,
                "order": order,
                "hue": labels,
                "hue_order": order,
                "ax": ax,
                "legend": False,
            }
            look["palette"] = {one: emotion_color(one) for one in order}
            some = values.sample(min(DOTS, len(values)), random_state=0).index
            with _own_jitter():
                sns.stripplot(**look | {"x": values[some], "y": labels[some], "hue": labels[some]}, size=2, alpha=0.25,
                              jitter=0.28, zorder=1)  # fmt: skip
            sns.boxplot(**look, showfliers=False, width=0.62, fill=False, linewidth=1.3, zorder=3)
            shares = {
                "emotion": labels,
                "speaker": None if speakers is None else speakers.reindex(table.index),
            }
            told = [
                (what, explained(values, groups)) for what, groups in shares.items() if groups is not None
            ]
            told = ", ".join(f"{what} {100 * max(share, 0):.0f} %" for what, share in told if pd.notna(share))
            name = (names or {}).get(measure, measure)
            name = name if way == first else f"{name.split(' (')[0]} (deviations)"
            tidy(ax, "", plain(name), "", grid="x")
            ax.set_title(f"{plain(way)}: {told}" if told else plain(way), loc="left", fontsize=9.5, color=INK)
            ax.set_xlim(*_middle(values))
            ax.tick_params(axis="y", length=0)
    for ax in axes.flat:
        ax.set_yticks(range(len(order)), [plain(one) for one in order])
    figure.suptitle(
        plain(title or "How the emotions differ"),
        x=0.01,
        ha="left",
        fontsize=11,
        fontweight="bold",
        color=INK,
    )
    return figure


def _middle(values: pd.Series) -> tuple[float, float]:
    """Where all but the farthest half per cent at each end lie, with a margin: one odd clip does not squeeze the rest."""
    low, high = values.quantile([0.005, 0.995])
    margin = 0.06 * (high - low) or 1.0
    return low - margin, high + margin


@contextmanager
def _own_jitter():
    """seaborn draws its jitter from NumPy's global state: lend it a fixed one, and put the user's back."""
    before = np.random.get_state()  # noqa: NPY002
    np.random.seed(0)  # noqa: NPY002
    try:
        yield
    finally:
        np.random.set_state(before)  # noqa: NPY002
