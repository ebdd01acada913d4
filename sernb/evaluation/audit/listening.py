"""Every recording is heard once, one at a time: what it sounds like, what it can be told by, what is wrong with it."""

import hashlib

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from tqdm.auto import tqdm

from sernb.core.errors import SernbError
from sernb.evaluation.audit.fingerprint import fingerprint
from sernb.features.acoustics import SHORTEST, acoustic_statistics
from sernb.features.audio import read_audio

RATE = 16000  # Hz
FRAME, SHIFT = 400, 160  # samples: 25 ms, 10 ms
SPEECH = 30.0  # dB below the loudest frames at which speech ends
FLOOR = -100.0  # dB of full scale: what is quieter is called this
FLAT = 3  # samples that stay at the peak, within 1.5 steps of 16 bits, where a wave is clipped
CUES = ("length", "loudness", "silence", "clipping", "background")
TOGETHER = 32  # recordings that go to a worker at once


def listen(
    utterances: pd.DataFrame, waveforms=None, statistics_of=(), jobs: int = 1, progress: bool = True
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What is heard in each recording, and the acoustic statistics of some.

    waveforms: float32 `(samples,)` each, at 16 kHz, in the table's order; None: the files are read, one at a time (by
    each of `jobs` workers). statistics_of: the ids of those whose `acoustic_statistics` are wanted.

    The first table has a row an utterance: length (seconds), loudness (dB of full scale, where it is not silent),
    silence (share of frames 30 dB below the loud ones), clipping (share of samples in flat tops), background (dB of
    full scale: the 5th percentile of frames), silent (bool), digest (of the samples; "" where silent), keys (its
    fingerprint) and problem (why it cannot be read; None where it can). The second has a row for each of
    `statistics_of` that could be read and lasts 0.1 s.
    """
    wanted = utterances.index.isin(list(statistics_of))
    edges = [
        utterances[name].to_numpy(float) if name in utterances else np.full(len(utterances), np.nan)
        for name in ("start", "end")
    ]
    paths = utterances["path"] if waveforms is None else [None] * len(utterances)
    rows = list(zip(paths, *edges, wanted, strict=True))
    starts = range(0, len(rows), TOGETHER)
    tasks = (
        delayed(_hear_some)(rows[first : first + TOGETHER], waveforms and waveforms[first : first + TOGETHER])
        for first in starts
    )
    heard = []
    with tqdm(total=len(rows), desc="listening", unit=" recordings", disable=not progress) as bar:
        for some in Parallel(jobs, return_as="generator")(tasks):
            heard += some
            bar.update(len(some))
    statistics = {
        name: numbers
        for name, (_, numbers) in zip(utterances.index, heard, strict=True)
        if numbers is not None
    }
    table = pd.DataFrame([facts for facts, _ in heard], index=utterances.index)
    return table, pd.DataFrame.from_dict(statistics, orient="index").rename_axis("utterance")


def hear(waveform: np.ndarray) -> dict:
    """The facts of one waveform, float `(samples,)` at 16 kHz, as in the first table of `listen`."""
    waveform = np.asarray(waveform, np.float32)
    peak = float(np.abs(waveform).max())
    silent = float(np.ptp(waveform)) < 1e-4  # an offset is no sound
    samples = np.round(waveform * 32767).astype("<i4")
    return {
        "length": len(waveform) / RATE,
        **_levels(waveform),
        "clipping": 0.0 if silent else _clipped(np.abs(waveform), peak),
        "silent": silent,
        "digest": "" if silent else hashlib.blake2b(samples.tobytes(), digest_size=16).hexdigest(),
        "keys": fingerprint(waveform - waveform.mean()),
        "problem": None,
    }


def _hear_some(rows: list[tuple], waveforms) -> list[tuple[dict, pd.Series | None]]:
    """(facts, statistics or None) of each row of (path, start, end, wanted)."""
    result = []
    for number, (path, start, end, wanted) in enumerate(rows):
        try:
            waveform = read_audio(path, start, end, RATE) if waveforms is None else waveforms[number]
        except SernbError as problem:
            nothing = dict.fromkeys(CUES, np.nan) | {"silent": False, "digest": "", "keys": None}
            result.append((nothing | {"problem": str(problem)}, None))
            continue
        long = len(waveform) >= SHORTEST * RATE
        result.append((hear(waveform), acoustic_statistics(waveform) if wanted and long else None))
    return result


def _levels(waveform: np.ndarray) -> dict[str, float]:
    """Loudness, silence and background from the energy of 25 ms frames, without copying them."""
    if len(waveform) < FRAME:
        waveform = np.pad(waveform, (0, FRAME - len(waveform)))
    summed = np.concatenate([[0.0], np.cumsum(waveform.astype(np.float64) ** 2)])
    energy = (summed[FRAME:] - summed[:-FRAME])[::SHIFT] / FRAME
    level = 10 * np.log10(np.maximum(energy, 10 ** (FLOOR / 10)))
    speech = level >= max(np.percentile(level, 95) - SPEECH, FLOOR + 1)
    loudness = 10 * np.log10(energy[speech].mean()) if speech.any() else FLOOR
    return {
        "loudness": float(loudness),
        "silence": float(1 - speech.mean()),
        "background": float(np.percentile(level, 5)),
    }


def _clipped(size: np.ndarray, peak: float) -> float:
    """Share of samples in runs of FLAT or more at the peak. A quiet recording, of few steps, is not asked."""
    if peak < 0.1:
        return 0.0
    flat = np.concatenate([[0], (size >= peak - 1.5 / 32768).astype(np.int8), [0]])
    change = np.diff(flat)
    runs = np.flatnonzero(change == -1) - np.flatnonzero(change == 1)
    return float(runs[runs >= FLAT].sum() / len(size))
