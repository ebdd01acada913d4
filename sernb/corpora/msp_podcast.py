"""MSP-Podcast (Lotfian and Busso 2019): English podcasts, spontaneous, rated by listeners; licence by agreement.

Labels/labels_consensus.csv has a row a speaking turn: the emotion that most listeners chose (EmoClass), the means of
their ratings for arousal, valence and dominance (1 to 7), speaker, gender, and the partition (Split_Set).
"""

import os
from pathlib import Path

import pandas as pd

from sernb.core.errors import SernbError, some
from sernb.corpora import folder, labels, published
from sernb.corpora.encoding import mend, read_text

TITLE = "MSP-Podcast"
LAYOUT = "Labels/labels_consensus.csv, Audios/MSP-PODCAST_0001_0008.wav, …, Transcripts/MSP-PODCAST_0001_0008.txt, …"
SCALE = (1, 7)
# Test1 has speakers of its own, but podcasts that stand in other parts too; Test2's podcasts stand nowhere else.
PARTS = {
    "Train": "train",
    "Development": "validation",
    "Validation": "validation",
    "Test1": "test",
    "Test2": "test_unseen",
    "Test3": "test3",
}
DIMENSIONS = {"arousal": "EmoAct", "valence": "EmoVal", "dominance": "EmoDom"}
NEEDED = ("FileName", "EmoClass", "EmoAct", "EmoVal", "EmoDom", "SpkrID", "Gender", "Split_Set")
UNKNOWN = ("", "unknown", "nan", "n/a", "-1")


def load(root: str | Path, on_bad: str = "raise", recordings: bool | None = None) -> pd.DataFrame:
    """Speaking turns of MSP-Podcast below `root`, by its consensus labels; arousal, valence, dominance from 1 to 7.

    emotion is missing where listeners did not agree (X) or chose "other" (O); "contemptuous" (C) is a class of the
    corpus's own. part: train, validation, test (Test1, podcasts seen in training), test_unseen (Test2, podcasts of its
    own), test3; partition has the corpus's own word. speaker and gender are missing where it says Unknown, text where
    there is no transcript. podcast is the middle of the name (0001), so that turns of one podcast can be kept together.

    `recordings=False` reads words and labels only, True makes it an error that there is no sound. Raises SernbError for a folder
    without the table, and for rows that cannot be used unless `on_bad="skip"`.
    """
    root = Path(root)
    path = published.find(
        root, "labels_consensus.csv", "labels_concensus.csv"
    )  # spelled so up to release 1.8
    if path is None:
        raise SernbError(
            f"{root}: no labels_consensus.csv is in this folder. {TITLE} is expected as {LAYOUT}."
        )
    bad, why = [], {}
    raw, notes = published.read_table(path, NEEDED, bad)
    raw["Split_Set"] = raw["Split_Set"].str.replace(" ", "")
    published.empty(raw, ("FileName",), why)
    published.unknown(raw, "EmoClass", labels.MSP_PODCAST, why)
    published.unknown(raw, "Split_Set", PARTS, why)
    published.ratings(raw, DIMENSIONS, SCALE, why)
    ids = raw["FileName"].str.removesuffix(".wav")
    table = pd.DataFrame(
        {
            "utterance": ids,
            "speaker": raw["SpkrID"].mask(raw["SpkrID"].str.lower().isin(UNKNOWN)),
            "gender": raw["Gender"].str.lower().map({"male": "male", "female": "female"}),
            "emotion": raw["EmoClass"].map(labels.MSP_PODCAST),
            **{dimension: raw[dimension] for dimension in DIMENSIONS},
            "part": raw["Split_Set"].map(PARTS),
            "partition": raw["Split_Set"],
            "podcast": ids.str.extract(r"_(\d+)_", expand=False),
        }
    )
    published.repeated(ids, why)
    found, twice = ({}, []) if recordings is False else _sounds(root, on_bad)
    table, more = published.recordings(
        table, found, recordings, TITLE, "Audios/MSP-PODCAST_0001_0008.wav", why
    )
    table = published.leave_out(table, why, bad, str(path), on_bad)
    bad += twice
    notes += more + _with_text(table, root) + _gaps(table)
    if not {"path", "text"} & {*table}:
        raise SernbError(f"{root}: labels only, neither recordings nor transcripts. Expected: {LAYOUT}.")
    table.attrs = {"scale": SCALE, "own_labels": ["contemptuous"], "notes": notes, "skipped": bad}
    return table


def _sounds(root: Path, on_bad: str) -> tuple[dict[str, str], list[dict]]:
    """{utterance: path}, and what is there twice: from Audios where it is (a release also holds sounds that it took
    back), else anywhere."""
    places = [place for place in (root / "Audios", root / "Audio", root / "audios", root) if place.is_dir()]
    clips = ((path.stem, path) for path in folder.audio_files(places[0]))
    return published.each_once(clips, f"{TITLE} in {root}", on_bad, "recordings")


def _with_text(table: pd.DataFrame, root: Path) -> list[str]:
    """Adds the column text, missing where there is no transcript; the notes count those and what was mended."""
    place = next((place for place in (root / "Transcripts", root / "transcripts") if place.is_dir()), None)
    if place is None:
        return [f"{TITLE}: no folder Transcripts, so no text."]
    there = {entry.name for entry in os.scandir(place)}
    texts, notes = {}, []
    for name in table.index:
        if f"{name}.txt" in there:
            text, note = read_text(place / f"{name}.txt")
            texts[name] = " ".join(text.split())
            notes += [note] if note else []
    mended, changed = mend(list(texts.values()))
    table["text"] = pd.Series(mended, list(texts), dtype=object).reindex(table.index)
    if notes:
        notes = [f"{TITLE}: {len(notes)} transcripts are not UTF-8, so they were read as Windows-1252."]
    if changed:
        notes.append(f"{TITLE}: wrongly decoded characters were put right in {changed} transcripts.")
    without = table.index[table["text"].isna()]
    if len(without):
        notes.append(f"{TITLE}: {len(without)} turns have no transcript: {some(without)}.")
    return notes


def _gaps(table: pd.DataFrame) -> list[str]:
    counts = {
        "no emotion (listeners did not agree, or chose another)": table["emotion"].isna().sum(),
        "an unknown speaker": table["speaker"].isna().sum(),
        "an unknown gender": table["gender"].isna().sum(),
    }
    return [f"{TITLE}: {number} turns have {what}." for what, number in counts.items() if number]
