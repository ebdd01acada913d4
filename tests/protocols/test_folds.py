import warnings

import numpy as np
import pandas as pd
import pytest

from sernb import protocols
from sernb.core.errors import SernbError
from sernb.protocols import Fold, by_name, with_validation
from tests.protocols.tables import check_folds, in_sessions, scripted, speakers, utterances, values

quiet = pytest.mark.filterwarnings("ignore:.*both trained on and tested")


def test_leave_one_speaker_out():
    table = utterances()
    folds = protocols.leave_one_speaker_out(table)
    assert [fold.name for fold in folds] == [f"speaker {number:02d}" for number in range(1, 7)]
    assert check_folds(folds, table) == set(table.index)
    assert speakers(table, folds[2].test) == {"03"}


def test_leave_one_session_out():
    table = utterances()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        folds = protocols.leave_one_session_out(table)
    assert len(folds) == 3 and check_folds(folds, table) == set(table.index)
    table["session"] = [str(row % 3) for row in range(len(table))]  # every speaker comes to every session
    with pytest.warns(UserWarning, match="6 speakers are both trained on and tested"):
        protocols.leave_one_session_out(table)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("count, folds", [(6, 6), (6, 5), (13, 5), (24, 5), (3, 2)])
def test_group_k_fold(count, folds, seed):
    table = utterances(count)
    made = protocols.group_k_fold(table, folds, seed=seed)
    assert len(made) == folds and check_folds(made, table) == set(table.index)


def test_group_k_fold_balances_emotions():
    table = utterances(12, each=10)
    half = table["speaker"] <= "06"  # six speakers are mostly sad, six mostly happy
    table["emotion"] = pd.Categorical(
        [("sad" if h else "happy") if i % 5 else "neutral" for i, h in enumerate(half)]
    )
    for seed in range(5):
        for fold in protocols.group_k_fold(table, 6, seed=seed):
            assert set(table.loc[fold.test, "emotion"]) == {"neutral", "sad", "happy"}


def test_group_k_fold_leaves_no_part_empty():
    """A case in which scikit-learn's StratifiedGroupKFold gives one of its parts no group at all."""
    counts = [(5, 0), (0, 3), (2, 4), (0, 2), (0, 5)]  # happy, sad of each speaker
    rows = [
        (str(s), e)
        for s, pair in enumerate(counts)
        for e, n in zip(("happy", "sad"), pair, strict=True)
        for _ in range(n)
    ]
    table = pd.DataFrame(rows, columns=["speaker", "emotion"], index=[f"u{row}" for row in range(len(rows))])
    folds = protocols.group_k_fold(table, 5, seed=627)
    assert len(folds) == 5 and check_folds(folds, table) == set(table.index)


def test_group_k_fold_by_seed_and_without_labels():
    table = utterances(24)
    tests = [[*protocols.group_k_fold(table, seed=seed)[0].test] for seed in (0, 0, 1)]
    assert tests[0] == tests[1] != tests[2]
    bare = table.drop(columns="emotion")
    assert check_folds(protocols.group_k_fold(bare), bare) == set(table.index)


def test_group_k_fold_by_sentence_says_that_speakers_are_shared():
    table = utterances().assign(sentence=[f"s{row % 5}" for row in range(72)])
    with pytest.warns(UserWarning, match="speakers are both trained on and tested"):
        folds = protocols.group_k_fold(table, by="sentence")
    check_folds(folds, table, disjoint_speakers=False)
    for fold in folds:
        assert not set(table.loc[fold.train, "sentence"]) & set(table.loc[fold.test, "sentence"])


def test_fixed_parts():
    table = utterances(3)
    table["part"] = table["speaker"].map({"01": "Train", "02": "dev", "03": "TEST"})
    (fold,) = protocols.fixed(table)
    assert check_folds([fold], table) == set(table.index[table["speaker"] == "03"])
    assert speakers(table, fold.validation) == {"02"}
    table["part"] = ["train", "test", "test"] * 12
    with pytest.warns(UserWarning, match="3 speakers"):
        (fold,) = protocols.fixed(table)
    assert fold.validation.empty
    with pytest.raises(SernbError, match="no utterance is marked test; found train"):
        protocols.fixed(table.assign(part="train"))
    with pytest.raises(SernbError, match="12 utterances are in parts called tset; expected train, training"):
        protocols.fixed(table.assign(part=["train", "tset", "test"] * 12))


def test_fixed_fold_numbers():
    table = utterances(4).assign(part=lambda t: t["speaker"].map({"01": 1, "02": 1, "03": 2, "04": 3}))
    folds = protocols.fixed(table)
    assert [fold.name for fold in folds] == ["part 1", "part 2", "part 3"]
    assert check_folds(folds, table) == set(table.index)


def test_random_split_warns_and_is_stratified():
    table = utterances()
    with pytest.warns(UserWarning, match=r"speakers are both trained on and tested \(01, "):
        (fold,) = protocols.random_split(table, test=0.25, validation=0.25)
    check_folds([fold], table, disjoint_speakers=False)
    assert len(fold.test) == len(fold.validation) == 18
    assert table.loc[fold.test, "emotion"].value_counts().tolist() == [6, 6, 6]
    with pytest.raises(SernbError, match="cannot be split"):
        protocols.random_split(table, test=0.6, validation=0.5)
    with (
        pytest.raises(SernbError, match="2 utterances cannot be split"),
        warnings.catch_warnings(action="ignore"),
    ):
        protocols.random_split(table.iloc[:2])


def test_too_few_groups_and_missing_columns():
    table = utterances()
    with pytest.raises(SernbError, match=r"7 folds were asked for and there are 6.*choose 2 to 6 folds"):
        protocols.group_k_fold(table, 7)
    with pytest.raises(SernbError, match="choose 2 to 6"):
        protocols.group_k_fold(table, 1)
    # A notebook cannot ask for fewer folds.
    three = table[table["speaker"].isin(["01", "02", "03"])].drop(columns="session")
    with pytest.raises(SernbError, match=r"another protocol. Possible here: leave-one-speaker-out, random"):
        protocols.by_name("group-k-fold", three)
    one = table[table["speaker"] == "01"]
    with pytest.raises(SernbError, match=r"at least 2 different values of 'speaker'.*Possible here: random"):
        protocols.leave_one_speaker_out(one)
    with pytest.raises(SernbError, match="nobody is left to test on"):
        protocols.group_k_fold(one)
    with pytest.raises(
        SernbError, match=r"absent.*Possible here: leave-one-speaker-out, group-k-fold, random"
    ):
        protocols.leave_one_session_out(table.drop(columns="session"))
    with pytest.raises(SernbError, match="needs a column 'part'"):
        protocols.fixed(table)
    table.loc[["u3", "u5"], "speaker"] = None
    with pytest.raises(SernbError, match="2 of 72 utterances have no speaker: u3, u5"):
        protocols.leave_one_speaker_out(table)


def test_ids_that_look_like_numbers_stay_as_they_are():
    table = utterances()
    table.index = pd.Index([str(row) for row in range(len(table))], name="utterance")
    assert check_folds(protocols.leave_one_speaker_out(table), table) == set(table.index)


@pytest.mark.parametrize("column", ["sentence", "text"])
def test_each_sentence_is_tested_once_and_never_met_before(column):
    table = scripted(column=column)
    with pytest.warns(UserWarning, match="speakers are both trained on and tested"):
        folds = protocols.by_name("group-k-fold-by-sentence", table)
    assert len(folds) == 4  # as many as there are
    for fold in folds:
        assert not values(table, fold.train, column) & values(table, fold.test, column)
    assert sorted(name for fold in folds for name in fold.test) == sorted(table.index)


@quiet
def test_case_and_punctuation_make_no_other_sentence():
    table = scripted(column="text")
    table.loc[table.index[::2], "text"] = table["text"].str.upper().str.rstrip(".")
    for fold in protocols.sentence_k_fold(table, folds=2):
        plain = table.assign(text=table["text"].str.lower().str.rstrip("."))
        train, test = (values(plain, ids, "text") for ids in (fold.train, fold.test))
        assert not train & test


def test_speakers_and_sentences_are_both_new():
    table = scripted()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        folds = protocols.by_name("group-k-fold-by-both", table, folds=3)
    assert [fold.name for fold in folds] == [
        "part 1.1",
        "part 1.2",
        "part 2.1",
        "part 2.2",
        "part 3.1",
        "part 3.2",
    ]
    for fold in folds:
        for column in ("speaker", "sentence"):
            assert not values(table, fold.train, column) & values(table, fold.test, column)
        assert len(fold.train) == 24 and len(fold.test) == 12  # 4 speakers × 2 sentences × 3, 2 × 2 × 3
    assert sorted(name for fold in folds for name in fold.test) == sorted(table.index)
    about = protocols.describe(folds, table)
    assert about["part"].tolist()[:3] == ["train", "test", "left out"]
    assert (about.groupby("fold")["utterances"].sum() == len(table)).all()


def test_sentences_of_ones_own_leave_nobody_to_train_on():
    table = scripted(2, 2)
    own = table[table["speaker"].str[-1] == table["sentence"].str[-2]]  # speaker 00 says 0, 01 says 1
    folds = protocols.speaker_and_sentence_k_fold(own, folds=2)
    assert len(folds) == 2 and all(len(fold.train) == len(fold.test) == 3 for fold in folds)
    three = table[~((table["speaker"] == "01") & (table["sentence"] == "Sentence 1."))]
    with pytest.raises(SernbError, match="nothing is left to train on beside part"):
        protocols.speaker_and_sentence_k_fold(three, folds=2)
    with pytest.raises(SernbError, match="needs a column 'sentence' or 'text'"):
        protocols.sentence_k_fold(table.drop(columns="sentence"))
    with pytest.raises(SernbError, match=r"all utterances are of 'Sentence 0\.'"):
        protocols.sentence_k_fold(table[table["sentence"] == "Sentence 0."])
    table.loc["u1", "sentence"] = None
    with pytest.raises(SernbError, match="1 of 12 utterances have no sentence: u1"):
        protocols.sentence_k_fold(table)


def test_several_test_parts_are_a_fold_each():
    table = scripted().assign(
        part=["train"] * 36 + ["validation"] * 12 + ["test"] * 12 + ["Test_Unseen"] * 12
    )
    seen, unseen = protocols.fixed(table)
    assert (seen.name, unseen.name) == ("fixed, test", "fixed, test_unseen")
    assert seen.train.equals(unseen.train) and seen.validation.equals(unseen.validation)
    assert list(seen.test) == list(table.index[48:60]) and list(unseen.test) == list(table.index[60:])


def test_whole_sessions_are_set_aside_another_in_each_fold():
    utterances = in_sessions()
    folds = with_validation(by_name("leave-one-session-out", utterances), utterances)
    held = [set(utterances.loc[fold.validation, "session"]) for fold in folds]
    assert all(len(one) == 1 for one in held) and len(set.union(*held)) >= 3
    for fold in folds:
        sessions = [set(utterances.loc[ids, "session"]) for ids in fold.parts().values()]
        assert (
            not (sessions[0] & sessions[1])
            and not (sessions[0] & sessions[2])
            and not (sessions[1] & sessions[2])
        )
        assert len(fold.train) + len(fold.validation) + len(fold.test) == len(utterances)


def test_whole_speakers_where_there_are_no_sessions():
    utterances = in_sessions().drop(columns="session")
    for fold in with_validation(by_name("loso", utterances), utterances):
        speakers = [set(utterances.loc[ids, "speaker"]) for ids in fold.parts().values()]
        assert len(speakers[1]) == 1 and not (speakers[0] & speakers[1]) and len(set.union(*speakers)) == 10


def test_utterances_where_speakers_are_few_with_a_warning_and_the_same_test():
    utterances = in_sessions(speakers=3, sessions=1)
    plain = by_name("loso", utterances)
    with pytest.warns(UserWarning, match="shares its voices"):
        folds = with_validation(plain, utterances)
    for before, after in zip(plain, folds, strict=True):
        pd.testing.assert_index_equal(before.test, after.test)
        assert len(after.train) + len(after.validation) == len(before.train) and len(after.validation)
        assert utterances.loc[after.validation, "emotion"].nunique() == 2


@pytest.mark.filterwarnings("ignore:.*shares its voices")
def test_speakers_are_not_set_aside_where_an_emotion_would_go_with_them():
    utterances = in_sessions(speakers=5, sessions=1)
    utterances["emotion"] = pd.Categorical(
        np.where(utterances["speaker"] == "s0", "angry", utterances["emotion"].astype(str))
    )
    fold = Fold("one", utterances.index[:32], test=utterances.index[32:])
    for seed in range(4):
        for one in with_validation([fold] * 4, utterances, seed=seed):
            assert "angry" in set(utterances.loc[one.train, "emotion"])


def test_a_fold_that_has_one_keeps_it_and_a_tiny_one_is_refused():
    utterances = in_sessions()
    fold = Fold("one", utterances.index[:50], utterances.index[50:60], utterances.index[60:])
    assert with_validation([fold], utterances) == [fold]
    tiny = Fold("tiny", utterances.index[:2], test=utterances.index[2:])
    with pytest.raises(SernbError, match="tiny, validation part: 2 utterances cannot be split"):
        with_validation([tiny], utterances.drop(columns=["session", "speaker"]))
