import time

import numpy as np
import pandas as pd
import pytest
import scipy.stats

from sernb.core.errors import SernbError
from sernb.evaluation import METRICS, bootstrap, scores
from sernb.evaluation.intervals import interval, resample, usual_unit

CLASSES = np.array(["neutral", "happy", "sad", "angry"])


def corpus(n=400, speakers=20, accuracy=0.7, seed=0, model="a", classes=CLASSES, **columns):
    rng = np.random.default_rng(seed)
    truth = rng.choice(classes, n, p=np.arange(1, len(classes) + 1) / sum(range(len(classes) + 1)))
    said = np.where(rng.random(n) < accuracy, truth, rng.choice(classes, n))
    index = pd.Index([f"u{i}" for i in range(n)], name="utterance")
    speaker = [f"s{i % speakers}" for i in range(n)]
    return pd.DataFrame(
        {"fold": "1", "model": model, "speaker": speaker, "emotion": truth, "predicted": said, **columns},
        index,
    )


def uar(truth, said):
    return np.mean([(said[truth == name] == name).mean() for name in set(truth)])


def test_value_is_the_score():
    t = corpus()
    ours = bootstrap(t, metric=list(METRICS), n=50).set_index("metric")["value"]
    for metric in METRICS:
        assert ours[metric] == pytest.approx(scores(t).loc["a", metric])


def test_by_utterance_agrees_with_scipy():
    t = corpus(n=200)
    truth, said = t["emotion"].to_numpy(), t["predicted"].to_numpy()
    theirs = scipy.stats.bootstrap(
        (np.arange(200),), lambda i: uar(truth[i], said[i]), n_resamples=1500, method="percentile",
        vectorized=False, rng=np.random.default_rng(1),
    ).confidence_interval  # fmt: skip
    ours = bootstrap(t, n=20_000).iloc[0]
    assert ours["low"] == pytest.approx(theirs.low, abs=0.01)
    assert ours["high"] == pytest.approx(theirs.high, abs=0.01)


def test_by_speaker_agrees_with_scipy():
    # Four hard speakers, so that the interval by speaker is clearly another one than that by utterance.
    t = pd.concat([corpus(320, speakers=16, accuracy=0.9), corpus(80, speakers=4, accuracy=0.1, seed=5)])
    t.index = pd.Index([f"u{i}" for i in range(400)], name="utterance")
    t["speaker"] = [f"s{i % 16}" for i in range(320)] + [f"hard{i % 4}" for i in range(80)]
    by_speaker = [g[["emotion", "predicted"]].to_numpy().T for _, g in t.groupby("speaker")]

    def of_speakers(chosen):
        return uar(*np.concatenate([by_speaker[i] for i in chosen], axis=1))

    theirs = scipy.stats.bootstrap(
        (np.arange(20),), of_speakers, n_resamples=3000, method="percentile", vectorized=False,
        rng=np.random.default_rng(1),
    )  # fmt: skip
    # Twenty speakers: our interval takes Hesterberg's share of the resamples, a little more than scipy's 95
    # %.
    tail = scipy.stats.norm.cdf(scipy.stats.t.ppf(0.025, 19) * np.sqrt(20 / 19))
    low, high = np.quantile(theirs.bootstrap_distribution, [tail, 1 - tail])
    ours = bootstrap(t, unit="speaker", n=20_000).iloc[0]
    assert (ours["low"], ours["high"]) == (pytest.approx(low, abs=0.015), pytest.approx(high, abs=0.015))
    plain = theirs.confidence_interval
    assert ours["low"] < plain.low + 0.005 and ours["high"] > plain.high - 0.005
    alone = bootstrap(t, n=20_000).iloc[0]
    assert ours["high"] - ours["low"] > 1.5 * (alone["high"] - alone["low"])


def test_accuracy_interval_by_hand():
    # With one class and 100 answers, 80 right, WA is a binomial share: its quantiles are known.
    t = corpus(100).assign(emotion="sad", predicted=["sad"] * 80 + ["angry"] * 20)
    row = bootstrap(t, metric="WA", n=20_000, level=0.9).iloc[0]
    low, high = scipy.stats.binom.ppf([0.05, 0.95], 100, 0.8) / 100
    assert (row["low"], row["high"]) == (pytest.approx(low, abs=0.011), pytest.approx(high, abs=0.011))


def test_resample_draws_as_many_units_as_there_are():
    counts = np.eye(7)[:, :, None]  # seven units, each a kind of its own
    drawn = resample(counts, 500, seed=3)
    assert drawn.shape == (500, 7, 1)
    assert (drawn.sum(1) == 7).all()
    assert drawn[:, 0].mean() == pytest.approx(1, abs=0.15)
    assert drawn[:, 0].var() == pytest.approx(6 / 7, abs=0.2)  # binomial(7, 1/7)


def test_alike_units_are_drawn_alike():
    counts = np.array([[1, 0]] * 30 + [[0, 1]] * 10)
    drawn = resample(counts, 4000, seed=0)[:, 0]
    assert drawn.mean() == pytest.approx(30, abs=0.3)
    assert drawn.std() == pytest.approx(np.sqrt(40 * 0.75 * 0.25), rel=0.05)


def test_seeds_keep_the_utterance_as_the_unit():
    t = corpus(300, seed=1)
    same = pd.concat([t.assign(seed=i) for i in range(3)])
    one, three = bootstrap(t).iloc[0], bootstrap(same).iloc[0]
    # Three copies of the same answers hold no more information than one.
    assert three["units"] == 300
    assert (three["low"], three["high"]) == (pytest.approx(one["low"]), pytest.approx(one["high"]))


def test_seeds_are_averaged():
    a, b = corpus(seed=1), corpus(seed=1)
    b["predicted"] = b["emotion"]
    row = bootstrap(pd.concat([a.assign(seed=0), b.assign(seed=1)])).iloc[0]
    single = bootstrap(a).iloc[0]
    assert row["value"] == pytest.approx((single["value"] + 1) / 2)
    assert row["high"] - row["low"] == pytest.approx((single["high"] - single["low"]) / 2, rel=0.1)


def test_each_model_has_a_row_and_other_models_do_not_change_it():
    t = pd.concat([corpus(model="b"), corpus(model="a", seed=2)])
    both = bootstrap(t, metric=["UAR", "WA"], n=200)
    assert both[["model", "metric"]].to_numpy().tolist() == [
        ["b", "UAR"],
        ["b", "WA"],
        ["a", "UAR"],
        ["a", "WA"],
    ]
    alone = bootstrap(corpus(model="a", seed=2), n=200).iloc[0]
    assert both.iloc[2][["low", "high"]].tolist() == alone[["low", "high"]].tolist()


def test_the_seed_makes_it_repeatable_and_the_level_widens_it():
    t = corpus()
    assert bootstrap(t, n=300, seed=4).equals(bootstrap(t, n=300, seed=4))
    assert not bootstrap(t, n=300, seed=4).equals(bootstrap(t, n=300, seed=5))
    narrow, wide = (bootstrap(t, level=level).iloc[0] for level in (0.5, 0.99))
    assert wide["low"] < narrow["low"] < narrow["high"] < wide["high"]


def test_a_rare_class_missing_from_resamples_leaves_the_other_classes_mean():
    t = corpus(60).assign(emotion=["bored"] + ["sad"] * 59, predicted=["sad"] * 60)
    row = bootstrap(t).iloc[0]
    assert row["value"] == 0.5
    assert (row["low"], row["high"]) == (0.5, 1.0)  # without the one bored clip, all is right
    assert not np.isnan(bootstrap(t, metric="recall_bored")[["low", "high"]]).any(axis=None)


def test_constant_predictions_of_a_single_class_have_no_spread():
    row = bootstrap(corpus().assign(emotion="sad", predicted="sad")).iloc[0]
    assert (row["value"], row["low"], row["high"]) == (1, 1, 1)


def test_few_units_widen_the_interval_as_students_t_does():
    drawn = np.random.default_rng(0).normal(size=200_000)
    # The plain percentile interval would be ±1.96; with four units it becomes t(3) × sqrt(4/3) = 3.18 ×
    # 1.155.
    low, high = interval(drawn, 0.95, 4)
    assert (low, high) == (pytest.approx(-3.674, abs=0.12), pytest.approx(3.674, abs=0.12))
    assert interval(drawn, 0.95, 5000) == (pytest.approx(-1.96, abs=0.02), pytest.approx(1.96, abs=0.02))


def test_few_speakers_are_said_to_be_rough_and_one_gives_none():
    t = corpus(speakers=4)
    assert bootstrap(t, unit="speaker", n=100).iloc[0]["note"] == "rough: 4 speakers only"
    assert bootstrap(t, n=100).iloc[0]["note"] == ""
    one = bootstrap(corpus(speakers=1), unit="speaker", n=100).iloc[0]
    assert np.isnan(one["low"]) and one["note"] == "no interval: one speaker only"
    single = bootstrap(corpus(1), n=100).iloc[0]
    assert np.isnan(single["high"]) and single["value"] in (0, 1)


def test_wrong_arguments_are_explained():
    t = corpus()
    with pytest.raises(SernbError, match="utterance, speaker"):
        bootstrap(t, unit="session")
    with pytest.raises(SernbError, match=r"no speaker column.*join"):
        bootstrap(t.drop(columns="speaker"), unit="speaker")
    blank = t.assign(speaker=t["speaker"].where(t["speaker"] != "s1"))
    with pytest.raises(SernbError, match="20 blank speakers"):
        bootstrap(blank, unit="speaker")
    with pytest.raises(SernbError, match="Valid: UAR"):
        bootstrap(t, metric="accuracy")
    with pytest.raises(SernbError, match="95"):
        bootstrap(t, level=95)
    with pytest.raises(SernbError, match="at least one"):
        bootstrap(t, n=0)


def test_two_thousand_resamples_of_ravdess_size_are_quick():
    t = corpus(
        1440, speakers=24, classes=np.array(["neutral", "happy", "sad", "angry", "fearful", "calm", "bored"])
    )
    t = pd.concat([t.assign(seed=i) for i in range(3)])
    start = time.perf_counter()
    bootstrap(t, unit="speaker")
    bootstrap(t)
    assert time.perf_counter() - start < 2  # measured 0.1; two busy cores are allowed for


def test_the_usual_unit_is_the_speaker_where_ten_are_known():
    table = pd.DataFrame({"speaker": [f"s{number}" for number in range(10)] * 2})
    assert usual_unit(table) == "speaker"
    assert usual_unit(table[table["speaker"] != "s3"]) == "utterance"
    table.loc[0, "speaker"] = None
    assert usual_unit(table) == usual_unit(table.drop(columns="speaker")) == "utterance"
