import pandas as pd
import pytest

from sernb import protocols
from sernb.core.errors import SernbError
from tests.protocols.tables import check_folds, speakers, utterances


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


def test_distilser_split_has_the_papers_counts():
    """Of IEMOCAP's 5,531 utterances: 4,479 / 498 / 554, alike in emotions."""
    counts = {"neutral": 1708, "happy": 1636, "angry": 1103, "sad": 1084}
    labels = [label for label, count in counts.items() for _ in range(count)]
    table = pd.DataFrame({"emotion": labels, "speaker": [str(row % 10) for row in range(5531)]})
    table.index = pd.Index([f"u{row}" for row in range(5531)], name="utterance")
    with pytest.warns(UserWarning, match="distilser: 10 speakers are both trained on and tested"):
        (fold,) = protocols.by_name("distilser", table)
    assert [len(ids) for ids in fold.parts().values()] == [4479, 498, 554]
    assert len(set().union(*fold.parts().values())) == 5531
    for label, count in counts.items():
        for ids in fold.parts().values():
            assert (table.loc[ids, "emotion"] == label).sum() == pytest.approx(count * len(ids) / 5531, abs=1)
