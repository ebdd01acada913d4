"""Figures from tables and arrays: each function returns its figure, and changes nothing else.

matplotlib figures are made without pyplot and show themselves in a notebook (as a cell's last line, or
with ``display``); ``confusion_explorer`` is a plotly Figure.
"""

from sernb.figures.attention import attention_maps
from sernb.figures.comparison import group_scores, model_comparison, setting_comparison
from sernb.figures.confusion import confusion_explorer, confusion_matrix
from sernb.figures.corpus import class_balance
from sernb.figures.palette import EMOTION_COLORS
from sernb.figures.sound import sound, spectrogram
from sernb.figures.training import filter_shapes, learning_curves

__all__ = [
    "EMOTION_COLORS",
    "attention_maps",
    "class_balance",
    "confusion_explorer",
    "confusion_matrix",
    "filter_shapes",
    "group_scores",
    "learning_curves",
    "model_comparison",
    "setting_comparison",
    "sound",
    "spectrogram",
]
