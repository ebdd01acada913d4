"""What distillation changes in the confusions, and how many parameters a model has by two ways to count."""

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.patches import Patch

from sernb.core.errors import SernbError
from sernb.core.tables import check_predictions, classes_of
from sernb.evaluation import confusion, scores
from sernb.figures.palette import (
    AGAINST_FOR,
    INK,
    Picture,
    plain,
    series_style,
    tidy,
)


def confusion_difference(predictions: pd.DataFrame, a: str, b: str, title: str = "") -> Picture:
    """The confusion matrices of models ``a`` and ``b`` and b minus a, side by side (Figure 4 of the paper on distilled
    3M-SER).

    Cells are shares of the true class (row, %), the mean over seeds; the difference is in points, orange where ``b``
    says it more often. A class that is never true shows a dash. Raises SernbError for a model that is not in the table.
    """
    table = check_predictions(predictions)
    there = list(map(str, table["model"].unique())) if "model" in table else []
    absent = [model for model in (a, b) if model not in there]
    if absent:
        raise SernbError(
            f"no model {absent[0]!r} in the predictions; there are: {', '.join(there) or 'none'}."
        )
    table = table[table["model"].isin([a, b])]
    classes = classes_of(table)
    shares = {model: _shares(table[table["model"] == model], classes) for model in (a, b)}
    panels = [*shares.values(), shares[b] - shares[a]]
    digits = 1 if len(classes) <= 5 else 0
    texts = [
        panel.map(lambda v, s=sign: _cell(v, digits, s))
        for panel, sign in zip(panels, ("", "", "+"), strict=True)
    ]
    largest = max(5.0, float(np.nanmax(panels[2].abs().to_numpy())))
    figure = Picture(height=min(2.3 + 0.42 * len(classes), 6.5))
    axes = figure.subplots(1, 3, sharey=True)
    recall = scores(table)["UAR"] * 100
    captions = [*(f"{_short(m, 30)}\nUAR {recall[m]:.1f} %" for m in (a, b)),
                f"second minus first\nUAR {recall[b] - recall[a]:+.1f} points"]  # fmt: skip
    for ax, panel, text, caption in zip(axes, panels, texts, captions, strict=True):
        difference = ax is axes[2]
        sns.heatmap(
            panel.fillna(0), ax=ax, annot=text.to_numpy(), fmt="", cmap=AGAINST_FOR if difference else "Blues", linewidths=1,
            vmin=-largest if difference else 0, vmax=largest if difference else 100,
            annot_kws={"fontsize": 9 if len(classes) <= 5 else 7},
            cbar_kws={"location": "bottom", "aspect": 30, "pad": 0.02,
                      "label": "points (orange: more often)" if difference else "share of the true emotion (%)"},
        )  # fmt: skip
        tidy(ax, "", "predicted emotion", "true emotion" if ax is axes[0] else "")
        ax.set_title(plain(caption), loc="left", fontsize=10, color=INK)
        ax.set_xticklabels([plain(_short(c, 14)) for c in classes], rotation=0 if len(classes) <= 4 else 45,
                           ha="center" if len(classes) <= 4 else "right", rotation_mode="anchor")  # fmt: skip
        ax.tick_params(length=0, labelsize=8.5)
    axes[0].set_yticklabels([plain(_short(c, 14)) for c in classes], rotation=0)
    _headline(figure, title or f"Confusions, {_seeds(table)}")
    return figure


def two_counts(table: pd.DataFrame, title: str = "") -> Picture:
    """Parameters of each model module by module, counted twice: as published, and all of them.

    ``table``: ``model``, ``module``, ``published`` and ``all`` (numbers of parameters; published NaN or 0 where a
    module was left out). Two bars a model; hatched in the lower one is what the published count leaves out. Raises
    SernbError for an absent column, a module that stands twice, and a published count above the module's own.
    """
    _needs(table, ["model", "module", "published", "all"])
    twice = table[table.duplicated(["model", "module"])]
    if len(twice):
        raise SernbError(
            f"{twice['module'].iloc[0]!r} stands twice for the model {twice['model'].iloc[0]!r}."
        )
    table = table.assign(published=table["published"].fillna(0))
    odd = table[(table["published"] > table["all"]) | (table["published"] < 0)]
    if len(odd):
        row = odd.iloc[0]
        raise SernbError(
            f"{row['module']!r} of {row['model']!r} has {row['all']:.0f} parameters, published are {row['published']:.0f}."
        )
    models, modules = list(table["model"].unique()), list(table["module"].unique())
    colors = {name: color for name, (color, _) in series_style(modules).items()}
    figure = Picture(height=1.9 + 0.85 * len(models) + 0.2 * -(-len(modules) // 3))
    ax = figure.subplots()
    most = table.groupby("model", sort=False)["all"].sum().max()
    unit, letter, words = (
        (1e6, "M", "million parameters") if most >= 1e6 else (1e3, "k", "thousand parameters")
    )
    for number, model in enumerate(models):
        rows = table[table["model"] == model]
        ends = {"published": 0.0, "all": 0.0}
        for _, row in rows.iterrows():
            counted, left_out = row["published"] / unit, (row["all"] - row["published"]) / unit
            for kind, y in (("published", number - 0.19), ("all", number + 0.19)):
                parts = [(counted, None)] if kind == "published" else [(counted, None), (left_out, "////")]
                for size, hatch in parts:
                    if size > 0:
                        ax.barh(y, size, 0.34, left=ends[kind], color=colors[row["module"]], hatch=hatch,
                                edgecolor="white", linewidth=0.6)  # fmt: skip
                        ends[kind] += size
        for (kind, y), word in zip((("published", number - 0.19), ("all", number + 0.19)),
                                   ("published count", "all parameters"), strict=True):  # fmt: skip
            ax.annotate(f"{ends[kind]:.2f} {letter}  {word}", (ends[kind], y), (4, 0), textcoords="offset points", va="center",
                        fontsize=8.5, color=INK)  # fmt: skip
    ax.set_yticks(range(len(models)), [plain(_short(model, 30)) for model in models])
    ax.invert_yaxis()
    ax.set_xlim(0, 1.3 * most / unit)
    tidy(ax, "", words, grid="x")
    legend = [Patch(color=color, label=plain(_short(name, 34))) for name, color in colors.items()]
    legend.append(
        Patch(facecolor="#bbbbbb", hatch="////", edgecolor="white", label="left out of the published count")
    )
    figure.legend(handles=legend, loc="outside lower left", ncols=3, frameon=False, fontsize=8.5)
    _headline(figure, title or "Two ways to count parameters")
    return figure


def _cell(value, digits, sign):
    if np.isnan(value):
        return "–"
    rounded = round(value, digits) or 0.0  # never -0
    return f"{rounded:{sign if rounded else ''}.{digits}f}".replace("-", "−")


def _shares(table, classes):
    """Per cent of each true class, the mean over seeds; NaN in the row of a class that is never true."""
    seeds = [rows for _, rows in table.groupby("seed", dropna=False)] if "seed" in table else [table]
    each = []
    for rows in seeds:
        counts = confusion(rows).reindex(index=classes, columns=classes, fill_value=0)
        each.append(counts.div(counts.sum(axis=1).replace(0, np.nan), axis=0).mul(100))
    return pd.concat(each).groupby(level=0, sort=False).mean().loc[classes]


def _seeds(table):
    seeds = table["seed"].nunique(dropna=False) if "seed" in table else 1
    return f"mean of {seeds} seeds" if seeds > 1 else "one run each"


def _needs(table, columns):
    lacking = [c for c in columns if c not in table]
    if lacking or not len(table):
        there = ", ".join(map(str, table.columns))
        raise SernbError(
            f"this figure needs the column {', '.join(lacking)}; the table has {there}." if lacking
            else "this figure needs a table with at least one row."
        )  # fmt: skip


def _short(text, longest):
    text = " ".join(str(text).split())
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _headline(figure, title):
    figure.suptitle(plain(title), x=0.01, ha="left", fontsize=11, fontweight="bold", color=INK)
