"""Losses, each a function, and a thin Module with the same defaults: of distillation, and of dimensions."""

from sernb.losses.concordance import ConcordanceLoss, concordance, concordance_loss
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
    "ConcordanceLoss",
    "Distillation",
    "DistillationConfig",
    "FeatureCosine",
    "FeatureMSE",
    "KLDivergence",
    "LogitsLoss",
    "RelationalDistance",
    "Soften",
    "concordance",
    "concordance_loss",
    "cross_entropy",
    "feature_cosine",
    "feature_mse",
    "kl_divergence",
    "logits_loss",
    "relational_distance",
    "soften",
]
