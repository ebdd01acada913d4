"""A tiny corpus with words and sound, and tiny encoders for it: what several tests share."""

import hashlib

import numpy as np
import pandas as pd
import torch
from transformers import BertConfig, BertModel

from sernb.models.vggish import VGGish, VGGishConfig

AUDIO = VGGishConfig(channels=(2, 2, 4, 4, 4, 4), hidden=(8, 8), embedding=16)
WORDS = {
    "happy": ["good", "great", "fine"],
    "sad": ["lost", "late", "gone"],
    "angry": ["rude", "loud", "unfair"],
}


class Tokenizer:
    """A piece a word, its number from the word itself: [CLS] 1, [SEP] 2."""

    def __call__(self, texts, **given):
        numbers = [
            [3 + int(hashlib.md5(w.encode()).hexdigest(), 16) % 40 for w in text.split()] for text in texts
        ]
        return {"input_ids": [[1, *one, 2] for one in numbers]}

    def get_vocab(self):
        return {"[CLS]": 1, "[SEP]": 2}


def corpus(count=48, seed=0):
    """(utterances, waveforms, tokenizer): three emotions that one word of each sentence gives away, four
    speakers."""
    rng = np.random.default_rng(seed)
    emotions = [list(WORDS)[number % 3] for number in range(count)]
    fillers = ["the", "a", "my", "we", "it", "was", "so"]
    texts = [
        " ".join([*rng.choice(fillers, rng.integers(1, 6)), rng.choice(WORDS[one]), rng.choice(fillers)])
        for one in emotions
    ]
    utterances = pd.DataFrame(
        {
            "text": texts,
            "emotion": pd.Categorical(emotions, list(WORDS)),
            "speaker": [f"s{number % 4}" for number in range(count)],
        },
        pd.Index([f"u{number:03d}" for number in range(count)], name="utterance"),
    )
    waveforms = [
        (0.1 * rng.standard_normal(int(16000 * rng.uniform(0.5, 3)))).astype(np.float32) for _ in range(count)
    ]
    return utterances, waveforms, Tokenizer()


def encoders(layers=2, seed=0):
    """A BERT and a VGGish with random weights."""
    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=50, hidden_size=32, num_hidden_layers=layers, num_attention_heads=4, intermediate_size=64
    )
    return BertModel(config), VGGish(AUDIO)
