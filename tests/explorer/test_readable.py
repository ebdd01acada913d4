"""What people bring is shown as far as it goes, and each thing that cannot be used is named."""

import numpy as np
import pandas as pd
import pytest

from sernb.core.errors import SernbError
from sernb.core.tables import check_predictions
from sernb.explorer.readable import clean, readable, readable_utterances


def table(**columns):
    made = pd.DataFrame(columns)
    made.index = pd.Index([f"u{i}" for i in range(len(made))], name="utterance")
    return made


def test_a_fine_table_is_as_checked_and_without_notices(small):
    predictions, notices = readable(small[0])
    pd.testing.assert_frame_equal(predictions, check_predictions(small[0]))
    assert notices == []


def test_probabilities_that_are_missing_or_do_not_add_up_are_set_aside_and_counted():
    p = table(
        emotion=["sad"] * 4,
        predicted=["sad", "happy", "sad", "sad"],
        p_happy=[0.2, 0.7, np.nan, 0.005],
        p_sad=[0.8, 0.7, 0.5, 1.0],  # the last adds up to 1.005: within the tolerance
    )
    found, notices = readable(p)
    assert found["p_sad"].isna().tolist() == [False, True, True, False]
    assert found["predicted"].tolist() == ["sad", "happy", "sad", "sad"]
    assert len(notices) == 1
    assert "2 of 4 predictions" in notices[0] and "u1" in notices[0]


def test_probabilities_beyond_0_and_1_are_set_aside():
    found, notices = readable(
        table(emotion=["a", "b"], predicted=["a", "b"], p_a=[1.5, 0.5], p_b=[-0.5, 0.5])
    )
    assert found["p_a"].isna().tolist() == [True, False]
    assert "1 of 2" in notices[0]


def test_each_model_has_its_own_classes():
    p = table(
        emotion=["a", "a"],
        predicted=["a", "b"],
        model=["one", "two"],
        p_a=[0.6, 0.1],
        p_b=[0.4, 0.2],
        p_c=[None, 0.7],
    )
    found, notices = readable(p)
    assert found["p_a"].tolist() == [0.6, 0.1]  # that "one" knows no c is no fault of its row
    assert notices == []


def test_missing_truth_and_missing_predictions_are_told_apart():
    found, notices = readable(table(emotion=["sad", None, ""], predicted=["sad", "sad", None]))
    assert found["emotion"].isna().tolist() == [False, True, True]
    assert found["predicted"].isna().tolist() == [False, False, True]
    assert any("2 of 3 predictions have no true label: u1, u2" in one for one in notices)
    assert any("1 of 3 predictions name no class: u2" in one for one in notices)


def test_no_true_labels_at_all():
    for p in (table(predicted=["sad", "happy"]), table(predicted=["sad", "happy"], emotion=[np.nan, np.nan])):
        found, notices = readable(p)
        assert found["emotion"].isna().all()
        assert list(found["predicted"].cat.categories) == ["happy", "sad"]
        assert notices == ["The predictions have no true labels: which of them are right cannot be shown."]


def test_a_label_without_probabilities_is_a_class_all_the_same():
    found, notices = readable(table(emotion=["angry"], predicted=["sad"], p_sad=[0.9], p_happy=[0.1]))
    assert list(found["predicted"].cat.categories) == ["happy", "sad", "angry"]
    assert found["p_sad"].tolist() == [0.9]
    assert "no probabilities of angry" in notices[0]


def test_a_dimension_may_be_missing_in_rows():
    found, notices = readable(table(arousal_predicted=[0.5, None], model=["m", None]))
    assert found["arousal_predicted"].tolist()[0] == 0.5
    assert np.isnan(found["arousal_predicted"].iloc[1])
    assert "no true arousal" in notices[0]


def test_a_model_of_dimensions_beside_one_of_classes_misses_no_labels(small, dimensions):
    both = pd.concat([small[0].query("model == 'a'"), dimensions.assign(model="d")])
    found, notices = readable(both)
    assert found.loc[found["model"] == "d", "predicted"].isna().all()
    assert notices == []


@pytest.mark.parametrize(
    "p, words",
    [
        (table(emotion=["sad"]), "predictions need the columns"),
        (table(p_sad=[0.5], p_happy=[0.5]), "predictions need the columns"),
        (table(arousal=[1.0], arousal_predicted=["loud"]), "must hold numbers"),
        (pd.DataFrame(), "no rows"),
        ("a.csv", "expected a pandas DataFrame"),
    ],
)
def test_what_cannot_be_shown_at_all_is_refused(p, words):
    with pytest.raises(SernbError, match=words):
        readable(p)


def test_the_same_utterance_twice_for_a_model_is_refused_even_where_other_things_are_wrong(small):
    twice = pd.concat([small[0], small[0].head(1)]).assign(emotion=np.nan)
    with pytest.raises(SernbError, match="stand more than once"):
        readable(twice)


def test_the_table_that_came_is_left_as_it_was(small):
    given = small[0].assign(emotion=np.nan)
    before = given.copy()
    readable(given)
    pd.testing.assert_frame_equal(given, before)


def test_utterances_may_have_labels_of_their_own_and_rows_without_a_recording():
    u = table(path=["a.wav", None, ""], emotion=["cheerful", "sad", None])
    u.attrs["root"] = "here"
    found = readable_utterances(u)
    assert found["path"].isna().tolist() == [False, True, True]
    assert list(found["emotion"].cat.categories) == ["sad", "cheerful"]
    assert found.attrs["root"] == "here"


def test_utterances_of_speakers_only():
    assert readable_utterances(table(speaker=["x", "y"])).columns.tolist() == ["speaker"]


def test_utterances_twice_are_refused():
    u = table(text=["a", "b"])
    u.index = ["u", "u"]
    with pytest.raises(SernbError, match="more than once"):
        readable_utterances(u)


def test_clean_replaces_halves_of_characters_only():
    assert clean("a\ud800b") == "a\ufffdb"
    assert clean("\ud83d\ude00") == "😀"  # the two halves of one
    for text in ("nul \0 stays", "‏עברית‏", "x" * 10_000):
        assert clean(text) == text
