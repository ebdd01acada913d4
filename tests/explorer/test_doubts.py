"""Slips and gaps in tables are counted, and nothing else is told; planted label errors are found."""

import importlib.util
import sys

import numpy as np
import pandas as pd
import pytest

from sernb.core.tables import check_predictions
from sernb.explorer.doubts import NEEDS, gaps, likely_label_errors
from tests.explorer.conftest import make_state


def table(**columns):
    made = pd.DataFrame(columns)
    made.index = pd.Index([f"u{i}" for i in range(len(made))], name="utterance")
    return made


def told(words, *tables):
    """The notices with these words in them."""
    return [one for one in make_state(*tables)["notices"] if words in one]


def missing(**columns):
    return gaps(check_predictions(table(**columns), strict=False))


def test_gaps_in_predictions_are_counted():
    assert missing(emotion=["sad"], predicted=["sad"], p_sad=[1.0]) == []
    (notice,) = missing(
        emotion=["sad"] * 3,
        predicted=["sad", "happy", "sad"],
        p_happy=[0.2, 0.7, np.nan],
        p_sad=[0.8, 0.7, 0.5],
    )
    assert "2 of 3 predictions" in notice and "u1, u2" in notice
    truth, said = missing(emotion=["sad", None, ""], predicted=["sad", "sad", None])
    assert "2 of 3 predictions have no true label: u1, u2" in truth
    assert "1 of 3 predictions name no class: u2" in said
    (notice,) = missing(emotion=["angry"], predicted=["sad"], p_sad=[0.9], p_happy=[0.1])
    assert "no probabilities of angry" in notice
    own_classes = {"model": ["one", "two"], "p_a": [0.6, 0.1], "p_b": [0.4, 0.2], "p_c": [None, 0.7]}
    assert missing(emotion=["a", "a"], predicted=["a", "b"], **own_classes) == []


def test_a_model_of_dimensions_beside_one_of_classes_misses_no_labels(small, dimensions):
    both = pd.concat([small[0].query("model == 'a'"), dimensions.assign(model="d")])
    both = check_predictions(both, strict=False)
    assert both.loc[both["model"] == "d", "predicted"].isna().all()
    assert gaps(both) == []


def test_that_there_is_no_truth_at_all_is_told_once():
    for columns in ({}, {"emotion": [np.nan, np.nan]}):
        notices = make_state(table(predicted=["sad", "happy"], **columns))["notices"]
        assert [one for one in notices if "true label" in one] == [
            "The predictions have no true labels: which of them are right cannot be shown."
        ]


def test_labels_that_contradict_the_corpus():
    p = table(emotion=["sad", "happy", "sad", None, "sad", "sad"], predicted=["sad"] * 6)
    u = table(emotion=["happy", "happy", "angry", "sad", None, "sad"], text=["a"] * 6)
    (notice,) = told("another true label", p, u)
    assert notice.startswith("2 of 4 utterances")
    assert "u0 (sad, in the corpus happy), u2 (sad, in the corpus angry)." in notice
    assert make_state(p, u)["emotion"] == make_state(p)["emotion"]  # they are only told
    assert not told("another true label", p, u.assign(emotion=p["emotion"]))
    assert not told("another true label", p, u.drop(columns="emotion"))
    assert not told("another true label", p.drop(columns="emotion"), u)
    many = told(
        "another true label", table(emotion=["sad"] * 6, predicted=["sad"] * 6), u.assign(emotion="calm")
    )
    assert "6 of 6" in many[0] and "and 3 more" in many[0]


def test_classes_that_differ_in_capitals_and_spaces_alone():
    p = table(
        emotion=["happy", "very sad", "happy", "sad"], predicted=["Happy", "Very  Sad ", "Happy", "angry"]
    )
    (notice,) = told("written otherwise", p)
    assert (
        "'Happy' for 'happy' (2 of the predictions), 'Very  Sad ' for 'very sad' (1 of the predictions)"
        in notice
    )
    assert not told("written otherwise", table(emotion=["happy", "Happy"], predicted=["Happy", "happy"]))
    assert not told("written otherwise", table(predicted=["Happy", "happy"]))
    u = table(emotion=["happy", "sad"], text=["a", "b"])  # the truth of the utterances counts as well
    assert told("written otherwise", table(predicted=["Happy", "sad"]), u)


@pytest.mark.parametrize(
    "given, known, count",
    [
        (["a/1.wav", "a/2.wav", "x"], ["1", "2", "3"], 2),
        (["1", "2"], ["s/1.flac", "s/2.flac"], 2),
        (["c\\1.wav", "c\\2.wav"], ["/data/1.wav", "/data/2.wav"], 2),
        (["1.wav", "2"], ["1", "2"], 1),  # half of them are found
        (["1.wav", "2", "3"], ["1", "2", "3"], 0),  # most of them are
        (["1", "2"], ["a/1.wav", "b/1.wav"], 0),  # which of both is not known
        (["a/1", "b/1"], ["1"], 0),
        (["take.1", "take.2"], ["take"], 0),  # numbers are no file extension
        (["x", "y"], ["1", "2"], 0),
    ],
)
def test_ids_that_differ_in_folder_or_extension(given, known, count):
    p = table(emotion=["sad"] * len(given), predicted=["sad"] * len(given)).set_axis(given)
    u = table(text=["a"] * len(known)).set_axis(known)
    notices = told("folder or a file extension", p, u)
    assert len(notices) == (count > 0)
    if count:
        assert notices[0].startswith(f"{count} of the ids")


def test_the_ids_are_given_as_an_example():
    p = table(emotion=["sad"], predicted=["sad"]).set_axis(["x/clip.wav"])
    (notice,) = told("folder or a file extension", p, table(text=["a"]).set_axis(["clip"]))
    assert "('x/clip.wav' there, 'clip' in the utterances table)" in notice


def test_predictions_that_are_not_the_most_probable_class():
    p = table(
        emotion=["sad"] * 5,
        predicted=["sad", "happy", "happy", "happy", "sad"],
        p_happy=[0.2, 0.3, 0.5, 0.4999999, np.nan],
        p_sad=[0.8, 0.7, 0.5, 0.5000001, np.nan],  # the third and the fourth are ties
        model="m",
    )
    (notice,) = told("largest probability:", p)
    assert notice.startswith("1 of 4 predictions of m are not") and "u1 (happy, but sad has 0.70)" in notice
    assert make_state(p)["models"][0]["confidence"] == [0.8, 0.7, 0.5, 0.5, None]
    assert not told("largest probability:", p.assign(predicted="sad"))
    assert not told("largest probability:", p.drop(columns=["p_happy", "p_sad"]))


def test_dimensions_without_truth():
    p = table(
        arousal_predicted=[1.0, 2.0, None], valence_predicted=[1.0, 2.0, 3.0], valence=[1.0, None, None]
    )
    for given in (p, p.assign(arousal=np.nan)):
        (notice,) = [one for one in make_state(given)["notices"] if "arousal" in one]
        assert notice.startswith("There is no true arousal of any of 2 predicted values")
    assert not told("valence", p)
    u = table(arousal=[1.5, None, 2.5], text=["a"] * 3)
    (notice,) = told("arousal", p, u)
    assert notice == "The predictions bring no true arousal: the values of the utterances table are taken."
    assert make_state(p, u)["dimensions"][0]["truth"] == [1.5, None, 2.5]
    assert told("There is no true arousal", p, u.assign(arousal=np.nan))


def test_nothing_is_told_of_tables_without_slips(embedded, small, dimensions):
    assert set(make_state(*embedded)["notices"]) <= {NEEDS}
    assert len(make_state(*small)["notices"]) == 2  # no recordings, too few clips for label errors
    assert not any("true" in one for one in make_state(dimensions)["notices"])


needs_cleanlab = pytest.mark.skipif(
    importlib.util.find_spec("cleanlab") is None, reason='cleanlab is not here: pip install "sernb[labels]"'
)


def sure(labels, classes, confidence=0.9):
    p = np.full((len(labels), classes), (1 - confidence) / (classes - 1))
    p[np.arange(len(labels)), labels] = confidence
    return p


@needs_cleanlab
def test_planted_errors_are_found_worst_first(capfd):
    truth = np.arange(60) % 3
    p = sure(truth, 3)
    p[7] = [0.01, 0.01, 0.98]
    labels = truth.copy()
    labels[[7, 20]] = [1, 0]  # 7 truly is 1, but the model is sure of 2; 20 truly is 2
    found, why = likely_label_errors(labels, p)
    assert why is None
    assert found.tolist() == [7, 20]
    assert capfd.readouterr() == ("", "")


@needs_cleanlab
def test_no_errors_is_an_empty_table():
    truth = np.arange(20) % 2
    found, why = likely_label_errors(truth, sure(truth, 2))
    assert why is None and len(found) == 0


@needs_cleanlab
def test_rows_without_truth_or_probabilities_are_left_out():
    truth = np.arange(60) % 2
    p, labels = sure(truth, 2), truth.copy()
    labels[[4, 6, 8]] = 1 - labels[[4, 6, 8]]
    p[4], labels[6] = np.nan, -1
    found, _ = likely_label_errors(labels, p)
    assert found.tolist() == [8]


@needs_cleanlab
def test_classes_that_the_model_or_the_truth_does_not_know():
    truth = np.arange(40) % 2 * 2  # classes 0 and 2 of four; the model knows no class 3
    p = np.column_stack([sure(truth, 3), np.full(40, np.nan)])
    labels = truth.copy()
    labels[[5, 9]] = [3, 0]  # 3 has no probabilities: no score
    found, why = likely_label_errors(labels, p)
    assert why is None
    assert found.tolist() == [9]


def test_too_few_classes_or_rows():
    one = np.zeros(20, int)
    assert likely_label_errors(one, sure(one, 2))[0] is None
    few = np.array([0] * 20 + [1] * 4)
    found, why = likely_label_errors(few, sure(few, 2))
    assert found is None and "at least 5" in why and "the smallest with 4" in why
    found, why = likely_label_errors(np.full(3, -1), np.full((3, 2), np.nan))
    assert found is None and "none" in why


def test_without_cleanlab_a_sentence_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "cleanlab.filter", None)
    truth = np.arange(20) % 2
    assert likely_label_errors(truth, sure(truth, 2)) == (None, NEEDS)
    assert "sernb[labels]" in NEEDS
