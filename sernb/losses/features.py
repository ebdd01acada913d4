"""What a student learns from features: the teacher's states token by token, or how far its utterances lie apart.

Source: the paper on distilled 3M-SER (2024), II.C, Eq. 5, for the mean squared error of text states; cosine and
relational distance are beyond it.
"""

import torch
from torch import nn
from torch.nn import functional as F

from sernb.losses.logits import full

SMALLEST = 1e-6  # a mean distance below this counts as none: what it would divide is rounding noise


def feature_mse(student, teacher, mask=None):
    """Mean squared error of `(batch, tokens, features)` (Eq. 5): over real tokens and features, then over the batch.

    `mask (batch, tokens)` is True at real tokens (None: all are real); what stands at the others does not matter, not
    even NaN, and an utterance without a real token adds 0. One vector an utterance, `(batch, features)`, does as well.
    The teacher gets no gradient. ValueError where widths or shapes differ.
    """
    student, teacher, mask = _aligned(student, teacher, mask)
    return _mean((student - teacher).square().mean(-1), mask)


def feature_cosine(student, teacher, mask=None):
    """1 - cosine similarity of each token, averaged as in `feature_mse`: blind to the size of the features."""
    student, teacher, mask = _aligned(student, teacher, mask)
    return _mean(1 - F.cosine_similarity(student, teacher, dim=-1), mask)


def relational_distance(student, teacher):
    """Distance-wise relational distillation: the distances between a batch's utterances, not their places.

    `(batch, features)` both; their widths may differ. Euclidean distances of all pairs, divided by their mean, compared
    by the Huber loss, mean over pairs (W. Park, D. Kim, Y. Lu, M. Cho, "Relational Knowledge Distillation", CVPR 2019,
    Eq. 6 to 9; their code counts each pair twice and each utterance with itself). 0 for a batch of one. The teacher gets
    no gradient. ValueError for other shapes.
    """
    if student.dim() != 2 or teacher.dim() != 2 or len(student) != len(teacher):
        raise ValueError(
            "expected (batch, features) of one batch, got the shapes "
            f"{tuple(student.shape)} (student) and {tuple(teacher.shape)} (teacher)"
        )
    student, teacher = full(student), full(teacher.detach())
    if len(student) < 2:
        return student.sum() * 0
    return F.huber_loss(_distances(student), _distances(teacher).to(student.dtype))


class FeatureMSE(nn.Module):
    """`feature_mse` as a Module; where the two widths are given and differ, with a learned projection of the student."""

    loss = staticmethod(feature_mse)

    def __init__(self, student_width=None, teacher_width=None):
        super().__init__()
        self.projection = None
        if student_width != teacher_width:
            if None in (student_width, teacher_width):
                raise ValueError(
                    f"a projection needs both widths; got {student_width} (student) and {teacher_width} (teacher)"
                )
            self.projection = nn.Linear(student_width, teacher_width)

    def forward(self, student, teacher, mask=None):
        if self.projection is not None:
            if student.shape[-1] != self.projection.in_features:
                raise ValueError(
                    f"the projection takes student features of width {self.projection.in_features}, "
                    f"got {student.shape[-1]}"
                )
            if mask is not None:  # before the projection: its weights' gradient would see NaN at padding
                student = student.masked_fill(~mask.unsqueeze(-1), 0)
            student = self.projection(student.to(self.projection.weight.dtype))
        return self.loss(student, teacher, mask)


class FeatureCosine(FeatureMSE):
    """`feature_cosine` as a Module, with a projection as in `FeatureMSE`."""

    loss = staticmethod(feature_cosine)


class RelationalDistance(nn.Module):
    """`relational_distance` as a Module."""

    def forward(self, student, teacher):
        return relational_distance(student, teacher)


def _aligned(student, teacher, mask):
    """Both as (batch, tokens, features) in full precision, padding set to 0, and the mask."""
    if student.dim() not in (2, 3) or student.dim() != teacher.dim():
        raise ValueError(
            "expected features (batch, tokens, features) or (batch, features), got the shapes "
            f"{tuple(student.shape)} (student) and {tuple(teacher.shape)} (teacher)"
        )
    if student.shape[-1] != teacher.shape[-1]:
        raise ValueError(
            f"the student's features are {student.shape[-1]} wide, the teacher's {teacher.shape[-1]}; "
            "the Modules FeatureMSE and FeatureCosine learn a projection"
        )
    if student.dim() == 2 and mask is None:
        student, teacher = student.unsqueeze(1), teacher.unsqueeze(1)
    places = student.shape[:-1]
    if mask is None:
        mask = torch.ones(places, dtype=torch.bool, device=student.device)
    if student.shape != teacher.shape or mask.shape != places:
        raise ValueError(
            f"the student's features have the shape {tuple(student.shape)}, the teacher's {tuple(teacher.shape)}, "
            f"the mask {tuple(mask.shape)}: batch and tokens must agree"
        )
    if mask.dtype != torch.bool:
        raise ValueError(f"expected a mask of bool (True: a real token), got {mask.dtype}")
    padding = ~mask.unsqueeze(-1)
    student, teacher = full(student), full(teacher.detach())
    return student.masked_fill(padding, 0), teacher.masked_fill(padding, 0).to(student.dtype), mask


def _mean(values, mask):
    """(batch, tokens) to a scalar: the mean over each utterance's real tokens, then over utterances."""
    return ((values * mask).sum(1) / mask.sum(1).clamp(min=1)).mean()


def _distances(x):
    """(batch, features) to the distances of its pairs, (pairs,), whose mean is 1 (or all 0)."""
    distances = F.pdist(x)
    return distances / distances.mean().clamp(min=SMALLEST)
