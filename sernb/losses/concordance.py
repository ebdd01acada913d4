"""The concordance correlation coefficient as a loss: for arousal, valence and dominance.

Sources: D. de Oliveira, N. Raj Prabhu, T. Gerkmann, "Leveraging Semantic Information for Efficient Self-Supervised
Emotion Recognition with Audio-Textual Distilled Models", Interspeech 2023, Eq. 3; L. I.-K. Lin, "A Concordance
Correlation Coefficient to Evaluate Reproducibility", Biometrics 45, 1989.
"""

import torch
from torch import nn

from sernb.losses.logits import full


def concordance(predicted, target):
    """CCC of each column: predicted and target `(batch, dimensions)` to `(dimensions,)`, each in [-1, 1].

    2 cov / (var + var + (difference of means)²), with population moments (divided by n, as Lin does). A target that is
    NaN is unknown: its row is left out of that column alone. Edge cases, never NaN: where the predictions or the targets
    of a column are constant (a single row is), 0, with no gradient where the targets are; constant predictions of targets
    that vary have one. Where both are constant and agree, Lin's formula is 0 / 0, and this gives 0 too, since such a
    column teaches nothing; so does a column without any known target. Predictions that are NaN or infinite give NaN.
    Half precision is computed in float32. ValueError for shapes that differ or are not `(batch, dimensions)`.
    """
    if predicted.shape != target.shape or predicted.dim() != 2:
        raise ValueError(
            f"predicted is {tuple(predicted.shape)}, target {tuple(target.shape)}: both are (batch, dimensions)"
        )
    predicted, target = full(predicted), full(target)
    known = ~target.isnan()
    count = known.sum(0).clamp(min=1)

    def centred(x):
        x = torch.where(known, x, 0.0)
        mean = x.sum(0) / count
        return mean, torch.where(known, x - mean, 0.0)

    (mean_p, p), (mean_t, t) = centred(predicted), centred(target.to(predicted.dtype))
    scale = ((p**2).sum(0) + (t**2).sum(0)) / count + (mean_p - mean_t) ** 2
    defined = ~(
        scale <= 1e-12
    )  # below float32's noise for numbers around 1; NaN goes through, so that it is seen
    return torch.where(defined, 2 * (p * t).sum(0) / count / torch.where(defined, scale, 1.0), 0.0)


def concordance_loss(predicted, target):
    """1 - CCC, the mean over the dimensions (paper, 3.3): a scalar between 0 and 2.

    predicted, target `(batch, dimensions)`; NaN in the target is unknown. A dimension of which the batch knows fewer than
    two targets is left out of the mean, and where none is left the loss is 0 (with a gradient of 0): one point has no
    correlation. ValueError as for `concordance`.
    """
    told = (~target.isnan()).sum(0) > 1
    each = 1 - concordance(predicted, target)
    return torch.where(told, each, 0.0).sum() / told.sum().clamp(min=1)


class ConcordanceLoss(nn.Module):
    """`concordance_loss` as a Module."""

    def forward(self, predicted, target):
        return concordance_loss(predicted, target)
