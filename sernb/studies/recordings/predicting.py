"""What a saved model says about recordings: one row each, with no truth beside it."""

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import soxr
from tqdm.auto import tqdm

from sernb.core.errors import SernbError, some
from sernb.corpora.files import check_on_bad, refuse
from sernb.features.audio import read_audio, waveform_of
from sernb.features.recognisers import INSTALL, POCKETSPHINX, recogniser
from sernb.studies.recordings.files import UNREAD, recordings_of, texts_of
from sernb.studies.recordings.models import Predictor, load_model

RATE = 16000
GUESSED = (
    "No words were given, so PocketSphinx wrote down what it heard (column text). It knows English only and often "
    "mishears; what the model reads is no better than that."
)


def predict(
    files: str | Path | Sequence[str | Path] | pd.DataFrame,
    model: Predictor | str | Path,
    texts: str | Mapping[str, str] | None = None,
    progress: bool = True,
    on_bad: str = "raise",
) -> pd.DataFrame:
    """A saved model's answers about recordings, indexed by `utterance` (the file's name).

    files: sound files and folders with them, or an utterances table with `path` (and `start`, `end`, `text`). model: a
    folder of `load_model`, or what it returned. texts: the words, for a model that reads: of one recording, or {file: text}
    (`read_transcripts`); without them PocketSphinx writes them down, where it is installed.

    Columns: path, seconds; predicted and p_<class>, or <dimension>_predicted on the scale of `attrs["scale"]`; text where
    there are words. `attrs` further hold model, kind, notes (sentences to print with the answers), and skipped. There is
    no truth in the table. Recordings are heard one by one, so one does not depend on the others, and memory stays flat.

    Every file is tried, then all that cannot be used are named in one SernbError, or, with on_bad="skip", in a warning.
    SernbError also for a folder without a model, and where words are missing.
    """
    check_on_bad(on_bad)
    recordings = recordings_of(files)
    model = model if isinstance(model, Predictor) else load_model(model)
    texts, notes = texts_of(recordings, texts, model.reads)
    write_down = _recogniser(model, texts, "--text or --transcripts (texts=…)", notes)
    rows, bad, silent = {}, [], []
    bar = tqdm(recordings.index, "recordings", unit="", disable=not progress or len(recordings) == 1)
    for number, name in enumerate(bar):
        one = recordings.iloc[[number]]
        path = one["path"].iloc[0]
        try:
            edges = (float(one[edge].iloc[0]) if edge in one else None for edge in ("start", "end"))
            sound = _heard(read_audio(path, *edges), name, model)
            rows[name] = _row(model, name, sound, None if texts is None else texts.iloc[number], write_down)
        except SernbError as problem:
            bad.append({"utterance": name, "path": path, "why": _why(problem, name, path)})
        else:
            silent += [] if sound.any() else [name]
    refuse(bad, "recordings", len(recordings), "cannot be used", on_bad if rows else "raise")
    if silent:
        notes.append(f"Digital silence, of which an answer means nothing: {some(silent)}.")
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("utterance")
    table.insert(0, "path", recordings["path"].loc[table.index])
    return _told(table, model, notes, bad)


def predict_waveform(
    waveform: np.ndarray, model: Predictor | str | Path, text: str | None = None, rate: int = RATE
) -> pd.DataFrame:
    """A saved model's answer about one waveform `(samples,)` of floats, full scale 1, at `rate` Hz: one row, as of
    `predict`, without a path. Raises SernbError for another shape, whole numbers, NaN, and where words are missing."""
    model = model if isinstance(model, Predictor) else load_model(model)
    sound = np.asarray(waveform)
    if sound.dtype.kind != "f":
        raise SernbError(
            f"expected floats with full scale 1, got {sound.dtype}; divide 16-bit samples by 32768."
        )
    if rate != RATE and sound.ndim == 1 and np.isfinite(sound).all():
        sound = soxr.resample(sound.astype(np.float32), rate, RATE, quality="VHQ")
    notes: list[str] = []
    sound = _heard(sound, "recording", model)
    write_down = _recogniser(model, text, "text=…", notes)
    if not sound.any():
        notes.append("The recording is digital silence: an answer about it means nothing.")
    row = _row(model, "recording", sound, text, write_down)
    return _told(pd.DataFrame([row], pd.Index(["recording"], name="utterance")), model, notes, [])


def _heard(sound, name: str, model: Predictor) -> np.ndarray:
    """The waveform as `model` takes it; SernbError for another shape, NaN, nothing at all, and more than it can hear."""
    wave = waveform_of(sound, name, 1, "a model")
    if model.longest is not None and len(wave) > RATE * model.longest:
        raise SernbError(
            f"{name}: it lasts {len(wave) / RATE:.0f} s, and this model hears {model.longest:.0f} s at most. It learnt from "
            "single utterances: cut the recording into such (columns start and end of an utterances table)."
        )
    return wave


def _row(model, name, sound, text, write_down):
    """A recording's part of the table."""
    if write_down is not None:
        text = write_down(sound)
    one = pd.DataFrame({"text": [text]}, pd.Index([name], name="utterance"))
    said = np.asarray(model.answer(one, sound), float)
    if not np.isfinite(said).all():
        raise SernbError(f"{name}: the model's answer is no number; its weights may be damaged.")
    row = {"seconds": len(sound) / RATE}
    if model.classes:
        row["predicted"] = model.classes[int(said.argmax())]
        row |= {f"p_{label}": p for label, p in zip(model.classes, said, strict=True)}
    row |= {f"{one}_predicted": value for one, value in zip(model.dimensions, said, strict=False)}
    return row if text is None else {**row, "text": text}


def _recogniser(model, texts, option, notes):
    """What writes words down, where the model reads and none were given; adds to the notes what must be known of it."""
    if not model.reads:
        if texts is not None:
            notes.append("This model reads no words: the transcripts made no difference.")
        return None
    if texts is not None:
        return None
    if find_spec("pocketsphinx") is None:
        raise SernbError(
            f"{model.folder}: this model reads what was said ({model.kind}), and there are no words. Give them with {option}, "
            f"or let PocketSphinx (English) write them down: {INSTALL}. The networks of notebooks 04 and 07 only listen."
        )
    notes.append(GUESSED)
    return recogniser(POCKETSPHINX)


def _why(problem, name, path):
    why = str(problem).removeprefix(f"{path}: ").removeprefix(f"{name}: ")
    if path.lower().endswith(UNREAD) and "cannot be decoded" in why:
        why = "soundfile does not read this format; make a wav of it first, as with: ffmpeg -i FILE FILE.wav"
    return why


def _told(table, model, notes, bad):
    table.attrs = {
        "model": str(model.folder),
        "kind": model.kind,
        "classes": list(model.classes),
        "dimensions": list(model.dimensions),
        "scale": list(model.scale) if model.scale else None,
        "notes": [*model.notes, *notes],
        "skipped": bad,
    }
    return table
