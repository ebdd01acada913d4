"""IEMOCAP (Busso et al. 2008): English, ten actors in five sessions, scripted and improvised dialogues.

10,039 utterances, each with the label of the majority of its evaluators, their ratings (1 to 5), and a
transcript. What the evaluators said stands in dialog/EmoEvaluation, a file a dialogue:

    [6.2901 - 8.2357]	Ses01F_impro01_F000	neu	[2.5000, 2.5000, 2.5000]
    C-E2:	Neutral;	()
    C-F1:	Neutral; Anger;	(curious)
    A-E3:	val 3; act 2; dom  2;	()

The first line is the summary: seconds in the dialogue, utterance, label of the majority, and the evaluators'
means of valence, activation, dominance. C-E and A-E lines are single evaluators' categories and ratings; C-F,
C-M, A-F, A-M are the actors' own of themselves, and do not count in the summary.
"""

import re
from pathlib import Path

import numpy as np
import pandas as pd

from sernb.core.errors import SernbError, some
from sernb.core.files import audio_files
from sernb.core.tables import DIMENSIONS
from sernb.corpora.corpus import Corpus
from sernb.corpora.files import compare_counts, read_text
from sernb.corpora.labels import KNOWN
from sernb.corpora.sheets import Sheet

CORPUS = Corpus(
    title="IEMOCAP",
    holds="English, scripted and improvised; 10,039 utterances, 10 actors, 5 sessions; words and ratings",
    licence="for research, by agreement with USC",
    obtain="ask for it with the release form of https://sail.usc.edu/iemocap",
    layout="Session1/dialog/EmoEvaluation/, …/dialog/transcriptions/, …/sentences/wav/, … to Session5",
    protocol="leave-one-session-out",
)
SCALE = (1, 5)
PUBLISHED = dict(neu=1708, hap=595, sad=1084, ang=1103, fea=40, dis=2, sur=107)
PUBLISHED |= dict(fru=1849, exc=1041, oth=3, xxx=2507)
# What most evaluators chose; xxx is no majority, oth is other.
EMOTIONS = {code: KNOWN[code] for code in ("neu", "hap", "sad", "ang", "fea", "dis", "sur")}
EMOTIONS |= dict(fru="frustrated", exc="excited", oth=None, xxx=None)
MEANT = {"xxx": "xxx, no majority", "oth": "oth, other"}
FOUR = ("neutral", "happy", "sad", "angry")
WORDS = KNOWN | {"neutral state": "neutral", "frustration": "frustrated"}  # of single evaluators
RATINGS = {"val": "valence", "act": "arousal", "dom": "dominance"}
ROUNDING = 0.01  # the summaries are printed with four digits

_NUMBER = r"\s*(\d+(?:\.\d+)?)\s*"
_SUMMARY = re.compile(rf"\[{_NUMBER}-{_NUMBER}\]\s+(\S+)\s+(\S+)\s+\[{_NUMBER},{_NUMBER},{_NUMBER}\]")
# Ses01F_impro01_M000: F wore the sensors, M speaks.
_NAME = re.compile(r"((Ses0[1-5])[FM]_(impro|script)\w*)_([FM])\w+")
_JUDGEMENT = re.compile(r"([CA])-([EFM])(\d*)\s*:(.*)")
_RATING = re.compile(r"\b(val|act|dom)\s*(\d+(?:\.\d+)?)")
_FILED = re.compile(r"(\S+)\s*:(.*)")
_TRANSCRIPT = re.compile(r"(Ses\w+)\s+\[[\d.\s]*-[\d.\s]*\]:\s*(.*)")


def load(
    root: str | Path,
    on_bad: str = "raise",
    classes: str = "four",
    excited_is_happy: bool = True,
    recordings: bool | None = None,
) -> pd.DataFrame:
    """Utterances of IEMOCAP below `root`, the folder that holds Session1 to Session5.

    Args:
        root, on_bad: the folder; "skip" leaves out what cannot be used.
        classes: "four" keeps neutral, happy, sad and angry; "all" keeps every utterance, with "frustrated"
            (and "excited") as its own classes, and no emotion without a majority (xxx) or for "other".
        excited_is_happy: count exc as happy, as the four-class studies do.
        recordings: False reads words and labels only, True makes it an error that there is no sound.

    Returns:
        An utterances table; arousal, valence and dominance are the evaluators' means. Further columns: label
        (the corpus's code), scenario (improvised, scripted), dialogue, dialogue_start and _end (seconds);
        emotion_1, arousal_1, … of each evaluator ("neutral; angry"), emotion_self, … of the actor;
        arousal_spread, … (standard deviation of the evaluators, over n), agreement (the share of evaluators
        who named the label). attrs["notes"] count what is left out.

    Raises:
        SernbError: a folder without the sessions, and what cannot be used unless `on_bad="skip"`.
    """
    if classes not in ("four", "all"):
        raise SernbError(f"IEMOCAP: classes must be 'four' or 'all', got {classes!r}.")
    sessions, notes = _sessions(Path(root)), []
    if absent := {*"12345"} - {session.name[-1] for session in sessions}:
        notes.append(f"IEMOCAP: sessions {', '.join(sorted(absent))} are missing.")

    # Labels and ratings, words, recordings.
    rows, bad = _evaluations(sessions, notes)
    if not rows:
        raise CORPUS.lacks(root, "the files in dialog/EmoEvaluation name no utterance")
    sheet = Sheet(pd.DataFrame(rows).set_index("place"), CORPUS.title, root, on_bad, bad)
    sheet.expect_once()
    sheet.expect_ratings({dimension: dimension for dimension in DIMENSIONS}, SCALE)
    sheet.table["text"] = sheet.table["utterance"].map(_transcripts(sessions, sheet.table, notes))
    sounds = [folder for session in sessions if (folder := session / "sentences" / "wav").is_dir()]
    clips = ((path.stem, path) for folder in sounds for path in audio_files(folder))
    example = "Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_F000.wav"
    sheet.add_recordings(clips, recordings, example)
    table = sheet.usable()
    notes += sheet.notes + compare_counts(table, "label", PUBLISHED, CORPUS.title)
    _add_spread(table, notes)

    # The four classes, or all of them.
    emotions = EMOTIONS | ({"exc": "happy"} if excited_is_happy else {})
    table.insert(0, "emotion", table["label"].map(emotions))
    four = classes == "four"
    without = ~table["emotion"].isin(FOUR) if four else table["emotion"].isna()
    if four and without.all():
        raise SernbError(f"IEMOCAP: none of {len(table)} utterances is neutral, happy, sad or angry.")
    if without.any():
        counts = table["label"][without].value_counts().rename(MEANT)
        codes = "; ".join(f"{count} {code}" for code, count in counts.items())
        aside = 'are of none of the four classes, so left out; classes="all" keeps them'
        what = aside if four else "have no emotion"
        notes.append(f"IEMOCAP: {without.sum()} of {len(table)} utterances {what} ({codes}).")
    table = table[~without].copy() if four else table
    own = [emotion for emotion in ("frustrated", "excited") if emotion in set(table["emotion"])]
    table.attrs = {"scale": SCALE, "own_labels": own, "notes": notes, "skipped": sheet.skipped}
    return table


def _sessions(root: Path) -> list[Path]:
    """The folders Session1 … Session5, in `root` or (as released) in the one folder below that has them."""
    for folder in (root, *sorted(path for path in root.iterdir() if path.is_dir())):
        found = sorted(folder.glob("Session[1-5]/dialog/EmoEvaluation"))
        if sessions := [path.parents[1] for path in found if path.is_dir()]:
            return sessions
    raise CORPUS.lacks(root, "no Session1/dialog/EmoEvaluation … is in this folder")


def _evaluations(sessions: list[Path], notes: list[str]) -> tuple[list[dict], list[dict]]:
    """The rows of all dialogues, and lines that cannot be used; notes tell of encodings and disagreement."""
    rows, bad, differ = [], [], []
    for session in sessions:
        folder, own = session / "dialog" / "EmoEvaluation", []
        for path in sorted(folder.glob("[!.]*.txt")):
            text, note = read_text(path)
            notes += [note] if note else []
            read, wrong = _dialogue(text, f"{session.name}, {path.name}")
            own += read
            bad += [{**line, "path": str(path)} for line in wrong]
        rows += own
        differ += _disagreements(own, folder)
    if differ:
        where = f"between an evaluator's own file and the dialogue's, which is taken: {some(differ)}"
        notes.append(f"IEMOCAP: {len(differ)} judgements differ {where}.")
    return rows, bad


def _dialogue(text: str, source: str) -> tuple[list[dict], list[dict]]:
    """The columns of each utterance of one dialogue, and {utterance, why} of the lines that are none."""
    rows, bad, row = [], [], None
    for number, line in enumerate(text.split("\n"), 1):
        line, why = line.strip(), None
        if not line or line.startswith("%"):
            continue
        if line.startswith("["):
            row = _summary(line)
            if isinstance(row, str):
                why = row
            else:
                rows.append({"place": f"{source} line {number}", **row})
        elif not (judgement := _JUDGEMENT.fullmatch(line)):
            why = "not understood"
        elif row is None:
            why = "a judgement before any utterance"
        elif isinstance(row, dict):  # else it is of an utterance that cannot be used, and was named already
            kind, who, evaluator, words = judgement.groups()
            suffix = evaluator if who == "E" else "self"
            judged = _judged(kind, words).items()
            rows[-1] |= {f"{column}_{suffix}": value for column, value in judged if value != ""}
        if why:
            name = next((word for word in line.split() if word.startswith("Ses")), line[:30])
            bad.append({"utterance": name, "why": f"line {number}: {why}"})
    return rows, bad


def _summary(line: str) -> dict | str:
    """The columns that a summary line gives, or what is wrong with it."""
    match = _SUMMARY.match(line)
    if not match:
        return "expected [start - end] name label [valence, activation, dominance]"
    name = _NAME.fullmatch(match[3])
    if not name:
        return f"{match[3]} is no name like Ses01F_impro01_F000"
    if match[4] not in EMOTIONS:
        return f"label {match[4]!r} is none of {', '.join(EMOTIONS)}"
    dialogue, session, scenario, speaker = name.groups()
    begin, end, valence, arousal, dominance = (float(match[group]) for group in (1, 2, 5, 6, 7))
    gender = "female" if speaker == "F" else "male"
    row = dict(utterance=match[3], speaker=session + speaker, gender=gender, session=session, label=match[4])
    row |= dict(arousal=arousal, valence=valence, dominance=dominance, dialogue=dialogue)
    row["scenario"] = "improvised" if scenario == "impro" else "scripted"
    return row | dict(dialogue_start=begin, dialogue_end=end)


def _judged(kind: str, judgement: str) -> dict[str, str | float]:
    """{"emotion": "neutral; angry"} of "Neutral; Anger; (curious)", {"valence": 3.0} of "val 3; act  ;"."""
    judgement = re.sub(r"\(.*", "", judgement)
    if kind == "A":
        return {RATINGS[code]: float(value) for code, value in _RATING.findall(judgement)}
    words = [word for part in judgement.split(";") if (word := part.strip().lower())]
    return {"emotion": "; ".join(WORDS.get(word, word) for word in words)}


def _disagreements(rows: list[dict], folder: Path) -> list[str]:
    """Where evaluators' own files (Categorical/…_e2_cat.txt, Attribute/…_e2_atr.txt) say otherwise."""
    by_name = {row["utterance"]: row for row in rows}
    differ = []
    for path in sorted([*folder.glob("Categorical/[!.]*_cat.txt"), *folder.glob("Attribute/[!.]*_atr.txt")]):
        evaluator = re.search(r"_e(\d)_(cat|atr)$", path.stem)
        for line in read_text(path)[0].split("\n") if evaluator else ():
            filed = _FILED.match(line.strip())
            row = by_name.get(filed[1]) if filed else None
            if row is not None:
                theirs = _judged("A" if evaluator[2] == "atr" else "C", filed[2].replace(":", ""))
                if any(row.get(f"{column}_{evaluator[1]}") != value for column, value in theirs.items()):
                    differ.append(f"{filed[1]} (evaluator {evaluator[1]}, {path.name})")
    return differ


def _transcripts(sessions: list[Path], table: pd.DataFrame, notes: list[str]) -> dict[str, str]:
    """{utterance: its words}; notes tell of dialogues without a file and utterances without words."""
    texts, dialogues = {}, set()
    for session in sessions:
        for path in sorted((session / "dialog" / "transcriptions").glob("[!.]*.txt")):
            text, note = read_text(path)
            notes += [note] if note else []
            dialogues.add(path.stem)
            for line in text.split("\n"):
                if (match := _TRANSCRIPT.fullmatch(line.strip())) and match[2]:
                    texts.setdefault(match[1], match[2])
    if absent := sorted(set(table["dialogue"]) - dialogues):
        notes.append(f"IEMOCAP: {len(absent)} dialogues have no transcript file: {some(absent)}.")
    if without := [name for name in table["utterance"] if name not in texts]:
        notes.append(f"IEMOCAP: {len(without)} utterances have no transcript: {some(without)}.")
    return texts


def _add_spread(table: pd.DataFrame, notes: list[str]) -> None:
    """Adds the evaluators' spread and agreement; notes where a summary is not the mean of its evaluators."""
    off = pd.Series(False, table.index)
    for dimension in DIMENSIONS:
        single = table.filter(regex=rf"^{dimension}_\d+$").astype(float)
        table[f"{dimension}_spread"] = single.std(axis=1, ddof=0)
        off |= (single.mean(axis=1) - table[dimension]).abs() > ROUNDING
    if off.any():
        why = f"is not the mean of its evaluators' ratings; the summary is kept: {some(table.index[off])}"
        notes.append(f"IEMOCAP: in {off.sum()} utterances the summary {why}.")
    chosen = table.filter(regex=r"^emotion_\d+$").to_numpy(object)
    agreement = []
    for label, judgements in zip(table["label"].map(EMOTIONS), chosen, strict=True):
        named = [label in judgement.split("; ") for judgement in judgements if isinstance(judgement, str)]
        agreement.append(np.mean(named) if named and isinstance(label, str) else np.nan)
    table["agreement"] = agreement
