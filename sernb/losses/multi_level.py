"""What a speech student learns from a text teacher on several levels: its answer, and its words layer by layer.

Source: R. Li, J. Zhao, Q. Jin, "Speech Emotion Recognition via Multi-Level Cross-Modal Distillation", Interspeech 2022
(below: "the paper"), 2.3, Eq. 1 to 4, and the settings of 3.2.
"""

from dataclasses import dataclass, replace

import torch
from torch import nn

from sernb.losses.features import feature_mse
from sernb.losses.logits import full, kl_divergence
from sernb.models.soft_alignment import SoftAlignment

NORMS = ("mean", "squared")


@dataclass(frozen=True)
class MCEDConfig:
    """What a student learns from; the defaults are the paper's (3.2), and where it is silent, a choice with a reason.

    temperature softens both answers (Eq. 1; the paper does not tell its own, 2 is the kit's elsewhere). squared:
    multiply by temperature², which Eq. 1 has not. response=False leaves the answers out ("FL" in Table 6). pairs: (layer
    of the teacher, layer of the student), 0 being what goes into the first layer; weights: λ of each pair (Eq. 3).
    norm: "mean" is the mean square that the text of the paper names, "squared" the sum that Eq. 3 prints, which is larger
    by words times width. shared: one soft-align block for all pairs instead of one for each (the paper does not say).
    ValueError for settings that do not fit together.
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
        if not 0 < self.temperature < float("inf"):
            raise ValueError(f"the temperature is {self.temperature}; it must be above 0")
        if self.norm not in NORMS:
            raise ValueError(f"norm is {self.norm!r}; choose one of {', '.join(NORMS)}")
        if any(len(pair) != 2 for pair in self.pairs) or len(set(self.pairs)) < len(self.pairs):
            raise ValueError(
                f"pairs is {self.pairs}; give (teacher's layer, student's layer), each pair once"
            )
        if len(self.pairs) != len(self.weights):
            raise ValueError(f"there are {len(self.pairs)} pairs of layers and {len(self.weights)} weights")
        if any(not 0 <= weight < float("inf") for weight in self.weights):
            raise ValueError(f"weights is {self.weights}; none may be below 0")
        if not self.response and not self.pairs:
            raise ValueError("response is False and there are no pairs: nothing is left to learn from")

    def last(self, k: int) -> "MCEDConfig":
        """The same with the last `k` pairs alone ("FL-k layers" in Table 6); 0 leaves the answers only ("RL")."""
        if not 0 <= k <= len(self.pairs):
            raise ValueError(f"asked for the last {k} pairs of layers; there are {len(self.pairs)}")
        first = len(self.pairs) - k
        return replace(self, pairs=self.pairs[first:], weights=self.weights[first:])


class MultiLevelLoss(nn.Module):
    """Response loss plus the weighted feature losses (Eq. 4); its soft-align blocks are learned with the student.

    Eq. 1 prints a minus before KL(teacher || student), which would drive the two apart: a slip, KL is minimised.
    Hand this Module's parameters to the optimizer too. `teacher_layers` and `student_layers` are how many each has.
    ValueError for a pair outside of them. Widths may differ.
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
            for who, layer, most in zip(
                ("teacher", "student"), pair, (teacher_layers, student_layers), strict=True
            ):
                if not 0 <= layer <= most:
                    raise ValueError(
                        f"the pair {_name(pair)} names layer {layer} of the {who}, which has the layers 0 (what goes into "
                        f"the first) to {most}; choose other pairs"
                    )
        blocks = min(1, len(self.config.pairs)) if self.config.shared else len(self.config.pairs)
        self.blocks = nn.ModuleList(SoftAlignment(teacher_width, student_width) for _ in range(blocks))

    def forward(self, student_output, teacher_logits=None, teacher_states=None, word_mask=None):
        """A scalar to minimise, and its terms before their weights, detached: "RL", "FL 6→3" and so on.

        `student_output`: a `StudentOutput`. `teacher_logits (batch, classes)`; `teacher_states` {layer: (batch, words,
        width)}, and `word_mask (batch, words)` bool, True at real words (None: all are); each may be None where the
        settings need none. All means are over the batch; words count alike within their utterance. The teacher gets no
        gradient. What stands in padding, of words or of speech, does not matter, not even NaN. ValueError for what is
        absent or does not fit.
        """
        config, terms, total = self.config, {}, 0.0
        if config.response:
            if teacher_logits is None:
                raise ValueError("these settings need the teacher's logits, and there are none")
            terms["RL"] = kl_divergence(
                student_output.logits, teacher_logits, config.temperature, config.squared
            )
            total = total + terms["RL"]
        for pair, weight, (teacher, aligned, _, mask) in zip(
            config.pairs,
            config.weights,
            self._aligned(student_output, teacher_states, word_mask),
            strict=True,
        ):
            terms[f"FL {_name(pair)}"] = term = _distance(aligned, teacher, mask, config.norm)
            total = total + weight * term
        return total, {name: term.detach() for name, term in terms.items()}

    @torch.no_grad()
    def alignments(
        self, student_output, teacher_states, word_mask=None
    ) -> dict[tuple[int, int], torch.Tensor]:
        """{pair of layers: (batch, words, states)}: how much each word listens to each state of the speech, to look at.

        A real word's row adds up to 1 over the real states; rows of padding are 0.
        """
        found = self._aligned(student_output, teacher_states, word_mask)
        return {
            pair: alignment.masked_fill(~mask[..., None], 0)
            for pair, (_, _, alignment, mask) in zip(self.config.pairs, found, strict=True)
        }

    def _aligned(self, student_output, teacher_states, word_mask):
        """For each pair: teacher's states without padding, what the student's become, the alignment, the words' mask."""
        for number, pair in enumerate(self.config.pairs):
            theirs, ours = pair
            if theirs not in (teacher_states or {}):
                there = ", ".join(map(str, teacher_states or {})) or "none"
                raise ValueError(f"layer {theirs} of the teacher is needed; the layers given are: {there}")
            if ours >= len(student_output.hidden_states):
                raise ValueError(
                    f"layer {ours} of the student is needed; it gave the layers 0 to {len(student_output.hidden_states) - 1}"
                )
            teacher = full(teacher_states[theirs].detach())
            mask = _checked(word_mask, teacher)
            teacher = teacher.masked_fill(~mask[..., None], 0)  # W_q's gradient would see NaN in padding
            block = self.blocks[0 if self.config.shared else number]
            aligned, alignment = block(teacher, student_output.hidden_states[ours], student_output.mask)
            yield teacher, aligned, alignment, mask


def _distance(aligned, teacher, mask, norm):
    """Eq. 3 for one pair, without λ: the mean over an utterance's words and features, or their sum; then over the batch."""
    if norm == "mean":
        return feature_mse(aligned, teacher, mask)
    return (full(aligned) - teacher).square().masked_fill(~mask[..., None], 0).sum((1, 2)).mean()


def _checked(mask, teacher):
    if mask is None:
        return torch.ones(teacher.shape[:2], dtype=torch.bool, device=teacher.device)
    if mask.shape != teacher.shape[:2] or mask.dtype != torch.bool:
        raise ValueError(
            f"expected a word mask of bool and the shape {tuple(teacher.shape[:2])}, got {mask.dtype} {tuple(mask.shape)}"
        )
    return mask


def _name(pair):
    return "→".join(map(str, pair))
