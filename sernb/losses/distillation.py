"""Knowledge distillation: what a student learns from a teacher's logits and states, term by term and in one.

Source: T. M. Nguyen, P.-N. Tran, D. N. M. Dang, "Enhancing Speech Emotion Recognition through Knowledge
Distillation", 2024 (below: "the paper"), II.C, Eq. 1 to 6. Cosine and relational distance are beyond it.

In every loss: the teacher gets no gradient, half precision is computed in float32, means are over the batch,
and a ValueError names the shapes or values that do not fit.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F

UNLABELLED = -100  # torch's own sign for a row that has no class
SMALLEST = 1e-6  # a mean distance below this counts as none: what it would divide is rounding noise


def soften(logits, temperature=2.0):
    """Softened probabilities of `(batch, classes)` logits: P = softmax(z / T) (Eq. 1).

    Example:
        >>> soften(torch.tensor([[2.0, 0.0]]), temperature=2.0)
        tensor([[0.7311, 0.2689]])
    """
    check_temperature(temperature)
    return (full(logits) / temperature).softmax(-1)


def kl_divergence(student_logits, teacher_logits, temperature=2.0, squared=True):
    """T² · KL(Pᵗ ‖ Pˢ) = T² · Σ Pᵗ ln(Pᵗ / Pˢ) of the softened `(batch, classes)` logits (Eq. 2).

    `squared`: the factor T², which keeps the gradient about the same size at every temperature (G. Hinton et
    al., "Distilling the Knowledge in a Neural Network", 2015): the authors' code has it, Eq. 2 has not.

    Example:
        >>> kl_divergence(torch.tensor([[0.0, 0.0]]), torch.tensor([[2.0, 0.0]]), temperature=1.0)
        tensor(0.3278)
    """
    shape = student_logits.shape
    if len(shape) != 2 or not student_logits.numel() or shape != teacher_logits.shape:
        raise ValueError(f"expected logits (batch, classes); got {_shapes(student_logits, teacher_logits)}")
    target = soften(teacher_logits.detach(), temperature)
    student = (full(student_logits) / temperature).log_softmax(-1)
    divergence = F.kl_div(student, target.to(student.dtype), reduction="batchmean")
    return divergence * temperature**2 if squared else divergence


def cross_entropy(student_logits, labels):
    """-ln softmax(z)[label] of `(batch, classes)` logits, for class numbers `labels (batch,)` (Eq. 3).

    The mean is over labelled rows: a label of -100 means that the row has none, and where no row has one the
    loss is 0 (torch's own would be NaN).

    Example:
        >>> cross_entropy(torch.zeros(2, 4), torch.tensor([3, -100]))
        tensor(1.3863)
    """
    shapes = f"logits {tuple(student_logits.shape)} and labels {tuple(labels.shape)}, {labels.dtype}"
    fit = student_logits.dim() == 2 and student_logits.numel() and labels.shape == student_logits.shape[:1]
    if not fit or labels.is_floating_point() or labels.is_complex():
        raise ValueError(f"expected logits (batch, classes) and labels (batch,), class numbers; got {shapes}")
    classes, labelled = student_logits.shape[1], labels != UNLABELLED
    wrong = labels[labelled & ((labels < 0) | (labels >= classes))]
    if len(wrong):
        raise ValueError(f"labels name class {wrong[0]}; there are {classes} classes (0 to {classes - 1})")
    total = F.cross_entropy(full(student_logits), labels.long(), ignore_index=UNLABELLED, reduction="sum")
    return total / labelled.sum().clamp(min=1)


def logits_loss(student_logits, teacher_logits, labels, alpha=0.5, temperature=2.0, squared=True):
    """α · KL + (1 - α) · CE (Eq. 4); rows labelled -100 take part in the KL alone.

    Example:
        >>> logits_loss(torch.zeros(1, 2), torch.tensor([[2.0, 0.0]]), torch.tensor([0]), temperature=1.0)
        tensor(0.5105)
    """
    if not 0 <= alpha <= 1:
        raise ValueError(f"alpha is {alpha}; it must lie between 0 and 1")
    kl = alpha * kl_divergence(student_logits, teacher_logits, temperature, squared) if alpha else 0.0
    return kl + (1 - alpha) * cross_entropy(student_logits, labels) if alpha < 1 else kl


def feature_mse(student, teacher, mask=None):
    """‖hᵗ - hˢ‖² / features of each token (Eq. 5), the mean over real tokens, then over the batch.

    Both are `(batch, tokens, features)` or `(batch, features)`. `mask (batch, tokens)` is True at real tokens
    (None: all are); the others do not matter, not even NaN; an utterance without a real token adds 0.

    Example:
        >>> feature_mse(torch.tensor([[[1.0, 3.0]]]), torch.tensor([[[1.0, 1.0]]]))
        tensor(2.)
    """
    student, teacher, mask = _aligned(student, teacher, mask)
    return _mean((student - teacher).square().mean(-1), mask)


def feature_cosine(student, teacher, mask=None):
    """1 - cos(hᵗ, hˢ) of each token, averaged as in `feature_mse`: blind to the size of the features.

    Example:
        >>> feature_cosine(torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 5.0]]))
        tensor(1.)
    """
    student, teacher, mask = _aligned(student, teacher, mask)
    return _mean(1 - F.cosine_similarity(student, teacher, dim=-1), mask)


def relational_distance(student, teacher):
    """Huber(dˢ / mean dˢ - dᵗ / mean dᵗ), the mean over pairs: how far apart a batch lies, not where.

    `(batch, features)` both; their widths may differ. d is the Euclidean distance of a pair (W. Park et al.,
    "Relational Knowledge Distillation", CVPR 2019, Eq. 6 to 9; their code counts each pair twice and each
    utterance with itself). 0 for a batch of one.

    Example:
        >>> relational_distance(torch.tensor([[0.0], [3.0], [9.0]]), torch.eye(3))
        tensor(0.0833)
    """
    if student.dim() != 2 or teacher.dim() != 2 or len(student) != len(teacher):
        raise ValueError(f"expected (batch, features) of one batch, got {_shapes(student, teacher)}")
    student, teacher = full(student), full(teacher.detach())
    if len(student) < 2:
        return student.sum() * 0
    ours, theirs = (x / x.mean().clamp(min=SMALLEST) for x in (F.pdist(student), F.pdist(teacher)))
    return F.huber_loss(ours, theirs.to(ours.dtype))


FEATURES = {"mse": feature_mse, "cosine": feature_cosine}
STATES = {"text": "text_states", "fused": "fused"}


class FeatureLoss(nn.Module):
    """A feature loss ("mse" or "cosine") of W hˢ + b and hᵗ: W and b are learned where two widths differ.

    Example:
        >>> FeatureLoss("mse", student_width=8, teacher_width=6)(torch.ones(2, 8), torch.ones(2, 6)).shape
        torch.Size([])
    """

    def __init__(self, kind="mse", student_width=None, teacher_width=None):
        super().__init__()
        self.loss, self.projection = FEATURES[kind], None
        if student_width != teacher_width:
            if None in (student_width, teacher_width):
                raise ValueError(f"give both widths; got {student_width} (student) and {teacher_width}")
            self.projection = nn.Linear(student_width, teacher_width)

    def forward(self, student, teacher, mask=None):
        if self.projection is not None:
            if student.shape[-1] != (width := self.projection.in_features):
                raise ValueError(f"the projection takes features of width {width}, got {student.shape[-1]}")
            if mask is not None:  # or the gradient of the projection's weights would see NaN at padding
                student = student.masked_fill(~mask.unsqueeze(-1), 0)
            student = self.projection(student.to(self.projection.weight.dtype))
        return self.loss(student, teacher, mask)


@dataclass(frozen=True)
class DistillationConfig:
    """What a student learns from; the defaults are the authors' code's: 0.5 · KL + 0.5 · CE + MSE, T = 2.

    `alpha` weighs the KL divergence against cross-entropy, `squared` multiplies it by T². `feature` ("mse",
    "cosine" or "none") times `feature_weight` compares features `at` the text encoder's states ("text", Eq.
    5) or at the fused state ("fused"). `relational` weighs the distances between a batch's fused states.
    `alpha=0, feature="none"` is training without distillation. ValueError for a value out of range.
    """

    alpha: float = 0.5
    temperature: float = 2.0
    squared: bool = True
    feature: str = "mse"
    feature_weight: float = 1.0
    at: str = "text"
    relational: float = 0.0

    def __post_init__(self):
        check_temperature(self.temperature)
        for name, choices in (("feature", (*FEATURES, "none")), ("at", tuple(STATES))):
            if getattr(self, name) not in choices:
                raise ValueError(f"{name} is {getattr(self, name)!r}; choose one of {', '.join(choices)}")
        for name, high in (("alpha", 1), ("feature_weight", float("inf")), ("relational", float("inf"))):
            if not 0 <= getattr(self, name) <= high:
                raise ValueError(f"{name} is {getattr(self, name)}; it must lie between 0 and {high}")


class Distillation(nn.Module):
    """α · KL + (1 - α) · CE + w · feature + r · relational (Eq. 6, and what `DistillationConfig` adds).

    `student_width` and `teacher_width` are those of the features compared; where they differ, a projection of
    the student's is learned too: hand this Module's parameters to the optimizer.

    Example:
        >>> student = {"logits": torch.zeros(2, 4), "text_states": torch.zeros(2, 5, 8),
        ...            "text_mask": torch.ones(2, 5, dtype=torch.bool)}
        >>> total, terms = Distillation()(student, student, torch.tensor([0, -100]))
        >>> sorted(terms)
        ['cross_entropy', 'feature', 'kl']
    """

    def __init__(self, config: DistillationConfig | None = None, student_width=None, teacher_width=None):
        super().__init__()
        self.config = config = config or DistillationConfig()
        self.feature = None
        if config.feature != "none" and config.feature_weight > 0:
            self.feature = FeatureLoss(config.feature, student_width, teacher_width)

    def forward(self, student: Mapping, teacher: Mapping | None, labels: torch.Tensor):
        """A scalar to minimise, and its terms, detached, before their weights (of weight 0: not computed).

        Args:
            student, teacher: `logits (batch, classes)` and what the settings need of `text_states (batch,
                tokens, features)` with `text_mask (batch, tokens)`, True at real tokens, and `fused (batch,
                features)`; None where they need no teacher.
            labels: `(batch,)` class numbers, -100 where there is none.
        """
        config, terms = self.config, {}

        # What the teacher answers, and what the label says.
        logits = _part(student, "logits", "student")
        if config.alpha > 0:
            theirs = _part(teacher, "logits", "teacher")
            terms["kl"] = kl_divergence(logits, theirs, config.temperature, config.squared)
        if config.alpha < 1:
            terms["cross_entropy"] = cross_entropy(logits, labels)

        # How the teacher reads, and which utterances it finds alike.
        if self.feature is not None:
            states = _pair(student, teacher, STATES[config.at])
            mask = _same_mask(student, teacher) if config.at == "text" else None
            terms["feature"] = self.feature(*states, mask)
        if config.relational > 0:
            terms["relational"] = relational_distance(*_pair(student, teacher, "fused"))

        weights = {"kl": config.alpha, "cross_entropy": 1 - config.alpha}
        weights |= {"feature": config.feature_weight, "relational": config.relational}
        total = sum(weights[name] * term for name, term in terms.items())
        return total, {name: term.detach() for name, term in terms.items()}


def full(x):
    """Half precision as float32, everything else as it is: sums of small numbers need the digits."""
    return x.float() if x.dtype in (torch.float16, torch.bfloat16) else x


def check_temperature(temperature):
    if not 0 < temperature < float("inf"):
        raise ValueError(f"the temperature is {temperature}; it must be above 0")


def real(mask, states, name="mask"):
    """The mask of `states (batch, places, width)`, bool `(batch, places)`: all True where none is given."""
    if mask is None:
        return torch.ones(states.shape[:2], dtype=torch.bool, device=states.device)
    if mask.shape != states.shape[:2] or mask.dtype != torch.bool:
        wanted = f"bool {tuple(states.shape[:2])}"
        raise ValueError(f"expected a {name} of {wanted}, got {mask.dtype} {tuple(mask.shape)}")
    return mask


def _aligned(student, teacher, mask):
    """Both as (batch, tokens, features) in full precision, padding set to 0, and the mask."""
    if student.dim() not in (2, 3) or student.shape[:-1] != teacher.shape[:-1]:
        wanted = "(batch, tokens, features) or (batch, features) of one batch"
        raise ValueError(f"expected features {wanted}, got {_shapes(student, teacher)}")
    if student.shape[-1] != teacher.shape[-1]:
        widths = f"{student.shape[-1]} wide, the teacher's {teacher.shape[-1]}"
        raise ValueError(f"the student's features are {widths}; the Module FeatureLoss learns a projection")
    if student.dim() == 2:
        student, teacher = student.unsqueeze(1), teacher.unsqueeze(1)
    mask = real(mask, student)
    student, teacher = (full(x).masked_fill(~mask.unsqueeze(-1), 0) for x in (student, teacher.detach()))
    return student, teacher.to(student.dtype), mask


def _shapes(student, teacher):
    return f"{tuple(student.shape)} (student) and {tuple(teacher.shape)} (teacher)"


def _mean(values, mask):
    """(batch, tokens) to a scalar: the mean over each utterance's real tokens, then over utterances."""
    return ((values * mask).sum(1) / mask.sum(1).clamp(min=1)).mean()


def _pair(student, teacher, name):
    return _part(student, name, "student"), _part(teacher, name, "teacher")


def _part(outputs, name, who):
    part = None if outputs is None else outputs.get(name)
    if part is None:
        raise ValueError(f"these settings need the {who}'s {name}, and there is none")
    return part


def _same_mask(student, teacher):
    """The mask of both; tokens that differ mean another tokenizer, and states that cannot be compared."""
    ours, theirs = _pair(student, teacher, "text_mask")
    if ours.shape != theirs.shape or not torch.equal(ours, theirs.to(ours.device)):
        counts = f"{int(ours.sum())} and {int(theirs.sum())} real ones, {_shapes(ours, theirs)}"
        raise ValueError(f"student and teacher do not read the same tokens: {counts}")
    return ours
