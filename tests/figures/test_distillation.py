"""Confusions with and without distillation, parameters counted twice, and accuracy against cost."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from sernb.core.errors import SernbError
from sernb.figures.distillation import confusion_difference, pareto, two_counts
from tests.figures.material import texts


def rows(model, seed, truth, said):
    index = pd.Index([f"u{i}" for i in range(len(truth))], name="utterance")
    return pd.DataFrame(
        {"model": model, "seed": seed, "emotion": list(truth), "predicted": list(said)}, index
    )


def cells(ax):
    return [t.get_text() for t in ax.texts]


def test_difference_by_hand():
    """Two seeds: sad is right in 1 of 2 and 2 of 2 without (75 %), always with; angry 50 % and then 25 %."""
    truth = ["sad"] * 2 + ["angry"] * 4
    without = [
        ["sad", "angry", "angry", "angry", "sad", "sad"],
        ["sad", "sad", "angry", "angry", "sad", "sad"],
    ]
    with_it = [["sad", "sad", "angry", "sad", "sad", "sad"]] * 2
    models = {"small": without, "small + KD": with_it}
    table = pd.concat([rows(model, s, truth, said[s]) for model, said in models.items() for s in (0, 1)])
    figure = confusion_difference(table, "small", "small + KD")
    a, b, difference = figure.axes[:3]
    assert cells(a) == ["75.0", "25.0", "50.0", "50.0"]
    assert cells(b) == ["100.0", "0.0", "75.0", "25.0"]
    assert cells(difference) == ["+25.0", "−25.0", "+25.0", "−25.0"]
    assert [ax.get_title(loc="left") for ax in (a, b, difference)] == [
        "small\nUAR 62.5 %",
        "small + KD\nUAR 62.5 %",
        "second minus first\nUAR +0.0 points",
    ]
    assert figure.get_suptitle() == "Confusions, mean of 2 seeds"
    low, high = difference.collections[0].get_clim()
    assert low == -high == -25 and a.collections[0].get_clim() == (0, 100)


def test_seeds_are_averaged_not_pooled():
    """One of 1 and none of 3: the mean of the shares is 50 %, the pooled share would be 25 %."""
    table = pd.concat(
        [
            rows("m", 0, ["sad", "angry"], ["sad", "angry"]),
            rows("m", 1, ["sad"] * 3 + ["angry"], ["angry"] * 4),
        ]
    )
    table = pd.concat([table, table.assign(model="n")])
    figure = confusion_difference(table, "m", "n")
    assert cells(figure.axes[0])[0] == "50.0" and cells(figure.axes[2]) == ["0.0"] * 4


def test_a_class_that_is_never_true_or_that_one_model_alone_names():
    table = pd.concat(
        [rows("m", 0, ["sad", "sad"], ["sad", "sad"]), rows("n", 0, ["sad", "sad"], ["bored", "sad"])]
    )
    figure = confusion_difference(table, "m", "n")
    figure.draw_without_rendering()
    assert [t.get_text() for t in figure.axes[0].get_yticklabels()] == ["sad", "bored"]
    assert cells(figure.axes[2]) == ["−50.0", "+50.0", "–", "–"]


def test_eight_classes_long_names_and_dollars():
    rng = np.random.default_rng(0)
    classes = [
        "neutral",
        "happy",
        "sad",
        "angry",
        "fearful",
        "bored",
        "$own$ label",
        "an exceedingly long label",
    ]
    truth = rng.choice(classes, 200)
    table = pd.concat([rows(m, 0, truth, rng.choice(classes, 200)) for m in ("$a$ " + "long " * 20, "_b")])
    figure = confusion_difference(table, *table["model"].unique())
    figure.draw_without_rendering()
    for ax in figure.axes[:3]:
        assert len(ax.texts) == 64 and all(ax.texts)
        width = ax.get_window_extent().width / 8
        assert max(t.get_window_extent().width for t in ax.texts) < width


def test_models_that_are_not_there_are_named():
    table = rows("m", 0, ["sad"], ["sad"])
    with pytest.raises(SernbError, match=r"'n'.*there are: m"):
        confusion_difference(table, "m", "n")


COUNTS = [
    ("teacher", "embeddings", np.nan, 23_837_184),
    ("teacher", "layers", 85_054_464, 85_054_464),
    ("teacher", "head", 1_000_000, 3_000_000),
    ("student", "layers", 14_175_744, 14_175_744),
]


def table(rows=COUNTS):
    return pd.DataFrame(rows, columns=["model", "module", "published", "all"])


def test_two_counts_add_up_and_hatch_what_was_left_out():
    figure = two_counts(table())
    ax = figure.axes[0]
    assert {"86.05 M  published count", "111.89 M  all parameters", "14.18 M  published count"} <= set(
        texts(figure)
    )
    hatched = [p.get_width() for p in ax.patches if p.get_hatch()]
    assert hatched == pytest.approx([23.837184, 2.0])
    ends = [p.get_x() + p.get_width() for p in ax.patches]
    assert max(ends) == pytest.approx(111.891648)
    assert [t.get_text() for t in ax.get_yticklabels()] == ["teacher", "student"]
    assert ax.get_xlabel() == "million parameters"
    legend = [t.get_text() for t in figure.legends[0].get_texts()]
    assert legend == ["embeddings", "layers", "head", "left out of the published count"]


def test_two_counts_of_small_models_are_in_thousands():
    figure = two_counts(table([("tiny", "_all $of$ it", 1500, 2500)]))
    figure.draw_without_rendering()
    assert {"1.50 k  published count", "2.50 k  all parameters", "thousand parameters"} <= set(texts(figure))


def test_counts_that_cannot_be_are_named():
    cases = (
        ("published", table().drop(columns="published")),
        ("stand twice.*layers", table([*COUNTS, COUNTS[1]])),
        ("'head' of 'x' has 5 parameters, published are 7", table([("x", "head", 7, 5)])),
        ("at least one row", table([])),
    )
    for message, wrong in cases:
        with pytest.raises(SernbError, match=message):
            two_counts(wrong)


def models(**columns):
    table = pd.DataFrame(
        {
            "model": ["teacher", "mid", "small", "small + KD", "slow"],
            "size": [100.0, 50.0, 20.0, 20.0, 120.0],
            "value": [0.80, 0.74, 0.70, 0.75, 0.79],
            "low": [0.75, 0.70, 0.66, np.nan, 0.75],
            "high": [0.85, 0.78, 0.75, np.nan, 0.83],
            "without": [None, None, None, "small", None],
        }
    )
    return table.assign(**columns)


def traces(figure):
    return {trace.name: trace for trace in figure.data}


def test_the_front_holds_what_nothing_beats():
    front = traces(pareto(models(), "size"))["Pareto front"]
    assert list(front.y) == pytest.approx([75, 80])
    assert front.x[1] == 100 and front.x[0] == pytest.approx(20, abs=3)


def test_dots_have_their_numbers_and_intervals():
    figure = pareto(models(), "size", x_title="million parameters", y_title="UAR (%)")
    assert type(figure) is go.Figure
    alone, taught = (traces(figure)[name] for name in ("trained alone", "with distillation"))
    assert list(alone.text) == ["teacher", "mid", "small", "slow"] and list(taught.text) == ["small + KD"]
    assert list(alone.x) == [100, 50, 20, 120] and list(alone.y) == pytest.approx([80, 74, 70, 79])
    assert list(alone.error_y.array) == pytest.approx([5, 4, 5, 4])
    assert list(alone.error_y.arrayminus) == pytest.approx([5, 4, 4, 4])
    assert list(taught.error_y.array) == [0]
    assert alone.customdata[0] == "<b>teacher</b><br>80.0 % [75.0, 85.0]<br>million parameters: 100"
    assert taught.customdata[0].endswith(
        "75.0 %<br>million parameters: 20"
    )  # the true cost, though moved aside
    assert (figure.layout.xaxis.title.text, figure.layout.yaxis.title.text) == (
        "million parameters",
        "UAR (%)",
    )


def test_arrows_lead_from_without_to_with():
    figure = pareto(models(), "size")
    (arrow,) = figure.layout.annotations
    (moved,) = traces(figure)["with distillation"].x
    assert (arrow.ax, arrow.ay) == pytest.approx((20, 70))
    assert (arrow.x, arrow.y) == pytest.approx((moved, 75)) and moved > 20
    low, high = figure.layout.xaxis.range
    assert low < 20 and high > 120


def test_a_pair_of_other_costs_stays_where_it_is():
    figure = pareto(models(size=[100.0, 50.0, 20.0, 21.0, 120.0]), "size")
    assert list(traces(figure)["with distillation"].x) == [21]


def test_one_model_equal_models_and_rows_that_lack_a_number():
    one = pareto(models().iloc[:1].drop(columns=["low", "high", "without"]), "size")
    low, high = one.layout.xaxis.range
    assert low < 100 < high
    equal = pareto(models(size=5.0, value=0.5, without=None), "size")
    assert list(traces(equal)["Pareto front"].y) == [50] * 5
    lacking = pareto(models(value=[0.8, 0.7, np.nan, 0.75, 0.79]), "size")
    assert list(traces(lacking)["trained alone"].text) == ["teacher", "mid", "slow"]
    assert not lacking.layout.annotations


def test_names_are_harmless():
    bad = "<img src=x onerror=alert(1)> & a very long name of a model"
    figure = pareto(models(model=["teacher", bad, "small", "b", "slow"]), "size", x_title="<script>")
    alone = traces(figure)["trained alone"]
    assert alone.text[1].startswith("&lt;img") and len(alone.text[1]) < 45
    assert "&lt;img" in alone.customdata[1] and "&amp; a very" in alone.customdata[1]
    assert all("<img" not in one and "<script>" not in one for one in alone.customdata)
    assert figure.layout.xaxis.title.text == "&lt;script&gt;" and "<script>" not in figure.layout.title.text


def test_bad_tables_are_named():
    cases = (
        ("column milliseconds", lambda: pareto(models(), "milliseconds")),
        ("stand twice.*mid", lambda: pareto(models(model=["mid", "mid", "a", "b", "c"]), "size")),
        ("no model 'gone'", lambda: pareto(models(without="gone"), "size")),
        ("nothing to draw", lambda: pareto(models(value=np.nan), "size")),
    )
    for message, wrong in cases:
        with pytest.raises(SernbError, match=message):
            wrong()
