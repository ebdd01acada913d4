"""Losses, each a function, and a thin Module with the same defaults: of distillation, and of dimensions.

`MultiLevelLoss` (MCED) is a Module alone: its soft-align blocks are learned with the student.
"""

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
from sernb.losses.multi_level import MCEDConfig, MultiLevelLoss

__all__ = [
    "UNLABELLED",
    "ConcordanceLoss",
    "Distillation",
    "DistillationConfig",
    "FeatureCosine",
    "FeatureMSE",
    "KLDivergence",
    "LogitsLoss",
    "MCEDConfig",
    "MultiLevelLoss",
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
