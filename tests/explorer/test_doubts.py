"""Slips in tables are counted, with examples, and nothing else is told: no notice where there is nothing to tell."""

import numpy as np
import pandas as pd
import pytest

from sernb.explorer.label_errors import NEEDS
from sernb.explorer.state import make_state


def table(**columns):
    made = pd.DataFrame(columns)
    made.index = pd.Index([f"u{i}" for i in range(len(made))], name="utterance")
    return made


def told(words, *tables):
    """The notices with these words in them."""
    return [one for one in make_state(*tables)["notices"] if words in one]


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
