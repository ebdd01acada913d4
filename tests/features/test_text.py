import numpy as np
import pandas as pd
import pytest

from sernb.core.errors import SernbError
from sernb.features.text import clean, learn, token_ids, words_of


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("I am [LAUGHTER] fine.", "I am fine."),
        ("(door slams) Well  (sighs), yes", "Well , yes"),
        ("[LAUGHTER]", "NULL"),
        ("(a (b) c) d", "d"),
        ("", "NULL"),
        ("  \n", "NULL"),
        (None, "NULL"),
        (np.nan, "NULL"),
        (pd.NA, "NULL"),
        ("half [open", "half [open"),
        ("<b>&amp;</b>", "<b>&amp;</b>"),
    ],
)
def test_notes_go_and_nothing_becomes_null(said, kept):
    assert clean(said) == kept


class Words:
    """A tokenizer of whole words: [CLS] 1, [SEP] 2, a word 3."""

    def __call__(self, texts, **given):
        return {"input_ids": [[1, *[3] * len(text.split()), 2] for text in texts]}


def test_a_long_transcript_keeps_its_beginning_and_its_end_mark():
    texts = pd.Series({"short": "one two", "long": "word " * 600})
    with pytest.warns(UserWarning, match="1 transcripts have more than 512 tokens .*: long"):
        short, long = token_ids(texts, Words())
    assert short == [1, 3, 3, 2]
    assert len(long) == 512 and long[0] == 1 and long[-1] == 2


def test_a_corpus_without_a_word_is_refused():
    with pytest.raises(SernbError, match="all 2 transcripts are empty"):
        token_ids(pd.Series(["[noise]", None]), Words())
    assert token_ids(pd.Series(["[noise]", "yes"]), Words()) == [[1, 3, 2], [1, 3, 2]]


def test_pieces_become_words_and_their_weights_add_up():
    class Pieces:
        def convert_ids_to_tokens(self, ids):
            return [["[CLS]", "un", "##fair", "news", "[SEP]"][one] for one in ids]

    words, weights = words_of([0, 1, 2, 3, 4], np.array([0.1, 0.2, 0.3, 0.25, 0.15]), Pieces())
    assert words == ["[CLS]", "unfair", "news", "[SEP]"]
    np.testing.assert_allclose(weights, [0.1, 0.5, 0.25, 0.15])


def test_a_single_text_may_be_empty():
    """What a machine heard in one utterance, nothing, is text too."""
    assert token_ids(pd.Series([""]), Words()) == [[1, 3, 2]]


@pytest.fixture(scope="module")
def pieces():
    return learn(["The cat sat on the mat.", "The dog sat, too."], 800)


def unknown(writer, texts) -> float:
    ids = [one for text in writer(list(texts), add_special_tokens=False)["input_ids"] for one in text]
    return ids.count(writer.unk_token_id) / len(ids)


def test_known_words_are_one_piece_and_others_many(pieces):
    assert pieces.tokenize("The CAT sat") == ["the", "cat", "sat"]
    assert pieces.tokenize("chat") == ["c", "##h", "##a", "##t"]


def test_every_hangul_syllable_can_be_written(pieces):
    syllables = [chr(one) for one in range(0xAC00, 0xD7A4)]
    assert unknown(pieces, syllables) == 0
    assert (
        unknown(pieces, ["".join(syllables[start : start + 30]) for start in range(0, len(syllables), 30)])
        == 0
    )
    assert pieces.tokenize("각") == ["\u1100", "##\u1161", "##\u11a8"]
    assert unknown(pieces, ["ㅋㅋㅋ ㅠㅠ"]) == 0


def test_accents_digits_and_punctuation_can_be_written(pieces):
    assert pieces.tokenize("é") == ["e"]
    assert (
        unknown(
            pieces, ["Crème brûlée, Łódź, Straße; “£5” – 20°… (naïve) a+b=c_d {e} 100% №".replace("№", "")]
        )
        == 0
    )
    assert pieces.tokenize("龍") == ["[UNK]"]


def test_the_same_sentences_give_the_same_pieces(pieces):
    again = learn(["The dog sat, too.", "The cat sat on the mat."], 800)
    assert again.get_vocab() == pieces.get_vocab()


def test_rare_words_are_left_out_first():
    words = [f"{first}{second}{third}" for first in "abcdefgh" for second in "aeiou" for third in "abcdefgh"]
    vocabulary = learn(["zeta", *words, *words], 700).get_vocab()
    assert len(vocabulary) == 700 and "aaa" in vocabulary and "zeta" not in vocabulary
    with pytest.raises(ValueError, match="size is 50"):
        learn(["rare"], 50)
