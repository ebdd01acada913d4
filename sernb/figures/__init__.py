"""Figures from tables and arrays: each function returns its figure, and changes nothing else.

matplotlib figures are made without pyplot and show themselves in a notebook; ``affect_plane``, ``pareto``,
``predicted_plane``, ``soft_alignment`` and ``softening_explorer`` are plotly Figures, ``token_attributions``
is HTML, ``transcript_editor`` a widget.
"""

# ruff: noqa: I001 (two lines of a file's names)
from sernb.figures.affect import affect_plane, predicted_plane
from sernb.figures.corpus import annotator_agreement, class_balance, class_shares
from sernb.figures.corpus import feature_map, measures_by_emotion, telling_words
from sernb.figures.dimensions import concordance_panels, dimension_comparison, relative_gain, wer_curve
from sernb.figures.distillation import confusion_difference, pareto, two_counts
from sernb.figures.scores import abstaining, confusion_matrix, group_scores, label_shares, model_comparison
from sernb.figures.softening import softening, softening_explorer
from sernb.figures.sound import attention_maps, frame_similarity, sound, spectrogram, spectrograms
from sernb.figures.streams import alignment_of_words, alignment_picture
from sernb.figures.streams import fusion_attention, soft_alignment, streams
from sernb.figures.training import filter_shapes, layer_scores, layer_weights, learning_curves
from sernb.figures.transcript import token_attributions, transcript_editor
