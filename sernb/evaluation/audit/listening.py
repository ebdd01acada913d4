"""Every recording is heard once, one at a time: what it sounds like, its fingerprint, what is wrong with it.

A fingerprint says which peaks of the spectrogram follow which (Wang 2003, "Shazam"): the same in each copy.
"""

import hashlib
from itertools import combinations

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from scipy.fft import rfft
from scipy.ndimage import maximum_filter
from tqdm.auto import tqdm

from sernb.core.errors import SernbError
from sernb.features.acoustics import SHORTEST, acoustic_statistics
from sernb.features.audio import read_audio

RATE = 16000  # Hz
CUES = ("length", "loudness", "silence", "clipping", "background")
TOGETHER = 32  # recordings that go to a worker at once
# Levels.
FRAME, SHIFT = 400, 160  # samples: 25 ms, 10 ms
SPEECH = 30.0  # dB below the loudest frames at which speech ends
FLOOR = -100.0  # dB of full scale: what is quieter is called this
FLAT = 3  # samples that stay at the peak, within 1.5 steps of 16 bits, where a wave is clipped
# Fingerprints.
WINDOW, STEP = 1024, 128  # samples: 64 ms, and 8 ms because a cut may fall anywhere
BINS = slice(13, 218)  # 200 to 3400 Hz, what a telephone leaves
AROUND = (9, 19)  # frames and bins within which a peak is the highest point
RANGE = 45.0  # dB below the loudest point
AHEAD = 24  # frames within which the next peaks are joined
FAN = 4  # next peaks
KEPT = 3  # one key of so many is kept, the same one in every recording
LEAST, MOST = 150, 400  # keys that a short recording keeps if it has them, and a long one at most


def listen(
    utterances: pd.DataFrame, waveforms=None, statistics_of=(), jobs: int = 1, progress: bool = True
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What is heard in each recording, and the acoustic statistics of some.

    Args:
        utterances, waveforms: the table, float32 `(samples,)` each at 16 kHz, or None to read the files.
        statistics_of: the ids of those whose `acoustic_statistics` are wanted, if they last 0.1 s.
        jobs, progress: workers, and whether to show a bar.

    Returns:
        A row an utterance: length (seconds), loudness (dB of full scale), silence (share of frames 30 dB
        below the loud ones), clipping (share of samples in flat tops), background (dB: the 5th percentile of
        frames), silent (bool), digest, keys (its fingerprint), problem (why it cannot be read, or None); and
        a row for each of `statistics_of`.
    """
    absent = pd.Series(np.nan, utterances.index)
    edges = [utterances.get(name, absent).to_numpy(float) for name in ("start", "end")]
    paths = utterances["path"] if waveforms is None else absent
    rows = list(zip(paths, *edges, utterances.index.isin(list(statistics_of)), strict=True))
    parts = [slice(first, first + TOGETHER) for first in range(0, len(rows), TOGETHER)]
    tasks = (delayed(_hear_some)(rows[part], waveforms and waveforms[part]) for part in parts)
    heard = []
    with tqdm(total=len(rows), desc="listening", unit=" recordings", disable=not progress) as bar:
        for together in Parallel(jobs, return_as="generator")(tasks):
            heard += together
            bar.update(len(together))
    table = pd.DataFrame([facts for facts, _ in heard], utterances.index)
    named = zip(utterances.index, heard, strict=True)
    statistics = {name: numbers for name, (_, numbers) in named if numbers is not None}
    return table, pd.DataFrame.from_dict(statistics, orient="index").rename_axis("utterance")


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


def hear(waveform: np.ndarray) -> dict:
    """The facts of one waveform, float `(samples,)` at 16 kHz, as in the first table of `listen`."""
    waveform = np.asarray(waveform, np.float32)
    silent = float(np.ptp(waveform)) < 1e-4  # an offset is no sound
    samples = np.round(waveform * 32767).astype("<i4")
    return {
        "length": len(waveform) / RATE,
        **_levels(waveform),
        "clipping": 0.0 if silent else _clipped(np.abs(waveform)),
        "silent": silent,
        "digest": "" if silent else hashlib.blake2b(samples.tobytes(), digest_size=16).hexdigest(),
        "keys": fingerprint(waveform - waveform.mean()),
        "problem": None,
    }


def _levels(waveform: np.ndarray) -> dict[str, float]:
    """Loudness, silence and background from the energy of 25 ms frames, without copying them."""
    if len(waveform) < FRAME:
        waveform = np.pad(waveform, (0, FRAME - len(waveform)))
    summed = np.concatenate([[0.0], np.cumsum(waveform.astype(np.float64) ** 2)])
    energy = (summed[FRAME:] - summed[:-FRAME])[::SHIFT] / FRAME
    level = 10 * np.log10(np.maximum(energy, 10 ** (FLOOR / 10)))
    speech = level >= max(np.percentile(level, 95) - SPEECH, FLOOR + 1)
    loudness = 10 * np.log10(energy[speech].mean()) if speech.any() else FLOOR
    background = float(np.percentile(level, 5))
    return {"loudness": float(loudness), "silence": float(1 - speech.mean()), "background": background}


def _clipped(size: np.ndarray) -> float:
    """Share of samples in runs of FLAT or more at the peak. A quiet recording, of few steps, is not asked."""
    peak = float(size.max())
    if peak < 0.1:
        return 0.0
    flat = np.concatenate([[0], (size >= peak - 1.5 / 32768).astype(np.int8), [0]])
    change = np.diff(flat)
    runs = np.flatnonzero(change == -1) - np.flatnonzero(change == 1)
    return float(runs[runs >= FLAT].sum() / len(size))


def fingerprint(waveform: np.ndarray) -> np.ndarray:
    """The keys of a waveform, sorted: uint32 `(keys,)`, each once; none of silence, or less than 0.1 s."""
    times, bins = _peaks(waveform)
    follow = np.searchsorted(times, times, side="right")[:, None] + np.arange(FAN)  # (peaks, FAN)
    inside = follow < len(times)
    follow = np.minimum(follow, len(times) - 1)
    gaps = times[follow] - times[:, None]
    inside &= gaps <= AHEAD
    keys = []
    for one, two in combinations(range(FAN), 2):
        has = inside[:, one] & inside[:, two]
        parts = (bins, bins[follow[:, one]], bins[follow[:, two]], gaps[:, one], gaps[:, two])
        key = np.zeros(int(has.sum()), np.uint64)
        for part, width in zip(parts, (8, 8, 8, 5, 5), strict=True):
            key = (key << np.uint64(width)) | part[has].astype(np.uint64)
        keys.append(key)
    # Spread them evenly over 32 bits (SplitMix64's finaliser), so that keeping small ones is a fair draw.
    keys = np.concatenate(keys)
    keys = (keys ^ (keys >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    keys = (keys ^ (keys >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    keys = np.unique(((keys ^ (keys >> np.uint64(31))) >> np.uint64(32)).astype(np.uint32))
    return keys[: min(max(np.searchsorted(keys, 2**32 // KEPT), LEAST), MOST)]


def _peaks(waveform: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Frame and bin of each peak, in the order of time."""
    waveform = np.asarray(waveform, np.float32)
    if len(waveform) < WINDOW:
        waveform = np.pad(waveform, (0, WINDOW - len(waveform)))
    frames = np.lib.stride_tricks.sliding_window_view(waveform, WINDOW)[::STEP]
    level = np.abs(rfft(frames * np.hanning(WINDOW).astype(np.float32)))[:, BINS]
    highest = level.max()
    if highest < 1e-3:  # a window's sum: silence and its rounding
        return np.empty(0, np.int64), np.empty(0, np.int64)
    peak = (level == maximum_filter(level, AROUND, mode="constant")) & (level > highest * 10 ** (-RANGE / 20))
    return np.nonzero(peak)
