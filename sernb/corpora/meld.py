"""MELD (Poria et al. 2019): 13,708 utterances of the television series Friends, in dialogues, 7 emotions.

Words and labels stand in train_sent_emo.csv, dev_sent_emo.csv and test_sent_emo.csv; the clips (mp4) are a download
of their own, named dia0_utt0 in each part, so the same name means another utterance in another part.
"""

import re
from pathlib import Path

import pandas as pd

from sernb.core.errors import SernbError, some
from sernb.corpora import folder, published
from sernb.corpora.encoding import mend
from sernb.corpora.labels import KNOWN

TITLE = "MELD"
LAYOUT = (
    "train_sent_emo.csv, dev_sent_emo.csv, test_sent_emo.csv; with recordings, dia0_utt0.wav, … in folders that "
    "have train, dev or test in their names"
)
PUBLISHED = dict(
    neutral=6436, happy=2308, sad=1002, angry=1607, fearful=358, disgusted=361, surprised=1636
)  # 13,708 utterances
PARTS = {"train": "train", "dev": "validation", "test": "test"}
FOLDERS = {part: part for part in PARTS} | dict.fromkeys(("val", "valid", "validation"), "dev")
EMOTIONS = ("neutral", "joy", "sadness", "anger", "fear", "disgust", "surprise")
NEEDED = ("Utterance", "Speaker", "Emotion", "Sentiment", "Dialogue_ID", "Utterance_ID", "Season", "Episode")
NEEDED += ("StartTime", "EndTime")
GENDER = dict.fromkeys(("Chandler", "Joey", "Ross"), "male") | dict.fromkeys(
    ("Monica", "Phoebe", "Rachel"), "female"
)  # the six leads; the others' is not published
NO_CLIP = ("train_dia125_utt3", "dev_dia110_utt7")  # labelled, but broken or absent in the published clips
_CLIP = re.compile(r"dia(\d+)_utt(\d+)")
_TIME = re.compile(r"(\d+):(\d\d):(\d\d)(?:[,.](\d+))?")


def load(root: str | Path, on_bad: str = "raise", recordings: bool | None = None) -> pd.DataFrame:
    """Utterances of MELD below `root`: text, speaker, emotion, part, and `path` where there are wav or flac clips.

    Beside the usual columns: sentiment (positive, neutral, negative), dialogue ("train_dia0"), turn (its place in the
    dialogue, from 0), season, episode, and episode_start, episode_end (seconds within the episode; NaN where the
    file has no sensible time). Utterances are called train_dia0_utt0, dev_dia0_utt0, test_dia0_utt0.

    `recordings=False` reads words only, True makes it an error that there are no clips. Raises SernbError for a folder
    without MELD's tables, and for rows that cannot be used unless `on_bad="skip"`.
    """
    bad, notes, tables = [], [], []
    for part in PARTS:
        path = published.find(root, f"{part}_sent_emo.csv")
        if path is None:
            notes.append(f"{TITLE}: no {part}_sent_emo.csv is in {root}, so there is no {PARTS[part]} part.")
            continue
        tables.append(_part(path, part, on_bad, bad, notes))
    if not tables:
        raise SernbError(f"{root}: no train_sent_emo.csv, dev_… or test_sent_emo.csv. Expected: {LAYOUT}.")
    table = pd.concat(tables)
    mended = 0
    for column in ("text", "speaker"):
        table[column], changed = mend(list(table[column]))
        mended += changed
    if mended:
        notes.append(f"{TITLE}: wrongly decoded characters were put right in {mended} texts or names.")
    table["gender"] = table["speaker"].map(GENDER)
    timeless = table.index[table["episode_start"].isna()]
    if len(timeless):
        notes.append(f"{TITLE}: {len(timeless)} utterances have no sensible time: {some(timeless)}.")
    found = {} if recordings is False else _clips(Path(root), on_bad, bad, notes)
    own, why = [], {}
    table, more = published.recordings(
        table.assign(utterance=table.index),
        found,
        recordings,
        TITLE,
        "dia0_utt0.wav in folders train, dev, test",
        why,
    )
    notes += more
    table = _without_known_gaps(table, why, Path(root), bad, notes)
    table = published.leave_out(table, why, own, str(root), on_bad)
    bad += own
    notes += folder.count(table, PUBLISHED, TITLE, what="utterances")
    table.attrs = {"notes": notes, "skipped": bad}
    return table


def _part(path: Path, part: str, on_bad: str, bad: list[dict], notes: list[str]) -> pd.DataFrame:
    own, why = [], {}
    raw, more = published.read_table(path, NEEDED, own)
    notes += more
    raw["Emotion"] = raw["Emotion"].str.lower()
    for column in ("Dialogue_ID", "Utterance_ID"):
        for line in raw.index[~raw[column].str.fullmatch(r"\d+")]:
            why[line] = f"{column} is {raw.at[line, column]!r}, expected a whole number"
        raw[column] = raw[column].str.replace(r"^0+(?=\d)", "", regex=True)
    table = pd.DataFrame(
        {
            "utterance": f"{part}_dia" + raw["Dialogue_ID"] + "_utt" + raw["Utterance_ID"],
            "text": raw["Utterance"],
            "speaker": raw["Speaker"],
            "emotion": raw["Emotion"].map(KNOWN),
            "sentiment": raw["Sentiment"].str.lower(),
            "part": PARTS[part],
            "dialogue": f"{part}_dia" + raw["Dialogue_ID"],
            "turn": pd.to_numeric(raw["Utterance_ID"], errors="coerce").astype("Int64"),
            "season": raw["Season"],
            "episode": raw["Episode"],
            "episode_start": raw["StartTime"].map(_seconds),
            "episode_end": raw["EndTime"].map(_seconds),
        }
    )
    table.loc[~(table["episode_end"] > table["episode_start"]), ["episode_start", "episode_end"]] = float(
        "nan"
    )
    published.unknown(raw, "Emotion", EMOTIONS, why)
    published.empty(raw, ("Utterance", "Speaker"), why)
    published.repeated(table["utterance"], why)
    table = published.leave_out(table, why, own, str(path), on_bad)
    bad += own
    return table


def _seconds(time: str) -> float:
    """Seconds of "00:14:38,127"; NaN for anything else. A spreadsheet dropped final zeros, so ",82" is 0.82."""
    match = _TIME.fullmatch(time)
    if not match:
        return float("nan")
    hours, minutes, seconds, fraction = match.groups()
    return int(hours) * 3600 + int(minutes) * 60 + int(seconds) + float(f"0.{fraction or 0}")


def _clips(root: Path, on_bad: str, bad: list[dict], notes: list[str]) -> dict[str, str]:
    """{utterance: path} of the wav and flac clips; a note tells of mp4 clips, which are not read."""
    clips = ((name, path) for path in folder.audio_files(root) if (name := _name(path, root)))
    found, twice = published.each_once(clips, f"{TITLE} in {root}", on_bad)
    bad += twice
    if not found:
        videos = sum(_name(path, root) is not None for path in folder.audio_files(root, (".mp4",)))
        if videos:
            notes.append(
                f"{TITLE}: {videos} clips are mp4, which is not read; make a wav beside each, "
                "for example with ffmpeg -i dia0_utt0.mp4 -ac 1 -ar 16000 dia0_utt0.wav (docs/corpora.md)."
            )
    return found


def _name(path: Path, root: Path) -> str | None:
    """The utterance of a clip: its own name, and the part that the folders nearest to it say."""
    match = _CLIP.fullmatch(path.stem)
    if not match:
        return None
    for place in reversed(path.relative_to(root).parts[:-1]):
        for word in re.split(r"[^a-z]+", place.lower()):
            if word in FOLDERS:
                return f"{FOLDERS[word]}_dia{int(match[1])}_utt{int(match[2])}"
    return None


def _without_known_gaps(
    table: pd.DataFrame, why: dict, root: Path, bad: list[dict], notes: list[str]
) -> pd.DataFrame:
    known = [name for name in NO_CLIP if name in why]
    if not known:
        return table
    bad += [
        {"utterance": name, "path": str(root), "why": "the published clips lack it"}
        for name in known
        if why.pop(name)
    ]
    notes.append(f"{TITLE}: left out, as the published clips lack them: {', '.join(known)}.")
    return table.drop(index=known)
