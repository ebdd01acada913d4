"""Recordings as numbers: mono float32 at one rate; what is broken is refused, what was repaired counted."""

import struct
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile
import soxr
from tqdm.auto import tqdm

from sernb.core.errors import SernbError, check_on_bad, refuse

RATE = 16000  # Hz, of all speech here
SHORT = 0.25  # seconds; shorter utterances are kept (models pad them) and counted
ROUNDING = 0.01  # seconds that an annotated end may lie behind the file's end, and is then cut to it
STREAMED = 1 << 40  # frames: what libsndfile says of a flac that was streamed
UNUSUAL = ("PCM_U8", "PCM_S8", "ULAW", "ALAW", "PCM_24")


def read_audio(
    path: str | Path, start: float | None = None, end: float | None = None, rate: int = RATE
) -> np.ndarray:
    """A recording, or its part from `start` to `end` (seconds; None, NaN: the edge), float32 `(samples,)`.

    Mono (channels averaged), at `rate` Hz, full scale 1; any format that soundfile reads. Raises SernbError:
    a file missing, unreadable, empty, shorter than its header or `end` says, or with NaN or infinity.
    """
    return _read(path, start, end, rate)[0]


def read_utterances(
    utterances: pd.DataFrame, rate: int = RATE, on_bad: str = "raise", progress: bool = True
) -> tuple[pd.DataFrame, list[np.ndarray]]:
    """Read the recordings of a table: the table, and in its order float32 `(samples,)` each at `rate` Hz.

    Bad ones are named in one SernbError; with `on_bad="skip"` they are left out, with a warning, and stand in
    `attrs["skipped"]` ({utterance, path, why}). `attrs["repairs"]` counts what was changed or is unusual.
    """
    check_on_bad(on_bad)
    check_recordings(utterances)
    nowhere = pd.Series(np.nan, utterances.index)
    edges = [utterances.get(column, nowhere).astype(float) for column in ("start", "end")]
    rows = zip(utterances.index, utterances["path"], *edges, strict=True)
    waveforms, bad, repairs = [], [], Counter()
    for name, path, start, end in tqdm(rows, "recordings", len(utterances), unit="", disable=not progress):
        try:
            waveform, repaired = _read(path, start, end, rate)
        except SernbError as problem:
            bad.append({"utterance": name, "path": str(path), "why": str(problem).removeprefix(f"{path}: ")})
        else:
            waveforms.append(waveform)
            repairs.update(repaired)
    refuse(bad, "utterances", len(utterances), "recordings cannot be used", on_bad if waveforms else "raise")

    # What is left, and the classes that can be heard in it.
    kept = utterances.drop(index=[row["utterance"] for row in bad])
    if bad and "emotion" in kept and isinstance(kept["emotion"].dtype, pd.CategoricalDtype):
        kept["emotion"] = kept["emotion"].cat.remove_unused_categories()
    kept.attrs["skipped"] = [*utterances.attrs.get("skipped", []), *bad]
    kept.attrs["repairs"] = dict(repairs)
    return kept, waveforms


def check_recordings(utterances: pd.DataFrame) -> None:
    """SernbError for utterances that are words only, as of MELD's or EmoBank's tables."""
    if "path" not in utterances:
        corpus = utterances.attrs.get("corpus")
        which = f"the utterances of {corpus!r}" if corpus else "these utterances"
        raise SernbError(
            f"{which} are only words here, without a 'path' (docs/corpora.md: where it is sought)."
        )


def waveform_of(sound, name: str, shortest: int, taker: str) -> np.ndarray:
    """`sound` as float32 `(samples,)` at 16 kHz. SernbError for another shape, NaN or infinity, and for fewer
    samples than the `shortest` that `taker` ("a frame", "a speech encoder") needs."""
    wave = np.asarray(sound, np.float32)
    if wave.ndim != 1 or not np.isfinite(wave).all():
        raise SernbError(f"{name}: expected a waveform (samples,) of finite numbers, got {wave.shape}.")
    if len(wave) < shortest:
        least = f"at least {1000 * shortest / RATE:g} ms ({shortest} samples at {RATE / 1000:g} kHz)"
        raise SernbError(f"{name}: {len(wave) / RATE:.4g} s of sound; {taker} needs {least}. Leave it out.")
    return wave


def _read(path, start, end, rate: int) -> tuple[np.ndarray, list[str]]:
    """The waveform, and what was repaired or is unusual, in words."""
    path, repairs = Path(path), []
    samples, source_rate, subtype = _decoded(path, start, end, repairs)

    # One channel, at the rate that is asked for.
    if samples.shape[1] > 1:
        repairs.append("mixed down to mono")
    waveform = samples.mean(axis=1, dtype=np.float32)
    if source_rate != rate:
        repairs.append(f"resampled from {source_rate} Hz")
        waveform = soxr.resample(waveform, source_rate, rate, quality="VHQ").astype(np.float32, copy=False)
    if not len(waveform):
        raise SernbError(f"{path}: {len(samples)} samples at {source_rate} Hz are too few for one at {rate}.")

    # What is unusual and was kept.
    unusual = {
        f"converted from {subtype}": subtype in UNUSUAL,
        f"shorter than {SHORT} s, kept": len(samples) < SHORT * source_rate,
        "louder than full scale, kept": np.abs(waveform).max() > 1,
        "digital silence, kept": not waveform.any(),
    }
    return waveform, repairs + [what for what, is_so in unusual.items() if is_so]


def _decoded(path, start, end, repairs) -> tuple[np.ndarray, int, str]:
    """All samples that were asked for, `(frames, channels)`; their rate in Hz, and the file's coding."""
    if not path.is_file():
        raise SernbError(f"{path}: no such recording.")
    if path.stat().st_size == 0:
        raise SernbError(f"{path}: the file is empty (0 bytes); copy or download it again.")
    try:
        with soundfile.SoundFile(path) as file:
            rate, subtype = file.samplerate, file.subtype
            promised, present = _riff_bytes(path)
            if promised > present:
                share = f"{present} of the {promised} bytes ({present / promised:.0%}) of its header"
                raise SernbError(f"{path}: truncated: it holds {share}; copy or download it again.")
            if file.frames == 0:
                raise SernbError(f"{path}: the recording has no samples; record or download it again.")
            if file.frames > STREAMED:
                raise SernbError(f"{path}: the header does not say how long it is; save it anew.")
            first, last = _span(path, start, end, file.frames, rate, repairs)
            file.seek(first)
            samples = file.read(last - first, dtype="float32", always_2d=True)
    except SernbError:
        raise
    except (soundfile.SoundFileError, OSError, TypeError, ValueError, MemoryError) as problem:
        raise SernbError(f"{path}: cannot be decoded, damaged or no recording ({problem}).") from problem
    if len(samples) < last - first:
        seconds = f"{len(samples) / rate:.2f} s of {(last - first) / rate:.2f} s"
        raise SernbError(f"{path}: truncated: {seconds} decoded.")
    if not np.isfinite(samples).all():
        raise SernbError(f"{path}: {np.count_nonzero(~np.isfinite(samples))} samples are NaN or infinite.")
    return samples, rate, subtype


def _span(path, start, end, frames: int, rate: int, repairs: list[str]) -> tuple[int, int]:
    """First frame and the one behind the last for a part given in seconds."""
    start, length = 0.0 if start is None or np.isnan(start) else start, frames / rate
    if end is None or np.isnan(end):
        end = length
    elif length < end <= length + ROUNDING:
        repairs.append("end cut to the end of the file (rounding)")
        end = length
    if not 0 <= start < end <= length:
        asked = f"asked for {start:g} to {end:g} s, the recording lasts {length:.3f} s"
        raise SernbError(f"{path}: {asked}; expected 0 <= start < end <= its length.")
    first, last = round(start * rate), min(round(end * rate), frames)
    return first, max(last, first + 1)


def _riff_bytes(path: Path) -> tuple[int, int]:
    """Bytes of sound that a wav's header promises and those that are there; (0, 0) where it does not say."""
    with open(path, "rb") as file:
        if file.read(4) != b"RIFF":
            return 0, 0
        file.seek(12)
        while len(head := file.read(8)) == 8:
            name, size = struct.unpack("<4sI", head)
            if name == b"data":
                streamed = size >= 0x7FFFFFFF  # a writer that could not go back leaves 0xFFFFFFFF
                return (0, 0) if streamed else (size, path.stat().st_size - file.tell())
            file.seek(size + size % 2, 1)
    return 0, 0
