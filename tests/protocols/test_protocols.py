import warnings

import pandas as pd
import pytest

from sernb import corpora, protocols
from sernb.core.errors import SernbError


def utterances(speakers=6, each=12, sessions=3, emotions=("neutral", "happy", "sad"), **attrs):
    rows = [
        {
            "speaker": f"{speaker:02d}",
            "session": str(speaker % sessions),
            "emotion": emotions[number % len(emotions)],
        }
        for speaker in range(1, speakers + 1)
        for number in range(each)
    ]
    table = pd.DataFrame(rows, index=pd.Index([f"u{row}" for row in range(len(rows))], name="utterance"))
    table["emotion"] = pd.Categorical(table["emotion"], emotions)
    table.attrs = attrs
    return table


def speakers(table, ids):
    return set(table.loc[ids, "speaker"])


def check_folds(folds, table, disjoint_speakers=True):
    """Each utterance in one part of each fold, and tested once at the most; no speaker in two parts."""
    tested = []
    for fold in folds:
        parts = list(fold.parts().values())
        assert len(fold.train) and len(fold.test)
        joined = parts[0].append(parts[1:])
        assert joined.is_unique and set(joined) == set(table.index)
        if disjoint_speakers:
            train, validation, test = (speakers(table, part) for part in parts)
            assert not (train & test or train & validation or validation & test)
        tested += list(fold.test)
    assert len(tested) == len(set(tested))
    return set(tested)


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
    with pytest.raises(SernbError, match="must be shares"):
        protocols.random_split(table, test=0.6, validation=0.5)
    with (
        pytest.raises(SernbError, match="2 utterances cannot be split"),
        warnings.catch_warnings(action="ignore"),
    ):
        protocols.random_split(table.iloc[:2])


def test_ravdess_folds_are_the_published_ones():
    table = utterances(24)
    folds = protocols.ravdess_folds(table)
    assert check_folds(folds, table) == set(table.index)
    tests = [{2, 5, 14, 15, 16}, {3, 6, 7, 13, 18}, {10, 11, 12, 19, 20}, {8, 17, 21, 23, 24}, {1, 4, 9, 22}]
    validations = [{3, 6}, {10, 11}, {8, 17}, {1, 14}, {2, 5}]
    for fold, test, validation in zip(folds, tests, validations, strict=True):
        assert set(map(int, speakers(table, fold.test))) == test
        assert set(map(int, speakers(table, fold.validation))) == validation


def test_ravdess_folds_for_other_or_missing_actors():
    with pytest.raises(SernbError, match="speakers 25, 26"):
        protocols.ravdess_folds(utterances(26))
    with pytest.raises(SernbError, match="fold 3 has nothing in its validation part"):
        protocols.ravdess_folds(utterances(24).query("speaker not in ('08', '17')"))
    with pytest.warns(UserWarning, match="actors 12, 24 are missing"):
        protocols.ravdess_folds(utterances(24).query("speaker not in ('12', '24')"))


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
    with pytest.raises(SernbError, match=r"lack.*Possible here: leave-one-speaker-out, group-k-fold, random"):
        protocols.leave_one_session_out(table.drop(columns="session"))
    with pytest.raises(SernbError, match="needs a column 'part'"):
        protocols.fixed(table)
    table.loc[["u3", "u5"], "speaker"] = None
    with pytest.raises(SernbError, match="2 of 72 utterances have no speaker: u3, u5"):
        protocols.leave_one_speaker_out(table)


def test_by_name_and_defaults():
    table = utterances()
    assert (
        len(protocols.by_name("loso", table)) == len(protocols.by_name("leave_one_speaker_out", table)) == 6
    )
    assert len(protocols.by_name("group-k-fold", table, folds=3)) == 3
    with pytest.raises(SernbError, match="unknown protocol 'lso'; the protocols are auto, loso, leave-one"):
        protocols.by_name("lso", table)
    expected = {
        "embedded": "leave-one-session-out",
        "emodb": "leave-one-speaker-out",
        "ravdess": "ravdess-folds",
        "manifest": "leave-one-speaker-out",
    }
    for corpus, protocol in expected.items():
        assert protocols.default(utterances(corpus=corpus)) == protocol
    assert len(protocols.by_name("auto", utterances(12, corpus="manifest"))) == 12
    assert len(protocols.by_name("auto", utterances(13, corpus="manifest"))) == 5


def test_describe_says_who_and_what():
    table = utterances(24)
    about = protocols.describe(protocols.ravdess_folds(table), table)
    assert about[["fold", "part"]].iloc[:3].to_numpy().tolist() == [
        ["fold 1", part] for part in ("train", "validation", "test")
    ]
    test = about.iloc[2]
    assert test["speakers"] == "02, 05, 14, 15, 16"
    assert test[["utterances", "neutral", "happy", "sad"]].tolist() == [60, 20, 20, 20]
    assert (about.groupby("fold")["utterances"].sum() == len(table)).all()


def test_ids_that_look_like_numbers_stay_as_they_are():
    table = utterances()
    table.index = pd.Index([str(row) for row in range(len(table))], name="utterance")
    assert check_folds(protocols.leave_one_speaker_out(table), table) == set(table.index)


@pytest.mark.parametrize("name, folds", [("emodb", 10), ("ravdess", 5)])
def test_real(real_corpus, name, folds):
    table = corpora.load(name, real_corpus(name))
    made = protocols.by_name("auto", table)
    assert len(made) == folds and check_folds(made, table) == set(table.index)
