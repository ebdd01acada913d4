"""How bad may the speech recogniser be? The CCC against the word error rate of the transcripts."""

import numpy as np
import pandas as pd
from matplotlib.lines import Line2D

from sernb.core.errors import SernbError
from sernb.figures.dimensions import series_of
from sernb.figures.given import needs, targets_of
from sernb.figures.palette import FAINT, INK, Picture, headline, plain, series_style, tidy

MARKS = "^v*Xh<>P"  # recognisers; other marks than the curve's
COLORS = ("#5b4a2f", "#6aa9e9", "#8a8a8a")
LETTER = 0.068  # inches of a letter in the legend, about
HEIGHT = 3.4  # inches, without the legend


def wer_curve(
    table: pd.DataFrame,
    recognisers: pd.DataFrame | None = None,
    without_text: dict[str, float | tuple[float, float, float]] | None = None,
    title: str = "",
) -> Picture:
    """The CCC against the word error rate, a panel for each dimension (Table 2 of the audio-textual paper, as a curve).

    ``table``: ``wer`` (0 = the human transcript; 0.25 = a quarter of the words wrong), ``target``, ``value``, ``low``, ``high``
    (NaN: no band); the transcripts are corrupted ones. Optional ``system`` (e.g. trained on human words, trained on
    corrupted words): a line each. ``recognisers``: ``name``, ``wer``, ``target``, ``value``, ``low``, ``high``: real recognisers at
    their measured word error rate, a mark each. ``without_text``: target → CCC of the model that only hears, a dashed
    line. Raises SernbError for an absent column, a row that stands twice, and a negative word error rate.
    """
    table = table if "system" in table else table.assign(system="")
    needs(table, ["wer", "target", "value", "low", "high"], once=["system", "target", "wer"])
    if recognisers is not None:
        needs(recognisers, ["name", "wer", "target", "value", "low", "high"], once=["name", "target"])
    for rows in [table, *([recognisers] if recognisers is not None else [])]:
        if not (rows["wer"] >= 0).all():
            raise SernbError(f"a word error rate is 0 or more; there is {rows['wer'].min():g}.")
    targets, styles = targets_of(table), _styles(table["system"])
    figure = Picture(height=HEIGHT, width=min(9.0, 2.2 + 2.5 * len(targets)))
    panels = figure.subplots(1, len(targets), sharex=True, sharey=True, squeeze=False)[0]
    names = [] if recognisers is None else list(recognisers["name"].unique())
    marks = {name: (MARKS[n % len(MARKS)], COLORS[n % len(COLORS)]) for n, name in enumerate(names)}
    aside = {} if recognisers is None else _aside(recognisers)
    for ax, target in zip(panels, targets, strict=True):
        for system, (color, marker) in styles.items():
            rows = table[(table["target"] == target) & (table["system"] == system)].sort_values("wer")
            ax.fill_between(
                100 * rows["wer"], rows["low"], rows["high"], color=color, alpha=0.18, linewidth=0
            )
            ax.plot(100 * rows["wer"], rows["value"], marker=marker, markersize=4.5, color=color, linewidth=2, gid="curve",
                    zorder=3)  # fmt: skip
        if target in (without_text or {}):
            alone, low, high = (*np.ravel(without_text[target]), np.nan, np.nan)[:3]
            ax.axhline(alone, color=INK, linestyle=(0, (4, 3)), linewidth=1, gid="without", zorder=1)
            if np.isfinite([low, high]).all():
                ax.axhspan(low, high, color=FAINT, alpha=0.15, linewidth=0, zorder=0, gid="without")
        for _, row in recognisers[recognisers["target"] == target].iterrows() if names else []:
            at, (mark, color) = 100 * row["wer"] + aside[row["name"]], marks[row["name"]]
            if pd.notna(row["low"]):
                ax.plot([at, at], [row["low"], row["high"]], color=color, linewidth=1.6, alpha=0.8, zorder=4)
            ax.plot(at, row["value"], mark, color=color, markersize=10, markeredgecolor="white", zorder=5,
                    gid="recogniser")  # fmt: skip
        middle = len(targets) < 3 or ax is panels[1]
        tidy(
            ax, plain(target), "word error rate (%)" if middle else "", "CCC" if ax is panels[0] else "", "y"
        )
    ax.margins(y=0.1)
    widest = 100 * max([0.1, table["wer"].max(), *(recognisers["wer"] if names else [])])
    ax.set_xlim(-0.03 * widest, 1.03 * widest)  # of all panels: they share it
    _legend(figure, table, styles, recognisers, marks, bool(set(targets) & set(without_text or {})))
    headline(figure, title or "CCC against the word error rate of the transcripts")
    return figure


def _styles(systems):
    """A style for each system that is there; a categorical column's are the same from picture to picture."""
    there = set(systems)
    return {one: style for one, style in series_style(series_of(systems)).items() if one in there}


def _legend(figure, table, styles, recognisers, marks, without):
    interval = ", interval shaded" if table["low"].notna().any() else ""
    lines = [
        Line2D([], [], color=color, marker=marker, markersize=4.5, linewidth=2,
               label=plain(system) if len(styles) > 1 else f"corrupted transcripts{interval}")
        for system, (color, marker) in styles.items()
    ]  # fmt: skip
    if without:
        lines.append(Line2D([], [], color=INK, linestyle=(0, (4, 3)), linewidth=1, label="speech alone"))
    for name, (mark, color) in marks.items():
        rate = 100 * recognisers.loc[recognisers["name"] == name, "wer"].mean()
        lines.append(Line2D([], [], color=color, marker=mark, markersize=10, markeredgecolor="white", linestyle="",
                            label=f"{plain(name)} (WER {rate:.1f} %)"))  # fmt: skip
    wide = figure.get_figwidth()
    longest = max(len(one.get_label()) for one in lines)
    columns = max(1, min(3, int(wide / (LETTER * longest + 0.55))))
    figure.set_figheight(HEIGHT + 0.19 * -(-len(lines) // columns))
    figure.legend(handles=lines, loc="outside lower left", ncols=columns, frameon=False, fontsize=9)


def _aside(recognisers):
    """How far to the side, in points of the word error rate, marks are drawn that would lie on one another."""
    first = recognisers.drop_duplicates("name")
    together = first.groupby("wer", sort=False)["name"]
    places = together.cumcount() - (together.transform("size") - 1) / 2
    return dict(zip(first["name"], 2.0 * places, strict=True))
