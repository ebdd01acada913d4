"""Downloads that go on where they were cut off, and leave no file that is not whole and checked."""

import errno
import hashlib
import http.client
import json
import os
import re
import shutil
import time
import urllib.error
import urllib.request
from pathlib import Path

from tqdm.auto import tqdm

import sernb
from sernb.core.errors import SernbError

TIMEOUT = 30  # seconds without a byte
PAUSES = (1, 3, 10)  # seconds before each new try after a connection that broke
BUSY = (429, 500, 502, 503, 504)  # answers after which a server may well give another one
BLOCK = 1 << 18  # bytes read at a time


def download(
    url: str,
    path: Path,
    sha256: str | None = None,
    md5: str | None = None,
    progress: bool = True,
    pauses: tuple[float, ...] = PAUSES,
) -> str:
    """Download `url` to `path` and return its SHA-256; goes on from `path`.part, where an earlier try left one.

    `sha256` and `md5` are the sums expected. A file with other sums is removed. A connection that breaks is tried again
    after each of the `pauses` (seconds); what came so far stays for the next call. The server is asked (If-Range) for
    the rest of the very same file; where it cannot, the download begins anew.

    Raises SernbError: address not found, connection broken for good, disk full, wrong sum.
    """
    if not re.match("https?://", url):
        raise SernbError(f"{url}: expected an address that begins with https:// or http://.")
    path.parent.mkdir(parents=True, exist_ok=True)
    part, state = path.with_name(f"{path.name}.part"), path.with_name(f"{path.name}.part.json")
    for pause in (*pauses, None):
        try:
            _fetch(url, part, state, progress, checked=bool(sha256 or md5))
            break
        except urllib.error.HTTPError as problem:
            if pause is None or problem.code not in BUSY:
                raise SernbError(_refused(url, problem)) from problem
            time.sleep(pause)
        except (OSError, http.client.HTTPException) as problem:
            if getattr(problem, "errno", None) in (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS):
                raise SernbError(
                    f"{part}: cannot be written ({problem.strerror}); {_resume(part)}"
                ) from problem
            if pause is None:
                why = getattr(problem, "reason", problem) or type(problem).__name__
                raise SernbError(f"{url}: the connection failed ({why}). {_resume(part)}") from problem
            time.sleep(pause)
    try:
        found = check(part, sha256, md5)
    except SernbError as problem:
        part.unlink()
        state.unlink(missing_ok=True)
        raise SernbError(
            f"{url}: {problem} The file was removed: it was damaged on the way, or is not what it was. Try again, or "
            "look at the publisher's page."
        ) from problem
    os.replace(part, path)
    state.unlink(missing_ok=True)
    return found


def check(path: Path, sha256: str | None = None, md5: str | None = None) -> str:
    """The SHA-256 of a file. Raises SernbError where it is not `sha256`, or the MD5 not `md5`."""
    digests = {"SHA-256": hashlib.sha256(), "MD5": hashlib.md5(usedforsecurity=False)}
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            for digest in digests.values():
                digest.update(block)
    for name, expected in (("SHA-256", sha256), ("MD5", md5)):
        if expected and digests[name].hexdigest() != expected.lower():
            raise SernbError(
                f"the {name} of {path.name} is {digests[name].hexdigest()}, expected {expected.lower()}."
            )
    return digests["SHA-256"].hexdigest()


def _fetch(url: str, part: Path, state: Path, progress: bool, checked: bool) -> None:
    """One connection: everything from where `part` ends. Raises OSError or HTTPException where it breaks."""
    have, version = _begun(part, state, url)
    if not version and not checked:
        have = 0  # whether the file is still the same one could not be told
    request = urllib.request.Request(url, headers={"User-Agent": f"sernb/{sernb.__version__}"})
    request.add_header("Accept-Encoding", "identity")
    if have:
        request.add_header("Range", f"bytes={have}-")
        if version:
            request.add_header("If-Range", version)
    try:
        response = urllib.request.urlopen(request, timeout=TIMEOUT)
    except urllib.error.HTTPError as problem:
        if problem.code != 416 or not have:
            raise
        if problem.headers["Content-Range"] == f"bytes */{have}":
            return  # all of it is here
        part.unlink()  # longer than the file
        raise ConnectionError("what was here was not a part of the file") from problem
    with response:
        if response.status != 206 or _first(response) != have:
            have = 0  # the server sends all of it
        length = response.headers["Content-Length"]
        total = int(length) + have if length else None
        state.write_text(json.dumps({"url": url, "version": _version(response.headers)}))
        _check_space(part, have, total)
        name = part.name.removesuffix(".part")
        bar = tqdm(total=total, initial=have, desc=name, unit="B", unit_scale=True, disable=not progress)
        with bar, open(part, "ab" if have else "wb") as file:
            while block := response.read(BLOCK):
                file.write(block)
                bar.update(len(block))
    if total is not None and part.stat().st_size < total:
        raise ConnectionError(f"it was cut off at {part.stat().st_size} of {total} bytes")


def _begun(part: Path, state: Path, url: str) -> tuple[int, str]:
    """Bytes that an earlier try left of this very address, and the server's word for that version of the file."""
    try:
        said = json.loads(state.read_text())
        return (part.stat().st_size, said["version"]) if said["url"] == url else (0, "")
    except (OSError, ValueError, KeyError, TypeError):  # nothing was begun, or it cannot be told of what
        return 0, ""


def _version(headers) -> str:
    """What tells this version of the file from others byte by byte; "" where the server has no such word."""
    tag = headers["ETag"] or ""
    return tag if tag and not tag.startswith("W/") else headers["Last-Modified"] or ""


def _first(response) -> int | None:
    """The first byte that a partial answer holds."""
    match = re.match(r"bytes (\d+)-", response.headers["Content-Range"] or "")
    return int(match[1]) if match else None


def _check_space(part: Path, have: int, total: int | None) -> None:
    free = shutil.disk_usage(part.parent).free
    if total is not None and total - have > free:
        raise OSError(errno.ENOSPC, f"{(total - have) / 1e6:.0f} MB are needed, {free / 1e6:.0f} MB are free")


def _refused(url: str, problem: urllib.error.HTTPError) -> str:
    if problem.code in (404, 410):
        return f"{url}: not found ({problem.code}); the publisher may have moved it. `sernb corpora` names its page."
    return f"{url}: the server answers {problem.code} {problem.reason}. Try later, or fetch it by hand (`sernb corpora`)."


def _resume(part: Path) -> str:
    have = part.stat().st_size if part.exists() else 0
    return f"{have / 1e6:.1f} MB are here; the same command goes on from there." if have else "Nothing came."
