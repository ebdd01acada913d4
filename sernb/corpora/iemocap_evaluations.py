"""What IEMOCAP's evaluators said: the files of dialog/EmoEvaluation, one a dialogue.

    [6.2901 - 8.2357]	Ses01F_impro01_F000	neu	[2.5000, 2.5000, 2.5000]
    C-E2:	Neutral;	()
    C-F1:	Neutral; Anger;	(curious)
    A-E3:	val 3; act 2; dom  2;	()

The first line is the summary: seconds in the dialogue, utterance, label of the majority, and the evaluators' means in
the order valence, activation, dominance. C-E and A-E lines are single evaluators' categories and ratings; C-F, C-M,
A-F, A-M are the actors' own of themselves, and do not count in the summary.
"""

import re
from pathlib import Path
from typing import NamedTuple

from sernb.corpora.encoding import read_text
from sernb.corpora.labels import IEMOCAP, KNOWN

DIMENSIONS = {"act": "arousal", "val": "valence", "dom": "dominance"}
WORDS = KNOWN | {
    "neutral state": "neutral",
    "frustration": "frustrated",
    "excited": "excited",
    "other": "other",
}
_NUMBER = r"\s*(\d+(?:\.\d+)?)\s*"
_SUMMARY = re.compile(rf"\[{_NUMBER}-{_NUMBER}\]\s+(\S+)\s+(\S+)\s+\[{_NUMBER},{_NUMBER},{_NUMBER}\]")
_NAME = re.compile(r"((Ses0[1-5])[FM]_(impro|script)\w*)_([FM])\w+")
_JUDGEMENT = re.compile(r"([CA])-([EFM])(\d*)\s*:(.*)")
_RATING = re.compile(r"\b(val|act|dom)\s*(\d+(?:\.\d+)?)")
_FILED = re.compile(r"(\S+)\s*:(.*)")


class Evaluations(NamedTuple):
    """`rows`: columns of each utterance; `bad`: lines that are none ({utterance, path, why}); `note`: of the encoding."""

    rows: list[dict]
    bad: list[dict]
    note: str | None


def read(path: Path) -> Evaluations:
    """The evaluations of one dialogue. Lines other than those above, and summaries that do not fit, are `bad`.

    A row's `place` names the session's folder too, since two sessions may hold files of one name.
    """
    text, note = read_text(path)
    session = path.parents[2].name
    rows, bad, row = [], [], None
    for number, line in enumerate(text.split("\n"), 1):
        line = line.strip()
        if not line or line.startswith("%"):
            continue
        if line.startswith("["):
            row = _summary(line)
            if isinstance(row, dict):
                rows.append({"place": f"{session}, {path.name} line {number}", **row})
            else:
                bad.append({"utterance": _word(line), "path": str(path), "why": f"line {number}: {row}"})
        elif judgement := _JUDGEMENT.fullmatch(line):
            if isinstance(row, dict):
                _judge(rows[-1], *judgement.groups())
            elif row is None:  # else it is of an utterance that cannot be used, and was named already
                why = f"line {number}: a judgement before any utterance"
                bad.append({"utterance": line[:30], "path": str(path), "why": why})
        else:
            bad.append({"utterance": _word(line), "path": str(path), "why": f"line {number}: not understood"})
    return Evaluations(rows, bad, note)


def _word(line: str) -> str:
    return next((word for word in line.split() if word.startswith("Ses")), line[:30])


def _summary(line: str) -> dict | str:
    """The columns that a summary line gives, or what is wrong with it."""
    match = _SUMMARY.match(line)
    if not match:
        return "expected [start - end] name label [valence, activation, dominance]"
    name = _NAME.fullmatch(match[3])
    if not name:
        return f"{match[3]} is no name like Ses01F_impro01_F000"
    if match[4] not in IEMOCAP:
        return f"label {match[4]!r} is none of {', '.join(IEMOCAP)}"
    begin, end, valence, arousal, dominance = (float(match[group]) for group in (1, 2, 5, 6, 7))
    session, speaker = name[2], name[4]  # Ses01F_impro01_M000: F wore the sensors, M speaks
    return {
        "utterance": match[3],
        "speaker": session + speaker,
        "gender": "female" if speaker == "F" else "male",
        "session": session,
        "label": match[4],
        "arousal": arousal,
        "valence": valence,
        "dominance": dominance,
        "dialogue": name[1],
        "scenario": "improvised" if name[3] == "impro" else "scripted",
        "dialogue_start": begin,
        "dialogue_end": end,
    }


def _judge(row: dict, kind: str, who: str, number: str, said: str) -> None:
    """Adds what one evaluator said: emotion_2, arousal_2, … of evaluator E2, emotion_self, … of the actor."""
    suffix = number if who == "E" else "self"
    if kind == "C":
        words = categories(said)
        if words:
            row[f"emotion_{suffix}"] = "; ".join(words)
    else:
        row |= {f"{dimension}_{suffix}": value for dimension, value in attributes(said).items()}


def categories(said: str) -> list[str]:
    """["neutral", "angry"] of "Neutral; Anger; (curious)": the kit's words, without the comment."""
    words = [word.strip().lower() for word in re.sub(r"\(.*", "", said).split(";")]
    return [WORDS.get(word, word) for word in words if word]


def attributes(said: str) -> dict[str, float]:
    """{"valence": 3.0, …} of "val 3; act 2; dom  ; (unsure)": a rating that was left empty is not there."""
    found = _RATING.findall(re.sub(r"\(.*", "", said))
    return {DIMENSIONS[code]: float(value) for code, value in found}


def disagreements(rows: list[dict], folder: Path) -> list[str]:
    """Where an evaluator's own file (Categorical/…_e2_cat.txt, Attribute/…_e2_atr.txt) says another thing than `rows`."""
    rows_by_name = {row["utterance"]: row for row in rows}
    differ = []
    for path in sorted([*folder.glob("Categorical/[!.]*_cat.txt"), *folder.glob("Attribute/[!.]*_atr.txt")]):
        evaluator = re.search(r"_e(\d)_(cat|atr)$", path.stem)
        for line in read_text(path)[0].split("\n") if evaluator else ():
            filed = _FILED.match(line.strip())
            row = rows_by_name.get(filed[1]) if filed else None
            if row is None:
                continue
            if evaluator[2] == "cat":
                theirs = {f"emotion_{evaluator[1]}": "; ".join(categories(filed[2].replace(":", "")))}
            else:
                theirs = {f"{name}_{evaluator[1]}": value for name, value in attributes(filed[2]).items()}
            if any(row.get(column) != value for column, value in theirs.items()):
                differ.append(f"{filed[1]} (evaluator {evaluator[1]}, {path.name})")
    return differ
