"""Scores of dimensions: truth against guesses, CCCs of models, what words add, and word errors."""

import numpy as np
import pandas as pd
import pytest

from sernb import figures
from sernb.core.errors import SernbError
from sernb.evaluation import bootstrap
from sernb.figures.dimensions import concordance_panels
from tests.figures.material import texts

METRICS = ("CCC_dominance", "CCC_arousal", "CCC_valence")


def test_each_panel_says_r_and_ccc_of_its_guess():
    truth = np.array([1.0, 2.0, 3.0])
    figure = concordance_panels(
        truth, {"same": truth, "one too high": truth + 1, "constant": [2, 2, 2]}, (1, 5)
    )
    said = [ax.texts[0].get_text() for ax in figure.axes]
    assert said == ["r = 1.00\nCCC = 1.00", "r = 1.00\nCCC = 0.57", "r = nan\nCCC = 0.00"]
    dots = next(one for one in figure.axes[1].collections if one.get_gid() == "guesses").get_offsets()
    np.testing.assert_allclose(dots[:, 1], truth + 1)
    assert (abs(dots[:, 0] - truth) <= 0.02 * 4).all() and (dots[:, 0] != truth).any()
    left, right = figure.axes[0].get_xlim()
    assert left < 1 and right > 5  # dots at the ends are whole


def test_the_axes_name_what_is_rated():
    figure = concordance_panels([1, 2, 3], {"a": [1, 2, 3], "b": [3, 2, 1]}, name="arousal")
    assert [ax.get_xlabel() for ax in figure.axes] == ["true arousal"] * 2
    assert [ax.get_ylabel() for ax in figure.axes] == ["guessed arousal", ""]


def test_other_lengths_are_named():
    with pytest.raises(SernbError, match="short: 2 guesses for 3"):
        concordance_panels([1, 2, 3], {"short": [1, 2]})


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
    figure = figures.dimension_comparison(table)
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
    names, encoders = ["seen", "seen", "unseen", "seen"], ["HuBERT", "DistilHuBERT"] * 2
    rows = pd.DataFrame({"name": names, "encoder": encoders,
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


def curve(targets=("valence", "arousal"), **columns):
    rows = [{"wer": w, "target": t, "value": 0.6 - 0.2 * w} for t in targets for w in (0.5, 0.0, 1.0)]
    table = pd.DataFrame(rows)
    return table.assign(low=table["value"] - 0.1, high=table["value"] + 0.1, **columns)


def test_the_curve_of_word_errors_and_its_recognisers():
    asr = pd.DataFrame({"name": ["Whisper $tiny$", "PocketSphinx"], "wer": [0.241, 0.6], "target": "valence",
                        "value": [0.5, 0.45], "low": [0.4, np.nan], "high": [0.6, np.nan]})  # fmt: skip
    figure = figures.wer_curve(curve(), asr, {"valence": 0.35})
    arousal, valence = figure.axes
    (line,) = [one for one in valence.lines if one.get_gid() == "curve"]
    np.testing.assert_allclose(line.get_data(), [[0, 50, 100], [0.6, 0.5, 0.4]])
    marks = [one.get_data() for one in valence.lines if one.get_gid() == "recogniser"]
    np.testing.assert_allclose(np.ravel(marks), [24.1, 0.5, 60, 0.45])
    assert [list(one.get_ydata()) for one in valence.lines if one.get_gid() == "without"] == [[0.35, 0.35]]
    assert {one.get_gid() for one in arousal.lines} == {"curve"}
    assert {
        "Whisper $tiny$ (WER 24.1 %)",
        "PocketSphinx (WER 60.0 %)",
        "speech alone",
        "word error rate (%)",
    } <= set(texts(figure))


def test_curves_of_systems_a_single_point_and_bad_tables():
    both = figures.wer_curve(pd.concat([curve(system="human words"), curve(system="corrupted words")]))
    assert [len(ax.lines) for ax in both.axes] == [2, 2] and "human words" in texts(both)
    point = curve(["valence"]).iloc[1:2].assign(low=np.nan, high=np.nan)
    (ax,) = figures.wer_curve(point).axes
    assert ax.get_xlim()[1] >= 10
    with pytest.raises(SernbError, match=r"0 or more.*-0\.5"):
        figures.wer_curve(curve().assign(wer=[-0.5, 0, 1] * 2))
    with pytest.raises(SernbError, match="stand twice"):
        figures.wer_curve(pd.concat([curve(), curve()]))
    with pytest.raises(SernbError, match="column name"):
        figures.wer_curve(curve(), curve())


def test_marks_at_one_rate_stand_apart_and_long_names_below_one_another():
    names = ["learnt the words of people, reads a machine's", "learnt and reads a machine's"]
    asr = pd.DataFrame(
        {"name": names, "wer": 0.7, "target": "valence", "value": 0.4, "low": 0.3, "high": 0.5}
    )
    figure = figures.wer_curve(curve(["valence"]), asr)
    first, second = [one for one in figure.axes[0].lines if one.get_gid() == "recogniser"]
    assert first.get_xdata()[0] == pytest.approx(69) and second.get_xdata()[0] == pytest.approx(71)
    assert first.get_color() != second.get_color()
    assert figure.legends[0]._ncols == 1 and f"{names[0]} (WER 70.0 %)" in texts(figure)


def test_speech_alone_may_have_an_interval():
    (ax,) = figures.wer_curve(curve(["valence"]), without_text={"valence": (0.35, 0.3, 0.4)}).axes
    (line,) = [one for one in ax.lines if one.get_gid() == "without"]
    assert list(line.get_ydata()) == [0.35, 0.35]
    (band,) = [one for one in ax.patches if one.get_gid() == "without"]
    assert (band.get_y(), band.get_height()) == (0.3, pytest.approx(0.1))


def test_a_categorical_system_keeps_its_colour():
    systems = pd.CategoricalDtype(["speech", "both", "words"])
    table = pd.concat([curve(["valence"], system=one) for one in ("words", "both")]).astype(
        {"system": systems}
    )
    both, words = figures.wer_curve(table).axes[0].lines
    only = figures.wer_curve(table[table["system"] == "words"])
    assert only.axes[0].lines[0].get_color() == words.get_color() != both.get_color()
    assert "speech" not in texts(only)
