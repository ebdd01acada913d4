"""Git LFS pointers: the short texts that git leaves in place of large files which were not fetched."""

import os
import re
from collections.abc import Iterable
from pathlib import Path

LARGEST = 200  # bytes; a pointer has about 130
_POINTER = re.compile(rb"version https://git-lfs\S*\noid sha256:([0-9a-f]{64})\nsize (\d+)\n?")


def pointer(path: str | Path) -> tuple[str, int] | None:
    """SHA-256 and size in bytes of the file that the pointer at `path` stands for; None for any other file."""
    if os.path.getsize(path) > LARGEST:
        return None
    match = _POINTER.fullmatch(Path(path).read_bytes())
    return (match[1].decode(), int(match[2])) if match else None


def pointers(paths: Iterable[str]) -> list[str]:
    """Those of the files that are pointers."""
    return [path for path in paths if pointer(path)]
