"""What a predictions table is worth: metrics, their intervals, and the comparison of two models."""

from sernb.evaluation.comparison import contrast, mcnemar, paired_bootstrap, seed_difference
from sernb.evaluation.concordance import concordance
from sernb.evaluation.intervals import bootstrap, usual_unit
from sernb.evaluation.metrics import METRICS, confusion, recalls, scores
