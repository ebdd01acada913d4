"""Which of many things are alike enough to be compared, without comparing each with every other.

Each thing (a text, a recording) has keys; things that share many keys are candidates. Within the bucket of a key only
near neighbours are linked, so that the work grows with the number of keys and not with the square of a bucket: what
n copies of one thing share are n copies of a bucket, and each links them in the same order.
"""

import numpy as np

REACH = 4  # neighbours to either side that are linked within a bucket


def candidates(keys: np.ndarray, owners: np.ndarray, least: int, reach: int = REACH) -> np.ndarray:
    """Pairs of owners that share at least `least` keys among linked neighbours: int64 (pairs, 3) of a < b, shared.

    keys: uint32 `(entries,)`; owners: `(entries,)`, whole numbers from 0 below 2**31, the thing that has the key. An
    owner is expected to hold a key once.
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
