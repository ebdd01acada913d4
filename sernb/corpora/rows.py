"""CSVs as people write them: comma, semicolon or tab, with a byte-order mark or not; broken ones are told by line."""

import csv
import io
from pathlib import Path
from typing import NamedTuple

from sernb.core.errors import SernbError


class Rows(NamedTuple):
    """A CSV's content: all fields are stripped text; `lines` is the line of the file in which each row begins."""

    header: list[str]
    rows: list[list[str]]
    lines: list[int]
    delimiter: str


def read_rows(path: Path, score) -> Rows:
    """Read a CSV strictly (`parse_rows`): UTF-8, or UTF-16 with its mark. Raises SernbError naming the line."""
    return parse_rows(_decode(path), path, score)


def parse_rows(text: str, path: Path, score, uneven: list[dict] | None = None) -> Rows:
    """A CSV's content; the separator is the one with which `score(header)` is highest, then the commonest.

    Quoted fields may hold separators, quotes (doubled) and line breaks. Blank lines, and the rows of nothing but
    separators that spreadsheets leave, are no rows. A row with too many or too few fields is an error that names its
    line, or joins `uneven` ({utterance, path, why}) where a list is given. `path` is for messages.
    """
    first = next(iter(text.lstrip().splitlines()), "")
    delimiter = max(",;\t", key=lambda d: (score(first.split(d)), first.count(d)))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    header, rows, lines, begins = None, [], [], 1
    try:
        for row in reader:
            line, begins = begins, reader.line_num + 1
            row = [field.strip() for field in row]
            if not any(row):
                continue
            if header is None:
                header = [name or f"unnamed_{number}" for number, name in enumerate(row, 1)]
            elif len(row) != len(header):
                why = (
                    f"line {line} has {len(row)} fields, the header has {len(header)}. Fields that hold "
                    f"the separator {delimiter!r} must stand in double quotes."
                )
                if uneven is None:
                    raise SernbError(f"{path}: {why}")
                uneven.append({"utterance": row[0], "path": str(path), "why": why})
            else:
                rows.append(row)
                lines.append(line)
    except csv.Error as problem:
        raise SernbError(
            f"{path}: from line {begins} on it cannot be read as CSV ({problem}); is a quote never closed?"
        ) from problem
    if not rows:
        raise SernbError(f"{path}: the file has {'a header and ' if header else ''}no rows.")
    return Rows(header, rows, lines, delimiter)


def _decode(path: Path) -> str:
    raw = path.read_bytes()
    encoding = "utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as problem:
        line = raw[: problem.start].count(b"\n") + 1
        raise SernbError(
            f"{path}: line {line} is not UTF-8; save the file as 'CSV UTF-8' (in a spreadsheet: Save as)."
        ) from problem
