"""Notes and tags of utterances: as a dict in the explorer, as a table in Python, as CSV for others."""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import pandas as pd
from pydantic import (
    BaseModel,
    Field,
    TypeAdapter,
    ValidationError,
    field_validator,
    model_validator,
)

from sernb.core.errors import SernbError
from sernb.core.files import whole_file
from sernb.explorer.text import Text, clean, in_words

COLUMNS = ("utterance", "note", "tags")
BETWEEN = "; "  # tags of one utterance
LONGEST = 100_000  # characters of a note: csv readers stop at 131,072


class Note(BaseModel, extra="forbid"):
    """What is noted of one utterance; tags may come as text with ";" between."""

    note: Text = ""
    tags: list[Text] = []

    @field_validator("tags", mode="before")
    @classmethod
    def _listed(cls, tags):
        return [tags] if isinstance(tags, str) else tags

    @model_validator(mode="after")
    def _tidy(self):
        tags = [" ".join(part.split()) for tag in self.tags for part in tag.split(";")]
        if len(self.note) + sum(map(len, tags)) > LONGEST:
            raise ValueError(f"a note has at most {LONGEST:,} characters")
        self.tags = list(dict.fromkeys(tag for tag in tags if tag))
        return self


_NOTES = TypeAdapter(dict[Annotated[Text, Field(min_length=1)], Note])


def as_dict(notes: pd.DataFrame | Mapping, source: str = "notes") -> dict[str, dict]:
    """{utterance: {"note": text, "tags": [text]}} of a table (index utterance) or such a dict, without empty
    notes.

    Tags may be a list or text with ";" between. Raises SernbError for anything else.
    """
    if isinstance(notes, pd.DataFrame):
        table = notes.set_index("utterance") if "utterance" in notes else notes
        if table.index.has_duplicates:
            raise SernbError(
                f"{source}: an utterance has one row; found {table.index[table.index.duplicated()][0]!r} "
                "twice."
            )
        missing = table.map(lambda value: not isinstance(value, (list, tuple)) and pd.isna(value))
        notes = dict(
            zip(table.index.map(str), table.astype(object).mask(missing, "").to_dict("records"), strict=True)
        )
    try:
        checked = _NOTES.validate_python(notes)
    except ValidationError as error:
        raise SernbError(
            f"{source}: {in_words(error)} Expected {{utterance: {{'note': text, 'tags': [text, …]}}}}, or a "
            "table with these columns."
        ) from None
    return {name: note.model_dump() for name, note in checked.items() if note.note or note.tags}


def as_table(notes: Mapping) -> pd.DataFrame:
    """A table of a dict of notes: index utterance, columns note and tags (text, "; " between)."""
    rows = {name: (note["note"], BETWEEN.join(note["tags"])) for name, note in notes.items()}
    index = pd.Index(list(rows), name="utterance", dtype=object)
    return pd.DataFrame(list(rows.values()), index, ["note", "tags"], dtype=object)


def merged(notes: Mapping, changes: Mapping) -> dict[str, dict]:
    """Notes after `changes`: {utterance: a note as in `as_dict`, or None, which takes it away}; the others
    stay.

    Raises SernbError for changes that are none; nothing is taken over then.
    """
    if not isinstance(changes, Mapping):
        raise SernbError(f"notes: expected a dict of notes, got {type(changes).__name__}.")
    new = as_dict({name: note for name, note in changes.items() if note is not None})
    changed = {clean(name) for name in changes if isinstance(name, str)}
    # An empty note is none, either.
    return {name: note for name, note in notes.items() if name in new or name not in changed} | new


def read_notes(path: str | Path) -> pd.DataFrame:
    """The notes of a CSV: index `utterance`, columns note and tags (text, "noisy; two speakers").

    SernbError names file and line: no such file, other columns, an utterance missing or twice, a damaged CSV.
    """
    path, notes = Path(path), {}
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            header = reader.fieldnames or []
            if sorted(header) != sorted(COLUMNS):
                raise SernbError(
                    f"{path}: expected the columns {', '.join(COLUMNS)}; it has {', '.join(header)}."
                )
            for note in reader:
                line = f"{path}, line {reader.line_num}"
                if None in note or None in note.values():
                    raise SernbError(f"{line}: expected {len(COLUMNS)} fields.")
                name = note.pop("utterance")
                if not name:
                    raise SernbError(f"{line}: the utterance is missing.")
                if name in notes:
                    raise SernbError(f"{line}: {name!r:.100} stands above already; an utterance has one row.")
                notes[name] = note
    except FileNotFoundError:
        raise SernbError(f"{path}: no such file; expected a CSV of notes.") from None
    except (OSError, UnicodeDecodeError, csv.Error) as problem:
        raise SernbError(f"{path}: cannot be read as a CSV of notes in UTF-8 ({problem}).") from problem
    return as_table(as_dict(notes, str(path)))


def write_notes(notes: pd.DataFrame | Mapping, path: str | Path) -> Path:
    """Write notes (a table or a dict) as CSV, UTF-8; a run that is cut off leaves no half-written file."""
    path, table = Path(path), as_table(as_dict(notes))
    with whole_file(path) as beside, open(beside, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow(COLUMNS)
        writer.writerows(table.reset_index().itertuples(index=False))
    return path
