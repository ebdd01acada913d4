"""Which recordings are meant, what each is called, and which words belong to it."""

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from sernb.core.errors import SernbError, some
from sernb.core.tables import check_utterances
from sernb.corpora.files import audio_files
from sernb.features.audio import check_recordings

READ = (".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".au", ".caf", ".w64")
# What telephones and browsers record: found in a folder too, so that each is named and not passed over in silence.
UNREAD = (".m4a", ".mp4", ".aac", ".webm", ".wma", ".amr", ".3gp", ".mov")


def recordings_of(files: str | Path | Sequence[str | Path] | pd.DataFrame) -> pd.DataFrame:
    """Files and folders (all recordings below them) as a table with the column `path`, indexed by `utterance`.

    An id is the file's name, or, where several have the same, the path from the folder that they share. A file that is
    named twice is one recording. An utterances table (with `start`, `end`, `text` where it has them) is checked and kept.
    Raises SernbError for nothing at all and for a folder without recordings.
    """
    if isinstance(files, pd.DataFrame):
        table = check_utterances(files)
        check_recordings(table)
        return table
    given = [files] if isinstance(files, (str, os.PathLike)) else list(files)
    paths: dict[Path, Path] = {}  # by what they are, so that none is heard twice
    for one in map(Path, given):
        found = _below(one) if one.is_dir() else [one]
        for path in found:
            paths.setdefault(path.resolve(), path)
    if not paths:
        raise SernbError("no recording was named; expected one or more sound files, or folders with them.")
    index = pd.Index(_ids(list(paths.values())), name="utterance")
    return pd.DataFrame({"path": [str(path) for path in paths.values()]}, index)


def _below(folder):
    found = audio_files(folder, (*READ, *UNREAD))
    if not found:
        raise SernbError(f"{folder}: no recording is in this folder ({', '.join(READ)}).")
    return found


def _ids(paths):
    """Names of files; of those that share one, the way from the folder above them all."""
    count = Counter(path.name for path in paths)
    if len(count) == len(paths):
        return [path.name for path in paths]
    whole = [path.resolve() for path in paths]
    try:
        above = os.path.commonpath([path.parent for path in whole])
    except ValueError:  # two drives
        return [str(path) for path in whole]
    long = [path.relative_to(above).as_posix() for path in whole]
    return [path.name if count[path.name] == 1 else one for path, one in zip(paths, long, strict=True)]


def read_transcripts(path: str | Path) -> dict[str, str]:
    """{file: text} of a CSV with the columns `file` and `text` (UTF-8).

    A file is named by its path, from the folder of the CSV or from here, or by its name alone. An empty text means that
    nothing was said. Raises SernbError naming the CSV for other columns, empty and repeated files.
    """
    path = Path(path)
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except FileNotFoundError:
        raise SernbError(f"{path}: no such file; expected a CSV with the columns file and text.") from None
    except (OSError, ValueError) as problem:
        raise SernbError(f"{path}: cannot be read as a CSV of transcripts: {problem}") from problem
    if lacking := [column for column in ("file", "text") if column not in table]:
        raise SernbError(
            f"{path}: there is no column {lacking[0]!r}; expected file and text, the table has {', '.join(table)}."
        )
    if (table["file"] == "").any():
        raise SernbError(f"{path}: row {(table['file'] == '').to_numpy().argmax() + 2} names no file.")
    if (twice := table["file"][table["file"].duplicated()]).any():
        raise SernbError(f"{path}: {some(twice.unique())} stand more than once; one transcript each.")
    beside = [path.parent / one for one in table["file"]]
    keys = [
        str(full.resolve()) if full.exists() else one for full, one in zip(beside, table["file"], strict=True)
    ]
    return dict(zip(keys, table["text"], strict=True))


def texts_of(
    recordings: pd.DataFrame, texts: str | Mapping[str, str] | None, needed: bool = True
) -> tuple[pd.Series | None, list[str]]:
    """The words of each recording (None: of none), and what is to be said about it.

    texts: the words themselves, for one recording; or by id, path or name of the file; None takes the column `text` where
    there is one. Raises SernbError where it is not clear whose they are, and, if they are `needed`, for recordings that are
    left without.
    """
    if texts is None:
        texts = recordings["text"].dropna() if "text" in recordings else None
        if texts is None or not len(texts):
            return None, []
    if isinstance(texts, str):
        if len(recordings) != 1:
            raise SernbError(
                f"one text was given for {len(recordings)} recordings; give a CSV with the columns file and text "
                "(--transcripts), or {file: text}."
            )
        return pd.Series([texts], recordings.index), []
    found, strange = {}, []
    known = _known(recordings)
    for key, text in dict(texts).items():
        owners = known.get(str(key)) or known.get(str(Path(str(key)).resolve())) or []
        if len(owners) > 1:
            raise SernbError(f"transcripts: {key!r} may be {some(owners)}; name the file by its path.")
        if not owners:
            strange.append(str(key))
        elif found.setdefault(owners[0], str(text)) != str(text):
            raise SernbError(f"transcripts: {owners[0]} has two different texts.")
    lacking = [name for name in recordings.index if name not in found]
    if lacking and needed:
        hint = f" The transcripts name {some(strange)} instead." if strange else ""
        raise SernbError(
            f"{len(lacking)} of {len(recordings)} recordings have no transcript: {some(lacking)}. Add them to the column "
            f"'file', by path or name.{hint}"
        )
    notes = [f"Transcripts of other files were left aside: {some(strange)}."] if strange else []
    return pd.Series([found.get(name) for name in recordings.index], recordings.index, dtype=object), notes


def _known(recordings):
    """{a way to name a recording: ids of those that it may mean}; an id means its own recording alone."""
    known: dict[str, list[str]] = {}
    for name, path in recordings["path"].items():
        for way in {path, str(Path(path).resolve()), Path(path).name}:
            known.setdefault(way, []).append(name)
    return known | {name: [name] for name in recordings.index}
