"""One chosen clip: its sound, envelope and mel spectrogram, and what an overlay (attention …) says of it.

Paths come from the utterances table only; where the corpus's folder is known, only files in it are opened.
"""

import base64
import io
import os
import threading
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile
import torch
from torchaudio.transforms import MelSpectrogram

from sernb.core.errors import SernbError
from sernb.features.audio import read_audio

RATE = 16000  # Hz
LONGEST = 60.0  # seconds of a clip that are sent
PAIRS = 600  # lowest and highest sample of as many parts
BANDS, HIGH, RANGE = 64, 8000.0, 80.0  # mel bands, Hz, dB
WINDOW, HOP, FRAMES = 400, 160, 800  # samples (25 ms, 10 ms), frames at most; a saved page has half of them
LARGEST_MAP = 1_000_000  # values
KEPT = 16  # clips that were asked for last
# 48 kbit/s. With 32 the header that says where the sound begins does not fit: it would come 70 ms late.
MP3 = {"format": "MP3", "subtype": "MPEG_LAYER_III", "bitrate_mode": "CONSTANT", "compression_level": 0.75}
FLAC = {"format": "FLAC", "subtype": "PCM_16"}


class Clips:
    """The clips of a state's rows, the last few kept; may be asked by several threads.

    ids: utterance ids by row; utterances, root, overlay: see `clip`.
    """

    def __init__(self, ids, utterances: pd.DataFrame | None, root=None, overlay: Callable | None = None):
        self.ids, self.utterances, self.root, self.overlay = list(ids), utterances, root, overlay
        self._kept, self._lock = lru_cache(KEPT)(self.made), threading.Lock()

    def of(self, row) -> dict:
        """The clip of a row; for what is no row, one that says so in `problem`."""
        if isinstance(row, bool) or not isinstance(row, int) or not 0 <= row < len(self.ids):
            return {"row": -1, "utterance": None, "problem": "There is no such utterance here."}
        with self._lock:
            return self._kept(row)

    def made(self, row: int, small: bool = False) -> dict:
        """As `of`, made anew and not kept; `small`, for a saved page: see `clip`."""
        return {"row": row} | clip(self.utterances, self.ids[row], self.root, self.overlay, small)


def clip(
    utterances: pd.DataFrame | None,
    name: str,
    root: str | Path | None = None,
    overlay: Callable | None = None,
    small: bool = False,
) -> dict:
    """A clip as JSON-able data: utterance, seconds, audio (FLAC, 16 kHz mono), peaks, spectrogram.

    peaks: lowest and highest sample of up to 600 parts, the loudest sample of the clip being ±127 (`peak` is
    its level, full scale 1). spectrogram: 64 mel bands up to 8 kHz, 80 dB below the loudest, as bytes. At
    most 60 s, `cut` says so. Nothing is raised: `problem` says why there is no sound, `overlay_problem` what
    is wrong with the overlay.

    Args:
        utterances: the corpus's table, or None.
        name: the utterance's id.
        root: the folder (or manifest) that recordings must lie in; by default the table's `attrs["root"]`.
            Where neither is known, any path of the table is read.
        overlay: a function of the id that gives a mapping, or None. Keys, each optional: map (array (bands,
            frames), low bands first), what, start, end (s), low, high (Hz); words, weights, words_what.
        small: about a third of the bytes, for a page that holds many: the sound as MP3 (where libsndfile can
            write it), half the spectrogram's frames.
    """
    made = {"utterance": name, "map": None, "words": None, "problem": None}
    try:
        made |= _heard(utterances, name, root, small)
    except SernbError as problem:
        made["problem"] = str(problem)
    except Exception as problem:  # a clip that cannot be had must not end the session
        made["problem"] = f"The recording of {name!r} cannot be used ({type(problem).__name__}: {problem})."
    if overlay is not None:
        try:
            made |= _laid_over(overlay(name), made.get("seconds", 0.0))
        except Exception as problem:  # somebody's own function: the sound is not lost with it
            kind = "" if isinstance(problem, SernbError) else f"{type(problem).__name__}: "
            made["overlay_problem"] = f"The overlay cannot be shown: {kind}{problem}"[:500]
    return made


def sound_file(path, root: str | Path | None = None) -> Path:
    """The file that `path` names; SernbError where it is none, or not inside `root` (None: anywhere)."""
    if not isinstance(path, (str, os.PathLike)) or not os.fspath(path) or "\0" in os.fspath(path):
        raise SernbError(f"{path!r} is no path to a recording; correct the column 'path'.")
    path = Path(path)
    if root is not None:
        home = Path(root).expanduser().resolve()
        home = home.parent if home.is_file() else home  # a manifest
        path = (home / path).resolve()
        if not path.is_relative_to(home):
            raise SernbError(
                f"{path} lies outside the corpus's folder {home}, so it is not opened; name the folder that "
                "holds the recordings as root."
            )
    if not path.exists():
        raise SernbError(
            f"{path}: no such file; name the corpus's folder as root, or correct the column 'path'."
        )
    if not path.is_file():
        raise SernbError(f"{path} is not a file; the column 'path' must name recordings.")
    return path


def _heard(utterances, name, root, small):
    """Sound, envelope and spectrogram; SernbError that says why there is none."""
    if utterances is None:
        raise SernbError("There are predictions only: give the utterances too, to hear them.")
    if name not in utterances.index:
        raise SernbError(f"{name!r} is not in the utterances table, so its recording is not known.")
    if "path" not in utterances:
        raise SernbError("The utterances are only words here: the table has no column 'path'.")
    row = utterances.loc[name]
    if pd.isna(row["path"]):
        raise SernbError(f"The utterances table names no recording of {name!r}.")
    path = sound_file(row["path"], utterances.attrs.get("root") if root is None else root)
    start, end, cut = _part(path, row.get("start"), row.get("end"))
    samples = np.clip(read_audio(path, start, end, RATE), -1, 1)
    hop, frames = (2 * HOP, FRAMES // 2) if small else (HOP, FRAMES)
    made = {"seconds": round(len(samples) / RATE, 4), "audio": _audio(samples, small), **_envelope(samples)}
    return made | {"spectrogram": _spectrogram(samples, hop, frames)} | ({"cut": True} if cut else {})


def _part(path, start, end):
    """Start and end (s, None = the file's edge) of at most LONGEST, and whether that cuts something off."""
    start, end = (None if pd.isna(second) else float(second) for second in (start, end))
    last = end
    if last is None:
        try:
            last = soundfile.info(os.fspath(path)).duration
        except (soundfile.SoundFileError, OSError, TypeError, ValueError):
            return start, end, False  # read_audio says what is wrong with it
    begin = start or 0.0
    return (start, begin + LONGEST, True) if last - begin > LONGEST else (start, end, False)


def _audio(samples, small):
    """The sound as a data URL."""
    mp3, file = small and "MP3" in soundfile.available_formats(), io.BytesIO()
    soundfile.write(file, samples, RATE, **(MP3 if mp3 else FLAC))
    return f"data:audio/{'mpeg' if mp3 else 'flac'};base64,{_base64(file.getvalue())}"


def _envelope(samples):
    starts = np.linspace(0, len(samples), min(PAIRS, len(samples)), endpoint=False).astype(int)
    peak = float(np.abs(samples).max())
    ends = np.stack([np.minimum.reduceat(samples, starts), np.maximum.reduceat(samples, starts)], 1)
    scaled = np.rint(127 * ends / peak) if peak else np.zeros_like(ends)
    return {"peaks": scaled.astype(int).reshape(-1).tolist(), "peak": round(peak, 4)}


def _spectrogram(samples, hop, most):
    hop = hop if len(samples) <= hop * most else -(-len(samples) // (most - 1))
    power = _mel(hop)(torch.from_numpy(np.ascontiguousarray(samples)))[:, :most].numpy()  # (bands, frames)
    top, level = power.max(), np.zeros(power.shape, np.uint8)
    if top > 1e-12:  # not silence
        decibel = 10 * np.log10(np.maximum(power / top, 1e-12))
        level = np.rint(255 * np.clip(1 + decibel / RANGE, 0, 1)).astype(np.uint8)
    bands, frames = level.shape
    return {"bands": bands, "frames": frames, "high": HIGH, "data": _base64(level.tobytes())}


@lru_cache(maxsize=8)
def _mel(hop):
    # 1024 points: with as few as the window has, the lowest bands would hold none of them.
    return MelSpectrogram(RATE, 1024, WINDOW, hop, 0.0, HIGH, n_mels=BANDS, pad_mode="constant")


def _laid_over(given, seconds):
    """The clip's map and words of what an overlay gave; SernbError where it cannot be drawn."""
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise SernbError(f"it is {type(given).__name__}, expected a mapping with map or words.")
    made = {}
    if given.get("map") is not None:
        made["map"] = _map(given, seconds)
    if given.get("words") is not None:
        words, weights = [str(word) for word in given["words"]], np.asarray(given.get("weights"), float)
        if weights.shape != (len(words),) or not np.isfinite(weights).all():
            raise SernbError(
                f"expected a finite weight for each of the {len(words)} words, got {weights.shape}."
            )
        what = str(given.get("words_what") or given.get("what") or "words")
        made["words"] = {
            "what": what,
            "words": words,
            "weights": [float(f"{weight:.6g}") for weight in weights],
        }
    return made


def _map(given, seconds):
    """The clip's map: values as bytes, the largest being ±127, and where they lie."""
    values = given["map"]
    values = np.asarray(values.detach().cpu() if isinstance(values, torch.Tensor) else values, float)
    if values.ndim != 2 or not 0 < values.size <= LARGEST_MAP or not np.isfinite(values).all():
        raise SernbError(
            f"its map has the shape {values.shape}; expected finite numbers (bands, frames), at most "
            f"{LARGEST_MAP:,} of them."
        )
    edges = {"start": 0.0, "end": seconds, "low": 0.0, "high": HIGH}
    edges |= {key: float(given[key]) for key in edges if given.get(key) is not None}
    ordered = edges["start"] < edges["end"] and edges["low"] < edges["high"]
    if not ordered or not np.isfinite(list(edges.values())).all():
        raise SernbError(f"expected start < end (s) and low < high (Hz), got {edges}.")
    (bands, frames), largest = values.shape, np.abs(values).max()
    scaled = np.rint(127 * values / largest) if largest else values
    data, signed = _base64(scaled.astype(np.int8).tobytes()), bool((values < 0).any())
    what = str(given.get("what") or "overlay")
    return {"what": what, "bands": bands, "frames": frames, **edges, "data": data, "signed": signed}


def _base64(data):
    return base64.b64encode(data).decode()
