"""Files and folders that are there whole, or not at all: their content is written beside them first."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sernb.core.errors import SernbError, some

AUDIO = (".wav", ".flac")


@contextmanager
def whole_folder(folder: str | Path, new: bool = False, discard: bool = False) -> Iterator[Path]:
    """A folder to write into, which takes the place of `folder` when all is written, or goes if that fails.

    new: `folder` must hold nothing; otherwise what it holds is replaced. Raises SernbError where it is no
    folder, or holds other files too (discard: those go).
    """
    folder = Path(folder).resolve()
    if new or (folder.exists() and not folder.is_dir()):
        must_be_new(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=f"{folder.name}.", suffix=".unfinished", dir=folder.parent))
    try:
        yield beside
        beside.chmod(folder.parent.stat().st_mode)  # mkdtemp's own is for nobody else
        _take_the_place(beside, folder, discard)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


@contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """A file to write, which takes the place of `path` when all is written, or goes where that fails."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield beside
        os.replace(beside, path)
    finally:
        with suppress(OSError):
            beside.unlink(missing_ok=True)


def _take_the_place(beside: Path, folder: Path, discard: bool) -> None:
    if not folder.exists():
        os.replace(beside, folder)
        return
    if not discard and (others := _files(folder) - _files(beside)):
        raise SernbError(f"{folder} holds other files too ({some(sorted(others))}): name a new folder.")
    old = beside.with_suffix(".old")
    os.replace(folder, old)
    try:
        os.replace(beside, folder)
    except BaseException:
        os.replace(old, folder)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()}


def must_be_new(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise SernbError(f"{folder} is not empty: name a new folder, so that nothing is overwritten.")


def read_object(path: Path) -> dict:
    """The JSON object in a file; SernbError, naming the file, for anything else."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:  # wrong encodings and JSON's own errors are ValueErrors
        raise SernbError(f"{path}: cannot be read as JSON ({problem}).") from problem
    if not isinstance(content, dict):
        raise SernbError(f"{path}: expected a JSON object, got {type(content).__name__}.")
    return content


@contextmanager
def reading(name: str | Path, expected: str):
    """SernbError, naming the folder and what it should hold, for what a damaged one makes libraries raise."""
    try:
        yield
    except SernbError:
        raise
    except Exception as problem:
        from huggingface_hub.errors import HfHubHTTPError, StrictDataclassError  # loads an HTTP client
        from safetensors import SafetensorError

        damaged = (AttributeError, KeyError, OSError, RuntimeError, TypeError, ValueError)
        if not isinstance(problem, (*damaged, HfHubHTTPError, SafetensorError, StrictDataclassError)):
            raise
        lines = [line.strip() for line in str(problem).strip().splitlines()] or [type(problem).__name__]
        why = " ".join(lines[:2]) if lines[0].endswith(":") else lines[0]
        raise SernbError(f"{name}: cannot be read ({why}); {expected}.") from problem


def audio_files(root: Path, endings: tuple[str, ...] = AUDIO) -> list[Path]:
    """All wav and flac files (or of other `endings`) below `root`, sorted; links followed, none hidden."""

    def unreadable(problem: OSError):
        raise SernbError(f"{problem.filename}: the folder cannot be read ({problem.strerror}).")

    recordings, seen = [], set()
    for folder, folders, files in os.walk(root, followlinks=True, onerror=unreadable):
        state = os.stat(folder)
        if (state.st_dev, state.st_ino) in seen:
            folders.clear()
            continue
        seen.add((state.st_dev, state.st_ino))
        folders[:] = sorted(name for name in folders if not hidden(name))
        sounds = (name for name in files if name.lower().endswith(endings) and not hidden(name))
        recordings += [Path(folder, name) for name in sounds]
    return sorted(recordings)


def hidden(name: str) -> bool:
    """Whether a file or folder of this name is one that macOS or an editor keeps for itself."""
    return name.startswith(".") or name == "__MACOSX"
