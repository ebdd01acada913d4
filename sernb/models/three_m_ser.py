"""3M-SER: BERT and VGGish, joined by multi-head attention; the teacher and the students of DistilSER.

Sources: P.-N. Tran et al., "Multi-modal Speech Emotion Recognition: Improving Accuracy through Fusion of
VGGish and BERT Features with Multi-head Attention", INISCOM 2023; T. M. Nguyen, P.-N. Tran, D. N. M. Dang,
"Enhancing Speech Emotion Recognition through Knowledge Distillation", 2024 (below: "the paper", Figure 2).
Sizes as in their code.
"""

from dataclasses import asdict, dataclass, field, replace

import torch
import transformers  # reads the code of BERT when it is first named: seconds, so never at import
from huggingface_hub import PyTorchModelHubMixin
from torch import nn
from torch.nn import functional as F
from transformers.utils import ModelOutput

from sernb.models.masks import check_mask, need
from sernb.models.vggish import PostProcess, VGGish, VGGishConfig

STREAMS = ("text", "audio")


@dataclass(frozen=True)
class ThreeMSERConfig:
    """The shape of a `ThreeMSER`; the defaults are the paper's teacher for IEMOCAP's four classes.

    `text`: what differs from a `transformers.BertConfig()` (BERT-base): `{"num_hidden_layers": 2}` is the
    student BERT2. `streams` leaves one out for an ablation. `postprocess`: VGGish's own PCA, clipping and
    rounding to 8 bits, which the student paper's code has and 3M-SER's has not.
    """

    classes: tuple = ("neutral", "happy", "sad", "angry")
    text: dict = field(default_factory=dict)
    audio: VGGishConfig = field(default_factory=VGGishConfig)
    streams: tuple = STREAMS
    postprocess: bool = False
    heads: int = 8
    dropout: float = 0.5
    hidden: int = 64

    def __post_init__(self):
        for name in ("classes", "streams"):  # JSON, and YAML, know lists only
            object.__setattr__(self, name, tuple(getattr(self, name)))
        if isinstance(self.audio, dict):
            object.__setattr__(self, "audio", VGGishConfig(**self.audio))
        if not self.streams or set(self.streams) - set(STREAMS):
            raise ValueError(f"streams is {self.streams}; choose text, audio, or both")


@dataclass
class ThreeMSEROutput(ModelOutput):
    """`loss` (scalar, with labels), `logits` (batch, classes), and what a student may imitate.

    `text_states` (batch, tokens, width) with `text_mask`, BERT's last hidden states; `fused` (batch, 128),
    position 0 after the fusion. With `attention=True`: `fusion_attention` (batch, tokens + examples), how
    much position 0 takes from each position, mean over heads, and `text_attention` (batch, tokens, tokens).
    """

    loss: torch.Tensor | None = None
    logits: torch.Tensor | None = None
    text_states: torch.Tensor | None = None
    text_mask: torch.Tensor | None = None
    fused: torch.Tensor | None = None
    fusion_attention: torch.Tensor | None = None
    text_attention: torch.Tensor | None = None


class FusionHead(nn.Module):
    """What 3M-SER puts on top of its two encoders (Figure 2): no residual connections, position 0 decides.

    Text states `(B, L, W)` → self-attention → linear to 128 → layer norm; audio embeddings `(B, T, 128)` →
    layer norm; both on one time axis, text first → attention → linear → layer norm; position 0 → classes.
    """

    def __init__(self, config: ThreeMSERConfig):
        super().__init__()
        attention = {"num_heads": config.heads, "dropout": config.dropout, "batch_first": True}
        width = config.audio.embedding
        self.streams = config.streams
        if "text" in config.streams:
            text_width = transformers.BertConfig(**config.text).hidden_size
            self.text_attention = nn.MultiheadAttention(text_width, **attention)
            self.text_linear = nn.Linear(text_width, width)
            self.text_norm = nn.LayerNorm(width)
        if "audio" in config.streams:
            self.audio_norm = nn.LayerNorm(width)
        self.fusion_attention = nn.MultiheadAttention(width, **attention)
        self.fusion_linear = nn.Linear(width, width)
        self.fusion_norm = nn.LayerNorm(width)
        self.dropout = nn.Dropout(config.dropout)
        self.linear = nn.Linear(width, config.hidden)
        self.classify = nn.Linear(config.hidden, len(config.classes))

    def forward(self, text_states=None, text_mask=None, audio_states=None, audio_mask=None, attention=False):
        """States `(B, L, W)`, `(B, T, 128)`; masks bool `(B, L)`, `(B, T)`, True = real. Returns a dict."""
        parts, masks, seen = [], [], {}
        if "text" in self.streams:
            x, weights = _attend(self.text_attention, text_states, text_mask, attention)
            parts.append(self.text_norm(self.text_linear(x)))  # (B, L, 128)
            masks.append(text_mask)
            seen["text_attention"] = weights
        if "audio" in self.streams:
            parts.append(self.audio_norm(audio_states))  # (B, T, 128)
            masks.append(audio_mask)
        x, mask = torch.cat(parts, 1), torch.cat(masks, 1)  # (B, L + T, 128)
        x, weights = _attend(self.fusion_attention, x, mask, attention, x[:, :1])  # position 0 alone is read
        seen["fusion_attention"] = None if weights is None else weights[:, 0]
        fused = self.fusion_norm(self.fusion_linear(x))[:, 0]  # (B, 128)
        logits = self.classify(F.leaky_relu(self.linear(self.dropout(fused))))
        return {"logits": logits, "fused": fused, **seen}


def _attend(layer, x, mask, weights, query=None):
    return layer(x if query is None else query, x, x, key_padding_mask=~mask, need_weights=weights)


class ThreeMSER(
    nn.Module,
    PyTorchModelHubMixin,
    coders={ThreeMSERConfig: (asdict, lambda saved: ThreeMSERConfig(**saved))},
    library_name="sernb",
):
    """3M-SER: `ThreeMSER()` is the teacher, with `ThreeMSERConfig(text={"num_hidden_layers": 2})` a student.

    Each stream takes raw input or what its encoder made of it before: token ids or `text_states`, log-mel
    examples or `audio_states`. A batch with masks gives the logits that single utterances give.
    """

    def __init__(self, config: ThreeMSERConfig | None = None):
        super().__init__()
        config = config or ThreeMSERConfig()
        self.shape = config  # not "config": the Trainer writes into an attribute of that name
        if "text" in config.streams:
            self.text = transformers.BertModel(transformers.BertConfig(**config.text))
        if "audio" in config.streams:
            self.audio = VGGish(config.audio)
            if config.postprocess:
                self.postprocess = PostProcess(torch.eye(config.audio.embedding))
        self.head = FusionHead(config)

    def encode_text(self, input_ids: torch.Tensor, text_mask: torch.Tensor) -> torch.Tensor:
        """Token ids `(B, L)` and mask `(B, L)` to BERT's last hidden states `(B, L, W)`."""
        return self.text(input_ids=input_ids, attention_mask=text_mask.long()).last_hidden_state

    def encode_audio(self, examples: torch.Tensor, audio_mask: torch.Tensor) -> torch.Tensor:
        """Log-mel examples `(B, T, 96, 64)`, mask `(B, T)`, to embeddings `(B, T, 128)`, 0 where masked."""
        embeddings = self.audio(examples[audio_mask])
        if self.shape.postprocess:
            embeddings = self.postprocess(embeddings)
        states = embeddings.new_zeros(*audio_mask.shape, embeddings.shape[-1])
        states[audio_mask] = embeddings
        return states

    def forward(
        self,
        input_ids=None,
        text_mask=None,
        examples=None,
        audio_mask=None,
        text_states=None,
        audio_states=None,
        labels=None,
        attention=False,
    ) -> ThreeMSEROutput:
        """Logits, fused states, and the loss where labels are given.

        Args:
            input_ids: `(B, L)` token ids, or text_states: `(B, L, W)`; text_mask: `(B, L)` bool, True = real.
            examples: `(B, T, 96, 64)` log-mel, or audio_states: `(B, T, 128)`; audio_mask: `(B, T)` bool.
            labels: `(B,)` class numbers.
            attention: give the attention weights too.

        Raises:
            ValueError: a stream has no input, or a row of it no real position.
        """
        if "text" in self.shape.streams:
            if text_states is None:
                need("text", (input_ids, text_mask), "input_ids with text_mask, or text_states")
                text_states = self.encode_text(input_ids, text_mask)
            check_mask("text", text_mask, text_states)
        if "audio" in self.shape.streams:
            if audio_states is None:
                need("audio", (examples, audio_mask), "examples with audio_mask, or audio_states")
                audio_states = self.encode_audio(examples, audio_mask)
            check_mask("audio", audio_mask, audio_states)
        out = self.head(text_states, text_mask, audio_states, audio_mask, attention)
        loss = None if labels is None else F.cross_entropy(out["logits"].float(), labels)
        return ThreeMSEROutput(loss=loss, text_states=text_states, text_mask=text_mask, **out)


def assemble(
    text: nn.Module | None,
    audio: VGGish | None,
    config: ThreeMSERConfig,
    postprocess: PostProcess | None = None,
) -> ThreeMSER:
    """A `ThreeMSER` with a fresh head on a pretrained BERT and VGGish (not copied); None leaves one out."""
    named = {"text": text, "audio": audio, "postprocess": postprocess}
    parts = {name: part for name, part in named.items() if part is not None}
    shape = {
        "streams": tuple(name for name in STREAMS if name in parts),
        "postprocess": "postprocess" in parts,
    }
    if text is not None:
        shape["text"] = text.config.to_diff_dict()
    if audio is not None:
        shape["audio"] = audio.shape

    # No random encoders, only to be thrown away: made without memory, of which what is new then gets some.
    with torch.device("meta"):
        model = ThreeMSER(replace(config, **shape))
    model.head = FusionHead(model.shape)
    for name, part in parts.items():
        setattr(model, name, part)
    return model
