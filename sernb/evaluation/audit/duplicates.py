"""Recordings that are in the corpus twice: the same samples, or copies resampled, made softer, compressed or cut."""

from functools import lru_cache

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from sernb.evaluation.audit.buckets import candidates
from sernb.evaluation.audit.listening import RATE, listen
from sernb.evaluation.audit.sameness import sameness
from sernb.features.audio import read_audio

SHARED = 5  # keys that two recordings share before their waves are compared …
POOR, SHARED_BY_POOR = 100, 3  # … or three, where one of them is so short or plain that it has fewer than 100
ALIKE = 0.8  # correlation from which two waves are called one recording
COMMON = 0.5  # share of the shorter one that both must have in common
TOLERANCE = 0.02  # seconds by which a copy may be longer, or begin later, and not be called cut


def duplicates(
    utterances: pd.DataFrame,
    waveforms=None,
    heard: pd.DataFrame | None = None,
    jobs: int = 1,
    progress: bool = True,
) -> pd.DataFrame:
    """Pairs of utterances that are one recording: columns a, b (ids), similarity, kind, shift, seconds.

    kind: "same samples"; "copy" (all of it, changed in level, rate or coding); "cut" (one lacks the beginning or end
    of the other). similarity: correlation (0–1) of the waves where they overlap, at least 0.8; shift: seconds after
    the beginning of `a` at which `b` begins; seconds: how long they overlap, at least half of the shorter one. Sorted by similarity.
    Of n copies about n pairs are given, not each with each. What is silent, or changed in
    tempo or pitch, is not found.

    waveforms: float32 `(samples,)` each at 16 kHz in the table's order, or None to read the files. heard: what
    `listen` gave for this table, to listen once only. Recordings that cannot be read are left out (`listen` says why).
    """
    if heard is None:
        heard, _ = listen(utterances, waveforms, jobs=jobs, progress=progress)
    ids, rows = utterances.index, []
    usable = (heard["digest"] != "").to_numpy(copy=True)
    first = {}
    for row, digest in enumerate(heard["digest"]):
        if usable[row] and (same := first.setdefault(digest, row)) != row:
            rows.append((ids[same], ids[row], 1.0, "same samples", 0.0, heard["length"].iloc[row]))
            usable[row] = False  # its first stands for it
    owners = np.flatnonzero(usable)
    keys = [heard["keys"].iloc[row] for row in owners]
    if owners.size:
        entries = np.repeat(owners, [len(key) for key in keys])
        pairs = candidates(np.concatenate(keys), entries, SHARED_BY_POOR)
        sizes = np.zeros(len(ids), int)
        sizes[owners] = [len(key) for key in keys]
        poor = sizes[pairs[:, :2]].min(1) < POOR
        pairs = pairs[poor | (pairs[:, 2] >= SHARED)]
        wave = lru_cache(8)(lambda row: _wave(utterances, waveforms, row))
        lengths = heard["length"].to_numpy()
        for a, b, _ in tqdm(pairs, desc="comparing", unit=" pairs", disable=not progress):
            similarity, shift, seconds = sameness(wave(int(a)), wave(int(b)))
            if similarity >= ALIKE and seconds >= COMMON * min(lengths[a], lengths[b]):
                whole = max(abs(lengths[a] - lengths[b]), abs(shift)) <= TOLERANCE
                rows.append((ids[a], ids[b], similarity, "copy" if whole else "cut", shift, seconds))
    table = pd.DataFrame(rows, columns=["a", "b", "similarity", "kind", "shift", "seconds"])
    return table.sort_values("similarity", ascending=False, kind="stable", ignore_index=True)


def _wave(utterances: pd.DataFrame, waveforms, row: int) -> np.ndarray:
    if waveforms is not None:
        return waveforms[row]
    one = utterances.iloc[row]
    return read_audio(one["path"], one.get("start"), one.get("end"), RATE)
