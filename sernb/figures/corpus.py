"""What a corpus holds: its emotions, annotators, measures, words, and maps of them."""

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib import colormaps

from sernb.core.errors import SernbError
from sernb.core.tables import in_order
from sernb.evaluation.separation import explained
from sernb.figures import drawing as draw
from sernb.figures.palette import EMOTION_MARKERS, FAINT, INK, SERIES_COLORS, Picture, emotion_color

MOST = 28  # groups that a figure shows one by one
DOTS = 1500  # a panel shows so many utterances as dots; the boxes are made of all
NAMED = 16  # so many groups fit into a legend
COLUMNS = 4  # panels of words in a row


def class_balance(utterances: pd.DataFrame, by: str | None = None, title: str = "") -> Picture:
    """How many utterances each emotion has, with its share; ``by`` ("speaker" …) stacks them for each group.

    Of more than 28 groups the largest are shown, the others as one; utterances without an emotion are
    counted in the title. Raises SernbError where ``by`` is not a column.
    """
    draw.needs(utterances, ["emotion", *([by] if by else [])])
    labelled = utterances.dropna(subset="emotion")
    emotion = labelled["emotion"].astype(str)
    emotions = in_order(emotion.unique())
    if by is None:
        counts = emotion.value_counts().reindex(emotions)
        figure, (ax,) = draw.row(1.1 + 0.36 * len(counts))
        bars = ax.barh(range(len(counts)), counts, color=list(map(emotion_color, emotions)), height=0.72)
        numbers = [f"{n}  ({100 * n / len(labelled):.0f} %)" for n in counts]
        ax.margins(x=0.12)
    else:
        counts = _largest(pd.crosstab(labelled[by].astype(str), emotion)[emotions])
        figure, (ax,) = draw.row(1.4 + 0.3 * len(counts))
        bars = _stacked(ax, counts)
        numbers = list(counts.sum(axis=1))
        ax.margins(x=0.06)
        ax.set_ylim(-0.6, len(counts) - 0.4)
        figure.legend(handles=ax.containers, loc="outside right upper", frameon=False)
    ax.bar_label(bars, numbers, padding=4, fontsize=9, color=INK)

    blank = len(utterances) - len(labelled)
    heading = title or f"{len(labelled)} utterances" + (f" by {by}" if by else "")
    heading += f" ({blank} without an emotion left out)" if blank else ""
    draw.tidy(ax, heading, "utterances", by or "", grid="x")
    _names_down(ax, counts.index)
    return figure


def class_shares(
    utterances: pd.DataFrame, reference: dict[str, int], name: str, here: str = "here", title: str = ""
) -> Picture:
    """The share of each emotion beside that of a published corpus, of the labels that the reference has.
    Raises SernbError where no utterance bears one of them.

    Args:
        utterances: labels that the reference lacks are left out, and counted in the title.
        reference: {emotion: count} of the published corpus.
        name, here: what the legend calls the published corpus and this one.
    """
    labels = list(reference)
    emotion = utterances["emotion"].dropna().astype(str) if "emotion" in utterances else pd.Series(dtype=str)
    counts = emotion[emotion.isin(labels)].value_counts().reindex(labels, fill_value=0)
    if not counts.sum():
        raise SernbError(f"no utterance is labelled {', '.join(labels)}, so there are no shares to compare.")
    figure, (ax,) = draw.row(1.3 + 0.62 * len(labels))
    corpora = ((counts, here, -0.2, 1.0, INK), (pd.Series(reference), name, 0.2, 0.4, FAINT))
    for values, _, shift, alpha, ink in corpora:
        shares = 100 * values / values.sum()
        colors = list(map(emotion_color, labels))
        bars = ax.barh(np.arange(len(labels)) + shift, shares, 0.36, color=colors, alpha=alpha)
        texts = [f"{share:.1f} %  ({count})" for share, count in zip(shares, values, strict=True)]
        ax.bar_label(bars, texts, padding=4, fontsize=9, color=ink)
    for _, label, _, alpha, _ in corpora:
        ax.barh([0], [0], color=INK, alpha=alpha, label=label)

    others = len(emotion) - counts.sum()
    heading = title or "Shares of the emotions"
    heading += f" ({others} of other emotions left out)" if others else ""
    draw.tidy(ax, heading, "share (%)", "", grid="x")
    ax.margins(x=0.15)
    _names_down(ax, labels)
    figure.legend(handles=ax.containers[2:], loc="outside right upper", frameon=False)
    return figure


def annotator_agreement(table: pd.DataFrame, heard: pd.DataFrame | None = None, title: str = "") -> Picture:
    """Alpha and its interval for all that was rated (:func:`sernb.evaluation.annotators.agreement`) and, with
    ``heard`` (:func:`sernb.evaluation.annotators.heard_as`: a row adds up to 1), who is heard as whom."""
    widths = [1] if heard is None else [1, 1.25]
    height = 3.7 if heard is None else max(3.7, 1.4 + 0.42 * len(heard))
    figure, (ax, *others) = draw.row(height, len(widths), width_ratios=widths)

    # Alpha with its interval, between chance and full agreement.
    for number, (_, row) in enumerate(table.rename(columns={"alpha": "value"}).iterrows()):
        draw.interval_line(ax, row, number, SERIES_COLORS[0], "o")
        draw.note(ax, draw.in_numbers(row), (row["value"], number), (0, 8), ha="center")
    for value, name, shift, side in ((0, "chance", 3, "left"), (1, "all agree", -3, "right")):
        ax.axvline(value, color=FAINT, linestyle="--", linewidth=1, zorder=0)
        draw.note(ax, name, (value, -0.75), (shift, 0), 8, color=FAINT, ha=side, va="center")
    limits = {"xlim": (min(0.0, table["low"].min()) - 0.04, 1.04), "ylim": (len(table) - 0.4, -0.95)}
    names = {"yticks": range(len(table)), "yticklabels": table.index}
    draw.tidy(ax, "Krippendorff's alpha, 95 %", "alpha", "", "x", **names, **limits)
    ax.tick_params(axis="y", length=0)

    for ax in others:
        sns.heatmap(100 * heard, ax=ax, vmin=0, vmax=100, cmap="Blues", annot=True, fmt=".0f", linewidths=1,
                    annot_kws={"fontsize": 9}, cbar=False)  # fmt: skip
        draw.tidy(ax, "One says (row), another says (column), %")
        ax.set_xticklabels(heard.columns, rotation=35 if len(heard) > 4 else 0)
        ax.set_yticklabels(heard.index, rotation=0)
        ax.tick_params(length=0)
    return draw.headline(figure, title or "Do the annotators agree?")


def measures_by_emotion(
    columns: dict[str, pd.DataFrame], emotions: pd.Series, names: dict[str, str] | None = None,
    speakers: pd.Series | None = None, title: str = "",
) -> Picture:  # fmt: skip
    """A row of panels a measure, a column of panels a way to look at it; boxes of the values of each emotion.

    Over a panel stands the share of the variance that lies between emotions and, with ``speakers``, between
    speakers (:func:`sernb.evaluation.separation.explained`); whiskers reach to the last dot within 1.5 box
    lengths. Raises SernbError where no utterance has an emotion, or none with an emotion has a value.

    Args:
        columns: {"as recorded": table, "relative to the speaker": table}, tables (utterances, measures) of
            the same columns; all but the first are taken to be in deviations.
        emotions, speakers: those of each utterance.
        names: {measure: label (unit)}; absent, the tables' own.
    """
    emotions = emotions.dropna().astype(str)
    order = in_order(emotions.unique())
    if not order:
        raise SernbError("no utterance has an emotion to look at measures by.")
    tables = {way: table.loc[table.index.intersection(emotions.index)] for way, table in columns.items()}
    first = next(iter(tables))
    measures = [measure for measure in tables[first] if tables[first][measure].notna().any()]
    if not measures:
        raise SernbError("none of the measures has a value for an utterance with an emotion.")

    figure = Picture(height=0.5 + (0.95 + 0.24 * len(order)) * len(measures))
    axes = figure.subplots(len(measures), len(tables), squeeze=False, sharey=True)
    for row, measure in zip(axes, measures, strict=True):
        for ax, (way, table) in zip(row, tables.items(), strict=True):
            values, labels = table[measure], emotions.reindex(table.index)
            _boxes(ax, values, labels, order)

            # What is explained, above the panel; the measure below it.
            shares = {"emotion": explained(values, labels)}
            if speakers is not None:
                shares["speaker"] = explained(values, speakers.reindex(table.index))
            known = [f"{by} {100 * max(share, 0):.0f} %" for by, share in shares.items() if pd.notna(share)]
            name = (names or {}).get(measure, measure)
            draw.tidy(ax, x=name if way == first else f"{name.split(' (')[0]} (deviations)", grid="x")
            draw.caption(ax, f"{way}: {', '.join(known)}" if known else way)
            ax.set_yticks(range(len(order)), order)
            ax.tick_params(axis="y", length=0)
    return draw.headline(figure, title or "How the emotions differ")


def feature_map(panels: dict[str, tuple[np.ndarray, pd.Series]], title: str = "") -> Picture:
    """Maps side by side: {caption: (places, labels)}; places (utterances, 2), labels a value an utterance.

    The axes of such a map (t-SNE, UMAP) have no unit, so none is drawn. Up to 16 groups are named in a
    legend, more of them are only coloured.
    """
    columns = 4 if len(panels) < 3 else 3  # of a legend
    named = max((n for _, labels in panels.values() if (n := labels.nunique()) <= NAMED), default=1)
    height = 0.8 + 8.6 / max(len(panels), 2) + 0.21 * -(-named // columns)
    figure, axes = draw.row(height, len(panels))
    for ax, (label, (places, labels)) in zip(axes, panels.items(), strict=True):
        places, labels = np.asarray(places), labels.astype(str).to_numpy()
        groups = in_order(np.unique(labels))

        # Dots, the smaller the more there are.
        emotions = set(groups) <= set(EMOTION_MARKERS)
        size = float(np.clip(9000 / max(len(places), 1), 4, 26))
        for number, group in enumerate(groups):
            color = emotion_color(group) if emotions else _group_color(number, len(groups))
            look = {"color": color, "marker": EMOTION_MARKERS[group] if emotions else "o"}
            ax.scatter(*places[labels == group].T, s=size, alpha=0.7, linewidths=0, label=group, **look)

        # A square without ticks at the top; what is left of the height is the legend's.
        draw.caption(ax, label, 10)
        ax.set(xticks=[], yticks=[], box_aspect=1, anchor="N")
        ax.spines[:].set_color("#dddddd")
        if len(groups) <= NAMED:
            spacing = {"handletextpad": 0.1, "columnspacing": 0.8, "markerscale": (30 / size) ** 0.5}
            ax.legend(handles=ax.collections, loc="upper center", bbox_to_anchor=(0.5, -0.01), ncols=columns,
                      frameon=False, fontsize=8, **spacing)  # fmt: skip
        else:
            ax.set_xlabel(f"{len(groups)} groups, a colour each", fontsize=9, color=INK)
    return draw.headline(figure, title or "A map of sounds")


def telling_words(table: pd.DataFrame, bar: float = float("nan"), most: int = 10, title: str = "") -> Picture:
    """The ``most`` telling words of each group, by z (:func:`sernb.evaluation.words.log_odds`).

    Beside a word stands how many utterances of the group say it, and how many of all others. Words short of
    the dashed line (``bar``), which shuffled labels reach too, are faint.
    """
    ordered = isinstance(table["group"].dtype, pd.CategoricalDtype)
    groups = list(table["group"].cat.categories) if ordered else in_order(table["group"].unique())
    rows = -(-len(groups) // COLUMNS)
    figure = Picture(height=0.9 + (0.8 + 0.2 * most) * rows)
    axes = figure.subplots(rows, min(COLUMNS, len(groups)), squeeze=False, sharex=True).ravel()
    top = max(float(table["z"].max()), 0.0 if pd.isna(bar) else bar, 1.0)
    for ax, group in zip(axes, groups, strict=False):
        best = table[table["group"] == group].nlargest(most, "z")
        best = best[best["z"] > 1e-6]  # none, of words that all say alike

        # A bar a word, its counts beside it.
        for number, (_, row) in enumerate(best.iterrows()):
            passed = pd.isna(bar) or row["z"] > bar
            ax.barh(number, row["z"], 0.72, color=emotion_color(group) if passed else "#d9d9d9")
            look = {"color": INK if passed else FAINT, "va": "center", "bbox": draw.CLEAR, "zorder": 3}
            counts = f"{row['word']}  {row['count']}:{row['others']}"
            draw.note(ax, counts, (row["z"], number), (4, 0), 8, **look)
        if pd.notna(bar):
            ax.axvline(bar, color=FAINT, linestyle="--", linewidth=1)

        # The words stand beside their bars.
        draw.tidy(ax, group, "z", xlim=(0, 1.75 * top), ylim=(most - 0.4, -0.6), yticks=[])
        ax.spines["left"].set_color(emotion_color(group))
        ax.tick_params(labelbottom=True)
    for ax in axes[len(groups) :]:
        ax.remove()
    return draw.headline(figure, title or "Words that tell (utterances of this group : of all others)")


def _largest(counts: pd.DataFrame) -> pd.DataFrame:
    """The `MOST` largest groups, largest first, and the sum of the others as the last row."""
    if len(counts) <= MOST + 1:
        return counts
    kept = counts.sum(axis=1).nlargest(MOST).index
    others = counts.drop(index=kept)
    return pd.concat([counts.loc[kept], others.sum().to_frame(f"{len(others)} others").T])


def _stacked(ax, counts):
    """Bars of groups, a piece an emotion with its number where that fits; returns the last pieces."""
    left, widest = 0, counts.sum(axis=1).max()
    for emotion in counts:
        bars = ax.barh(range(len(counts)), counts[emotion], 0.78, left, color=emotion_color(emotion),
                       label=emotion, edgecolor="white")  # fmt: skip
        numbers = [n if n > 0.03 * widest else "" for n in counts[emotion]]
        ink = "black" if emotion in ("surprised", "calm", "happy") else "white"
        ax.bar_label(bars, numbers, label_type="center", fontsize=8, color=ink)
        left = left + counts[emotion]
    return bars


def _names_down(ax, names):
    """The names of bars at the left, the first on top."""
    ax.set_yticks(range(len(names)), names)
    ax.invert_yaxis()
    ax.tick_params(axis="y", length=0)


def _boxes(ax, values, labels, order):
    """A box an emotion, over dots that lie at random heights within it."""
    colors = {emotion: emotion_color(emotion) for emotion in order}
    groups = {"y": labels, "order": order, "hue": labels, "hue_order": order, "palette": colors}
    look = {"showfliers": False, "width": 0.62, "fill": False, "linewidth": 1.3, "zorder": 3}
    sns.boxplot(x=values, **groups, ax=ax, legend=False, **look)
    some = values.sample(min(DOTS, len(values)), random_state=0)
    heights = labels[some.index].map(order.index).to_numpy()
    heights = heights + np.random.default_rng(0).uniform(-0.28, 0.28, len(some))
    ax.scatter(some, heights, s=4, color=labels[some.index].map(colors), alpha=0.25, linewidths=0, zorder=1)
    ax.set_ylim(len(order) - 0.5, -0.5)

    # All but the farthest half per cent at each end, with a margin: one odd clip does not squeeze the rest.
    low, high = values.quantile([0.005, 0.995])
    margin = 0.06 * (high - low) or 1.0
    ax.set_xlim(low - margin, high + margin)


def _group_color(number: int, count: int):
    if count <= 20:
        return colormaps["tab20"](number)
    return colormaps["turbo"]((number * 0.618034) % 1)  # neighbours in the list stand apart
