"""Views of six clips and two models, each list and each count worked out by hand (see conftest)."""

import numpy as np
import pandas as pd
import pytest

from sernb.core.tables import in_order
from sernb.explorer.state import make_state
from sernb.explorer.view import cells, matrix, passing, rows_of


def ids(state, **view):
    return [state["utterance"][row] for row in rows_of(state, view)]


def test_everything_passes_a_view_without_limits(small_state):
    assert ids(small_state) == ["u1", "u2", "u3", "u4", "u5", "u6"]


def test_the_matrix_and_its_cells(small_state):
    counts = matrix(small_state, {})
    assert counts.index.tolist() == counts.columns.tolist() == ["happy", "sad"]
    assert (counts.index.name, counts.columns.name) == ("emotion", "predicted")
    assert counts.to_numpy().tolist() == [[2, 1], [2, 1]]
    assert cells(small_state, {}) == {
        ("happy", "happy"): ["u1", "u2"],
        ("happy", "sad"): ["u5"],
        ("sad", "happy"): ["u3", "u6"],
        ("sad", "sad"): ["u4"],
    }
    assert cells(small_state, {"other": "b"}, "other")["sad", "sad"] == ["u3", "u4"]


def test_real_counts_are_those_of_a_crosstab(embedded):
    p, u = embedded
    state = make_state(p, u)
    classes = in_order(p["emotion"].unique())
    expected = pd.crosstab(p["emotion"].astype(str), p["predicted"].astype(str)).loc[classes, classes]
    np.testing.assert_array_equal(matrix(state, {}), expected)
    by_speaker = matrix(state, {"rows": "speaker"})
    assert by_speaker.sum(axis=1).to_dict() == p["speaker"].astype(str).value_counts().to_dict()


@pytest.mark.parametrize(
    "view, expected",
    [
        ({"cells": [["sad", "happy"]]}, "u3 u6"),
        ({"cells": [["sad", "happy"], ["happy", "sad"]]}, "u3 u5 u6"),
        ({"cells": [["sad", "happy"]], "tab": "quiz"}, "u1 u2 u3 u4 u5 u6"),
        ({"filters": {"speaker": ["x"]}}, "u1 u3 u5"),
        ({"filters": {"speaker": ["x", "y"]}}, "u1 u2 u3 u4 u5"),  # u6 has no speaker
        ({"filters": {"speaker": []}}, "u1 u2 u3 u4 u5 u6"),
        ({"filters": {"speaker": ["x"], "fold": ["2"]}}, "u5"),
        ({"filters": {"length": [1, 2.5]}}, "u1 u3 u4"),
        ({"filters": {"length": [None, 1]}}, "u1 u5"),
        ({"filters": {"confidence": [0.8, None]}}, "u1 u3 u6"),
        ({"filters": {"text": "GO"}}, "u1 u3"),
        ({"filters": {"text": "U6"}}, "u6"),
        ({"filters": {"text": ""}}, "u1 u2 u3 u4 u5 u6"),
        ({"other": "b", "outcome": "both"}, "u1 u4"),
        ({"other": "b", "outcome": "only_a"}, "u2"),
        ({"other": "b", "outcome": "only_b"}, "u3 u5"),
        ({"other": "b", "outcome": "neither"}, "u6"),
        ({"outcome": "neither"}, "u1 u2 u3 u4 u5 u6"),  # of one model there is no such thing
        ({"threshold": 0.7}, "u1 u3 u4 u6"),
        ({"threshold": 0.7, "model": "b"}, "u2 u3 u4 u6"),
        ({"threshold": 0.7, "tab": "quiz"}, "u1 u3 u4 u6"),
        ({"rows": "speaker", "cells": [["", "happy"]]}, "u6"),
        ({"sort": "confidence"}, "u6 u1 u3 u4 u2 u5"),
        ({"sort": "unsure"}, "u5 u2 u4 u3 u1 u6"),
        ({"sort": "length"}, "u2 u4 u3 u1 u5 u6"),  # u6's is not known
        ({"sort": "residual"}, "u1 u2 u3 u4 u5 u6"),
        ({"other": "b", "which": "other", "cells": [["sad", "sad"]]}, "u3 u4"),
        ({"other": "b", "which": "difference", "cells": [["sad", "sad"]]}, "u3"),
        ({"other": "b", "which": "difference", "cells": [["happy", "happy"], ["happy", "sad"]]}, ""),
        ({"other": "b", "columns": "other", "cells": [["sad", "sad"]]}, "u3 u4"),
        ({"list": "noted"}, ""),
    ],
)
def test_lists(small_state, view, expected):
    assert ids(small_state, **view) == expected.split()


def test_the_matrix_counts_what_passes_and_not_what_is_chosen(small_state):
    view = {"threshold": 0.7, "cells": [["sad", "sad"]]}
    assert matrix(small_state, view).to_numpy().tolist() == [[1, 0], [2, 1]]
    assert passing(small_state, view).tolist() == [0, 2, 3, 5]


def test_noted_rows(small_state):
    assert rows_of(small_state, {"list": "noted"}, {"u4": {}, "elsewhere": {}}).tolist() == [3]


def test_likely_errors_come_in_their_own_order(small_state):
    small_state["models"][0]["errors"] = {"rows": [5, 2, 0], "scores": [0.05, 0.2, 0.3]}
    assert ids(small_state, list="errors") == ["u6", "u3", "u1"]
    assert ids(small_state, list="errors", sort="length") == ["u3", "u1", "u6"]
    assert ids(small_state, list="errors", filters={"speaker": ["x"]}) == ["u3", "u1"]
    assert ids(small_state, list="errors", model="b") == []


def test_missing_values_stand_last_and_only_where_there_are_any(small_state):
    counts = matrix(small_state, {"rows": "speaker", "columns": "emotion"})
    assert counts.index.tolist() == ["x", "y", ""]
    assert counts.to_numpy().tolist() == [[2, 1], [1, 1], [0, 1]]
    assert matrix(small_state, {"rows": "speaker", "filters": {"fold": ["1"]}}).index.tolist() == ["x", "y"]


def test_orders(small_state):
    assert matrix(small_state, {"rows": "speaker", "order": "name"}).index.tolist() == ["x", "y", ""]
    # x is wrong in u3 and u5 of three, y never
    assert matrix(small_state, {"rows": "speaker", "order": "confusion"}).index.tolist() == ["x", "y", ""]
    assert matrix(
        small_state, {"rows": "speaker", "columns": "fold", "order": "confusion"}
    ).columns.tolist() == ["2", "1"]
    # sad is wrong in two of three, happy in one of three; columns stand as rows do
    counts = matrix(small_state, {"order": "confusion"})
    assert counts.index.tolist() == counts.columns.tolist() == ["sad", "happy"]


def test_a_model_that_says_nothing_of_some_clips():
    p = pd.DataFrame(
        {"emotion": ["sad", "sad", None], "predicted": ["sad", "happy", "sad"], "model": ["a", "b", "a"]},
        index=["u1", "u2", "u3"],
    )
    state = make_state(p)
    assert ids(state) == ["u1", "u3"]
    assert ids(state, model="b") == ["u2"]
    assert ids(state, other="b", outcome="neither") == []
    assert matrix(state, {}).loc[""].tolist() == [0, 1]


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
    assert matrix(state, {"other": "b"}).to_numpy().sum() == 1
    assert matrix(state, {"other": "b"}, "other").loc["sad", "sad"] == 1


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


def test_the_list_of_those_that_can_be_heard(small_state):
    assert ids(small_state, list="heard") == []
    small_state["sound"] = [1, 1, 0, 1, 0, 1]
    assert ids(small_state, list="heard") == ["u1", "u2", "u4", "u6"]
    assert ids(small_state, list="heard", cells=[["happy", "happy"]], sort="unsure") == ["u2", "u1"]
    small_state["embedded"] = [0, 4, 5]  # u5 has no sound
    assert ids(small_state, list="heard") == ["u1", "u6"]


def test_rows_without_truth_are_no_errors_in_the_order_by_confusion():
    p = pd.DataFrame(
        {
            "emotion": ["sad", "happy", "sad", None, None],
            "predicted": ["sad", "happy", "happy", "sad", "sad"],
        },
        index=[f"u{i}" for i in range(5)],
    )
    state = make_state(p)
    # Of what was called sad, one label is known and right; of happy, one of two is wrong.
    assert matrix(
        state, {"rows": "predicted", "columns": "emotion", "order": "confusion"}
    ).index.tolist() == [
        "happy",
        "sad",
    ]


def test_dimensions(dimensions):
    state = make_state(dimensions)
    view = {"tab": "dimensions"}
    assert ids(state) == ["u1", "u2", "u3", "u4"]  # the only tab that is left
    assert ids(state, **view, residual=[0, None]) == ["u1", "u3"]
    assert ids(state, **view, residual=[-1, 0.25]) == ["u2", "u3"]
    assert ids(state, **view, sort="residual") == ["u2", "u1", "u3", "u4"]
    assert ids(state, **view, sort="residual", dimension="valence") == ["u1", "u2", "u3", "u4"]
    assert ids(state, **view, box={"x": [2, 3], "y": [2, 2.2], "plane": False}) == ["u2"]
    plane = {"x": [1.2, 3], "y": [2.2, 4.25], "plane": True}
    assert ids(state, **view, box=plane, plane="predicted") == ["u1", "u3", "u4"]
    assert ids(state, **view, box=plane, plane="true") == ["u3"]
    assert ids(state, tab="matrix") == []
    assert matrix(state, {}).size == 0 or matrix(state, {}).to_numpy().sum() == 4


def test_nothing_passes(small_state):
    view = {"filters": {"text": "never said"}}
    assert ids(small_state, **view) == []
    assert matrix(small_state, view).to_numpy().tolist() == [[0, 0], [0, 0]]
    assert all(names == [] for names in cells(small_state, view).values())
