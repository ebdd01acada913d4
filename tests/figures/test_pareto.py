"""Accuracy against cost: the front, the intervals, the arrows of distillation."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from sernb.core.errors import SernbError
from sernb.figures.pareto import pareto


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


@pytest.mark.parametrize("logarithmic", [False, True])
def test_arrows_lead_from_without_to_with(logarithmic):
    figure = pareto(models(), "size", logarithmic=logarithmic)
    (arrow,) = figure.layout.annotations
    scale = np.log10 if logarithmic else float
    (moved,) = traces(figure)["with distillation"].x
    assert (arrow.ax, arrow.ay) == pytest.approx((scale(20), 70))
    assert (arrow.x, arrow.y) == pytest.approx((scale(moved), 75)) and moved > 20
    low, high = figure.layout.xaxis.range
    assert low < scale(20) and high > scale(120)
    assert figure.layout.xaxis.type == ("log" if logarithmic else "linear")


def test_a_pair_of_other_costs_stays_where_it_is():
    figure = pareto(models(size=[100.0, 50.0, 20.0, 21.0, 120.0]), "size")
    assert list(traces(figure)["with distillation"].x) == [21]


def test_one_model_equal_models_and_rows_that_lack_a_number():
    one = pareto(models().iloc[:1].drop(columns=["low", "high", "without"]), "size", logarithmic=True)
    low, high = one.layout.xaxis.range
    assert low < np.log10(100) < high
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
        ("'mid' stands twice", lambda: pareto(models(model=["mid", "mid", "a", "b", "c"]), "size")),
        ("'gone', which is no model", lambda: pareto(models(without="gone"), "size")),
        ("above 0.*-1", lambda: pareto(models(size=-1.0), "size", logarithmic=True)),
        ("nothing to draw", lambda: pareto(models(value=np.nan), "size")),
    )
    for message, wrong in cases:
        with pytest.raises(SernbError, match=message):
            wrong()
