"""Small predictions whose numbers can be counted by hand, and realistic ones of the embedded corpus."""

import pandas as pd
import pytest

from sernb import corpora, protocols
from sernb.evaluation.baselines import baseline
from sernb.explorer.state import read, state_of


def make_state(predictions, utterances=None, **options):
    """The state of two tables."""
    return state_of(read(predictions, utterances), **options)


@pytest.fixture
def small():
    """Six clips, two models: a is right in u1, u2, u4; b in u1, u3, u4, u5; u6 has no speaker, no length."""
    truth = ["happy", "happy", "sad", "sad", "happy", "sad"]
    rows = {
        "a": ["happy", "happy", "happy", "sad", "sad", "happy"],
        "b": ["happy", "sad", "sad", "sad", "happy", "happy"],
    }
    sure = {"a": [0.9, 0.6, 0.8, 0.7, 0.55, 0.95], "b": [0.6, 0.7, 0.8, 0.9, 0.65, 0.75]}
    tables = []
    for model, said in rows.items():
        p = [
            (one, 1 - one) if label == "happy" else (1 - one, one)
            for one, label in zip(sure[model], said, strict=True)
        ]
        table = pd.DataFrame(
            {"emotion": truth, "predicted": said, "model": model, "fold": ["1", "1", "1", "2", "2", "2"]}
        )
        tables.append(table.assign(p_happy=[one for one, _ in p], p_sad=[one for _, one in p]))
    ids = [f"u{i}" for i in range(1, 7)]
    predictions = pd.concat([table.set_index(pd.Index(ids, name="utterance")) for table in tables])
    utterances = pd.DataFrame(
        {
            "text": ["Good MORNING", "ok", "go away", "no", "fine", None],
            "speaker": ["x", "y", "x", "y", "x", None],
            "seconds": [1.0, 3.0, 2.0, 2.5, 0.5, None],
        },
        index=pd.Index(ids, name="utterance"),
    )
    return predictions, utterances


@pytest.fixture
def small_state(small):
    return make_state(*small)


@pytest.fixture
def dimensions():
    """Four clips with arousal and valence; the residuals of arousal are +0.5, −1, 0.25 and unknown."""
    predictions = pd.DataFrame(
        {
            "arousal": [2.0, 3.0, 4.0, None],
            "arousal_predicted": [2.5, 2.0, 4.25, 3.0],
            "valence": [1.0, 5.0, 3.0, 2.0],
            "valence_predicted": [1.5, 4.5, 3.0, 2.0],
            "model": "a",
        },
        index=pd.Index(["u1", "u2", "u3", "u4"], name="utterance"),
    )
    return predictions


@pytest.fixture(scope="session")
def embedded():
    """The embedded corpus and a bag of words' predictions of it, out of sample."""
    utterances = corpora.load("embedded")
    return baseline(utterances, protocols.by_name("auto", utterances), kind="text"), utterances
