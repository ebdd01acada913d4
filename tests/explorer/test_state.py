"""The state: what the tables say, laid out by utterance, as JSON."""

import json
import time

import numpy as np
import pandas as pd
import pytest

from sernb.core.errors import SernbError
from sernb.core.tables import classes_of
from sernb.explorer.doubts import NEEDS
from tests.explorer.conftest import make_state


def predictions(**columns):
    made = pd.DataFrame(columns)
    made.index = pd.Index([f"u{i}" for i in range(len(made))], name="utterance")
    return made


def plain(state):
    """The state after a way through JSON, as the page has it."""
    return json.loads(json.dumps(state, allow_nan=False, ensure_ascii=False).encode().decode())


def test_rows_models_and_columns(small):
    state = make_state(*small, title="two models")
    assert plain(state) == state
    assert (state["version"], state["title"], state["n"]) == (1, "two models", 6)
    assert state["utterance"] == ["u1", "u2", "u3", "u4", "u5", "u6"]
    assert state["text"] == ["Good MORNING", "ok", "go away", "no", "fine", None]
    assert state["classes"] == ["happy", "sad"]
    assert state["colors"] == ["#e38a14", "#2951d3"]
    assert state["emotion"] == [0, 0, 1, 1, 0, 1]
    a, b = state["models"]
    assert (a["name"], b["name"]) == ("a", "b")
    assert a["predicted"] == [0, 0, 0, 1, 1, 0]
    assert a["p"] == [[0.9, 0.6, 0.8, 0.3, 0.45, 0.95], [0.1, 0.4, 0.2, 0.7, 0.55, 0.05]]
    assert b["confidence"] == [0.6, 0.7, 0.8, 0.9, 0.65, 0.75]
    speaker, fold, length = state["columns"]
    assert (speaker["values"], speaker["codes"]) == (["x", "y"], [0, 1, 0, 1, 0, -1])
    assert (fold["values"], fold["codes"]) == (["1", "2"], [0, 0, 0, 1, 1, 1])
    assert length == {
        "name": "length",
        "kind": "number",
        "values": [1.0, 3.0, 2.0, 2.5, 0.5, None],
        "unit": "s",
    }
    assert state["sound"] is None and state["embedded"] is None and state["limit"] is None
    assert any("no recordings" in one for one in state["notices"])


def test_real_predictions(embedded):
    p, u = embedded
    state = make_state(p, u)
    assert plain(state) == state
    assert set(state["notices"]) <= {NEEDS}  # cleanlab is an extra
    assert state["n"] == len(u) == sum(state["sound"])
    assert state["classes"] == classes_of(p)
    right = np.mean(np.array(state["emotion"]) == np.array(state["models"][0]["predicted"]))
    assert right == pytest.approx((p["emotion"].astype(str) == p["predicted"].astype(str)).mean())
    assert sum(sum(votes.values()) for votes in state["votes"]) == 4 * len(u)
    at = state["utterance"].index("Ses01M1_001")
    assert [column["values"][at] for column in state["columns"] if column["name"] == "length"] == [3.513]


def test_without_utterances_the_predictions_are_shown(small):
    given = small[0].assign(text="own words", path="/etc/passwd", speaker="s")
    for utterances in (None, pd.DataFrame({"text": ["other"]}, index=["elsewhere"])):
        state = make_state(given, utterances)
        assert state["n"] == 6 and state["sound"] is None
        assert state["text"] == ["own words"] * 6
        assert [column["name"] for column in state["columns"]] == ["speaker", "fold"]
        word = "no utterances table" if utterances is None else "None of the 6"
        assert any(word in one for one in state["notices"])


def test_the_predictions_own_path_is_never_taken(small):
    state = make_state(small[0].assign(path="/etc/passwd"), small[1])
    assert state["sound"] is None
    assert "passwd" not in json.dumps(state)


def test_some_utterances_are_missing(small):
    state = make_state(small[0], small[1].drop(index=["u2", "u5"]))
    assert state["n"] == 6
    assert state["text"][1] is None and state["text"][0] == "Good MORNING"
    assert any("2 of 6" in one and "u2, u5" in one for one in state["notices"])


def test_seeds_become_models_where_there_are_several():
    p = pd.concat(
        predictions(emotion=["sad", "happy"], predicted=said, model=model, seed=seed)
        for model, seed, said in (
            ("m", 1, ["sad", "sad"]),
            ("m", 2, ["sad", "happy"]),
            ("one", 1, ["happy", "happy"]),
        )
    )
    state = make_state(p)
    assert [model["name"] for model in state["models"]] == ["m · seed 1", "m · seed 2", "one"]
    assert [model["predicted"] for model in state["models"]] == [[1, 1], [1, 0], [0, 0]]
    assert make_state(p.drop(columns=["model", "seed"]).iloc[:2])["models"][0]["name"] == "model"


def test_models_called_alike_stay_apart():
    p = pd.concat(
        [
            predictions(emotion=["sad"], predicted=["sad"], model="m", seed=1),
            predictions(emotion=["sad"], predicted=["happy"], model="m", seed=2),
            predictions(emotion=["sad"], predicted=["sad"], model="m · seed 1", seed=None),
        ]
    )
    assert [one["name"] for one in make_state(p)["models"]] == ["m · seed 1", "m · seed 2", "m · seed 1 (2)"]


def test_models_that_predict_other_utterances():
    p = pd.concat(
        [
            predictions(emotion=["sad", "sad"], predicted=["sad", "sad"], model="a"),
            predictions(emotion=["sad"], predicted=["happy"], model="b").set_axis(["other"]),
        ]
    )
    state = make_state(p)
    assert state["n"] == 3
    assert [model["predicted"] for model in state["models"]] == [[1, 1, -1], [-1, -1, 0]]


def test_a_model_that_says_nothing_is_told_and_nothing_at_all_is_refused():
    p = predictions(emotion=["sad", "sad"], predicted=["sad", None], model=["a", "mute"])
    state = make_state(p)
    assert [model["name"] for model in state["models"]] == ["a"] and state["n"] == 2
    assert "There is no prediction of mute." in state["notices"]
    with pytest.raises(SernbError, match="no row holds a prediction"):
        make_state(p.assign(predicted=np.nan))


def test_models_that_disagree_about_the_truth_are_refused(small, dimensions):
    p = small[0].copy()
    p.iloc[7, p.columns.get_loc("emotion")] = "sad"  # u2 of model b
    with pytest.raises(SernbError, match="'u2' has happy, sad as 'emotion'"):
        make_state(p)
    other = dimensions.assign(model="b", arousal=dimensions["arousal"] + 1)
    with pytest.raises(SernbError, match=r"'u1' has 2\.0, 3\.0 as 'arousal'"):
        make_state(pd.concat([dimensions, other]))


def test_a_truth_that_only_one_model_brings_counts_for_all(small):
    p = small[0].copy()
    p.loc[p["model"] == "a", "emotion"] = np.nan
    assert make_state(p)["emotion"] == [0, 0, 1, 1, 0, 1]


def test_without_any_truth_the_utterances_labels_are_taken(small):
    p = small[0].drop(columns="emotion")
    assert make_state(p, small[1])["emotion"] == [-1] * 6
    state = make_state(p, small[1].assign(emotion=["happy", "happy", "angry", None, "sad", "sad"]))
    assert state["classes"] == ["happy", "sad", "angry"]
    assert state["emotion"] == [0, 0, 2, -1, 1, 1]
    assert state["models"][0]["predicted"] == [0, 0, 0, 1, 1, 0]
    assert sum("true labels" in one for one in state["notices"]) == 1


def test_dimensions(dimensions):
    utterances = pd.DataFrame({"text": ["a"]}, index=["u1"])
    utterances.attrs["scale"] = (1, 5)
    state = make_state(dimensions, utterances)
    assert state["classes"] == [] and state["emotion"] is None and state["models"][0]["predicted"] is None
    arousal, valence = state["dimensions"]
    assert arousal == {"name": "arousal", "truth": [2.0, 3.0, 4.0, None], "low": 1.0, "high": 5.0}
    assert valence["truth"] == [1.0, 5.0, 3.0, 2.0]
    assert state["models"][0]["dimensions"]["arousal"] == [2.5, 2.0, 4.25, 3.0]
    alone = make_state(dimensions)["dimensions"]
    assert (alone[0]["low"], alone[0]["high"]) == (2.0, 4.25)


def test_dimensions_and_classes_in_one_table(small, dimensions):
    state = make_state(pd.concat([small[0].query("model == 'a'"), dimensions.assign(model="d")]))
    a, d = state["models"]
    assert a["dimensions"] == {} and d["predicted"] is None
    assert d["dimensions"]["valence"] == [1.5, 4.5, 3.0, 2.0, None, None]
    assert plain(state) == state


def test_one_class_and_no_errors():
    state = make_state(predictions(emotion=["sad"] * 3, predicted=["sad"] * 3, p_sad=[1.0] * 3))
    assert state["classes"] == ["sad"]
    assert state["models"][0]["confidence"] == [1.0] * 3
    assert any("two classes or more" in one for one in state["notices"])


def test_rows_without_usable_probabilities_have_no_confidence():
    p = predictions(emotion=["sad", "sad"], predicted=["sad", "sad"], p_happy=[0.2, np.nan], p_sad=[0.8, 0.8])
    model = make_state(p)["models"][0]
    assert model["p"] == [[0.2, None], [0.8, None]]
    assert model["confidence"] == [0.8, None]


def test_classes_of_ones_own_have_colours_of_their_own():
    state = make_state(
        predictions(emotion=["cheerful", "grumpy", "sad"], predicted=["grumpy", "grumpy", "sad"])
    )
    assert state["classes"] == ["sad", "cheerful", "grumpy"]
    assert len(set(state["colors"])) == 3


def test_text_of_all_kinds_survives():
    odd = [
        "nul \0 inside",
        "</script><script>alert(1)</script>",
        "\u202ertl\u202c",
        "x" * 10_000,
        "half \ud800",
        "\u2028",
    ]
    p = predictions(emotion=["sad"] * 6, predicted=["sad"] * 6)
    p.index = pd.Index([f"../../{text[:50]}" for text in odd], dtype=object)
    state = make_state(p, pd.DataFrame({"text": odd}, p.index, dtype=object), title="T\ud800\0")
    assert plain(state)["text"] == [*odd[:4], "half \ufffd", "\u2028"]
    assert plain(state)["title"] == "T\ufffd\0"
    assert state["utterance"][4] == "../../half \ufffd"


def test_without_folds_label_errors_come_with_a_warning(embedded):
    pytest.importorskip("cleanlab", reason='cleanlab is not here: pip install "sernb[labels]"')
    p, u = embedded
    assert make_state(p, u)["models"][0]["errors"]["rows"]
    state = make_state(p.drop(columns="fold"), u)
    assert any("assumes that the model had not seen these clips" in one for one in state["notices"])


def test_fifty_thousand_rows_of_two_models():
    n, random = 50_000, np.random.default_rng(0)
    classes, ids = ["neutral", "happy", "sad", "angry"], [f"corpus_utterance_{i:06d}" for i in range(n)]
    truth, tables = random.choice(classes, n), []
    for model in ("a", "b"):
        p = random.dirichlet(np.ones(4), n)
        table = pd.DataFrame(p, ids, [f"p_{one}" for one in classes])
        tables.append(
            table.assign(emotion=truth, predicted=np.array(classes)[p.argmax(1)], model=model, fold="1")
        )
    utterances = pd.DataFrame(
        {"text": ["words that were said in this clip " * 2] * n, "path": "/nowhere.wav"}, ids
    )
    for name in ("speaker", "style", "room"):
        utterances[name] = random.choice(list("abcdefgh"), n)
    utterances["seconds"], utterances["level"] = random.random(n), random.random(n)
    make_state(tables[0].head(500))  # libraries are imported once
    begin = time.process_time()
    state = make_state(pd.concat(tables), utterances)
    assert time.process_time() - begin < 5
    assert len(json.dumps(state, allow_nan=False, ensure_ascii=False)) < 15e6
