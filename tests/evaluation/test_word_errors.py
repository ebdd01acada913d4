"""Word error rates against counts by hand and another implementation, and the knob that makes errors."""

import numpy as np
import pandas as pd
import pytest

from sernb.core.errors import SernbError
from sernb.corpora import load
from sernb.evaluation.word_errors import bare_words, corrupted, word_error_rate


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


def test_the_wanted_rate_is_reached_within_one_error(texts):
    for wer in (0.01, 0.1, 0.37, 0.8, 1.0):
        found = word_error_rate(texts, corrupted(texts, wer, seed=1))
        assert abs(found["WER"] * found["words"] - wer * found["words"]) <= 1.5  # and half a one of rounding
    lost = corrupted(texts, 1.0, seed=1, shares=(0, 1, 0))
    assert word_error_rate(texts, lost)["WER"] == 1 and lost[0] == ""


def test_nothing_is_changed_at_0_and_little_at_little(texts):
    assert corrupted(texts, 0, seed=3) == texts
    changed = corrupted(texts, 0.02, seed=3)
    assert sum(a != b for a, b in zip(texts, changed, strict=True)) > 20
    assert all(a == b for a, b in zip(texts, changed, strict=True) if bare_words(a) == bare_words(b))


def test_errors_are_nested(texts):
    few, many = (corrupted(texts, wer, seed=2) for wer in (0.1, 0.3))
    kept = 0
    for text, one, other in zip(texts, few, many, strict=True):
        was, here, there = map(bare_words, (text, one, other))
        # what the errors at 0.1 did to the text is still done at 0.3: that is nearer to it than to the text itself
        assert distance(here, there) <= distance(was, there)
        kept += distance(was, there) - distance(here, there)
    assert kept == distance_sum(texts, few)
    assert corrupted(texts, 0.1, seed=2) == few != corrupted(texts, 0.1, seed=4)


def distance_sum(texts, changed):
    return sum(distance(bare_words(a), bare_words(b)) for a, b in zip(texts, changed, strict=True))


def test_kinds_of_errors_come_in_their_shares(texts):
    found = word_error_rate(texts, corrupted(texts, 0.2, seed=0, shares=(0.5, 0.3, 0.2)))
    kinds = found[["substitutions", "deletions", "insertions"]].to_numpy(float)
    assert kinds / kinds.sum() == pytest.approx([0.5, 0.3, 0.2], abs=0.08)


def test_words_come_from_the_vocabulary_and_look_alike(texts):
    own = {word for text in texts for word in bare_words(text)}
    changed = corrupted(texts, 0.5, seed=0)
    assert {word for text in changed for word in bare_words(text)} <= own
    given = corrupted(["The light was bright."] * 50, 0.2, 0, ["night bride elephant"], (1, 0, 0))
    assert {word for text in given for word in bare_words(text)} - {"the", "light", "was", "bright"}
    assert all(text[0].isupper() and text.endswith(".") for text in given)
    vocabulary = ["night might sight fight right tight eight wight", *["elephant"] * 99]
    alike = corrupted(["light light light light light"], 1, 0, vocabulary, (1, 0, 0))
    assert "elephant" not in alike[0]


def test_settings_that_cannot_be(texts):
    for wer in (-0.1, 1.1, float("nan")):
        with pytest.raises(SernbError, match="between 0 and 1"):
            corrupted(texts, wer, 0)
    with pytest.raises(SernbError, match="add up to 1"):
        corrupted(texts, 0.1, 0, shares=(0.5, 0.1, 0.1))
    lost = corrupted(["Yes, no."] * 10, 1, 0, vocabulary=[])  # with no words to put in, words are lost
    assert lost == [""] * 10
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
    """One word to change, but three to compare: more errors at a time than are made."""
    with pytest.warns(
        UserWarning, match=r"0 errors could be made of the 15 that a word error rate of 0\.5 takes"
    ):
        assert corrupted(["rock'n'roll"] * 10, 0.5, 0) == ["rock'n'roll"] * 10
