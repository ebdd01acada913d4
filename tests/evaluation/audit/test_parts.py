import pandas as pd
import pytest

from sernb.core.errors import SernbError
from sernb.evaluation.audit import parts
from sernb.protocols import Fold, leave_one_speaker_out, random_split

quiet = pytest.mark.filterwarnings("ignore:.*both trained on and tested")


def fold(table, train, test, validation=()):
    ids = [table.index[list(rows)] for rows in (train, validation, test)]
    return Fold("one", *ids)


def test_utterances_in_two_parts_tested_twice_or_never(table):
    t = table(2, 6)
    assert parts.overlap(t, leave_one_speaker_out(t))["severity"] == "fine"
    found = parts.overlap(t, [fold(t, range(8), range(6, 12))])
    assert (found["severity"], found["utterances"], found["value"]) == (
        "leak",
        ["u6", "u7"],
        pytest.approx(2 / 12),
    )
    assert (
        parts.overlap(t, [fold(t, range(6), (), range(5, 8)), fold(t, range(6), [9])])["severity"] == "leak"
    )
    twice = [fold(t, range(6), range(6, 9)), fold(t, range(6), range(8, 12))]
    found = parts.overlap(t, twice)
    assert (found["severity"], found["utterances"]) == ("caution", ["u8"])
    assert "3 utterances are never tested" in parts.overlap(t, [fold(t, range(3), range(3, 12))])["finding"]
    with pytest.raises(SernbError, match="'one' has 1 utterances that the table lacks, the first is 'u11'"):
        parts.overlap(t.iloc[:11], [fold(t, range(6), range(6, 12))])


@quiet
def test_speakers_across_parts(table):
    t = table(4, 6)
    assert parts.speakers(t, leave_one_speaker_out(t))["severity"] == "fine"
    assert parts.speakers(t, random_split(t, 0.25, 0.25))["severity"] == "leak"
    found = parts.speakers(t, [fold(t, range(0, 13), range(14, 24), validation=[13])])
    assert found["severity"] == "leak" and "1 speaker (s2)" in found["finding"]
    assert found["utterances"] == ["u14", "u15", "u16", "u17"] and found["value"] == pytest.approx(0.4)
    between = parts.speakers(t, [fold(t, range(6), range(18, 24), validation=range(5, 8))])
    assert between["severity"] == "leak" and between["value"] == 0 and between["utterances"] == []
    t.loc[["u0", "u23"], "speaker"] = None  # the missing are nobody in particular
    half = parts.speakers(t, [fold(t, range(12), range(12, 24))])
    assert half["severity"] == "caution" and "Of 2 utterances the speaker is not known" in half["finding"]
    for bare in (t.drop(columns="speaker"), t.assign(speaker=None)):
        assert parts.speakers(bare, [fold(t, range(12), range(12, 24))])["severity"] == "not checked"


def test_the_share_of_what_several_folds_test(table):
    t = table(4, 6)
    once = fold(t, range(8), range(8, 20))  # u8 to u11 are of a voice that was heard
    assert parts.across(t["speaker"], [once], t.index)[2] == pytest.approx(4 / 12)
    _, hit, share = parts.across(t["speaker"], [once, once], t.index)
    assert share == pytest.approx(4 / 12) and len(hit) == 4
    apart = fold(t, range(6), range(8, 20))
    assert parts.across(t["speaker"], [once, apart], t.index)[2] == pytest.approx(4 / 24)


def test_dialogues_across_parts(table):
    t = table(2, 6, dialogue=["d1"] * 4 + ["d2"] * 4 + ["d3"] * 4)
    (found,) = parts.contexts(t, leave_one_speaker_out(t))
    assert found["check"] == "dialogues" and found["severity"] == "caution"
    assert found["utterances"] == ["u4", "u5", "u6", "u7"] and found["value"] == pytest.approx(4 / 12)
    (found,) = parts.contexts(t, [fold(t, range(4), range(4, 12))])
    assert found["severity"] == "fine"
    assert parts.contexts(table(), leave_one_speaker_out(table())) == []


def test_balance_of_classes(table):
    t = table(2, 6)
    found = parts.balance(t, leave_one_speaker_out(t))
    assert found["severity"] == "fine" and found["value"] == 0 and "Each class has 4" in found["finding"]
    t["emotion"] = pd.Categorical(["neutral"] * 5 + ["happy"] + ["neutral"] * 3 + ["sad"] * 3)
    found = parts.balance(t, leave_one_speaker_out(t))
    assert found["severity"] == "caution" and found["value"] == pytest.approx(0.5)  # 5:1:0 against 3:0:3
    assert "cannot be learnt in 2 folds: speaker s0 (happy), speaker s1 (sad)" in found["finding"]
    assert "never tested in 2 folds" in found["finding"] and found["utterances"] == ["u5", "u9", "u10", "u11"]
    t.loc["u0", "emotion"] = None
    assert parts.balance(t, leave_one_speaker_out(t))["value"] == pytest.approx(0.5)  # 4:1:0 against 3:0:3
    assert parts.balance(t.drop(columns="emotion"), [])["severity"] == "not checked"
