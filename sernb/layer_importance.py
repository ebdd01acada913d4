"""Which layers of a frozen speech encoder tell arousal, valence, dominance, or classes: two ways to ask.

Learned weights, as in Figure 2 of D. de Oliveira, N. Raj Prabhu, T. Gerkmann, "Leveraging Semantic Information for
Efficient Self-Supervised Emotion Recognition with Audio-Textual Distilled Models", Interspeech 2023, 4.2; and a linear
probe on each layer by itself, whose score does not depend on how large a layer's numbers are.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.metrics import recall_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch.nn import functional as F

from sernb.answers import predictions_of
from sernb.errors import SernbError
from sernb.losses.concordance import concordance, concordance_loss
from sernb.models.layer_probe import LayerProbe
from sernb.protocols import Fold
from sernb.ragged import Ragged
from sernb.ratings import Targets, rated

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

    states: `(utterances, layers, width)`, averaged over time (`sernb.speech.layer_states`), or with the time axis
    (`frame_states`): then the head pools average and maximum, as the paper's does, which takes far longer. target: one
    dimension in [0, 1] `(utterances,)`, where NaN is unknown (loss 1 - CCC, score CCC), or class numbers as integers,
    negative where unknown (cross-entropy, UAR). The weights are those of the best epoch on the development rows. weights_rate: the learning rate of the weights, higher than the head's, since they
    begin equal and one head's training is short. A plain loop: the states lie in memory, and a Trainer would take longer to begin than this does to end.
    """
    classes = np.issubdtype(np.asarray(target).dtype, np.integer)
    known = target >= 0 if classes else ~np.isnan(target)
    train, tried = (np.asarray(rows)[known[np.asarray(rows)]] for rows in (train_rows, development_rows))
    if len(train) < 2 or len(tried) < 2:
        raise SernbError(
            f"{len(train)} training and {len(tried)} development utterances are labelled; two each are needed."
        )
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
        for rows in torch.from_numpy(train)[torch.randperm(len(train))].split(batch_size):
            said = probe(*_batch(states, rows))
            loss = F.cross_entropy(said, y[rows]) if classes else concordance_loss(said, y[rows, None])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
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
    train_rows: np.ndarray,
    development_rows: np.ndarray,
    seeds: Sequence[int],
    normalise: str = "none",
    **settings,
) -> pd.DataFrame:
    """`learned_weights` for each target and seed: columns layer, target, seed, weight, score (of the probe, on development)."""
    rows = []
    for name, target in targets.items():
        for seed in seeds:
            weights, score = learned_weights(
                states, target, train_rows, development_rows, normalise, seed, **settings
            )
            rows += [(layer, name, seed, weight, score) for layer, weight in enumerate(weights)]
    return pd.DataFrame(rows, columns=["layer", "target", "seed", "weight", "score"])


def rated_by_layer(
    states: np.ndarray, utterances: pd.DataFrame, targets: Targets, folds: Sequence[Fold]
) -> pd.DataFrame:
    """Predictions of a ridge regression on each layer by itself, on each fold's test part; model is the layer's number.

    states: `(utterances, layers, width)`, averaged over time, in the table's order. Features are scaled, and the ridge's
    strength is chosen, on the training part (and the validation part, which nothing else needs).
    """
    tables = []
    for fold in folds:
        train, test = (
            utterances.index.get_indexer(one) for one in (fold.train.union(fold.validation), fold.test)
        )
        for layer in range(states.shape[1]):
            said = np.full((len(test), len(targets.dimensions)), np.nan)
            for column, values in enumerate(targets.values.T):
                rows = train[~np.isnan(values[train])]
                model = make_pipeline(StandardScaler(), RidgeCV(ALPHAS))
                said[:, column] = model.fit(states[rows, layer], values[rows]).predict(states[test, layer])
            tables.append(rated(said, fold.test, utterances, targets, fold.name, str(layer)))
    return pd.concat(tables)


def classified_by_layer(states: np.ndarray, utterances: pd.DataFrame, folds: Sequence[Fold]) -> pd.DataFrame:
    """As `rated_by_layer`, for emotions: a logistic regression on each layer, classes weighing the same."""
    tables = []
    emotion = utterances["emotion"].astype(str).to_numpy()
    for fold in folds:
        train, test = (
            utterances.index.get_indexer(one) for one in (fold.train.union(fold.validation), fold.test)
        )
        for layer in range(states.shape[1]):
            model = make_pipeline(
                StandardScaler(), LogisticRegression(C=0.1, class_weight="balanced", max_iter=500)
            )
            model.fit(states[train, layer], emotion[train])
            table = pd.DataFrame(model.predict_proba(states[test, layer]), fold.test, model.classes_)
            tables.append(predictions_of(table, utterances, fold.name, str(layer)))
    return pd.concat(tables)


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
    return float(recall_score(y, said.argmax(1), average="macro", zero_division=0))
