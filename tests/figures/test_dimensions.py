"""CCCs of models side by side, and what words add."""

import matplotlib
import numpy as np
import pandas as pd
import pytest

from sernb import figures
from sernb.core.errors import SernbError
from sernb.evaluation import bootstrap

METRICS = ("CCC_dominance", "CCC_arousal", "CCC_valence")


def texts(figure):
    return [t.get_text() for t in figure.findobj(matplotlib.text.Text) if t.get_text()]


def intervals(models=("audio", "audio + text"), metrics=METRICS, **columns):
    rng = np.random.default_rng(0)
    rows = [{"model": m, "metric": k, "value": rng.uniform(0.3, 0.7)} for m in models for k in metrics]
    table = pd.DataFrame(rows)
    return table.assign(low=table["value"] - 0.05, high=table["value"] + 0.1, **columns)


def dots(ax):
    return [
        tuple(np.ravel(line.get_data())) for line in ax.lines if line.get_marker() not in ("None", None, "")
    ]


def spans(ax):
    return [
        tuple(line.get_xdata())
        for line in ax.lines
        if len(line.get_xdata()) == 2 and line.get_linestyle() == "-"
    ]


def test_every_model_has_its_ccc_and_interval_in_each_panel():
    table = intervals()
    figure = figures.dimension_comparison(table, references={"published": {"CCC_valence": 0.9}})
    assert [ax.get_xlabel() for ax in figure.axes] == ["CCC of arousal", "CCC of valence", "CCC of dominance"]
    for ax, metric in zip(figure.axes, ("CCC_arousal", "CCC_valence", "CCC_dominance"), strict=True):
        rows = table[table["metric"] == metric]
        np.testing.assert_allclose(dots(ax), list(zip(rows["value"], [0, 1], strict=True)))
        np.testing.assert_allclose(spans(ax), rows[["low", "high"]])
        for _, row in rows.iterrows():
            assert f"{row['value']:.2f} [{row['low']:.2f}, {row['high']:.2f}]" in [
                t.get_text() for t in ax.texts
            ]
    assert [t.get_text() for t in figure.axes[0].get_yticklabels()] == ["audio", "audio + text"]
    assert "published" in texts(figure) and figure.axes[0].get_xlim()[1] > 0.9


def test_parts_stand_below_one_another():
    table = pd.concat([intervals(part="seen"), intervals(part="unseen")])
    figure = figures.dimension_comparison(table, by="part")
    assert len({y for _, y in dots(figure.axes[0])}) == 4 and {"seen", "unseen"} <= set(texts(figure))
    with pytest.raises(SernbError, match="stand twice"):
        figures.dimension_comparison(table)


def colors(ax):
    return [line.get_color() for line in ax.lines if line.get_marker() not in ("None", None, "")]


def test_a_categorical_series_keeps_its_colours_and_a_lone_one_its_place():
    systems = pd.CategoricalDtype(["speech", "both", "words"])
    table = pd.concat([
        intervals(["HuBERT", "Distil"], ["CCC_valence"], system="speech"),
        intervals(["HuBERT", "Distil"], ["CCC_valence"], system="both"),
        intervals(["BERT"], ["CCC_valence"], system="words"),
    ]).astype({"system": systems})  # fmt: skip
    (ax,) = figures.dimension_comparison(table, by="system").axes
    heights = [y for _, y in dots(ax)]
    assert heights[4] == 2 and heights[0] < 0 < heights[2] and heights[2] - heights[0] < 0.5
    first = colors(ax)
    assert len(set(first)) == 3
    only = figures.dimension_comparison(table[table["system"] == "words"], by="system")
    assert colors(only.axes[0]) == [first[4]] and {"speech", "both"}.isdisjoint(texts(only))


def test_it_takes_what_the_bootstrap_gives():
    rng = np.random.default_rng(1)
    table = pd.DataFrame({"model": "$a$", "valence": rng.normal(size=40)}, [f"u{i}" for i in range(40)])
    table["valence_predicted"] = table["valence"] + rng.normal(size=40)
    given = bootstrap(table, ["CCC_valence", "CCC"], n=50)
    figure = figures.dimension_comparison(given)
    assert dots(figure.axes[0])[0][0] == given.loc[0, "value"] and figure.axes[1].get_xlabel() == "CCC, mean"
    assert "CCC of each model, 95 % interval by utterance, 40 utterances" in texts(figure)
    alone = bootstrap(table.iloc[:1], "CCC_valence", n=5)  # one utterance: neither a CCC nor an interval
    figures.dimension_comparison(alone).draw_without_rendering()
    with pytest.raises(SernbError, match="CCC_arousal"):
        figures.dimension_comparison(given.assign(metric="UAR"))


def test_one_dimension_without_interval_and_a_tiny_difference():
    table = intervals(metrics=["CCC_valence"]).assign(low=np.nan, high=np.nan, value=[0.4, 0.401])
    (ax,) = figures.dimension_comparison(table).axes
    assert not spans(ax) and "0.40" in [t.get_text() for t in ax.texts]
    assert np.diff(ax.get_xlim()) > 0.19


def test_a_ccc_in_other_comparisons_is_no_percentage():
    table = intervals(metrics=["CCC_valence", "UAR"])
    ccc, uar = figures.model_comparison(table).axes
    assert (ccc.get_xlabel(), uar.get_xlabel()) == ("CCC of valence", "UAR (%)")
    first = table.iloc[0]
    assert dots(ccc)[0][0] == first["value"] and ccc.texts[0].get_text().startswith(f"{first['value']:.2f} [")


def gains(**columns):
    rows = [
        ("HuBERT", "FT", 0.2),
        ("HuBERT", "FT→FRZ", -0.05),
        ("DistilHuBERT", "FT", 1.0),
        ("DistilHuBERT", "FT→FRZ", 0.4),
    ]
    table = pd.DataFrame(rows, columns=["encoder", "setting", "value"])
    return table.assign(low=table["value"] - 0.1, high=table["value"] + 0.3).assign(**columns)


def bars(ax):
    return [bar.get_height() for bar in ax.patches if bar.get_width() < 0.5]


def test_gains_are_bars_in_per_cent_with_intervals():
    figure = figures.relative_gain(gains())
    (ax,) = figure.axes
    assert bars(ax) == pytest.approx([20, -5, 100, 40])
    spans = [tuple(line.get_ydata()) for line in ax.lines if line.get_gid() == "interval"]
    np.testing.assert_allclose(spans, [(10, 50), (-15, 25), (90, 130), (30, 70)])
    assert [t.get_text() for t in ax.texts] == ["+20 %", "−5 %", "+100 %", "+40 %"]
    assert {"FT", "FT→FRZ", "gain in valence CCC over speech alone (%)"} <= set(texts(figure))


def test_gains_without_interval_or_value_and_by_part():
    table = gains(high=np.nan)
    table.loc[0, "value"] = np.nan
    (ax,) = figures.relative_gain(table).axes
    assert bars(ax) == pytest.approx([-5, 100, 40]) and ax.texts[0].get_text() == "–"
    assert not [line for line in ax.lines if line.get_gid() == "interval"]
    both = figures.relative_gain(pd.concat([gains(part="seen"), gains(part="unseen")]))
    assert [ax.get_title(loc="left") for ax in both.axes] == ["seen", "unseen"]
    with pytest.raises(SernbError, match=r"stand twice.*HuBERT"):
        figures.relative_gain(pd.concat([gains(), gains()]))
    with pytest.raises(SernbError, match="column setting"):
        figures.relative_gain(gains().drop(columns="setting"))


def test_published_gains_are_marks_on_their_bars():
    rows = pd.DataFrame({"name": ["seen", "seen", "unseen", "seen"], "encoder": ["HuBERT", "DistilHuBERT"] * 2,
                         "setting": "FT", "value": [0.2, 0.6, 0.9, np.nan]})  # fmt: skip
    figure = figures.relative_gain(gains(), published=rows)
    (ax,) = figure.axes
    marks = [
        (*np.ravel(one.get_data()), one.get_marker()) for one in ax.lines if one.get_gid() == "published"
    ]
    assert [round(y) for _, y, _ in marks] == [20, 60, 90]
    assert marks[0][2] == marks[1][2] != marks[2][2] and {"seen", "unseen"} <= set(texts(figure))
    left, right = (bar.get_x() for bar in ax.patches[:2])
    assert left < marks[0][0] < right  # on the bar of FT
    both = pd.concat([gains(part="seen"), gains(part="unseen")])
    seen, unseen = figures.relative_gain(both, published=rows.assign(part=rows["name"])).axes
    assert [len([one for one in ax.lines if one.get_gid() == "published"]) for ax in (seen, unseen)] == [2, 1]
    with pytest.raises(SernbError, match="column name"):
        figures.relative_gain(gains(), published=gains())


def test_another_dimension_is_named():
    assert {"gain in arousal CCC over speech alone (%)", "What words add to speech: arousal"} <= set(
        texts(figures.relative_gain(gains(), dimension="arousal"))
    )
