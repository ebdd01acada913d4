"""A contrast of scores: equal to the paired bootstrap where it is one, and right where it is more."""

import numpy as np
import pandas as pd
import pytest

from sernb.core.errors import SernbError
from sernb.evaluation import contrast, paired_bootstrap, scores


def rated(count=120, seeds=(0, 1), models=("a", "b"), noise=(0.3, 0.6)):
    """Predictions of arousal and valence with noise of different size in two models."""
    rng = np.random.default_rng(0)
    truth = rng.normal(3, 1, (count, 2))
    index = pd.Index([f"u{i}" for i in range(count)], name="utterance")
    tables = []
    for model, size in zip(models, noise, strict=True):
        for seed in seeds:
            said = truth + rng.normal(0, size, truth.shape) * [1, 2]
            tables.append(
                pd.DataFrame(
                    {"fold": "f", "model": model, "seed": seed, "speaker": [f"s{i % 12}" for i in range(count)],
                     "arousal": truth[:, 0], "arousal_predicted": said[:, 0],
                     "valence": truth[:, 1], "valence_predicted": said[:, 1]},
                    index,
                )
            )  # fmt: skip
    return pd.concat(tables)


@pytest.mark.parametrize("unit", ["utterance", "speaker"])
def test_a_difference_of_two_is_the_paired_bootstrap(unit):
    table = rated()
    found = contrast(table, [("a", "CCC_arousal"), ("b", "CCC_arousal")], lambda a, b: a - b, unit)
    expected = paired_bootstrap(table, "a", "b", "CCC_arousal", unit)
    assert found["value"] == pytest.approx(expected["difference"])
    assert found[["low", "high", "p"]].tolist() == pytest.approx(expected[["low", "high", "p"]].tolist())
    assert (found["unit"], found["units"]) == (unit, expected["units"])


def test_a_difference_of_differences():
    table = rated()
    terms = [(model, f"CCC_{one}") for one in ("arousal", "valence") for model in ("a", "b")]
    found = contrast(table, terms, lambda a, b, c, d: (a - b) - (c - d), n=500)
    of = scores(table)
    gains = of.loc["a"] - of.loc["b"]
    assert found["value"] == pytest.approx(gains["CCC_arousal"] - gains["CCC_valence"])
    assert (
        found["low"] < found["value"] < found["high"] < 0
    )  # valence has twice the noise, so a gains more there


def test_drawing_the_same_utterances_for_both_makes_equal_gains_exactly_zero():
    table = rated()
    twice = pd.concat([table, table.assign(model=table["model"] + "2")])
    terms = [(model, "CCC_valence") for model in ("a", "b", "a2", "b2")]
    found = contrast(twice, terms, lambda a, b, c, d: a / b - c / d, n=200)
    assert (found["value"], found["low"], found["high"], found["p"]) == (0, 0, 0, 1)


def test_classes_too():
    index = pd.Index([f"u{i}" for i in range(40)], name="utterance")
    truth = ["sad", "angry"] * 20
    said = {"a": truth, "b": ["sad"] * 40}
    table = pd.concat(
        pd.DataFrame({"fold": "f", "model": name, "emotion": truth, "predicted": one}, index)
        for name, one in said.items()
    )
    found = contrast(table, [("a", "UAR"), ("b", "UAR")], lambda a, b: (a - b) / b, n=100)
    assert found["value"] == 1


def test_missing_ratings_are_left_out_of_all_terms():
    table = rated(seeds=(0,))
    table.loc["u0", "valence"] = np.nan
    terms = [("a", "CCC_valence"), ("a", "CCC_arousal")]
    found = contrast(table, terms, lambda a, b: b - a, n=50)
    of = scores(table.drop(index="u0")).loc["a"]
    assert found["units"] == 119 and found["value"] == pytest.approx(of["CCC_arousal"] - of["CCC_valence"])


def test_bad_terms_are_named():
    table = rated()
    with pytest.raises(SernbError, match="of classes and of dimensions"):
        contrast(table, [("a", "CCC_valence"), ("a", "UAR")], lambda a, b: a - b)
    with pytest.raises(SernbError, match="No predictions of model 'c'"):
        contrast(table, [("a", "CCC_valence"), ("c", "CCC_valence")], lambda a, b: a - b)
    with pytest.raises(SernbError, match="the same utterances"):
        contrast(table[(table["model"] == "a") | (table.index != "u1")],
                 [("a", "CCC_valence"), ("b", "CCC_valence")], lambda a, b: a - b)  # fmt: skip
