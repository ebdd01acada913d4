"""The planes of ratings and of predictions: dots, lines to the truth, hover texts, and what a click gets."""

import json

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from sernb import figures
from sernb.core.errors import SernbError
from sernb.figures.palette import EMOTION_COLORS
from tests.figures.material import utterances


def test_the_plane_tells_the_utterance_and_draws_the_means():
    table = utterances()
    figure = figures.affect_plane(table)
    dots = {trace.name: trace for trace in figure.data if trace.customdata is not None}
    assert set(dots) == {"sad", "angry", "happy"}
    rows = table[table["emotion"] == "sad"]
    assert sorted(one[0] for one in dots["sad"].customdata) == sorted(rows.index)
    at = {
        one[0]: (x, y) for one, x, y in zip(dots["sad"].customdata, dots["sad"].x, dots["sad"].y, strict=True)
    }
    name = rows.index[0]
    assert at[name] == pytest.approx((rows.loc[name, "valence"], rows.loc[name, "arousal"]), abs=0.125)
    hover = dict(zip((one[0] for one in dots["sad"].customdata), dots["sad"].hovertext, strict=True))[name]
    assert f"<b>{name}</b> · sad · speaker {rows.loc[name, 'speaker']}" in hover
    assert f"“{rows.loc[name, 'text']}”" in hover and f"arousal {rows.loc[name, 'arousal']:.2f}" in hover
    means = [trace for trace in figure.data if trace.customdata is None]
    assert len(means) == 3 and {round(m.x[0], 6) for m in means} == set(
        table.groupby("emotion")["valence"].mean().round(6)
    )
    assert figure.layout.xaxis.title.text == "valence (1 to 5)"
    assert dots["sad"].marker.color == EMOTION_COLORS["sad"]


def test_the_planes_buttons_bring_other_dimensions():
    table = utterances()
    buttons = figures.affect_plane(table).layout.updatemenus[0].buttons
    assert [b.label for b in buttons] == [
        "arousal over valence",
        "dominance over valence",
        "arousal over dominance",
    ]
    data, titles = buttons[1].args
    figure = figures.affect_plane(table)
    names = [one[0] for one in figure.data[0].customdata]
    np.testing.assert_allclose(data["y"][0], table.loc[names, "dominance"], atol=0.125)
    assert len(data["x"]) == len(figure.data) and titles["yaxis.title.text"] == "dominance (1 to 5)"
    assert not figures.affect_plane(table.drop(columns="dominance")).layout.updatemenus


def test_jitter_stays_within_half_a_step_and_comes_back():
    table = utterances()
    moved, again = (figures.affect_plane(table).data[0] for _ in range(2))
    apart = np.abs(table.loc[[name for (name,) in moved.customdata], "valence"] - np.array(moved.x))
    assert 0 < apart.max() <= 0.125 and list(moved.x) == list(again.x)


def test_the_plane_escapes_and_does_without_labels():
    table = utterances(4).drop(columns=["emotion", "speaker"])
    table["text"] = "<img src=x onerror=y> </script> " + "long " * 60
    table.index = pd.Index([f"<b>{i}" for i in range(4)], name="utterance")
    figure = figures.affect_plane(table)
    assert [trace.name for trace in figure.data] == ["no label"]
    shown = json.dumps(list(figure.data[0].hovertext))
    assert "<img" not in shown and "</script" not in shown and "&lt;img" in shown and "<b>&lt;b&gt;0" in shown
    assert all(len(line) < 100 for one in figure.data[0].hovertext for line in one.split("<br>"))
    with pytest.raises(SernbError, match="column arousal"):
        figures.affect_plane(table.drop(columns="arousal"))


def test_a_large_plane_shows_some_and_says_so(monkeypatch):
    monkeypatch.setattr("sernb.figures.affect.MOST", 20)
    figure = figures.affect_plane(utterances())
    assert sum(len(t.x) for t in figure.data if t.customdata is not None) == 20
    assert "20 of 60" in figure.layout.title.text


BAD = "<img src=x onerror=y> </script>"


def given(n=30):
    rng = np.random.default_rng(0)
    index = pd.Index([f"u{i}" for i in range(n)], name="utterance")
    utterances = pd.DataFrame(
        {"emotion": np.resize(["sad", "happy"], n), "speaker": "s1", "text": f"{BAD} words"}, index
    )
    predictions = pd.DataFrame({"model": "m", "seed": 0}, index)
    for one in ("arousal", "valence"):
        predictions[one] = utterances[one] = rng.uniform(1, 5, n)
        predictions[f"{one}_predicted"] = 3 + 0.5 * (predictions[one] - 3)
    utterances.attrs["scale"] = (1, 5)
    return predictions, utterances


def parts(figure):
    """({group: lines}, {group: dots})"""
    return tuple(
        {t.legendgroup: t for t in figure.data if t.mode == mode} for mode in ("lines+markers", "markers")
    )


def test_dots_are_predictions_and_lines_end_at_the_truth():
    predictions, utterances = given()
    figure = figures.predicted_plane(predictions, utterances)
    assert type(figure) is go.Figure
    lines, dots = parts(figure)
    assert set(lines) == set(dots) == {"sad", "happy"}
    for group, dot in dots.items():
        names = [one[0] for one in dot.customdata]
        assert set(names) == set(utterances.index[utterances["emotion"] == group])
        rows = predictions.loc[names]
        np.testing.assert_allclose(dot.x, rows["valence_predicted"])
        np.testing.assert_allclose(dot.y, rows["arousal_predicted"])
        assert dot.marker.color == EMOTION_COLORS[group]
        ends = np.reshape(lines[group].x, (-1, 3)), np.reshape(lines[group].y, (-1, 3))
        np.testing.assert_allclose(ends[0][:, :2], rows[["valence_predicted", "valence"]])
        np.testing.assert_allclose(ends[1][:, :2], rows[["arousal_predicted", "arousal"]])
        assert np.isnan(ends[0][:, 2]).all() and lines[group].customdata is None
    assert figure.layout.xaxis.title.text == "predicted valence (1 to 5)"


def test_a_dot_says_what_is_predicted_and_true():
    predictions, utterances = given()
    predictions.loc["u0", "valence"] = np.nan
    lines, dots = parts(figures.predicted_plane(predictions, utterances))
    said = {
        one[0]: text for dot in dots.values() for one, text in zip(dot.customdata, dot.hovertext, strict=True)
    }
    row = predictions.loc["u3"]
    assert said["u3"].startswith("<b>u3</b> · happy · speaker s1<br>“&lt;img src=x")
    assert f"valence {row['valence_predicted']:.2f}, true {row['valence']:.2f}" in said["u3"]
    assert "no known truth" in said["u0"] and len(lines["sad"].x) == 3 * 14
    assert "<img" not in json.dumps(list(said.values())) and "</script" not in json.dumps(list(said.values()))


def test_lines_are_asked_for():
    figure = figures.predicted_plane(*given())
    assert {t.opacity for t in parts(figure)[0].values()} == {0}
    (menu,) = figure.layout.updatemenus
    off, on = menu.buttons
    assert off.args[0] == {"opacity": 0} and on.args[0] == {"opacity": 0.5} and off.args[2] == (0, 1)
    assert [figure.data[i].mode for i in on.args[2]] == ["lines+markers"] * 2
    assert off.args[1] == {"title.text": figure.layout.title.text} and "ring" not in figure.layout.title.text
    figure.plotly_update(*on.args)  # a button changes the title along
    assert {t.opacity for t in parts(figure)[0].values()} == {0.5} and "ring" in figure.layout.title.text


def test_a_box_is_the_scale_where_it_is_known():
    predictions, utterances = given()
    (box,) = figures.predicted_plane(predictions, utterances).layout.shapes
    assert (box.x0, box.x1, box.y0, box.y1) == (1, 5, 1, 5) and box.layer == "below"
    assert not figures.predicted_plane(predictions).layout.shapes


def test_predictions_alone_and_labels_of_their_own(monkeypatch):
    predictions, _ = given()
    _, dots = parts(figures.predicted_plane(predictions))
    assert set(dots) == {"no label"} and dots["no label"].name == "no label"
    own = predictions.assign(emotion=BAD, predicted="sad")
    figure = figures.predicted_plane(own)
    assert BAD not in [t.name for t in figure.data] and "&lt;img" in figure.data[-1].name
    monkeypatch.setattr("sernb.figures.affect.MOST", 10)
    few = figures.predicted_plane(predictions)
    assert len(few.data[-1].x) == 10 and "10 of 30 drawn by chance" in few.layout.title.text


def test_bad_input_is_named():
    predictions, utterances = given()
    two = pd.concat([predictions, predictions.assign(seed=1)])
    models = pd.concat([predictions, predictions.assign(model="n")])
    cases = (
        (
            "'dominance'; there are: arousal, valence",
            lambda: figures.predicted_plane(predictions, y="dominance"),
        ),
        ("one seed.*the table has 0, 1", lambda: figures.predicted_plane(two)),
        ("2: m, n", lambda: figures.predicted_plane(models)),
        ("the first is 'u0'", lambda: figures.predicted_plane(predictions, utterances.iloc[1:])),
    )
    for message, wrong in cases:
        with pytest.raises(SernbError, match=message):
            wrong()
