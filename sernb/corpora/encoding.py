"""Text files as publishers leave them: UTF-8 or Windows-1252, with what was read otherwise or mended counted."""

import contextlib
import re
from pathlib import Path

from sernb.core.errors import SernbError

# Windows-1252's curly quotes and dashes, read as Latin-1, become control characters that no text means.
_CONTROLS = re.compile("[\x80-\x9f]")
# UTF-8 read as Windows-1252: an apostrophe becomes â€™, an é becomes Ã©.
_TWICE = re.compile("â€|Ã[\x80-\xbf‚-™]")


def read_text(path: Path) -> tuple[str, str | None]:
    """The text of a file, and a note where it was not UTF-8 (a byte-order mark is dropped; UTF-16 needs one).

    Line ends become "\\n". Raises SernbError for a file that is missing, or neither UTF-8 nor Windows-1252.
    """
    try:
        raw = path.read_bytes()
    except OSError as problem:
        raise SernbError(f"{path}: cannot be read ({problem.strerror}).") from problem
    note = None
    try:
        text = raw.decode("utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = raw.decode("cp1252")
        except UnicodeDecodeError as problem:
            line = raw[: problem.start].count(b"\n") + 1
            raise SernbError(
                f"{path}: line {line} is neither UTF-8 nor Windows-1252; copy or download it again."
            ) from problem
        note = f"{path.name} is not UTF-8, so it was read as Windows-1252."
    return text.replace("\r\n", "\n").replace("\r", "\n"), note


def mend(texts: list[str]) -> tuple[list[str], int]:
    """Texts with wrongly decoded characters put right (\\x92 and â€™ become ’), and how many texts that changed."""
    mended = [_mend(text) for text in texts]
    return mended, sum(new != old for new, old in zip(mended, texts, strict=True))


def _mend(text: str) -> str:
    if _TWICE.search(text):
        with contextlib.suppress(UnicodeError):  # a text that only looks so stays as it is
            text = text.encode("cp1252").decode("utf-8")
    return _CONTROLS.sub(lambda found: _from_windows(found.group()), text)


def _from_windows(character: str) -> str:
    try:
        return character.encode("latin-1").decode("cp1252")
    except UnicodeDecodeError:  # five codes mean nothing in Windows-1252 either
        return character
