"""One finding of the audit: how grave it is, in a sentence, with the utterances to listen to."""

import pandas as pd

from sernb.evaluation import bootstrap

SEVERITIES = ("leak", "caution", "not checked", "fine")
SHOWN = 10  # utterances that a finding names
CHANCE_MARGIN = 0.05  # by how much the interval must lie above chance before something "tells" the emotion


def finding(check: str, severity: str, sentence: str, utterances=(), value: float = float("nan")) -> dict:
    """A row of the audit. `utterances`: ids, worst first; the first ten are kept."""
    ids = [str(name) for name in utterances]
    return {
        "check": check,
        "severity": severity,
        "finding": sentence,
        "utterances": list(dict.fromkeys(ids))[:SHOWN],
        "value": float(value),
    }


def uar(predictions: pd.DataFrame) -> tuple[float, float, float, float, str]:
    """UAR of a predictions table with its 95 % interval and chance: (value, low, high, chance, unit).

    By speaker where all are known and there is more than one, else by utterance.
    """
    known = "speaker" in predictions and predictions["speaker"].notna().all()
    unit = "speaker" if known and predictions["speaker"].nunique() > 1 else "utterance"
    row = bootstrap(predictions, "UAR", unit=unit, n=1000).iloc[0]
    return row["value"], row["low"], row["high"], 1 / predictions["emotion"].nunique(), unit


def gathered(tables: list[pd.DataFrame], utterances: pd.DataFrame) -> pd.DataFrame:
    """One predictions table of the folds' tables, with the speakers; an utterance that several folds test, once."""
    result = pd.concat(tables) if tables else pd.DataFrame(columns=["fold", "model", "emotion", "predicted"])
    if "speaker" in utterances:
        result["speaker"] = utterances["speaker"].reindex(result.index)
    return result[~result.index.duplicated()].rename_axis("utterance")


def tells(low: float, chance: float) -> bool:
    """Whether an interval that begins at `low` lies clearly above chance; never where there is no interval."""
    return low > chance + CHANCE_MARGIN


def count(number: int, one: str, many: str = "") -> str:
    """ "1 fold", "10 folds"."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
