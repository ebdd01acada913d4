import numpy as np
import pandas as pd
import pytest

from sernb.core.errors import SernbError
from sernb.protocols import Fold, by_name, with_validation


def table(speakers=10, sessions=5, each=8):
    rows = [
        {
            "speaker": f"s{one}",
            "session": f"S{one * sessions // speakers}",
            "emotion": ("happy", "sad")[n % 2],
        }
        for one in range(speakers)
        for n in range(each)
    ]
    utterances = pd.DataFrame(rows).set_index(pd.Index([f"u{n}" for n in range(len(rows))], name="utterance"))
    utterances["emotion"] = utterances["emotion"].astype("category")
    return utterances


def test_whole_sessions_are_set_aside_another_in_each_fold():
    utterances = table()
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
    utterances = table().drop(columns="session")
    for fold in with_validation(by_name("loso", utterances), utterances):
        speakers = [set(utterances.loc[ids, "speaker"]) for ids in fold.parts().values()]
        assert len(speakers[1]) == 1 and not (speakers[0] & speakers[1]) and len(set.union(*speakers)) == 10


def test_utterances_where_speakers_are_few_with_a_warning_and_the_same_test():
    utterances = table(speakers=3, sessions=1)
    plain = by_name("loso", utterances)
    with pytest.warns(UserWarning, match="shares its voices"):
        folds = with_validation(plain, utterances)
    for before, after in zip(plain, folds, strict=True):
        pd.testing.assert_index_equal(before.test, after.test)
        assert len(after.train) + len(after.validation) == len(before.train) and len(after.validation)
        assert utterances.loc[after.validation, "emotion"].nunique() == 2


@pytest.mark.filterwarnings("ignore:.*shares its voices")
def test_speakers_are_not_set_aside_where_an_emotion_would_go_with_them():
    utterances = table(speakers=5, sessions=1)
    utterances["emotion"] = pd.Categorical(
        np.where(utterances["speaker"] == "s0", "angry", utterances["emotion"].astype(str))
    )
    fold = Fold("one", utterances.index[:32], test=utterances.index[32:])
    for seed in range(4):
        for one in with_validation([fold] * 4, utterances, seed=seed):
            assert "angry" in set(utterances.loc[one.train, "emotion"])


def test_a_fold_that_has_one_keeps_it_and_a_tiny_one_is_refused():
    utterances = table()
    fold = Fold("one", utterances.index[:50], utterances.index[50:60], utterances.index[60:])
    assert with_validation([fold], utterances) == [fold]
    tiny = Fold("tiny", utterances.index[:2], test=utterances.index[2:])
    with pytest.raises(SernbError, match="tiny: 2 training utterances are too few"):
        with_validation([tiny], utterances.drop(columns=["session", "speaker"]))
