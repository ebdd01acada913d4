"""Your own recordings: a CSV with a row a recording. Usual names of columns and labels are known."""

import os
import re
import sys
from functools import cache
from pathlib import Path

import pandas as pd

from sernb.core.errors import SernbError, some
from sernb.core.tables import DIMENSIONS, EMOTIONS
from sernb.corpora.corpus import Corpus
from sernb.corpora.files import SHOWN, read_text
from sernb.corpora.labels import KNOWN
from sernb.corpora.sheets import Sheet, parse_csv

CORPUS = Corpus(
    title="Your own recordings",
    holds="listed in a CSV",
    licence="yours",
    obtain="write a CSV with a row a recording: file, emotion, speaker, text, … (docs/corpora.md)",
    layout="one CSV, and the recordings in the same folder or below it",
)
# sernb's column, then what others call it; the first that the CSV has is taken, the others stay as they are.
COLUMNS = {
    "utterance": "utterance utterance_id utt utt_id id uid segment_id",
    "path": "path file filename file_name filepath file_path wav wav_file wav_path audio audio_file "
    "audio_path",
    "start": "start start_time start_s begin onset",
    "end": "end end_time end_s stop offset",
    "duration": "duration duration_s dur",
    "speaker": "speaker spk speaker_id spk_id actor actor_id",
    "gender": "gender sex",
    "session": "session session_id",
    "text": "text transcript transcription sentence",
    "emotion": "emotion label class category emotion_label",
    "arousal": "arousal aro act activation emoact",
    "valence": "valence val emoval",
    "dominance": "dominance dom emodom",
    "part": "part split partition fold set",
}
GENDERS = {"f": "female", "w": "female", "woman": "female", "m": "male", "man": "male"}


def load(
    root: str | Path, on_bad: str = "raise", labels: dict[str, str | None] | None = None
) -> pd.DataFrame:
    """Utterances of the CSV `root`, or of the one CSV in the folder `root`; paths count from its folder.

    `labels` maps the CSV's label words: {"cheerful": "happy"}; {"cheerful": "cheerful"} keeps a class of your
    own; {"other": None} leaves its rows out. attrs: understood (column of the table -> column of the CSV),
    own_labels, notes, skipped. Raises SernbError for no or several CSVs, columns missing or ambiguous, fields
    missing, unknown labels; and, unless `on_bad="skip"`, for ids twice and recordings missing or outside the
    CSV's folder.
    """
    # The columns, under the kit's names.
    path = _find(Path(root))
    known = {word for words in COLUMNS.values() for word in words.split()}
    raw = parse_csv(read_text(path, strict=True)[0], path, known, _plain)
    understood = _understand(list(raw), path)
    table = raw.rename(columns={theirs: ours for ours, theirs in understood.items()})
    table, empty = _blanks(table, understood)
    notes = [f"{path.name}: {_sentence(understood, empty, list(raw))}"]
    print(notes[0], file=sys.stderr)

    # What stands in them.
    own = []
    if "emotion" in table:
        table, own = _labelled(table, labels or {}, path, notes)
    elif labels:
        raise SernbError(f"{path}: labels were given, and no column of emotions was found. {notes[0]}")
    _numbers(table, understood, path, decimal_comma=raw.attrs["separator"] == ";")
    if "gender" in table:
        table["gender"] = table["gender"].map(lambda g: GENDERS.get(g.lower(), g.lower()), na_action="ignore")

    # The rows that can be used: a recording each, and an id.
    sheet = Sheet(table.assign(utterance=_ids(table)), "", path, on_bad)
    sheet.table["path"], sheet.why = _paths(table["path"], path)
    sheet.expect_once()
    table = sheet.usable()
    table.attrs = {"understood": understood, "own_labels": own, "notes": notes, "skipped": sheet.skipped}
    return table


def _find(root: Path) -> Path:
    if root.is_file():
        return root
    tables = sorted(path for path in root.iterdir() if path.is_file())
    tables = [path for path in tables if path.suffix.lower() in (".csv", ".tsv")]
    if len(tables) != 1:
        names = some((path.name for path in tables), SHOWN) or "none"
        advice = "Name the one to use as root." if tables else "docs/corpora.md says what it holds."
        raise SernbError(f"{root}: expected one CSV of recordings, found {len(tables)} ({names}). {advice}")
    return tables[0]


def _plain(name: str) -> str:
    return re.sub(r"[\s\-.]+", "_", name.strip().lower())


def _understand(header: list[str], path: Path) -> dict[str, str]:
    """sernb's column -> the CSV's. Raises for columns that stand twice, and where none names recordings."""
    plain = {}
    for name in header:
        if (other := plain.setdefault(_plain(name), name)) is not name:
            raise SernbError(f"{path}: columns {other!r} and {name!r} have the same name; rename one.")
    named = {ours: [plain[w] for w in words.split() if w in plain] for ours, words in COLUMNS.items()}
    understood = {ours: names[0] for ours, names in named.items() if names}
    if "path" not in understood:
        expected = f"expected one of {', '.join(COLUMNS['path'].split())}, the file has {', '.join(header)}"
        raise SernbError(f"{path}: no column names the recordings; {expected}.")
    if "start" not in understood and understood.get("end") == plain.get("offset", ""):
        if "duration" in understood:  # as Kaldi and NeMo write parts of files
            return {"start": understood.pop("end"), **understood}
        raise SernbError(f"{path}: 'offset' may mean the start or the end; say 'start' and 'end' (seconds).")
    return understood


def _sentence(understood: dict[str, str], empty: dict[str, str], header: list[str]) -> str:
    columns = [ours if ours == theirs else f"{ours} from {theirs!r}" for ours, theirs in understood.items()]
    others = [name for name in header if name not in (*understood.values(), *empty.values())]
    kept = f"; kept as they are: {', '.join(others)}" if others else ""
    left = f"; left out, being empty in every row: {', '.join(empty.values())}" if empty else ""
    return f"understood {', '.join(columns)}{kept}{left}."


def _blanks(table: pd.DataFrame, understood: dict[str, str]) -> tuple[pd.DataFrame, dict[str, str]]:
    """Empty fields as missing values; columns of sernb's that are empty leave the table and `understood`."""
    table = table.mask(table == "")
    empty = [column for column in understood if column != "path" and table[column].isna().all()]
    for column in table.columns.difference([*COLUMNS]):  # numbers of the user's own, unless codes such as 007
        values = table[column].dropna()
        codes = values.str.match(r"[+-]?0\d").any()
        if len(values) and not codes and pd.to_numeric(values, errors="coerce").notna().all():
            table[column] = pd.to_numeric(table[column])
    return table.drop(columns=empty), {column: understood.pop(column) for column in empty}


def _labelled(table: pd.DataFrame, labels: dict, path: Path, notes: list) -> tuple[pd.DataFrame, list[str]]:
    """The table with the kit's labels, without what `labels` leaves out, and the user's own classes."""
    # `labels` must map words of the file to words, or to None.
    for word, emotion in labels.items():
        if not isinstance(emotion, str | None):
            raise SernbError(f"labels maps words to words, or to None; it has {word!r}: {emotion!r}.")
    labels = {str(word).strip().lower(): emotion for word, emotion in labels.items()}
    words = table["emotion"].str.lower()
    if unused := set(labels) - set(words):
        there = some(sorted(table["emotion"].dropna().unique()), SHOWN)
        raise SernbError(f"{path}: labels names {some(sorted(unused))}, the file has {there}.")

    # Every row must have a label that is known, from `labels` or otherwise.
    if words.isna().any():
        raise SernbError(
            f"{path}: {words.isna().sum()} rows have no label: {_places(words.isna())}. Label or remove "
            "them, or name them, say 'unlabelled', and leave that out: labels={'unlabelled': None}."
        )
    meaning = KNOWN | labels
    if (unknown := ~words.isin(list(meaning))).any():
        word = words[unknown].iloc[0]
        raise SernbError(
            f"{path}: unknown labels {some(map(repr, table['emotion'][unknown].unique()), SHOWN)} in "
            f"{unknown.sum()} rows ({_places(unknown)}). Known are {', '.join(EMOTIONS)} and words such as "
            f"{some(sorted(set(KNOWN) - set(EMOTIONS)), 12)}. Map them: labels={{{word!r}: 'happy'}}, keep "
            f"one as a class of its own: {{{word!r}: {word!r}}}, or leave its rows out: {{{word!r}: None}}."
        )

    # A class of the user's own is named twice, so that a slip such as "hapy" does not become one.
    own = sorted({emotion for emotion in labels.values() if emotion} - set(EMOTIONS))
    if strange := [emotion for emotion in own if emotion not in labels]:
        twice = f"for a class of your own, its name twice: labels={{{strange[0]!r}: {strange[0]!r}}}"
        raise SernbError(f"labels maps to {some(strange)}; expected {', '.join(EMOTIONS)}, or, {twice}.")
    table["emotion"] = words.map(meaning)
    kept = table[table["emotion"].notna()].copy()
    if kept.empty:
        raise SernbError(f"{path}: labels leaves no row.")
    if len(kept) < len(table):
        notes.append(f"Left out by labels: {len(table) - len(kept)} of {len(table)} rows.")
    return kept, own


def _numbers(table: pd.DataFrame, understood: dict, path: Path, decimal_comma: bool) -> None:
    """Seconds and ratings as numbers; where semicolons part the fields, 1,5 is one and a half."""
    for column in [name for name in ("start", "end", "duration", *DIMENSIONS) if name in table]:
        values = table[column].str.replace(",", ".") if decimal_comma else table[column]
        numbers = pd.to_numeric(values, errors="coerce")
        if (wrong := numbers.isna() & values.notna()).any():
            rows = f"{wrong.sum()} rows do not ({_places(wrong)}; {table[column][wrong].iloc[0]!r})"
            raise SernbError(f"{path}: column {understood[column]!r} must hold numbers; {rows}.")
        table[column] = numbers
    if "start" in table and "end" not in table and "duration" in table:
        table["end"] = table["start"] + table.pop("duration")
        understood["end"] = f"{understood['start']} + {understood.pop('duration')}"


def _paths(names: pd.Series, manifest: Path) -> tuple[list[str], dict[str, str]]:
    """Absolute paths, and for the rows that have no recording inside the manifest's folder, why."""
    home = os.path.realpath(manifest.parent)
    resolved = cache(os.path.realpath)  # a corpus has few folders and many files
    paths, why = [], {}
    for place, name in names.items():
        full, reason = "", "no recording is named"
        if isinstance(name, str) and "\0" not in name:
            full = os.path.join(manifest.parent, name)
            if "\\" in name and not os.path.lexists(full):  # written on Windows
                full = os.path.join(manifest.parent, name.replace("\\", "/"))
            parent, base = os.path.split(full)
            full = os.path.join(resolved(parent), base)
            full = os.path.realpath(full) if os.path.islink(full) else full
            reason = None
            if not full.startswith(os.path.join(home, "")):
                reason = f"{name} is outside {home}; put the CSV in a folder that holds all recordings"
            elif not os.path.isfile(full):
                reason = f"{name} is {'not a file' if os.path.exists(full) else 'not there'}"
        paths.append(full)
        if reason:
            why[place] = reason
    return paths, why


def _ids(table: pd.DataFrame) -> list[str]:
    """The ids given; else as much of the files' paths as tells them apart, and a part's start and end."""
    names = table["path"].fillna("").astype(str)
    if "utterance" in table:
        return list(table["utterance"].fillna(names))
    stems = names.map(lambda name: Path(name).stem)
    inner = names.map(lambda name: str(Path(name).with_suffix("")) if Path(name).name else name)
    ids = next((ids for ids in (stems, inner) if ids.nunique() == names.nunique()), names)
    if "start" not in table or not ids.duplicated().any():
        return list(ids)
    ends = table["end"] if "end" in table else pd.Series(float("nan"), table.index)
    return [
        f"{name}@{start:g}-{'' if pd.isna(end) else f'{end:g}'}" if pd.notna(start) else name
        for name, start, end in zip(ids, table["start"], ends, strict=True)
    ]


def _places(rows: pd.Series) -> str:
    return some(rows.index[rows], SHOWN)
