"""Figures from tables and arrays: each function returns its figure, and changes nothing else.

matplotlib figures are made without pyplot and show themselves in a notebook (as a cell's last line, or
with ``display``); ``affect_plane``, ``pareto``, ``predicted_plane``, ``soft_alignment`` and
``softening_explorer`` are plotly Figures. ``token_attributions`` is HTML, ``transcript_editor`` a widget.
"""

from sernb.figures.abstaining import abstaining
from sernb.figures.affect import affect_plane
from sernb.figures.annotators import annotator_agreement
from sernb.figures.attention import attention_maps
from sernb.figures.comparison import group_scores, model_comparison, setting_comparison
from sernb.figures.concordance import concordance_panels
from sernb.figures.confusion import confusion_matrix
from sernb.figures.corpus import class_balance, class_shares
from sernb.figures.dimensions import dimension_comparison, relative_gain
from sernb.figures.distillation import confusion_difference, two_counts
from sernb.figures.frames import frame_similarity
from sernb.figures.label_shares import label_shares
from sernb.figures.layers import layer_scores, layer_weights
from sernb.figures.measures import measures_by_emotion
from sernb.figures.neighbourhood import feature_map
from sernb.figures.palette import EMOTION_COLORS
from sernb.figures.pareto import pareto
from sernb.figures.predicted_affect import predicted_plane
from sernb.figures.soft_alignment import alignment_of_words, alignment_picture, soft_alignment
from sernb.figures.softening import gradient_share, softening, softening_explorer
from sernb.figures.sound import sound, spectrogram, spectrograms
from sernb.figures.streams import fusion_attention, streams
from sernb.figures.training import filter_shapes, learning_curves
from sernb.figures.transcript import token_attributions, transcript_editor
from sernb.figures.word_errors import wer_curve
from sernb.figures.wording import telling_words

__all__ = [
    "EMOTION_COLORS",
    "abstaining",
    "affect_plane",
    "alignment_of_words",
    "alignment_picture",
    "annotator_agreement",
    "attention_maps",
    "class_balance",
    "class_shares",
    "concordance_panels",
    "confusion_difference",
    "confusion_matrix",
    "dimension_comparison",
    "feature_map",
    "filter_shapes",
    "frame_similarity",
    "fusion_attention",
    "gradient_share",
    "group_scores",
    "label_shares",
    "layer_scores",
    "layer_weights",
    "learning_curves",
    "measures_by_emotion",
    "model_comparison",
    "pareto",
    "predicted_plane",
    "relative_gain",
    "setting_comparison",
    "soft_alignment",
    "softening",
    "softening_explorer",
    "sound",
    "spectrogram",
    "spectrograms",
    "streams",
    "telling_words",
    "token_attributions",
    "transcript_editor",
    "two_counts",
    "wer_curve",
]
