"""Your own recordings: a CSV with a row a recording. It knows the usual column names and says what it understood."""

import os
import re
import sys
from pathlib import Path

import pandas as pd

from sernb.core.errors import SernbError
from sernb.core.tables import DIMENSIONS, EMOTIONS
from sernb.corpora import folder
from sernb.corpora.labels import KNOWN, emotion_of
from sernb.corpora.rows import read_rows

# sernb's column, then what others call it; the first that the CSV has is taken, the others stay as they are.
COLUMNS = {
    "utterance": "utterance utterance_id utt utt_id id uid segment_id",
    "path": "path file filename file_name filepath file_path wav wav_file wav_path audio audio_file audio_path",
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
SHOWN = 10


def load(
    root: str | Path, on_bad: str = "raise", labels: dict[str, str | None] | None = None
) -> pd.DataFrame:
    """Utterances of the CSV `root`, or of the one CSV in the folder `root`; paths count from the CSV's folder.

    Comma, semicolon or tab; UTF-8 (or UTF-16 with its mark); quoted fields may hold any of them and line breaks.
    `labels` maps the CSV's label words: {"cheerful": "happy"}; {"cheerful": "cheerful"} keeps a class of your own;
    {"other": None} leaves its rows out. attrs: understood (column of the table -> column of the CSV), own_labels,
    notes, skipped.

    Raises SernbError naming rows (as lines of the file) and what to do: no or several CSVs, columns missing or
    ambiguous, fields missing, unknown labels, ids twice, recordings missing or outside the CSV's folder. The last
    three are left out and listed with `on_bad="skip"`.
    """
    path = _find(Path(root))
    header, rows, lines, delimiter = read_rows(path, _known)
    understood = _understand(header, path)
    table = pd.DataFrame(rows, columns=header, dtype=object)
    table = table.rename(columns={theirs: ours for ours, theirs in understood.items()})
    table, empty = _blanks(table, understood)
    notes = [f"{path.name}: {_sentence(understood, empty, header)}"]
    print(notes[0], file=sys.stderr)
    lines = pd.Series(lines, index=table.index)

    own = []
    if "emotion" in table:
        table, own = _labels(table, labels or {}, lines, path, notes)
    elif labels:
        raise SernbError(f"{path}: labels were given, and no column of emotions was found. {notes[0]}")
    lines = lines[table.index]
    _numbers(table, understood, lines, path, decimal_comma=delimiter == ";")
    if "gender" in table:
        table["gender"] = table["gender"].map(lambda g: GENDERS.get(g.lower(), g.lower()), na_action="ignore")
    names = table["path"].copy()
    table["path"], why = _paths(table["path"], path)
    table.index = _ids(table, names)
    seen = {}
    for row, name in enumerate(table.index):
        first = seen.setdefault(name, row)
        if first != row:
            why.setdefault(row, f"the id {name!r} stands in line {lines.iloc[first]} already")
    bad = [
        {
            "utterance": table.index[row],
            "path": str(names.iloc[row]),
            "why": f"line {lines.iloc[row]}: {reason}",
        }
        for row, reason in sorted(why.items())
    ]
    folder.refuse(bad, str(path), len(table), "rows cannot be used", on_bad)
    table = table[[row not in why for row in range(len(table))]].drop(columns="utterance", errors="ignore")
    if table.empty:
        raise SernbError(f"{path}: none of its {len(rows)} rows can be used.")
    table.attrs = {"understood": understood, "own_labels": own, "notes": notes, "skipped": bad}
    return table


def _find(root: Path) -> Path:
    """The CSV file."""
    if root.is_file():
        return root
    found = sorted(p for p in root.iterdir() if p.suffix.lower() in (".csv", ".tsv") and p.is_file())
    if len(found) != 1:
        names = ", ".join(p.name for p in found[:SHOWN]) or "none"
        raise SernbError(
            f"{root}: expected one CSV that lists the recordings, found {len(found)} ({names}). "
            + ("Name the one to use as root." if found else "docs/corpora.md says what it holds.")
        )
    return found[0]


def _plain(name: str) -> str:
    return re.sub(r"[\s\-.]+", "_", name.strip().lower())


def _known(header: list[str]) -> int:
    return len(
        {_plain(name) for name in header} & {word for words in COLUMNS.values() for word in words.split()}
    )


def _understand(header: list[str], path: Path) -> dict[str, str]:
    """sernb's column -> the CSV's. Raises for columns that stand twice and where none names the recordings."""
    plain = {}
    for name in header:
        if _plain(name) in plain:
            raise SernbError(
                f"{path}: columns {plain[_plain(name)]!r} and {name!r} have the same name; rename one."
            )
        plain[_plain(name)] = name
    understood = {
        ours: next(plain[word] for word in words.split() if word in plain)
        for ours, words in COLUMNS.items()
        if any(word in plain for word in words.split())
    }
    if "path" not in understood:
        raise SernbError(
            f"{path}: no column names the recordings. Expected one of {', '.join(COLUMNS['path'].split())}; "
            f"the file has {', '.join(header)}."
        )
    if "start" not in understood and understood.get("end") == plain.get("offset", ""):
        if "duration" in understood:  # as Kaldi and NeMo write parts of files
            return {"start": understood.pop("end"), **understood}
        raise SernbError(
            f"{path}: the column 'offset' may mean the start or the end; name the columns 'start' and 'end' (seconds)."
        )
    return understood


def _sentence(understood: dict[str, str], empty: dict[str, str], header: list[str]) -> str:
    columns = [ours if ours == theirs else f"{ours} from {theirs!r}" for ours, theirs in understood.items()]
    others = [name for name in header if name not in (*understood.values(), *empty.values())]
    return (
        f"understood {', '.join(columns)}"
        + (f"; kept as they are: {', '.join(others)}" if others else "")
        + (f"; left out, being empty in every row: {', '.join(empty.values())}" if empty else "")
        + "."
    )


def _blanks(table: pd.DataFrame, understood: dict[str, str]) -> tuple[pd.DataFrame, dict[str, str]]:
    """Empty fields as missing values; sernb's columns that are empty throughout leave the table and `understood`."""
    table = table.mask(table == "")
    empty = [column for column in understood if column != "path" and table[column].isna().all()]
    for column in table.columns.difference([*COLUMNS]):  # numbers of the user's own, unless codes such as 007
        values = table[column].dropna()
        codes = values.str.match(r"[+-]?0\d").any()
        if len(values) and not codes and pd.to_numeric(values, errors="coerce").notna().all():
            table[column] = pd.to_numeric(table[column])
    return table.drop(columns=empty), {column: understood.pop(column) for column in empty}


def _labels(
    table, labels: dict, lines: pd.Series, path: Path, notes: list[str]
) -> tuple[pd.DataFrame, list[str]]:
    """The kit's words for the CSV's labels, and the classes of the user's own."""
    missing = lines[table["emotion"].isna()]
    if len(missing):
        raise SernbError(
            f"{path}: {len(missing)} rows have no label: line {_some(missing)}. Label or remove them, or call "
            "them something and say so: labels={'unlabelled': None} leaves such rows out."
        )
    odd = {word: emotion for word, emotion in labels.items() if not isinstance(emotion, (str, type(None)))}
    if odd:
        raise SernbError(f"labels maps words to words, or to None; it has {_some(odd.items())}.")
    given = {str(word).strip().lower(): emotion for word, emotion in labels.items()}
    words = {word: word.lower() for word in table["emotion"].unique()}
    unused = set(given) - set(words.values())
    if unused:
        raise SernbError(
            f"{path}: labels names {_some(sorted(unused))}, the file has {_some(sorted(words))}."
        )
    meaning = {word: given[low] if low in given else emotion_of(word) for word, low in words.items()}
    unknown = [word for word, low in words.items() if meaning[word] is None and low not in given]
    if unknown:
        rows = lines[table["emotion"].isin(unknown)]
        raise SernbError(
            f"{path}: unknown labels {', '.join(map(repr, unknown[:SHOWN]))} in {len(rows)} rows (line {_some(rows)}). "
            f"Known are {', '.join(EMOTIONS)} and words such as {', '.join(sorted(set(KNOWN) - set(EMOTIONS))[:12])}. "
            f"Map them: labels={{{unknown[0]!r}: 'happy'}}, keep one as a class of its own: "
            f"labels={{{unknown[0]!r}: {unknown[0].lower()!r}}}, or leave its rows out: labels={{{unknown[0]!r}: None}}."
        )
    table["emotion"] = table["emotion"].map(meaning)
    own = {emotion for emotion in meaning.values() if emotion is not None and emotion not in EMOTIONS}
    strange = sorted(own - set(given))  # a slip such as "hapy" must not become a class
    if strange:
        raise SernbError(
            f"labels maps to {_some(strange)}; expected one of {', '.join(EMOTIONS)}, or, for a class of your own, "
            f"its name twice: labels={{{strange[0]!r}: {strange[0]!r}}}."
        )
    out = table["emotion"].isna()
    if out.any():
        notes.append(f"Left out by labels: {int(out.sum())} of {len(table)} rows.")
    if out.all():
        raise SernbError(f"{path}: labels leaves no row.")
    return table[~out].copy(), sorted(own)


def _numbers(
    table: pd.DataFrame, understood: dict, lines: pd.Series, path: Path, decimal_comma: bool
) -> None:
    """Seconds and ratings as numbers; where semicolons part the fields, 1,5 is one and a half."""
    for column in [c for c in ("start", "end", "duration", *DIMENSIONS) if c in table]:
        values = table[column].str.replace(",", ".") if decimal_comma else table[column]
        numbers = pd.to_numeric(values, errors="coerce")
        wrong = lines[numbers.isna() & values.notna()]
        if len(wrong):
            raise SernbError(
                f"{path}: column {understood[column]!r} must hold numbers; {len(wrong)} rows do not "
                f"(line {_some(wrong)}; {table[column][wrong.index[0]]!r})."
            )
        table[column] = numbers
    if "start" in table and "end" not in table and "duration" in table:
        table["end"] = table["start"] + table.pop("duration")
        understood["end"] = f"{understood['start']} + {understood.pop('duration')}"


def _paths(names: pd.Series, manifest: Path) -> tuple[list[str], dict[int, str]]:
    """Absolute paths, and for the rows that have no recording inside the manifest's folder, why."""
    home = os.path.realpath(manifest.parent)
    folders: dict[str, str] = {}  # a corpus has few folders and many files: resolve each folder once
    paths, why = [], {}
    for row, name in enumerate(names):
        full, reason = "", None
        if not isinstance(name, str):
            reason = "no recording is named"
        elif "\0" in name:
            reason = "not a file name"
        else:
            full = os.path.join(manifest.parent, name)
            if "\\" in name and not os.path.lexists(full):  # written on Windows
                full = os.path.join(manifest.parent, name.replace("\\", "/"))
            parent = os.path.dirname(full)
            if parent not in folders:
                folders[parent] = os.path.realpath(parent)
            full = os.path.join(folders[parent], os.path.basename(full))
            full = os.path.realpath(full) if os.path.islink(full) else full
            if not full.startswith(os.path.join(home, "")):
                reason = (
                    f"outside the manifest's folder {home}; put the CSV in a folder that holds the recordings"
                )
            elif not os.path.isfile(full):
                reason = "no such file" if not os.path.exists(full) else "not a file"
        paths.append(full)
        if reason:
            why[row] = reason
    return paths, why


def _ids(table: pd.DataFrame, names: pd.Series) -> pd.Index:
    """The ids given; else the files' names, as much of their path as tells them apart, and the part's start and end."""
    if "utterance" in table:
        ids = table["utterance"].where(table["utterance"].notna(), names).fillna("")
    else:
        whole = names.fillna("").astype(str)
        choices = (
            whole.map(lambda name: Path(name).stem),
            whole.map(lambda name: str(Path(name).with_suffix("")) if Path(name).name else name),
            whole,
        )
        files = whole.nunique()
        ids = next((choice for choice in choices if choice.nunique() == files), whole)
        if ids.duplicated().any() and "start" in table:
            end = table["end"] if "end" in table else pd.Series(float("nan"), index=table.index)
            ids = [
                f"{name}@{begin:g}-{'' if pd.isna(stop) else f'{stop:g}'}" if pd.notna(begin) else name
                for name, begin, stop in zip(ids, table["start"], end, strict=True)
            ]
    return pd.Index(list(ids), name="utterance")


def _some(values) -> str:
    values = [str(value) for value in values]
    return ", ".join(values[:SHOWN]) + (" …" if len(values) > SHOWN else "")
