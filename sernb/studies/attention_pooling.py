"""Train and test the spectrogram CNN fold by fold: segments and folds in, a predictions table out."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from joblib import delayed, effective_n_jobs
from torchaudio.functional import mask_along_axis_iid

from sernb.core.errors import SernbError
from sernb.core.tables import predictions_of
from sernb.features.spectrogram import Segments
from sernb.models.attention_pooling import CNNConfig, SpectrogramCNN
from sernb.protocols import Fold
from sernb.studies.parallel import side_by_side
from sernb.studies.training import PAPER, Examples, Recipe, fit

PREDICT_BATCH = 128


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
    """Train one network a fold and predict its test utterances; returns (predictions, learning curves, {fold: network}).

    The classes are the categories of `utterances["emotion"]`, whatever `config.classes` says. Every fold starts from
    its own weights (seed + number of the fold). Nothing is chosen on test data: the last epoch's weights count.

    Folds run one after another, or side by side within `with joblib.parallel_config(n_jobs=...)`: each in a process
    of its own, with its share of the cores. Sums are then taken in another order, so the last digits may differ.
    """
    classes = _classes(utterances, folds)
    config = CNNConfig(**{**vars(config or CNNConfig()), "classes": len(classes)})
    name = name or config.pooling
    alone = effective_n_jobs(None) == 1  # a bar over epochs can be seen from this process only
    runs = (
        delayed(_run_fold)(
            utterances,
            train_segments,
            test_segments,
            fold,
            config,
            recipe,
            name,
            seed,
            number,
            progress and alone,
        )
        for number, fold in enumerate(folds)
    )
    tables, curves, models = [], [], {}
    done = side_by_side(runs, name, len(folds), "fold", progress)
    for fold, (model, curve, table) in zip(folds, done, strict=True):
        models[fold.name] = model
        tables.append(table.assign(seed=seed))
        curves.append(curve.assign(model=name, fold=fold.name, seed=seed))
    return pd.concat(tables), pd.concat(curves, ignore_index=True), models


def _run_fold(utterances, train_segments, test_segments, fold, config, recipe, name, seed, number, progress):
    title = fold.name if progress else None
    model, curve = train_fold(
        utterances, train_segments, fold, config, recipe, seed=seed + 1000 * number, title=title
    )
    return model, curve, predict(model, utterances, test_segments, fold, name)


def train_fold(
    utterances: pd.DataFrame,
    segments: Segments,
    fold: Fold,
    config: CNNConfig,
    recipe: Recipe = PAPER,
    seed: int = 0,
    title: str | None = None,
) -> tuple[SpectrogramCNN, pd.DataFrame]:
    """Train one network on a fold's training utterances; returns it and its learning curve."""
    if len(both := fold.train.intersection(fold.test)):
        raise SernbError(f"fold {fold.name}: {len(both)} utterances are trained on and tested, {_few(both)}.")
    lacking = fold.train.difference(segments.table["utterance"])
    if len(lacking):
        raise SernbError(
            f"fold {fold.name}: no segments of {len(lacking)} training utterances, {_few(lacking)}."
        )
    torch.manual_seed(seed)
    model = SpectrogramCNN(config)
    codes = (
        utterances["emotion"].cat.codes.reindex(segments.table["utterance"], fill_value=-1).to_numpy(np.int64)
    )
    columns = {"spectrogram": segments.spectrograms, "labels": torch.as_tensor(codes)}
    change = spec_augment(recipe) if recipe.frequency_mask or recipe.time_mask else None
    return model, fit(model, Examples(columns, segments.of(fold.train)), recipe, seed, change, title)


def spec_augment(recipe: Recipe):
    """A change of training batches that silences one band and one span of each segment (SpecAugment, Park 2019).

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
    with torch.inference_mode():
        batches = [
            model(batch.to(device)).logits.softmax(-1).cpu() for batch in spectrograms.split(PREDICT_BATCH)
        ]
    return torch.cat(batches)


def predict(
    model: SpectrogramCNN, utterances: pd.DataFrame, segments: Segments, fold: Fold, name: str
) -> pd.DataFrame:
    """The predictions table of a fold's test utterances: the mean of their segments' probabilities (paper, 2.1)."""
    classes = utterances["emotion"].cat.categories
    rows = segments.of(fold.test)
    lacking = fold.test.difference(segments.table["utterance"].iloc[rows])
    if len(lacking):
        raise SernbError(
            f"fold {fold.name}: no segments of {len(lacking)} test utterances, {_few(lacking)}; cut the segments from the "
            "same utterances that the folds hold."
        )
    scores = segment_probabilities(model, segments.spectrograms[torch.as_tensor(rows)])
    means = pd.DataFrame(scores.numpy(), columns=list(classes))
    means = means.groupby(segments.table["utterance"].to_numpy()[rows]).mean().reindex(fold.test)
    return predictions_of(means, utterances, fold.name, name)


def _few(names: pd.Index) -> str:
    return ", ".join(map(str, names[:5])) + (", …" if len(names) > 5 else "")


def _classes(utterances: pd.DataFrame, folds: Sequence[Fold]) -> list[str]:
    emotion = utterances["emotion"]
    if emotion.isna().any():
        missing = utterances.index[emotion.isna()]
        raise SernbError(
            f"{len(missing)} utterances have no emotion, {_few(missing)} among them; leave them out first."
        )
    if emotion.nunique() < 2:
        raise SernbError(
            f"all utterances are {emotion.iloc[0]}; telling emotions apart takes at least two of them."
        )
    for fold in folds:
        seen = set(emotion[fold.train])
        if unseen := [one for one in emotion.cat.categories if one not in seen]:
            raise SernbError(
                f"fold {fold.name}: no training utterance is {', '.join(unseen)}; choose another protocol, or leave out "
                "the class (parameter emotions)."
            )
    return list(emotion.cat.categories)
