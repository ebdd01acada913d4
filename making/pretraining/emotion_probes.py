"""What each layer of a frozen speech encoder says of the feelings in the embedded corpus: linear probes by
session."""

import numpy as np
import pandas as pd
from sklearn.linear_model import RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from transformers import HubertModel

from making.pretraining.speech_probes import PENALTIES, heard, states
from making.pretraining.spoken import Speech, frames_of
from sernb.core.ragged import Ragged
from sernb.corpora import load
from sernb.evaluation import bootstrap, paired_bootstrap
from sernb.evaluation.baselines import baseline
from sernb.features.audio import read_utterances
from sernb.protocols import leave_one_session_out

DIMENSIONS = ("valence", "arousal")
METRICS = ("UAR", *(f"CCC_{name}" for name in DIMENSIONS))


def emotions(
    trained: HubertModel, random: list[HubertModel], utterances: pd.DataFrame | None = None
) -> pd.DataFrame:
    """A row a metric and layer: score of the trained encoder, mean score of the untrained ones, each with its
    95 % interval (bootstrap by utterance), and the interval of their paired difference.

    An utterance is the mean and standard deviation of its frames; the probe is the baselines' logistic
    regression for classes and a ridge regression for dimensions, fitted on all sessions but one. utterances:
    the embedded corpus where None.
    """
    utterances = load("embedded") if utterances is None else utterances
    utterances, sounds = read_utterances(utterances)
    spoken = as_speech(utterances, sounds)
    folds = leave_one_session_out(utterances)
    names = [("trained", 0, trained), *(("random", seed, model) for seed, model in enumerate(random))]
    tables = {}
    for name, seed, model in names:
        _, pooled = heard(spoken, states(model), 1)
        for layer, one in enumerate(pooled):
            table = pd.DataFrame(one, utterances.index).add_prefix("state_")
            both = (baseline(utterances, folds, "audio", table), dimensions(utterances, folds, table))
            for kind, made in zip(("classes", "dimensions"), both, strict=True):
                tables.setdefault((kind, layer), []).append(made.assign(model=name, seed=seed))
    rows = []
    for metric in METRICS:
        for layer in range(len(pooled)):
            table = pd.concat(tables["classes" if metric == "UAR" else "dimensions", layer])
            each = bootstrap(table, metric).set_index("model")
            pair = paired_bootstrap(table, "trained", "random", metric)
            row = {"task": metric, "layer": layer}
            for name in ("trained", "random"):
                row |= {name: each.at[name, "value"]}
                row |= {f"{name}_{end}": each.at[name, end] for end in ("low", "high")}
            rows.append(
                row | {"gain": pair["difference"], "gain_low": pair["low"], "gain_high": pair["high"]}
            )
    return pd.DataFrame(rows)


def dimensions(utterances: pd.DataFrame, folds, features: pd.DataFrame) -> pd.DataFrame:
    """Predictions of valence and arousal by ridge regression, a row an utterance of the test parts."""
    tables = []
    for fold in folds:
        targets = utterances.loc[fold.train, list(DIMENSIONS)]
        model = make_pipeline(StandardScaler(), RidgeCV(PENALTIES)).fit(features.loc[fold.train], targets)
        found = pd.DataFrame(
            model.predict(features.loc[fold.test]), fold.test, [f"{one}_predicted" for one in DIMENSIONS]
        )
        known = utterances.loc[fold.test, ["speaker", *DIMENSIONS]]
        tables.append(known.join(found).assign(fold=fold.name, part="test"))
    return pd.concat(tables).rename_axis("utterance")


def as_speech(utterances: pd.DataFrame, sounds: list[np.ndarray]) -> Speech:
    """Recordings in the form that the probes read; their phones are not known."""
    samples = [len(one) for one in sounds]
    return Speech(
        utterances.assign(samples=samples),
        Ragged.of([np.rint(one.clip(-1, 1) * 32767) for one in sounds], np.int16),
        Ragged.of([np.zeros(frames_of(one), np.uint8) for one in samples]),
        ["_"],
    )
