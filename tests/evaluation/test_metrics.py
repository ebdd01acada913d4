import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import balanced_accuracy_score

from sernb.core.errors import SernbError
from sernb.evaluation import METRICS, confusion, recalls, scores
from sernb.evaluation.metrics import from_counts


def table(truth, said, model="a", **columns):
    names = [f"u{i}" for i in range(len(truth))]
    index = pd.Index(names, name="utterance")
    return pd.DataFrame({"fold": "1", "model": model, "emotion": truth, "predicted": said, **columns}, index)


# sad: 3 of 4 right; angry: 1 of 2 right. Worked by hand below.
TRUTH = ["sad"] * 4 + ["angry"] * 2
SAID = ["sad", "sad", "sad", "angry", "angry", "sad"]


def test_scores_by_hand():
    row = scores(table(TRUTH, SAID)).loc["a"]
    f1_sad, f1_angry = 2 * 3 / (4 + 4), 2 * 1 / (2 + 2)
    assert row["UAR"] == pytest.approx((3 / 4 + 1 / 2) / 2)
    assert row["WA"] == pytest.approx(4 / 6)
    assert row["macro_f1"] == pytest.approx((f1_sad + f1_angry) / 2)
    assert row["weighted_f1"] == pytest.approx((4 * f1_sad + 2 * f1_angry) / 6)
    assert row["n"] == 6


def test_a_class_that_is_never_true_adds_no_term():
    said = ["sad", "sad", "sad", "bored", "angry", "bored"]
    row = scores(table(TRUTH, said)).loc["a"]
    assert row["UAR"] == pytest.approx((3 / 4 + 1 / 2) / 2)
    assert row["macro_f1"] == pytest.approx((2 * 3 / (4 + 3) + 2 * 1 / (2 + 1)) / 2)


def test_uar_is_balanced_accuracy():
    rng = np.random.default_rng(0)
    truth, said = rng.choice(["happy", "sad", "calm"], size=(2, 200))
    assert scores(table(truth, said)).loc["a", "UAR"] == pytest.approx(balanced_accuracy_score(truth, said))


def test_recalls_average_to_uar_and_are_nan_where_the_class_is_absent():
    t = pd.concat([table(TRUTH, SAID), table(["sad"], ["sad"], model="b")])
    r = recalls(t)
    assert list(r.columns) == ["sad", "angry"]
    assert r.loc["a"].tolist() == [0.75, 0.5]
    assert r.loc["b", "sad"] == 1 and np.isnan(r.loc["b", "angry"])
    assert r.loc["a"].mean() == scores(t).loc["a", "UAR"]


def test_seeds_are_scored_alone_and_averaged():
    one = table(TRUTH, SAID, seed=1)
    two = table(TRUTH, ["sad"] * 6, seed=2)
    t = pd.concat([one, two])
    by_seed = scores(t, by=("model", "seed"))
    assert by_seed.loc[("a", 2), "UAR"] == 0.5
    averaged = scores(t).loc["a"]
    for metric in METRICS:
        assert averaged[metric] == pytest.approx(by_seed[metric].mean())
    assert averaged["n"] == 6  # utterances, not answers
    pooled = scores(pd.concat([one, two]).assign(seed=0, utterance=range(12)).set_index("utterance")).loc["a"]
    assert averaged["macro_f1"] != pytest.approx(pooled["macro_f1"])  # so pooling would be another number


def test_a_model_without_seeds_may_stand_beside_one_with():
    t = pd.concat([table(TRUTH, SAID, seed=1), table(TRUTH, SAID, seed=2), table(TRUTH, TRUTH, model="b")])
    assert scores(t)["UAR"].to_dict() == {"a": pytest.approx(0.625), "b": 1}
    assert scores(t)["n"].tolist() == [6, 6]


def test_by_fold_and_by_speaker():
    t = table(TRUTH, SAID, speaker=["s1"] * 3 + ["s2"] * 3)
    t["fold"] = ["1", "1", "1", "2", "2", "2"]
    by_fold = scores(t, by=("model", "fold"))
    assert by_fold.loc[("a", "1"), "UAR"] == 1
    assert by_fold.loc[("a", "2"), "UAR"] == pytest.approx((0 + 1 / 2) / 2)
    assert scores(t, by="speaker").loc["s2", "WA"] == pytest.approx(1 / 3)
    with pytest.raises(SernbError, match=r"gender.*emotion"):
        scores(t, by=("model", "gender"))


def test_confusion_counts():
    c = confusion(table(TRUTH, SAID))
    assert c.index.name == "emotion" and c.columns.name == "predicted"
    assert c.loc["sad"].to_dict() == {"sad": 3, "angry": 1}
    assert c.loc["angry"].to_dict() == {"sad": 1, "angry": 1}
    with pytest.raises(SernbError, match="a, b"):
        confusion(pd.concat([table(TRUTH, SAID), table(TRUTH, SAID, model="b")]))


def test_own_labels_are_kept():
    c = confusion(table(["sad", "tired"], ["sad", "sad"]))
    assert list(c.index) == ["sad", "tired"]
    assert scores(table(["sad", "tired"], ["sad", "sad"])).loc["a", "UAR"] == 0.5


@pytest.mark.parametrize("constant", [False, True])
def test_counts_give_the_same_scores_as_scikit_learn(constant):
    rng = np.random.default_rng(1)
    classes = ["neutral", "happy", "sad", "angry"]
    truth, said = rng.choice(classes[:3], 80), rng.choice(classes, 80)
    t = table(truth, "angry" if constant else said)
    counts = confusion(t).reindex(index=classes, columns=classes, fill_value=0).to_numpy()
    row = scores(t).loc["a"]
    for metric in METRICS:
        assert from_counts(metric, counts, classes) == pytest.approx(row[metric])
    for emotion, value in recalls(t).loc["a"].items():
        assert from_counts(f"recall_{emotion}", counts, classes) == pytest.approx(value)
    assert np.isnan(from_counts("recall_angry", counts, classes))


def test_unknown_metric_lists_the_valid_ones():
    with pytest.raises(SernbError, match=r"BACC.*UAR, WA, macro_f1.*recall_sad"):
        from_counts("BACC", np.eye(2), ["sad", "angry"])


def test_missing_columns_say_what_to_do():
    with pytest.raises(SernbError, match="assign"):
        scores(table(TRUTH, SAID).drop(columns="model"))
    only_dimensions = pd.DataFrame({"model": "a", "arousal": [1.0], "arousal_predicted": [2.0]}, ["u0"])
    for of_classes in (recalls, confusion):
        with pytest.raises(SernbError, match=r"emotion classes.*CCC_valence"):
            of_classes(only_dimensions)
