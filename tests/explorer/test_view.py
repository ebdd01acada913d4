"""Views of six clips and two models, each list and count worked out by hand (conftest, hand_worked); what is
not known in a view is refused in words, whatever type it has.
"""

import json

import numpy as np
import pandas as pd
import pytest

from sernb.core.errors import SernbError
from sernb.core.tables import in_order
from sernb.explorer.view import cells, complete, default_view, matrix, rows_of
from tests.explorer.conftest import make_state
from tests.explorer.hand_worked import DIMENSIONS, DIMENSIONS_PAGE, SMALL, SMALL_PAGE


def ids(state, **view):
    return [state["utterance"][row] for row in rows_of(state, complete(view, state))[1]]


def counts(state, **view):
    view = complete(view, state)
    return matrix(state, view, rows_of(state, view)[0])


@pytest.mark.parametrize("view, expected", SMALL)
def test_lists(small_state, view, expected):
    assert ids(small_state, **view) == expected.split()


@pytest.mark.parametrize("view, expected", DIMENSIONS)
def test_lists_of_dimensions(dimensions, view, expected):
    assert ids(make_state(dimensions), **view) == expected.split()


def test_what_only_the_page_knows_is_said(small_state, dimensions):
    for state, views in ((small_state, SMALL_PAGE), (make_state(dimensions), DIMENSIONS_PAGE)):
        for view, _ in views:
            with pytest.raises(SernbError, match=r"only the page knows .* ask in a later cell"):
                ids(state, **view)


def test_the_matrix_and_its_cells(small_state):
    found = counts(small_state)
    assert found.index.tolist() == found.columns.tolist() == ["happy", "sad"]
    assert (found.index.name, found.columns.name) == ("emotion", "predicted")
    assert found.to_numpy().tolist() == [[2, 1], [2, 1]]
    assert cells(small_state, default_view(small_state), np.arange(6)) == {
        ("happy", "happy"): ["u1", "u2"],
        ("happy", "sad"): ["u5"],
        ("sad", "happy"): ["u3", "u6"],
        ("sad", "sad"): ["u4"],
    }


def test_real_counts_are_those_of_a_crosstab(embedded):
    p, u = embedded
    state = make_state(p, u)
    classes = in_order(p["emotion"].unique())
    expected = pd.crosstab(p["emotion"].astype(str), p["predicted"].astype(str)).loc[classes, classes]
    np.testing.assert_array_equal(counts(state), expected)
    by_speaker = counts(state, rows="speaker")
    assert by_speaker.sum(axis=1).to_dict() == p["speaker"].astype(str).value_counts().to_dict()


def test_the_matrix_counts_what_passes_and_not_what_is_chosen(small_state):
    view = complete({"threshold": 0.7, "cells": [["sad", "sad"]]}, small_state)
    passing, listed = rows_of(small_state, view)
    assert passing.tolist() == [0, 2, 3, 5] and listed.tolist() == [3]
    assert matrix(small_state, view, passing).to_numpy().tolist() == [[1, 0], [2, 1]]
    nothing = matrix(small_state, view, passing[:0])
    assert nothing.to_numpy().tolist() == [[0, 0], [0, 0]]


def test_likely_errors_come_in_their_own_order(small_state):
    small_state["models"][0]["errors"] = {"rows": [5, 2, 0]}
    assert ids(small_state, list="errors") == ["u6", "u3", "u1"]
    assert ids(small_state, list="errors", sort="unsure") == ["u3", "u1", "u6"]
    assert ids(small_state, list="errors", filters={"speaker": ["x"]}) == ["u3", "u1"]
    assert ids(small_state, list="errors", model="b") == []


def test_missing_values_stand_last_and_only_where_there_are_any(small_state):
    found = counts(small_state, rows="speaker", columns="emotion")
    assert found.index.tolist() == ["x", "y", ""]
    assert found.to_numpy().tolist() == [[2, 1], [1, 1], [0, 1]]
    assert counts(small_state, rows="speaker", filters={"fold": ["1"]}).index.tolist() == ["x", "y"]


def test_a_model_that_says_nothing_of_some_clips():
    p = pd.DataFrame(
        {"emotion": ["sad", "sad", None], "predicted": ["sad", "happy", "sad"], "model": ["a", "b", "a"]},
        index=["u1", "u2", "u3"],
    )
    state = make_state(p)
    assert ids(state) == ["u1", "u3"]
    assert ids(state, model="b") == ["u2"]
    assert ids(state, other="b", outcome="neither") == []
    assert counts(state).loc[""].tolist() == [0, 1]


def test_two_models_are_compared_on_the_clips_of_both():
    p = pd.DataFrame(
        {
            "emotion": ["sad", "sad", "sad", "happy"],
            "predicted": ["sad", "happy", "sad", "happy"],
            "model": ["a", "a", "b", "b"],
        },
        index=["u1", "u2", "u2", "u3"],
    )
    state = make_state(p)
    assert ids(state) == ["u1", "u2"]
    for tab in ("matrix", "quiz"):
        assert ids(state, other="b", tab=tab) == ["u2"]
    assert counts(state, other="b").to_numpy().sum() == 1


def test_a_threshold_is_for_models_that_tell_how_sure_they_are(small):
    p = small[0]
    state = make_state(p.drop(columns=["p_happy", "p_sad"]))
    assert ids(state, threshold=0.99) == ["u1", "u2", "u3", "u4", "u5", "u6"]
    p.loc[(p["model"] == "a") & (p.index == "u1"), ["p_happy", "p_sad"]] = np.nan
    assert ids(make_state(p), threshold=0.5) == ["u2", "u3", "u4", "u5", "u6"]  # of u1 it is not known


def test_what_is_of_classes_does_not_count_among_dimensions(small):
    p = small[0].assign(arousal=1.0, arousal_predicted=[1.0] * 5 + [None] + [2.0] * 6)
    state = make_state(p)
    view = {"tab": "dimensions", "threshold": 0.9, "other": "b", "outcome": "both"}
    assert ids(state, **view) == ["u1", "u2", "u3", "u4", "u5"]


def test_defaults(small_state):
    view = default_view(small_state)
    assert complete({}, small_state) == view == complete(view, small_state)
    assert json.loads(json.dumps(view)) == view
    assert (view["tab"], view["model"], view["rows"], view["columns"]) == (
        "matrix",
        "a",
        "emotion",
        "predicted",
    )


def test_what_is_given_is_kept_and_the_rest_filled_in(small_state):
    given = {
        "model": "b",
        "filters": {"speaker": ["x"], "length": [None, 2], "text": "a"},
        "quiz": {"seed": 7},
    }
    view = complete(given, small_state)
    assert view["filters"] == given["filters"]
    assert view["quiz"] == {"size": 10, "seed": 7}
    assert given["quiz"] == {"seed": 7}


def test_what_needs_a_second_model_goes_without_one(small_state):
    two = {"other": "b", "outcome": "only_a", "which": "difference", "rows": "other", "columns": "other"}
    assert complete(two, small_state)["which"] == "difference"
    for alone in (two | {"other": None}, two | {"other": "a"}):
        view = complete(alone, small_state)
        assert (view["other"], view["outcome"], view["which"]) == (None, None, "model")
        assert (view["rows"], view["columns"]) == ("emotion", "predicted")


@pytest.mark.parametrize(
    "view, words",
    [
        (None, "a view is a dict"),
        ([], "a view is a dict"),
        ("matrix", "a view is a dict"),
        ({"colour": 1}, "colour is 1"),
        ({1: 2}, "strings"),
        ({"tab": "maze"}, "tab is 'maze'.* 'matrix', 'dimensions'"),
        ({"tab": None}, "tab is None"),
        ({"model": "c"}, "model is 'c'; here it can be 'a', 'b'"),
        ({"model": ["a"]}, "model is"),
        ({"model": {}}, "model is"),
        ({"other": 0}, "other is 0"),
        ({"rows": "length"}, "rows is 'length'"),
        ({"columns": None}, "columns is None"),
        ({"show": 1}, "show"),
        ({"sort": "best"}, "sort"),
        ({"list": "all"}, "list is 'all'.* 'cells', 'errors'"),
        ({"outcome": "a"}, "outcome"),
        ({"dimension": "arousal"}, "dimension"),
        ({"utterance": "u7"}, "utterance 'u7' is not among"),
        ({"utterance": 3}, "utterance is 3"),
        ({"utterance": ["u1"]}, "utterance"),
        ({"threshold": "0.5"}, "threshold"),
        ({"threshold": True}, "threshold"),
        ({"threshold": float("nan")}, "threshold"),
        ({"threshold": 2}, "threshold is 2"),
        ({"residual": None}, "residual"),
        ({"residual": [1]}, "residual"),
        ({"residual": [float("inf"), 1]}, "residual"),
        ({"box": [1, 2]}, "box"),
        ({"box": {"x": [0, 1], "y": [0, None], "plane": False}}, "box.y"),
        ({"box": {"x": [0, 1], "y": [0, 1], "plane": 1}}, "box"),
        ({"quiz": 10}, "quiz"),
        ({"quiz": {"size": "all"}}, "quiz"),
        ({"quiz": {"time": 3}}, "quiz"),
        ({"filters": ["speaker"]}, "filters is"),
        (
            {"filters": {"weather": ["x"]}},
            "filters is 'weather'; here it can be 'text', 'confidence', 'speaker'",
        ),
        ({"filters": {"speaker": "x"}}, "expected a list of values"),
        ({"filters": {"speaker": ["z"]}}, "'z'.* here they can be 'x', 'y'"),
        ({"filters": {"speaker": [["x"]]}}, "filters.speaker"),
        ({"filters": {"text": 3}}, "filters.text"),
        ({"filters": {"length": [1, "2"]}}, "filters.length"),
        ({"filters": {"confidence": 0.5}}, "filters.confidence"),
        ({"cells": None}, "cells is None"),
        ({"cells": ["ab"]}, "cells.0 is 'ab'"),
        ({"cells": [["sad"]]}, "cells.0"),
        ({"cells": [["sad", "angry"]]}, "'angry'; here it can be '', 'happy', 'sad'"),
        ({"cells": [["sad", 1]]}, "cells.0"),
        ({"cells": [[{}, "sad"]]}, "cells.0"),
    ],
)
def test_what_is_not_known_is_refused(small_state, view, words):
    with pytest.raises(SernbError, match=words):
        complete(view, small_state)


def test_a_message_stays_short(small_state):
    with pytest.raises(SernbError) as problem:
        complete({"model": "x" * 100_000}, small_state)
    assert len(str(problem.value)) < 500
