"""The models whose loss and gradients on the GPU are compared with the CPU's. Each new model adds a row."""

from collections.abc import Callable
from dataclasses import dataclass

import torch

from sernb.models.attention_pooling import CNNConfig, SpectrogramCNN
from sernb.models.three_m_ser import ThreeMSER, ThreeMSERConfig


@dataclass(frozen=True)
class Case:
    """`build()` makes the module, `inputs()` its keyword arguments; its output has a `loss` (or is the loss).

    Both run in train mode, so build without dropout: its random numbers differ between devices.
    """

    name: str
    build: Callable[[], torch.nn.Module]
    inputs: Callable[[], dict]


def spectrograms(batch=8, classes=4):
    """A batch as the front end makes it: (batch, 400 bins, 200 frames) in [-1, 1], with labels."""
    return {
        "spectrogram": torch.rand(batch, 400, 200) * 2 - 1,
        "labels": torch.arange(batch) % classes,
    }


def utterances(batch=4, tokens=12, examples=3):
    """Words and sound of unlike length, as `sernb.studies.three_m_inputs.Inputs.dataset` hands them out."""
    return {
        "input_ids": torch.randint(100, 30000, (batch, tokens)),
        "text_mask": torch.arange(tokens) < torch.arange(tokens, tokens - batch, -1)[:, None],
        "examples": torch.randn(batch, examples, 96, 64),
        "audio_mask": torch.arange(examples) < (1 + torch.arange(batch) % examples)[:, None],
        "labels": torch.arange(batch) % 4,
    }


def student(layers=2):
    """A student of the paper's size, without dropout."""
    text = {
        "num_hidden_layers": layers,
        "hidden_dropout_prob": 0.0,
        "attention_probs_dropout_prob": 0.0,
    }
    return ThreeMSER(ThreeMSERConfig(text=text, dropout=0.0))


CASES = [
    *(
        Case(
            f"CNN, {pooling} pooling",
            lambda pooling=pooling: SpectrogramCNN(CNNConfig(pooling=pooling)),
            spectrograms,
        )
        for pooling in ("attention", "gap", "bilinear")
    ),
    Case("3M-SER, BERT2 + VGGish", student, utterances),
]
