"""Recordings as numbers: mono float32 at one rate, with what is broken refused and what was repaired counted."""

import struct
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile
import soxr
from tqdm.auto import tqdm

from sernb.errors import SernbError

SHORT = 0.25  # seconds; shorter utterances are kept (models pad them) and counted
ROUNDING = 0.01  # seconds that an annotated end may lie behind the file's end, and is then cut to it
SHOWN = 10  # bad recordings that a message names; the rest are counted


def read_audio(
    path: str | Path, start: float | None = None, end: float | None = None, rate: int = 16000
) -> np.ndarray:
    """Read a recording, or its part from `start` to `end` (seconds; None or NaN = the file's edge).

    Returns float32 `(samples,)`: mono (channels averaged), resampled to `rate` Hz, full scale = 1. Any format that
    soundfile reads (wav of 8 to 32 bits and float, flac, ogg, …). Raises SernbError naming the file when it is
    missing, unreadable, empty, shorter than its header promises, holds NaN or infinity, or ends before `end`.
    """
    return _read(path, start, end, rate)[0]


def read_utterances(
    utterances: pd.DataFrame, rate: int = 16000, on_bad: str = "raise", progress: bool = True
) -> tuple[pd.DataFrame, list[np.ndarray]]:
    """Read the recordings of an utterances table: the table, and in its order float32 `(samples,)` each at `rate` Hz.

    Every recording is tried first, then all bad ones are named in one SernbError; with `on_bad="skip"` they are left
    out of the returned table, with a warning, and listed in its `attrs["skipped"]` ({utterance, path, why}).
    `attrs["repairs"]` counts what was changed or is unusual but was accepted ({"mixed down to mono": 5, …}).
    """
    if on_bad not in ("raise", "skip"):
        raise SernbError(f"on_bad must be 'raise' or 'skip', got {on_bad!r}.")
    if "path" not in utterances:
        raise SernbError("these utterances have no recordings (no column 'path'), only words.")
    edges = [
        utterances[column].to_numpy(float) if column in utterances else np.full(len(utterances), np.nan)
        for column in ("start", "end")
    ]
    rows = zip(utterances.index, utterances["path"], *edges, strict=True)
    waveforms, bad, repairs = [], [], Counter()
    for name, path, start, end in tqdm(
        rows, total=len(utterances), desc="recordings", unit="", disable=not progress
    ):
        try:
            waveform, repaired = _read(path, start, end, rate)
        except SernbError as problem:
            bad.append({"utterance": name, "path": str(path), "why": str(problem)})
        else:
            waveforms.append(waveform)
            repairs.update(repaired)
    if bad:
        shown = "\n".join(f"  {one['utterance']}: {one['why']}" for one in bad[:SHOWN])
        more = f"\n  … and {len(bad) - SHOWN} more" if len(bad) > SHOWN else ""
        message = f"{len(bad)} of {len(utterances)} recordings cannot be used:\n{shown}{more}\n"
        if on_bad == "raise" or not waveforms:
            raise SernbError(message + 'Repair or remove them, or leave them out with on_bad="skip".')
        warnings.warn(message + "They are left out.", stacklevel=2)
    kept = utterances.drop(index=[one["utterance"] for one in bad])
    kept.attrs["skipped"] = [*utterances.attrs.get("skipped", []), *bad]
    kept.attrs["repairs"] = dict(repairs)
    return kept, waveforms


def _read(
    path: str | Path, start: float | None, end: float | None, rate: int
) -> tuple[np.ndarray, list[str]]:
    """The waveform, and what was repaired or is unusual, in words."""
    path = Path(path)
    if not path.is_file():
        raise SernbError(f"{path}: no such recording.")
    if path.stat().st_size == 0:
        raise SernbError(f"{path}: the file is empty (0 bytes); copy or download it again.")
    repairs = []
    try:
        with soundfile.SoundFile(path) as file:
            promised = _promised(path) if file.format.startswith("WAV") else None
            frames, source_rate, subtype = file.frames, file.samplerate, file.subtype
            if promised is not None and promised // _frame_bytes(file) > frames:
                raise SernbError(
                    f"{path}: truncated: the header promises {promised // _frame_bytes(file) / source_rate:.2f} s, "
                    f"the file holds {frames / source_rate:.2f} s; copy or download it again."
                )
            if frames == 0:
                raise SernbError(f"{path}: the recording has no samples; record or download it again.")
            first, last = _span(path, start, end, frames, source_rate, repairs)
            file.seek(first)
            samples = file.read(last - first, dtype="float32", always_2d=True)  # (frames, channels)
    except (soundfile.SoundFileError, RuntimeError, MemoryError) as problem:
        raise SernbError(f"{path}: cannot be decoded, damaged or no recording ({problem}).") from problem
    if len(samples) < last - first:
        raise SernbError(
            f"{path}: truncated: {len(samples) / source_rate:.2f} s of {(last - first) / source_rate:.2f} s decoded."
        )
    if not np.isfinite(samples).all():
        raise SernbError(f"{path}: {np.count_nonzero(~np.isfinite(samples))} samples are NaN or infinite.")
    if samples.shape[1] > 1:
        repairs.append("mixed down to mono")
    waveform = samples.mean(axis=1, dtype=np.float32)
    if source_rate != rate:
        repairs.append(f"resampled from {source_rate} Hz")
        waveform = soxr.resample(waveform, source_rate, rate, quality="VHQ").astype(np.float32, copy=False)
    if subtype in ("PCM_U8", "PCM_S8", "ULAW", "ALAW", "PCM_24"):
        repairs.append(f"converted from {subtype}")
    if len(samples) < SHORT * source_rate:
        repairs.append(f"shorter than {SHORT} s, kept")
    if not waveform.any():
        repairs.append("digital silence, kept")
    return waveform, repairs


def _span(path, start, end, frames: int, rate: int, repairs: list[str]) -> tuple[int, int]:
    """First frame and the one behind the last for a part given in seconds."""
    start = 0.0 if start is None or np.isnan(start) else start
    length = frames / rate
    if end is None or np.isnan(end):
        end = length
    elif length < end <= length + ROUNDING:
        repairs.append("end cut to the end of the file (rounding)")
        end = length
    if not 0 <= start < end <= length:
        raise SernbError(
            f"{path}: asked for {start:g} to {end:g} s, the recording lasts {length:.3f} s; "
            "expected 0 <= start < end <= its length."
        )
    first, last = round(start * rate), min(round(end * rate), frames)
    return first, max(last, first + 1)


def _promised(path: Path) -> int | None:
    """Bytes of samples that a RIFF header promises; None where it does not say (streams, RF64, other containers).

    libsndfile silently reads what is there, so a copy that was cut off would pass as a shorter recording.
    """
    with open(path, "rb") as file:
        if file.read(4) != b"RIFF":
            return None
        file.seek(12)
        while len(head := file.read(8)) == 8:
            name, size = struct.unpack("<4sI", head)
            if name == b"data":
                return size if size < 0x7FFFFFFF else None  # streaming writers leave 0xFFFFFFFF
            file.seek(size + size % 2, 1)
    return None


def _frame_bytes(file: soundfile.SoundFile) -> int:
    """Bytes of one frame; a large number for coded wav, whose blocks say nothing about single frames."""
    sizes = {
        "PCM_U8": 1,
        "PCM_16": 2,
        "PCM_24": 3,
        "PCM_32": 4,
        "FLOAT": 4,
        "DOUBLE": 8,
        "ULAW": 1,
        "ALAW": 1,
    }
    return sizes[file.subtype] * file.channels if file.subtype in sizes else 1 << 40
