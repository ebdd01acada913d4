"""Files as publishers leave them: found, decoded, their names taken apart, and what does not fit named."""

import os
import re
import warnings
from collections.abc import Collection
from pathlib import Path

import pandas as pd

from sernb.core.errors import SernbError, refuse, some
from sernb.core.files import audio_files, hidden
from sernb.corpora.corpus import Corpus

DEPTH = 4  # folders, the root among them, in which a table is looked for
SHOWN = 10  # files or rows that a message spells out; the rest are counted
_POINTER = re.compile(rb"version https://git-lfs\S*\noid sha256:([0-9a-f]{64})\nsize (\d+)\n?")
_POINTER_BYTES = 200  # at most; a pointer has about 130


def find(root: str | Path, *names: str) -> Path | None:
    """The file with one of these names that lies highest below `root`, or None; hidden folders left out.

    Raises SernbError where different ones lie equally high, or it may be in a folder that cannot be read.
    """
    wanted, closed, candidates = {name.lower() for name in names}, [], []
    for folder, folders, files in os.walk(root, followlinks=True, onerror=closed.append):
        depth = len(Path(folder).relative_to(root).parts)
        folders[:] = [] if depth + 1 == DEPTH else sorted(name for name in folders if not hidden(name))
        candidates += [(depth, Path(folder, name)) for name in sorted(files) if name.lower() in wanted]
    if not candidates and closed:
        folders = some(f"{problem.filename} ({problem.strerror})" for problem in closed)
        advice = "Make that readable, or move it away if it is no part of the corpus."
        raise SernbError(f"{root}: {' or '.join(names)} was not found, and may be in {folders}. {advice}")
    highest = [path for depth, path in candidates if depth == min(candidates)[0]]
    if any(path.read_bytes() != highest[0].read_bytes() for path in highest[1:]):
        raise SernbError(f"{root}: found {some(highest)}, which differ; name the folder of the one you mean.")
    return highest[0] if highest else None


def lfs_pointer(path: str | Path) -> str | None:
    """The SHA-256 that a Git LFS pointer names: the short text in place of a file that git did not fetch."""
    if os.path.getsize(path) > _POINTER_BYTES:
        return None
    match = _POINTER.fullmatch(Path(path).read_bytes())
    return match[1].decode() if match else None


def read_names(
    root: str | Path,
    corpus: Corpus,
    pattern: re.Pattern,
    example: str,
    codes: dict[str, Collection[str]],
    on_bad: str,
) -> pd.DataFrame:
    """What the names of the recordings below `root` say, for corpora whose files are called by a code.

    Args:
        pattern, example: of a name without its ending, its groups are the columns; a name that it matches.
        codes: {group: the values that the corpus has}; those of speaker, sentence, emotion and intensity may
            be {code: what it stands for}: gender, text, emotion and intensity.

    Returns:
        A table indexed by the name: path, speaker, what the codes stand for, the other groups of `pattern`.
        attrs["skipped"] lists what was left out: other names, and clips that are found twice.

    Raises:
        SernbError: no recordings, or none of this corpus; with `on_bad="raise"` for any that does not fit.
    """
    root = Path(root).resolve()
    if not (files := audio_files(root)):
        raise corpus.lacks(root, "no wav or flac file is in this folder")

    rows, bad = {}, []
    for file in files:
        match, why = pattern.fullmatch(file.stem), None
        if not match:
            why = f"not a name like {example} ({', '.join(pattern.groupindex)})"
        elif file.stem in rows:
            why = f"the same clip as {rows[file.stem]['path']}"
        elif strange := [part for part, known in codes.items() if match[part] not in known]:
            known = some(codes[strange[0]], SHOWN)
            why = f"{strange[0]} {match[strange[0]]} is none of {corpus.title}'s ({known})"
        if why:
            bad.append({"utterance": file.stem, "path": str(file), "why": why})
        else:
            rows[file.stem] = {"path": str(file), **match.groupdict()}

    if not rows:
        raise SernbError(
            f"{root}: none of its {len(files)} recordings is named as in {corpus.title} ({files[0].name}: "
            f"{bad[0]['why']}). Expected: {corpus.layout}. Is it another corpus? Yours goes by 'manifest'."
        )
    refuse(bad, f"{corpus.title} in {root}", len(files), "recordings do not fit the corpus", on_bad)
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("utterance")
    meaning = {"speaker": "gender", "sentence": "text", "emotion": "emotion", "intensity": "intensity"}
    for group in codes.keys() & meaning.keys():
        if isinstance(codes[group], dict):
            table[meaning[group]] = table[group].map(codes[group])
    usual = [name for name in ("path", "speaker", "gender", "text", "emotion") if name in table]
    table = table[[*usual, *table.columns.drop(usual)]]
    table.attrs["skipped"] = bad
    return table


def read_text(path: Path, strict: bool = False) -> tuple[str, str | None]:
    """The text of a file, and a note where it was not UTF-8 but Windows-1252.

    UTF-16 needs its byte-order mark. Line ends become "\\n". strict: UTF-8 or UTF-16 only, line ends as they
    are. Raises SernbError for a file that cannot be read, or is in another encoding.
    """
    try:
        raw = path.read_bytes()
    except OSError as problem:
        raise SernbError(f"{path}: cannot be read ({problem.strerror}).") from problem
    unicode = "utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    for encoding in (unicode,) if strict else (unicode, "cp1252"):
        try:
            text = raw.decode(encoding)
            break
        except UnicodeDecodeError as problem:
            line = raw[: problem.start].count(b"\n") + 1
    else:
        other = "" if strict else " nor Windows-1252"
        raise SernbError(f"{path}: line {line} is not UTF-8{other}; save it as UTF-8, or get it again.")
    if strict:
        return text, None
    note = f"{path.name} is not UTF-8, so it was read as Windows-1252." if encoding == "cp1252" else None
    return text.replace("\r\n", "\n").replace("\r", "\n"), note


def compare_counts(table: pd.DataFrame, column: str, published: dict[str, int], title: str) -> list[str]:
    """A note, which is a warning too, where the counts of labels in `column` are not the published ones."""
    counts = table[column].value_counts().reindex(list(published), fill_value=0)
    pairs = zip(published.items(), counts, strict=True)
    differ = [f"{label} {count} of {full}" for (label, full), count in pairs if count != full]
    if not differ:
        return []
    total = sum(published.values())
    note = f"{title}: {len(table)} utterances, published are {total} ({', '.join(differ)})."
    warnings.warn(note, stacklevel=3)
    return [note]
