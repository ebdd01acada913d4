"""The models whose loss and gradients on the GPU are compared with the CPU's. Each new model adds a row."""

from collections.abc import Callable
from dataclasses import dataclass

import torch

from sernb.models.attention_pooling import CNNConfig, SpectrogramCNN


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


CASES = [
    Case(
        f"CNN, {pooling} pooling",
        lambda pooling=pooling: SpectrogramCNN(CNNConfig(pooling=pooling)),
        spectrograms,
    )
    for pooling in ("attention", "gap", "bilinear")
]
