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
    url: str, path: Path, sha256: str | None = None, md5: str | None = None, progress: bool = True
) -> str:
    """Download a file; goes on from `path`.part, where an earlier try left one.

    The server is asked (If-Range) for the rest of the very same file; where it cannot, the download begins
    anew. A connection that breaks is tried again; what came so far stays for the next call.

    Args:
        url, path: its address, http or https; where it goes once it is whole.
        sha256, md5: the sums expected; a file with others is removed.
        progress: show a bar.

    Returns:
        The file's SHA-256.

    Raises:
        SernbError: address not found, connection broken for good, disk full, wrong sum.
    """
    if not re.match("https?://", url):
        raise SernbError(f"{url}: expected an address that begins with https:// or http://.")
    path.parent.mkdir(parents=True, exist_ok=True)
    part, state = path.with_name(f"{path.name}.part"), path.with_name(f"{path.name}.part.json")

    # One connection after another, until all of it is here.
    for pause in (*PAUSES, None):
        try:
            _connect(url, part, state, progress, checked=bool(sha256 or md5))
            break
        except urllib.error.HTTPError as problem:
            if pause is None or problem.code not in BUSY:
                why = "not found" if problem.code in (404, 410) else f"the server answers {problem.reason}"
                advice = (
                    "the publisher may have moved it. Try later, or see the page that `sernb corpora` names"
                )
                raise SernbError(f"{url}: {why} ({problem.code}); {advice}.") from problem
        except (OSError, http.client.HTTPException) as problem:
            have = part.stat().st_size if part.exists() else 0
            here = f"{have / 1e6:.1f} MB are here; the same command goes on." if have else "Nothing came."
            if getattr(problem, "errno", None) in (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS):
                raise SernbError(f"{part}: cannot be written ({problem.strerror}). {here}") from problem
            if pause is None:
                why = getattr(problem, "reason", problem) or type(problem).__name__
                raise SernbError(f"{url}: the connection failed ({why}). {here}") from problem
        time.sleep(pause)

    # Only what is checked gets its name.
    try:
        found = check(part, sha256, md5)
    except SernbError as problem:
        part.unlink()
        state.unlink(missing_ok=True)
        advice = "The file was removed, damaged or changed. Try again, or see the publisher's page."
        raise SernbError(f"{url}: {problem} {advice}") from problem
    os.replace(part, path)
    state.unlink(missing_ok=True)
    return found


def check(path: Path, sha256: str | None = None, md5: str | None = None) -> str:
    """The SHA-256 of a file. Raises SernbError where it is not `sha256`, or the MD5 not `md5`."""
    found = {}
    for name, expected in (("md5", md5), ("sha256", sha256)):
        if expected or name == "sha256":
            with open(path, "rb") as file:
                found[name] = hashlib.file_digest(file, name).hexdigest()
        if expected and found[name] != expected.lower():
            raise SernbError(f"the {name} of {path.name} is {found[name]}, expected {expected.lower()}.")
    return found["sha256"]


def _connect(url: str, part: Path, state: Path, progress: bool, checked: bool) -> None:
    """One connection: everything from where `part` ends. Raises OSError or HTTPException where it breaks."""
    # Ask for the rest of what is here, where it can be told that it is the same file.
    have, version = _begun(part, state, url)
    if not version and not checked:
        have = 0
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
        # What comes: the rest, or all of it; and what tells this version of the file from others.
        first = re.match(r"bytes (\d+)-", response.headers["Content-Range"] or "")
        if response.status != 206 or not first or int(first[1]) != have:
            have = 0
        length = response.headers["Content-Length"]
        total = int(length) + have if length else None
        tag = response.headers["ETag"] or ""
        version = response.headers["Last-Modified"] or "" if not tag or tag.startswith("W/") else tag
        state.write_text(json.dumps({"url": url, "version": version}))
        free = shutil.disk_usage(part.parent).free
        if total is not None and total - have > free:
            missing = f"{(total - have) / 1e6:.0f} MB are needed, {free / 1e6:.0f} MB are free"
            raise OSError(errno.ENOSPC, missing)

        bar = tqdm(total=total, initial=have, desc=part.stem, unit="B", unit_scale=True, disable=not progress)
        with bar, open(part, "ab" if have else "wb") as file:
            while block := response.read(BLOCK):
                file.write(block)
                bar.update(len(block))
    if total is not None and part.stat().st_size < total:
        raise ConnectionError(f"it was cut off at {part.stat().st_size} of {total} bytes")


def _begun(part: Path, state: Path, url: str) -> tuple[int, str]:
    """Bytes that an earlier try left of this very address, and the server's word for that version of it."""
    try:
        kept = json.loads(state.read_text())
        return (part.stat().st_size, kept["version"]) if kept["url"] == url else (0, "")
    except (OSError, ValueError, KeyError, TypeError):  # nothing was begun, or it cannot be told of what
        return 0, ""
