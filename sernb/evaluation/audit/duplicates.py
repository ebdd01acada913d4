"""Recordings that are in the corpus twice: the same samples, or copies resampled, compressed or cut."""

from functools import lru_cache

import numpy as np
import pandas as pd
from scipy.fft import irfft, next_fast_len, rfft, rfftfreq
from tqdm.auto import tqdm

from sernb.evaluation.audit.listening import RATE, listen
from sernb.features.audio import read_audio

SHARED = 5  # keys that two recordings share before their waves are compared …
POOR, SHARED_BY_POOR = 100, 3  # … or three, where one of them is so short or plain that it has fewer than 100
ALIKE = 0.8  # correlation from which two waves are called one recording
COMMON = 0.5  # share of the shorter one that both must have in common
TOLERANCE = 0.02  # seconds by which a copy may be longer, or begin later, and not be called cut
REACH = 4  # neighbours to either side that are linked within a bucket
BAND = (100.0, 3400.0)  # Hz: no hum, and nothing that a telephone or a low rate takes away
LEAST = 0.2  # seconds that must lie over each other


def duplicates(
    utterances: pd.DataFrame, waveforms=None, heard: pd.DataFrame | None = None, jobs=1, progress=True
) -> pd.DataFrame:
    """Pairs of utterances that are one recording; what is silent, or changed in tempo or pitch, is not found.

    Args:
        utterances, waveforms: the table, float32 `(samples,)` each at 16 kHz, or None to read the files.
        heard: what `listen` gave for this table, to listen once only.
        jobs, progress: recordings heard at a time, and whether to show bars.

    Returns:
        a, b (ids); similarity: correlation of the overlap, at least 0.8, largest first; kind: "same samples",
        "copy" (all of it) or "cut"; shift: seconds after the beginning of `a` at which `b` begins; seconds:
        of overlap.
    """
    if heard is None:
        heard, _ = listen(utterances, waveforms, jobs=jobs, progress=progress)
    ids, rows, lengths = utterances.index, [], heard["length"].to_numpy()

    # The same samples; the first of them stands for the others.
    usable, first = (heard["digest"] != "").to_numpy(copy=True), {}
    for row, digest in enumerate(heard["digest"]):
        if usable[row] and (same := first.setdefault(digest, row)) != row:
            rows.append((ids[same], ids[row], 1.0, "same samples", 0.0, lengths[row]))
            usable[row] = False

    # Of those that share keys of their fingerprints, compare the waves.
    keys = [own if use else [] for own, use in zip(heard["keys"], usable, strict=True)]
    sizes = np.array([len(own) for own in keys], int)
    every = np.concatenate([np.empty(0, np.uint32), *keys]).astype(np.uint32)
    pairs = candidates(every, np.repeat(np.arange(len(ids)), sizes), SHARED_BY_POOR)
    poor = sizes[pairs[:, :2]].min(1) < POOR
    pairs = pairs[poor | (pairs[:, 2] >= SHARED)]

    @lru_cache(8)
    def wave(row):
        if waveforms is not None:
            return waveforms[row]
        utterance = utterances.iloc[row]
        return read_audio(utterance["path"], utterance.get("start"), utterance.get("end"), RATE)

    for a, b, _ in tqdm(pairs, desc="comparing", unit=" pairs", disable=not progress):
        similarity, shift, seconds = sameness(wave(int(a)), wave(int(b)))
        if similarity >= ALIKE and seconds >= COMMON * min(lengths[a], lengths[b]):
            whole = max(abs(lengths[a] - lengths[b]), abs(shift)) <= TOLERANCE
            rows.append((ids[a], ids[b], similarity, "copy" if whole else "cut", shift, seconds))
    table = pd.DataFrame(rows, columns=["a", "b", "similarity", "kind", "shift", "seconds"])
    return table.sort_values("similarity", ascending=False, kind="stable", ignore_index=True)


def candidates(keys: np.ndarray, owners: np.ndarray, least: int, reach: int = REACH) -> np.ndarray:
    """Which things (texts, recordings) share `least` keys or more: int64 (pairs, 3) of owners a < b, shared.

    keys: uint32 `(entries,)`; owners: `(entries,)`, below 2**31, each once a key. Near neighbours in a key's
    bucket are linked, in the same order in each, so that the work grows with the keys and not with the square
    of a bucket.
    """
    entries = np.sort((keys.astype(np.uint64) << np.uint64(32)) | owners.astype(np.uint64))
    keys, owners = entries >> np.uint64(32), (entries & np.uint64(0xFFFFFFFF)).astype(np.int64)
    pairs = [np.empty(0, np.int64)]
    for step in range(1, reach + 1):
        same = np.flatnonzero(keys[step:] == keys[:-step])
        pairs.append((owners[same] << 31) | owners[same + step])
    pairs, shared = np.unique(np.concatenate(pairs), return_counts=True)
    pairs, shared = pairs[shared >= least], shared[shared >= least]
    return np.column_stack([pairs >> 31, pairs & 0x7FFFFFFF, shared])


def sameness(one: np.ndarray, two: np.ndarray) -> tuple[float, float, float]:
    """How alike two waveforms, float `(samples,)` at 16 kHz, are at best: (similarity, shift, overlap).

    similarity: absolute correlation within 100–3400 Hz; `two` begins `shift` s after `one`; overlap: in s.
    """
    size = next_fast_len(len(one) + len(two), real=True)
    frequencies = rfftfreq(size, 1 / RATE)
    band = (frequencies >= BAND[0]) & (frequencies <= BAND[1])
    spectra = [rfft(np.asarray(wave, np.float32), size) * band for wave in (one, two)]
    lag = int(np.abs(irfft(spectra[0] * spectra[1].conj(), size)).argmax())
    lag = lag - size if lag >= len(one) else lag  # samples by which `two` begins later
    one, two = irfft(spectra[0], size)[: len(one)], irfft(spectra[1], size)[: len(two)]
    common = min(len(one) - max(lag, 0), len(two) - max(-lag, 0))
    if common < LEAST * RATE:
        return 0.0, 0.0, 0.0
    one, two = one[max(lag, 0) :][:common], two[max(-lag, 0) :][:common]
    energy = np.sqrt(np.dot(one, one) * np.dot(two, two))
    if energy < 1e-9 * common:
        return 0.0, 0.0, 0.0
    return float(min(abs(np.dot(one, two)) / energy, 1.0)), lag / RATE, common / RATE
