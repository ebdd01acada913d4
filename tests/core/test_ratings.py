"""Ratings as targets, and predictions back on the corpus's scale."""

import numpy as np
import pandas as pd
import pytest

from sernb.core.errors import SernbError
from sernb.core.ragged import rows_of
from sernb.core.ratings import rated, targets_of
from sernb.core.tables import check_predictions


def table(**columns):
    made = pd.DataFrame(columns, pd.Index(["a", "b", "c"], name="utterance"))
    made.attrs["scale"] = (1, 5)
    return made


def test_targets_lie_between_0_and_1_by_the_scale_not_by_the_data():
    found = targets_of(table(valence=[2.0, 3.0, 4.0], arousal=[1.0, np.nan, 5.0]))
    assert found.dimensions == ("arousal", "valence")
    np.testing.assert_allclose(found.values, [[0, 0.25], [np.nan, 0.5], [1, 0.75]])
    found = targets_of(table(valence=[2.0, 3.0, 4.0]), ["valence"], scale=(2, 4))
    np.testing.assert_allclose(found.values[:, 0], [0, 0.5, 1])


def test_predictions_are_on_the_original_scale_and_not_cut_off():
    utterances = table(valence=[2.0, 3.0, np.nan], arousal=[1.0, np.nan, np.nan], speaker=["x", "y", "z"])
    targets = targets_of(utterances.assign(arousal=[1.0, 2.0, np.nan]))
    said = np.array([[0.5, 1.25], [0.0, 1.0], [0.0, 0.0]])
    found = check_predictions(rated(said, utterances.index, utterances, targets, "f", "m"))
    assert list(found.index) == ["a", "b"]  # c was never rated
    assert found["arousal_predicted"].tolist() == [3, 1]
    assert found["valence_predicted"].tolist() == [6, 5]
    assert found["valence"].tolist() == [2, 3]
    assert found["speaker"].tolist() == ["x", "y"]


@pytest.mark.parametrize(
    ("utterances", "given", "message"),
    [
        (table(valence=[1.0, 2.0, 6.0]), {}, r"1 ratings of valence lie outside the scale 1 to 5 \(c: 6\)"),
        (table(valence=[2.0, 2.0, 2.0]), {}, "all 3 ratings of valence are 2"),
        (table(valence=[2.0, np.nan, np.nan]), {}, "all 1 ratings of valence are 2"),
        (table(valence=[np.nan] * 3), {}, "no utterance has a valence"),
        (table(valence=[1.0, 2.0, 3.0]), {"dimensions": ["arousal"]}, "no column 'arousal'"),
        (table(text=["x", "y", "z"]), {}, "emotion classes only"),
        (table(valence=[1.0, 2.0, 3.0]), {"scale": (5, 1)}, "the lowest rating first"),
    ],
)
def test_bad_ratings_are_named(utterances, given, message):
    with pytest.raises(SernbError, match=message):
        targets_of(utterances, **given)


def test_a_scale_is_needed():
    utterances = table(valence=[1.0, 2.0, 3.0])
    utterances.attrs.clear()
    with pytest.raises(SernbError, match=r"as in scale=\(1, 5\)"):
        targets_of(utterances)


def test_targets_know_whose_they_are():
    utterances = table(valence=[1.0, 2.0, 3.0])
    assert targets_of(utterances).index.equals(utterances.index)


def test_rows_are_found_by_id():
    index = pd.Index(["a", "b", "c"])
    assert rows_of(index, ["c", "a"]).tolist() == [2, 0]
    with pytest.raises(SernbError, match="2 utterances are not among these inputs: x, y"):
        rows_of(index, ["x", "a", "y"])
    with pytest.raises(SernbError, match="several rows have the same id: a"):
        rows_of(pd.Index(["a", "a", "b"]), ["a"])


def test_a_scale_may_be_any_two_numbers():
    utterances = table(valence=[2.0, 3.0, 4.0])
    assert targets_of(utterances, scale=np.array([1, 5])).scale == (1, 5)
    for wrong in ("15", (1, 5, 7), 5, [1, "many"]):
        with pytest.raises(SernbError, match="expected two numbers, the lowest and highest possible rating"):
            targets_of(utterances, scale=wrong)
    assert targets_of(utterances, "valence").dimensions == ("valence",)
