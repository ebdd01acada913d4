"""What a student learns from logits: softened probabilities, their KL divergence, cross-entropy, and the mix.

Source: T. M. Nguyen, P.-N. Tran, D. N. M. Dang, "Enhancing Speech Emotion Recognition through Knowledge Distillation",
2024 (below: "the paper"), II.C, Eq. 1 to 4; the temperature is from G. Hinton, O. Vinyals, J. Dean, "Distilling the
Knowledge in a Neural Network", 2015.
"""

import torch
from torch import nn
from torch.nn import functional as F

UNLABELLED = -100  # torch's own sign for a row that has no class


def soften(logits, temperature=2.0):
    """`(batch, classes)` logits to probabilities, softmax(logits / temperature) (Eq. 1).

    Half-precision logits are computed in float32, here and in every loss. ValueError for a temperature that is not
    above 0.
    """
    return (full(logits) / _positive(temperature)).softmax(-1)


def kl_divergence(student_logits, teacher_logits, temperature=2.0, squared=True):
    """KL(teacher || student) of the softened `(batch, classes)`, the mean over the batch (Eq. 2).

    `squared` multiplies by temperature², which keeps the gradient about the same size at every temperature (Hinton et
    al., section 2): the authors' code has it, Eq. 2 has not. The teacher gets no gradient. ValueError where the two
    differ in batch or classes.
    """
    same_logits(student_logits, teacher_logits)
    target = soften(teacher_logits.detach(), temperature)
    student = (full(student_logits) / temperature).log_softmax(-1)
    divergence = F.kl_div(student, target.to(student.dtype), reduction="batchmean")
    return divergence * temperature**2 if squared else divergence


def cross_entropy(student_logits, labels):
    """Cross-entropy of `(batch, classes)` with the class numbers `labels (batch,)` (Eq. 3).

    The mean is over labelled rows: a label of -100 means that the row has none, and where no row has one the loss is 0
    (torch's own would be NaN). ValueError for labels that are no class numbers, or of another shape.
    """
    _check_labels(student_logits, labels)
    labels = labels.long()
    total = F.cross_entropy(full(student_logits), labels, ignore_index=UNLABELLED, reduction="sum")
    return total / (labels != UNLABELLED).sum().clamp(min=1)


def logits_loss(student_logits, teacher_logits, labels, alpha=0.5, temperature=2.0, squared=True):
    """alpha · KL + (1 - alpha) · cross-entropy (Eq. 4); a term of weight 0 is not computed.

    Rows labelled -100 take part in the KL alone. ValueError for an alpha outside 0 to 1, and as for the two terms.
    """
    _share(alpha)
    kl = alpha * kl_divergence(student_logits, teacher_logits, temperature, squared) if alpha else 0.0
    return kl + (1 - alpha) * cross_entropy(student_logits, labels) if alpha < 1 else kl


class Soften(nn.Module):
    """`soften` as a Module."""

    def __init__(self, temperature=2.0):
        super().__init__()
        self.temperature = _positive(temperature)

    def forward(self, logits):
        return soften(logits, self.temperature)


class KLDivergence(nn.Module):
    """`kl_divergence` as a Module."""

    def __init__(self, temperature=2.0, squared=True):
        super().__init__()
        self.temperature, self.squared = _positive(temperature), squared

    def forward(self, student_logits, teacher_logits):
        return kl_divergence(student_logits, teacher_logits, self.temperature, self.squared)


class LogitsLoss(nn.Module):
    """`logits_loss` as a Module."""

    def __init__(self, alpha=0.5, temperature=2.0, squared=True):
        super().__init__()
        self.alpha, self.temperature, self.squared = _share(alpha), _positive(temperature), squared

    def forward(self, student_logits, teacher_logits, labels):
        return logits_loss(student_logits, teacher_logits, labels, self.alpha, self.temperature, self.squared)


def full(x):
    """Half precision as float32, everything else as it is: sums of small numbers need the digits."""
    return x.float() if x.dtype in (torch.float16, torch.bfloat16) else x


def same_logits(student, teacher):
    """ValueError unless both are `(batch, classes)` of the same batch and classes."""
    for who, logits in (("student", student), ("teacher", teacher)):
        if logits.dim() != 2 or not logits.numel():
            raise ValueError(f"expected {who} logits (batch, classes), got the shape {tuple(logits.shape)}")
    for what, ours, theirs in zip(("rows", "classes"), student.shape, teacher.shape, strict=True):
        if ours != theirs:
            raise ValueError(f"the student's logits have {ours} {what}, the teacher's {theirs}")


def _check_labels(logits, labels):
    if logits.dim() != 2 or not logits.numel():
        raise ValueError(f"expected logits (batch, classes), got the shape {tuple(logits.shape)}")
    if labels.shape != logits.shape[:1]:
        raise ValueError(f"expected labels of the shape ({len(logits)},), got {tuple(labels.shape)}")
    if labels.is_floating_point() or labels.is_complex():
        raise ValueError(f"expected labels that are class numbers (integers), got {labels.dtype}")
    wrong = labels[((labels < 0) & (labels != UNLABELLED)) | (labels >= logits.shape[1])]
    if len(wrong):
        raise ValueError(
            f"the labels name class {wrong[0].item()}, but the logits have {logits.shape[1]} classes "
            f"(0 to {logits.shape[1] - 1}; {UNLABELLED} means no label)"
        )


def _positive(temperature):
    if not 0 < temperature < float("inf"):
        raise ValueError(f"the temperature is {temperature}; it must be above 0")
    return temperature


def _share(alpha):
    if not 0 <= alpha <= 1:
        raise ValueError(f"alpha is {alpha}; it must lie between 0 and 1")
    return alpha
