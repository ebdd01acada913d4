"""Tables, and the texts of a figure."""

import matplotlib
import numpy as np
import pandas as pd

from sernb.features.spectrogram import SpectrogramConfig

FRONT_END = SpectrogramConfig()
CLASSES = ["neutral", "happy", "sad", "angry"]


def predictions(model="cnn", n=160, accuracy=0.7, seed=0, classes=CLASSES):
    rng = np.random.default_rng(seed)
    truth = rng.choice(classes, n)
    said = np.where(rng.random(n) < accuracy, truth, rng.choice(classes, n))
    index = pd.Index([f"u{i}" for i in range(n)], name="utterance")
    speaker = [f"s{i % 5}" for i in range(n)]
    return pd.DataFrame(
        {"fold": speaker, "model": model, "speaker": speaker, "emotion": truth, "predicted": said}, index
    )


def utterances(n=60, seed=0):
    rng = np.random.default_rng(seed)
    index = pd.Index([f"u{i}" for i in range(n)], name="utterance")
    table = pd.DataFrame({"emotion": rng.choice(["sad", "angry", "happy"], n)}, index)
    table["speaker"] = [f"s{i % 4}" for i in range(n)]
    table["text"] = [f"line {i}" for i in range(n)]
    for dimension in ("arousal", "valence", "dominance"):
        table[dimension] = rng.integers(4, 21, n) / 4
    table.attrs["scale"] = (1, 5)
    return table


def texts(figure):
    return [t.get_text() for t in figure.findobj(matplotlib.text.Text) if t.get_text()]


def maps(classes=CLASSES):
    rng = np.random.default_rng(0)
    top_down = {c: rng.normal(size=(50, 25)) for c in classes}
    bottom_up = rng.random((50, 25)) / 1250
    return {
        "bottom-up": bottom_up,
        "top-down": top_down,
        "product": {c: m * bottom_up for c, m in top_down.items()},
    }
