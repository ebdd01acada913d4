"""A tiny corpus whose pitch tells arousal and whose words tell valence, and tiny encoders for it."""

import numpy as np
import pandas as pd
import torch
from transformers import BertConfig, BertModel

from sernb.models.audio_text_regressor import speech_network
from tests.studies.two_streams import Tokenizer

SMALL = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32,
         "conv_dim": (8,) * 7, "num_conv_pos_embeddings": 8, "num_conv_pos_embedding_groups": 2,
         "initializer_range": 0.1}  # fmt: skip
WORDS = ("awful", "bad", "plain", "good", "great")


def corpus(count=40, seed=0):
    """(utterances, waveforms, tokenizer); ratings from 1 to 5, four speakers."""
    rng = np.random.default_rng(seed)
    valence, arousal = rng.integers(1, 6, count).astype(float), rng.uniform(1, 5, count)
    utterances = pd.DataFrame(
        {
            "text": [f"it was {WORDS[int(one) - 1]} {'indeed ' * rng.integers(0, 4)}" for one in valence],
            "arousal": arousal,
            "valence": valence,
            "dominance": (arousal + valence) / 2,
            "emotion": pd.Categorical(np.where(arousal > 3, "angry", "sad")),
            "speaker": [f"s{number % 4}" for number in range(count)],
        },
        pd.Index([f"u{number:03d}" for number in range(count)], name="utterance"),
    )
    utterances.attrs["scale"] = (1, 5)
    waveforms = []
    for one in arousal:
        time = np.arange(int(rng.integers(2000, 6000))) / 16000
        waveforms.append(
            (np.sin(2 * np.pi * 200 * one * time) + 0.1 * rng.normal(size=len(time))).astype(np.float32)
        )
    return utterances, waveforms, Tokenizer()


def encoders(seed=0, **changed):
    """A HuBERT and a BERT with random weights."""
    torch.manual_seed(seed)
    text = BertConfig(
        vocab_size=50, hidden_size=12, num_hidden_layers=1, num_attention_heads=2, intermediate_size=24
    )
    return speech_network({"model_type": "hubert", **SMALL, **changed}), BertModel(text)
