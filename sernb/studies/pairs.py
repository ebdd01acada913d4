"""Pairs of sound and words to distil from: no label, and which of them are worth it by the teacher's word.

Source: R. Li, J. Zhao, Q. Jin, "Speech Emotion Recognition via Multi-Level Cross-Modal Distillation", Interspeech 2022,
3.1.2 (how EmoATMovie was chosen).
"""

import re
import warnings
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from sernb.core.errors import SernbError, some
from sernb.features.text import EMPTY, clean

SHORTEST = 1.5  # seconds (3.1.2)
FEWEST_WORDS = 2  # "transcript with only one word" goes (3.1.2)
# "Emotion salient by the prediction probability" (3.1.2): the paper gives no threshold. At one half the class is likelier
# than all others together.
CONFIDENT = 0.5
FOREIGN = (
    0.5  # share of words that the teacher does not know whole, above which it hardly reads this language
)
WORD = re.compile(r"\w")
NEEDED = ["text", "seconds", "start", "end"]


def select(
    utterances: pd.DataFrame,
    teacher_answers: pd.DataFrame,
    shortest: float = SHORTEST,
    fewest_words: int = FEWEST_WORDS,
    confident: float = CONFIDENT,
    balance: str | Mapping[str, int] | None = None,
    seconds: Sequence[float] | None = None,
    seed: int = 0,
) -> tuple[pd.Index, pd.DataFrame]:
    """The utterances to distil from, in the table's order, and a table of what was dropped and why.

    teacher_answers: a row for each utterance, a column for each class, the teacher's probabilities
    (`sernb.studies.teacher_states.answers`). shortest: seconds; durations come from `seconds`, the column "seconds", or end - start.
    confident: the least probability of the teacher's first choice. balance: None keeps all; "equal", as many of each class as
    the rarest has; {class: count}, so many of the classes named and all of the others. Whom balancing keeps is drawn with `seed`.

    Only words and durations are looked at, no label. The second table has a row a rule, in the order of the rules: rule, dropped,
    left, and how many of those left the teacher takes for each class; its `attrs["out_of_vocabulary"]` is the mean share of
    words unknown to the teacher among the kept, where `teacher_answers` has the column "out_of_vocabulary". A share above
    one half is warned of: these may be words of another language.
    Raises SernbError without words or durations, for answers that do not fit, where nothing is left, and for a class to
    balance by that has no candidate.
    """
    told = utterances[[one for one in NEEDED if one in utterances]]  # labels are out of reach from here on
    if "text" not in told:
        raise SernbError(
            f"pairs need words: there is no column 'text', only {some(utterances.columns)}. Transcribe the recordings first "
            "(sernb.features.transcripts)."
        )
    answers = _answers(teacher_answers, told.index)
    probabilities = answers.drop(columns="out_of_vocabulary", errors="ignore")
    classes = list(probabilities)
    choice = probabilities.idxmax(axis=1)
    words = told["text"].map(clean)
    count = words.map(lambda text: sum(bool(WORD.search(one)) for one in text.split()))
    rules = {
        "no words": (words != EMPTY) & (count > 0),
        f"shorter than {shortest:g} s": _seconds(told, seconds) >= shortest,
        f"fewer than {fewest_words} words": count >= fewest_words,
        f"teacher less than {confident:g} sure": probabilities.max(axis=1) >= confident,
    }
    left = pd.Series(True, told.index)
    rows = [_row("candidates", left, left, choice, classes)]
    for rule, holds in rules.items():
        before, left = left, left & holds
        rows.append(_row(rule, before, left, choice, classes))
    if balance is not None and left.any():
        before, left = left, _balanced(left, choice, classes, balance, seed)
        rows.append(_row("balance of classes", before, left, choice, classes))
    dropped = pd.DataFrame(rows)
    if not left.any():
        why = "; ".join(f"{row.rule}: {row.dropped}" for row in dropped.itertuples() if row.dropped)
        raise SernbError(f"none of {len(left)} pairs is left ({why}). Loosen the rule that took the most.")
    if "out_of_vocabulary" in answers:
        share = float(answers.loc[left, "out_of_vocabulary"].mean())
        dropped.attrs["out_of_vocabulary"] = share
        if share > FOREIGN:
            warnings.warn(
                f"{share:.0%} of the words are not in the teacher's vocabulary: it may not read this language, and what it "
                "says of these texts is then worth little.",
                stacklevel=2,
            )
    return told.index[left], dropped


def _answers(answers, index):
    missing = index.difference(answers.index)
    if len(missing):
        raise SernbError(
            f"the teacher says nothing of {len(missing)} utterances: {some(missing)}. Ask it about this table."
        )
    if answers.index.has_duplicates:
        again = answers.index[answers.index.duplicated()].unique()
        raise SernbError(f"teacher_answers has more than one row for {len(again)} utterances: {some(again)}.")
    answers = answers.loc[index]
    said = answers.drop(columns="out_of_vocabulary", errors="ignore").apply(pd.to_numeric, errors="coerce")
    if (
        said.shape[1] < 2
        or not said.to_numpy(float).min(initial=0) >= 0
        or not said.to_numpy(float).max(initial=1) <= 1
    ):
        raise SernbError(
            "teacher_answers: expected a column of probabilities (0 to 1) for each of two classes or more, got "
            f"{some(answers.columns) or 'no column'} with {int(said.isna().to_numpy().sum())} gaps and values from "
            f"{said.min().min():.3g} to {said.max().max():.3g}."
        )
    return said.assign(**answers.filter(["out_of_vocabulary"]))


def _seconds(told, seconds):
    found = told.get("seconds")
    if seconds is not None:
        if len(seconds) != len(told):
            raise SernbError(f"{len(seconds)} durations for {len(told)} utterances: give one for each.")
        found = pd.Series(np.asarray(seconds), told.index)
    elif found is None and {"start", "end"} <= set(told):
        found = told["end"] - told["start"].fillna(0.0)
    if found is None or (found := pd.to_numeric(found, errors="coerce")).isna().any():
        raise SernbError(
            "durations are not known, or no numbers: give seconds=[len(one) / 16000 for one in waveforms], in the table's order."
        )
    return found


def _balanced(left, choice, classes, balance, seed):
    there = choice[left].value_counts().reindex(classes, fill_value=0)
    if isinstance(balance, str):
        if balance != "equal":
            raise SernbError(f"balance is {balance!r}; choose None, 'equal' or {{class: count}}.")
        balance = dict.fromkeys(classes, int(there.min()))
        if not there.min():
            _no_candidate(there[there == 0].index)
    elif not isinstance(balance, Mapping) or any(
        not isinstance(one, int | np.integer) or one < 0 for one in balance.values()
    ):
        raise SernbError(
            f"balance is {balance!r}; choose None, 'equal' or {{class: a whole number of pairs}}."
        )
    if unknown := [one for one in balance if one not in classes]:
        raise SernbError(f"balance names {some(unknown)}; the teacher knows {', '.join(classes)}.")
    if lacking := [one for one, count in balance.items() if count and not there[one]]:
        _no_candidate(lacking)
    if few := [f"{one} ({there[one]} of {count})" for one, count in balance.items() if there[one] < count]:
        warnings.warn(f"fewer pairs than asked for: {', '.join(few)}.", stacklevel=4)
    rng, kept = np.random.default_rng(seed), left.copy()
    for one, count in balance.items():
        mine = np.flatnonzero(left & (choice == one))
        kept.iloc[rng.permutation(mine)[count:]] = False
    return kept


def _no_candidate(classes):
    raise SernbError(
        f"no pair is left that the teacher takes for {', '.join(classes)}: balance other classes, lower `confident`, or bring "
        "more pairs."
    )


def _row(rule, before, left, choice, classes):
    counts = choice[left].value_counts().reindex(classes, fill_value=0)
    return {"rule": rule, "dropped": int(before.sum() - left.sum()), "left": int(left.sum()), **counts}
