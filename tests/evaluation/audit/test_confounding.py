import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2_contingency
from scipy.stats.contingency import association as plain

from sernb.evaluation import scores
from sernb.evaluation.audit.confounding import association, looked_up, one_label_only
from sernb.evaluation.audit.cues import extremes, told_by
from sernb.protocols import Fold, leave_one_speaker_out


@pytest.mark.parametrize("strength", [0.0, 0.2, 0.6])
def test_association_against_scipy(strength):
    draw = np.random.default_rng(1)
    one = draw.integers(0, 6, 500)
    two = np.where(draw.random(500) < strength, one % 4, draw.integers(0, 4, 500))
    table = pd.crosstab(one, two).to_numpy()
    v, p = association(pd.Series(one), pd.Series(two))
    raw = plain(table, method="cramer")
    phi = max(0, raw**2 * 3 - 5 * 3 / 499)  # Bergsma's correction, from scipy's plain V
    assert v == pytest.approx(np.sqrt(phi / min(6 - 25 / 499 - 1, 4 - 9 / 499 - 1)))
    assert p == pytest.approx(chi2_contingency(table).pvalue, abs=0.04)


def test_association_at_its_ends():
    label = pd.Series(["a", "b"] * 50)
    v, p = association(label, label.map({"a": "x", "b": "y"}))
    assert v == pytest.approx(1, abs=1e-6) and p == pytest.approx(0.001)
    assert association(pd.Series(["s", "s", "t", "t"] * 25), label)[0] == 0
    for one in (pd.Series(["x"] * 100), pd.Series([None] * 100, dtype=object), pd.Series([], dtype=object)):
        assert np.isnan(association(one, label[: len(one)])).all()
    gaps = label.where(label.index > 10)
    assert association(gaps, label) == association(gaps[11:], label[11:])


def test_one_label_only():
    groups = pd.Series(["a", "a", "a", "b", "b", "b", "c", None])
    labels = pd.Series(["sad", "sad", "sad", "sad", "happy", "sad", "happy", "sad"], dtype="category")
    assert one_label_only(groups, labels, 3).to_dict() == {"a": "sad"}
    assert one_label_only(groups, labels, 1).to_dict() == {"a": "sad", "c": "happy"}


def test_a_look_up_knows_what_training_said(table):
    utterances = table(4, 12)
    folds = leave_one_speaker_out(utterances)
    known = looked_up(utterances, utterances["emotion"].astype(str).map("sentence {}".format), folds)
    assert scores(known)["UAR"].iloc[0] == 1 and len(known) == 48
    new = looked_up(utterances, utterances["speaker"], folds)  # no speaker was met: drawn at random
    assert 0.1 < scores(new)["UAR"].iloc[0] < 0.6
    utterances.loc["u0", "emotion"] = None
    assert "u0" not in looked_up(utterances, utterances["speaker"], folds).index
    empty = Fold("none", train=utterances.index, test=utterances.index[:0])
    assert looked_up(utterances, utterances["speaker"], [empty]).empty


def test_rare_classes_are_looked_up_too():
    """Sentence x is rarely sad, but sadness is rarely anything else: a plain majority would never say sad."""
    labels = ["neutral"] * 60 + ["sad"] * 6 + ["neutral"] * 40
    words = pd.Series(["x"] * 66 + ["y"] * 40)
    utterances = pd.DataFrame({"emotion": labels})
    fold = Fold("one", train=utterances.index[::2], test=utterances.index[1::2])
    assert (looked_up(utterances, words, [fold])["predicted"] == "sad").sum() == 33


def test_a_number_that_tells_and_one_that_does_not(table):
    utterances = table(4, 30)
    folds = leave_one_speaker_out(utterances)
    draw = np.random.default_rng(0)
    noise = pd.Series(draw.standard_normal(120), utterances.index, name="length")
    tells = noise / 10 + utterances["emotion"].cat.codes
    assert scores(told_by(tells.rename("length"), utterances, folds))["UAR"].iloc[0] > 0.95
    assert scores(told_by(noise, utterances, folds))["UAR"].iloc[0] < 0.5
    low, high, ids = extremes(tells, utterances["emotion"], 4)
    assert (low, high) == ("neutral", "sad")
    assert ids[0] == tells.idxmax() and tells.idxmin() in ids and len(ids) == 4
    assert told_by(noise * np.nan, utterances, folds).empty
