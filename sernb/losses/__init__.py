"""Losses of knowledge distillation: each a function, and a thin Module with the same defaults."""

from sernb.losses.distillation import Distillation, DistillationConfig
from sernb.losses.features import (
    FeatureCosine,
    FeatureMSE,
    RelationalDistance,
    feature_cosine,
    feature_mse,
    relational_distance,
)
from sernb.losses.logits import (
    UNLABELLED,
    KLDivergence,
    LogitsLoss,
    Soften,
    cross_entropy,
    kl_divergence,
    logits_loss,
    soften,
)

__all__ = [
    "UNLABELLED",
    "Distillation",
    "DistillationConfig",
    "FeatureCosine",
    "FeatureMSE",
    "KLDivergence",
    "LogitsLoss",
    "RelationalDistance",
    "Soften",
    "cross_entropy",
    "feature_cosine",
    "feature_mse",
    "kl_divergence",
    "logits_loss",
    "relational_distance",
    "soften",
]
