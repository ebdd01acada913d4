"""Log-odds by hand, word error rates against another implementation, and the knob that makes errors."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from sernb.core.errors import SernbError
from sernb.corpora import load
from sernb.evaluation import words
from sernb.evaluation.words import bare_words, corrupted, word_error_rate


def test_log_odds_by_hand():
    # Group 1 says x 3 times and y once; group 2 says x once and y 3 times. With a prior of 2 words, each
    # alpha is 1: log-odds of x in group 1 is log(4 / 2) - log(2 / 4) = 2 log 2, its variance 1/4 + 1/2.
    said = np.array([[3.0, 1.0], [1.0, 3.0]])
    ratios, z = words.dirichlet_log_odds(said, prior=2)
    assert ratios[0] == pytest.approx([2 * np.log(2), -2 * np.log(2)])
    assert z[0, 0] == pytest.approx(2 * np.log(2) / np.sqrt(0.75))
    assert ratios[1] == pytest.approx(-ratios[0])


def test_a_third_group_counts_among_the_others():
    said = np.array([[5.0, 1.0, 2.0], [2.0, 2.0, 2.0], [1.0, 4.0, 3.0]])
    together = np.array([said[0], said[1] + said[2]])
    assert words.dirichlet_log_odds(said)[1][0] == pytest.approx(words.dirichlet_log_odds(together)[1][0])


def test_a_strong_prior_draws_to_no_difference():
    said = np.array([[5.0, 1.0], [1.0, 5.0]])
    assert (
        abs(words.dirichlet_log_odds(said, 1e6)[0]).max()
        < 0.01
        < abs(words.dirichlet_log_odds(said, 1.0)[0]).max()
    )


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


def distance(a: list[str], b: list[str]) -> int:
    """Levenshtein's, by the textbook's table."""
    row = list(range(len(b) + 1))
    for number, one in enumerate(a, 1):
        before, row[0] = row[0], number
        for place, other in enumerate(b, 1):
            before, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, before + (one != other))
    return row[-1]


def test_by_hand():
    said = ["The cat sat.", "It is fine, thank you!", "Yes"]
    heard = ["the cat sat", "it's fine thank", "oh yes"]
    # "is" to "s", "you" lost, "oh" put in: 3 errors of 3 + 5 + 1 words
    found = word_error_rate(said, heard)
    assert found["WER"] == pytest.approx(3 / 9) and found["words"] == 9 and found["utterances"] == 3
    assert found[["substitutions", "deletions", "insertions", "hits"]].tolist() == [1, 1, 1, 7]
    assert found["low"] <= found["WER"] <= found["high"] and "rough" in found["note"] and found["empty"] == 0


def test_as_another_implementation():
    rng = np.random.default_rng(0)
    said, heard = (
        [" ".join(rng.choice(list("abcde"), rng.integers(1, 9))) for _ in range(60)] for _ in range(2)
    )
    errors = sum(distance(a.split(), b.split()) for a, b in zip(said, heard, strict=True))
    found = word_error_rate(said, heard)
    assert found["WER"] == pytest.approx(errors / sum(len(one.split()) for one in said))


def test_the_interval_is_of_the_whole_rate_not_of_single_ones():
    """One long hopeless utterance among short good ones moves the rate of all words, and so the interval."""
    said = ["a b c d e f g h i j"] * 5 + ["yes"] * 95
    heard = ["x x x x x x x x x x"] * 5 + ["yes"] * 95
    found = word_error_rate(said, heard)
    assert found["WER"] == pytest.approx(50 / 145) and found["low"] < 0.15 and found["high"] > 0.5
    exact = word_error_rate(said, said)
    assert exact[["WER", "low", "high"]].tolist() == [0, 0, 0] and exact["hits"] == 145


def test_references_without_words_are_stated():
    found = word_error_rate(["[LAUGHTER]", None, "no"], ["ha ha", "", "no"])
    assert found["empty"] == 2 and found["insertions"] == 2 and found["WER"] == 2 and found["words"] == 1
    nothing = word_error_rate(["", "..."], ["", "hm"])
    assert np.isnan(nothing["WER"]) and nothing["empty"] == 2 and nothing["words"] == 0
    one = word_error_rate(["yes"], ["no"])
    assert one["WER"] == 1 and np.isnan(one["low"]) and "no interval" in one["note"]


def test_columns_that_do_not_belong_together_are_refused():
    with pytest.raises(SernbError, match="as many transcripts as references"):
        word_error_rate(["a", "b"], ["a"])
    with pytest.raises(SernbError, match="there are 0"):
        word_error_rate([], [])
    with pytest.raises(SernbError, match="different utterances"):
        word_error_rate(pd.Series(["a"], ["u1"]), pd.Series(["a"], ["u2"]))


def test_the_words_that_are_compared():
    assert bare_words("Don’t [SIGH] worry, (laughs) it's FINE—really.") == [
        "don",
        "t",
        "worry",
        "it",
        "s",
        "fine",
        "really",
    ]
    assert bare_words(None) == bare_words("[BREATHING]") == bare_words(float("nan")) == []


@pytest.fixture(scope="module")
def texts():
    return [*load("embedded")["text"].iloc[:300], "[LAUGHTER]", "", "Don't, don't you dare!", "No no no no."]


def test_the_wanted_rate_is_reached_within_one_word(texts):
    for wer in (0.01, 0.1, 0.37, 0.8, 1.0):
        found = word_error_rate(texts, corrupted(texts, wer, seed=1))
        assert abs(found["WER"] * found["words"] - wer * found["words"]) <= 1.5  # and half a one of rounding


def test_nothing_is_changed_at_0_and_little_at_little(texts):
    assert corrupted(texts, 0, seed=3) == texts
    changed = corrupted(texts, 0.02, seed=3)
    assert sum(a != b for a, b in zip(texts, changed, strict=True)) > 20
    assert all(a == b for a, b in zip(texts, changed, strict=True) if bare_words(a) == bare_words(b))


def is_within(few, many):
    """Whether the words `few` stand among `many` in this order."""
    rest = iter(many)
    return all(word in rest for word in few)


def test_errors_are_nested(texts):
    """What is put in at a lower rate stays in at a higher one, and what is lost stays lost."""
    rates = (0, 0.05, 0.1, 0.3, 0.5, 0.9, 1)
    chain = [corrupted(texts, wer, seed=2) for wer in rates]
    for few, many in pairwise(chain):
        for text, here, there in zip(texts, few, many, strict=True):
            own, here, there = set(bare_words(text)), bare_words(here), bare_words(there)
            assert is_within([word for word in there if word in own], [word for word in here if word in own])
            if not {"t", "s", "m", "ll", "re"} & {*own, *here, *there}:  # halves of "don't" and the like
                assert is_within([w for w in here if w not in own], [w for w in there if w not in own])
    assert corrupted(texts, 0.1, seed=2) == chain[2] != corrupted(texts, 0.1, seed=4)


def test_a_lower_rate_is_nearer_to_a_higher_one_than_to_none(texts):
    few, many = (corrupted(texts, wer, seed=2) for wer in (0.1, 0.3))
    rows = [map(bare_words, row) for row in zip(texts, few, many, strict=True)]
    assert all(distance(here, there) <= distance(was, there) for was, here, there in rows)


def test_kinds_of_errors_come_in_their_shares(texts):
    found = word_error_rate(texts, corrupted(texts, 0.2, seed=0))
    kinds = found[["substitutions", "deletions", "insertions"]].to_numpy(float)
    assert kinds / kinds.sum() == pytest.approx(words.SHARES, abs=0.05)


def test_words_come_from_the_texts_and_look_alike(texts):
    own = {word for text in texts for word in bare_words(text)}
    changed = corrupted(texts, 0.5, seed=0)
    assert {word for text in changed for word in bare_words(text)} <= own
    lights = ["Light light light light light."] * 10
    alike = ["night might sight fight right tight eight wight", *["elephant"] * 99]
    changed = corrupted([*lights, *alike], 1, 0)[:10]
    assert sum(text[:1].isupper() for text in changed) > 5 and all(text.endswith(".") for text in changed)
    said = Counter(word for text in changed for word in bare_words(text))
    assert said["elephant"] < said.total() / 4 < said.total() - said["light"] - said["elephant"]


def test_rates_that_cannot_be(texts):
    for wer in (-0.1, 1.1, float("nan")):
        with pytest.raises(SernbError, match="between 0 and 1"):
            corrupted(texts, wer, 0)
    assert corrupted(["Yes, no."] * 10, 1, 0) == [""] * 10  # with no words to put in, words are lost
    assert corrupted([], 0.5, 0) == [] and corrupted(["", "[NOISE]"], 1, 0) == ["", "[NOISE]"]


@pytest.mark.parametrize(
    "texts",
    [
        ["cafe\u0301 noe\u0308l de\u0301ja\u0300"] * 8,  # accents as signs of their own
        ["नमस्ते दुनिया कैसे हो"] * 8,  # vowel signs
        ["สวัสดี ครับ", "ขอบคุณ มาก"] * 8,
        ["x\u0302 plus y\u0302 is z"] * 8,  # accents that no single sign has
    ],
)
def test_the_rate_is_reached_in_any_script(texts):
    found = word_error_rate(texts, corrupted(texts, 0.5, seed=0))
    assert abs(found["WER"] * found["words"] - 0.5 * found["words"]) <= 1.5
    assert corrupted(texts, 0, seed=0) == texts


def test_a_word_with_signs_behind_its_letters_is_one_word():
    assert bare_words("नमस्ते दुनिया") == ["नमस्ते", "दुनिया"]
    assert bare_words("cafe\u0301 x\u0302y, foo_bar") == ["café", "x\u0302y", "foo", "bar"]


def test_a_rate_that_cannot_be_reached_is_told():
    """A sign that is compared as a word, and none to change."""
    with pytest.warns(UserWarning, match=r"0 errors could be made of the 5"):
        assert corrupted(["™"] * 10, 0.5, 0) == ["™"] * 10


def test_one_word_that_is_compared_as_three_goes_as_three():
    lost = corrupted(["rock'n'roll"] * 10, 0.5, 0)
    assert sorted(lost) == [""] * 5 + ["rock'n'roll"] * 5
