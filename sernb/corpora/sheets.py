"""Tables of labels as publishers and users write them; what cannot be used is named by line."""

import csv
import io
import re
import warnings
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from pathlib import Path

import pandas as pd

from sernb.core.errors import SernbError, refuse, some
from sernb.corpora.files import read_text

# Windows-1252's curly quotes and dashes, read as Latin-1, become control characters that no text means.
_CONTROLS = {code: bytes([code]).decode("cp1252", "ignore") or chr(code) for code in range(0x80, 0xA0)}
# UTF-8 read as Windows-1252: an apostrophe becomes â€™, an é becomes Ã©.
_TWICE = re.compile("â€|Ã[\x80-\xbf‚-™]")


def parse_csv(
    text: str, path: Path, known: Collection[str], plain: Callable = str, uneven: list | None = None
) -> pd.DataFrame:
    """A CSV's rows: all fields as stripped text; the index says where in the file a row begins ("line 3").

    The separator (comma, semicolon, tab; attrs["separator"]) is the one that gives the most `known` columns.
    Quoted fields may hold separators, quotes (doubled) and line breaks. Blank lines, and rows of nothing but
    separators, are no rows.

    Args:
        text, path: of the file; its path is for messages.
        known, plain: the names that columns may have; what makes a name of the header comparable with them.
        uneven: where it is given, rows with too many or too few fields join it, as {utterance, path, why}.

    Raises:
        SernbError: no rows, a quote that is never closed, or, without `uneven`, a row of another length.
    """
    first = next(iter(text.lstrip().splitlines()), "")
    separator = max(",;\t", key=lambda s: (len({*map(plain, first.split(s))} & {*known}), first.count(s)))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    header, rows, lines, begins = None, [], [], 1
    try:
        for row in reader:
            line, begins = begins, reader.line_num + 1
            row = [field.strip() for field in row]
            if not any(row):
                continue
            if header is None:
                header = [name or f"unnamed_{number}" for number, name in enumerate(row, 1)]
            elif len(row) == len(header):
                rows.append(row)
                lines.append(f"line {line}")
            else:
                why = f"line {line} has {len(row)} fields, the header has {len(header)}"
                why += f". Fields that hold the separator {separator!r} must stand in double quotes."
                if uneven is None:
                    raise SernbError(f"{path}: {why}")
                uneven.append({"utterance": row[0], "path": str(path), "why": why})
    except csv.Error as problem:
        what = f"from line {begins} on it cannot be read as CSV ({problem}); is a quote never closed?"
        raise SernbError(f"{path}: {what}") from problem
    if not rows:
        raise SernbError(f"{path}: the file has {'a header and ' if header else ''}no rows.")
    table = pd.DataFrame(rows, lines, header, dtype=object)
    table.attrs["separator"] = separator
    return table


class Sheet:
    """A corpus's table of labels, checked column by column on its way to utterances.

    `table`: its index says where a row stands ("line 3"); before `usable` it needs a column `utterance`.
    `notes`: sentences on what is incomplete; `skipped`: {utterance, path, why} of what `usable` left out.
    """

    def __init__(self, table: pd.DataFrame, title: str, source: str | Path, on_bad: str, bad: Iterable = ()):
        self.table, self.title, self.source, self.on_bad = table, title, str(source), on_bad
        self.notes, self.skipped = [], list(bad)
        self.why, self._twice = {}, []

    @classmethod
    def read(cls, path: Path, needed: tuple[str, ...], title: str, on_bad: str) -> "Sheet":
        """All fields of a CSV as stripped text, by its own column names; SernbError where one is missing."""
        text, note = read_text(path)
        table = parse_csv(text, path, needed, uneven=(bad := []))
        missing = [column for column in needed if column not in table]
        if missing or table.columns.has_duplicates:
            wrong = f"no column {', '.join(map(repr, missing))}" if missing else "columns stand twice"
            raise SernbError(f"{path}: {wrong}; expected {', '.join(needed)}, found {', '.join(table)}.")
        sheet = cls(table, title, path, on_bad, bad)
        sheet.notes += [note] if note else []
        return sheet

    def expect(self, column: str, fits: pd.Series, what: str) -> None:
        """Rows where `fits` is False cannot be used: what is in `column` is not `what` was expected."""
        for place, value in self.table.loc[~fits, column].items():
            shown = repr(value) if isinstance(value, str) else f"{value:g}"
            self.why.setdefault(place, f"{column} is {shown}, expected {what}")

    def expect_text(self, *columns: str) -> None:
        for column in columns:
            self.expect(column, self.table[column] != "", "text")

    def expect_known(self, column: str, known: Collection[str]) -> None:
        self.expect(column, self.table[column].isin(list(known)), f"one of {', '.join(known)}")

    def expect_ratings(self, columns: dict[str, str], scale: tuple[float, float]) -> None:
        """Adds the ratings as numbers: `columns` is {ours: theirs}."""
        for ours, theirs in columns.items():
            ratings = pd.to_numeric(self.table[theirs], errors="coerce").astype(float)
            self.expect(theirs, ratings.between(*scale), f"a number from {scale[0]} to {scale[1]}")
            self.table[ours] = ratings

    def expect_once(self) -> None:
        """No id may stand in the column `utterance` twice."""
        first = {}
        for place, name in self.table["utterance"].items():
            if first.setdefault(name, place) != place:
                self.why.setdefault(place, f"the id stands in {first[name]} already")

    def add_recordings(self, clips: Iterable[tuple[str, Path]], wanted: bool | None, example: str) -> None:
        """Adds the column `path` from `clips`, (utterance, path) of each; rows without one cannot be used.

        Where there are no clips at all, the table is words only; wanted: True makes that an error, False
        leaves clips alone. Clips of no row are noted, with a warning; of those found twice the first counts.
        """
        if wanted is False:
            self.notes.append(f"{self.title}: without its recordings, as you asked; words and labels only.")
            return
        paths = {}
        for name, path in clips:
            if (first := paths.setdefault(name, str(path))) != str(path):
                why = f"the same clip as {first}"
                self._twice.append({"utterance": name, "path": str(path), "why": why})
        total = len(paths) + len(self._twice)
        refuse(self._twice, self.title, total, "recordings are there twice", self.on_bad)

        if not paths:
            note = f"{self.title}: no recordings were found (expected: {example})"
            if wanted:
                raise SernbError(f"{note}. Put them there, or leave recordings=True out to read words only.")
            self.notes.append(f"{note}, so these utterances are words and labels only.")
            return
        found = self.table["utterance"].map(paths)
        for place in self.table.index[found.isna()]:
            self.why.setdefault(place, "labelled, but there is no recording of it")
        if extra := sorted(set(paths) - set(self.table["utterance"])):
            what = f"{len(extra)} recordings have no label, so they are left out"
            self.notes.append(note := f"{self.title}: {what}: {some(extra)}.")
            warnings.warn(note, stacklevel=3)
        self.table.insert(0, "path", found)

    def usable(self) -> pd.DataFrame:
        """The table, indexed by its column `utterance`, without the rows that cannot be used: one error, or
        with `on_bad="skip"` a warning. Raises SernbError too where no row is left."""
        total = len(self.table) + len(self.skipped)
        for place, why in self.why.items():
            name = self.table.at[place, "utterance"]
            why = why if place == name else f"{place}: {why}"
            self.skipped.append({"utterance": name, "path": self.source, "why": why})
        refuse(self.skipped, self.source, total, "rows cannot be used", self.on_bad)
        table = self.table.drop(index=list(self.why))
        if table.empty:
            why = self.skipped[0]["why"]
            raise SernbError(f"{self.source}: none of its {total} rows can be used ({why}).")
        self.skipped += self._twice
        return table.set_index("utterance")


def mend(table: pd.DataFrame, columns: tuple[str, ...], title: str) -> list[str]:
    """Puts wrongly decoded characters right (\\x92 and â€™ become ’); a note counts the texts changed."""
    count = 0
    for column in columns:
        mended = table[column].map(_mended, na_action="ignore")
        count += int((mended != table[column])[mended.notna()].sum())
        table[column] = mended
    return [f"{title}: wrongly decoded characters were put right in {count} texts."] if count else []


def _mended(text: str) -> str:
    if _TWICE.search(text):
        with suppress(UnicodeError):  # a text that only looks so stays as it is
            text = text.encode("cp1252").decode("utf-8")
    return text.translate(_CONTROLS)
