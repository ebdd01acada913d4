"""Notes and tags of utterances: as a dict in the explorer, as a table in Python, as CSV for others."""

import csv
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from sernb.core.errors import SernbError
from sernb.core.files import whole_file
from sernb.explorer.readable import clean

COLUMNS = ("utterance", "note", "tags")
BETWEEN = "; "  # tags of one utterance
LONGEST = 100_000  # characters of a note: csv readers stop at 131,072


def read_notes(path: str | Path) -> pd.DataFrame:
    """The notes of a CSV: index `utterance`, columns note and tags (text, "noisy; two speakers").

    Raises SernbError naming file and row: no such file, other columns, an utterance missing or twice, damaged CSV.
    """
    path = Path(path)
    rows, seen = [], {}
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            header = next(reader, [])
            if sorted(header) != sorted(COLUMNS):
                raise SernbError(
                    f"{path}: expected the columns {', '.join(COLUMNS)}; it has {', '.join(header)}."
                )
            for fields in reader:
                if not fields:  # an empty line
                    continue
                line = f"{path}, line {reader.line_num}"
                if len(fields) != len(header):
                    raise SernbError(f"{line}: expected {len(header)} fields, found {len(fields)}.")
                row = dict(zip(header, fields, strict=True))
                if not row["utterance"]:
                    raise SernbError(f"{line}: the utterance is missing.")
                if row["utterance"] in seen:
                    raise SernbError(
                        f"{line}: {row['utterance']!r:.100} stands in {seen[row['utterance']]} already; an utterance has one row."
                    )
                seen[row["utterance"]] = f"line {reader.line_num}"
                rows.append(row)
    except FileNotFoundError:
        raise SernbError(f"{path}: no such file; expected a CSV of notes.") from None
    except (OSError, UnicodeDecodeError, csv.Error) as problem:
        raise SernbError(f"{path}: cannot be read as a CSV of notes in UTF-8 ({problem}).") from problem
    return as_table(as_dict(pd.DataFrame(rows, columns=COLUMNS).set_index("utterance"), str(path)))


def write_notes(notes: pd.DataFrame | Mapping, path: str | Path) -> Path:
    """Write notes (a table or a dict) as CSV, UTF-8; a run that is cut off
    leaves no half-written file."""
    path, table = Path(path), as_table(as_dict(notes))
    with whole_file(path) as beside, open(beside, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow(COLUMNS)
        writer.writerows(table.reset_index().itertuples(index=False))
    return path


def as_dict(notes: pd.DataFrame | Mapping, source: str = "notes") -> dict[str, dict]:
    """{utterance: {"note": text, "tags": [text]}} of a table (index utterance) or such a dict; empty notes are left out.

    Tags may be a list or text with ";" between. Raises SernbError for anything else.
    """
    if isinstance(notes, pd.DataFrame):
        table = notes.set_index("utterance") if "utterance" in notes else notes
        unknown = [name for name in table if name not in COLUMNS]
        if unknown or table.index.has_duplicates:
            what = f"the column {unknown[0]!r}" if unknown else "an utterance twice"
            raise SernbError(
                f"{source}: notes have the columns note and tags, and a row an utterance; found {what}."
            )
        table = table.astype(object).where(
            table.map(lambda one: isinstance(one, (list, tuple)) or pd.notna(one)), ""
        )
        notes = dict(zip(table.index.map(str), table.to_dict("records"), strict=True))
    if not isinstance(notes, Mapping):
        raise SernbError(f"{source}: expected a table or a dict of notes, got {type(notes).__name__}.")
    found = {}
    for name, one in notes.items():
        if (
            not isinstance(name, str)
            or not name
            or not isinstance(one, Mapping)
            or set(one) - {"note", "tags"}
        ):
            raise SernbError(
                f"{source}: {name!r:.100} has {one!r:.100}; expected {{'note': text, 'tags': [text, …]}} for an utterance's id."
            )
        note, tags = one.get("note", ""), one.get("tags", [])
        tags = tags.split(";") if isinstance(tags, str) else tags
        if (
            not isinstance(note, str)
            or not isinstance(tags, (list, tuple))
            or not all(isinstance(t, str) for t in tags)
        ):
            raise SernbError(f"{source}: the note of {name!r:.100} must be text and its tags texts.")
        tags = [" ".join(clean(part).split()) for tag in tags for part in tag.split(";")]
        if len(note) + sum(map(len, tags)) > LONGEST:
            raise SernbError(
                f"{source}: the note of {name!r:.100} is longer than {LONGEST:,} characters; shorten it."
            )
        tags = list(dict.fromkeys(tag for tag in tags if tag))
        if note or tags:
            found[clean(name)] = {"note": clean(note), "tags": tags}
    return found


def merged(notes: Mapping, changes: Mapping) -> dict[str, dict]:
    """Notes after `changes`: {utterance: a note as in `as_dict`, or None, which takes it away}; the others stay.

    Raises SernbError for changes that are none; nothing is taken over then.
    """
    if not isinstance(changes, Mapping):
        raise SernbError(f"notes: expected a dict of notes, got {type(changes).__name__}.")
    new = as_dict({name: one for name, one in changes.items() if one is not None})
    gone = {clean(name) for name in changes if isinstance(name, str)} - set(
        new
    )  # an empty note is none, either
    return {name: one for name, one in notes.items() if name not in gone} | new


def as_table(notes: Mapping) -> pd.DataFrame:
    """A table of a dict of notes: index `utterance`, columns note and tags (text, "; " between)."""
    rows = {name: (one["note"], BETWEEN.join(one["tags"])) for name, one in notes.items()}
    index = pd.Index(list(rows), name="utterance", dtype=object)
    return pd.DataFrame(list(rows.values()), index, ["note", "tags"], dtype=object)
