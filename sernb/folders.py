"""A folder that is there whole, or not at all: what is to be in it is written beside it first."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sernb.errors import SernbError


@contextmanager
def whole_folder(folder: str | Path, new: bool = False) -> Iterator[Path]:
    """A folder to write into, which takes the place of `folder` when all is written, or goes where something fails.

    new: SernbError where `folder` holds something; otherwise what it holds is replaced.
    """
    folder = Path(folder)
    if new:
        must_be_new(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=f"{folder.name}.", suffix=".unfinished", dir=folder.parent))
    try:
        yield beside
        if folder.is_dir():
            folder.rmdir() if new else shutil.rmtree(folder)
        os.replace(beside, folder)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def must_be_new(folder: Path) -> None:
    """SernbError where something is in `folder` already."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise SernbError(f"{folder} is not empty: name a new folder, so that nothing is overwritten.")
