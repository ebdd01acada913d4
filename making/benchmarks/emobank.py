"""Does a text branch learn valence from real sentences? EmoBank, its own parts, against a bag of words.

python making/benchmarks/emobank.py [--root DIR] [--seeds 2] [--threads 1]

A bag of words (TF-IDF of words and pairs of words) with ridge regression; the kit's two text encoders, fine-tuned; and
networks of their sizes from random weights, at the same learning rates. All learn from the training part, choose on the
validation part (the ridge its penalty, the networks when to stop), and are tried on the test part: CCC with a 95 %
interval by sentence, and paired differences. Prints two Markdown tables.
"""

import argparse
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import Ridge
from transformers import BertModel

from sernb.core.ratings import rated, targets_of
from sernb.core.tables import DIMENSIONS
from sernb.corpora import load
from sernb.evaluation import bootstrap, paired_bootstrap
from sernb.evaluation.baselines import WORDS as WORD
from sernb.evaluation.concordance import concordance
from sernb.features.encoders import text_encoder
from sernb.protocols import Fold, fixed
