"""The usual words for emotions, and the kit's words for them (sernb.core.tables.EMOTIONS)."""

# The kit's word, then what corpora call it: adjectives, nouns, usual codes. No single letters: EMO-DB's A is
# fear, others' is anger.
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
