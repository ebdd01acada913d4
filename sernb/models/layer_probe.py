"""A probe that learns which layers of a frozen encoder matter: softmax weights over layers, then a head.

Source: the paper of `audio_text_regressor`, 4.2 and Figure 2; the weighting as in S. Yang et al., "SUPERB",
Interspeech 2021: zeros at the start, so that the first output is the plain mean of the layers.
"""

import torch
from torch import nn

from sernb.models.audio_text_regressor import pooled, two_layers

NORMALISED = ("none", "layer")


class LayerProbe(nn.Module):
    """Weighted sum of the layers of a frozen encoder, pooling, two linear layers with tanh.

    states: `(batch, layers, width)`, averaged over time before (the sum over layers and the average over time
    may change places), or `(batch, layers, frames, width)` with `mask (batch, frames)`: then average and
    maximum over time are averaged, as in `AudioTextRegressor`. outputs: 1 dimension, or so many classes.

    normalise: "none" is the paper's; "layer" gives each layer mean 0 and variance 1 over its features first.
    A layer with large numbers needs but a small weight to be heard, so weights of layers as they are say as
    much of their scale as of their worth.
    """

    def __init__(
        self, layers: int, width: int, outputs: int = 1, normalise: str = "none", dropout: float = 0.1
    ):
        super().__init__()
        if normalise not in NORMALISED:
            raise ValueError(f"normalise is {normalise!r}; choose one of {', '.join(NORMALISED)}")
        self.normalise = normalise
        self.layer_logits = nn.Parameter(torch.zeros(layers))
        self.head = two_layers(width, width, outputs, dropout)

    @property
    def layer_weights(self) -> torch.Tensor:
        """`(layers,)`, positive, adding up to 1."""
        return self.layer_logits.softmax(0)

    def forward(self, states: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        """`(batch, outputs)`. ValueError for another number of layers, and for frames without a mask."""
        if states.dim() not in (3, 4) or states.shape[1] != len(self.layer_logits):
            expected = f"(batch, {len(self.layer_logits)} layers, ..., width)"
            raise ValueError(f"states are {tuple(states.shape)}; expected {expected}")
        if self.normalise == "layer":
            states = nn.functional.layer_norm(states, states.shape[-1:])
        x = torch.einsum("l,bl...w->b...w", self.layer_weights, states)
        if x.dim() == 3:
            if mask is None:
                raise ValueError("states with a time axis need a mask (batch, frames)")
            x = pooled(x, mask)
        return self.head(x)
