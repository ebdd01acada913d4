"""Views are passed on between people: what is not known is refused in words, whatever type it has."""

import json

import pytest

from sernb.core.errors import SernbError
from sernb.explorer.view_checks import complete, default_view


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
        ({"colour": 1}, "no 'colour'; it knows tab, model"),
        ({1: 2}, "no 1"),
        ({"tab": "maze"}, "tab is 'maze'; here it can be 'matrix', 'dimensions', 'quiz'"),
        ({"tab": None}, "tab is None"),
        ({"model": "c"}, "model is 'c'; here it can be 'a', 'b'"),
        ({"model": ["a"]}, "model is"),
        ({"model": {}}, "model is"),
        ({"other": 0}, "other is 0"),
        ({"rows": "length"}, "rows is 'length'"),
        ({"columns": None}, "columns is None"),
        ({"show": 1}, "show"),
        ({"sort": "best"}, "sort"),
        ({"list": "all"}, "list is 'all'; here it can be 'cells', 'errors', 'noted', 'heard'"),
        ({"outcome": "a"}, "outcome"),
        ({"dimension": "arousal"}, "dimension"),
        ({"utterance": "u7"}, "utterance 'u7' is not among"),
        ({"utterance": 3}, "utterance 3"),
        ({"utterance": ["u1"]}, "utterance"),
        ({"threshold": "0.5"}, "threshold is '0.5'"),
        ({"threshold": True}, "threshold"),
        ({"threshold": float("nan")}, "threshold is nan"),
        ({"threshold": 2}, "from 0 to 1"),
        ({"residual": None}, "residual"),
        ({"residual": [1]}, "residual"),
        ({"residual": [float("inf"), 1]}, "residual"),
        ({"box": [1, 2]}, "box"),
        ({"box": {"x": [0, 1], "y": [0, None], "plane": False}}, "box, y,"),
        ({"box": {"x": [0, 1], "y": [0, 1], "plane": 1}}, "box"),
        ({"quiz": 10}, "quiz"),
        ({"quiz": {"size": "all"}}, "quiz"),
        ({"quiz": {"time": 3}}, "quiz"),
        ({"filters": ["speaker"]}, "filters are"),
        ({"filters": {"weather": ["x"]}}, "filters by 'weather'; here there are text, confidence, speaker"),
        ({"filters": {"speaker": "x"}}, "expected a list of values"),
        ({"filters": {"speaker": ["z"]}}, "'z'; here it can be 'x', 'y'"),
        ({"filters": {"speaker": [["x"]]}}, "filter of speaker"),
        ({"filters": {"text": 3}}, "expected words"),
        ({"filters": {"length": [1, "2"]}}, "filter of length"),
        ({"filters": {"confidence": 0.5}}, "filter of confidence"),
        ({"cells": None}, "cells are None"),
        ({"cells": ["ab"]}, "a cell of the view is 'ab'"),
        ({"cells": [["sad"]]}, "expected \\[row value, column value\\]"),
        ({"cells": [["sad", "angry"]]}, "'angry'; here it can be 'happy', 'sad'"),
        ({"cells": [["sad", 1]]}, "cell \\(predicted\\) is 1"),
        ({"cells": [[{}, "sad"]]}, "cell"),
    ],
)
def test_what_is_not_known_is_refused(small_state, view, words):
    with pytest.raises(SernbError, match=words):
        complete(view, small_state)


def test_a_message_stays_short(small_state):
    with pytest.raises(SernbError) as problem:
        complete({"model": "x" * 100_000}, small_state)
    assert len(str(problem.value)) < 500
