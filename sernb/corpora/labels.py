"""The corpora's own words for emotions, and the kit's words for them (sernb.core.tables.EMOTIONS)."""

from sernb.core.tables import EMOTIONS

# The kit's word, then what corpora call it: adjectives, nouns and the usual three-letter codes (IEMOCAP, CREMA-D,
# SAVEE, MELD). Single letters differ from corpus to corpus (EMO-DB's A is fear, others' is anger), so none are here.
_WORDS = {
    "neutral": "neutrality neu ntr",
    "happy": "happiness hap joy joyful",
    "sad": "sadness",
    "angry": "anger ang",
    "fearful": "fear fea afraid anxious anxiety",
    "disgusted": "disgust dis",
    "surprised": "surprise sur ps",
    "calm": "calmness cal",
    "bored": "boredom bor",
}

KNOWN = {word: emotion for emotion, words in _WORDS.items() for word in [emotion, *words.split()]}

EMODB = {
    "W": "angry",
    "L": "bored",
    "E": "disgusted",
    "A": "fearful",
    "F": "happy",
    "T": "sad",
    "N": "neutral",
}

RAVDESS = {
    "01": "neutral",
    "02": "calm",
    "03": "happy",
    "04": "sad",
    "05": "angry",
    "06": "fearful",
    "07": "disgusted",
    "08": "surprised",
}

CREMAD = {
    "ANG": "angry",
    "DIS": "disgusted",
    "FEA": "fearful",
    "HAP": "happy",
    "NEU": "neutral",
    "SAD": "sad",
}

# What evaluators of IEMOCAP chose from, and the codes of what most of them chose; xxx (no majority) and oth (other)
# stand for no emotion, frustrated and excited are words of IEMOCAP's own.
IEMOCAP = {
    "neu": "neutral",
    "hap": "happy",
    "sad": "sad",
    "ang": "angry",
    "fea": "fearful",
    "dis": "disgusted",
    "sur": "surprised",
    "fru": "frustrated",
    "exc": "excited",
    "oth": None,
    "xxx": None,
}

# MSP-Podcast's primary emotion; O (other) and X (no agreement) stand for none, contemptuous is a word of its own.
MSP_PODCAST = {
    "A": "angry",
    "S": "sad",
    "H": "happy",
    "U": "surprised",
    "F": "fearful",
    "D": "disgusted",
    "C": "contemptuous",
    "N": "neutral",
    "O": None,
    "X": None,
}

assert set(KNOWN.values()) == set(EMOTIONS)


def emotion_of(word: str) -> str | None:
    """The kit's word for a corpus's, whatever its case; None when it is not known."""
    return KNOWN.get(word.strip().lower())
