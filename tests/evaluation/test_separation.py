import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

from sernb.core.errors import SernbError
from sernb.evaluation import separation


def test_relative_to_speaker_by_hand():
    table = pd.DataFrame({"pitch": [1.0, 3.0, 10.0, 10.0], "rate": [2.0, 2.0, 0.0, 4.0]}, index=list("abcd"))
    out = separation.relative_to_speaker(table, pd.Series(["s1", "s1", "s2", "s2"], list("abcd")))
    assert out["pitch"].tolist() == [-1, 1, 0, 0]  # a speaker who never varies says nothing
    assert out["rate"].tolist() == [0, 0, -1, 1]
    table.loc["a", "rate"] = np.nan
    assert np.isnan(
        separation.relative_to_speaker(table, pd.Series(["s1"] * 4, list("abcd"))).loc["a", "rate"]
    )
    with pytest.raises(SernbError, match="no speaker"):
        separation.relative_to_speaker(table, pd.Series(["s1", None, "s2", "s2"], list("abcd")))


def test_explained_is_the_adjusted_r_squared():
    rng = np.random.default_rng(0)
    groups = pd.Series(rng.choice(list("abc"), 60))
    values = pd.Series(rng.normal(size=60)) + groups.map({"a": 0, "b": 1, "c": 2})
    dummies = pd.get_dummies(groups)
    r2 = LinearRegression().fit(dummies, values).score(dummies, values)
    assert separation.explained(values, groups) == pytest.approx(1 - (1 - r2) * 59 / 57)


def test_explained_by_hand_and_at_the_edges():
    groups = pd.Series(list("aabb"))
    # sum of squares 10 in all, 1 within: 1 - (1 / 2) / (10 / 3)
    assert separation.explained(pd.Series([0.0, 1.0, 3.0, 4.0]), groups) == pytest.approx(0.85)
    assert separation.explained(pd.Series([1.0, 1, 2, 2]), groups) == 1
    assert np.isnan(separation.explained(pd.Series([1.0] * 4), groups))
    assert np.isnan(separation.explained(pd.Series([1.0, 2, 3, 4]), pd.Series(list("aaaa"))))
    assert np.isnan(separation.explained(pd.Series([1.0, 2, 3, 4]), pd.Series(list("abcd"))))


def test_purity_by_hand():
    # On a line: a a b b a. The nearest neighbours of each are 1, 0, 3, 2, 3: right for four of five.
    features = pd.DataFrame({"x": [0.0, 1.0, 10.0, 11.0, 13.0]})
    found = separation.neighbour_purity(features, pd.Series(list("aabba")), k=1, shuffles=2000)
    assert (found["purity"], found["n"]) == (pytest.approx(0.8), 5)
    # shuffled, a neighbour is the same with (3 * 2 + 2 * 1) / (5 * 4) = 0.4
    assert found["chance"] == pytest.approx(0.4, abs=0.02)
    assert found["above_chance"] == pytest.approx((0.8 - found["chance"]) / (1 - found["chance"]))


def test_labels_that_are_chance_are_called_so_and_real_ones_not():
    rng = np.random.default_rng(1)
    labels = pd.Series(rng.choice(list("abcd"), 300))
    noise = pd.DataFrame(rng.normal(size=(300, 5)))
    nothing = separation.neighbour_purity(noise, labels)
    assert nothing["p"] > 0.05 and abs(nothing["above_chance"]) < 0.05
    something = separation.neighbour_purity(
        noise + pd.get_dummies(labels).to_numpy() @ np.eye(4, 5) * 2, labels
    )
    assert something["p"] < 0.01 and something["above_chance"] > 0.2


def test_small_groups_are_not_held_against_a_label():
    # Ten speakers of two clips each, far apart: the one possible neighbour is the right one.
    features = pd.DataFrame({"x": np.repeat(np.arange(10.0), 2) + np.tile([0, 0.1], 10)})
    speakers = pd.Series(np.repeat(list("abcdefghij"), 2))
    assert separation.neighbour_purity(features, speakers, k=10)["purity"] == 1
    alone = pd.Series([*"aabbccddeeffgghhii", "j", "k"])
    assert separation.neighbour_purity(features, alone)["n"] == 18


def test_neighbours_of_other_speakers_only():
    # Everybody sounds like themselves; the nearest *other* voice bears another emotion.
    features = pd.DataFrame({"x": [0.0, 0.1, 5.0, 5.1, 6.0, 6.1]})
    speakers, emotions = pd.Series(list("112233")), pd.Series(list("aabbaa"))
    assert separation.neighbour_purity(features, emotions, k=1)["purity"] == 1
    assert separation.neighbour_purity(features, emotions, k=1, apart=speakers)["purity"] == 0
    with pytest.raises(SernbError, match="one group"):
        separation.neighbour_purity(features, emotions, apart=pd.Series(list("111111")))
    with pytest.raises(SernbError, match="every measure"):
        separation.neighbour_purity(features.replace(0.0, np.nan), emotions)


def voices(n=120):
    """Speakers lie far apart in pitch; within each, pitch tells the emotion."""
    rng = np.random.default_rng(0)
    index = pd.Index([f"u{i}" for i in range(n)], name="utterance")
    utterances = pd.DataFrame({"speaker": [f"s{i % 4}" for i in range(n)]}, index)
    utterances["emotion"] = rng.choice(["sad", "angry"], n)
    pitch = 5.0 * (np.arange(n) % 4) + (utterances["emotion"] == "angry") + rng.normal(0, 0.2, n)
    return pd.DataFrame({"pitch": pitch, "noise": rng.normal(size=n)}, index), utterances


def test_who_is_stronger_as_recorded_and_within_speakers():
    statistics, utterances = voices()
    shares = separation.shares_of_measures(statistics, utterances["emotion"], utterances["speaker"])
    pitch = shares.loc["pitch"]
    assert pitch["speaker, as recorded"] > 0.9 > pitch["emotion, within speakers"] > 0.7
    assert pitch["emotion, as recorded"] < 0.1 and (shares >= 0).all(axis=None)
    purity = separation.emotion_or_speaker(statistics, utterances, shuffles=50)["above_chance"]
    assert purity["speaker"] > 0.8 and purity["… compared with themselves"] > 0.8
    assert abs(purity["emotion"]) < 0.1 and purity["emotion, among other speakers"] < 0.1


def test_what_is_not_known_has_no_row():
    statistics, utterances = voices()
    assert list(separation.emotion_or_speaker(statistics, utterances[["speaker"]], shuffles=5).index) == [
        "speaker"
    ]
    assert separation.emotion_or_speaker(statistics, utterances[[]], shuffles=5).empty
    assert separation.emotion_or_speaker(
        statistics.head(2), utterances, shuffles=5
    ).empty  # too few to compare
    some = utterances.assign(emotion=utterances["emotion"].where(utterances["speaker"] != "s0"))
    assert separation.emotion_or_speaker(statistics, some, shuffles=5).loc["speaker", "n"] == 90
