"""Arousal, valence and dominance from speech, words, or both: a regressor on wav2vec 2.0, HuBERT and BERT.

Source: D. de Oliveira, N. Raj Prabhu, T. Gerkmann, "Leveraging Semantic Information for Efficient
Self-Supervised Emotion Recognition with Audio-Textual Distilled Models", Interspeech 2023 (below: "the
paper"), section 2, Figure 1.
"""

from dataclasses import asdict, dataclass, field, replace

import torch
import transformers  # reads the code of a network when it is first named: seconds, so never at import
from huggingface_hub import PyTorchModelHubMixin
from torch import nn
from transformers.utils import ModelOutput

from sernb.models.masks import check_mask, need

DIMENSIONS = ("arousal", "valence", "dominance")  # the paper's order; others print dominance before valence
KINDS = {"hubert": "HubertModel", "wav2vec2": "Wav2Vec2Model"}  # model_type: its class in transformers
JOINS = ("mean", "sum", "concatenation")
TINYBERT = {"num_hidden_layers": 4, "hidden_size": 312, "num_attention_heads": 12, "intermediate_size": 1200}
_LARGE = {
    "model_type": "wav2vec2", "num_hidden_layers": 12, "hidden_size": 1024, "num_attention_heads": 16,
    "intermediate_size": 4096, "feat_extract_norm": "layer", "conv_bias": True, "do_stable_layer_norm": True,
}  # fmt: skip
PUBLISHED = {  # the speech encoders of Table 1; "large" is cut from 24 layers to 12
    "w2v2-L-robust(p)": _LARGE,
    "HuBERT base": {"model_type": "hubert"},
    "DistilHuBERT": {"model_type": "hubert", "num_hidden_layers": 2, "feat_proj_layer_norm": False},
}


@dataclass(frozen=True)
class RegressorConfig:
    """The shape of an `AudioTextRegressor`; the defaults are the paper's HuBERT base with TinyBERT.

    `speech`: what differs from a `transformers.HubertConfig()` (or Wav2Vec2Config, with "model_type":
    "wav2vec2"); `text`: from a BertConfig(); None leaves a branch out. `join`: how average and maximum over
    time become one: their "mean" (by the sizes of Table 1), "sum" or "concatenation". `hidden`: units of the
    head's first layer; None: the width of the first encoder.
    """

    speech: dict | None = field(default_factory=lambda: {"model_type": "hubert"})
    text: dict | None = field(default_factory=lambda: dict(TINYBERT))
    dimensions: tuple = DIMENSIONS
    join: str = "mean"
    hidden: int | None = None
    dropout: float = 0.1

    def __post_init__(self):
        object.__setattr__(self, "dimensions", tuple(self.dimensions))  # JSON knows lists only
        if self.speech is None and self.text is None:
            raise ValueError("speech and text are both None; the regressor needs one of them")
        if self.join not in JOINS:
            raise ValueError(f"join is {self.join!r}; choose one of {', '.join(JOINS)}")
        kind = (self.speech or {"model_type": "hubert"}).get("model_type", "hubert")
        if kind not in KINDS:
            raise ValueError(f"model_type of the speech encoder is {kind!r}; choose {' or '.join(KINDS)}")


@dataclass
class RegressorOutput(ModelOutput):
    """`predicted` (batch, dimensions), `speech_pooled` (batch, d_A), and `text_pooled` (batch, d_T)."""

    predicted: torch.Tensor | None = None
    speech_pooled: torch.Tensor | None = None
    text_pooled: torch.Tensor | None = None


class AudioTextRegressor(
    nn.Module,
    PyTorchModelHubMixin,
    coders={RegressorConfig: (asdict, lambda saved: RegressorConfig(**saved))},
    library_name="sernb",
):
    """Encoders, average and max pooling over real positions, both branches side by side, two linear layers.

    Each branch takes raw input, or what a frozen part made of it before: waveforms, `frames` of the
    convolutional front end (frozen: paper, 3.2) or `speech_pooled`; token ids or `text_pooled`. Padding and
    the order of a batch change no prediction.
    """

    def __init__(self, config: RegressorConfig | None = None):
        super().__init__()
        config = config or RegressorConfig()
        self.shape = config  # not "config": the Trainer writes into an attribute of that name
        widths = []
        if config.speech is not None:
            self.speech = speech_network(config.speech)
            widths.append(self.speech.config.hidden_size)
        if config.text is not None:
            self.text = transformers.BertModel(
                transformers.BertConfig(**config.text), add_pooling_layer=False
            )
            widths.append(self.text.config.hidden_size)
        inputs, outputs = sum(widths) * (2 if config.join == "concatenation" else 1), len(config.dimensions)
        self.head = two_layers(inputs, config.hidden or widths[0], outputs, config.dropout)
        self.register_buffer("centre", torch.zeros(outputs))
        self.register_buffer("spread", torch.ones(outputs))

    def standardise(self, targets: torch.Tensor) -> None:
        """Let the head speak in deviations of `targets (n, dimensions)` from their mean; NaN is unknown.

        Not in the paper: where ratings lie close together, a fresh head says numbers of many times their
        spread, and what it learns first is to be quiet. Kept with the weights.
        """
        self.centre.copy_(targets.nanmean(0))
        self.spread.copy_((targets - targets.nanmean(0)).square().nanmean(0).sqrt())

    @classmethod
    def _from_pretrained(cls, *, model_id, strict=True, **options):
        """As the mixin's, but what is missing is an error and does not stay random."""
        try:
            return super()._from_pretrained(model_id=model_id, strict=strict, **options)
        except RuntimeError as problem:
            raise ValueError(f"{model_id}: not the weights of this {cls.__name__} ({problem})") from problem

    def frames_of(self, waveforms: torch.Tensor, samples: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Waveforms `(B, S)`, `samples (B,)` of each real, to frames `(B, K, C)` and mask `(B, K)`."""
        each = [front(self.speech, row[:n]) for row, n in zip(waveforms, samples.tolist(), strict=True)]
        frames = nn.utils.rnn.pad_sequence(each, batch_first=True)
        lengths = torch.tensor(list(map(len, each)), device=frames.device)
        return frames, torch.arange(frames.shape[1], device=frames.device) < lengths[:, None]

    def pool_speech(self, frames: torch.Tensor, frame_mask: torch.Tensor) -> torch.Tensor:
        """Frames `(B, K, C)` and mask bool `(B, K)` to `(B, d_A)` (twice that for "concatenation")."""
        check_mask("frame", frame_mask, frames)
        projected = self.speech.feature_projection(frames)
        if isinstance(projected, tuple):  # wav2vec 2.0 returns two things
            projected = projected[0]
        states = self.speech.encoder(projected, attention_mask=frame_mask).last_hidden_state  # (B, K, d_A)
        return pooled(states, frame_mask, self.shape.join)

    def pool_text(self, input_ids: torch.Tensor, text_mask: torch.Tensor) -> torch.Tensor:
        """Token ids `(B, N)` and mask bool `(B, N)` to `(B, d_T)` (twice that for "concatenation")."""
        check_mask("text", text_mask, input_ids)
        states = self.text(input_ids=input_ids, attention_mask=text_mask.long()).last_hidden_state
        return pooled(states, text_mask, self.shape.join)

    def forward(
        self,
        waveforms=None,
        samples=None,
        frames=None,
        frame_mask=None,
        input_ids=None,
        text_mask=None,
        speech_pooled=None,
        text_pooled=None,
    ) -> RegressorOutput:
        """Predictions on the scale of the targets, [0, 1] in the paper (not clipped).

        Args:
            waveforms: `(B, S)` at 16 kHz; samples: `(B,)`, how many of each are real.
            frames: instead, `(B, K, C)` of `front`; frame_mask: `(B, K)` bool, True = real.
            input_ids: `(B, N)`; text_mask: `(B, N)` bool.
            speech_pooled: instead of speech, `(B, d_A)`; text_pooled: instead of text, `(B, d_T)`.

        Raises:
            ValueError: a branch has no input, or a row of it no real position.
        """
        parts = []
        if self.shape.speech is not None:
            if speech_pooled is None:
                if frames is None:
                    need("speech", (waveforms, samples), "waveforms with samples, frames, or speech_pooled")
                    frames, frame_mask = self.frames_of(waveforms, samples)
                speech_pooled = self.pool_speech(frames, frame_mask)
            parts.append(speech_pooled)
        if self.shape.text is not None:
            if text_pooled is None:
                need("text", (input_ids, text_mask), "input_ids with text_mask, or text_pooled")
                text_pooled = self.pool_text(input_ids, text_mask)
            parts.append(text_pooled)
        predicted = self.centre + self.spread * self.head(torch.cat(parts, -1))
        return RegressorOutput(predicted, speech_pooled, text_pooled)


def speech_network(config: dict) -> nn.Module:
    """An untrained HuBERT or wav2vec 2.0 without layer drop and frame masks; `config`: what else differs."""
    settings = {"layerdrop": 0.0, "apply_spec_augment": False, **config}
    network = getattr(transformers, KINDS[settings.pop("model_type", "hubert")])
    return network(network.config_class(**settings))


@torch.no_grad()
def front(speech: nn.Module, waveform: torch.Tensor) -> torch.Tensor:
    """One waveform `(samples,)` at 16 kHz through the convolutional front end: `(frames, channels)`.

    One by one, without padding: the group norm of the base models averages over time, padding included.
    Raises ValueError under 25 ms (400 samples), of which the front end makes no frame.
    """
    if len(waveform) < (least := receptive_field(speech.config)):
        raise ValueError(f"a waveform has {len(waveform)} samples; a frame takes {least} ({least / 16:g} ms)")
    training = speech.feature_extractor.training
    speech.feature_extractor.eval()  # in training it would ask for the gradient of its input
    frames = speech.feature_extractor(waveform[None])[0].T
    speech.feature_extractor.train(training)
    return frames


def receptive_field(config) -> int:
    """Samples that one frame is made of, of a HubertConfig or Wav2Vec2Config."""
    field = 1
    for kernel, stride in zip(reversed(config.conv_kernel), reversed(config.conv_stride), strict=True):
        field = (field - 1) * stride + kernel
    return field


def two_layers(inputs: int, hidden: int, outputs: int, dropout: float) -> nn.Sequential:
    """The paper's head: two linear layers with a tanh between them, dropout before each."""
    first, last = nn.Linear(inputs, hidden), nn.Linear(hidden, outputs)
    return nn.Sequential(nn.Dropout(dropout), first, nn.Tanh(), nn.Dropout(dropout), last)


def pooled(states: torch.Tensor, mask: torch.Tensor, join: str = "mean") -> torch.Tensor:
    """Average and maximum over real positions of `(B, L, W)`, mask bool `(B, L)`: `(B, W)` or `(B, 2 W)`."""
    real = mask[..., None]
    average = torch.where(real, states, 0.0).sum(1) / real.sum(1)
    largest = states.masked_fill(~real, -torch.inf).amax(1)
    if join == "concatenation":
        return torch.cat([average, largest], -1)
    return average + largest if join == "sum" else (average + largest) / 2


def assemble(
    speech: nn.Module | None, text: nn.Module | None, config: RegressorConfig | None = None
) -> AudioTextRegressor:
    """An `AudioTextRegressor` with a fresh head on pretrained encoders (not copied); None leaves one out."""
    branches = {"speech": None, "text": None}
    if speech is not None:
        speech.config.layerdrop, speech.config.apply_spec_augment = 0.0, False  # as in `speech_network`
        speech.feature_extractor.requires_grad_(False)
        branches["speech"] = {**speech.config.to_diff_dict(), "model_type": speech.config.model_type}
    if text is not None:
        text.pooler = None  # never used; TinyBERT's is not counted in Table 1
        branches["text"] = text.config.to_diff_dict()
    shape = replace(config or RegressorConfig(), **branches)

    # No random encoders, only to be thrown away: made without memory, of which what is new then gets some.
    with torch.device("meta"):
        model = AudioTextRegressor(shape)
    for name, encoder in (("speech", speech), ("text", text)):
        if encoder is not None:
            setattr(model, name, encoder)
    for layer in (model.head[1], model.head[-1]):
        layer.to_empty(device="cpu").reset_parameters()
    model.centre, model.spread = torch.zeros(len(shape.dimensions)), torch.ones(len(shape.dimensions))
    return model
