"""Pairs of sound and words to distil from: no label, and which of them are worth it by the teacher's word.

Source: R. Li, J. Zhao, Q. Jin, "Speech Emotion Recognition via Multi-Level Cross-Modal Distillation",
Interspeech 2022, 3.1.2 (how EmoATMovie was chosen).
"""

import re
import warnings
from collections.abc import Sequence

import numpy as np
import pandas as pd

from sernb.core.errors import SernbError, some
from sernb.features.text import EMPTY, clean

SHORTEST = 1.5  # seconds (3.1.2)
FEWEST_WORDS = 2  # "transcript with only one word" goes (3.1.2)
# "Emotion salient by the prediction probability" (3.1.2): the paper gives no threshold. At one half the class
# is likelier than all others together.
CONFIDENT = 0.5
# Share of words that the teacher does not know whole, above which it hardly reads this language.
FOREIGN = 0.5
WORD = re.compile(r"\w")
READ = ["text", "seconds", "start", "end"]  # columns; labels are not among them
UNKNOWN = "out_of_vocabulary"  # a column of the teacher's answers that is no class


def select(
    utterances: pd.DataFrame,
    teacher_answers: pd.DataFrame,
    shortest: float = SHORTEST,
    fewest_words: int = FEWEST_WORDS,
    confident: float = CONFIDENT,
    seconds: Sequence[float] | None = None,
) -> tuple[pd.Index, pd.DataFrame]:
    """The utterances to distil from, in the table's order, and a table of what was dropped and why.

    Only words and durations are looked at, no label. A share of words unknown to the teacher above one half
    is warned of: these may be words of another language.

    Args:
        teacher_answers: A row for each utterance, a column for each class, the teacher's probabilities
            (`sernb.studies.teacher_states.answers`).
        shortest, fewest_words: Seconds and words that an utterance must have.
        confident: The least probability of the teacher's first choice.
        seconds: Duration of each utterance; None: the column "seconds", or end - start.

    Returns:
        The second table has a row a rule, in the order of the rules: rule, dropped, left, and how many of
        those left the teacher takes for each class. Its `attrs["out_of_vocabulary"]` is the mean share of
        words unknown to the teacher among the kept, where `teacher_answers` has such a column.

    Raises:
        SernbError: Without words or durations, for answers that do not fit, and where nothing is left.
    """
    table = utterances[[name for name in READ if name in utterances]]  # labels are out of reach from here on
    if "text" not in table:
        raise SernbError(
            f"pairs need words: there is no column 'text', only {some(utterances.columns)}. Transcribe the "
            "recordings first (sernb.features.transcripts)."
        )
    answers = _checked(teacher_answers, table.index)
    probabilities = answers.drop(columns=UNKNOWN, errors="ignore")
    choice, classes = probabilities.idxmax(axis=1), list(probabilities)

    # What each rule keeps
    words = table["text"].map(clean)
    count = words.map(lambda text: sum(bool(WORD.search(word)) for word in text.split()))
    rules = {
        "candidates": pd.Series(True, table.index),
        "no words": (words != EMPTY) & (count > 0),
        f"shorter than {shortest:g} s": _seconds(table, seconds) >= shortest,
        f"fewer than {fewest_words} words": count >= fewest_words,
        f"teacher less than {confident:g} sure": probabilities.max(axis=1) >= confident,
    }

    # One rule after another
    left, rows = rules["candidates"], []
    for rule, holds in rules.items():
        before, left = left, left & holds
        counts = choice[left].value_counts().reindex(classes, fill_value=0)
        rows.append({"rule": rule, "dropped": int((before & ~left).sum()), "left": int(left.sum()), **counts})
    dropped = pd.DataFrame(rows)
    if not left.any():
        why = "; ".join(f"{row.rule}: {row.dropped}" for row in dropped.itertuples() if row.dropped)
        raise SernbError(f"none of {len(left)} pairs is left ({why}). Loosen the rule that took the most.")

    # Another language
    if UNKNOWN in answers:
        dropped.attrs[UNKNOWN] = share = float(answers.loc[left, UNKNOWN].mean())
        if share > FOREIGN:
            warnings.warn(
                f"{share:.0%} of the words are not in the teacher's vocabulary: it may not read this "
                "language, and what it says of these texts is then worth little.",
                stacklevel=2,
            )
    return table.index[left], dropped


def _checked(answers, index):
    """The teacher's answers about these utterances, as numbers."""
    missing = index.difference(answers.index)
    if len(missing):
        raise SernbError(
            f"the teacher says nothing of {len(missing)} utterances: {some(missing)}. Ask it about this "
            "table."
        )
    if answers.index.has_duplicates:
        again = answers.index[answers.index.duplicated()].unique()
        raise SernbError(f"teacher_answers has more than one row for {len(again)} utterances: {some(again)}.")
    answers = answers.loc[index]
    scores = answers.drop(columns=UNKNOWN, errors="ignore").apply(pd.to_numeric, errors="coerce")
    if scores.shape[1] < 2 or scores.isna().any(axis=None) or not scores.stack().between(0, 1).all():
        raise SernbError(
            "teacher_answers: expected a column of probabilities (0 to 1) for each of two classes or more, "
            f"got {some(answers.columns) or 'no column'} with {int(scores.isna().to_numpy().sum())} gaps and "
            f"values from {scores.min().min():.3g} to {scores.max().max():.3g}."
        )
    return scores.assign(**answers.filter([UNKNOWN]))


def _seconds(table, seconds):
    """The duration of each utterance."""
    if seconds is not None:
        if len(seconds) != len(table):
            raise SernbError(f"{len(seconds)} durations for {len(table)} utterances: give one for each.")
        seconds = pd.Series(np.asarray(seconds), table.index)
    elif "seconds" in table:
        seconds = table["seconds"]
    elif {"start", "end"} <= set(table):
        seconds = table["end"] - table["start"].fillna(0.0)
    if seconds is None or (seconds := pd.to_numeric(seconds, errors="coerce")).isna().any():
        raise SernbError(
            "durations are not known, or no numbers: give seconds=[len(wave) / 16000 for wave in waveforms], "
            "in the table's order."
        )
    return seconds
