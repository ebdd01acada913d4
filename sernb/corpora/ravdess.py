"""RAVDESS, speech part (Livingstone and Russo 2018): English, acted, 24 actors, 2 sentences, 8 emotions.

03-01-05-02-01-01-12.wav says: audio only, speech, angry, strong, sentence 01, repetition 01, actor 12.
"""

import re
from pathlib import Path

import pandas as pd

from sernb.corpora.corpus import Corpus, Source
from sernb.corpora.files import compare_counts, read_names

CORPUS = Corpus(
    title="RAVDESS",
    holds="speech; North American English, acted; 1440 recordings, 24 actors, 8 emotions",
    licence="CC BY-NC-SA 4.0",
    obtain="sernb fetch ravdess, or https://zenodo.org/record/1188976 (Audio_Speech_Actors_01-24.zip)",
    layout="Actor_01/03-01-01-01-01-01-01.wav, … (1440 recordings, wav or flac, in any folder below)",
    protocol="ravdess-folds",
    sources=(
        Source(
            "https://zenodo.org/records/1188976/files/Audio_Speech_Actors_01-24.zip?download=1",
            gives="Actor_24",
            md5="bc696df654c87fed845eb13823edef8a",  # the publisher's, on Zenodo
            archive="Audio_Speech_Actors_01-24.zip",
        ),
    ),
)
# In the order of their codes, 01 to 08.
PUBLISHED = dict(neutral=96, calm=192, happy=192, sad=192, angry=192)
PUBLISHED |= dict(fearful=192, disgusted=192, surprised=192)
# Modality 01 has video too. Channel 02 is a song, and so left to `on_bad`.
NAME = re.compile(
    r"(?P<modality>0[13])-(?P<channel>01)-(?P<emotion>\d\d)-(?P<intensity>\d\d)-(?P<sentence>\d\d)"
    r"-(?P<repetition>\d\d)-(?P<speaker>\d\d)"
)
EMOTIONS = {f"{code:02d}": emotion for code, emotion in enumerate(PUBLISHED, 1)}
INTENSITY = {"01": "normal", "02": "strong"}
SENTENCES = {"01": "Kids are talking by the door.", "02": "Dogs are sitting by the door."}
GENDERS = {f"{actor:02d}": "male" if actor % 2 else "female" for actor in range(1, 25)}


def load(root: str | Path, on_bad: str = "raise") -> pd.DataFrame:
    """Utterances of RAVDESS's speech below `root`, by file name.

    Beside the usual columns: sentence ("01", "02"), intensity ("normal", "strong"), repetition ("01", "02").
    Raises SernbError for a folder without its files, and for names outside its code, songs included, unless
    `on_bad="skip"`.
    """
    codes = {"emotion": EMOTIONS, "intensity": INTENSITY, "sentence": SENTENCES}
    codes |= {"repetition": ("01", "02"), "speaker": GENDERS}
    table = read_names(root, CORPUS, NAME, "03-01-05-02-01-01-12, speech and no song", codes, on_bad)
    table = table[["path", "speaker", "gender", "text", "emotion", "sentence", "intensity", "repetition"]]
    table.attrs["notes"] = compare_counts(table, "emotion", PUBLISHED, CORPUS.title)
    return table
