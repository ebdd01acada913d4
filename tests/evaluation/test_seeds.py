import numpy as np
import pandas as pd
import pytest
from scipy import stats

from sernb.core.errors import SernbError
from sernb.evaluation import seed_difference


def table(rights: dict) -> pd.DataFrame:
    """Ten utterances of two classes for each (model, seed), so many of them right."""
    parts = []
    for (model, seed), right in rights.items():
        truth = ["happy", "sad"] * 5
        said = [one if n < right else {"happy": "sad", "sad": "happy"}[one] for n, one in enumerate(truth)]
        parts.append(
            pd.DataFrame(
                {"model": model, "seed": seed, "emotion": truth, "predicted": said},
                pd.Index([f"u{n}" for n in range(10)], name="utterance"),
            )
        )
    return pd.concat(parts)


def test_it_is_the_t_interval_of_the_seeds_differences():
    own = table({("a", 0): 8, ("a", 1): 6, ("a", 2): 10, ("b", 0): 6, ("b", 1): 6, ("b", 2): 4})
    found = seed_difference(own, "a", "b", metric="WA")
    each = [0.2, 0.0, 0.6]
    low, high = stats.t.interval(0.95, 2, np.mean(each), stats.sem(each))
    assert found["difference"] == pytest.approx(np.mean(each)) and found["seeds"] == 3
    assert (found["low"], found["high"]) == pytest.approx((low, high))


def test_equal_differences_have_an_interval_of_no_width_and_one_seed_has_none():
    own = table({("a", 0): 8, ("a", 1): 8, ("b", 0): 6, ("b", 1): 6, ("c", 7): 6})
    same = seed_difference(own, "a", "b")
    assert same["low"] == same["high"] == pytest.approx(same["difference"]) == pytest.approx(0.2)
    against_one = seed_difference(own, "c", "a")
    assert against_one["difference"] == pytest.approx(-0.2) and against_one["seeds"] == 2
    alone = seed_difference(own[own["seed"].isin([0, 7])], "a", "c")
    assert np.isnan(alone["low"]) and alone["seeds"] == 1


def test_what_cannot_be_compared_is_named():
    own = table({("a", 0): 8, ("a", 1): 8, ("b", 2): 6, ("b", 3): 6})
    with pytest.raises(SernbError, match="share no seed"):
        seed_difference(own, "a", "b")
    with pytest.raises(SernbError, match="No predictions of model 'c'"):
        seed_difference(own, "a", "c")
    with pytest.raises(SernbError, match="Unknown metric 'UA'"):
        seed_difference(own, "a", "b", metric="UA")
    with pytest.raises(SernbError, match="column 'seed'"):
        seed_difference(own.drop(columns="seed"), "a", "b")
