"""The soft-align block of MCED: each word of the teacher listens to the states of the student.

Source: R. Li, J. Zhao, Q. Jin, "Speech Emotion Recognition via Multi-Level Cross-Modal Distillation", Interspeech 2022,
2.3, Eq. 2.
"""

import torch
from torch import nn
from torch.nn import functional as F


class SoftAlignment(nn.Module):
    """softmax(h_t W_q · GELU(h_s W_k)ᵀ / √d_t) · GELU(h_s W_v), over the real states of the speech (Eq. 2).

    h_t are the teacher's words, `teacher_width` (d_t) wide, h_s the student's states, `student_width` (d_s) wide: the two
    may differ. GELU is nowhere below -0.17 and an average of its values is not either, so no weights can bring the
    aligned states to a teacher's that lie lower: that part of the loss stays.
    """

    def __init__(self, teacher_width: int, student_width: int):
        super().__init__()
        self.query = nn.Linear(teacher_width, teacher_width, bias=False)
        self.key = nn.Linear(student_width, teacher_width, bias=False)
        self.value = nn.Linear(student_width, teacher_width, bias=False)

    def forward(self, teacher_states, student_states, student_mask=None):
        """Teacher's `(batch, words, d_t)`, student's `(batch, states, d_s)`, `student_mask (batch, states)` bool.

        Returns the aligned states `(batch, words, d_t)` and the alignment `(batch, words, states)`: how much each word
        listens to each state, 0 at padding, adding up to 1. What stands in padding of the speech does not matter, not even
        NaN; a word's row depends on that word alone. ValueError where shapes do not fit, and for speech without a real
        state.
        """
        student_mask = self._checked(teacher_states, student_states, student_mask)
        padding = ~student_mask
        heard = student_states.masked_fill(padding[..., None], 0).to(self.key.weight.dtype)
        query = self.query(teacher_states.to(self.query.weight.dtype))  # (B, words, d_t)
        scores = query @ F.gelu(self.key(heard)).transpose(1, 2) / query.shape[-1] ** 0.5
        alignment = scores.masked_fill(padding[:, None], -torch.inf).softmax(-1)  # (B, words, states)
        return alignment @ F.gelu(self.value(heard)), alignment

    def _checked(self, teacher, student, mask):
        for who, states, width in (
            ("teacher", teacher, self.query.in_features),
            ("student", student, self.key.in_features),
        ):
            if states.dim() != 3 or states.shape[2] != width:
                raise ValueError(
                    f"expected the {who}'s states as (batch, places, {width}), got the shape {tuple(states.shape)}"
                )
        if len(teacher) != len(student):
            raise ValueError(
                f"the teacher's states are of {len(teacher)} texts, the student's of {len(student)} sounds"
            )
        if mask is None:
            mask = torch.ones(student.shape[:2], dtype=torch.bool, device=student.device)
        if mask.shape != student.shape[:2] or mask.dtype != torch.bool:
            raise ValueError(
                f"expected a mask of bool and the shape {tuple(student.shape[:2])}, got {mask.dtype} {tuple(mask.shape)}"
            )
        if not mask.any(1).all():
            raise ValueError(
                f"row {int((~mask.any(1)).nonzero()[0])} of the batch has no real state to listen to: its mask is False throughout"
            )
        return mask
