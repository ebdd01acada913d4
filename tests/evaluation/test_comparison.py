import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.stats import binomtest

from sernb.core.errors import SernbError
from sernb.evaluation import contrast, mcnemar, paired_bootstrap, scores, seed_difference


def rows(right, model, seed=None, speakers=12):
    """One model's predictions: a list of right/wrong over alternating sad and angry utterances."""
    truth = ["sad" if i % 2 else "angry" for i in range(len(right))]
    said = [t if ok else ("angry" if t == "sad" else "sad") for t, ok in zip(truth, right, strict=True)]
    index = pd.Index([f"u{i}" for i in range(len(right))], name="utterance")
    speaker = [f"s{i * speakers // len(right)}" for i in range(len(right))]
    table = pd.DataFrame({"model": model, "speaker": speaker, "emotion": truth, "predicted": said}, index)
    return table.assign(seed=seed) if seed is not None else table


def counted(both, only_a, only_b, neither):
    a = [1] * both + [1] * only_a + [0] * only_b + [0] * neither
    b = [1] * both + [0] * only_a + [1] * only_b + [0] * neither
    return pd.concat([rows(a, "a"), rows(b, "b")])


def test_mcnemar_counts_and_p():
    result = mcnemar(counted(20, 12, 3, 5), "a", "b")
    assert result[["both_right", "only_a", "only_b", "both_wrong", "n"]].tolist() == [20, 12, 3, 5, 40]
    assert result["p_exact"] == pytest.approx(binomtest(3, 15, 0.5).pvalue)
    # By hand: 2 (1 + 15 + 105 + 455) / 2^15, and less 455 / 2^15 for the mid-p.
    assert result["p_exact"] == pytest.approx(1152 / 32768)
    assert result["p_mid"] == pytest.approx((1152 - 455) / 32768)


def test_mcnemar_is_symmetric_and_does_not_mind_row_order():
    t = counted(8, 9, 2, 4)
    ab, ba = mcnemar(t, "a", "b"), mcnemar(t.sample(frac=1, random_state=0), "b", "a")
    assert (ab["only_a"], ab["only_b"]) == (ba["only_b"], ba["only_a"]) == (9, 2)
    assert ab["p_exact"] == ba["p_exact"] and ab["p_mid"] == ba["p_mid"]


@pytest.mark.parametrize("cells", [(10, 0, 0, 4), (1, 0, 0, 0), (3, 6, 6, 1)])
def test_mcnemar_without_a_difference_is_one(cells):
    result = mcnemar(counted(*cells), "a", "b")
    assert result["p_exact"] == 1 and result["p_mid"] == pytest.approx(1)


def test_mcnemar_of_a_single_utterance():
    result = mcnemar(counted(0, 1, 0, 0), "a", "b")
    assert (result["n"], result["p_exact"], result["p_mid"]) == (1, 1, pytest.approx(0.5))


def test_mcnemar_takes_one_seed():
    right, wrong = [1] * 10, [0] * 10
    t = pd.concat([rows(right, "a", 0), rows(wrong, "a", 1), rows(wrong, "b", 0), rows(wrong, "b", 1)])
    with pytest.raises(SernbError, match=r"2 seeds.*paired_bootstrap"):
        mcnemar(t, "a", "b")
    assert mcnemar(t, "a", "b", seed=0)["only_a"] == 10
    assert mcnemar(t, "a", "b", seed=1)["only_a"] == 0
    with pytest.raises(SernbError, match="no seed 7"):
        mcnemar(t, "a", "b", seed=7)
    unseeded = pd.concat([rows(right, "a", 0), rows(right, "a", 1), rows(wrong, "base")])
    assert (
        mcnemar(unseeded, "a", "base", seed=1)["only_a"] == 10
    )  # a baseline that has no seed serves for each


def test_identical_models_differ_by_nothing():
    t = counted(10, 0, 0, 10)
    result = paired_bootstrap(t, "a", "b", n=500)
    assert result[["difference", "low", "high", "p"]].tolist() == [0, 0, 0, 1]


def test_difference_agrees_with_a_plain_loop():
    rng = np.random.default_rng(0)
    t = pd.concat([rows(rng.random(150) < 0.75, "a"), rows(rng.random(150) < 0.6, "b")])
    right_a, right_b = (
        (t[t["model"] == m]["emotion"] == t[t["model"] == m]["predicted"]).to_numpy() for m in "ab"
    )
    sad = (t[t["model"] == "a"]["emotion"] == "sad").to_numpy()

    def uar(right, sad):
        return (right[sad].mean() + right[~sad].mean()) / 2

    draws = rng.integers(0, 150, (8000, 150))
    drawn = [uar(right_a[i], sad[i]) - uar(right_b[i], sad[i]) for i in draws]
    low, high = np.quantile(drawn, [0.025, 0.975])
    ours = paired_bootstrap(t, "a", "b", n=20_000)
    assert ours["low"] == pytest.approx(low, abs=0.008) and ours["high"] == pytest.approx(high, abs=0.008)
    assert ours["difference"] == pytest.approx(ours["value_a"] - ours["value_b"])
    assert ours["p"] == pytest.approx(2 * np.mean(np.array(drawn) <= 0), abs=0.01)


def test_pairing_narrows_the_interval():
    rng = np.random.default_rng(2)
    base = rng.random(300) < 0.6
    better = base | (rng.random(300) < 0.08)
    paired = paired_bootstrap(pd.concat([rows(better, "a"), rows(base, "b")]), "a", "b")
    shuffled = paired_bootstrap(pd.concat([rows(better, "a"), rows(rng.permutation(base), "b")]), "a", "b")
    assert paired["high"] - paired["low"] < 0.6 * (shuffled["high"] - shuffled["low"])
    assert paired["low"] > 0 and paired["p"] < 0.05


def test_swapped_models_mirror_the_difference():
    t = counted(30, 14, 6, 10)
    ab, ba = paired_bootstrap(t, "a", "b", n=4000), paired_bootstrap(t, "b", "a", n=4000)
    assert ab["difference"] == -ba["difference"]
    assert ab["low"] == pytest.approx(-ba["high"], abs=0.02)
    assert ab["p"] == pytest.approx(ba["p"], abs=0.03)


def test_p_and_interval_tell_the_same():
    for only_a in range(4, 16):
        result = paired_bootstrap(counted(30, only_a, 4, 10), "a", "b", metric="WA", n=2000)
        if result["low"] > 0:
            assert result["p"] <= 0.052
        if result["p"] < 0.048:
            assert result["low"] > 0


def test_by_speaker_takes_whole_speakers():
    # a is better in one speaker of twelve only: many utterances, but no evidence about other speakers.
    base = [0] * 240
    better = [1] * 20 + [0] * 220
    t = pd.concat([rows(better, "a"), rows(base, "b")])
    by_utterance = paired_bootstrap(t, "a", "b")
    by_speaker = paired_bootstrap(t, "a", "b", unit="speaker")
    assert by_utterance["p"] < 0.01 and by_utterance["units"] == 240
    assert by_speaker["p"] > 0.5 and by_speaker["units"] == 12 and by_speaker["low"] == 0


def test_seeds_are_averaged_within_each_model():
    right, half = [1] * 40, [1, 1, 0, 0] * 10
    t = pd.concat([rows(right, "a", 0), rows(half, "a", 1), rows(half, "b", 0)])
    result = paired_bootstrap(t, "a", "b", n=200)
    assert (result["value_a"], result["value_b"], result["difference"]) == (0.75, 0.5, 0.25)


def test_few_speakers_are_noted_and_one_has_no_p():
    t = pd.concat([rows([1] * 20, "a", speakers=1), rows([0] * 20, "b", speakers=1)])
    result = paired_bootstrap(t, "a", "b", unit="speaker")
    assert np.isnan(result["p"]) and np.isnan(result["low"]) and "one speaker" in result["note"]


@pytest.mark.parametrize("test", [mcnemar, paired_bootstrap])
def test_other_utterances_are_counted_and_named(test):
    t = pd.concat([rows([1] * 9, "a"), rows([1] * 4, "b")])
    with pytest.raises(SernbError, match=r"5 of 'a' are not in 'b' \(u4, u5, u6 and 2 more\)"):
        test(t, "a", "b")
    with pytest.raises(SernbError, match=r"'c'.*holds a, b"):
        test(t, "a", "c")
    with pytest.raises(SernbError, match="both are 'a'"):
        test(t, "a", "a")


@pytest.mark.parametrize("test", [mcnemar, paired_bootstrap])
def test_other_truth_is_refused(test):
    t = counted(4, 0, 0, 0)
    t.loc[(t["model"] == "b") & (t.index == "u2"), "emotion"] = "sad"
    with pytest.raises(SernbError, match=r"different labels in 1 utterances \(u2\)"):
        test(t, "a", "b")


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
                    {"fold": "f", "model": model, "seed": seed,
                     "speaker": [f"s{i % 12}" for i in range(count)], "arousal": truth[:, 0],
                     "arousal_predicted": said[:, 0],
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
    with pytest.raises(SernbError, match="of classes and dimensions"):
        contrast(table, [("a", "CCC_valence"), ("a", "UAR")], lambda a, b: a - b)
    with pytest.raises(SernbError, match="No predictions of model 'c'"):
        contrast(table, [("a", "CCC_valence"), ("c", "CCC_valence")], lambda a, b: a - b)
    with pytest.raises(SernbError, match="the same utterances"):
        contrast(table[(table["model"] == "a") | (table.index != "u1")],
                 [("a", "CCC_valence"), ("b", "CCC_valence")], lambda a, b: a - b)  # fmt: skip


def seeded(rights: dict) -> pd.DataFrame:
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
    own = seeded({("a", 0): 8, ("a", 1): 6, ("a", 2): 10, ("b", 0): 6, ("b", 1): 6, ("b", 2): 4})
    found = seed_difference(own, "a", "b", metric="WA")
    each = [0.2, 0.0, 0.6]
    low, high = stats.t.interval(0.95, 2, np.mean(each), stats.sem(each))
    assert found["difference"] == pytest.approx(np.mean(each)) and found["seeds"] == 3
    assert (found["low"], found["high"]) == pytest.approx((low, high))


def test_equal_differences_have_an_interval_of_no_width_and_one_seed_has_none():
    own = seeded({("a", 0): 8, ("a", 1): 8, ("b", 0): 6, ("b", 1): 6, ("c", 7): 6})
    same = seed_difference(own, "a", "b")
    assert same["low"] == same["high"] == pytest.approx(same["difference"]) == pytest.approx(0.2)
    against_one = seed_difference(own, "c", "a")
    assert against_one["difference"] == pytest.approx(-0.2) and against_one["seeds"] == 2
    alone = seed_difference(own[own["seed"].isin([0, 7])], "a", "c")
    assert np.isnan(alone["low"]) and alone["seeds"] == 1


def test_what_cannot_be_compared_is_named():
    own = seeded({("a", 0): 8, ("a", 1): 8, ("b", 2): 6, ("b", 3): 6})
    with pytest.raises(SernbError, match="share no seed"):
        seed_difference(own, "a", "b")
    with pytest.raises(SernbError, match="No predictions of model 'c'"):
        seed_difference(own, "a", "c")
    with pytest.raises(SernbError, match="Unknown metric 'UA'"):
        seed_difference(own, "a", "b", metric="UA")
    with pytest.raises(SernbError, match="column 'seed'"):
        seed_difference(own.drop(columns="seed"), "a", "b")
