"""MELD (Poria et al. 2019): 13,708 utterances of the television series Friends, in dialogues, 7 emotions.

Words and labels stand in train_, dev_ and test_sent_emo.csv; the clips (mp4) are a download of their own, and
a name such as dia0_utt0 means another utterance in each part.
"""

import re
from pathlib import Path

import pandas as pd

from sernb.core.errors import some
from sernb.core.files import audio_files
from sernb.corpora.corpus import Corpus, Source
from sernb.corpora.files import compare_counts, find
from sernb.corpora.labels import KNOWN
from sernb.corpora.sheets import Sheet, mend

_URL = "https://raw.githubusercontent.com/declare-lab/MELD/2d2011b409d3ca2d7e94460cd007d434b1d0a102/data/MELD"
_SUMS = {
    "train_sent_emo.csv": "d2fa2d6529cf03cac2989efec05c9b27d8fd2f4c8fc5974c7ae88aa537fa02db",
    "dev_sent_emo.csv": "2e89c6f8aa182d6f62f8c6331aece905ac7273ca4999660bfb5213e1d0370c1c",
    "test_sent_emo.csv": "8d37103938f7067600839fe29d5a114a6cd1bcdafb75bec101e06464c5006888",
}
CORPUS = Corpus(
    title="MELD",
    holds="English, television dialogues; 13,708 utterances, 7 emotions, sentiment; words, clips apart",
    licence="GPL 3.0, says its repository; the clips are from a television series",
    obtain="sernb fetch meld (words; 11 GB of video with --recordings), or github.com/declare-lab/MELD",
    layout="train_, dev_, test_sent_emo.csv; dia0_utt0.wav, … in folders with train, dev or test in the name",
    protocol="fixed",
    sources=(
        *(Source(f"{_URL}/{name}", gives=name, sha256=sha256) for name, sha256 in _SUMS.items()),
        # 10.9 GB of video; the sum is the one by which Hugging Face stores it, as several users report.
        Source(
            "https://huggingface.co/datasets/declare-lab/MELD/resolve/main/MELD.Raw.tar.gz",
            gives="MELD.Raw",
            sha256="a56b4407d574195cbce470d86f9c9d72fcfea59b0e34502ecd4babee4a5c613e",
            archive="MELD.Raw.tar.gz",
            recordings=True,
        ),
    ),
)
PUBLISHED = dict(neutral=6436, happy=2308, sad=1002, angry=1607, fearful=358, disgusted=361, surprised=1636)
PARTS = {"train": "train", "dev": "validation", "test": "test"}
FOLDERS = {part: part for part in PARTS} | dict.fromkeys(("val", "valid", "validation"), "dev")
EMOTIONS = ("neutral", "joy", "sadness", "anger", "fear", "disgust", "surprise")
NEEDED = (
    "Utterance", "Speaker", "Emotion", "Sentiment", "Dialogue_ID", "Utterance_ID", "Season", "Episode",
    "StartTime", "EndTime",
)  # fmt: skip
# The six leads; the others' gender is not published.
GENDERS = dict.fromkeys(("Chandler", "Joey", "Ross"), "male")
GENDERS |= dict.fromkeys(("Monica", "Phoebe", "Rachel"), "female")
NO_CLIP = ("train_dia125_utt3", "dev_dia110_utt7")  # labelled, but broken or absent in the published clips
_CLIP = re.compile(r"dia(\d+)_utt(\d+)")
_TIME = re.compile(r"(\d+):(\d\d):(\d\d)(?:[,.](\d+))?")


def load(root: str | Path, on_bad: str = "raise", recordings: bool | None = None) -> pd.DataFrame:
    """Utterances of MELD below `root`: text, speaker, emotion, part, and `path` where there are clips.

    Beside the usual columns: sentiment (positive, neutral, negative), dialogue ("train_dia0"), turn (from 0),
    season, episode, and episode_start, episode_end (seconds; NaN where the file has no sensible time).
    Utterances are called train_dia0_utt0, dev_dia0_utt0, test_dia0_utt0.

    `recordings=False` reads words only, True makes it an error that there are no clips. Raises SernbError for
    a folder without MELD's tables, and for rows that cannot be used unless `on_bad="skip"`.
    """
    # The three tables of words and labels.
    root, notes, sheets = Path(root), [], []
    for part in PARTS:
        if path := find(root, f"{part}_sent_emo.csv"):
            sheets.append(_part(path, part, on_bad))
        else:
            notes.append(f"MELD: no {part}_sent_emo.csv is in {root}, so there is no {PARTS[part]} part.")
    if not sheets:
        raise CORPUS.lacks(root, "no train_sent_emo.csv, dev_… or test_sent_emo.csv")
    table = pd.concat([sheet.usable() for sheet in sheets])
    notes += [note for sheet in sheets for note in sheet.notes]
    skipped = [row for sheet in sheets for row in sheet.skipped]
    notes += mend(table, ("text", "speaker"), CORPUS.title)
    table["gender"] = table["speaker"].map(GENDERS)
    if len(timeless := table.index[table["episode_start"].isna()]):
        notes.append(f"MELD: {len(timeless)} utterances have no sensible time: {some(timeless)}.")

    # The clips that belong to them; two were never published.
    whole = Sheet(table.assign(utterance=table.index), CORPUS.title, root, on_bad)
    paths = [] if recordings is False else audio_files(root)
    clips = [(name, path) for path in paths if (name := _name(path, root))]
    whole.add_recordings(clips, recordings, "dia0_utt0.wav in folders train, dev, test")
    videos = audio_files(root, (".mp4",)) if recordings is None and not clips else ()
    if count := sum(_name(path, root) is not None for path in videos):
        how = "ffmpeg -i dia0_utt0.mp4 -ac 1 -ar 16000 dia0_utt0.wav (docs/corpora.md)"
        notes.append(f"MELD: {count} clips are mp4, which is not read; make a wav beside each: {how}.")
    if gaps := [name for name in NO_CLIP if whole.why.pop(name, None)]:
        why = "the published clips lack it"
        skipped += [{"utterance": name, "path": str(root), "why": why} for name in gaps]
        notes.append(f"MELD: left out, as the published clips lack them: {', '.join(gaps)}.")
        whole.table = whole.table.drop(index=gaps)
    table = whole.usable()
    notes += whole.notes + compare_counts(table, "emotion", PUBLISHED, CORPUS.title)
    table.attrs = {"notes": notes, "skipped": skipped + whole.skipped}
    return table


def _part(path: Path, part: str, on_bad: str) -> Sheet:
    """One of the three tables, under the kit's names of columns."""
    sheet = Sheet.read(path, NEEDED, CORPUS.title, on_bad)
    raw = sheet.table
    raw["Emotion"] = raw["Emotion"].str.lower()
    for column in ("Dialogue_ID", "Utterance_ID"):
        sheet.expect(column, raw[column].str.fullmatch(r"\d+"), "a whole number")
        raw[column] = raw[column].str.replace(r"^0+(?=\d)", "", regex=True)
    sheet.expect_known("Emotion", EMOTIONS)
    sheet.expect_text("Utterance", "Speaker")

    dialogue = f"{part}_dia" + raw["Dialogue_ID"]
    begin, end = raw["StartTime"].map(_seconds), raw["EndTime"].map(_seconds)
    columns = {
        "utterance": dialogue + "_utt" + raw["Utterance_ID"],
        "text": raw["Utterance"],
        "speaker": raw["Speaker"],
        "emotion": raw["Emotion"].map(KNOWN),
        "sentiment": raw["Sentiment"].str.lower(),
        "part": PARTS[part],
        "dialogue": dialogue,
        "turn": pd.to_numeric(raw["Utterance_ID"], errors="coerce").astype("Int64"),
        "season": raw["Season"],
        "episode": raw["Episode"],
        "episode_start": begin.where(begin < end),
        "episode_end": end.where(begin < end),
    }
    sheet.table = pd.DataFrame(columns)
    sheet.expect_once()
    return sheet


def _seconds(time: str) -> float:
    """Seconds of "00:14:38,127"; NaN for anything else. A spreadsheet dropped final zeros: ",82" is 0.82."""
    match = _TIME.fullmatch(time)
    if not match:
        return float("nan")
    hours, minutes, seconds, fraction = match.groups()
    return int(hours) * 3600 + int(minutes) * 60 + int(seconds) + float(f"0.{fraction or 0}")


def _name(path: Path, root: Path) -> str | None:
    """The utterance of a clip: its own name, and the part that the folders nearest to it say."""
    match = _CLIP.fullmatch(path.stem)
    if not match:
        return None
    for folder in reversed(path.relative_to(root).parts[:-1]):
        for word in re.split(r"[^a-z]+", folder.lower()):
            if word in FOLDERS:
                return f"{FOLDERS[word]}_dia{int(match[1])}_utt{int(match[2])}"
    return None
