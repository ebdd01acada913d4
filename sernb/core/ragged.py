"""Rows of different lengths in one flat array: token ids, encoder states; on disk mapped .npy files."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from sernb.core.errors import SernbError, some


class Ragged:
    """`values (sum of lengths, ...)` and `offsets (n + 1,)`: item i is `values[offsets[i]:offsets[i + 1]]`.

    Example:
        >>> Ragged.of([[1, 2, 3], [4]]).padded([0, 1])[0].tolist()
        [[1, 2, 3], [4, 0, 0]]
    """

    def __init__(self, values: np.ndarray, offsets: np.ndarray):
        if len(values) != offsets[-1]:
            raise SernbError(f"the offsets end at {offsets[-1]}, and there are {len(values)} values.")
        self.values, self.offsets = values, offsets

    @classmethod
    def of(cls, items: Iterable, dtype=None) -> "Ragged":
        """From a sequence of arrays that differ in their first size only."""
        arrays = [np.asarray(item, dtype) for item in items]
        return cls(np.concatenate(arrays), np.cumsum([0, *map(len, arrays)]))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, item: int) -> np.ndarray:
        return self.values[self.offsets[item] : self.offsets[item + 1]]

    @property
    def lengths(self) -> np.ndarray:
        return np.diff(self.offsets)

    def padded(self, rows) -> tuple[torch.Tensor, torch.Tensor]:
        """The items `rows` as one tensor `(B, longest, ...)`, zeros behind, and its mask `(B, longest)`."""
        lengths = self.lengths[rows]
        mask = np.arange(lengths.max()) < lengths[:, None]
        filled = np.zeros((*mask.shape, *self.values.shape[1:]), self.values.dtype)
        filled[mask] = np.concatenate([self[row] for row in rows])
        filled = torch.from_numpy(filled)
        return filled.float() if filled.is_floating_point() else filled, torch.from_numpy(mask)


def computed_once(
    folder: Path | None, name: str, lengths: np.ndarray, width: tuple, batches: Iterable, dtype=np.float32
) -> Ragged:
    """The items that `batches` yields, as (rows, arrays `(length, *width)`), written to disk as they come.

    They lie in `folder`/`name`, memory-mapped; where they stand already, `batches` is not touched. Without a
    folder they stay in memory. A run that is cut off leaves nothing that looks whole.
    """
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    if folder is None:
        return _filled(np.zeros((offsets[-1], *width), dtype), offsets, batches)
    place = Path(folder) / name
    if not all((place / file).is_file() for file in ("values.npy", "offsets.npy")):
        shutil.rmtree(place, ignore_errors=True)  # somebody took a file away
        place.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=f"{name}.", suffix=".unfinished", dir=place.parent))
        try:
            shape = (int(offsets[-1]), *width)
            values = np.lib.format.open_memmap(beside / "values.npy", "w+", dtype, shape)
            _filled(values, offsets, batches)
            values.flush()
            np.save(beside / "offsets.npy", offsets)
            with suppress(OSError):  # another process may have been quicker
                os.replace(beside, place)
        finally:
            shutil.rmtree(beside, ignore_errors=True)

    try:
        kept = Ragged(np.load(place / "values.npy", mmap_mode="r"), np.load(place / "offsets.npy"))
        got, expected = (kept.values.dtype, *kept.values.shape[1:]), (np.dtype(dtype), *width)
        if got != expected:
            raise ValueError(f"type and width of its values are {got}, expected {expected}")
        if not np.array_equal(kept.offsets, offsets):
            raise ValueError("the lengths of its items are not those of this input")
    except (EOFError, OSError, ValueError) as problem:
        advice = "Delete this folder; it is made again."
        raise SernbError(f"{place}: what was kept there is damaged ({problem}). {advice}") from problem
    return kept


def _filled(values, offsets, batches) -> Ragged:
    for rows, items in batches:
        for row, item in zip(rows, items, strict=True):
            values[offsets[row] : offsets[row + 1]] = item
    return Ragged(values, offsets)


def row_numbers(rows, count: int, name: str) -> np.ndarray:
    """`rows` as integers from 0 to count - 1, each once; SernbError for a mask and all else."""
    rows = np.asarray(rows)
    if rows.size == 0:
        return np.empty(0, int)
    if rows.ndim != 1 or rows.dtype.kind not in "iu":
        got = f"got {rows.dtype} {rows.shape}; np.flatnonzero(mask) makes them of a mask"
        raise SernbError(f"{name}: expected row numbers, {got}.")
    again = len(rows) - len(np.unique(rows))
    if rows.min() < 0 or rows.max() >= count or again:
        got = f"got {len(rows)} from {rows.min()} to {rows.max()}, {again} of them again"
        raise SernbError(f"{name}: expected each row once, from 0 to {count - 1}; {got}.")
    return rows.astype(int)


def digest(*parts) -> str:
    """A name for what these parts make: other weights, input or settings, another name.

    A part is a module, a `Ragged`, an array, a text, or anything whose `repr` says what it is.
    """
    sums = hashlib.sha256()
    for part in parts:
        for array in _arrays(part):
            sums.update(str((array.shape, array.dtype)).encode())
            sums.update(array.data if array.ndim else array.tobytes())
    return sums.hexdigest()[:24]


def _arrays(part) -> list[np.ndarray]:
    if isinstance(part, Ragged):
        return [np.ascontiguousarray(part.values), part.offsets]
    if isinstance(part, torch.nn.Module):
        weights = [tensor.detach().cpu().contiguous() for tensor in part.state_dict().values()]
        plain = [w.view(torch.int16) if w.dtype == torch.bfloat16 else w for w in weights]
        return [tensor.numpy() for tensor in plain]
    if isinstance(part, np.ndarray) and part.dtype != object:
        return [np.ascontiguousarray(part)]
    return [np.frombuffer((part if isinstance(part, str) else repr(part)).encode(), np.uint8)]


def rows_of(index: pd.Index, ids) -> np.ndarray:
    """Row numbers of the utterances `ids`; SernbError for one that is not here, or an id of several rows."""
    if not index.is_unique:
        again = some(index[index.duplicated()].unique())
        raise SernbError(f"several rows have the same id: {again}. Give each utterance its own.")
    rows = index.get_indexer(ids)
    if (rows < 0).any():
        absent = np.asarray(ids)[rows < 0]
        what = f"{len(absent)} utterances are not among these inputs: {some(absent)}"
        raise SernbError(f"{what}. Prepare them from the same table that the folds were made of.")
    return rows
