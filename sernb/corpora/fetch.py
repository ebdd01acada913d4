"""Public corpora fetched: downloaded, checked, unpacked into the folder where `load` looks for them."""

import os
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tqdm.auto import tqdm

from sernb.core.errors import SernbError
from sernb.corpora import CORPORA, expected_folders
from sernb.corpora.download import check, download
from sernb.corpora.git_lfs import pointer
from sernb.corpora.sources import SOURCES, Source
from sernb.corpora.unpack import unpack

AT_A_TIME = 8  # of many small files
_SUM = re.compile("[0-9a-fA-F]{64}")


def fetch(
    name: str,
    root: str | Path | None = None,
    sha256: str | None = None,
    recordings: bool = False,
    progress: bool = True,
    say: Callable[[str], None] = print,
) -> Path:
    """Download the corpus `name` into `root`, by default where `load` looks first; returns the folder.

    What is there already is not fetched again, and what was cut off goes on. `sha256` is a sum that you know of a
    corpus whose sum the kit does not; without one the sum seen is kept beside the download, as FILE.sha256, and later
    downloads must have it too. `recordings` fetches MELD's clips as well. `say` is told what happens.

    Raises SernbError: a corpus that is had by agreement only (the message says how), a wrong sum, a failed download.
    """
    if name not in CORPORA:
        raise SernbError(f"unknown corpus {name!r}; the corpora are {', '.join(CORPORA)}.")
    if name not in SOURCES:
        raise SernbError(
            f"{name} cannot be fetched: {CORPORA[name].obtain}. Licence: {CORPORA[name].licence}. "
            f"To be fetched are {', '.join(SOURCES)}."
        )
    wanted = [source for source in SOURCES[name] if recordings or not source.recordings]
    if recordings and not any(source.recordings for source in wanted):
        raise SernbError(f"{name} has no recordings to be fetched apart; leave --recordings out.")
    if sha256:
        _check_own_sum(name, sha256, wanted)
    root = Path(root).expanduser() if root else expected_folders(name)[0]
    if root.exists() and not root.is_dir():
        raise SernbError(f"{root} is a file, expected a folder to put {name} in.")
    say(f"{CORPORA[name].title}. Licence: {CORPORA[name].licence}.")
    for source in wanted:
        target = root / source.gives
        if target.exists():
            say(f"{target} is there already.")
        else:
            _get(source, root, sha256, progress, say)
        if source.lfs:
            _fill_pointers(root, target, source.lfs, progress)
    return root


def _check_own_sum(name: str, sha256: str, wanted: list[Source]) -> None:
    if not _SUM.fullmatch(sha256):
        raise SernbError(f"--sha256 must be 64 hexadecimal digits, got {sha256!r}.")
    if len(wanted) > 1 or wanted[0].sha256:
        raise SernbError(f"the sums of {name} are known to the kit; leave --sha256 out.")


def _get(source: Source, root: Path, sha256: str | None, progress: bool, say: Callable[[str], None]) -> None:
    path = root / (source.archive or source.gives)
    record = path.with_name(f"{path.name}.sha256")
    seen = record.read_text(encoding="utf-8").split()[0] if record.is_file() else None
    expected = source.sha256 or sha256 or seen
    if path.exists():
        found = check(path, expected, source.md5)
        say(f"{path} was downloaded before.")
    else:
        found = download(source.url, path, expected, source.md5, progress)
    if source.archive:
        try:
            _unpack(source, path, root, say)
        except SernbError:
            if not (expected or source.md5):  # it may be anything, a page that says "sign in" for one
                path.unlink()
            raise
        path.unlink()
    if source.sha256 or sha256:
        say(f"{path.name}: SHA-256 as expected, {found}.")
        return
    why = "MD5 as published" if source.md5 else "no sum is published"
    why = "as at the first download" if seen else f"{why}; recorded for the next time"
    say(f"{path.name}: SHA-256 {found} ({why}).")
    _write(record, f"{found}  {path.name}\n")


def _unpack(source: Source, path: Path, root: Path, say: Callable[[str], None]) -> None:
    number = unpack(path, root, source.only, source.strip)
    target = root / source.gives
    if not target.exists():
        raise SernbError(f"{root}: the archive {source.url} holds no {source.gives}; has the corpus changed?")
    for inner in sorted(target.glob("*.tar.gz")):  # MELD's parts
        number += unpack(inner, target)
        inner.unlink()
    say(f"{number} files unpacked into {root}.")


def _write(path: Path, text: str) -> None:
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_text(text, encoding="utf-8")
    os.replace(beside, path)


def _fill_pointers(root: Path, folder: Path, base: str, progress: bool) -> None:
    """Put the files in place of the Git LFS pointers to them; a pointer holds its file's SHA-256."""
    left = [
        (path, sums[0]) for path in sorted(folder.rglob("*")) if path.is_file() and (sums := pointer(path))
    ]
    if not left:
        return

    def get(path: Path, sha256: str) -> None:
        whole = path.with_name(
            f".{path.name}.whole"
        )  # beside, so that the pointer stays until all of it is here
        download(base + path.relative_to(root).as_posix(), whole, sha256, progress=False)
        os.replace(whole, path)

    with ThreadPoolExecutor(AT_A_TIME) as pool:
        jobs = [pool.submit(get, *one) for one in left]
        try:
            for job in tqdm(jobs, desc=folder.name, unit="file", disable=not progress):
                job.result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
