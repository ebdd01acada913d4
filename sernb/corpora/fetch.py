"""Public corpora fetched: downloaded, checked, unpacked into the folder where `load` looks for them."""

import os
import re
import shutil
import tarfile
import zipfile
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

from tqdm.auto import tqdm

from sernb.core.errors import SernbError, some
from sernb.core.files import whole_file
from sernb.corpora import CORPORA, corpus_of, expected_folders
from sernb.corpora.corpus import Source
from sernb.corpora.download import check, download
from sernb.corpora.files import lfs_pointer

AT_A_TIME = 8  # of many small files
DAMAGED = (zipfile.BadZipFile, tarfile.TarError, EOFError, OSError, NotImplementedError, RuntimeError)


def fetch(
    name: str, root: str | Path | None = None, sha256: str | None = None, recordings: bool = False
) -> Path:
    """Download a corpus into its folder, and return that. What is there stays, what was cut off goes on.

    Args:
        name, root: a corpus of `sernb corpora`; the folder to put it in, by default where `load` looks first.
        sha256: a sum that you know and the kit does not. Without one the sum seen is kept beside the
            download, as FILE.sha256, and later downloads must have it too.
        recordings: MELD's clips as well.

    Raises:
        SernbError: a corpus that is had by agreement only (the message says how), a wrong sum, no download.
    """
    corpus = corpus_of(name)
    if not corpus.sources:
        public = ", ".join(name for name, corpus in CORPORA.items() if corpus.sources)
        how = f"{corpus.obtain}. Licence: {corpus.licence}"
        raise SernbError(f"{name} cannot be fetched: {how}. To be fetched are {public}.")
    wanted = [source for source in corpus.sources if recordings or not source.recordings]
    if recordings and not any(source.recordings for source in wanted):
        raise SernbError(f"{name} has no recordings to be fetched apart; leave --recordings out.")
    if sha256 and not re.fullmatch("[0-9a-fA-F]{64}", sha256):
        raise SernbError(f"--sha256 must be 64 hexadecimal digits, got {sha256!r}.")
    if sha256 and (len(wanted) > 1 or wanted[0].sha256):
        raise SernbError(f"the sums of {name} are known to the kit; leave --sha256 out.")
    root = Path(root).expanduser() if root else expected_folders(name)[0]
    if root.exists() and not root.is_dir():
        raise SernbError(f"{root} is a file, expected a folder to put {name} in.")

    print(f"{corpus.title}: {corpus.holds}. Licence: {corpus.licence}.")
    for source in wanted:
        target = root / source.gives
        if target.exists():
            print(f"{target} is there already.")
        else:
            _get(source, root, sha256)
        if source.lfs:
            _fill_pointers(root, target, source.lfs)
    return root


def unpack(archive: Path, folder: Path, only: tuple[str, ...] = (), strip: int = 0) -> int:
    """Unpack a zip or tar (gz, bz2, xz) into `folder` and return the number of files.

    Everything goes to a hidden folder first, then over in one move per top-level entry, so nothing
    half-unpacked is left. What macOS adds (__MACOSX, ._name) is left out. The standard library lets nothing
    land outside the folder (zipfile, and tarfile's filter "data").

    Args:
        archive, folder: the file, and where it goes.
        only: patterns (fnmatch, after stripping) of the members that are wanted; all without any.
        strip: how many folders to drop at the front of each name.

    Raises:
        SernbError: with nothing unpacked: no archive or a damaged one, a link or a path that leads out of it,
            a top-level entry that is there already, too little disk.
    """

    def is_wanted(name: str) -> bool:
        parts = PurePosixPath(name).parts[strip:]
        junk = any(part.startswith("._") or part in ("__MACOSX", ".DS_Store") for part in parts)
        matches = not only or any(fnmatch("/".join(parts), pattern) for pattern in only)
        return bool(parts) and not junk and matches

    folder.mkdir(parents=True, exist_ok=True)
    beside = folder / f".{archive.name}.unpacking"
    shutil.rmtree(beside, ignore_errors=True)  # of a run that was killed
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as opened:
                members = [member for member in opened.infolist() if is_wanted(member.filename)]
                _check_space(archive, folder, sum(member.file_size for member in members))
                opened.extractall(beside, members)
        else:
            with tarfile.open(archive) as opened:
                members = [member for member in opened if is_wanted(member.name)]
                _check_space(archive, folder, sum(member.size for member in members))
                opened.extractall(beside, members, filter="data")

        entries = sorted(beside.glob("*/" * strip + "*"))
        count = sum(path.is_file() for entry in entries for path in (entry, *entry.rglob("*")))
        if not count:
            raise SernbError(f"{archive}: the archive holds none of {', '.join(only) or 'any file'}.")
        if there := [entry.name for entry in entries if (folder / entry.name).exists()]:
            raise SernbError(f"{archive}: {some(there)} is in {folder} already; move it away first.")
        for entry in entries:
            os.replace(entry, folder / entry.name)
    except DAMAGED as problem:
        raise SernbError(f"{archive}: cannot be unpacked ({problem}).") from problem
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return count


def _check_space(archive: Path, folder: Path, needed: int) -> None:
    if needed > (free := shutil.disk_usage(folder).free):
        sizes = f"{needed / 1e6:.0f} MB, {free / 1e6:.0f} MB are free in {folder}"
        raise SernbError(f"{archive}: unpacked it needs {sizes}.")


def _get(source: Source, root: Path, sha256: str | None) -> None:
    """Downloads one source and unpacks it, its sum checked against the best that is known of it."""
    path = root / (source.archive or source.gives)
    record = path.with_name(f"{path.name}.sha256")
    seen = record.read_text(encoding="utf-8").split()[0] if record.is_file() else None
    expected = source.sha256 or sha256 or seen
    if path.exists():
        found = check(path, expected, source.md5)
        print(f"{path} was downloaded before.")
    else:
        found = download(source.url, path, expected, source.md5)

    if source.archive:
        try:
            count = unpack(path, root, source.only, source.strip)
            target = root / source.gives
            if not target.exists():
                raise SernbError(f"{source.url}: it holds no {source.gives}; has the corpus changed?")
            for inner in sorted(target.glob("*.tar.gz")):  # MELD's parts
                count += unpack(inner, target)
                inner.unlink()
            print(f"{count} files unpacked into {root}.")
        except SernbError:
            if not (expected or source.md5):  # it may be anything, a page that says "sign in" for one
                path.unlink()
            raise
        path.unlink()

    if source.sha256 or sha256:
        print(f"{path.name}: SHA-256 as expected, {found}.")
        return
    why = "MD5 as published" if source.md5 else "no sum is published"
    why = "as at the first download" if seen else f"{why}; recorded for the next time"
    print(f"{path.name}: SHA-256 {found} ({why}).")
    with whole_file(record) as beside:
        beside.write_text(f"{found}  {path.name}\n", encoding="utf-8")


def _fill_pointers(root: Path, folder: Path, base: str) -> None:
    """Put the files in place of the Git LFS pointers to them; a pointer holds its file's SHA-256."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    left = {path: sha256 for path in files if (sha256 := lfs_pointer(path))}

    def fill(path: Path) -> None:
        whole = path.with_name(f".{path.name}.whole")  # the pointer stays until all of the file is here
        download(base + path.relative_to(root).as_posix(), whole, left[path], progress=False)
        os.replace(whole, path)

    with ThreadPoolExecutor(AT_A_TIME) as pool:
        jobs = [pool.submit(fill, path) for path in left]
        try:
            for job in tqdm(jobs, desc=folder.name, unit="file", disable=not left):
                job.result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
