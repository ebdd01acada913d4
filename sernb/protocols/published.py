"""Splits of single papers, to compare with their numbers.

Others are common protocols: leave-one-speaker-out on IEMOCAP (MCED 2022; attention pooling 2018), the fixed
parts of MELD and of MSP-Podcast (audio-textual distilled SSL 2023).
"""

import math
import warnings

import pandas as pd

from sernb.core.errors import SernbError, some
from sernb.protocols.folds import Fold, groups_of, possible, random_split

RAVDESS = (  # test and validation actors of each fold in arXiv 2606.03359 (ResLSTM-SA)
    ((2, 5, 14, 15, 16), (3, 6)),
    ((3, 6, 7, 13, 18), (10, 11)),
    ((10, 11, 12, 19, 20), (8, 17)),
    ((8, 17, 21, 23, 24), (1, 14)),
    ((1, 4, 9, 22), (2, 5)),
)


def ravdess_folds(utterances: pd.DataFrame) -> list[Fold]:
    """The five published folds of RAVDESS (arXiv 2606.03359): test and validation actors by list.

    Raises SernbError for speakers other than RAVDESS's actors 1–24; warns of actors that are missing.
    """
    protocol = "ravdess-folds"
    groups = groups_of(utterances, "speaker", protocol)
    actors = pd.to_numeric(groups, errors="coerce")
    if strange := sorted(groups[~actors.isin(range(1, 25))].unique()):
        there = f"these utterances have speakers {some(strange)}. {possible(utterances)}"
        raise SernbError(f"{protocol} are made of RAVDESS's actors 1 to 24; {there}")

    folds = []
    for number, (test, validation) in enumerate(RAVDESS, 1):
        tested, validated = actors.isin(test), actors.isin(validation)
        rows = (~tested & ~validated, validated, tested)
        fold = Fold(f"fold {number}", *(utterances.index[part] for part in rows))
        if empty := [part for part, ids in fold.parts().items() if ids.empty]:
            there = f"actors {some(sorted(actors.unique()))} are here. {possible(utterances)}"
            raise SernbError(f"{protocol}: fold {number} has nothing in its {empty[0]} part: {there}")
        folds.append(fold)

    if absent := sorted(set(range(1, 25)) - set(actors)):
        what = f"actors {some(absent)} are missing, so numbers do not compare"
        warnings.warn(f"{protocol}: {what}.", stacklevel=2)
    return folds


def distilser_split(utterances: pd.DataFrame, seed: int = 0) -> list[Fold]:
    """DistilSER's split (2024): random, stratified, 81 / 9 / 10 %.

    That is 4,479 / 498 / 554 of IEMOCAP's 5,531: a tenth for the test, then a tenth of the rest for
    validation, each rounded up. The authors' draw is not known: `seed` is ours. Warns of shared speakers.
    """
    count, test = len(utterances), math.ceil(len(utterances) / 10)
    validation = math.ceil((count - test) / 10)
    return random_split(utterances, test / count, validation / count, seed, name="distilser")
