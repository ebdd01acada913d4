"""Splits of single papers, to compare with their numbers.

Others are common protocols: leave-one-speaker-out on IEMOCAP (MCED 2022; attention pooling 2018), the fixed
parts of MELD, and of MSP-Podcast with its tests of seen and unseen podcasts (audio-textual distilled SSL
2023).
"""

import math
import warnings

import pandas as pd

from sernb.core.errors import SernbError, some
from sernb.protocols.folds import Fold, groups_of, possible, random_split

# Test and validation actors of each fold in arXiv 2606.03359 (ResLSTM-SA), to compare with its numbers on
# RAVDESS.
RAVDESS = (
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
    strange = sorted(groups[~actors.isin(range(1, 25))].unique())
    if strange:
        raise SernbError(
            f"{protocol} are made of RAVDESS's actors 1 to 24; these utterances have speakers "
            f"{some(strange)}. {possible(utterances)}"
        )

    folds = []
    for number, (test, validation) in enumerate(RAVDESS, 1):
        tested, validated = actors.isin(test), actors.isin(validation)
        rows = (~tested & ~validated, validated, tested)
        fold = Fold(f"fold {number}", *(utterances.index[part] for part in rows))
        for part, ids in fold.parts().items():
            if ids.empty:
                raise SernbError(
                    f"{protocol}: fold {number} has nothing in its {part} part: actors "
                    f"{some(sorted(actors.unique()))} are here. {possible(utterances)}"
                )
        folds.append(fold)

    absent = sorted(set(range(1, 25)) - set(actors))
    if absent:
        warnings.warn(
            f"{protocol}: actors {some(absent)} are missing, so numbers do not compare.", stacklevel=2
        )
    return folds


def distilser_split(utterances: pd.DataFrame, seed: int = 0) -> list[Fold]:
    """DistilSER's split (2024): random, stratified, 81 / 9 / 10 %.

    That is 4,479 / 498 / 554 of IEMOCAP's 5,531 utterances. A tenth is set aside for the test, then a tenth
    of the rest for validation, each rounded up. The authors' draw is not known, so neither are their
    utterances: `seed` is ours. Warns, as `random_split` does, of shared speakers.
    """
    count = len(utterances)
    test = math.ceil(count / 10)
    validation = math.ceil((count - test) / 10)
    return random_split(utterances, test / count, validation / count, seed, protocol="distilser")
