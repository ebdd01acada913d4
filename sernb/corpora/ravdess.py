"""RAVDESS, speech part (Livingstone and Russo 2018): English, acted, 24 actors, 2 sentences, 8 emotions.

A name such as 03-01-05-02-01-01-12.wav says: audio only, speech, angry, strong, sentence 01, repetition 01, actor 12.
"""

import re
from pathlib import Path

import pandas as pd

from sernb.corpora import folder, labels

TITLE = "RAVDESS"
LAYOUT = "Actor_01/03-01-01-01-01-01-01.wav, … (1440 recordings, wav or flac, in any folder below)"
PUBLISHED = dict(
    neutral=96, calm=192, happy=192, sad=192, angry=192, fearful=192, disgusted=192, surprised=192
)  # 1440 recordings, 24 actors
INTENSITY = {"01": "normal", "02": "strong"}
SENTENCES = {"01": "Kids are talking by the door.", "02": "Dogs are sitting by the door."}
_NAME = re.compile(r"(\d\d)-(\d\d)-(\d\d)-(\d\d)-(\d\d)-(\d\d)-(\d\d)")


def load(root: str | Path, on_bad: str = "raise") -> pd.DataFrame:
    """Utterances of RAVDESS's speech below `root`, by file name.

    Beside the usual columns: sentence ("01", "02"), intensity ("normal", "strong"; neutral has one only) and
    repetition ("01", "02"). Raises SernbError for a folder without its files, and for names outside its code, songs
    included, unless `on_bad="skip"`.
    """
    table, skipped = folder.read_names(root, _parse, TITLE, LAYOUT, on_bad)
    table.attrs["skipped"] = skipped
    table.attrs["notes"] = folder.count(table, PUBLISHED, TITLE)
    return table


def _parse(stem: str) -> dict | str:
    match = _NAME.fullmatch(stem)
    if not match:
        return "not a name like 03-01-05-02-01-01-12 (modality, channel, emotion, intensity, sentence, repetition, actor)"
    modality, channel, emotion, intensity, sentence, repetition, actor = match.groups()
    if modality not in ("01", "03") or channel not in ("01", "02"):
        return f"modality {modality} and channel {channel} are no sound recording of RAVDESS"
    if channel == "02":
        return "a song (channel 02); this loader is for speech (channel 01)"
    for what, code, known in (
        ("emotion", emotion, labels.RAVDESS),
        ("intensity", intensity, INTENSITY),
        ("sentence", sentence, SENTENCES),
        ("repetition", repetition, ("01", "02")),
        ("actor", actor, [f"{number:02d}" for number in range(1, 25)]),
    ):
        if code not in known:
            return f"{what} {code} is none of RAVDESS's ({', '.join(known)})"
    return {
        "speaker": actor,
        "gender": "male" if int(actor) % 2 else "female",
        "text": SENTENCES[sentence],
        "emotion": labels.RAVDESS[emotion],
        "sentence": sentence,
        "intensity": INTENSITY[intensity],
        "repetition": repetition,
    }
