"""The CCC against Lin's formula written out, and everything that is made of it: scores, intervals,
comparisons."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from sernb.core.errors import SernbError
from sernb.evaluation import bootstrap, mcnemar, paired_bootstrap, scores, seed_difference
from sernb.evaluation.concordance import concordance, concordance_of, sums

DIMENSIONS = ("arousal", "valence", "dominance")


def lin(x, y):
    """Lin 1989 by way of Pearson's r, as FACTS and the paper (equation 3) write it."""
    r = np.corrcoef(x, y)[0, 1]
    return 2 * r * np.std(x) * np.std(y) / (np.var(x) + np.var(y) + (np.mean(x) - np.mean(y)) ** 2)


def table(n=120, model="a", speakers=12, noise=0.5, seed=0, missing=0, **columns):
    truths, rng = np.random.default_rng(1), np.random.default_rng([seed, *model.encode()])
    rows = pd.DataFrame(
        {"fold": "1", "model": model}, pd.Index([f"u{i}" for i in range(n)], name="utterance")
    )
    rows["speaker"] = [f"s{i % speakers}" for i in range(n)]
    for dimension in DIMENSIONS:
        rows[dimension] = truths.normal(3, 1, n)
        rows[f"{dimension}_predicted"] = 2 + 0.4 * rows[dimension] + rng.normal(0, noise, n)
    rows.iloc[:missing, rows.columns.get_loc("valence")] = np.nan
    return rows.assign(**columns)


def test_by_hand():
    # means 2 and 3, variances 2/3 and 8/3, covariance 4/3: 2 · 4/3 / (2/3 + 8/3 + 1)
    assert concordance([1, 2, 3], [1, 3, 5]) == pytest.approx(8 / 13)
    assert concordance([1, 2, 3], [3, 2, 1]) == pytest.approx(-1)
    assert concordance([1, 2, 3, 4], [1, 2, 3, 4]) == pytest.approx(1)
    assert concordance([1, 2, 3], [11, 12, 13]) == pytest.approx(4 / 3 / (4 / 3 + 100))


@pytest.mark.parametrize(("shift", "scale"), [(0, 1), (1e6, 1), (1e6, 1e-3), (-5, 1e4), (3, 1e-6)])
def test_it_is_lins_formula_wherever_the_values_lie(shift, scale):
    rng = np.random.default_rng(0)
    x = rng.normal(size=500)
    y = 0.5 * x + rng.normal(size=500) + 0.3
    assert concordance(shift + scale * x, shift + scale * y) == pytest.approx(lin(x, y), rel=1e-6)
    assert concordance(shift + scale * y, shift + scale * x) == pytest.approx(lin(x, y), rel=1e-6)


@pytest.mark.parametrize("value", [0.0, 0.1, 3.0, 1e6 / 7])
def test_constants(value):
    same, varied = np.full(7, value), value + np.arange(7)
    assert np.isnan(concordance(same, same))
    assert concordance(same, same + 1) == 0
    assert concordance(same, varied) == 0 and concordance(varied, same) == 0
    assert concordance(varied, same + 100) == 0


def test_one_item_none_and_missing_truths():
    assert np.isnan(concordance([1.0], [1.0])) and np.isnan(concordance([1.0], [2.0]))
    assert np.isnan(concordance([], [])) and np.isnan(concordance([np.nan] * 3, [1, 2, 3]))
    x, y = np.array([1.0, np.nan, 2, 4]), np.array([1.0, 99, 3, 3])
    assert concordance(x, y) == pytest.approx(lin([1, 2, 4], [1, 3, 3]))
    for wrong in (([1, 2], [1]), ([[1.0]], [[1.0]]), ([1, 2], [1, np.nan]), ([1, np.inf], [1, 2])):
        with pytest.raises(SernbError, match="concordance needs"):
            concordance(*wrong)


def test_sums_of_parts_give_the_whole():
    x, y = np.random.default_rng(2).normal(size=(2, 60))
    assert concordance_of(sums(x, y).reshape(6, 10, 6).sum(1).sum(0)) == pytest.approx(lin(x, y))


def test_scores_have_a_column_a_dimension_and_their_mean():
    rows = table(missing=40)
    found = scores(rows)
    assert list(found.columns) == ["CCC_arousal", "CCC_valence", "CCC_dominance", "CCC", "n"]
    known = rows.iloc[40:]
    assert found.loc["a", "CCC_valence"] == pytest.approx(lin(known["valence"], known["valence_predicted"]))
    assert found.loc["a", "CCC_arousal"] == pytest.approx(lin(rows["arousal"], rows["arousal_predicted"]))
    assert found.loc["a", "CCC"] == pytest.approx(found.loc["a"].iloc[:3].mean())
    one = scores(rows[["model", "valence", "valence_predicted"]])
    assert (
        list(one.columns) == ["CCC_valence", "CCC", "n"]
        and one.loc["a", "CCC"] == one.loc["a", "CCC_valence"]
    )


def test_folds_are_pooled_and_seeds_are_not():
    rows = pd.concat([table(seed=one).assign(seed=one) for one in (0, 1)])
    rows["fold"] = np.tile(["1", "2"], 120)
    each = scores(rows, by=("model", "seed"))["CCC_valence"]
    one = rows[rows["seed"] == 0]
    assert each.loc[("a", 0)] == pytest.approx(lin(one["valence"], one["valence_predicted"]))
    assert scores(rows).loc["a", "CCC_valence"] == pytest.approx(each.mean())
    assert bootstrap(rows, "CCC_valence", n=50).loc[0, "value"] == pytest.approx(each.mean())


def test_classes_and_dimensions_in_one_table():
    classes = {"emotion": ["sad", "angry"] * 60, "predicted": ["sad"] * 120}
    both, alone = table(**classes), table()
    found = scores(both)
    assert found.loc["a", "UAR"] == 0.5 and found.loc["a", "CCC"] == scores(alone).loc["a", "CCC"]
    rows = bootstrap(both, ["UAR", "CCC_valence", "WA"], n=200).set_index("metric")
    assert rows.loc["UAR", "value"] == 0.5
    assert rows.loc["CCC_valence", "low"] == bootstrap(alone, "CCC_valence", n=200).loc[0, "low"]
    assert rows.loc["WA", "high"] == bootstrap(both, "WA", n=200).loc[0, "high"]


@pytest.mark.parametrize(("unit", "metric"), [("utterance", "CCC_valence"), ("speaker", "CCC")])
def test_the_interval_is_that_of_a_plain_loop(unit, metric):
    rows = table(speakers=40)
    units = [part for _, part in rows.groupby(rows.index if unit == "utterance" else "speaker", sort=False)]
    rng, drawn = np.random.default_rng(3), []
    names = DIMENSIONS if metric == "CCC" else ("valence",)
    columns = [[part[[d, f"{d}_predicted"]].to_numpy() for part in units] for d in names]
    for _ in range(3000):
        chosen = rng.integers(0, len(units), len(units))
        drawn.append(np.mean([lin(*np.concatenate([one[i] for i in chosen]).T) for one in columns]))
    tail = stats.norm.cdf(stats.t.ppf(0.025, len(units) - 1) * np.sqrt(len(units) / (len(units) - 1)))
    low, high = np.quantile(drawn, [tail, 1 - tail])
    row = bootstrap(rows, metric, unit=unit, n=6000).iloc[0]
    width = high - low
    assert (row["low"], row["high"]) == pytest.approx((low, high), abs=0.08 * width)
    assert row["value"] == pytest.approx(scores(rows).loc["a", metric]) and row["units"] == len(units)


def test_units_are_those_with_a_true_value_and_a_seed_adds_none():
    rows = pd.concat([table(missing=30).assign(seed=one) for one in range(3)])
    found = bootstrap(rows, ["CCC_valence", "CCC_arousal", "CCC"], n=20).set_index("metric")
    assert found["units"].to_dict() == {"CCC_valence": 90, "CCC_arousal": 120, "CCC": 120}
    gone = rows.assign(valence=np.nan)
    with pytest.raises(SernbError, match="every valence is missing"):
        bootstrap(gone, "CCC_valence")
    assert scores(gone).loc["a", "CCC"] == pytest.approx(
        bootstrap(gone, "CCC", n=5).loc[0, "value"]
    )  # of the other two


def test_constant_predictions_and_a_single_utterance():
    flat = table(valence_predicted=3.0)
    row = bootstrap(flat, "CCC_valence", n=100).iloc[0]
    assert (row["value"], row["low"], row["high"]) == (0, 0, 0)
    nothing = bootstrap(table(valence_predicted=3.0, valence=3.0), "CCC_valence", n=100).iloc[0]
    assert nothing[["value", "low", "high"]].isna().all()
    alone = bootstrap(table(n=1), "CCC", n=100).iloc[0]
    assert alone[["value", "low", "high"]].isna().all() and alone["units"] == 1


def test_two_models_are_drawn_together():
    same = pd.concat([table(), table().assign(model="b")])
    none = paired_bootstrap(same, "a", "b", "CCC_valence", n=300)
    assert none[["difference", "low", "high", "p"]].tolist() == [0, 0, 0, 1]
    apart = pd.concat([table(noise=0.2), table(model="b", noise=1.5)])
    found = paired_bootstrap(apart, "a", "b", "CCC", unit="speaker")
    value = scores(apart)["CCC"]
    assert found["difference"] == pytest.approx(value["a"] - value["b"]) and found["p"] < 0.01
    assert found["low"] < found["difference"] < found["high"] and found["units"] == 12


def test_a_relative_gain_is_a_share_of_the_second():
    apart = pd.concat([table(noise=0.2), table(model="b", noise=1.5)])
    plain, share = (
        paired_bootstrap(apart, "a", "b", "CCC_valence", n=500, relative=one) for one in (False, True)
    )
    value = scores(apart)["CCC_valence"]
    assert share["difference"] == pytest.approx(value["a"] / value["b"] - 1)
    assert share["low"] < share["difference"] < share["high"] and share["low"] > 0
    assert share["p"] == plain["p"] and share["low"] != plain["low"]
    nothing = pd.concat([table(), table(model="b", noise=8)])
    found = paired_bootstrap(nothing, "a", "b", "CCC_valence", n=500, relative=True)
    assert np.isnan(found["low"]) and found["note"] == "no interval: b may well be 0"
    against = pd.concat([table(), table(model="b", valence_predicted=-table()["valence_predicted"])])
    assert np.isnan(paired_bootstrap(against, "a", "b", "CCC_valence", n=50, relative=True)["difference"])


def test_seeds_and_missing_truths_do_not_disturb_a_pair():
    parts = [table(model=m, seed=s, missing=20).assign(seed=s) for m in "ab" for s in (0, 1)]
    rows = pd.concat(parts)
    found = paired_bootstrap(rows, "a", "b", "CCC_valence", n=200)
    each = scores(rows, by=("model", "seed"))["CCC_valence"]
    assert (found["value_a"], found["value_b"]) == pytest.approx((each["a"].mean(), each["b"].mean()))
    by_seed = seed_difference(rows, "a", "b", "CCC_valence")
    difference = each["a"] - each["b"]
    low, high = stats.t.interval(0.95, 1, difference.mean(), stats.sem(difference))
    assert (by_seed["difference"], by_seed["low"], by_seed["high"]) == pytest.approx(
        (difference.mean(), low, high)
    )


def test_another_truth_is_refused_but_not_its_last_digit():
    one, two = table(), table(model="b")
    two["arousal"] *= 1 + 1e-15
    paired_bootstrap(pd.concat([one, two]), "a", "b", "CCC", n=5)
    two.loc["u3", "valence"] += 0.01
    with pytest.raises(SernbError, match=r"different valence in 1 utterances \(u3\)"):
        paired_bootstrap(pd.concat([one, two]), "a", "b", "CCC_arousal", n=5)


def test_wrong_metrics_are_explained():
    rows = table()
    with pytest.raises(SernbError, match=r"'CCC_joy'.*CCC_arousal, CCC_valence, CCC_dominance"):
        bootstrap(rows, "CCC_joy")
    with pytest.raises(SernbError, match=r"'CCC_valence'.*: CCC, CCC_arousal"):
        bootstrap(rows[["model", "arousal", "arousal_predicted"]], "CCC_valence")
    with pytest.raises(SernbError, match="emotion classes"):
        bootstrap(rows)
    with pytest.raises(SernbError, match="emotion classes"):
        mcnemar(pd.concat([rows, table(model="b")]), "a", "b")
    with pytest.raises(SernbError, match=r"'UAR'.*CCC_arousal"):
        seed_difference(pd.concat([rows, table(model="b")]).assign(seed=0), "a", "b")


def test_memory_is_bounded_and_the_numbers_are_the_same(monkeypatch):
    rows = table()
    whole = bootstrap(rows, "CCC", n=100)
    monkeypatch.setattr("sernb.evaluation.intervals.AT_ONCE", 1000)  # eight resamples at a time
    pd.testing.assert_frame_equal(whole, bootstrap(rows, "CCC", n=100))
