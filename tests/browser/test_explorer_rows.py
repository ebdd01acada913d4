"""A view's rows in the page, worked out by hand; Python without a page gives the same, or says it cannot."""

import json
import random

import numpy as np
import pandas as pd
import pytest

from sernb.core.errors import SernbError
from sernb.explorer import explore, front, view
from tests.browser.material import predictions, utterances
from tests.explorer import hand_worked
from tests.explorer.conftest import dimensions, make_state, small, small_state  # noqa: F401

APPLY = """({ state, view, notes }) => {
  if (state) window.held = prepare(state);
  const whole = completeView(window.held, view);
  const rows = passing(window.held, whole);
  const matrix = matrixOf(window.held, whole, rows, whole.which === "other" ? "other" : "model");
  const counts = matrix.down.map((_, i) => matrix.across.map((__, j) => matrix.count(i, j)));
  const { down, across } = matrix;
  return { passing: rows, listed: listed(window.held, whole, notes), down, across, counts };
}"""


@pytest.fixture
def applied(open_page):
    """`applied(view, state=…, notes=…)`: what the front end makes of a view, by default of the last state."""
    page = open_page("about:blank")
    page.add_script_tag(content=front.module().replace("export default { render };", ""))
    return lambda view, state=None, notes=None: page.evaluate(
        APPLY, {"state": state, "view": view, "notes": notes or {}}
    )


def ids(state, found):
    return [state["utterance"][row] for row in found["listed"]]


def test_lists_worked_out_by_hand(applied, small_state, dimensions):  # noqa: F811
    for state, views in (
        (small_state, hand_worked.SMALL + hand_worked.SMALL_PAGE),
        (make_state(dimensions), hand_worked.DIMENSIONS + hand_worked.DIMENSIONS_PAGE),
    ):
        for given, expected in views:
            assert ids(state, applied(given, state)) == expected.split(), given


def test_orders(applied, small_state):  # noqa: F811
    def order(**view):
        found = applied(view, small_state)
        return found["down"], found["across"]

    assert order(rows="speaker", order="name")[0] == ["x", "y", ""]
    # x is wrong in u3 and u5 of three, y never
    assert order(rows="speaker", order="confusion")[0] == ["x", "y", ""]
    assert order(rows="speaker", columns="fold", order="confusion")[1] == ["2", "1"]
    # sad is wrong in two of three, happy in one of three; columns stand as rows do
    assert order(order="confusion") == (["sad", "happy"], ["sad", "happy"])


def test_rows_without_truth_are_no_errors_in_the_order_by_confusion(applied):
    truth, said = ["sad", "happy", "sad", None, None], ["sad", "happy", "happy", "sad", "sad"]
    state = make_state(pd.DataFrame({"emotion": truth, "predicted": said}, [f"u{i}" for i in range(5)]))
    # Of what was called sad, one label is known and right; of happy, one of two is wrong.
    found = applied({"rows": "predicted", "columns": "emotion", "order": "confusion"}, state)
    assert found["down"] == ["happy", "sad"]


def test_the_lists_of_errors_of_notes_and_of_sound(applied, small_state):  # noqa: F811
    small_state["models"][0]["errors"] = {"rows": [5, 2, 0]}
    small_state["sound"] = [1, 1, 0, 1, 0, 1]

    def listed(notes=None, **view):
        return ids(small_state, applied(view, small_state, notes))

    assert listed(list="errors") == ["u6", "u3", "u1"]
    assert listed(list="errors", sort="length") == ["u3", "u1", "u6"]
    assert listed(list="errors", filters={"speaker": ["x"]}) == ["u3", "u1"]
    assert listed(list="errors", model="b") == []
    assert listed({"u4": {}, "elsewhere": {}}, list="noted") == ["u4"]
    assert listed(list="heard") == ["u1", "u2", "u4", "u6"]
    assert listed(list="heard", cells=[["happy", "happy"]], sort="unsure") == ["u2", "u1"]
    small_state["embedded"] = [0, 4, 5]  # u5 has no sound
    assert listed(list="heard") == ["u1", "u6"]


@pytest.fixture(scope="module")
def explorer():
    table = utterances(90)
    said = predictions(table)
    # What is missing: a speaker, words, a length, a rating, and a model that skips some clips.
    table.loc[table.index[3], "speaker"] = None
    table.loc[table.index[4], "text"] = None
    table["style"] = [None, "loud", "soft"] * 30
    table["breath"] = table["breath"].astype(float).where(np.arange(90) != 7)
    said = said[~((said["model"] == "words") & said.index.isin(table.index[:6]))]
    said.loc[table.index[8], "arousal"] = np.nan
    said.loc[table.index[40:50], "emotion"] = None  # and some truths
    table["emotion"] = table["emotion"].where(~table.index.isin(table.index[40:50]))
    table.loc[table.index[60], "path"] = "/not/there.wav"
    notes = {table.index[2]: {"note": "a", "tags": []}, table.index[50]: {"note": "", "tags": ["b"]}}
    return explore(said, table, notes=notes)


def some_view(draw, state):
    """A view that somebody might have clicked together; about half of them are simple."""
    columns = {column["name"]: column for column in state["columns"]}
    groups = [name for name, column in columns.items() if column["kind"] == "category"]
    numbers = [name for name, column in columns.items() if column["kind"] == "number"]
    made = {
        "tab": draw.choice(["matrix", "matrix", "dimensions", "quiz"]),
        "model": draw.choice(["voice", "words"]),
        "other": draw.choice([None, "voice", "words"]),
        "rows": draw.choice(["emotion", "emotion", "predicted", "other", *groups]),
        "columns": draw.choice(["predicted", "predicted", "emotion", *groups]),
        "outcome": draw.choice([None, None, "both", "only_a", "only_b", "neither"]),
        "list": draw.choice(["cells", "cells", "errors"]),
        "sort": draw.choice(["given", "confidence", "unsure", "residual"]),
        "dimension": draw.choice(["arousal", "valence", "dominance"]),
        "plane": draw.choice(["true", "predicted"]),
        "threshold": draw.choice([0, 0, 0.5, 0.62]),
        "filters": {},
    }
    if draw.random() < 0.3:
        made["filters"][draw.choice(groups)] = []
    if draw.random() < 0.4:
        name = draw.choice(groups)
        made["filters"][name] = draw.sample(columns[name]["values"], k=draw.randint(0, 2))
    if draw.random() < 0.5:
        return made
    made |= draw.choice(
        [
            {"filters": {"text": draw.choice(["the", "NOT", "ses01", "zzz"])}},
            {"filters": {"confidence": draw.choice([[0.5, None], [None, 0.6], [0.4, 0.7]])}},
            {"filters": {draw.choice(numbers): [1, None]}},
            {"list": draw.choice(["noted", "heard"])},
            {"sort": "length"},
            {"residual": draw.choice([[0, None], [-0.5, 0.5], [None, -0.2]])},
            {"box": {"x": [1.5, 4.0], "y": [2.0, 5.0], "plane": draw.random() < 0.5}},
            {"which": draw.choice(["other", "difference"]), "other": "words", "model": "voice"},
        ]
    )
    return made


def test_three_hundred_views_in_both(applied, explorer):
    state, draw, simple, filled = explorer.state, random.Random(1), 0, 0
    applied({}, state)
    for number in range(300):
        made = view.complete(some_view(draw, state), state)
        cells = list(view.cells(state, made, np.arange(state["n"])))
        made["cells"] = [list(cell) for cell in draw.sample(cells, k=min(len(cells), draw.randint(0, 3)))]
        there = applied(made, notes=explorer.notes)
        try:
            passing, listed = view.rows_of(state, made)
        except SernbError:
            passing = np.array(there["passing"], int)
        else:
            simple += 1
            assert there["passing"] == passing.tolist(), (number, json.dumps(made))
            assert there["listed"] == listed.tolist(), (number, json.dumps(made))
        if made["which"] != "other":
            counts = view.matrix(state, made, passing)
            assert there["down"] == counts.index.tolist(), (number, json.dumps(made))
            assert there["across"] == counts.columns.tolist(), (number, json.dumps(made))
            assert there["counts"] == counts.to_numpy().tolist(), (number, json.dumps(made))
        filled += len(there["listed"]) > 0
    assert simple > 100 and filled > 100  # most of them showed something
