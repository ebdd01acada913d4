"""The browser and Python apply a view alike: the same list, the same counts in the same order, for made-up views."""

import json
import random

import numpy as np
import pytest

from sernb.explorer import explore, front, view
from tests.browser.material import predictions, utterances

HANDLE = """(given) => {
  const data = window.held, whole = completeView(data, given.view), rows = passing(data, whole);
  const matrix = matrixOf(data, whole, rows, whole.which === "other" ? "other" : "model");
  return { rows: listed(data, whole, given.notes), down: matrix.down, across: matrix.across,
    counts: matrix.down.map((_, i) => matrix.across.map((__, j) => matrix.count(i, j))) };
}"""


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
    """A view that somebody might have clicked together."""
    columns = {one["name"]: one for one in state["columns"]}
    groups = [name for name, one in columns.items() if one["kind"] == "category"]
    numbers = [name for name, one in columns.items() if one["kind"] == "number"]
    made = {
        "tab": draw.choice(["matrix", "matrix", "dimensions", "quiz"]),
        "model": draw.choice(["voice", "words"]),
        "other": draw.choice([None, "voice", "words"]),
        "rows": draw.choice(["emotion", "emotion", "predicted", "other", *groups]),
        "columns": draw.choice(["predicted", "predicted", "emotion", *groups]),
        "order": draw.choice(["given", "name", "confusion"]),
        "outcome": draw.choice([None, None, "both", "only_a", "only_b", "neither"]),
        "which": draw.choice(["model", "other", "difference"]),
        "list": draw.choice(["cells", "cells", "errors", "noted", "heard"]),
        "sort": draw.choice(["given", "confidence", "unsure", "length", "residual"]),
        "dimension": draw.choice(["arousal", "valence", "dominance"]),
        "plane": draw.choice(["true", "predicted"]),
        "threshold": draw.choice([0, 0, 0.5, 0.62]),
        "filters": {},
    }
    if draw.random() < 0.3:
        made["filters"]["text"] = draw.choice(["the", "NOT", "ses01", "zzz", ""])
    if draw.random() < 0.3:
        made["filters"][draw.choice(groups)] = []
    if draw.random() < 0.4:
        name = draw.choice(groups)
        made["filters"][name] = draw.sample(columns[name]["values"], k=draw.randint(0, 2))
    if draw.random() < 0.3:
        made["filters"]["confidence"] = draw.choice([[0.5, None], [None, 0.6], [0.4, 0.7]])
    if draw.random() < 0.3:
        name = draw.choice(numbers)
        known = sorted(one for one in columns[name]["values"] if one is not None)
        made["filters"][name] = [known[len(known) // 4], draw.choice([None, known[-5]])]
    if draw.random() < 0.4:
        made["residual"] = draw.choice([[0, None], [-0.5, 0.5], [None, -0.2]])
    if draw.random() < 0.3:
        made["box"] = {"x": [1.5, 4.0], "y": [2.0, 5.0], "plane": draw.random() < 0.5}
    return made


def test_a_hundred_views_in_both(open_page, explorer):
    page = open_page("about:blank")
    page.add_script_tag(content=front.module().replace("export default { render };", ""))
    state, notes = explorer.state, explorer.notes
    page.evaluate("(state) => { window.held = prepare(state) }", state)
    draw, told = random.Random(1), 0
    for number in range(300):
        made = some_view(draw, state)
        cells = list(view.cells(state, made))
        made["cells"] = [list(one) for one in draw.sample(cells, k=min(len(cells), draw.randint(0, 3)))]
        whole = view.complete(made, state)
        there = page.evaluate(HANDLE, {"view": whole, "notes": notes})
        here = view.rows_of(state, whole, notes)
        assert there["rows"] == here.tolist(), (number, json.dumps(made))
        counts = view.matrix(state, whole, "other" if whole["which"] == "other" else "model")
        assert there["down"] == counts.index.tolist(), (number, json.dumps(made))
        assert there["across"] == counts.columns.tolist(), (number, json.dumps(made))
        assert there["counts"] == counts.to_numpy().tolist(), (number, json.dumps(made))
        told += len(here) > 0
    assert told > 100  # most of them showed something
