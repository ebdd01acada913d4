"""The saved page: whole, within its cap, and closed to everything that is not in it."""

import base64
import hashlib
import json
import re

import numpy as np
import pytest

from sernb.core.errors import SernbError
from sernb.explorer import explore
from sernb.explorer.page import (
    QUIZ,
    as_json,
    candidates,
    filled,
    html_page,
    policy,
    quiz_rows,
)

DATA = re.compile(r'<script type="application/json" id="sernb-data">(.*?)</script>', re.DOTALL)


def data_of(page):
    return json.loads(DATA.search(page)[1])


@pytest.fixture(scope="module")
def explorer(embedded):
    return explore(*embedded, title="embedded")


def test_the_page_without_data_is_small():
    assert len(html_page({"title": "", "utterance": []}, {}, {}, {}).encode()) < 120_000


def test_a_page_holds_state_view_notes_and_clips(explorer):
    page = html_page(explorer.state, explorer.view, {"u": {"note": "a", "tags": []}}, {3: {"row": 3}})
    data = data_of(page)
    assert data["state"] == explorer.state and data["view"] == explorer.view
    assert data["notes"] == {"u": {"note": "a", "tags": []}}
    assert data["clips"] == {"3": {"row": 3}} and data["served"] is False
    assert page.startswith('<!doctype html>\n<html lang="en">')
    assert '<meta charset="utf-8">' in page and "<title>embedded</title>" in page and "viewport" in page
    assert not re.search(r"""(src|href)=["']?(https?:)?//""", page)


@pytest.mark.parametrize("served", [False, True])
def test_the_policy_lets_this_code_and_style_run_and_nothing_else(explorer, served):
    page = html_page(explorer.state, explorer.view, {}, {}, served)
    given = re.search(r'Content-Security-Policy" content="([^"]+)"', page)[1]
    assert given == policy(served)
    rules = dict(rule.split(" ", 1) for rule in given.split("; "))
    for tag, rule in ((r'<script type="module">', "script-src"), ("<style>", "style-src")):
        (text,) = re.findall(tag + r"(.*?)</(?:script|style)>", page, re.DOTALL)
        assert rules[rule] == f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
        assert "\r" not in text and "\0" not in text
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
    assert rules["connect-src"] == ("'self'" if served else "'none'")
    assert rules["require-trusted-types-for"] == "'script'"
    assert page.count("<script") == 2 and page.count("</script") == 2


def test_no_text_leaves_the_data(small):
    bad = "</script><script>alert(1)</script><!-- <script> ]]> & \u2028\u2029 \0 \ud800 ‏"
    predictions, utterances = small
    utterances = utterances.astype(object)
    utterances.loc["u1", "text"] = bad.replace("\ud800", "")
    explorer = explore(predictions, utterances, title=bad, notes={bad: {"note": bad, "tags": [bad]}})
    page = html_page(explorer.state, explorer.view, explorer.notes, {})
    inside = DATA.search(page)[1]
    assert not set("<>&\u2028\u2029\0") & set(inside)
    page.encode()
    assert page.count("<script") == 2
    clean = bad.replace("\ud800", "\ufffd")
    assert data_of(page)["state"]["text"][0] == bad.replace("\ud800", "")
    assert data_of(page)["state"]["title"] == clean
    assert data_of(page)["notes"][clean]["note"] == clean


def test_json_that_is_none_is_refused():
    with pytest.raises(ValueError):
        as_json({"a": float("nan")})


def test_clips_come_in_turn_label_errors_first(explorer):
    model = explorer.state["models"][0] | {"errors": {"rows": [700, 3]}}
    state = explorer.state | {"models": [model]}
    rows = candidates(state, explorer.view)
    assert sorted(rows) == list(range(state["n"]))
    truth, said = np.array(state["emotion"]), np.array(model["predicted"])
    assert rows[0] == 700
    wrong = np.flatnonzero(truth != said)
    surest = max(wrong, key=lambda row: model["confidence"][row])
    assert rows[1] == surest and 3 in rows[2:6]
    assert (truth[rows[:30]] == said[rows[:30]]).sum() >= 5
    assert rows == candidates(state, explorer.view)
    opened = explorer.view | {"utterance": state["utterance"][500]}
    assert candidates(state, opened)[0] == 500


def test_only_clips_that_fit_go_in(explorer, tmp_path):
    cap = 1_500_000
    path = explorer.save(tmp_path / "new" / "page.html", cap=cap, progress=False)
    size = path.stat().st_size
    assert 0.9 * cap < size <= cap
    assert list(path.parent.iterdir()) == [path]
    data = data_of(path.read_text(encoding="utf-8"))
    held = data["state"]["embedded"]
    assert held == sorted(map(int, data["clips"])) and 5 < len(held) < 150
    assert all(data["clips"][str(row)]["audio"] for row in held)
    assert data["state"]["limit"] == (
        f"{len(held)} of 1,100 clips are in this page (1.5 MB); the others show all but their sound."
    )
    assert all(clip["audio"].startswith("data:audio/mpeg") for clip in data["clips"].values())
    assert explorer.state["embedded"] is None and explorer.state["limit"] is None


def saved(explorer, cap, problem=lambda row: None, size=60_000):
    """The data of a page whose clips have so many bytes of "sound" each."""

    def made(row):
        return {"row": row, "audio": "a" * size, "problem": problem(row)}

    return data_of(filled(explorer.state, explorer.view, {}, made, cap, progress=False)[0])


def test_the_quiz_has_clips_that_were_not_chosen_for_what_the_model_says(explorer):
    state = explorer.state
    truth, said = np.array(state["emotion"]), np.array(state["models"][0]["predicted"])
    drawn = quiz_rows(state)
    assert sorted(drawn) == list(range(state["n"])) and drawn == quiz_rows(state)
    assert np.bincount(truth[drawn[:40]]).tolist() == [10] * 4
    # The draw knows nothing of the model: with all predictions changed, it is the same.
    other = state | {"models": [state["models"][0] | {"predicted": [0] * state["n"]}]}
    assert quiz_rows(other) == drawn
    state = saved(explorer, 12_000_000)["state"]
    quiz = state["quiz"]
    assert quiz == sorted(drawn[:QUIZ]) and set(quiz) < set(state["embedded"])
    right, all_right = (truth[quiz] == said[quiz]).mean(), (truth == said).mean()
    assert abs(right - all_right) < 0.25
    assert explorer.state["quiz"] is None


def test_the_quiz_takes_a_quarter_at_most(explorer):
    cap = 3_000_000
    data = saved(explorer, cap)
    free = cap - len(html_page(explorer.state, explorer.view, {}, {}).encode())
    taken = [len(as_json(data["clips"][str(row)]).encode()) for row in data["state"]["quiz"]]
    assert free / 5 < sum(taken) <= free / 4 and len(taken) < QUIZ
    assert np.ptp(np.bincount(np.array(explorer.state["emotion"])[data["state"]["quiz"]])) <= 1


def test_without_truth_or_where_all_fit_the_quiz_is_drawn_from_all(embedded, explorer):
    p, u = embedded
    assert saved(explore(p.head(60), u), 20_000_000)["state"]["quiz"] is None
    broken = saved(explore(p.head(60), u), 20_000_000, lambda row: "broken" if row == 3 else None)["state"]
    assert broken["quiz"] is None and len(broken["embedded"]) == 59  # all that there are
    unknown = explore(p.drop(columns="emotion"), u.drop(columns="emotion"))
    assert quiz_rows(unknown.state) == []
    state = saved(unknown, 3_000_000)["state"]
    assert state["quiz"] is None and state["limit"]
    assert quiz_rows(explorer.state | {"sound": None}) == []
    some = [row % 2 for row in range(explorer.state["n"])]
    assert {row % 2 for row in quiz_rows(explorer.state | {"sound": some})} == {1}


def test_where_no_clip_fits_into_the_quarter_there_is_no_quiz(explorer):
    state = saved(explorer, 3_000_000, size=1_000_000)["state"]
    assert state["quiz"] == [] and len(state["embedded"]) >= 1


def test_clips_that_cannot_be_read_leave_their_place_in_the_quiz_to_others(explorer):
    state = saved(explorer, 12_000_000, lambda row: "broken" if row % 2 else None)["state"]
    assert len(state["quiz"]) >= 30 and not any(row % 2 for row in state["embedded"])


def test_where_all_clips_fit_nothing_is_said_of_a_limit(embedded, tmp_path):
    p, u = embedded
    explorer = explore(p.head(4), u)
    page, count = filled(explorer.state, explorer.view, {}, explorer.clips.made, progress=False)
    assert count == 4
    assert data_of(page)["state"]["limit"] is None and data_of(page)["state"]["embedded"] == [0, 1, 2, 3]


def test_recordings_that_are_missing_are_left_out_without_their_folders(small, tmp_path):
    explorer = explore(small[0], small[1].assign(path=str(tmp_path / "secret" / "a.wav")))
    page, count = filled(explorer.state, explorer.view, {}, explorer.clips.made, progress=False)
    assert count == 0
    state = data_of(page)["state"]
    assert state["embedded"] == [] and state["sound"] == [0] * 6 and state["limit"] is None
    assert any("6 of 6 utterances are not where the table says" in one for one in state["notices"])
    assert "secret" not in page


def test_a_cap_too_small_is_refused(explorer, tmp_path):
    with pytest.raises(SernbError, match="before any sound, more than cap=1,000"):
        explorer.save(tmp_path / "a.html", cap=1000, progress=False)
    for cap in (0, -1, None, "20 MB", True):
        with pytest.raises(SernbError):
            explorer.save(tmp_path / "a.html", cap=cap, progress=False)
    assert not list(tmp_path.iterdir())


def test_predictions_of_dimensions_and_without_sound(dimensions, small, tmp_path):
    explorer = explore(dimensions)
    assert data_of(explorer.save(tmp_path / "a.html", progress=False).read_text())["state"]["embedded"] == []
    heard = explorer.state | {"sound": [1, 1, 1, 1]}
    assert candidates(heard, explorer.view)[0] == 1  # its residual is the largest
    assert sorted(candidates(heard, explorer.view)) == [0, 1, 2, 3]
    assert (
        data_of(explore(*small).save(tmp_path / "b.html", progress=False).read_text())["state"]["limit"]
        is None
    )
