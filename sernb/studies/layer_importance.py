"""Which layers of a frozen speech encoder tell arousal, valence, dominance, or classes: two ways to ask.

Learned weights, as in Figure 2 of D. de Oliveira, N. Raj Prabhu, T. Gerkmann, "Leveraging Semantic Information for
Efficient Self-Supervised Emotion Recognition with Audio-Textual Distilled Models", Interspeech 2023, 4.2; and a linear
probe on each layer by itself, whose score does not depend on how large a layer's numbers are.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from joblib import delayed
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.metrics import recall_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch.nn import functional as F

from sernb.core.errors import SernbError
from sernb.core.ragged import Ragged
from sernb.core.ratings import Targets, rated, rows_of
from sernb.core.tables import predictions_of
from sernb.losses import concordance, concordance_loss
from sernb.models.layer_probe import LayerProbe
from sernb.protocols import Fold
from sernb.studies.parallel import side_by_side

PREDICT_BATCH = 64
ALPHAS = np.logspace(-1, 5, 13)  # of the ridge, chosen by leave-one-out on the training part


def learned_weights(
    states: np.ndarray | Ragged,
    target: np.ndarray,
    train_rows: np.ndarray,
    development_rows: np.ndarray,
    normalise: str = "none",
    seed: int = 0,
    epochs: int = 60,
    patience: int = 10,
    learning_rate: float = 1e-3,
    weights_rate: float = 1e-2,
    batch_size: int = 16,
) -> tuple[np.ndarray, float]:
    """Train a `LayerProbe` on frozen states; returns its layer weights `(layers,)` and its development score.

    states: `(utterances, layers, width)`, averaged over time (`sernb.features.speech.layer_states`), or with the time axis
    (`frame_states`): then the head pools average and maximum, as the paper's does, which takes far longer. target: one
    dimension in [0, 1] `(utterances,)`, where NaN is unknown (loss 1 - CCC, score CCC), or class numbers as integers,
    negative where unknown (cross-entropy, UAR). The weights are those of the best epoch on the development rows.

    normalise: "none" and "layer" as in `LayerProbe`; "feature" gives each feature of each layer mean 0 and variance 1 over
    the training rows, so that layers differ neither in size nor in how much they vary from utterance to utterance (states
    averaged over time only). weights_rate: the learning rate of the weights, higher than the head's, since they begin
    equal and one head's training is short. A plain loop: the states lie in memory, and a Trainer would take longer to
    begin than this does to end. Raises SernbError where fewer than two rows of a part are labelled, where all of them have
    the same label, and for states or a loss that are not finite.
    """
    classes = np.issubdtype(np.asarray(target).dtype, np.integer)
    known = target >= 0 if classes else ~np.isnan(target)
    train, tried = (np.asarray(rows)[known[np.asarray(rows)]] for rows in (train_rows, development_rows))
    if len(train) < 2 or len(tried) < 2:
        raise SernbError(
            f"{len(train)} training and {len(tried)} development utterances are labelled; two each are needed."
        )
    for part, rows in (("training", train), ("development", tried)):
        if len(np.unique(target[rows])) < 2:
            raise SernbError(
                f"all {len(rows)} labelled utterances of the {part} part have the same {'class' if classes else 'rating'}; "
                "expected two or more that differ. Take more utterances into it."
            )
    if batch_size < 2:
        raise SernbError(f"batch_size is {batch_size}; it must be at least 2, or a batch has no concordance.")
    values = states.values if isinstance(states, Ragged) else states
    if not np.isfinite(values).all():
        raise SernbError(
            "the states hold NaN or infinity: the encoder's weights are damaged, or too large for half precision."
        )
    if normalise == "feature":
        states, normalise = _standardised(states, train), "none"
    torch.manual_seed(seed)
    y = torch.from_numpy(np.asarray(target, np.int64 if classes else np.float32))
    outputs = int(target.max()) + 1 if classes else 1
    probe = LayerProbe(*_shape(states), outputs, normalise)
    optimizer = torch.optim.Adam(
        [{"params": [probe.layer_logits], "lr": weights_rate}, {"params": probe.head.parameters()}],
        learning_rate,
    )
    best, weights, since = -np.inf, None, 0
    for _ in range(epochs):
        probe.train()
        batches = torch.from_numpy(train)[torch.randperm(len(train))].split(batch_size)
        if not classes and len(batches[-1]) == 1:
            batches = batches[:-1]  # one point has no concordance
        for rows in batches:
            said = probe(*_batch(states, rows))
            loss = F.cross_entropy(said, y[rows]) if classes else concordance_loss(said, y[rows, None])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        if not loss.isfinite():
            raise SernbError(
                f"the loss became {loss.item()}: lower learning_rate (it was {learning_rate:g}) or weights_rate "
                f"({weights_rate:g})."
            )
        score = _score(probe, states, tried, y[tried], classes)
        since += 1
        if score > best:
            best, weights, since = score, probe.layer_weights.detach().numpy().copy(), 0
        if since >= patience:
            break
    return weights, best


def weights_table(
    states: np.ndarray | Ragged,
    targets: dict[str, np.ndarray],
    splits: Sequence[tuple[np.ndarray, np.ndarray]],
    seeds: Sequence[int],
    normalise: str = "none",
    progress: bool = True,
    **settings,
) -> pd.DataFrame:
    """`learned_weights` for each target and seed: columns layer, target, seed, weight, score (of the probe, on development).

    splits: (training rows, development rows); each seed takes the next one, and the first comes again after the last, so
    that the spread between seeds holds the luck of the split too. Side by side in
    `with joblib.parallel_config(n_jobs=...)`.
    """
    chances = [(seed, splits[place % len(splits)]) for place, seed in enumerate(seeds)]
    runs = (
        delayed(learned_weights)(states, target, *split, normalise, seed, **settings)
        for target in targets.values()
        for seed, split in chances
    )
    done = side_by_side(runs, "heads", len(targets) * len(chances), "training", progress)
    names = [(name, seed) for name in targets for seed, _ in chances]
    rows = [
        (layer, *who, weight, score)
        for who, (weights, score) in zip(names, done, strict=True)
        for layer, weight in enumerate(weights)
    ]
    return pd.DataFrame(rows, columns=["layer", "target", "seed", "weight", "score"])


def rated_by_layer(
    states: np.ndarray, utterances: pd.DataFrame, targets: Targets, folds: Sequence[Fold]
) -> pd.DataFrame:
    """Predictions of a ridge regression on each layer by itself, on each fold's test part; model is the layer's number.

    states: `(utterances, layers, width)`, averaged over time, in the table's order. Features are scaled, and the ridge's
    strength is chosen, on the training part (and the validation part, which nothing else needs). Raises SernbError for a
    fold's utterances that are not in the table, states of another number, and a dimension without training ratings.
    """
    _as_many(states, utterances)
    tables = []
    for fold in folds:
        train, test = (
            rows_of(utterances.index, one) for one in (fold.train.union(fold.validation), fold.test)
        )
        for layer in range(states.shape[1]):
            said = np.full((len(test), len(targets.dimensions)), np.nan)
            for column, values in enumerate(targets.values.T):
                rows = train[~np.isnan(values[train])]
                if len(rows) < 2:
                    raise SernbError(
                        f"fold {fold.name!r}: {len(rows)} training utterances have a {targets.dimensions[column]}; expected "
                        "two or more. Leave the dimension out, or take larger folds."
                    )
                model = make_pipeline(StandardScaler(), RidgeCV(ALPHAS))
                said[:, column] = model.fit(states[rows, layer], values[rows]).predict(states[test, layer])
            tables.append(rated(said, fold.test, utterances, targets, fold.name, str(layer)))
    return pd.concat(tables)


def classified_by_layer(states: np.ndarray, utterances: pd.DataFrame, folds: Sequence[Fold]) -> pd.DataFrame:
    """As `rated_by_layer`, for emotions: a logistic regression on each layer, classes weighing the same.

    Utterances without a label are left out of training and test; SernbError for one that is not in the table.
    """
    _as_many(states, utterances)
    tables = []
    emotion, known = utterances["emotion"].astype(str).to_numpy(), utterances["emotion"].notna()
    labelled = utterances.index[known]
    for fold in folds:
        rows_of(utterances.index, fold.train.append([fold.validation, fold.test]))
        named = labelled.intersection(fold.test, sort=False)
        train = utterances.index.get_indexer(labelled.intersection(fold.train.union(fold.validation)))
        test = utterances.index.get_indexer(named)
        for layer in range(states.shape[1]):
            model = make_pipeline(
                StandardScaler(), LogisticRegression(C=0.1, class_weight="balanced", max_iter=500)
            )
            model.fit(states[train, layer], emotion[train])
            table = pd.DataFrame(model.predict_proba(states[test, layer]), named, model.classes_)
            tables.append(predictions_of(table, utterances, fold.name, str(layer)))
    return pd.concat(tables)


def _as_many(states, utterances):
    if len(states) != len(utterances):
        raise SernbError(
            f"there are states of {len(states)} utterances and a table of {len(utterances)}; expected one row each, in order."
        )


def _standardised(states, train):
    """Each feature of each layer with mean 0 and variance 1 over the training rows."""
    if isinstance(states, Ragged):
        raise SernbError(
            'normalise="feature" takes states averaged over time (sernb.features.speech.layer_states).'
        )
    mean, spread = states[train].mean(0), states[train].std(0)
    return ((states - mean) / np.where(spread > 0, spread, 1)).astype(np.float32)


def _shape(states):
    """(layers, width)"""
    return (states.values if isinstance(states, Ragged) else states).shape[-2:]


def _batch(states, rows):
    """What the probe takes for these rows."""
    rows = np.asarray(rows)
    if not isinstance(states, Ragged):
        return (torch.from_numpy(states[rows]),)
    x, mask = states.padded(rows)  # (B, frames, layers, width)
    return x.transpose(1, 2), mask


@torch.inference_mode()
def _score(probe, states, rows, y, classes):
    probe.eval()
    parts = np.split(rows, range(PREDICT_BATCH, len(rows), PREDICT_BATCH))
    said = torch.cat([probe(*_batch(states, part)) for part in parts])
    if not classes:
        return float(concordance(said, y[:, None]))
    return float(recall_score(y, said.argmax(1), average="macro", zero_division=0, labels=np.unique(y)))
