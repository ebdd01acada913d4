"""Predictions of two made-up models on some utterances of the embedded corpus, with their sound and words."""

import numpy as np
import pandas as pd

from sernb import corpora

CLASSES = ["neutral", "happy", "sad", "angry"]


def utterances(count: int = 120) -> pd.DataFrame:
    every = corpora.load("embedded")
    return every.iloc[np.linspace(0, len(every) - 1, count).astype(int)]


def predictions(table: pd.DataFrame) -> pd.DataFrame:
    """Model "voice" is right more often than "words"; both rate the dimensions, and name their folds."""
    parts = []
    for number, (name, right) in enumerate({"voice": 0.7, "words": 0.5}.items()):
        rng = np.random.default_rng(number)
        truth = table["emotion"].astype(str).to_numpy()
        said = np.where(rng.random(len(table)) < right, truth, rng.choice(CLASSES, len(table)))
        chances = rng.dirichlet(np.ones(4) * 0.8, len(table))
        chances[np.arange(len(table)), [CLASSES.index(one) for one in said]] += 1.0
        chances = pd.DataFrame(chances / 2, table.index, [f"p_{one}" for one in CLASSES])
        part = pd.DataFrame(
            {"model": name, "fold": table["session"], "emotion": truth, "predicted": said}, table.index
        )
        for dim in ("arousal", "valence", "dominance"):
            part[dim] = table[dim]
            part[f"{dim}_predicted"] = (table[dim] + rng.normal(0, 0.6, len(table))).clip(1, 5)
        parts.append(part.join(chances))
    return pd.concat(parts)
