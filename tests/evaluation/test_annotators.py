import numpy as np
import pandas as pd
import pytest

from sernb import corpora
from sernb.core.errors import SernbError
from sernb.evaluation import annotators, scores

# Krippendorff 2011, section E: 12 units, 4 observers, values missing; alpha is 0.743 nominal and 0.849
# interval.
PUBLISHED = pd.DataFrame(
    {
        "A": [1, 2, 3, 3, 2, 1, 4, 1, 2, np.nan, np.nan, np.nan],
        "B": [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, np.nan, 3],
        "C": [np.nan, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, np.nan],
        "D": [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, np.nan],
    }
)


def alpha(ratings, rated="emotion"):
    columns = [f"{rated}_{number}" for number in range(ratings.shape[1])]
    return annotators.agreement(ratings.set_axis(columns, axis=1), n=1)["alpha"].iloc[0]


@pytest.mark.parametrize(("rated", "published"), [("emotion", 0.743), ("arousal", 0.849)])
def test_alpha_is_the_published_one(rated, published):
    assert alpha(PUBLISHED, rated) == pytest.approx(published, abs=0.0005)


def test_alpha_by_hand():
    # Six units of two labels a, b: aa aa aa bb ab ab. Disagreeing pairs 4 of 12; 8 a and 4 b give
    # (8*4 + 4*8) / 11 expected ones, so alpha = 1 - 4 / (64 / 11) = 0.3125.
    ratings = pd.DataFrame({"one": list("aaabaa"), "two": list("aaabbb")})
    assert alpha(ratings) == pytest.approx(0.3125)


def test_alpha_where_there_is_nothing_to_measure():
    same = pd.DataFrame({"one": ["sad"] * 4, "two": ["sad"] * 4})
    once = pd.DataFrame({"one": ["sad", None], "two": [None, "angry"]})
    assert np.isnan(alpha(same))
    assert np.isnan(alpha(once))
    assert alpha(pd.DataFrame({"one": ["a", "b"], "two": ["a", "b"]})) == 1


def test_ratings_by_slider_need_no_table_of_all_values():
    draw = np.random.default_rng(0)
    truth = draw.random(3000)
    table = pd.DataFrame({f"arousal_{n}": truth + 0.1 * draw.random(3000) for n in (1, 2, 3)})
    few = table.round(1)  # on few values, against the coincidences of the definition, by hand
    found = annotators.agreement(table, n=50).loc["arousal"]
    assert 0.9 < found["low"] <= found["alpha"] <= found["high"] < 1
    x = few.to_numpy()
    observed = 2 * x.var(axis=1, ddof=1).mean()
    assert alpha(few, "arousal") == pytest.approx(1 - observed / (2 * x.var(ddof=1)))
    assert np.isnan(alpha(few * 0 + 0.3, "arousal"))


def test_one_judge_an_utterance_is_told():
    once = pd.DataFrame(
        {"one": ["sad", None, None], "two": [None, "sad", None], "three": [None, None, "angry"]}
    )
    with pytest.raises(SernbError, match="several of them labelled"):
        annotators.one_against_the_others(once)
    with pytest.raises(SernbError, match="several of them labelled"):
        annotators.one_against_the_others(once.iloc[:0].reindex(["u1"]))


def test_who_names_several_emotions_says_no_single_one():
    ratings = pd.DataFrame({"one": [*"aaabaa", "a; b"], "two": [*"aaabbb", "a"]})
    assert alpha(ratings) == pytest.approx(0.3125)
    assert list(annotators.heard_as(ratings).index) == ["a", "b"]


def test_only_annotators_columns_are_ratings():
    columns = [
        "emotion",
        "emotion_1",
        "emotion_2",
        "emotion_true",
        "arousal_1",
        "emotional_range",
        "valence_of",
    ]
    table = pd.DataFrame(columns=columns)
    assert annotators.rating_columns(table) == {
        "emotion": ["emotion_1", "emotion_2"]
    }  # one arousal is no agreement


def test_the_table_for_the_embedded_corpus():
    table = annotators.agreement(corpora.load("embedded"), n=200)
    assert list(table.index) == ["emotion", "arousal", "valence", "dominance"]
    assert (table["low"] < table["alpha"]).all() and (table["alpha"] < table["high"]).all()
    assert table.loc["emotion", "unanimous"] == pytest.approx(0.67, abs=0.005)  # docs/embedded_corpus.md
    assert annotators.agreement(pd.DataFrame({"emotion": ["sad"]})).empty


def test_heard_as_is_a_share_of_the_row():
    ratings = pd.DataFrame({"one": ["sad", "sad", "angry"], "two": ["sad", "angry", "angry"]})
    shares = annotators.heard_as(ratings)
    assert list(shares.index) == ["sad", "angry"]
    assert shares.loc["sad"].tolist() == pytest.approx(
        [2 / 3, 1 / 3]
    )  # of 3 times "sad", the other said it twice


def test_one_annotator_is_judged_by_the_others():
    ratings = pd.DataFrame(
        {"a": ["sad", "sad", "sad"], "b": ["sad", "sad", "angry"], "c": ["sad", "angry", "angry"]},
        index=pd.Index(["u1", "u2", "u3"], name="utterance"),
    )
    table = annotators.one_against_the_others(ratings)
    # u2: against a the others b, c are tied; u3: against b and c the others are tied, against a they say
    # angry.
    assert [tuple(row) for row in table[["seed", "emotion", "predicted"]].astype(object).to_numpy()] == [
        (0, "sad", "sad"), (0, "angry", "sad"), (1, "sad", "sad"), (2, "sad", "sad"), (2, "sad", "angry"),
    ]  # fmt: skip
    assert 0 < scores(table).loc["one annotator", "UAR"] < 1
    with pytest.raises(SernbError, match="three annotators"):
        annotators.one_against_the_others(ratings[["a", "b"]])
