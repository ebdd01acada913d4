"""Losses: of distillation, of several levels of a teacher (MCED), and of dimensions.

What has no parameters is a function; `FeatureLoss`, `Distillation` and `MultiLevelLoss` learn a projection or
soft-align blocks with the student, so they are Modules.
"""

from sernb.losses.concordance import concordance, concordance_loss
from sernb.losses.distillation import (
    UNLABELLED,
    Distillation,
    DistillationConfig,
    FeatureLoss,
    cross_entropy,
    feature_cosine,
    feature_mse,
    kl_divergence,
    logits_loss,
    relational_distance,
    soften,
)
from sernb.losses.multi_level import MCEDConfig, MultiLevelLoss, SoftAlignment
