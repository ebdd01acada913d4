import numpy as np
import pandas as pd
import pytest

from sernb.evaluation import paired_bootstrap, seed_difference
from sernb.notebook import compare, comparisons, t_interval


def predictions(seeds=2):
    rng, parts = np.random.default_rng(0), []
    index = pd.Index([f"u{number}" for number in range(40)], name="utterance")
    truth = np.tile(["happy", "sad"], 20)
    for model, right in (("a", 0.9), ("b", 0.6)):
        for seed in range(seeds):
            other = np.where(truth == "sad", "happy", "sad")
            said = np.where(rng.random(40) < right, truth, other)
            parts.append(
                pd.DataFrame({"emotion": truth, "predicted": said, "model": model, "seed": seed}, index)
            )
    return pd.concat(parts)


def test_both_intervals_of_a_difference():
    table = predictions()
    row = compare(table, "a", "b")
    paired, over = paired_bootstrap(table, "a", "b"), seed_difference(table, "a", "b")
    assert row[["difference", "low", "high", "unit"]].equals(paired[["difference", "low", "high", "unit"]])
    assert (row["seeds low"], row["seeds high"]) == (over["low"], over["high"])


def test_comparisons_in_words():
    table = predictions()
    words = comparisons([compare(table, "a", "b"), compare(table, "b", "a", "WA")])
    assert list(words) == [
        "a",
        "b",
        "metric",
        "of a",
        "of b",
        "a − b",
        "other utterances",
        "other seeds",
        "p",
    ]
    assert words["a − b"][0].startswith("+0.") and words["a − b"][1].startswith("−0.")
    assert words["other utterances"][0].startswith("[+0.")


@pytest.mark.parametrize("table", [predictions(1), predictions(1).drop(columns="seed")])
def test_one_seed_has_no_interval_over_seeds(table):
    row = compare(table, "a", "b")
    assert np.isnan(row["seeds low"]) and "other seeds" not in comparisons([row])


def test_a_t_interval():
    mean, low, high = t_interval([0.03, -0.01, 0.02, 0.04, -0.01])
    np.testing.assert_allclose([mean, low, high], [0.014, -0.0146, 0.0426], atol=1e-4)
    assert t_interval([0.5])[0] == 0.5 and np.isnan(t_interval([0.5])[1:]).all()
