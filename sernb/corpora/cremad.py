"""CREMA-D (Cao et al. 2014): English, acted, 91 actors, 12 sentences, 6 emotions, 7,442 recordings.

A name such as 1001_IEO_ANG_HI.wav says: actor 1001, sentence IEO, acted emotion ANG (angry), intensity high. The
emotion is what the actor was told; what listeners heard stands in processedResults/summaryTable.csv.
"""

import re
from pathlib import Path

import pandas as pd

from sernb.core.errors import SernbError
from sernb.corpora import folder, labels, published
from sernb.corpora.git_lfs import pointers

TITLE = "CREMA-D"
LAYOUT = "AudioWAV/1001_DFA_ANG_XX.wav, … (7,442 recordings, wav or flac, in any folder below)"
PUBLISHED = dict(neutral=1087, happy=1271, sad=1271, angry=1271, fearful=1271, disgusted=1271)
INTENSITY = {"LO": "low", "MD": "medium", "HI": "high", "XX": "unspecified", "X": "unspecified"}
ACTORS = range(1001, 1092)  # 48 men and 43 women
FEMALE = {
    1000 + number for number in (2, 3, 4, 6, 7, 8, 9, 10, 12, 13, 18, 20, 21, 24, 25, 28, 29, 30, 37, 43, 46)
}
FEMALE |= {
    1000 + number for number in (47, 49, 52, 53, 54, 55, 56, 58, 60, 61, 63, 72, 73, 74, 75, 76, 78, 79, 82)
}
FEMALE |= {1084, 1089, 1091}
SENTENCES = {
    "IEO": "It's eleven o'clock.",
    "TIE": "That is exactly what happened.",
    "IOM": "I'm on my way to the meeting.",
    "IWW": "I wonder what this is about.",
    "TAI": "The airplane is almost full.",
    "MTI": "Maybe tomorrow it will be cold.",
    "IWL": "I would like a new alarm clock.",
    "ITH": "I think I have a doctor's appointment.",
    "DFA": "Don't forget a jacket.",
    "ITS": "I think I've seen this before.",
    "TSI": "The surface is slick.",
    "WSI": "We'll stop in a couple of minutes.",
}
HEARD = {"A": "angry", "D": "disgusted", "F": "fearful", "H": "happy", "N": "neutral", "S": "sad"}
_NAME = re.compile(r"(\d{4})_([A-Z]{3})_([A-Z]{3})_([A-Z]{1,2})")  # 1040_ITH_SAD_X has one X


def load(root: str | Path, on_bad: str = "raise") -> pd.DataFrame:
    """Utterances of CREMA-D below `root`, by file name.

    Beside the usual columns: sentence (IEO, …) and intensity (low, medium, high, unspecified). With
    VideoDemographics.csv: age. With processedResults/summaryTable.csv: heard, the emotion that most listeners chose
    from the voice alone ("angry; sad" for a tie). Raises SernbError for a folder without its files, for files that git
    left as LFS pointers, and for names outside its code unless `on_bad="skip"`.
    """
    table, skipped = folder.read_names(root, _parse, TITLE, LAYOUT, on_bad)
    unfetched = pointers(table["path"])
    if unfetched:
        raise SernbError(
            f"{root}: {len(unfetched)} of {len(table)} recordings are Git LFS pointers (texts of about 130 bytes), the "
            f"first is {unfetched[0]}. Fetch the sound: run sernb fetch cremad, or git lfs pull in the clone."
        )
    notes = _with_age(table, published.find(root, "VideoDemographics.csv"))
    notes += _with_heard(table, published.find(root, "summaryTable.csv"))
    table.attrs["skipped"] = skipped
    table.attrs["notes"] = notes + folder.count(table, PUBLISHED, TITLE)
    return table


def _parse(stem: str) -> dict | str:
    match = _NAME.fullmatch(stem)
    if not match:
        return "not a name like 1001_DFA_ANG_XX (actor, sentence, emotion, intensity)"
    actor, sentence, emotion, intensity = match.groups()
    if int(actor) not in ACTORS:
        return f"actor {actor} is none of CREMA-D's (1001 to 1091)"
    for what, code, known in (
        ("sentence", sentence, SENTENCES),
        ("emotion", emotion, labels.CREMAD),
        ("intensity", intensity, INTENSITY),
    ):
        if code not in known:
            return f"{what} {code} is none of CREMA-D's ({', '.join(known)})"
    return {
        "speaker": actor,
        "gender": "female" if int(actor) in FEMALE else "male",
        "text": SENTENCES[sentence],
        "emotion": labels.CREMAD[emotion],
        "sentence": sentence,
        "intensity": INTENSITY[intensity],
    }


def _with_age(table: pd.DataFrame, path: Path | None) -> list[str]:
    if path is None:
        return []
    actors, notes = published.read_table(path, ("ActorID", "Age"), bad := [])
    ages = pd.to_numeric(actors["Age"], errors="coerce").set_axis(actors["ActorID"])
    table["age"] = table["speaker"].map(ages[~ages.index.duplicated()])
    unknown = table.loc[table["age"].isna(), "speaker"].unique()
    if len(unknown) or bad:
        notes.append(
            f"{path.name} gives no age for {len(unknown)} actors; {len(bad)} of its rows cannot be read."
        )
    return notes


def _with_heard(table: pd.DataFrame, path: Path | None) -> list[str]:
    if path is None:
        return []
    votes, notes = published.read_table(path, ("FileName", "VoiceVote"), bad := [])
    known = votes["VoiceVote"].str.fullmatch("[ADFHNS](:[ADFHNS])*")
    heard = votes.loc[known, "VoiceVote"].map(lambda vote: "; ".join(HEARD[one] for one in vote.split(":")))
    heard.index = votes.loc[known, "FileName"]
    heard = heard[~heard.index.duplicated()]
    names = table.index.where(
        ~table.index.str.endswith("_X"), table.index + "X"
    )  # the table has 1040_ITH_SAD_XX
    table["heard"] = heard.reindex(names).to_numpy()
    unheard = int(table["heard"].isna().sum())
    if unheard or bad:
        notes.append(
            f"{path.name} has no votes for {unheard} recordings; {len(bad)} of its rows cannot be read."
        )
    return notes
