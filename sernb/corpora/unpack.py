"""Archives unpacked whole or not at all, and never outside their folder."""

import os
import shutil
import stat
import tarfile
import zipfile
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

from sernb.core.errors import SernbError

JUNK = ("__MACOSX", ".DS_Store")


def unpack(archive: Path, folder: Path, only: tuple[str, ...] = (), strip: int = 0) -> int:
    """Unpack a zip or tar (gz, bz2, xz) into `folder` and return the number of files.

    `only` keeps the members that match one of its patterns (fnmatch, after stripping); `strip` drops that many folders
    at the front of each name. Everything goes to a hidden folder beside first, and from there over in one move per
    top-level entry, so nothing half-unpacked is left. What macOS adds (__MACOSX, ._name) is left out.

    Raises SernbError, with nothing unpacked: no archive or a damaged one; a member that would land outside `folder`
    (absolute, or with ..), a link or a device among those wanted; a top-level entry that is there already; too little disk.
    """
    folder.mkdir(parents=True, exist_ok=True)
    beside = folder / f".{archive.name}.unpacking"
    shutil.rmtree(beside, ignore_errors=True)
    try:
        with _open(archive) as members:
            wanted = [(name, *rest) for name, *rest in _wanted(archive, members, only, strip)]
            if not wanted:
                raise SernbError(f"{archive}: the archive holds none of {', '.join(only) or 'any file'}.")
            needed, free = sum(size for _, size, _ in wanted), shutil.disk_usage(folder).free
            if needed > free:
                raise SernbError(
                    f"{archive}: unpacked it needs {needed / 1e6:.0f} MB, {free / 1e6:.0f} MB are free in {folder}."
                )
            for name, _, read in wanted:
                target = beside / name
                target.parent.mkdir(parents=True, exist_ok=True)
                with read() as source, open(target, "wb") as file:
                    shutil.copyfileobj(source, file, 1 << 20)
        entries = sorted(beside.iterdir())
        there = [entry.name for entry in entries if (folder / entry.name).exists()]
        if there:
            raise SernbError(f"{archive}: {', '.join(there[:5])} is in {folder} already; move it away first.")
        for entry in entries:
            os.replace(entry, folder / entry.name)
    except (
        zipfile.BadZipFile,
        tarfile.TarError,
        EOFError,
        OSError,
        NotImplementedError,
        RuntimeError,
    ) as problem:
        raise SernbError(f"{archive}: cannot be unpacked ({problem}).") from problem
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return len(wanted)


def _open(archive: Path):
    if zipfile.is_zipfile(archive):
        return zipfile.ZipFile(archive)
    return tarfile.open(archive)


def _wanted(archive: Path, members, only: tuple[str, ...], strip: int):
    """(name below the folder, bytes, function that opens it) of each file to unpack."""
    for name, kind, size, read in _members(members):
        parts = PurePosixPath(name.replace("\\", "/")).parts
        if ".." in parts or name.startswith(("/", "\\")) or (parts and ":" in parts[0]):
            raise SernbError(f"{archive}: {name!r} would land outside the folder; nothing was unpacked.")
        if kind == "folder":
            continue
        kept = parts[strip:]
        if not kept or any(part in JUNK or part.startswith("._") for part in kept):
            continue
        below = "/".join(kept)
        if only and not any(fnmatch(below, pattern) for pattern in only):
            continue
        if kind != "file":
            raise SernbError(f"{archive}: {name!r} is no file but a {kind}; nothing was unpacked.")
        yield below, size, read


def _members(members):
    if isinstance(members, zipfile.ZipFile):
        for info in members.infolist():
            mode = info.external_attr >> 16
            kind = "folder" if info.is_dir() else "link" if stat.S_ISLNK(mode) else "file"
            yield info.filename, kind, info.file_size, lambda info=info: members.open(info)
    else:
        for info in members:
            kind = "folder" if info.isdir() else "file" if info.isfile() else "link or device"
            yield info.name, kind, info.size, lambda info=info: members.extractfile(info)
