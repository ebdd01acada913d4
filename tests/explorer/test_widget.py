"""The widget: what Python reads of it follows the view, and nothing that a browser sends can break it."""

import json
import time

import numpy as np
import pandas as pd
import pytest

from sernb.core.errors import SernbError
from sernb.core.tables import write_predictions
from sernb.explorer import Explorer, explore, front, write_notes
from sernb.explorer.view import UNLISTED
from tests.explorer.conftest import make_state

VIEW = "application/vnd.jupyter.widget-view+json"


@pytest.fixture(autouse=True)
def live(monkeypatch):
    monkeypatch.delenv("SERNB_REPORT", raising=False)


@pytest.fixture
def explorer(small):
    return explore(*small, title="two models")


@pytest.fixture
def sent(explorer, monkeypatch):
    """Messages that go to the browser."""
    messages = []
    monkeypatch.setattr(explorer, "_send", lambda message, buffers=None: messages.append(message))
    return messages


def browser(explorer, **state):
    explorer._handle_msg(
        {"content": {"data": {"method": "update", "state": state, "buffer_paths": []}}, "buffers": []}
    )


def ask(explorer, content):
    explorer._handle_msg({"content": {"data": {"method": "custom", "content": content}}, "buffers": []})


def test_the_widget_holds_code_state_view_and_notes(explorer):
    state = explorer.get_state()
    assert state["_esm"] == front.module() and "export default { render };" in state["_esm"]
    assert "sernb-explorer" in state["_css"]
    assert state["state"]["title"] == "two models"
    assert state["view"]["model"] == "a" and state["notes"] == {}
    json.dumps({name: state[name] for name in ("state", "view", "notes")}, allow_nan=False)


def test_selected_is_the_list_with_all_that_is_known(explorer):
    explorer.view = {"model": "b", "cells": [["sad", "sad"]], "sort": "confidence"}
    found = explorer.selected
    assert found.index.tolist() == ["u4", "u3"] and found.index.name == "utterance"
    assert found["model"].tolist() == ["b", "b"]
    assert found["text"].tolist() == ["no", "go away"] and found["speaker"].tolist() == ["y", "x"]
    assert "note" not in found
    explorer.notes = {"u3": {"note": "hm", "tags": ["a", "b"]}}
    assert explorer.selected["note"].tolist() == ["", "hm"]
    assert explorer.selected["tags"].tolist() == ["", "a; b"]


def tell(explorer, listed, passing=None, view=None, noted=None):
    """What a page sends when it has drawn a view."""
    view = {name: value for name, value in (view or explorer.view).items() if name not in UNLISTED}
    ask(explorer, {"tell": "rows", "view": view, "noted": noted, "passing": passing, "listed": listed})


def test_the_page_tells_the_rows_of_its_view(explorer):
    explorer.view = {"filters": {"text": "no"}, "sort": "length"}
    with pytest.raises(SernbError, match="only the page knows"):
        explorer.selected  # noqa: B018
    tell(explorer, listed=[4, 3], passing=[3, 4])
    assert explorer.selected.index.tolist() == ["u5", "u4"]
    assert explorer.matrix.to_numpy().tolist() == [[0, 1], [0, 1]]
    assert explorer.cells["happy", "sad"] == ["u5"]
    explorer.view = {**explorer.view, "show": "row", "utterance": "u1"}  # the list is the same
    assert explorer.selected.index.tolist() == ["u5", "u4"]
    tell(explorer, listed=None, passing=[4])
    assert explorer.selected.index.tolist() == ["u5"]
    tell(explorer, listed=None)
    assert len(explorer.selected) == 6
    explorer.view = {"cells": [["sad", "sad"]]}  # what the page told is of another view
    assert explorer.selected.index.tolist() == ["u4"]


def test_rows_that_were_told_before_their_view_or_their_notes_count_for_them(explorer):
    view = explorer.view | {"list": "noted"}
    tell(explorer, view=view, listed=[2], noted=["u3"])
    assert len(explorer.selected) == 6
    explorer.notes = {"u3": {"note": "hm", "tags": []}}
    explorer.view = view
    assert explorer.selected.index.tolist() == ["u3"]
    assert explorer.selected["predicted"].tolist() == ["happy"]  # of model a
    explorer.notes = {}
    with pytest.raises(SernbError, match="only the page knows"):
        explorer.selected  # noqa: B018


@pytest.mark.parametrize("rows", [[6], [-1], ["u1"], [0.5], "all", {"a": 1}, [[0]]])
def test_rows_that_are_none_are_left(explorer, rows):
    for told in ({"listed": rows}, {"listed": None, "passing": rows}):
        tell(explorer, **told)
        assert len(explorer.selected) == 6 and explorer.matrix.to_numpy().sum() == 6
    ask(explorer, {"tell": "rows"})
    assert len(explorer.selected) == 6


def test_cells_and_matrix(explorer):
    explorer.view = {"filters": {"speaker": ["x"]}}
    assert explorer.cells["sad", "happy"] == ["u3"] and explorer.cells["sad", "sad"] == []
    assert explorer.matrix.to_numpy().tolist() == [[1, 1], [1, 0]]


def test_selected_without_utterances(small):
    assert explore(small[0]).selected["predicted"].tolist() == [
        "happy",
        "happy",
        "happy",
        "sad",
        "sad",
        "happy",
    ]


def test_a_view_is_completed_and_a_bad_one_of_ones_own_refused(explorer):
    explorer.view = {"threshold": 0.7}
    assert explorer.view["threshold"] == 0.7 and explorer.view["rows"] == "emotion"
    before = explorer.view
    for bad in ({"model": "c"}, {"nonsense": 1}):
        with pytest.raises(SernbError):
            explorer.view = bad
    assert explorer.view == before
    with pytest.raises(SernbError):
        explore(explorer.material.predictions, view={"tab": "maze"})


@pytest.mark.parametrize(
    "bad",
    [
        {"model": "c"},
        {"model": []},
        None,
        3,
        "text",
        [1],
        {"cells": 1},
        {"filters": {"speaker": {}}},
        {"x": {}},
    ],
)
def test_a_bad_view_from_the_browser_is_left(explorer, sent, bad):
    browser(explorer, view={"threshold": 0.5})
    assert explorer.view["threshold"] == 0.5
    browser(explorer, view=bad)
    assert explorer.view["threshold"] == 0.5
    assert sent[-1]["state"]["view"] == explorer.view  # the page is told what holds


def test_the_browser_changes_views_and_notes_only(explorer, sent):
    browser(
        explorer, notes={"u1": {"note": "heard", "tags": ["x"]}}, state={}, _esm="alert(1)", layout="nothing"
    )
    assert explorer.notes == {"u1": {"note": "heard", "tags": ["x"]}}
    assert explorer.state["n"] == 6 and explorer._esm == front.module()
    for bad in (None, [], {"u1": 3}, {"u1": {"note": 1}}):
        browser(explorer, notes=bad)
    assert explorer.notes_table().loc["u1"].tolist() == ["heard", "x"]


def test_clips_are_answered_whatever_is_asked(explorer, sent):
    ask(explorer, {"ask": "clip", "row": 2, "number": 7})
    message = sent[-1]["content"]
    assert (message["answer"], message["number"], message["clip"]["row"]) == ("clip", 7, 2)
    assert "no column 'path'" in message["clip"]["problem"]
    for row in (-1, 6, "0", None, 1.5, {"a": 1}, "../../etc/passwd"):
        ask(explorer, {"ask": "clip", "row": row, "number": {"not": "a number"}})
        assert sent[-1]["content"]["clip"]["problem"] and sent[-1]["content"]["number"] is None
    count = len(sent)
    for content in (None, "clip", [], {}, {"ask": "everything"}, 3):
        ask(explorer, content)
    assert len(sent) == count


def test_a_clip_with_sound(embedded):
    explorer = explore(*embedded)
    sent = []
    explorer._send = lambda message, buffers=None: sent.append(message)
    ask(explorer, {"ask": "clip", "row": 0, "number": 1})
    clip = sent[-1]["content"]["clip"]
    assert (
        clip["problem"] is None
        and clip["audio"].startswith("data:audio/flac")
        and clip["seconds"] == pytest.approx(3.513, abs=0.01)
    )


def test_notes_may_come_from_a_file_a_table_or_a_dict(small, tmp_path):
    notes = {"u1": {"note": "a", "tags": ["b"]}}
    path = write_notes(notes, tmp_path / "n.csv")
    for given in (path, str(path), notes, explore(*small, notes=notes).notes_table()):
        assert explore(*small, notes=given).notes == notes
    with pytest.raises(SernbError, match="no such file"):
        explore(*small, notes=tmp_path / "none.csv")


def test_it_is_told_in_words_where_widgets_are_not_drawn(explorer):
    data, _ = explorer._repr_mimebundle_()
    assert VIEW in data
    assert data["text/plain"] == (
        "Explorer “two models”: 6 utterances, 0 with sound. a: right in 50.0% of 6; b: right in 66.7% of 6. "
        "Open the notebook in JupyterLab to look at them, or write a page: explorer.save('explorer.html')."
    )


def test_a_report_gets_a_page_in_a_frame_and_no_live_widget(small, monkeypatch):
    monkeypatch.setenv("SERNB_REPORT", "1")
    explorer = explore(*small, title='<b>"t"</b>')
    assert explorer.comm is None
    data = explorer._repr_mimebundle_()
    assert set(data) == {"text/html", "text/plain"}
    assert data["text/html"].startswith(
        '<iframe title="Explorer: &lt;b&gt;&quot;t&quot;&lt;/b&gt;" sandbox="allow-scripts allow-downloads" '
        'srcdoc="&lt;!doctype'
    )
    assert data["text/html"].count("<") == 2  # <iframe> and </iframe>
    explorer.report_cap = 1000
    assert "<iframe" not in explorer._repr_mimebundle_()["text/html"]
    monkeypatch.setenv("SERNB_REPORT_CAP", "1000000")
    assert "<iframe" in explorer._repr_mimebundle_()["text/html"]


def test_real_predictions_can_be_selected(embedded):
    explorer = explore(*embedded, view={"cells": [["angry", "sad"]], "sort": "confidence"})
    found = explorer.selected
    assert len(found) == explorer.matrix.loc["angry", "sad"]
    assert (found["emotion"] == "angry").all() and (found["predicted"] == "sad").all()
    confidence = found[[name for name in found if name.startswith("p_")]].max(axis=1)
    assert (np.diff(confidence) <= 1e-4).all()
    assert set(found.index) == set(explorer.cells["angry", "sad"])


def test_fifty_thousand_rows_are_quick():
    n, ids = 50_000, [f"u{i}" for i in range(50_000)]
    p = np.random.default_rng(0).dirichlet(np.ones(4), n)
    classes = np.array(["neutral", "happy", "sad", "angry"])
    table = pd.DataFrame(p, ids, [f"p_{one}" for one in classes])
    table = table.assign(emotion=classes[np.arange(n) % 4], predicted=classes[p.argmax(1)], fold="1")
    explore(table.head(100))  # libraries are imported once
    begin = time.process_time()
    explorer = explore(pd.concat([table.assign(model="a"), table.assign(model="b")]))
    json.dumps(explorer.get_state(["state", "view", "notes"]))
    assert time.process_time() - begin < 5
    begin = time.process_time()
    explorer.view = {"cells": [["happy", "sad"]], "threshold": 0.5, "sort": "unsure"}
    assert len(explorer.selected)
    assert time.process_time() - begin < 1


def test_predictions_may_come_from_a_file(small, tmp_path):
    path = write_predictions(small[0], tmp_path / "predictions.csv")
    for given in (path, str(path)):
        explorer = explore(given, small[1], title="a file")
        assert explorer.state == explore(*small, title="a file").state
    with pytest.raises(SernbError, match="no such file"):
        explore(tmp_path / "none.csv")


def test_the_folder_counts_for_what_is_there_as_for_what_is_heard(small, tmp_path, write_sound):
    p, u = small
    for folder in ("here", "there"):
        write_sound(tmp_path / folder / "a.wav", seconds=0.1)
    u = u.assign(path=["a.wav", "lost.wav", str(tmp_path / "here" / "a.wav"), None, None, None])
    u.attrs["root"] = str(tmp_path / "nowhere")
    explorer = explore(p, u, root=tmp_path / "there")
    assert explorer.state["sound"] == [1, 0, 0, 0, 0, 0]
    assert [explorer.clips.of(row)["problem"] is None for row in range(6)] == [True] + [False] * 5
    assert any("2 of 3 utterances" in one and "u2, u3" in one for one in explorer.state["notices"])
    assert make_state(p, u, root=tmp_path / "there")["sound"] == explorer.state["sound"]
    assert explore(p, u).state["sound"] == [0] * 6


def test_what_is_selected_first_is_every_prediction_in_its_order(embedded):
    p, u = embedded
    assert explore(p, u).selected.index.tolist() == p.index.tolist()


def test_words_count_only_rows_whose_truth_is_known(small):
    p = small[0].query("model == 'a'")
    p.loc[["u3", "u5"], "emotion"] = np.nan  # both wrong
    assert "a: right in 75.0% of 4." in explore(p).in_words()
    assert "right" not in explore(p.drop(columns="emotion")).in_words()


def test_explore_gives_an_explorer(explorer):
    assert isinstance(explorer, Explorer)
