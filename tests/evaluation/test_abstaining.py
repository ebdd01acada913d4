"""Accuracy of the answers by coverage, against numbers counted by hand, and its intervals against loops."""

import numpy as np
import pandas as pd
import pytest

from sernb.core.errors import SernbError
from sernb.evaluation.abstaining import abstaining, answered
from sernb.evaluation.intervals import interval


def table(sure, right, model="m", **columns):
    """Predictions of two classes: as sure as given, and right or not."""
    sure, right = np.array(sure, float), np.array(right, bool)
    rows = {
        "model": model,
        "emotion": np.where(right, "happy", "sad"),
        "predicted": "happy",
        "p_happy": sure,
        "p_sad": 1 - sure,
    }
    return pd.DataFrame(rows | columns, pd.Index([f"u{n}" for n in range(len(sure))], name="utterance"))


FIVE = table(
    [0.6, 0.95, 0.8, 0.9, 0.7], [0, 1, 0, 1, 1]
)  # in order of sureness: right right wrong right wrong


def test_counted_by_hand():
    found = answered(FIVE)
    np.testing.assert_allclose(found["coverage"], [0.2, 0.4, 0.6, 0.8, 1])
    np.testing.assert_allclose(found["accuracy"], [1, 1, 2 / 3, 3 / 4, 3 / 5])
    np.testing.assert_allclose(found["threshold"], [0.95, 0.9, 0.8, 0.7, 0.6])
    assert found["answered"].tolist() == [1, 2, 3, 4, 5]
    values = abstaining(FIVE, coverage=0.4, accuracy=0.75).set_index("metric")["value"]
    assert values["accuracy of all"] == pytest.approx(0.6) and values["accuracy of the surest"] == 1
    assert values["gain"] == pytest.approx(0.4) and values["coverage at accuracy"] == pytest.approx(0.8)


def test_who_is_equally_sure_is_answered_together():
    found = answered(table([0.9, 0.7, 0.7, 0.7], [1, 1, 0, 0]))
    assert found["answered"].tolist() == [1, 4] and found["accuracy"].tolist() == [1, 0.5]
    values = abstaining(table([0.9, 0.7, 0.7, 0.7], [1, 1, 0, 0])).set_index("metric")["value"]
    assert values["accuracy of the surest"] == 0.5  # half of four cannot be answered but with all


def test_no_threshold_may_be_good_enough():
    values = abstaining(table([0.9, 0.8], [0, 0])).set_index("metric")["value"]
    assert values["coverage at accuracy"] == 0


@pytest.mark.parametrize("unit", ["utterance", "speaker"])
def test_intervals_are_those_of_resampled_tables(unit):
    rng = np.random.default_rng(0)
    sure = rng.uniform(0.5, 1, 60).round(2)
    whole = table(sure, rng.random(60) < sure, speaker=[f"s{n % 12}" for n in range(60)])
    found = abstaining(whole, unit=unit, n=100).set_index("metric")
    names = whole.index if unit == "utterance" else whole["speaker"].unique()
    values = []
    for draw in np.random.default_rng(0).multinomial(len(names), np.full(len(names), 1 / len(names)), 100):
        times = pd.Series(draw, names).reindex(whole.index if unit == "utterance" else whole["speaker"])
        drawn = whole.loc[whole.index.repeat(times.to_numpy())]
        rows = answered(drawn.set_axis([f"u{n}" for n in range(len(drawn))]).rename_axis("utterance"))
        half = rows["accuracy"][rows["coverage"] >= 0.5].iloc[0]
        good = rows["coverage"][rows["accuracy"] >= 0.9].max()
        values.append((half - rows["accuracy"].iloc[-1], 0 if np.isnan(good) else good))
    for number, metric in enumerate(("gain", "coverage at accuracy")):
        ends = interval(np.array([one[number] for one in values]), 0.95, len(names))
        np.testing.assert_allclose(found.loc[metric, ["low", "high"]].astype(float), ends)
    assert (found["low"] <= found["value"]).all() and (found["value"] <= found["high"]).all()


def test_models_stand_beside_one_another_and_seeds_are_added_up():
    two = pd.concat([FIVE, table([0.9, 0.8], [0, 1], "other")])
    assert answered(two)["model"].tolist() == ["m"] * 5 + ["other"] * 2
    seeds = pd.concat([FIVE.assign(seed=0), FIVE.assign(seed=1)])
    assert answered(seeds)["answered"].tolist() == [2, 4, 6, 8, 10]
    one, both = (abstaining(rows).set_index("metric") for rows in (FIVE, seeds))
    pd.testing.assert_frame_equal(one, both)  # the unit stays the utterance


def test_one_utterance_has_no_interval():
    found = abstaining(table([0.9], [1]))
    assert found["low"].isna().all() and found["note"].iloc[0].startswith("no interval")


def test_what_cannot_be_measured():
    with pytest.raises(SernbError, match="nobody knows how sure"):
        answered(FIVE.drop(columns=["p_happy", "p_sad"]))
    with pytest.raises(SernbError, match="coverage is 0"):
        abstaining(FIVE, coverage=0)
    with pytest.raises(SernbError, match="accuracy is 90"):
        abstaining(FIVE, accuracy=90)
    with pytest.raises(SernbError, match="speaker"):
        abstaining(FIVE, unit="speaker")
