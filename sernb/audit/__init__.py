"""The audit of a corpus and its folds: what leaks from training into the test, and what gives labels away."""

from sernb.audit.checks import audit, speakers_apart
from sernb.audit.duplicates import duplicates
from sernb.audit.split_gain import random_split_gain
from sernb.audit.texts import near_texts

__all__ = ["audit", "duplicates", "near_texts", "random_split_gain", "speakers_apart"]
