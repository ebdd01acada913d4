"""The CNN of Li et al. (2018) with global-average, bilinear or attention pooling.

Source: P. Li, Y. Song, I. McLoughlin, W. Guo, L. Dai, "An Attention Pooling based Representation Learning
Method for Speech Emotion Recognition", Interspeech 2018 (below: "the paper").
"""

from dataclasses import asdict, dataclass

import torch
from huggingface_hub import PyTorchModelHubMixin
from torch import nn
from torch.nn import functional as F
from transformers.utils import ModelOutput

POOLINGS = ("attention", "gap", "bilinear")


@dataclass(frozen=True)
class CNNConfig:
    """The shape of a `SpectrogramCNN`; the defaults are CNN_TF_Att.pooling for four classes.

    `filters`: parallel groups of the first layer (2.3), each (height in DFT bins, width in frames, channels).
    `channels`: the 3x3 layers after it (2.2). `max_pools`: the layers that a 2x2 max-pool follows; Figure 1
    does not settle it, so (2, 3) is the other reading. `attention_sum`: Eq. 8 sums over positions, 3.3 says
    "spatially averaged"; the bottom-up map is a softmax already, so an average shrinks the logits by H*W.
    """

    classes: int = 4
    pooling: str = "attention"
    filters: tuple = ((10, 2, 8), (2, 8, 8))
    channels: tuple = (32, 48, 64, 80)
    max_pools: tuple = (1, 2, 3)
    attention_sum: bool = True
    dropout: float = 0.0  # before the last layer; 0 in the paper

    def __post_init__(self):
        for name in ("filters", "channels", "max_pools"):  # JSON, and YAML, know lists only
            value = tuple(tuple(item) if isinstance(item, list) else item for item in getattr(self, name))
            object.__setattr__(self, name, value)
        if self.pooling not in POOLINGS:
            raise ValueError(f"pooling is {self.pooling!r}; choose one of {', '.join(POOLINGS)}")
        wrong = [layer for layer in self.max_pools if not 1 <= layer <= 1 + len(self.channels)]
        if wrong:
            raise ValueError(f"max_pools names layer {wrong[0]}; choose from 1 to {1 + len(self.channels)}")


@dataclass
class CNNOutput(ModelOutput):
    """`loss` (scalar, with labels), `logits` (batch, classes); with `maps=True` the attention maps as well.

    `top_down` (batch, classes, H, W); `bottom_up` (batch, 1, H, W), which sums to 1; `product` (batch,
    classes, H, W), which sums to the logits (or averages to them: `CNNConfig.attention_sum`).
    """

    loss: torch.Tensor | None = None
    logits: torch.Tensor | None = None
    top_down: torch.Tensor | None = None
    bottom_up: torch.Tensor | None = None
    product: torch.Tensor | None = None


class ConvBlock(nn.Module):
    """Parallel convolutions that keep the size, batch norm, ReLU, a 2x2 max-pool where asked (2.2, 3.1).

    The paper normalises each group of filters and then concatenates; batch norm works on single channels, so
    concatenating first is equal, and several times faster on a CPU.
    """

    def __init__(self, inputs, filters, max_pool):
        super().__init__()
        self.convs = nn.ModuleList(
            nn.Sequential(  # as much above as below, left as right; the odd one below and right
                nn.ZeroPad2d(((width - 1) // 2, width // 2, (height - 1) // 2, height // 2)),
                nn.Conv2d(inputs, channels, (height, width)),
            )
            if height % 2 == 0 or width % 2 == 0
            else nn.Conv2d(inputs, channels, (height, width), padding=(height // 2, width // 2))
            for height, width, channels in filters
        )
        self.norm = nn.BatchNorm2d(sum(channels for _, _, channels in filters))
        self.max_pool = max_pool

    def forward(self, x):
        x = torch.cat([conv(x) for conv in self.convs], dim=1) if len(self.convs) > 1 else self.convs[0](x)
        x = self.norm(x)
        if self.max_pool:  # before the ReLU: the maximum commutes with it, and it then works on a quarter
            x = F.max_pool2d(x, 2)
        return F.relu(x, inplace=True)


class GlobalAveragePool(nn.Module):
    """Mean over positions, then one linear layer (Eq. 3)."""

    def __init__(self, features, config):
        super().__init__()
        self.dropout = nn.Dropout(config.dropout)
        self.classify = nn.Linear(features, config.classes)

    def forward(self, x):  # (B, C, H, W)
        mean = F.adaptive_avg_pool2d(x, 1).flatten(1)  # (B, C); quicker than x.mean((2, 3)) on channels-last
        return {"logits": self.classify(self.dropout(mean))}


class BilinearPool(nn.Module):
    """X'X, l2-normalised, signed square root, one linear layer (Eq. 4; the order of 3.3)."""

    def __init__(self, features, config):
        super().__init__()
        self.dropout = nn.Dropout(config.dropout)
        self.classify = nn.Linear(features * features, config.classes)

    def forward(self, x):
        x = x.flatten(2).float()  # (B, C, HW)
        second = F.normalize((x @ x.transpose(1, 2)).flatten(1))  # (B, C*C)
        # The small constant keeps the slope finite at 0, where ReLU puts many entries.
        rooted = second.sign() * (second.abs() + 1e-12).sqrt()
        return {"logits": self.classify(self.dropout(rooted))}


class AttentionPool(nn.Module):
    """Class-specific top-down times class-agnostic bottom-up attention, summed over positions (Eq. 7, 8)."""

    def __init__(self, features, config):
        super().__init__()
        self.dropout = nn.Dropout2d(config.dropout)
        self.top_down = nn.Conv2d(features, config.classes, 1)
        self.bottom_up = nn.Conv2d(features, 1, 1)
        self.sum = config.attention_sum

    def forward(self, x):
        x = self.dropout(x)
        top_down = self.top_down(x).float()  # (B, K, H, W)
        bottom_up = self.bottom_up(x).float()  # (B, 1, H, W)
        bottom_up = bottom_up.flatten(2).softmax(-1).view_as(bottom_up)
        product = top_down * bottom_up
        logits = product.sum((2, 3)) if self.sum else product.mean((2, 3))
        return {"logits": logits, "top_down": top_down, "bottom_up": bottom_up, "product": product}


class SpectrogramCNN(
    nn.Module,
    PyTorchModelHubMixin,
    coders={CNNConfig: (asdict, lambda saved: CNNConfig(**saved))},
    library_name="sernb",
):
    """CNN_TF with a choice of pooling, `CNNConfig(pooling="attention" | "gap" | "bilinear")` (Figure 1).

    The single layer of the filter-shape study (3.2) is the same class:
    `CNNConfig(pooling="gap", filters=((height, width, 16),), channels=(), max_pools=())`.

    Shape: spectrogram `(batch, bins, frames)` to logits `(batch, classes)`.

    Example:
        >>> SpectrogramCNN(CNNConfig(classes=7))(torch.zeros(2, 400, 200)).logits.shape
        torch.Size([2, 7])
    """

    def __init__(self, config: CNNConfig | None = None):
        super().__init__()
        config = config or CNNConfig()
        self.shape = config  # not "config": the Trainer writes into an attribute of that name
        layers = (config.filters, *(((3, 3, channels),) for channels in config.channels))
        sizes = [1, *(sum(channels for _, _, channels in filters) for filters in layers)]
        shapes = enumerate(zip(sizes, layers, strict=False), start=1)
        blocks = [ConvBlock(*shape, number in config.max_pools) for number, shape in shapes]
        self.layers = nn.Sequential(*blocks)
        pools = {"attention": AttentionPool, "gap": GlobalAveragePool, "bilinear": BilinearPool}
        self.pool = pools[config.pooling](sizes[-1], config)

    def features(self, spectrogram):
        """`(batch, bins, frames)` to the last feature map `(batch, channels, H, W)`, or ValueError."""
        if spectrogram.dim() != 3:
            raise ValueError(f"expected (batch, bins, frames), got the shape {tuple(spectrogram.shape)}")
        smallest, (_, bins, frames) = 2 ** len(self.shape.max_pools), spectrogram.shape
        if min(bins, frames) < smallest:
            raise ValueError(f"got {bins} bins and {frames} frames; the max-pools need {smallest} of each")
        return self.layers(spectrogram.unsqueeze(1).contiguous(memory_format=torch.channels_last))

    def forward(self, spectrogram, labels=None, maps=False):
        """`spectrogram (batch, bins, frames)`, `labels (batch,)` class numbers; returns a `CNNOutput`."""
        out = self.pool(self.features(spectrogram))
        loss = None if labels is None else F.cross_entropy(out["logits"], labels)
        if maps and self.shape.pooling != "attention":
            raise ValueError(f"maps=True needs pooling='attention'; this model has {self.shape.pooling!r}")
        return CNNOutput(loss=loss, **(out if maps else {"logits": out["logits"]}))
