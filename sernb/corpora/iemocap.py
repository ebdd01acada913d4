"""IEMOCAP (Busso et al. 2008): English, ten actors in five sessions of two, scripted and improvised dialogues.

10,039 utterances, each with the label of the majority of its evaluators, their ratings (1 to 5), and a transcript.
"""

import re
from pathlib import Path

import numpy as np
import pandas as pd

from sernb.core.errors import SernbError, some
from sernb.corpora import folder, iemocap_evaluations, labels, published
from sernb.corpora.encoding import read_text

TITLE = "IEMOCAP"
LAYOUT = (
    "Session1/dialog/EmoEvaluation/Ses01F_impro01.txt, Session1/dialog/transcriptions/Ses01F_impro01.txt, "
    "Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_F000.wav, … to Session5"
)
SCALE = (1, 5)
PUBLISHED = dict(
    ang=1103, dis=2, exc=1041, fea=40, fru=1849, hap=595, neu=1708, oth=3, sad=1084, sur=107, xxx=2507
)
FOUR = ("neutral", "happy", "sad", "angry")
DIMENSIONS = ("arousal", "valence", "dominance")
ROUNDING = 0.01  # the summaries are printed with four digits
_TRANSCRIPT = re.compile(r"(Ses\w+)\s+\[[\d.\s]*-[\d.\s]*\]:\s*(.*)")


def load(
    root: str | Path,
    on_bad: str = "raise",
    classes: str = "four",
    excited_is_happy: bool = True,
    recordings: bool | None = None,
) -> pd.DataFrame:
    """Utterances of IEMOCAP below `root`, the folder that holds Session1 to Session5.

    `classes="four"` keeps neutral, happy, sad and angry; "all" keeps every utterance, with "frustrated" (and "excited")
    as classes of the corpus's own, and no emotion where the evaluators had no majority (xxx) or chose "other".
    `excited_is_happy` counts exc as happy, as the four-class studies do. attrs["notes"] count what is left out.

    Beside the usual columns (arousal, valence, dominance: the evaluators' means): label (the corpus's code), scenario
    (improvised, scripted), dialogue, dialogue_start and dialogue_end (seconds); emotion_1 … and arousal_1 … of each
    evaluator (several emotions as "neutral; angry"), emotion_self, arousal_self, … of the actor; arousal_spread, … (the
    standard deviation of the evaluators' ratings, over n) and agreement (the share of evaluators who named the label).

    `recordings=False` reads words and labels only, True makes it an error that there is no sound. Raises SernbError for
    a folder without the sessions, and for what cannot be used unless `on_bad="skip"`.
    """
    root = Path(root)
    if classes not in ("four", "all"):
        raise SernbError(f"{TITLE}: classes must be 'four' or 'all', got {classes!r}.")
    sessions = _sessions(root)
    notes = [f"{TITLE}: sessions {_absent(sessions)} are missing."] if len(sessions) < 5 else []
    rows, bad = _evaluated(sessions, root, notes)
    table, why = pd.DataFrame(rows).set_index("place"), {}
    published.repeated(table["utterance"], why)
    for dimension in DIMENSIONS:
        for row in table.index[~table[dimension].between(*SCALE)]:
            why.setdefault(row, f"{dimension} is {table.at[row, dimension]:g}, expected 1 to 5")
    table["text"] = table["utterance"].map(_transcripts(sessions, table, notes))
    found, twice = ({}, []) if recordings is False else _sounds(sessions, root, on_bad)
    table, more = published.recordings(
        table, found, recordings, TITLE, "Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_F000.wav", why
    )
    table = published.leave_out(table, why, bad, str(root), on_bad)
    bad += twice
    notes += more + folder.count(table, PUBLISHED, TITLE, "label", "utterances")
    _add_spread(table, notes)
    meaning = labels.IEMOCAP | ({"exc": "happy"} if excited_is_happy else {})
    table.insert(0, "emotion", table["label"].map(meaning))
    if classes == "four":
        table = _four(table, notes)
    elif (without := table["emotion"].isna()).any():
        notes.append(
            f"{TITLE}: {without.sum()} utterances have no emotion ({_codes(table['label'][without])})."
        )
    own = [word for word in ("frustrated", "excited") if word in set(table["emotion"])]
    table.attrs = {"scale": SCALE, "own_labels": own, "notes": notes, "skipped": bad}
    return table


def _sessions(root: Path) -> list[Path]:
    """The folders Session1 … Session5, in `root` or in the one folder below it that has them (as the release unpacks)."""
    for place in (root, *sorted(p for p in root.iterdir() if p.is_dir())):
        found = [place / f"Session{number}" for number in range(1, 6)]
        found = [session for session in found if (session / "dialog" / "EmoEvaluation").is_dir()]
        if found:
            return found
    raise SernbError(
        f"{root}: no Session1/dialog/EmoEvaluation … is in this folder. {TITLE} is expected as {LAYOUT}."
    )


def _evaluated(sessions: list[Path], root: Path, notes: list[str]) -> tuple[list[dict], list[dict]]:
    """The rows of all dialogues and the lines that are none; the notes tell of other encodings and of disagreement."""
    rows, bad, differ = [], [], []
    for session in sessions:
        place, own = session / "dialog" / "EmoEvaluation", []
        for path in sorted(place.glob("[!.]*.txt")):
            evaluations = iemocap_evaluations.read(path)
            own += evaluations.rows
            bad += evaluations.bad
            notes += [evaluations.note] if evaluations.note else []
        rows += own
        differ += iemocap_evaluations.disagreements(own, place)
    if not rows:
        raise SernbError(
            f"{root}: the files in dialog/EmoEvaluation name no utterance. {TITLE} is expected as {LAYOUT}."
        )
    if differ:
        notes.append(
            f"{TITLE}: {len(differ)} judgements differ between an evaluator's own file and the dialogue's file, which is "
            f"taken: {some(differ)}."
        )
    return rows, bad


def _sounds(sessions: list[Path], root: Path, on_bad: str) -> tuple[dict[str, str], list[dict]]:
    """{utterance: path}, and the clips that are found a second time, of which the first in order of paths is taken."""
    places = [session / "sentences" / "wav" for session in sessions]
    paths = (path for place in places if place.is_dir() for path in folder.audio_files(place))
    return published.each_once(((path.stem, path) for path in paths), f"{TITLE} in {root}", on_bad)


def _transcripts(sessions: list[Path], table: pd.DataFrame, notes: list[str]) -> dict[str, str]:
    """{utterance: what was said}; the notes name dialogues without a file, and count utterances without words."""
    texts, dialogues = {}, set()
    for session in sessions:
        for path in sorted((session / "dialog" / "transcriptions").glob("[!.]*.txt")):
            text, note = read_text(path)
            notes += [note] if note else []
            dialogues.add(path.stem)
            for line in text.split("\n"):
                if match := _TRANSCRIPT.fullmatch(line.strip()):
                    texts.setdefault(match[1], match[2])
    absent = sorted(set(table["dialogue"]) - dialogues)
    if absent:
        notes.append(f"{TITLE}: {len(absent)} dialogues have no transcript file: {some(absent)}.")
    without = [name for name in table["utterance"] if not texts.get(name)]
    if without:
        notes.append(f"{TITLE}: {len(without)} utterances have no transcript: {some(without)}.")
    return {name: text for name, text in texts.items() if text}


def _add_spread(table: pd.DataFrame, notes: list[str]) -> None:
    """Adds the evaluators' spread and agreement; notes where a summary is not the mean of its evaluators."""
    off = np.zeros(len(table), dtype=bool)
    for dimension in DIMENSIONS:
        single = table[[column for column in table if re.fullmatch(rf"{dimension}_\d+", column)]].astype(
            float
        )
        table[f"{dimension}_spread"] = single.std(axis=1, ddof=0)
        off |= ((single.mean(axis=1) - table[dimension]).abs() > ROUNDING).to_numpy()
    if off.any():
        notes.append(
            f"{TITLE}: in {off.sum()} utterances the summary is not the mean of its evaluators' ratings; the summary is "
            f"kept: {some(table.index[off])}."
        )
    chosen = table[[column for column in table if re.fullmatch(r"emotion_\d+", column)]]
    meaning = table["label"].map(labels.IEMOCAP)
    named = [
        [label in said.split("; ") for said in row if isinstance(said, str)] if isinstance(label, str) else []
        for label, row in zip(meaning, chosen.to_numpy(object), strict=True)
    ]
    table["agreement"] = [np.mean(one) if one else np.nan for one in named]


def _four(table: pd.DataFrame, notes: list[str]) -> pd.DataFrame:
    kept = table["emotion"].isin(FOUR)
    if not kept.all():
        notes.append(
            f"{TITLE}: {(~kept).sum()} of {len(table)} utterances are of none of the four classes, so they are left out "
            f'({_codes(table["label"][~kept])}); classes="all" keeps them.'
        )
    if not kept.any():
        raise SernbError(f"{TITLE}: none of {len(table)} utterances is neutral, happy, sad or angry.")
    return table[kept].copy()


def _codes(codes: pd.Series) -> str:
    """ "2507 xxx, no majority; 1849 fru" of the corpus's codes."""
    words = {"xxx": "xxx, no majority", "oth": "oth, other"}
    return "; ".join(f"{number} {words.get(code, code)}" for code, number in codes.value_counts().items())


def _absent(sessions: list[Path]) -> str:
    there = {session.name for session in sessions}
    return ", ".join(str(number) for number in range(1, 6) if f"Session{number}" not in there)
