"""What a speech student learns from a text teacher: its answer, and its words layer by layer.

Source: R. Li, J. Zhao, Q. Jin, "Speech Emotion Recognition via Multi-Level Cross-Modal Distillation",
Interspeech 2022 (below: "the paper"), 2.3, Eq. 1 to 4, and the settings of 3.2.
"""

from dataclasses import dataclass, replace

import torch
from torch import nn
from torch.nn import functional as F

from sernb.losses.distillation import check_temperature, feature_mse, full, kl_divergence, real

NORMS = ("mean", "squared")


@dataclass(frozen=True)
class MCEDConfig:
    """What a student learns from; the defaults are the paper's (3.2), where it is silent the kit's choice.

    temperature softens both answers (Eq. 1; the paper does not tell its own). squared: multiply by
    temperature², which Eq. 1 has not. response=False leaves the answers out ("FL" in Table 6). pairs: (layer
    of the teacher, of the student), 0 being what goes into the first; weights: λ of each (Eq. 3). norm:
    "mean" is the mean square that the text of the paper names, "squared" the sum that Eq. 3 prints, larger by
    words times width. shared: one soft-align block for all pairs instead of one for each (the paper does not
    say). ValueError for settings that do not fit together.
    """

    temperature: float = 2.0
    squared: bool = False
    response: bool = True
    pairs: tuple = ((6, 3), (8, 4), (10, 5), (12, 6))
    weights: tuple = (0.1, 0.1, 0.2, 0.3)
    norm: str = "mean"
    shared: bool = False

    def __post_init__(self):
        object.__setattr__(self, "pairs", tuple(map(tuple, self.pairs)))  # JSON, and YAML, know lists only
        object.__setattr__(self, "weights", tuple(self.weights))
        check_temperature(self.temperature)
        if self.norm not in NORMS:
            raise ValueError(f"norm is {self.norm!r}; choose one of {', '.join(NORMS)}")
        if any(len(pair) != 2 for pair in self.pairs) or len(set(self.pairs)) < len(self.pairs):
            raise ValueError(f"pairs is {self.pairs}; give (teacher's, student's layer), each pair once")
        if len(self.pairs) != len(self.weights):
            raise ValueError(f"there are {len(self.pairs)} pairs of layers and {len(self.weights)} weights")
        if any(not 0 <= weight < float("inf") for weight in self.weights):
            raise ValueError(f"weights is {self.weights}; none may be below 0")
        if not self.response and not self.pairs:
            raise ValueError("response is False and there are no pairs: nothing is left to learn from")

    def last(self, k: int) -> "MCEDConfig":
        """The same with the last `k` pairs alone ("FL-k layers" in Table 6); 0: only the answers ("RL")."""
        if not 0 <= k <= len(self.pairs):
            raise ValueError(f"asked for the last {k} pairs of layers; there are {len(self.pairs)}")
        first = len(self.pairs) - k
        return replace(self, pairs=self.pairs[first:], weights=self.weights[first:])


class SoftAlignment(nn.Module):
    """softmax(hᵗ W_q · GELU(hˢ W_k)ᵀ / √dᵗ) · GELU(hˢ W_v): each word listens to the speech (Eq. 2).

    hᵗ are the teacher's words, `teacher_width` (dᵗ) wide, hˢ the student's states, `student_width` (dˢ) wide.
    GELU is nowhere below -0.17, nor is an average of its values: what of the teacher lies lower stays lost.

    Example:
        >>> aligned, alignment = SoftAlignment(6, 8)(torch.ones(2, 4, 6), torch.ones(2, 10, 8))
        >>> aligned.shape, alignment.shape
        (torch.Size([2, 4, 6]), torch.Size([2, 4, 10]))
    """

    def __init__(self, teacher_width: int, student_width: int):
        super().__init__()
        self.query = nn.Linear(teacher_width, teacher_width, bias=False)
        self.key = nn.Linear(student_width, teacher_width, bias=False)
        self.value = nn.Linear(student_width, teacher_width, bias=False)

    def forward(self, teacher_states, student_states, student_mask=None):
        """`(batch, words, dᵗ)`, `(batch, states, dˢ)`; `student_mask (batch, states)` bool, True = real.

        Padding of the speech does not matter, not even NaN; a word's row depends on that word alone.

        Returns:
            The aligned states `(batch, words, dᵗ)` and the alignment `(batch, words, states)`: how much each
            word listens to each state, 0 at padding, adding up to 1.

        Raises:
            ValueError: shapes that do not fit, or speech without a real state.
        """
        padding = ~self._checked(teacher_states, student_states, student_mask)
        heard = student_states.masked_fill(padding[..., None], 0).to(self.key.weight.dtype)
        query = self.query(teacher_states.to(self.query.weight.dtype))  # (B, words, d_t)
        scores = query @ F.gelu(self.key(heard)).transpose(1, 2) / query.shape[-1] ** 0.5
        alignment = scores.masked_fill(padding[:, None], -torch.inf).softmax(-1)  # (B, words, states)
        return alignment @ F.gelu(self.value(heard)), alignment

    def _checked(self, teacher, student, mask):
        for who, states, layer in (("teacher", teacher, self.query), ("student", student, self.key)):
            if states.dim() != 3 or states.shape[2] != layer.in_features:
                wanted = f"(batch, places, {layer.in_features})"
                raise ValueError(f"expected the {who}'s states as {wanted}, got {tuple(states.shape)}")
        if len(teacher) != len(student):
            raise ValueError(
                f"the teacher's are of {len(teacher)} texts, the student's of {len(student)} sounds"
            )
        mask = real(mask, student)
        if len(padding := (~mask.any(1)).nonzero()):
            raise ValueError(f"row {int(padding[0])} of the batch has no real state: its mask is all False")
        return mask


class MultiLevelLoss(nn.Module):
    """KL(Pᵗ ‖ Pˢ) + Σ λ · ‖hᵗ - aligned hˢ‖² over pairs of layers (Eq. 4), with the soft-align blocks.

    Eq. 1 prints a minus before the KL: a slip, KL is minimised. The blocks learn with the student, so hand
    this Module's parameters to the optimizer too. `teacher_layers` and `student_layers` are how many each
    has. ValueError for a pair outside of the layers.

    Example:
        >>> loss = MultiLevelLoss(MCEDConfig(pairs=((4, 2),), weights=(0.3,)), 6, 8, 4, 2)
        >>> from types import SimpleNamespace
        >>> speech = [torch.ones(2, 10, 8)] * 3
        >>> student = SimpleNamespace(logits=torch.zeros(2, 5), hidden_states=speech, mask=None)
        >>> total, terms = loss(student, torch.ones(2, 5), {4: torch.ones(2, 7, 6)})
        >>> list(terms)
        ['RL', 'FL 4→2']
    """

    def __init__(
        self,
        config: MCEDConfig | None,
        teacher_width: int,
        student_width: int,
        teacher_layers: int,
        student_layers: int,
    ):
        super().__init__()
        self.config = config or MCEDConfig()
        for pair in self.config.pairs:
            depths = (teacher_layers, student_layers)
            for who, layer, most in zip(("teacher", "student"), pair, depths, strict=True):
                if not 0 <= layer <= most:
                    names = f"the pair {_name(pair)} names layer {layer} of the {who}"
                    raise ValueError(f"{names}, which has the layers 0 to {most}; choose other pairs")
        blocks = min(1, len(self.config.pairs)) if self.config.shared else len(self.config.pairs)
        self.blocks = nn.ModuleList(SoftAlignment(teacher_width, student_width) for _ in range(blocks))

    def forward(self, student_output, teacher_logits=None, teacher_states=None, word_mask=None):
        """A scalar to minimise, and its terms before their weights, detached: "RL", "FL 6→3" and so on.

        Words count alike within their utterance; padding, of words or of speech, does not matter.

        Args:
            student_output: a `StudentOutput`, or what has its `logits`, `hidden_states` and `mask`.
            teacher_logits: `(batch, classes)`; teacher_states: {layer: `(batch, words, width)`}.
            word_mask: `(batch, words)` bool, True at real words; None: all are.

        Raises:
            ValueError: what the settings need is absent or does not fit.
        """
        config, terms, total = self.config, {}, 0.0

        # Eq. 1: the teacher's answer.
        if config.response:
            if teacher_logits is None:
                raise ValueError("these settings need the teacher's logits, and there are none")
            softening = config.temperature, config.squared
            terms["RL"] = total = kl_divergence(student_output.logits, teacher_logits, *softening)

        # Eq. 3: its words, pair by pair of layers.
        aligned_pairs = self._aligned(student_output, teacher_states, word_mask)
        weighted = zip(config.pairs, config.weights, aligned_pairs, strict=True)
        for pair, weight, (teacher, aligned, _, mask) in weighted:
            if config.norm == "mean":
                term = feature_mse(aligned, teacher, mask)
            else:
                errors = (full(aligned) - teacher).square().masked_fill(~mask[..., None], 0)
                term = errors.sum((1, 2)).mean()
            terms[f"FL {_name(pair)}"] = term
            total = total + weight * term
        return total, {name: term.detach() for name, term in terms.items()}

    @torch.no_grad()
    def alignments(self, student_output, teacher_states, word_mask=None) -> dict[tuple, torch.Tensor]:
        """{pair of layers: `(batch, words, states)`}: how much each word listens to each state.

        A real word's row adds up to 1 over the real states; rows of padding are 0.
        """
        aligned = self._aligned(student_output, teacher_states, word_mask)
        masked = (alignment.masked_fill(~mask[..., None], 0) for _, _, alignment, mask in aligned)
        return dict(zip(self.config.pairs, masked, strict=True))

    def _aligned(self, student_output, teacher_states, word_mask):
        """For each pair: teacher's states without padding, the student's aligned to them, alignment, mask."""
        for number, (theirs, ours) in enumerate(self.config.pairs):
            if theirs not in (teacher_states or {}):
                there = ", ".join(map(str, teacher_states or {})) or "none"
                raise ValueError(f"layer {theirs} of the teacher is needed; the layers given are: {there}")
            states = student_output.hidden_states
            if ours >= len(states):
                raise ValueError(f"layer {ours} of the student is none of the layers 0 to {len(states) - 1}")
            teacher = full(teacher_states[theirs].detach())
            mask = real(word_mask, teacher, "word mask")
            teacher = teacher.masked_fill(~mask[..., None], 0)  # W_q's gradient would see NaN in padding
            block = self.blocks[0 if self.config.shared else number]
            aligned, alignment = block(teacher, states[ours], student_output.mask)
            yield teacher, aligned, alignment, mask


def _name(pair):
    return "→".join(map(str, pair))
