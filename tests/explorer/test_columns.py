"""Columns to filter by, lengths, raters and listeners, each with numbers counted by hand."""

import numpy as np
import pandas as pd

from sernb.explorer.columns import columns_of, listeners_of, numbers, votes_of
from tests.explorer.conftest import make_state


def utterances(**columns):
    made = pd.DataFrame(columns)
    made.index = pd.Index([f"u{i}" for i in range(len(made))], name="utterance")
    return made


def columns(table, known=None):
    found, _ = columns_of(known or {}, table, np.arange(len(table)), lambda path: None)
    return {column["name"]: column for column in found}


def test_categories_keep_missing_values_apart_and_sort_numbers_by_size():
    found = columns(utterances(style=["take 10", None, "take 2", "", "take 10"]))
    assert found["style"] == {
        "name": "style",
        "kind": "category",
        "values": ["take 2", "take 10"],
        "codes": [1, -1, 0, -1, 1],
    }


def test_what_kind_a_column_is():
    n = 100
    found = columns(
        utterances(
            text=["words"] * n,
            path=["a.wav"] * n,
            emotion=["sad"] * n,
            emotion_1=["sad", "angry"] * 50,
            arousal_2=[1, 2] * 50,
            arousal=[1.0, 2.0] * 50,
            always=["same"] * n,
            own=[f"v{i}" for i in range(n)],
            spoken=[True, False] * 50,
            heard_by=np.arange(n),
            still=[7] * n,
            heard=["sad", "happy"] * 50,
        )
    )
    assert {name: one["kind"] for name, one in found.items()} == {
        "spoken": "category",
        "heard_by": "number",
        "heard": "category",
    }
    assert found["spoken"]["values"] == ["False", "True"]
    assert found["heard"]["values"] == ["happy", "sad"]  # emotions stand in the kit's order
    assert found["heard_by"]["values"][:3] == [0, 1, 2]


def test_names_that_mean_something_in_views_are_told_apart():
    found = columns(utterances(predicted=["a", "b"], length=[1.0, 2.0], text=["x", "y"]))
    assert set(found) == {"predicted (column)", "length (column)"}


def test_numbers_keep_six_digits_and_lose_what_is_not_finite():
    found = columns(utterances(level=[0.000123456789, np.nan, np.inf, 0.0]))
    assert found["level"]["values"] == [0.000123457, None, None, 0.0]
    assert numbers(np.array([1.23456, np.nan, -np.inf]), 2) == [1.23, None, None]


def test_lengths_come_from_start_and_end_then_seconds():
    table = utterances(start=[1.0, None, 0.5], end=[3.5, None, None], seconds=[9.0, 4.0, None])
    assert columns(table)["length"] == {
        "name": "length",
        "kind": "number",
        "values": [2.5, 4.0, None],
        "unit": "s",
    }
    assert "seconds" not in columns(table)


def test_lengths_come_from_the_files_where_nothing_else_tells(write_sound, tmp_path):
    write_sound(tmp_path / "a.wav", seconds=0.5)
    (tmp_path / "b.wav").write_text("no sound")
    table = utterances(path=[str(tmp_path / "a.wav"), str(tmp_path / "b.wav"), str(tmp_path / "c.wav")])
    state = make_state(utterances(predicted=["sad"] * 3, emotion=["sad"] * 3), table)
    assert state["columns"][0]["values"] == [0.5, None, None]
    assert any("recordings of 1 of 3 utterances" in one and "u2" in one for one in state["notices"])


def test_raters_who_name_two_emotions_count_half_for_each():
    table = utterances(
        emotion_1=["neutral; angry", "sad", None],
        emotion_2=["angry", "sad", None],
        emotion_self=["happy"] * 3,
    )
    assert votes_of(table, np.array([0, 1, 2, -1])) == [
        {"neutral": 0.5, "angry": 1.5},
        {"sad": 2.0},
        None,
        None,
    ]
    assert votes_of(utterances(text=["a"]), np.array([0])) is None


def test_listeners_of_emodb_and_cremad():
    emodb = utterances(recognised=[97.5, None], natural=[80.0, None])
    assert listeners_of(emodb, np.array([0, 1])) == [[["recognised", 97.5], ["natural", 80.0]], None]
    cremad = utterances(heard=["angry; sad", None])
    assert listeners_of(cremad, np.array([1, 0, -1])) == [None, [["heard", "angry; sad"]], None]
    assert listeners_of(utterances(text=["a"]), np.array([0])) is None


def test_too_many_speakers_are_told():
    many = np.array([f"s{i}" for i in range(1001)], object)
    found, notices = columns_of({"speaker": many}, None, np.full(1001, -1), None)
    assert found == []
    assert notices == ["There are more than 1,000 values of speaker, too many to choose from."]
