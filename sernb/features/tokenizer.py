"""A small WordPiece tokenizer: whole words of the sentences it learnt from, and single letters for all others.

Real English and Korean hardly ever become [UNK]: beside what is learnt stand all letters, digits and the jamo of
Hangul, each as the first piece of a word and as a later one ("##a").
"""

import string
from collections import Counter
from collections.abc import Iterable

from transformers import BertTokenizer

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
LATIN = "æœøßðþłđħıŋ"  # what is left of Europe's Latin letters when accents are stripped
# BERT's normaliser takes syllables apart into initial, vowel and final; ㅋㅋ and ㅠㅠ are letters of their own
JAMO = "".join(map(chr, [*range(0x1100, 0x1113), *range(0x1161, 0x1176), *range(0x11A8, 0x11C3)]))
LONE_JAMO = "".join(map(chr, range(0x3131, 0x3164)))
SYMBOLS = "£€¥₩¢°™®©²³½×→♪♭♯♮"
MARKS = string.punctuation + "‘’“”„‚–—…«»¡¿·•、。「」『』〈〉《》"
ENDINGS = 200


def learn(sentences: Iterable[str], size: int = 3000) -> BertTokenizer:
    """A lower-casing tokenizer of at most `size` pieces: the alphabet, frequent endings and the most frequent words.

    Words and endings are counted rather than merged pair by pair, as WordPiece's trainer does, because that trainer
    breaks ties differently in every run: the same sentences give the same pieces.
    The result saves to a folder that `AutoTokenizer.from_pretrained` loads. Raises ValueError where `size` does not
    hold the alphabet and the endings.
    """
    letters = [*string.ascii_lowercase, *string.digits, *LATIN, *JAMO, *LONE_JAMO, *SYMBOLS]
    alphabet = [*SPECIAL, *letters, *MARKS, *("##" + letter for letter in letters)]
    split = BertTokenizer(do_lower_case=True).backend_tokenizer
    words = Counter(
        word
        for sentence in sentences
        for word, _ in split.pre_tokenizer.pre_tokenize_str(split.normalizer.normalize_str(sentence))
    )
    endings = Counter("##" + word[-n:] for word in words for n in (2, 3, 4) if len(word) >= n + 3)
    pieces = list(dict.fromkeys([*alphabet, *_frequent(endings)[:ENDINGS], *_frequent(words)]))
    if size < len(alphabet) + ENDINGS:
        raise ValueError(f"the alphabet and endings take {len(alphabet) + ENDINGS} pieces; size is {size}.")
    vocabulary = {piece: number for number, piece in enumerate(pieces[:size])}
    return BertTokenizer(vocab=vocabulary, do_lower_case=True, model_max_length=512)


def _frequent(counts: Counter) -> list[str]:
    return sorted(counts, key=lambda piece: (-counts[piece], piece))
