"""Tables of labels as corpora publish them, and the recordings that belong to their rows."""

import os
import warnings
from collections import deque
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from sernb.core.errors import SernbError, some
from sernb.corpora import folder
from sernb.corpora.encoding import read_text
from sernb.corpora.rows import parse_rows

DEPTH = 4  # folders below the root in which a table is looked for


def find(root: str | Path, *names: str) -> Path | None:
    """The file with one of these names that lies highest below `root`, hidden folders left out; None without one.

    Raises SernbError where two different ones lie equally high, so that it is not clear which is meant; and where it is
    not found while a folder could not be read, in which it may be.
    """
    wanted, level, closed = {name.lower() for name in names}, deque([Path(root)]), []
    for _ in range(DEPTH):
        found, below = [], deque()
        for place in level:
            try:
                entries = sorted(os.scandir(place), key=lambda entry: entry.name)
            except OSError as problem:
                closed.append(f"{place} ({problem.strerror})")
                continue
            for entry in entries:
                if entry.name.startswith(".") or entry.name == "__MACOSX":
                    continue
                if entry.is_dir():
                    below.append(Path(entry.path))
                elif entry.name.lower() in wanted:
                    found.append(Path(entry.path))
        if found:
            if any(other.read_bytes() != found[0].read_bytes() for other in found[1:]):
                raise SernbError(
                    f"{root}: found {' and '.join(map(str, found))}, which differ; name the folder of the one you mean."
                )
            return found[0]
        level = below
    if closed:
        raise SernbError(
            f"{root}: {' or '.join(names)} was not found, and may be in a folder that cannot be read: {some(closed)}. "
            "Make it readable, or move it elsewhere if it is no part of the corpus."
        )
    return None


def read_table(path: Path, needed: tuple[str, ...], bad: list[dict]) -> tuple[pd.DataFrame, list[str]]:
    """All fields as stripped text under the file's own column names, and notes; the index is the line of each row.

    Rows with too many or too few fields join `bad`. Raises SernbError for a file that cannot be read as a table or
    lacks one of the `needed` columns.
    """
    text, note = read_text(path)
    content = parse_rows(text, path, lambda header: len({*header} & {*needed}), uneven=bad)
    missing = [column for column in needed if column not in content.header]
    if missing:
        raise SernbError(
            f"{path}: no column {', '.join(map(repr, missing))}; expected {', '.join(needed)}, "
            f"the file has {', '.join(content.header)}."
        )
    if len({*content.header}) < len(content.header):
        raise SernbError(f"{path}: columns stand twice in {', '.join(content.header)}.")
    table = pd.DataFrame(content.rows, columns=content.header, index=content.lines, dtype=object)
    return table, [note] if note else []


def ratings(table: pd.DataFrame, columns: dict[str, str], scale: tuple[float, float], why: dict) -> None:
    """Adds the ratings as numbers, `columns` = {ours: theirs}; rows off the scale join `why` ({line: reason})."""
    low, high = scale
    for ours, theirs in columns.items():
        numbers = pd.to_numeric(table[theirs], errors="coerce")
        for line in table.index[~numbers.between(low, high)]:
            why.setdefault(
                line, f"{theirs} is {table.at[line, theirs]!r}, expected a number from {low} to {high}"
            )
        table[ours] = numbers.astype(float)


def unknown(table: pd.DataFrame, column: str, known, why: dict) -> None:
    """Rows whose value in `column` is none of the `known` join `why` ({line: reason})."""
    for line in table.index[~table[column].isin(list(known))]:
        why.setdefault(line, f"{column} is {table.at[line, column]!r}, expected one of {', '.join(known)}")


def empty(table: pd.DataFrame, columns: tuple[str, ...], why: dict) -> None:
    """Rows with nothing in one of the `columns` join `why` ({line: reason})."""
    for column in columns:
        for line in table.index[table[column] == ""]:
            why.setdefault(line, f"{column} is empty")


def repeated(ids: pd.Series, why: dict) -> None:
    """Rows whose id stands in an earlier row join `why` ({line: reason})."""
    first = {}
    for line, name in ids.items():
        if first.setdefault(name, line) != line:
            why.setdefault(line, f"the id stands in {_place(first[name])} already")


def each_once(
    clips: Iterable[tuple[str, Path]], source: str, on_bad: str, what: str = "clips"
) -> tuple[dict[str, str], list[dict]]:
    """{utterance: path} of (utterance, path), and those found a second time ({utterance, path, why}), of which the first
    is taken; with `on_bad="raise"` they are an error."""
    found, twice = {}, []
    for name, path in clips:
        if name in found:
            twice.append({"utterance": name, "path": str(path), "why": f"the same clip as {found[name]}"})
        else:
            found[name] = str(path)
    folder.refuse(twice, source, len(found) + len(twice), f"{what} are there twice", on_bad)
    return found, twice


def recordings(
    table: pd.DataFrame, found: dict[str, str], wanted: bool | None, title: str, expected: str, why: dict
) -> tuple[pd.DataFrame, list[str]]:
    """The table with a column `path`, from `found` ({utterance: path}), and notes.

    Rows without a recording join `why` ({row's label: reason}); recordings without a row are noted, with a warning.
    `wanted=None`: where there are none at all, the table is words only, without `path`, and a note says so. True makes
    that an error, False leaves recordings alone. `table` needs a column `utterance`.
    """
    if wanted is False:
        return table, [f"{title}: without its recordings, as you asked; words and labels only."]
    if not found:
        message = f"{title}: no recordings were found (expected: {expected})"
        if wanted:
            raise SernbError(f"{message}. Put them there, or leave recordings=True out to read words only.")
        return table, [f"{message}, so these utterances are words and labels only."]
    paths = table["utterance"].map(found)
    for row in table.index[paths.isna()]:
        why.setdefault(row, "labelled, but there is no recording of it")
    notes = []
    extra = sorted(set(found) - set(table["utterance"]))
    if extra:
        notes.append(f"{title}: {len(extra)} recordings have no label, so they are left out: {some(extra)}.")
        warnings.warn(notes[0], stacklevel=3)
    table = table.assign(path=paths)
    return table[["path", *table.columns.drop("path")]], notes


def leave_out(table: pd.DataFrame, why: dict, bad: list[dict], source: str, on_bad: str) -> pd.DataFrame:
    """The table, indexed by its column `utterance`, without the rows in `why` ({row's label: reason}).

    These rows and `bad` (rows that never came into the table) are one error, or with `on_bad="skip"` a warning; `bad`
    has them all afterwards. Raises SernbError too where no row is left.
    """
    total = len(table) + len(bad)
    for row, reason in why.items():
        name = table.at[row, "utterance"]
        where = "" if row == name else f"{_place(row)}: "
        bad.append({"utterance": name, "path": source, "why": f"{where}{reason}"})
    folder.refuse(bad, source, total, "rows cannot be used", on_bad)
    table = table.drop(index=list(why))
    if table.empty:
        raise SernbError(f"{source}: none of its {total} rows can be used ({bad[0]['why']}).")
    return table.set_index("utterance")


def _place(row: int | str) -> str:
    return f"line {row}" if isinstance(row, int) else row
