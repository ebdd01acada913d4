"""The audit of a corpus and its folds: what leaks from training into the test, and what gives labels away."""

from sernb.evaluation.audit.audit import audit, speakers_apart
from sernb.evaluation.audit.duplicates import duplicates
from sernb.evaluation.audit.sound import random_split_gain
from sernb.evaluation.audit.words import near_texts
