"""What every check is made of: a finding, an utterance's part, and how far a guess gets under the folds."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd

from sernb.core.errors import SernbError
from sernb.evaluation import bootstrap
from sernb.protocols import Fold

SEVERITIES = ("leak", "caution", "not checked", "fine")
SHOWN = 10  # utterances that a finding names
CHANCE_MARGIN = 0.05  # by how much the interval must lie above chance before something "tells" the emotion


def finding(check: str, severity: str, sentence: str, utterances=(), value: float = float("nan")) -> dict:
    """A row of the audit, `utterances` being ids, worst first, of which ten are kept."""
    row = {"check": check, "severity": severity, "finding": sentence}
    return row | {"utterances": list(dict.fromkeys(map(str, utterances)))[:SHOWN], "value": float(value)}


def count(number: int, noun: str, plural: str = "") -> str:
    """ "1 fold", "10 folds"."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def part_codes(fold: Fold, index: pd.Index) -> np.ndarray:
    """The part of each utterance, int8 `(utterances,)`: 0 none, 1 train, 2 validation, 3 test."""
    codes = np.zeros(len(index), np.int8)
    for code, part in enumerate((fold.train, fold.validation, fold.test), 1):
        rows = index.get_indexer(part)
        if (rows < 0).any():
            lack = f"{(rows < 0).sum()} utterances that the table lacks, the first is {part[rows < 0][0]!r}"
            raise SernbError(f"fold {fold.name!r} has {lack}. Make the folds from the same table.")
        codes[rows] = code
    return codes


def guessed(
    utterances: pd.DataFrame, folds: list[Fold], known: np.ndarray, guess: Callable, name: str
) -> pd.DataFrame:
    """Predictions of the emotion on each fold; empty where none can be made.

    Args:
        utterances, folds, name: the corpus, and the column `model`. What several folds test is answered once.
        known: which utterances can be learnt from and tested, bool `(utterances,)`, if they have a label.
        guess: row numbers of the training and the test part → emotions of the test part.
    """
    labels = utterances["emotion"].astype(object).to_numpy()
    tables = [pd.DataFrame(columns=["fold", "model", "emotion", "predicted"])]
    for fold in folds:
        part = part_codes(fold, utterances.index)
        train, test = (np.flatnonzero((part == code) & known & pd.notna(labels)) for code in (1, 3))
        if len(train) and len(test):
            answers = {"emotion": labels[test], "predicted": guess(train, test)}
            tables.append(pd.DataFrame({"fold": fold.name, "model": name} | answers, utterances.index[test]))
    table = pd.concat(tables[1:] or tables)
    if "speaker" in utterances:
        table["speaker"] = utterances["speaker"].reindex(table.index)
    return table[~table.index.duplicated()].rename_axis("utterance")


class Uar(NamedTuple):
    """A UAR with its 95 % interval, chance, and the unit that is drawn; NaN without guesses."""

    value: float = np.nan
    low: float = np.nan
    high: float = np.nan
    chance: float = np.nan
    unit: str = ""

    @property
    def tells(self) -> bool:
        return self.low > self.chance + CHANCE_MARGIN

    def __str__(self):
        return f"a UAR of {self.value:.2f} [{self.low:.2f}, {self.high:.2f}]"


def uar(predictions: pd.DataFrame) -> Uar:
    """By speaker where all are known and there is more than one, else by utterance."""
    if predictions.empty:
        return Uar()
    known = "speaker" in predictions and predictions["speaker"].notna().all()
    unit = "speaker" if known and predictions["speaker"].nunique() > 1 else "utterance"
    row = bootstrap(predictions, "UAR", unit=unit, n=1000).iloc[0]
    return Uar(row["value"], row["low"], row["high"], 1 / predictions["emotion"].nunique(), unit)
