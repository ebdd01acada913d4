"""Transcripts as a text stream takes them: cleaned, as token ids, as words again; and a small tokenizer."""

import re
import string
import warnings
from collections import Counter
from collections.abc import Iterable

import numpy as np
import pandas as pd

from sernb.core.errors import SernbError, some

NOTES = re.compile(r"\[[^\[\]]*\]|\([^()]*\)")
EMPTY = "NULL"
LONGEST = 512  # tokens, the positions of a BERT

# The alphabet of a tokenizer, so that real English and Korean hardly ever become [UNK].
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
LATIN = "æœøßðþłđħıŋ"  # what is left of Europe's Latin letters when accents are stripped
# BERT's normaliser takes syllables apart into initial, vowel and final; ㅋㅋ and ㅠㅠ are letters too.
JAMO = "".join(map(chr, [*range(0x1100, 0x1113), *range(0x1161, 0x1176), *range(0x11A8, 0x11C3)]))
LONE_JAMO = "".join(map(chr, range(0x3131, 0x3164)))
SYMBOLS = "£€¥₩¢°™®©²³½×→♪♭♯♮"
MARKS = string.punctuation + "‘’“”„‚–—…«»¡¿·•、。「」『』〈〉《》"
ENDINGS = 200


def clean(text) -> str:
    """A transcript without notes (as DistilSER's code): [...] and (...) go; what is empty becomes "NULL"."""
    if text is None or (isinstance(text, float) and np.isnan(text)) or text is pd.NA:
        return EMPTY
    text, notes = str(text), 1
    while notes:  # a note may stand within another
        text, notes = NOTES.subn(" ", text)
    return " ".join(text.split()) or EMPTY


def token_ids(texts: pd.Series, tokenizer, longest: int = LONGEST) -> list[list[int]]:
    """Token ids of each cleaned transcript, [CLS] first, cut to `longest` with a warning.

    Raises SernbError where all of several transcripts are empty.
    """
    cleaned = texts.map(clean)
    if len(cleaned) > 1 and (cleaned == EMPTY).all():
        raise SernbError(f"all {len(cleaned)} transcripts are empty: no words to read. Choose audio alone.")
    ids = tokenizer(list(cleaned), add_special_tokens=True, truncation=False, verbose=False)["input_ids"]
    too_long = [name for name, tokens in zip(texts.index, ids, strict=True) if len(tokens) > longest]
    if too_long:
        which = f"{len(too_long)} transcripts have more than {longest} tokens"
        warnings.warn(f"{which} and keep their first {longest}: {some(too_long)}.", stacklevel=2)
    return [tokens if len(tokens) <= longest else [*tokens[: longest - 1], tokens[-1]] for tokens in ids]


def words_of(ids: list[int], weights: np.ndarray, tokenizer) -> tuple[list[str], np.ndarray]:
    """The words of token ids, pieces put together again, and each one's share of `weights (tokens,)`."""
    words, shares = [], []
    for piece, weight in zip(tokenizer.convert_ids_to_tokens(list(map(int, ids))), weights, strict=True):
        if piece.startswith("##") and words:
            words[-1] += piece[2:]
            shares[-1] += float(weight)
        else:
            words.append(piece)
            shares.append(float(weight))
    return words, np.array(shares)


def learn(sentences: Iterable[str], size: int = 3000):
    """A lower-casing `transformers.BertTokenizer` of at most `size` pieces, learnt from sentences.

    It knows the alphabet (each letter as a first piece and a later one, "##a"), frequent endings and words,
    counted, not merged as WordPiece's trainer does, which breaks ties differently in every run. Raises
    ValueError where `size` does not hold the alphabet and the endings.
    """
    from transformers import BertTokenizer  # for those who make a tokenizer alone: it takes a second

    letters = [*string.ascii_lowercase, *string.digits, *LATIN, *JAMO, *LONE_JAMO, *SYMBOLS]
    alphabet = [*SPECIAL, *letters, *MARKS, *("##" + letter for letter in letters)]
    if size < len(alphabet) + ENDINGS:
        raise ValueError(f"the alphabet and endings take {len(alphabet) + ENDINGS} pieces; size is {size}.")

    split = BertTokenizer(do_lower_case=True).backend_tokenizer
    normal = map(split.normalizer.normalize_str, sentences)
    words = Counter(word for text in normal for word, _ in split.pre_tokenizer.pre_tokenize_str(text))
    endings = Counter("##" + word[-n:] for word in words for n in (2, 3, 4) if len(word) >= n + 3)
    # The most frequent first, in the order of the alphabet where they are alike.
    frequent, common = (sorted(sorted(n), key=n.get, reverse=True) for n in (endings, words))
    pieces = list(dict.fromkeys([*alphabet, *frequent[:ENDINGS], *common]))
    vocabulary = {piece: number for number, piece in enumerate(pieces[:size])}
    return BertTokenizer(vocab=vocabulary, do_lower_case=True, model_max_length=LONGEST)
