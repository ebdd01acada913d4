import numpy as np
import pandas as pd
import pytest

from sernb.evaluation.audit.texts import near_pairs, near_texts, normalised


def triples(text):
    text = f" {text} "
    return {text[i : i + 3] for i in range(len(text) - 2)}


def jaccard(a, b):
    return len(triples(a) & triples(b)) / len(triples(a) | triples(b))


def test_what_makes_no_difference():
    assert normalised("  Don't—STOP, now!\n") == normalised("don t stop now") == "don t stop now"
    assert normalised("Stra\u00dfe") == normalised("STRASSE")
    assert normalised("e\u0301te\u0301") == normalised("été")
    assert normalised("가나 다.") == "가나 다" and normalised("...?") == ""


@pytest.mark.parametrize("threshold", [0.7, 0.8, 0.85])
def test_as_comparing_each_with_each(threshold):
    draw = np.random.default_rng(0)
    words = ["".join(draw.choice(list("abcdefghij"), draw.integers(2, 8))) for _ in range(60)]
    texts = [" ".join(draw.choice(words, draw.integers(1, 9))) for _ in range(150)]
    for text in texts[:60]:  # near ones: a letter, a word more, a word less
        place = draw.integers(len(text))
        texts += [text[:place] + "x" + text[place + 1 :], f"{text} well"]
    texts = sorted(set(texts))
    pairs, similarity = near_pairs(texts, threshold)
    found = {tuple(pair): value for pair, value in zip(pairs.tolist(), similarity, strict=True)}
    expected = {
        (a, b): jaccard(texts[a], texts[b])
        for a in range(len(texts))
        for b in range(a + 1, len(texts))
        if jaccard(texts[a], texts[b]) >= threshold
    }
    assert len(expected) > 5 and set(found) <= set(expected)
    assert len(found) >= (0.97 if threshold < 0.8 else 0.995) * len(expected)
    assert all(found[pair] == pytest.approx(expected[pair]) for pair in found)


def test_pairs_of_utterances():
    texts = pd.Series(
        ["Dogs are sitting by the door.", "dogs are sitting by the door", None, "", "Dogs are sitting by the doors!", "Kids?", "..."],
        list("abcdefg"),
    )  # fmt: skip
    found = near_texts(texts)
    assert found[["a", "b"]].to_numpy().tolist() == [["a", "b"], ["a", "e"]]
    assert found["similarity"].tolist() == [1.0, pytest.approx(jaccard("dogs are sitting by the door", "dogs are sitting by the doors"))]  # fmt: skip
    for few in (texts[:1], texts[2:4], texts[[False] * 7]):
        assert near_texts(few).empty and list(near_texts(few)) == ["a", "b", "similarity"]


def test_one_sentence_a_thousand_times_is_a_thousand_rows_not_a_million():
    assert len(near_texts(pd.Series(["the same words again"] * 1000))) == 999
    near = pd.Series([f"the very same words come back again and again {number}" for number in range(300)])
    assert 299 <= len(near_texts(near)) < 300 * 100
