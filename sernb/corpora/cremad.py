"""CREMA-D (Cao et al. 2014): English, acted, 91 actors, 12 sentences, 6 emotions, 7,442 recordings.

A name such as 1001_IEO_ANG_HI.wav says: actor 1001, sentence IEO, emotion ANG (angry), intensity high. The
emotion is what the actor was told; what listeners heard stands in processedResults/summaryTable.csv.
"""

import re
from pathlib import Path

import pandas as pd

from sernb.core.errors import SernbError
from sernb.corpora.corpus import Corpus, Source
from sernb.corpora.files import compare_counts, find, lfs_pointer, read_names
from sernb.corpora.sheets import Sheet

CORPUS = Corpus(
    title="CREMA-D",
    holds="North American English, acted; 7442 recordings, 91 actors, 6 emotions",
    licence="ODbL 1.0 (database), DbCL 1.0 (contents)",
    obtain="sernb fetch cremad, or https://github.com/CheyneyComputerScience/CREMA-D (git lfs)",
    layout="AudioWAV/1001_DFA_ANG_XX.wav, … (7,442 recordings, wav or flac, in any folder below)",
    protocol="group-k-fold",
    sources=(
        Source(
            "https://github.com/CheyneyComputerScience/CREMA-D/archive/refs/heads/master.zip",
            gives="AudioWAV",
            archive="CREMA-D-master.zip",
            only=("AudioWAV/*.wav", "VideoDemographics.csv", "processedResults/summaryTable.csv", "LICENSE*"),
            strip=1,
            lfs="https://media.githubusercontent.com/media/CheyneyComputerScience/CREMA-D/master/",
        ),
    ),
)
PUBLISHED = dict(neutral=1087, happy=1271, sad=1271, angry=1271, fearful=1271, disgusted=1271)
NAME = re.compile(  # 1040_ITH_SAD_X has one X
    r"(?P<speaker>\d{4})_(?P<sentence>[A-Z]{3})_(?P<emotion>[A-Z]{3})_(?P<intensity>[A-Z]{1,2})"
)
WOMEN = {  # 43, and 48 men
    1002, 1003, 1004, 1006, 1007, 1008, 1009, 1010, 1012, 1013, 1018, 1020, 1021, 1024, 1025, 1028, 1029,
    1030, 1037, 1043, 1046, 1047, 1049, 1052, 1053, 1054, 1055, 1056, 1058, 1060, 1061, 1063, 1072, 1073,
    1074, 1075, 1076, 1078, 1079, 1082, 1084, 1089, 1091,
}  # fmt: skip
GENDERS = {str(actor): "female" if actor in WOMEN else "male" for actor in range(1001, 1092)}
INTENSITY = {"LO": "low", "MD": "medium", "HI": "high", "XX": "unspecified", "X": "unspecified"}
EMOTIONS = dict(ANG="angry", DIS="disgusted", FEA="fearful", HAP="happy", NEU="neutral", SAD="sad")
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


def load(root: str | Path, on_bad: str = "raise") -> pd.DataFrame:
    """Utterances of CREMA-D below `root`, by file name.

    Beside the usual columns: sentence (IEO, …) and intensity (low, medium, high, unspecified). With
    VideoDemographics.csv: age. With summaryTable.csv: heard, what most listeners chose from the voice alone
    ("angry; sad" for a tie). Raises SernbError for a folder without its files, for Git LFS pointers, and for
    names outside its code unless `on_bad="skip"`.
    """
    codes = {"speaker": GENDERS, "sentence": SENTENCES, "emotion": EMOTIONS, "intensity": INTENSITY}
    table = read_names(root, CORPUS, NAME, "1001_DFA_ANG_XX", codes, on_bad)
    if unfetched := [path for path in table["path"] if lfs_pointer(path)]:
        raise SernbError(
            f"{root}: {len(unfetched)} of {len(table)} recordings are Git LFS pointers without sound, the "
            f"first is {unfetched[0]}. Fetch it: sernb fetch cremad, or git lfs pull."
        )
    notes = []
    for name, add in (("VideoDemographics.csv", _add_age), ("summaryTable.csv", _add_heard)):
        if path := find(root, name):
            notes += add(table, path)
    table.attrs["notes"] = notes + compare_counts(table, "emotion", PUBLISHED, CORPUS.title)
    return table


def _add_age(table: pd.DataFrame, path: Path) -> list[str]:
    actors = Sheet.read(path, ("ActorID", "Age"), CORPUS.title, "skip")
    ages = actors.table.drop_duplicates("ActorID").set_index("ActorID")["Age"]
    table["age"] = table["speaker"].map(pd.to_numeric(ages, errors="coerce"))
    absent = table.loc[table["age"].isna(), "speaker"].nunique()
    return actors.notes + _gaps(path, f"no age for {absent} actors", absent, len(actors.skipped))


def _add_heard(table: pd.DataFrame, path: Path) -> list[str]:
    votes = Sheet.read(path, ("FileName", "VoiceVote"), CORPUS.title, "skip")
    codes = {code[0]: emotion for code, emotion in EMOTIONS.items()}
    clear = votes.table[votes.table["VoiceVote"].str.fullmatch("[ADFHNS](:[ADFHNS])*")]
    clear = clear.drop_duplicates("FileName").set_index("FileName")["VoiceVote"]
    heard = clear.map(lambda vote: "; ".join(codes[code] for code in vote.split(":")))
    names = table.index.where(~table.index.str.endswith("_X"), table.index + "X")  # there 1040_ITH_SAD_XX
    table["heard"] = heard.reindex(names).to_numpy()
    absent = int(table["heard"].isna().sum())
    return votes.notes + _gaps(path, f"no votes for {absent} recordings", absent, len(votes.skipped))


def _gaps(path: Path, what: str, absent: int, unread: int) -> list[str]:
    return [f"{path.name} has {what}; {unread} of its rows cannot be read."] if absent or unread else []
