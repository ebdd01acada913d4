"""The speech student of MCED: four convolutions, a transformer encoder, a max-pool over time, a classifier.

Source: R. Li, J. Zhao, Q. Jin, "Speech Emotion Recognition via Multi-Level Cross-Modal Distillation",
Interspeech 2022 (below: "the paper"), 2.2 and 3.2. No code was published: what the paper leaves open is a
setting of `StudentConfig`.
"""

from dataclasses import asdict, dataclass, replace
from math import prod

import torch
from huggingface_hub import PyTorchModelHubMixin
from torch import nn
from torch.nn import functional as F
from transformers.utils import ModelOutput

CLASSES = ("neutral", "happy", "surprised", "sad", "angry")  # the paper's five, in the order of its Table 1
ACTIVATIONS = {"relu": F.relu, "gelu": F.gelu}
CONV_NORMS = ("layer", "none")


@dataclass(frozen=True)
class StudentConfig:
    """The shape of a `SpeechStudent`; defaults are the paper's; where it is silent, a choice with a reason.

    features: numbers a frame (paper: 130, one frame every 10 ms). channels, kernels, strides: of the paper's
    four convolutions; strides of 2 twice make a state every 40 ms. conv_norm: "layer" normalises each frame
    over its channels, "none" does not (batch norm would see padding). width, feed_forward: the paper's "512
    hidden units" may be either; here it is the width, and the feed-forward layer four times as wide, as in
    Vaswani et al.; `width=…, feed_forward=512` is the other reading. norm_first: layer norm before each part
    of a layer and once at the end, instead of after it. activation ("relu" or "gelu"): of all parts.
    classifier: units between its two layers. dropout: after each convolution, on the encoder's input and
    within its layers, before both layers of the classifier. attention_dropout: Vaswani et al. (5.4) have
    none, and with it torch cannot take its fast path on a CPU. ValueError for what does not fit together.
    """

    classes: tuple = CLASSES
    features: int = 130
    channels: tuple = (512, 512, 512, 512)
    kernels: tuple = (5, 5, 5, 5)
    strides: tuple = (1, 2, 1, 2)
    conv_norm: str = "layer"
    width: int = 512
    layers: int = 6
    heads: int = 4
    feed_forward: int = 2048
    norm_first: bool = False
    activation: str = "relu"
    classifier: int = 512
    dropout: float = 0.1
    attention_dropout: float = 0.0

    def __post_init__(self):
        for name in ("classes", "channels", "kernels", "strides"):  # JSON, and YAML, know lists only
            object.__setattr__(self, name, tuple(getattr(self, name)))
        counts = len(self.channels), len(self.kernels), len(self.strides)
        if len(set(counts)) > 1 or not self.channels:
            raise ValueError(
                f"channels, kernels and strides are {counts} numbers; give one a convolution each"
            )
        sizes = ("features", "width", "layers", "heads", "feed_forward", "classifier")
        for name in (*sizes, "channels", "kernels", "strides"):
            value = getattr(self, name)
            if min(value if isinstance(value, tuple) else (value,)) < 1:
                raise ValueError(f"{name} is {value}; every size must be at least 1")
        if not self.classes:
            raise ValueError("classes is empty; the student needs at least one")
        if self.width % self.heads:
            raise ValueError(f"width is {self.width}, which {self.heads} heads cannot share evenly")
        for name, choices in (("conv_norm", CONV_NORMS), ("activation", ACTIVATIONS)):
            if getattr(self, name) not in choices:
                raise ValueError(f"{name} is {getattr(self, name)!r}; choose one of {', '.join(choices)}")

    @property
    def stride(self) -> int:
        """Input frames from one state to the next; state t stands at frame t · stride."""
        return prod(self.strides)


# Strides that leave half as many states to attend to: one every 80 ms.
LAPTOP_STUDENT = StudentConfig(
    channels=(64,) * 4, strides=(2, 2, 2, 1), width=64, feed_forward=128, classifier=64
)


@dataclass
class StudentOutput(ModelOutput):
    """What a `SpeechStudent` says, and what it can be taught by.

    `logits` (batch, classes); `hidden_states`, a tuple of layers + 1 tensors (batch, states, width), of which
    0 is the convolutions' output with positions; `mask` (batch, states) bool, True at real states; `pooled`
    (batch, width).
    """

    logits: torch.Tensor | None = None
    hidden_states: tuple[torch.Tensor, ...] | None = None
    mask: torch.Tensor | None = None
    pooled: torch.Tensor | None = None


class MaskedConv(nn.Module):
    """A convolution over time, deaf to padding: `(B, T, C)`, mask `(B, T)` to `(B, ceil(T / stride), C')`.

    Zeros stand around each utterance, so a batch says what single ones say, and the shortest keeps a frame.
    """

    def __init__(self, inputs, outputs, kernel, stride, config):
        super().__init__()
        self.around = ((kernel - 1) // 2, kernel // 2)
        self.stride = stride
        self.conv = nn.Conv1d(inputs, outputs, kernel, stride)
        self.norm = nn.LayerNorm(outputs) if config.conv_norm == "layer" else nn.Identity()
        self.activation = ACTIVATIONS[config.activation]
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x, mask):
        x = self.conv(F.pad(x.transpose(1, 2), self.around)).transpose(1, 2)
        mask = mask[:, :: self.stride]  # an output frame stands where the middle of its kernel stood
        x = self.dropout(self.activation(self.norm(x)))
        return x.masked_fill(~mask[..., None], 0), mask


class SpeechStudent(
    nn.Module,
    PyTorchModelHubMixin,
    coders={StudentConfig: (asdict, lambda saved: StudentConfig(**saved))},
    library_name="sernb",
):
    """Frames of features to emotions (paper, 2.2); `SpeechStudent(LAPTOP_STUDENT)` is the same in small.

    Padding, whatever stands in it, and the order of a batch change nothing.

    Example:
        >>> SpeechStudent(LAPTOP_STUDENT)(torch.zeros(2, 300, 130)).logits.shape
        torch.Size([2, 5])
    """

    def __init__(self, config: StudentConfig | None = None):
        super().__init__()
        config = config or StudentConfig()
        self.shape = config  # not "config": the Trainer writes into an attribute of that name
        inputs = (config.features, *config.channels)
        self.convs = nn.ModuleList(
            MaskedConv(*shape, config)
            for shape in zip(inputs, config.channels, config.kernels, config.strides, strict=False)
        )
        same = inputs[-1] == config.width
        self.projection = nn.Identity() if same else nn.Linear(inputs[-1], config.width)
        self.dropout = nn.Dropout(config.dropout)
        sizes = config.width, config.heads, config.feed_forward, config.dropout, config.activation
        order = {"batch_first": True, "norm_first": config.norm_first}
        layers = [nn.TransformerEncoderLayer(*sizes, **order) for _ in range(config.layers)]
        self.layers = nn.ModuleList(layers)
        for layer in self.layers:
            layer.self_attn.dropout = config.attention_dropout  # torch gives it that of the whole layer
        self.norm = nn.LayerNorm(config.width) if config.norm_first else nn.Identity()
        activation = nn.ReLU() if config.activation == "relu" else nn.GELU()
        dense = nn.Linear(config.width, config.classifier), nn.Linear(config.classifier, len(config.classes))
        drops = nn.Dropout(config.dropout), nn.Dropout(config.dropout)
        self.classifier = nn.Sequential(drops[0], dense[0], activation, drops[1], dense[1])

    def forward(self, features: torch.Tensor, mask: torch.Tensor | None = None) -> StudentOutput:
        """`features (batch, frames, features)`; `mask (batch, frames)` bool, real ones first; None: all are.

        Raises ValueError: another shape, an utterance without a real frame, or with one after padding.
        """
        mask = _checked(features, mask, self.shape.features)
        x = features.masked_fill(~mask[..., None], 0)  # before all weights: their gradient would see NaN
        for conv in self.convs:
            x, mask = conv(x, mask)
        x = self.projection(x)
        x = self.dropout(x + positions(x.shape[1], self.shape.width, x.device))  # (B, T, W)
        states = [x]
        for layer in self.layers:
            states.append(layer(states[-1], src_key_padding_mask=~mask))
        pooled = self.norm(states[-1]).masked_fill(~mask[..., None], -torch.inf).amax(1)  # (B, W)
        return StudentOutput(self.classifier(pooled), tuple(states), mask, pooled)

    def with_classes(self, classes) -> "SpeechStudent":
        """A copy of this student's body with a new, untrained classifier for other `classes` (paper, 3.2)."""
        student = SpeechStudent(replace(self.shape, classes=tuple(classes)))
        body = {name: x for name, x in self.state_dict().items() if not name.startswith("classifier.")}
        student.load_state_dict(body, strict=False)
        return student.to(next(self.parameters())).train(self.training)


def positions(states: int, width: int, device=None) -> torch.Tensor:
    """Sinusoidal positions `(states, width)` (A. Vaswani et al., "Attention Is All You Need", 2017, 3.5)."""
    rate = 10000 ** (-torch.arange(0, width, 2, device=device) / width)
    angle = torch.arange(states, device=device)[:, None] * rate
    return torch.stack([angle.sin(), angle.cos()], -1).flatten(1)[:, :width]


def _checked(features, mask, expected):
    if features.dim() != 3 or features.shape[2] != expected or not features.shape[1]:
        wanted = f"(batch, frames, {expected}), one frame at least"
        raise ValueError(f"expected features {wanted}, got the shape {tuple(features.shape)}")
    if mask is None:
        return torch.ones(features.shape[:2], dtype=torch.bool, device=features.device)
    if mask.shape != features.shape[:2] or mask.dtype != torch.bool:
        wanted = f"bool {tuple(features.shape[:2])}"
        raise ValueError(f"expected a mask of {wanted}, got {mask.dtype} {tuple(mask.shape)}")
    real_first = mask[:, 0] & (mask[:, 1:] <= mask[:, :-1]).all(1)
    if not real_first.all():
        row = int((~real_first).nonzero()[0])
        what = "has a real frame after padding" if mask[row].any() else "is padding throughout"
        raise ValueError(f"row {row} of the batch {what}; real frames come first, one at least")
    return mask
