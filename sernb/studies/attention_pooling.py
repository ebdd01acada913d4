"""Attention pooling fold by fold, from segments to predictions; and which filter shape suits emotion.

Source: P. Li, Y. Song, I. McLoughlin, W. Guo, L. Dai, "An Attention Pooling based Representation Learning
Method for Speech Emotion Recognition", Interspeech 2018.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from joblib import delayed
from torch.nn import functional as F
from torchaudio.functional import mask_along_axis_iid

from sernb.core.errors import SernbError, some
from sernb.core.tables import predictions_of
from sernb.evaluation import bootstrap, recalls
from sernb.features.spectrogram import Segments
from sernb.models.attention_pooling import CNNConfig, SpectrogramCNN
from sernb.protocols import Fold
from sernb.studies.recipes import ATTENTION_POOLING, Recipe
from sernb.studies.rows import Rows
from sernb.studies.training import Goal, fit, run_folds, side_by_side

PAPER = ATTENTION_POOLING["paper"]
PREDICT_BATCH = 128
# Of the study of filter shapes (3.2, Figure 2): bins of 10 Hz at width 2, and frames of 10 ms at height 2.
HEIGHTS = (2, 4, 6, 8, 10, 15, 20, 40, 60, 80, 100)
WIDTHS = (2, 4, 6, 8, 10, 15, 20, 40, 60, 80)
THIN = 2
CHANNELS = 16


def cross_validate(
    utterances: pd.DataFrame,
    train_segments: Segments,
    test_segments: Segments,
    folds: Sequence[Fold],
    config: CNNConfig | None = None,
    recipe: Recipe = PAPER,
    name: str | None = None,
    seed: int = 0,
    progress: bool = True,
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, SpectrogramCNN]]:
    """Train one network a fold and predict its test utterances; the last epoch counts: none is chosen.

    Folds run one after another, or side by side within `with joblib.parallel_config(n_jobs=...)`. Sums are
    then taken in another order, so the last digits may differ.

    Args:
        utterances: With a column `emotion`, whose categories are the classes, whatever `config.classes` says.
        train_segments, test_segments: Of these utterances (`sernb.features.spectrogram`).
        config, name: The network, None: with attention pooling; what it is called, None: its pooling.
        seed: Every fold starts from its own weights, `seed` + 1000 times its number.

    Returns:
        (predictions, learning curves, {fold: network}).

    Raises:
        SernbError: For unlabelled utterances, a fold that lacks a class in training, and missing segments.
    """
    classes = _classes(utterances, folds)
    config = CNNConfig(**{**vars(config or CNNConfig()), "classes": len(classes)})
    name = name or config.pooling

    def train_one(numbered, seed, watched):
        number, fold = numbered
        how = (config, recipe, seed + 1000 * number, fold.name if watched else None)
        model, curve = train_fold(utterances, train_segments, fold, *how)
        table = predict(model, utterances, test_segments, fold, name).assign(seed=seed)
        return table, curve.assign(model=name, fold=fold.name, seed=seed), model

    predictions, curves, models = run_folds(train_one, list(enumerate(folds)), [seed], name, progress)
    return predictions, curves, {fold.name: model for fold, model in zip(folds, models, strict=True)}


def train_fold(
    utterances: pd.DataFrame,
    segments: Segments,
    fold: Fold,
    config: CNNConfig,
    recipe: Recipe = PAPER,
    seed: int = 0,
    title: str | None = None,
) -> tuple[SpectrogramCNN, pd.DataFrame]:
    """One network of a fold's training utterances, and its learning curve; as in `cross_validate`."""
    if len(both := fold.train.intersection(fold.test)):
        raise SernbError(f"fold {fold.name}: {len(both)} utterances are trained on and tested, {some(both)}.")
    rows = _rows_of(fold.train, segments, fold, "training")

    # The label of each segment is its utterance's
    emotion = utterances["emotion"].cat.codes.reindex(segments.table["utterance"], fill_value=-1)
    labels = torch.as_tensor(emotion.to_numpy(np.int64))
    train_set = Rows({"spectrogram": segments.spectrograms, "labels": labels}, rows)

    torch.manual_seed(seed)
    model = SpectrogramCNN(config)
    learner = _Classifier(model, recipe, labels[torch.as_tensor(rows)])
    change = spec_augment(recipe) if recipe.frequency_mask or recipe.time_mask else None
    curve = fit(learner, train_set, None, recipe, Goal(best=None), seed, change=change, progress=title)
    return model, curve


class _Classifier(torch.nn.Module):
    def __init__(self, model, recipe, labels):
        super().__init__()
        self.model, self.smoothing = model.to(memory_format=torch.channels_last), recipe.label_smoothing
        counts = torch.bincount(labels).float()
        weights = counts.sum() / (counts.clamp(min=1) * len(counts)) if recipe.class_weights else None
        self.register_buffer("weights", weights, persistent=False)

    def forward(self, spectrogram, labels):
        logits = self.model(spectrogram).logits
        loss = F.cross_entropy(logits.float(), labels, self.weights, label_smoothing=self.smoothing)
        return {"loss": loss, "logits": logits}


def spec_augment(recipe: Recipe):
    """A change of training batches that silences one band and one span of each (SpecAugment, Park 2019).

    The silence is each batch's own minimum: the floor of every scaling of `sernb.features.spectrogram`.
    """

    def change(batch):
        x = batch["spectrogram"].unsqueeze(1)  # (B, 1, bins, frames)
        for width, axis in ((recipe.frequency_mask, 2), (recipe.time_mask, 3)):
            if width:
                x = mask_along_axis_iid(x, width, float(x.min()), axis)
        return {**batch, "spectrogram": x.squeeze(1)}

    return change


def segment_probabilities(model: SpectrogramCNN, spectrograms: torch.Tensor) -> torch.Tensor:
    """Class probabilities `(n, classes)` of spectrograms `(n, bins, frames)`, on the model's device."""
    device = next(model.parameters()).device
    model.eval()
    batches = (batch.to(device) for batch in spectrograms.split(PREDICT_BATCH))
    with torch.inference_mode():
        return torch.cat([model(batch).logits.softmax(-1).cpu() for batch in batches])


def predict(
    model: SpectrogramCNN, utterances: pd.DataFrame, segments: Segments, fold: Fold, name: str
) -> pd.DataFrame:
    """Predictions for a fold's test utterances: the mean of their segments' probabilities (paper, 2.1)."""
    rows = _rows_of(fold.test, segments, fold, "test")
    scores = segment_probabilities(model, segments.spectrograms[torch.as_tensor(rows)])
    means = pd.DataFrame(scores.numpy(), columns=list(utterances["emotion"].cat.categories))
    means = means.groupby(segments.table["utterance"].to_numpy()[rows]).mean().reindex(fold.test)
    return predictions_of(means, utterances, fold.name, name)


def shapes(heights: Sequence[int] = HEIGHTS, widths: Sequence[int] = WIDTHS) -> list[tuple[int, int]]:
    """Filter shapes (bins, frames): heights at the smallest width, then widths at the smallest height."""
    for name, sizes in (("heights", heights), ("widths", widths)):
        if wrong := [size for size in sizes if size < THIN]:
            raise SernbError(f"{name} holds {wrong[0]}; the other side is {THIN}, so start there.")
        if not sizes:
            raise SernbError(f"{name} is empty; name at least one size, such as {THIN}.")
    both = [(height, THIN) for height in heights] + [(THIN, width) for width in widths]
    return list(dict.fromkeys(both))


def filter_study(
    utterances: pd.DataFrame,
    train_segments: Segments,
    test_segments: Segments,
    folds: Sequence[Fold],
    heights: Sequence[int] = HEIGHTS,
    widths: Sequence[int] = WIDTHS,
    recipe: Recipe = PAPER,
    seed: int = 0,
    progress: bool = True,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Cross-validate one convolution of 16 channels, averaged, for each filter shape (3.2, Figure 2).

    Args:
        heights, widths: In bins and frames, as `shapes` takes them; the others are as in `cross_validate`.

    Returns:
        (table, predictions). The table has a row a shape: height, width, WA with `WA_low` and `WA_high`
        (95 %, by utterance), and each emotion's recall; the models are named "height x width".
    """

    def train_one(height, width):
        config = CNNConfig(pooling="gap", filters=((height, width, CHANNELS),), channels=(), max_pools=())
        how = (config, recipe, f"{height} x {width}", seed, False)
        predictions, _, _ = cross_validate(utterances, train_segments, test_segments, folds, *how)
        return predictions.assign(height=height, width=width)

    sizes = shapes(heights, widths)
    runs = (delayed(train_one)(*size) for size in sizes)
    predictions = pd.concat(side_by_side(runs, "filter shapes", len(sizes), "shape", progress))

    rows = bootstrap(predictions, "WA").set_index("model")[["value", "low", "high"]]
    rows.columns = ["WA", "WA_low", "WA_high"]
    sizes = predictions.drop_duplicates("model").set_index("model")[["height", "width"]]
    return sizes.join(rows).join(recalls(predictions)).reset_index(drop=True), predictions


def _rows_of(ids, segments, fold, part):
    if len(lacking := ids.difference(segments.table["utterance"])):
        raise SernbError(f"fold {fold.name}: {len(lacking)} {part} utterances lack segments: {some(lacking)}")
    return segments.of(ids)


def _classes(utterances, folds):
    emotion = utterances["emotion"]
    if emotion.isna().any():
        missing = emotion.index[emotion.isna()]
        raise SernbError(f"{len(missing)} utterances have no emotion ({some(missing)}): leave them out.")
    if emotion.nunique() < 2:
        raise SernbError(f"all utterances are {emotion.iloc[0]}; there is nothing to tell apart.")
    for fold in folds:
        seen = set(emotion[fold.train])
        if unseen := [label for label in emotion.cat.categories if label not in seen]:
            advice = "take another protocol, or other emotions"
            raise SernbError(f"fold {fold.name}: no training utterance is {', '.join(unseen)}; {advice}.")
    return list(emotion.cat.categories)
