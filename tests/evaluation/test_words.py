import numpy as np
import pandas as pd
import pytest

from sernb.core.errors import SernbError
from sernb.evaluation import words


def test_log_odds_by_hand():
    # Group 1 says x 3 times and y once; group 2 says x once and y 3 times. With a prior of 2 words, each alpha is 1:
    # log-odds of x in group 1 is log(4 / 2) - log(2 / 4) = 2 log 2, its variance 1/4 + 1/2.
    said = np.array([[3.0, 1.0], [1.0, 3.0]])
    ratios, z = words.scores(said, prior=2)
    assert ratios[0] == pytest.approx([2 * np.log(2), -2 * np.log(2)])
    assert z[0, 0] == pytest.approx(2 * np.log(2) / np.sqrt(0.75))
    assert ratios[1] == pytest.approx(-ratios[0])


def test_a_third_group_counts_among_the_others():
    said = np.array([[5.0, 1.0, 2.0], [2.0, 2.0, 2.0], [1.0, 4.0, 3.0]])
    together = np.array([said[0], said[1] + said[2]])
    assert words.scores(said)[1][0] == pytest.approx(words.scores(together)[1][0])


def test_a_strong_prior_draws_to_no_difference():
    said = np.array([[5.0, 1.0], [1.0, 5.0]])
    assert abs(words.scores(said, 1e6)[0]).max() < 0.01 < abs(words.scores(said, 1.0)[0]).max()


def test_words_of_texts():
    texts = pd.Series(["Bad, bad day!", "bad luck", "good day", "Good luck", None, "good"])
    groups = pd.Series(["sad", "sad", "happy", "happy", "sad", None])
    table, bar = words.log_odds(texts, groups, least=2, shuffles=50)
    first = table[table["group"] == "sad"].iloc[0]
    assert (first["word"], first["count"], first["others"]) == ("bad", 2, 0) and first["z"] > 0
    assert set(table["word"]) == {"bad", "good", "day", "luck"}
    assert bar >= 0 and bar == words.log_odds(texts, groups, least=2, shuffles=50)[1]
    assert np.isnan(words.log_odds(texts, groups, least=2)[1])


def test_groups_keep_their_order_and_apostrophes_are_one_sign():
    groups = pd.Series(pd.Categorical(["low", "high", "low"], ["low", "middle", "high"]))
    table, _ = words.log_odds(pd.Series(["I’m ill", "fine", "I'm ill"]), groups, least=1)
    assert list(table["group"].cat.categories) == ["low", "high"]
    assert table.set_index(["group", "word"]).loc[("low", "i'm"), "count"] == 2


def test_words_that_everybody_says_stay_below_the_bar():
    texts = pd.Series(["kids are talking by the door", "dogs are sitting by the door"] * 40)
    groups = pd.Series(np.repeat(["sad", "happy"], 40))
    table, bar = words.log_odds(texts, groups, shuffles=50)
    assert table["z"].max() < bar
    split = pd.Series(["sad", "happy"] * 40)  # each group has a sentence of its own
    table, bar = words.log_odds(texts, split, shuffles=50)
    assert table["z"].max() > bar


def test_what_cannot_be_compared():
    texts = pd.Series(["a b", "b c"])
    with pytest.raises(SernbError, match="there are 1"):
        words.log_odds(texts, pd.Series(["sad", "sad"]))
    with pytest.raises(SernbError, match="5 utterances"):
        words.log_odds(texts, pd.Series(["sad", "happy"]))
    with pytest.raises(SernbError, match="no words"):
        words.log_odds(pd.Series(["…", "!"]), pd.Series(["sad", "happy"]))
