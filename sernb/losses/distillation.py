"""The whole training objective of a student (the paper on distilled 3M-SER, 2024, II.C, Eq. 6), and its settings."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import nn

from sernb.losses.features import FeatureCosine, FeatureMSE, relational_distance
from sernb.losses.logits import cross_entropy, kl_divergence

FEATURES = {"mse": FeatureMSE, "cosine": FeatureCosine}
PLACES = {"text": "text_states", "fused": "fused"}


@dataclass(frozen=True)
class DistillationConfig:
    """What a student learns from; the defaults are those of the authors' code: 0.5 · KL + 0.5 · CE + MSE, temperature 2.

    `alpha` weighs the KL divergence against cross-entropy (Eq. 4), `squared` multiplies it by temperature² (the code
    does, Eq. 2 does not). `feature` ("mse", "cosine" or "none") times `feature_weight` compares features `at` the text
    encoder's states ("text", Eq. 5) or at the fused state ("fused"). `relational` weighs the distances between the fused
    states of a batch. Cosine, "fused" and relational are beyond the paper. `alpha=0, feature="none"` is training
    without distillation. ValueError for a value out of range.
    """

    alpha: float = 0.5
    temperature: float = 2.0
    squared: bool = True
    feature: str = "mse"
    feature_weight: float = 1.0
    at: str = "text"
    relational: float = 0.0

    def __post_init__(self):
        for name, choices in (("feature", (*FEATURES, "none")), ("at", tuple(PLACES))):
            if getattr(self, name) not in choices:
                raise ValueError(f"{name} is {getattr(self, name)!r}; choose one of {', '.join(choices)}")
        for name, low, high in (
            ("alpha", 0, 1),
            ("feature_weight", 0, float("inf")),
            ("relational", 0, float("inf")),
        ):
            if not low <= getattr(self, name) <= high:
                raise ValueError(f"{name} is {getattr(self, name)}; it must lie between {low} and {high}")
        if not 0 < self.temperature < float("inf"):
            raise ValueError(f"the temperature is {self.temperature}; it must be above 0")

    @property
    def compares_features(self) -> bool:
        return self.feature != "none" and self.feature_weight > 0

    @property
    def needs_teacher(self) -> bool:
        return self.alpha > 0 or self.compares_features or self.relational > 0


class Distillation(nn.Module):
    """Logits loss + feature loss + relational loss, each with its weight (Eq. 6 and what `DistillationConfig` adds).

    `student_width` and `teacher_width` are those of the features compared; where they differ, a projection of the
    student's is learned with it (its parameters are this Module's, so hand them to the optimizer too).

    Example:
        >>> student = {"logits": torch.zeros(2, 4), "text_states": torch.zeros(2, 5, 8),
        ...            "text_mask": torch.ones(2, 5, dtype=torch.bool)}
        >>> total, terms = Distillation()(student, student, torch.tensor([0, -100]))
        >>> sorted(terms)
        ['cross_entropy', 'feature', 'kl']
    """

    def __init__(self, config: DistillationConfig | None = None, student_width=None, teacher_width=None):
        super().__init__()
        self.config = config or DistillationConfig()
        self.feature = (
            FEATURES[self.config.feature](student_width, teacher_width)
            if self.config.compares_features
            else None
        )

    def forward(self, student, teacher, labels):
        """A scalar to minimise, and its terms, detached, before their weights; a term of weight 0 is not computed.

        `student` and `teacher` (which gets no gradient) hold, as keys or attributes, `logits (batch, classes)` and what
        the settings need of `text_states (batch, tokens, features)` with `text_mask (batch, tokens)`, True at real
        tokens, and `fused (batch, features)`. `labels (batch,)` are class numbers, -100 where there is none. The teacher
        may be None where the settings need none. ValueError for what is absent or does not fit.
        """
        config, terms = self.config, {}
        logits = _part(student, "logits", "student")
        if config.alpha > 0:
            terms["kl"] = kl_divergence(
                logits, _part(teacher, "logits", "teacher"), config.temperature, config.squared
            )
        if config.alpha < 1:
            terms["cross_entropy"] = cross_entropy(logits, labels)
        if self.feature is not None:
            ours, theirs = _pair(student, teacher, PLACES[config.at])
            terms["feature"] = self.feature(
                ours, theirs, _same_mask(student, teacher) if config.at == "text" else None
            )
        if config.relational > 0:
            terms["relational"] = relational_distance(*_pair(student, teacher, "fused"))
        weights = {
            "kl": config.alpha,
            "cross_entropy": 1 - config.alpha,
            "feature": config.feature_weight,
            "relational": config.relational,
        }
        total = sum(weights[name] * term for name, term in terms.items())
        return total, {name: term.detach() for name, term in terms.items()}


def _pair(student, teacher, name):
    return _part(student, name, "student"), _part(teacher, name, "teacher")


def _part(outputs, name, who):
    part = outputs.get(name) if isinstance(outputs, Mapping) else getattr(outputs, name, None)
    if part is None:
        raise ValueError(f"these settings need the {who}'s {name}, and there is none")
    return part


def _same_mask(student, teacher):
    """The mask of both; tokens that differ mean another tokenizer, and states that have nothing to do with each other."""
    ours, theirs = _pair(student, teacher, "text_mask")
    if ours.shape != theirs.shape or not torch.equal(ours, theirs.to(ours.device)):
        raise ValueError(
            f"student and teacher do not read the same tokens: {int(ours.sum())} real ones in the shape "
            f"{tuple(ours.shape)} (student), {int(theirs.sum())} in {tuple(theirs.shape)} (teacher)"
        )
    return ours
