"""The plane of predictions: dots, lines to the truth, hover texts, and what a click gets."""

import json

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from sernb import figures
from sernb.core.errors import SernbError
from sernb.figures.palette import EMOTION_COLORS

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
    said = {one[0]: one[1] for dot in dots.values() for one in dot.customdata}
    row = predictions.loc["u3"]
    assert said["u3"].startswith("<b>u3</b> · happy · speaker s1<br>“&lt;img src=x")
    assert f"valence {row['valence_predicted']:.2f}, true {row['valence']:.2f}" in said["u3"]
    assert "no known truth" in said["u0"] and len(lines["sad"].x) == 3 * 14
    assert "<img" not in json.dumps(list(said.values())) and "</script" not in json.dumps(list(said.values()))


def test_lines_are_asked_for():
    predictions, utterances = given()
    hidden, shown = (figures.predicted_plane(predictions, utterances, lines=one) for one in (False, True))
    assert {t.opacity for t in parts(hidden)[0].values()} == {0} and {
        t.opacity for t in parts(shown)[0].values()
    } == {0.5}
    (menu,) = hidden.layout.updatemenus
    off, on = menu.buttons
    assert (menu.active, shown.layout.updatemenus[0].active) == (0, 1)
    assert off.args[0] == {"opacity": 0} and on.args[0] == {"opacity": 0.5} and off.args[2] == (0, 1)
    assert [hidden.data[i].mode for i in on.args[2]] == ["lines+markers"] * 2
    assert "ring" not in hidden.layout.title.text and "ring" in shown.layout.title.text
    for button, figure in ((off, hidden), (on, shown)):  # a button changes the title along
        assert button.args[1] == {"title.text": figure.layout.title.text}


def test_a_box_is_the_scale_where_it_is_known():
    predictions, utterances = given()
    (box,) = figures.predicted_plane(predictions, utterances).layout.shapes
    assert (box.x0, box.x1, box.y0, box.y1) == (1, 5, 1, 5) and box.layer == "below"
    assert not figures.predicted_plane(predictions).layout.shapes


def test_colour_may_be_the_error():
    predictions, utterances = given()
    predictions.loc["u0", "arousal"] = np.nan
    (dot,) = parts(figures.predicted_plane(predictions, utterances, color="error"))[1].values()
    rows = predictions.loc[[one[0] for one in dot.customdata]]
    away = np.hypot(rows["valence"] - rows["valence_predicted"], rows["arousal"] - rows["arousal_predicted"])
    np.testing.assert_allclose(dot.marker.color, away)
    assert "u0" not in rows.index and dot.marker.colorbar.title.text


def test_predictions_alone_and_labels_of_their_own(monkeypatch):
    predictions, _ = given()
    _, dots = parts(figures.predicted_plane(predictions))
    assert set(dots) == {"no label"} and dots["no label"].name == "no label"
    own = predictions.assign(emotion=BAD, predicted="sad")
    figure = figures.predicted_plane(own)
    assert BAD not in [t.name for t in figure.data] and "&lt;img" in figure.data[-1].name
    monkeypatch.setattr("sernb.figures.predicted_affect.MOST", 10)
    few = figures.predicted_plane(predictions)
    assert len(few.data[-1].x) == 10 and "10 of 30 drawn by chance" in few.layout.title.text


def test_bad_input_is_named():
    predictions, utterances = given()
    two = pd.concat([predictions, predictions.assign(seed=1)])
    models = pd.concat([predictions, predictions.assign(model="n")])
    cases = (
        (
            "'dominance' is not predicted.*arousal, valence",
            lambda: figures.predicted_plane(predictions, y="dominance"),
        ),
        ("one seed; the table has 0, 1", lambda: figures.predicted_plane(two)),
        ("2: m, n", lambda: figures.predicted_plane(models)),
        ("'speaker'", lambda: figures.predicted_plane(predictions, color="speaker")),
        ("the first is 'u0'", lambda: figures.predicted_plane(predictions, utterances.iloc[1:])),
        (
            "no prediction has a true",
            lambda: figures.predicted_plane(predictions.assign(valence=np.nan), color="error"),
        ),
    )
    for message, wrong in cases:
        with pytest.raises(SernbError, match=message):
            wrong()
