"""Your own recordings, heard by a model that a notebook saved: `predict(files, folder)`, `sernb predict`."""

import json
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import soxr
from tqdm.auto import tqdm

from sernb.core.errors import SernbError, check_on_bad, refuse, some
from sernb.core.files import audio_files, whole_file
from sernb.features.audio import check_recordings, read_audio
from sernb.features.transcripts import INSTALL, POCKETSPHINX, recogniser
from sernb.studies.saved import RATE, Saved, load

READ = (".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".au", ".caf", ".w64")
# What telephones and browsers record: found in a folder too, so that each is named and not passed over.
UNREAD = (".m4a", ".mp4", ".aac", ".webm", ".wma", ".amr", ".3gp", ".mov")
GUESSED = (
    "No words were given: PocketSphinx wrote down what it heard (column text), English only, often wrong."
)
BAR, BLOCK = 24, "█"  # characters of a full bar, and what draws it


def load_model(folder: str | Path) -> Saved:
    """What `sernb.studies.saved.load` finds in or below `folder`, on the GPU where there is one."""
    model = load(folder)
    import torch

    model.model.to("cuda" if torch.cuda.is_available() else "cpu")
    return model


def predict(
    files: str | Path | Sequence[str | Path] | pd.DataFrame,
    model: Saved | str | Path,
    texts: str | Mapping[str, str] | None = None,
    progress: bool = True,
    on_bad: str = "raise",
) -> pd.DataFrame:
    """A saved model's answers about recordings, heard one by one, so that memory stays flat.

    Args:
        files: Sound files and folders, or an utterances table with `path` (and `start`, `end`, `text`).
        model: The folder of a saved model, or what `load_model` made of it.
        texts: Words, for a model that reads: of one recording, or {file: text}; None: PocketSphinx's guess.
        on_bad: "raise", or "skip" to leave out recordings that cannot be used, with a warning.

    Returns:
        A row each, indexed by `utterance` (the file's name): path, seconds, text where there are words, and
        predicted and p_<class>, or <dimension>_predicted. `attrs` hold model, kind, scale, notes, skipped.

    Raises:
        SernbError: For a folder without a model, missing words, and all recordings that cannot be used.
    """
    check_on_bad(on_bad)
    recordings = recordings_of(files)

    # Recordings that are lost are named, all at once, before a model is read
    if on_bad == "raise" and not all(map(os.path.isfile, recordings["path"])):
        _heard(recordings, lambda name, sound: None, progress, on_bad)

    # The model, and who writes down what it reads
    model = model if isinstance(model, Saved) else load_model(model)
    texts, notes = texts_of(recordings, texts, model.reads)
    listener = _listener(model, texts, "--text or --transcripts (texts=…)", notes)

    rows, bad = _heard(recordings, partial(_row, model, texts or {}, listener), progress, on_bad)
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("utterance")
    table.insert(0, "path", recordings["path"].loc[table.index])
    return _finished(table, model, notes, bad)


def predict_waveform(
    waveform: np.ndarray, model: Saved | str | Path, text: str | None = None, rate: int = RATE
) -> pd.DataFrame:
    """A saved model's answer about floats `(samples,)`, full scale 1, at `rate` Hz: a row as of `predict`.

    Raises SernbError for another shape, whole numbers, NaN, and missing words.
    """
    model = model if isinstance(model, Saved) else load_model(model)
    sound, notes = np.asarray(waveform), []
    if sound.dtype.kind != "f":
        raise SernbError(f"expected floats with full scale 1, got {sound.dtype}; divide 16 bits by 32768.")
    if rate != RATE and sound.ndim == 1 and np.isfinite(sound).all():
        sound = soxr.resample(sound.astype(np.float32), rate, RATE, quality="VHQ")
    row = _row(model, {"recording": text}, _listener(model, text, "text=…", notes), "recording", sound)
    return _finished(pd.DataFrame([row], pd.Index(["recording"], name="utterance")), model, notes, [])


def _heard(recordings, row, progress, on_bad):
    """({utterance: its `row(name, sound)`}, [{utterance, path, why} of those that cannot be used])."""
    rows, bad = {}, []
    quiet = not progress or len(recordings) == 1
    for name, recording in tqdm(list(recordings.iterrows()), "recordings", unit="", disable=quiet):
        path = recording["path"]
        try:
            rows[name] = row(name, read_audio(path, recording.get("start"), recording.get("end")))
        except SernbError as problem:
            why = str(problem).removeprefix(f"{path}: ").removeprefix(f"{name}: ")
            if path.lower().endswith(UNREAD) and "cannot be decoded" in why:
                why = "soundfile does not read this format; make a wav of it first: ffmpeg -i FILE FILE.wav"
            bad.append({"utterance": name, "path": path, "why": why})
    refuse(bad, "recordings", len(recordings), "cannot be used", on_bad if rows else "raise")
    return rows, bad


def _row(model, texts, listener, name, sound):
    sound = model.checked(sound, name)
    text = texts.get(name) if listener is None else listener(sound)
    values = model.answer(sound, text, name)
    row = {"silent": not sound.any(), "seconds": len(sound) / RATE}
    if model.classes:
        row["predicted"] = model.classes[int(values.argmax())]
    columns = [f"p_{label}" for label in model.classes] or [f"{dim}_predicted" for dim in model.dimensions]
    row |= zip(columns, values, strict=True)
    return row if text is None else {**row, "text": text}


def _listener(model, texts, option, notes):
    """What writes words down, where the model reads and none were given."""
    if texts is not None and not model.reads:
        notes.append("This model reads no words: the transcripts made no difference.")
    if texts is not None or not model.reads:
        return None
    if find_spec("pocketsphinx") is None:
        lacking = f"this model reads what was said ({model.title}), and there are no words. Give them with"
        install = f"or let PocketSphinx (English) write them down: {INSTALL}"
        raise SernbError(f"{model.folder}: {lacking} {option}, {install}.")
    notes.append(GUESSED)
    return recogniser(POCKETSPHINX)


def _finished(table, model, notes, bad):
    if len(silent := table.index[table.pop("silent")]):
        notes.append(f"Digital silence, of which an answer means nothing: {some(silent)}.")
    table.attrs = {
        "model": str(model.folder), "kind": model.title, "classes": list(model.classes),
        "dimensions": list(model.dimensions), "scale": list(model.scale) if model.scale else None,
        "notes": [*model.notes, *notes], "skipped": bad,
    }  # fmt: skip
    return table


def recordings_of(files: str | Path | Sequence[str | Path] | pd.DataFrame) -> pd.DataFrame:
    """Files and folders (all recordings below them) as a table with `path`, indexed by `utterance`.

    An id is the file's name, or, where several have the same, the path from the folder that they share. An
    utterances table is checked and kept. Raises SernbError for nothing, and folders without recordings.
    """
    if isinstance(files, pd.DataFrame):
        from sernb.core.tables import check_utterances  # and pandera, which files and folders do without

        check_recordings(table := check_utterances(files))
        return table
    paths: dict[Path, Path] = {}  # by what they are, so that none is heard twice
    for path in map(Path, [files] if isinstance(files, (str, os.PathLike)) else files):
        below = audio_files(path, (*READ, *UNREAD)) if path.is_dir() else [path]
        if not below:
            raise SernbError(f"{path}: no recording is in this folder ({', '.join(READ)}).")
        paths |= {file.resolve(): file for file in below if file.resolve() not in paths}
    if not paths:
        raise SernbError("no recording was named; expected one or more sound files, or folders with them.")
    index = pd.Index(_ids(list(paths.values())), name="utterance")
    return pd.DataFrame({"path": list(map(str, paths.values()))}, index)


def _ids(paths):
    count, whole = Counter(path.name for path in paths), [path.resolve() for path in paths]
    try:
        above = os.path.commonpath([path.parent for path in whole])
    except ValueError:  # two drives
        return list(map(str, whole))
    return [path.name if count[path.name] == 1 else path.relative_to(above).as_posix() for path in whole]


def read_transcripts(path: str | Path) -> dict[str, str]:
    """{file: text} of a CSV with the columns `file` and `text` (UTF-8).

    A file is named by its path, from the folder of the CSV or from here, or by its name; an empty text means
    that nothing was said. Raises SernbError for other columns, empty and repeated files.
    """
    path = Path(path)
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (OSError, ValueError) as problem:
        why = "no such file" if isinstance(problem, FileNotFoundError) else f"cannot be read ({problem})"
        raise SernbError(f"{path}: {why}; expected a CSV with the columns file and text.") from problem
    if lacking := [column for column in ("file", "text") if column not in table]:
        raise SernbError(f"{path}: no column {' or '.join(lacking)}, only {', '.join(table)}.")
    files = table["file"]
    if (files == "").any():
        raise SernbError(f"{path}: row {(files == '').to_numpy().argmax() + 2} names no file.")
    if (twice := files[files.duplicated()]).any():
        raise SernbError(f"{path}: {some(twice.unique())} stand more than once; one transcript each.")
    keys = [str(beside.resolve()) if (beside := path.parent / file).exists() else file for file in files]
    return dict(zip(keys, table["text"], strict=True))


def texts_of(
    recordings: pd.DataFrame, texts: str | Mapping[str, str] | None, needed: bool = True
) -> tuple[dict[str, str | None] | None, list[str]]:
    """{utterance: its words} (None: of none of them), and what is to be said about it.

    texts: the words of one recording; or by id, path or name of the file; None takes the column `text`.
    Raises SernbError where it is not clear whose they are, and where `needed` ones are missing.
    """
    if texts is None:
        texts = dict(recordings["text"].dropna()) if "text" in recordings else {}
        if not texts:
            return None, []
    if isinstance(texts, str):
        if len(recordings) != 1:
            advice = "give a CSV with the columns file and text (--transcripts), or {file: text}"
            raise SernbError(f"one text was given for {len(recordings)} recordings; {advice}.")
        texts = {recordings.index[0]: texts}

    # Ways to name a recording, and the ids that each may mean; an id means its own recording alone
    known: dict[str, set[str]] = {}
    for name, path in recordings["path"].items():
        for way in (path, str(Path(path).resolve()), Path(path).name):
            known.setdefault(way, set()).add(name)
    known |= {name: {name} for name in recordings.index}

    # The words of each, and keys that mean none
    words, strange = {}, []
    for key, text in texts.items():
        owners = sorted(known.get(str(key)) or known.get(str(Path(str(key)).resolve()), ()))
        if len(owners) > 1:
            raise SernbError(f"transcripts: {key!r} may be {some(owners)}; name the file by its path.")
        if not owners:
            strange.append(str(key))
        elif words.setdefault(owners[0], str(text)) != str(text):
            raise SernbError(f"transcripts: {owners[0]} has two different texts.")
    if (lacking := [name for name in recordings.index if name not in words]) and needed:
        hint = f" The transcripts name {some(strange)} instead." if strange else ""
        counts = f"{len(lacking)} of {len(recordings)} recordings have no transcript: {some(lacking)}"
        raise SernbError(f"{counts}. Add them to the column 'file', by path or name.{hint}")
    notes = [f"Transcripts of other files were left aside: {some(strange)}."] if strange else []
    return {name: words.get(name) for name in recordings.index}, notes


def as_text(table: pd.DataFrame) -> str:
    """What `predict` returned, for a terminal, with bars; then all notes."""
    classes, dimensions = table.attrs["classes"], table.attrs["dimensions"]
    low, high = table.attrs["scale"] or (0.0, 1.0)
    wide = max(map(len, [*classes, *dimensions]))
    parts = []
    for name, row in table.iterrows():
        label = f" · {row['predicted']}" if classes else ""
        lines = [f"{printable(name)} · {row['seconds']:.1f} s{label}"]
        if isinstance(row.get("text"), str) and row["text"]:
            lines.append(f"  “{printable(row['text'])}”")
        for label in classes:
            lines.append(f"  {label:<{wide}} {100 * row[f'p_{label}']:5.1f} %  {_bar(row[f'p_{label}'])}")
        for dimension in dimensions:
            value = row[f"{dimension}_predicted"]
            lines.append(f"  {dimension:<{wide}} {value:6.2f}  {_bar((value - low) / (high - low))}")
        parts.append("\n".join(line.rstrip() for line in lines))
    about = [f"Bars from {low:g} to {high:g}, the ends of the scale."] if dimensions else []
    return "\n\n".join([*parts, "\n".join([*about, *table.attrs["notes"]])]).rstrip()


def as_json(table: pd.DataFrame) -> str:
    """What `predict` returned as JSON: model, kind, scale, notes, skipped, and a list of recordings."""
    recordings = []
    for name, row in table.iterrows():
        row = row.dropna()  # a recording without words
        entry = {"utterance": name, **row[row.index.intersection(["path", "seconds", "predicted", "text"])]}
        if classes := table.attrs["classes"]:
            entry["probabilities"] = {label: row[f"p_{label}"] for label in classes}
        if dimensions := table.attrs["dimensions"]:
            entry["dimensions"] = {dimension: row[f"{dimension}_predicted"] for dimension in dimensions}
        recordings.append(entry)
    kept = {key: table.attrs[key] for key in ("model", "kind", "scale", "notes", "skipped")}
    return json.dumps({**kept, "recordings": recordings}, indent=1)


def write_csv(table: pd.DataFrame, path: str | Path) -> None:
    """Write what `predict` returned (UTF-8); a run that is cut off leaves no half-written file."""
    with whole_file(path) as beside:
        table.to_csv(beside, encoding="utf-8", errors="surrogateescape")  # names of files need not be UTF-8


def encodable(text: str, encoding: str | None) -> str:
    """`text` for a terminal that knows only `encoding`: # for bars, and ? for what else it has not."""
    encoding = encoding or "ascii"
    if text.encode(encoding, "replace").decode(encoding) != text:
        text = text.replace(BLOCK, "#").encode(encoding, "replace").decode(encoding)
    return text


def printable(text) -> str:
    """`text` on one line, with a question mark for whatever would steer a terminal."""
    return "".join(sign if sign.isprintable() else " " if sign.isspace() else "?" for sign in str(text))


def _bar(share):
    return BLOCK * round(BAR * min(max(share, 0.0), 1.0))
