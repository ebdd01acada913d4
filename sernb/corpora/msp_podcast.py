"""MSP-Podcast (Lotfian and Busso 2019): English podcasts, rated by listeners; licence by agreement.

Labels/labels_consensus.csv has a row a speaking turn: the emotion that most listeners chose (EmoClass), the
means of their ratings (1 to 7), speaker, gender, and the partition (Split_Set).
"""

import os
from pathlib import Path

import pandas as pd

from sernb.core.errors import some
from sernb.core.files import audio_files
from sernb.corpora.corpus import Corpus
from sernb.corpora.files import find, read_text
from sernb.corpora.sheets import Sheet, mend

CORPUS = Corpus(
    title="MSP-Podcast",
    holds="English podcasts; over 200,000 turns in recent releases, words and ratings",
    licence="for research, by agreement between your university and UT Dallas",
    obtain="ask for it with the form at https://ecs.utdallas.edu/research/researchlabs/msp-lab/MSP-Podcast.html",
    layout="Labels/labels_consensus.csv, Audios/MSP-PODCAST_0001_0008.wav, …, Transcripts/MSP-….txt, …",
    protocol="fixed",
)
SCALE = (1, 7)
RATINGS = {"arousal": "EmoAct", "valence": "EmoVal", "dominance": "EmoDom"}
NEEDED = ("FileName", "EmoClass", *RATINGS.values(), "SpkrID", "Gender", "Split_Set")
UNKNOWN = ("", "unknown", "nan", "n/a", "-1")
# O (other) and X (no agreement) stand for no emotion; contemptuous is a word of the corpus's own.
EMOTIONS = dict(A="angry", S="sad", H="happy", U="surprised", F="fearful", D="disgusted", N="neutral")
EMOTIONS |= dict(C="contemptuous", O=None, X=None)
# Test1 has speakers of its own, but podcasts that other parts have too; Test2's podcasts stand nowhere else.
PARTS = dict(Train="train", Development="validation", Validation="validation", Test1="test")
PARTS |= dict(Test2="test_unseen", Test3="test3")


def load(root: str | Path, on_bad: str = "raise", recordings: bool | None = None) -> pd.DataFrame:
    """Speaking turns of MSP-Podcast below `root`, by its consensus labels; ratings from 1 to 7.

    emotion is missing where listeners did not agree (X) or chose "other" (O). part: train, validation, test
    (Test1, podcasts seen in training), test_unseen (Test2), test3; partition has the corpus's own word.
    speaker and gender are missing where it says Unknown, text without a transcript. podcast: 0001 of a name.

    `recordings=False` reads words and labels only, True makes it an error that there is no sound. Raises
    SernbError for a folder without the table, and for rows that cannot be used unless `on_bad="skip"`.
    """
    root = Path(root)
    path = find(root, "labels_consensus.csv", "labels_concensus.csv")  # spelled so up to release 1.8
    if path is None:
        raise CORPUS.lacks(root, "no labels_consensus.csv is in this folder")

    # What the table of labels says.
    sheet = Sheet.read(path, NEEDED, CORPUS.title, on_bad)
    raw = sheet.table
    raw["Split_Set"] = raw["Split_Set"].str.replace(" ", "")
    sheet.expect_text("FileName")
    sheet.expect_known("EmoClass", EMOTIONS)
    sheet.expect_known("Split_Set", PARTS)
    sheet.expect_ratings(RATINGS, SCALE)
    names = raw["FileName"].str.removesuffix(".wav")
    columns = {
        "utterance": names,
        "speaker": raw["SpkrID"].mask(raw["SpkrID"].str.lower().isin(UNKNOWN)),
        "gender": raw["Gender"].str.lower().map({"male": "male", "female": "female"}),
        "emotion": raw["EmoClass"].map(EMOTIONS),
        **{dimension: raw[dimension] for dimension in RATINGS},
        "part": raw["Split_Set"].map(PARTS),
        "partition": raw["Split_Set"],
        "podcast": names.str.extract(r"_(\d+)_", expand=False),
    }
    sheet.table = pd.DataFrame(columns)
    sheet.expect_once()

    # Recordings are in Audios where there is such a folder (a release also holds those that it took back).
    sounds = next((place for name in ("Audios", "Audio", "audios") if (place := root / name).is_dir()), root)
    clips = ((path.stem, path) for path in audio_files(sounds))
    sheet.add_recordings(clips, recordings, "Audios/MSP-PODCAST_0001_0008.wav")
    table = sheet.usable()

    notes = sheet.notes + _add_text(table, root)
    gaps = {"emotion": "no emotion (listeners did not agree, or chose another)"}
    gaps |= {"speaker": "an unknown speaker", "gender": "an unknown gender"}
    for column, what in gaps.items():
        if count := table[column].isna().sum():
            notes.append(f"{CORPUS.title}: {count} turns have {what}.")
    if not {"path", "text"} & {*table}:
        raise CORPUS.lacks(root, "labels only, neither recordings nor transcripts")
    table.attrs = {"scale": SCALE, "own_labels": ["contemptuous"], "notes": notes, "skipped": sheet.skipped}
    return table


def _add_text(table: pd.DataFrame, root: Path) -> list[str]:
    """Adds the column text, missing where there is no transcript; notes count those and what was mended."""
    folder = next((place for name in ("Transcripts", "transcripts") if (place := root / name).is_dir()), None)
    if folder is None:
        return [f"{CORPUS.title}: no folder Transcripts, so no text."]
    there = {entry.name for entry in os.scandir(folder)}
    texts, notes = {}, []
    for name in table.index:
        if f"{name}.txt" in there:
            text, note = read_text(folder / f"{name}.txt")
            texts[name] = " ".join(text.split())
            notes += [note] if note else []
    table["text"] = pd.Series(texts, dtype=object).reindex(table.index)
    if notes:
        notes = [f"{CORPUS.title}: {len(notes)} transcripts are not UTF-8, so read as Windows-1252."]
    notes += mend(table, ("text",), CORPUS.title)
    if len(without := table.index[table["text"].isna()]):
        notes.append(f"{CORPUS.title}: {len(without)} turns have no transcript: {some(without)}.")
    return notes
