"""Protocols that keep groups together: speakers, sessions, sentences."""

from itertools import product

import numpy as np
import pandas as pd
from sklearn.model_selection import GroupKFold, StratifiedGroupKFold

from sernb.core.errors import SernbError
from sernb.protocols.folds import Fold, fold_of, groups_of, hint, leave_one_out, some, warn_of_shared
from sernb.protocols.sentences import sentences_of


def leave_one_speaker_out(utterances: pd.DataFrame) -> list[Fold]:
    """LOSO: each speaker is tested once, by a model that heard all the others. Raises SernbError for one speaker."""
    return leave_one_out(utterances, "speaker", "leave-one-speaker-out")


def leave_one_session_out(utterances: pd.DataFrame) -> list[Fold]:
    """Each session is tested once. Warns if a speaker takes part in several sessions, and so is trained and tested."""
    folds = leave_one_out(utterances, "session", "leave-one-session-out")
    warn_of_shared(folds, utterances, "leave-one-session-out")
    return folds


def group_k_fold(utterances: pd.DataFrame, folds: int = 5, by: str = "speaker", seed: int = 0) -> list[Fold]:
    """`folds` test parts of whole groups (values of the column `by`), the emotions balanced as far as groups allow.

    `by="sentence"` takes the words where there is no such column. By scikit-learn's StratifiedGroupKFold, or GroupKFold
    where there are no emotions or too few of one to balance. Raises SernbError for fewer groups than folds. Warns if
    groups other than speakers leave speakers shared.
    """
    protocol = f"group k-fold by {by}"
    tests = _group_tests(utterances, folds, by, seed, protocol)
    result = [fold_of(utterances, f"part {number}", test) for number, test in enumerate(tests, 1)]
    if by != "speaker":
        warn_of_shared(result, utterances, protocol)
    return result


def sentence_k_fold(utterances: pd.DataFrame, folds: int | None = None, seed: int = 0) -> list[Fold]:
    """Each sentence is tested once, by a model that never met it: five folds, or fewer where there are fewer sentences.

    For what a model owes to the words. Warns if speakers are shared, as in every scripted corpus.
    """
    count = sentences_of(utterances, "group k-fold by sentence").nunique()
    return group_k_fold(utterances, folds or max(2, min(5, count)), by="sentence", seed=seed)


def speaker_and_sentence_k_fold(
    utterances: pd.DataFrame, folds: int = 5, sentence_folds: int = 2, seed: int = 0
) -> list[Fold]:
    """Tests on speakers and sentences that are both new: a fold for each group of speakers and of sentences.

    What shares the speaker or the sentence with the test part, but not both, is in no part of that fold, so of 5 × 2
    folds each trains on about 40 % of the utterances. Raises SernbError for too few speakers or sentences, and where a
    fold has nobody to train on (each speaker with sentences of their own: then speakers alone will do).
    """
    protocol = "group k-fold by speaker and sentence"
    parts = [
        [_marked(len(utterances), test) for test in _group_tests(utterances, count, by, seed, protocol)]
        for by, count in (("speaker", folds), ("sentence", sentence_folds))
    ]
    result = []
    for (one, speakers), (two, sentences) in product(*(enumerate(part, 1) for part in parts)):
        train, test = ~speakers & ~sentences, speakers & sentences
        if not test.any():  # these speakers never say these sentences
            continue
        if not train.any():
            raise SernbError(
                f"{protocol}: nothing is left to train on beside part {one}.{two}. {hint(utterances)}"
            )
        name = f"part {one}.{two}"
        result.append(Fold(name, train=utterances.index[train], test=utterances.index[test]))
    return result


def _group_tests(utterances: pd.DataFrame, folds: int, by: str, seed: int, protocol: str) -> list[np.ndarray]:
    """Rows of the test part of each fold."""
    sentence = by == "sentence"
    groups = sentences_of(utterances, protocol) if sentence else groups_of(utterances, by, protocol)
    count = groups.nunique()
    if count < 2:
        raise SernbError(f"{protocol}: all utterances are of {groups.iloc[0]!r}, nobody is left to test on.")
    if not 2 <= folds <= count:
        raise SernbError(
            f"{protocol}: {folds} folds were asked for and there are {count} values of {by!r} "
            f"({some(sorted(groups.unique()))}); choose 2 to {count} folds, "
            f"or another protocol. {hint(utterances)}"
        )
    labels = utterances["emotion"].astype(str) if "emotion" in utterances else None
    balanced = labels is not None and labels.value_counts().min() >= folds
    splitter = (StratifiedGroupKFold if balanced else GroupKFold)(folds, shuffle=True, random_state=seed)
    tests = [test for _, test in splitter.split(groups, labels, groups)]
    if min(map(len, tests)) == 0:  # balancing can leave a part empty when groups are few
        splitter = GroupKFold(folds, shuffle=True, random_state=seed)
        tests = [test for _, test in splitter.split(groups, None, groups)]
    return tests


def _marked(count: int, rows: np.ndarray) -> np.ndarray:
    marks = np.zeros(count, dtype=bool)
    marks[rows] = True
    return marks
