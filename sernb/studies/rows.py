"""Rows that learn: one padded data set for every network, the order of its batches, and its word pieces."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice

import numpy as np
import torch
from transformers import BertModel
from transformers.trainer_pt_utils import get_length_grouped_indices

from sernb.core.ragged import Ragged, digest


class Rows(torch.utils.data.Dataset):
    """Some rows of columns, handed out a whole padded batch at a time.

    Args:
        columns: By the name that a network's forward has for it: an array or tensor `(n, ...)`; under a pair
            of names items of any length, padded `(batch, longest, ...)`, and their mask `(batch, longest)`.
        rows: Which of them, in this order; None: all.
        also: From row numbers to more of a batch, such as what a teacher says of these rows.
        lengths: `(n,)`, what batches of like length go by; None: the first column with items of any length.
    """

    def __init__(
        self,
        columns: Mapping[str | tuple[str, str], np.ndarray | torch.Tensor | Ragged],
        rows: np.ndarray | None = None,
        also: Callable[[np.ndarray], dict] | None = None,
        lengths: np.ndarray | None = None,
    ):
        self.columns, self.also = dict(columns), also
        count = len(next(iter(self.columns.values())))
        self.rows = np.arange(count) if rows is None else np.asarray(rows, int)
        ragged = [column for name, column in self.columns.items() if isinstance(name, tuple)]
        self._lengths = ragged[0].lengths if lengths is None and ragged else lengths

    def __len__(self) -> int:
        return len(self.rows)

    def __getitems__(self, items) -> dict:
        rows = self.rows[np.asarray(items)]
        batch = {}
        for name, column in self.columns.items():
            if isinstance(name, tuple):
                batch |= zip(name, column.padded(rows), strict=True)
            else:
                batch[name] = torch.as_tensor(column[rows])
        return batch if self.also is None else {**batch, **self.also(rows)}

    def lengths(self) -> np.ndarray | None:
        """Of each row; None where all are alike."""
        return None if self._lengths is None else np.asarray(self._lengths)[self.rows]

    def shortest_first(self) -> "Rows":
        """The same rows, from short to long: less padding, where the order does not matter."""
        order = np.argsort(self.lengths(), kind="stable")
        return Rows(self.columns, self.rows[order], self.also, self._lengths)

    def digest(self) -> str:
        """The same for the same rows, plain columns and lengths."""
        plain = (column for name, column in self.columns.items() if isinstance(name, str))
        lengths = [] if self._lengths is None else [self.lengths()]
        return digest(self.rows, *lengths, *(np.asarray(column)[self.rows] for column in plain))


class Shuffled(torch.utils.data.Sampler):
    """Another order each epoch, the same for a seed and epoch, for resumed runs.

    With `by_length` in batches of like length. A last batch of fewer than `least` rows is left out.
    """

    def __init__(self, lengths, batch_size: int, seed: int, by_length: bool = True, least: int = 1):
        self.lengths, self.batch_size, self.seed = list(map(int, lengths)), batch_size, seed
        self.by_length, self.least, self.epoch = by_length, least, 0

    def set_epoch(self, epoch):
        self.epoch = epoch

    def __len__(self):
        rest = len(self.lengths) % self.batch_size
        return len(self.lengths) - (rest if rest < self.least else 0)

    def __iter__(self) -> Iterator[int]:
        generator = torch.Generator().manual_seed(1_000_003 * self.seed + self.epoch)
        if not self.by_length or self.batch_size == 1:
            order = torch.randperm(len(self.lengths), generator=generator).tolist()
            return islice(order, len(self))

        # A megabatch runs from long to short: shuffled, so that a step's length says nothing about its place.
        # A last batch that is not full stays the last, or the others would be cut elsewhere.
        order = get_length_grouped_indices(self.lengths, self.batch_size, generator=generator)
        batches = [order[start : start + self.batch_size] for start in range(0, len(order), self.batch_size)]
        whole = len(order) // self.batch_size
        shuffled = [*torch.randperm(whole, generator=generator).tolist(), *range(whole, len(batches))]
        return islice((row for batch in shuffled for row in batches[batch]), len(self))


@contextmanager
def only_used(text: BertModel, tokens: Ragged) -> Iterator[None]:
    """While it lasts, `text` holds a table of word embeddings for the pieces in `tokens` alone.

    BERT-base knows 30,522 pieces, 23.4 M parameters, and a corpus uses a few thousand: the gradient of the
    others is zero, but would be written, read by the optimizer and saved all the same. At the end what the
    used ones have learned is put back; the others are as they were (weight decay passes them by).
    """
    whole = text.embeddings.word_embeddings
    used = torch.from_numpy(np.unique(np.append(tokens.values, 0)))  # 0 fills up a batch
    text.embeddings.word_embeddings = learned = _FewPieces(whole, used)
    try:
        yield
    finally:
        whole.to(learned.weight.device).weight.data[used] = learned.weight.data
        text.embeddings.word_embeddings = whole


class _FewPieces(torch.nn.Embedding):
    """The rows `used` of an embedding, asked for by their old numbers."""

    def __init__(self, whole, used):
        numbers = torch.full((whole.num_embeddings,), -1)
        numbers[used] = torch.arange(len(used))
        weights, padding = whole.weight.detach()[used], whole.padding_idx
        if padding is not None:
            padding = int(numbers[padding]) if numbers[padding] >= 0 else None
        super().__init__(len(used), whole.embedding_dim, padding, _weight=weights)
        self.register_buffer("numbers", numbers.to(whole.weight.device), persistent=False)

    def forward(self, ids):
        return super().forward(self.numbers[ids])
