"""Which layers of a frozen speech encoder tell arousal, valence, dominance, or classes: two ways to ask.

Learned weights, as in Figure 2 of D. de Oliveira, N. Raj Prabhu, T. Gerkmann, "Leveraging Semantic
Information for Efficient Self-Supervised Emotion Recognition with Audio-Textual Distilled Models",
Interspeech 2023, 4.2; and a linear probe on each layer, which does not depend on how large its numbers are.
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
from sernb.core.ragged import Ragged, rows_of
from sernb.core.ratings import Targets, rated
from sernb.core.tables import predictions_of
from sernb.losses import concordance, concordance_loss
from sernb.models.layer_probe import LayerProbe
from sernb.protocols import Fold
from sernb.studies.training import side_by_side

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

    A plain loop: the states lie in memory, and a Trainer would take longer to begin than this does to end.

    Args:
        states: `(utterances, layers, width)`, averaged over time (`sernb.features.speech.layer_states`), or
            with it (`frame_states`): then the head pools average and maximum, as the paper's, far slower.
        target: A dimension in [0, 1] `(utterances,)`, NaN where unknown (1 - CCC), or class numbers as
            integers, negative where unknown (cross-entropy, UAR).
        development_rows: The best epoch on them counts; `patience` epochs without a better one end it.
        normalise: "none", "layer": see `LayerProbe`; "feature": each feature of each layer gets mean 0 and
            variance 1 over the training rows (no time axis then).
        weights_rate: Of the layers' weights, higher than the head's: they begin equal, and training is short.

    Raises:
        SernbError: For a part with fewer than two different labels, and states or a loss that are not finite.
    """
    target = _Classes(target) if np.issubdtype(np.asarray(target).dtype, np.integer) else _Dimension(target)
    train, development = _labelled(target, train_rows, development_rows)
    if not np.isfinite(states.values if isinstance(states, Ragged) else states).all():
        raise SernbError("the states hold NaN or infinity: a damaged encoder, or too large for float16.")
    if batch_size < 2:
        raise SernbError(f"batch_size is {batch_size}; it must be at least 2, or a batch has no concordance.")
    if normalise == "feature":
        states, normalise = _standardised(states, train), "none"

    # The probe, whose weights learn at a rate of their own
    torch.manual_seed(seed)
    layers, width = (states.values if isinstance(states, Ragged) else states).shape[-2:]
    probe = LayerProbe(layers, width, target.outputs, normalise)
    groups = [{"params": [probe.layer_logits], "lr": weights_rate}, {"params": probe.head.parameters()}]
    optimizer = torch.optim.Adam(groups, learning_rate)

    best, weights, since = -np.inf, None, 0
    for _ in range(epochs):
        probe.train()
        batches = torch.from_numpy(train)[torch.randperm(len(train))].split(batch_size)
        for rows in batches[:-1] if len(batches[-1]) < target.least else batches:
            loss = target.loss(probe(*_batch(states, rows)), rows)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        if not loss.isfinite():
            rates = f"learning_rate (it was {learning_rate:g}) or weights_rate ({weights_rate:g})"
            raise SernbError(f"the loss became {loss.item()}: lower {rates}.")

        # The best epoch's weights count
        score, since = _score(probe, states, target, development), since + 1
        if score > best:
            best, weights, since = score, probe.layer_weights.detach().numpy().copy(), 0
        if since >= patience:
            break
    return weights, best


class _Dimension:
    outputs, least, word = 1, 2, "rating"  # one point has no concordance

    def __init__(self, values):
        self.values, self.known = torch.from_numpy(np.asarray(values, np.float32)), ~np.isnan(values)

    def loss(self, answers, rows):
        return concordance_loss(answers, self.values[rows, None])

    def score(self, answers, rows):
        return float(concordance(answers, self.values[rows, None]))


class _Classes:
    least, word = 1, "class"

    def __init__(self, numbers):
        self.values, self.known = torch.from_numpy(np.asarray(numbers, np.int64)), np.asarray(numbers) >= 0
        self.outputs = int(self.values.max()) + 1

    def loss(self, answers, rows):
        return F.cross_entropy(answers, self.values[rows])

    def score(self, answers, rows):
        truth = self.values[rows]
        there = {"average": "macro", "zero_division": 0, "labels": np.unique(truth)}
        return float(recall_score(truth, answers.argmax(1), **there))


def weights_table(
    states: np.ndarray | Ragged,
    targets: dict[str, np.ndarray],
    splits: Sequence[tuple[np.ndarray, np.ndarray]],
    seeds: Sequence[int],
    normalise: str = "none",
    progress: bool = True,
    **settings,
) -> pd.DataFrame:
    """`learned_weights` for each target and seed: layer, target, seed, weight, score (of development).

    splits: (training rows, development rows); each seed takes the next one, round and round, so that the
    spread between seeds holds the luck of the split too.
    """
    splits = [splits[number % len(splits)] for number in range(len(seeds))]
    names = [(name, seed, split) for name in targets for seed, split in zip(seeds, splits, strict=True)]
    task = delayed(learned_weights)
    runs = (task(states, targets[name], *split, normalise, seed, **settings) for name, seed, split in names)
    done = side_by_side(runs, "heads", len(names), "training", progress)
    tables = [
        pd.DataFrame({"target": name, "seed": seed, "weight": weights, "score": score})
        for (name, seed, _), (weights, score) in zip(names, done, strict=True)
    ]
    return pd.concat(tables).rename_axis("layer").reset_index()


def rated_by_layer(
    states: np.ndarray, utterances: pd.DataFrame, targets: Targets, folds: Sequence[Fold]
) -> pd.DataFrame:
    """Predictions of a ridge regression on each layer, on each fold's test part; model is the layer's number.

    states: `(utterances, layers, width)`, averaged over time, in the table's order. Scaling and the ridge's
    strength come from training and validation. Raises SernbError for utterances that are not in the table,
    states of another number, and a dimension without training ratings.
    """
    _check_rows(states, utterances)
    tables = []
    for fold in folds:
        train = rows_of(utterances.index, fold.train.union(fold.validation))
        test = rows_of(utterances.index, fold.test)
        for layer in range(states.shape[1]):
            ratings = np.full((len(test), len(targets.dimensions)), np.nan)
            for column, (name, values) in enumerate(zip(targets.dimensions, targets.values.T, strict=True)):
                rows = train[~np.isnan(values[train])]
                if len(rows) < 2:
                    why = f"{len(rows)} training utterances have a {name}; expected two or more"
                    raise SernbError(f"fold {fold.name!r}: {why}. Leave it out, or take larger folds.")
                head = make_pipeline(StandardScaler(), RidgeCV(ALPHAS))
                ratings[:, column] = head.fit(states[rows, layer], values[rows]).predict(states[test, layer])
            tables.append(rated(ratings, fold.test, utterances, targets, fold.name, str(layer)))
    return pd.concat(tables)


def classified_by_layer(states: np.ndarray, utterances: pd.DataFrame, folds: Sequence[Fold]) -> pd.DataFrame:
    """As `rated_by_layer`, for emotions: a logistic regression on each layer, classes weighing the same.

    Utterances without a label are left out of training and test.
    """
    _check_rows(states, utterances)
    emotion = utterances["emotion"].astype(str).to_numpy()
    labelled = utterances.index[utterances["emotion"].notna()]
    tables = []
    for fold in folds:
        rows_of(utterances.index, fold.train.append([fold.validation, fold.test]))  # all of them are here
        tested = labelled.intersection(fold.test, sort=False)
        train = utterances.index.get_indexer(labelled.intersection(fold.train.union(fold.validation)))
        test = utterances.index.get_indexer(tested)
        for layer in range(states.shape[1]):
            head = LogisticRegression(C=0.1, class_weight="balanced", max_iter=500)
            model = make_pipeline(StandardScaler(), head).fit(states[train, layer], emotion[train])
            table = pd.DataFrame(model.predict_proba(states[test, layer]), tested, model.classes_)
            tables.append(predictions_of(table, utterances, fold.name, str(layer)))
    return pd.concat(tables)


def _labelled(target, train_rows, development_rows):
    parts = map(np.asarray, (train_rows, development_rows))
    train, development = (rows[target.known[rows]] for rows in parts)
    if len(train) < 2 or len(development) < 2:
        counts = f"{len(train)} training and {len(development)} development utterances"
        raise SernbError(f"{counts} are labelled; two each are needed.")
    for part, rows in (("training", train), ("development", development)):
        if len(np.unique(target.values[rows])) < 2:
            what = f"all {len(rows)} labelled utterances of the {part} part have the same {target.word}"
            raise SernbError(f"{what}; expected two or more that differ. Take more utterances into it.")
    return train, development


def _check_rows(states, utterances):
    if len(states) != len(utterances):
        raise SernbError(
            f"{len(states)} states for {len(utterances)} utterances; one each, in order, is due."
        )


def _standardised(states, train):
    if isinstance(states, Ragged):
        raise SernbError('normalise="feature" takes states averaged over time (speech.layer_states).')
    mean, spread = states[train].mean(0), states[train].std(0)
    return ((states - mean) / np.where(spread > 0, spread, 1)).astype(np.float32)


def _batch(states, rows):
    rows = np.asarray(rows)
    if not isinstance(states, Ragged):
        return (torch.from_numpy(states[rows]),)
    x, mask = states.padded(rows)  # (batch, frames, layers, width)
    return x.transpose(1, 2), mask


@torch.inference_mode()
def _score(probe, states, target, rows):
    probe.eval()
    parts = np.split(rows, range(PREDICT_BATCH, len(rows), PREDICT_BATCH))
    return target.score(torch.cat([probe(*_batch(states, part)) for part in parts]), rows)
