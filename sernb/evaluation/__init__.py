"""What a predictions table is worth: metrics, their intervals, and the comparison of two models."""

from sernb.evaluation.comparison import mcnemar, paired_bootstrap
from sernb.evaluation.concordance import concordance
from sernb.evaluation.contrasts import contrast
from sernb.evaluation.intervals import bootstrap, usual_unit
from sernb.evaluation.metrics import METRICS, confusion, recalls, scores
from sernb.evaluation.seeds import seed_difference

__all__ = [
    "METRICS",
    "bootstrap",
    "concordance",
    "confusion",
    "contrast",
    "mcnemar",
    "paired_bootstrap",
    "recalls",
    "scores",
    "seed_difference",
    "usual_unit",
]
