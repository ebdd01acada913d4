"""The concordance correlation coefficient as a loss: for arousal, valence and dominance.

Sources: D. de Oliveira, N. Raj Prabhu, T. Gerkmann, "Leveraging Semantic Information for Efficient
Self-Supervised Emotion Recognition with Audio-Textual Distilled Models", Interspeech 2023, Eq. 3; L. I.-K.
Lin, "A Concordance Correlation Coefficient to Evaluate Reproducibility", Biometrics 45, 1989."""

import torch

from sernb.losses.distillation import full


def concordance(predicted, target):
    """2 cov(x, y) / (var x + var y + (mean x - mean y)²) of each column, `(batch, dimensions)`.

    Gives `(dimensions,)` in [-1, 1]; moments are of the population (divided by n, as Lin does). A target that
    is NaN is unknown: its row is left out of that column alone. 0 where predictions or targets of a column
    are constant (a single row is), also where they agree, Lin's 0 / 0, and without a known target; with no
    gradient where the targets are constant. NaN only for predictions that are NaN or infinite.

    Example:
        >>> concordance(torch.tensor([[1.0], [2.0], [3.0]]), torch.tensor([[2.0], [3.0], [4.0]]))
        tensor([0.5714])
    """
    if predicted.shape != target.shape or predicted.dim() != 2:
        shapes = f"predicted is {tuple(predicted.shape)}, target {tuple(target.shape)}"
        raise ValueError(f"{shapes}: both are (batch, dimensions)")
    predicted, target = full(predicted), full(target)
    known = ~target.isnan()
    count = known.sum(0).clamp(min=1)

    def centred(x):
        x = torch.where(known, x, 0.0)
        mean = x.sum(0) / count
        return mean, torch.where(known, x - mean, 0.0)

    (mean_p, p), (mean_t, t) = centred(predicted), centred(target.to(predicted.dtype))
    scale = ((p**2).sum(0) + (t**2).sum(0)) / count + (mean_p - mean_t) ** 2
    # Below float32's noise for numbers around 1, nothing is defined; NaN goes through, so that it is seen.
    defined = ~(scale <= 1e-12)
    return torch.where(defined, 2 * (p * t).sum(0) / count / torch.where(defined, scale, 1.0), 0.0)


def concordance_loss(predicted, target):
    """1 - CCC, the mean over the dimensions (paper, 3.3): a scalar in [0, 2] of `(batch, dimensions)` both.

    NaN in the target is unknown. A dimension of fewer than two known targets is left out of the mean (one
    point has no correlation), and where none is left the loss is 0, with a gradient of 0.

    Example:
        >>> concordance_loss(torch.tensor([[1.0], [2.0], [3.0]]), torch.tensor([[2.0], [3.0], [4.0]]))
        tensor(0.4286)
    """
    known = (~target.isnan()).sum(0) > 1
    return torch.where(known, 1 - concordance(predicted, target), 0.0).sum() / known.sum().clamp(min=1)
