"""Word embeddings of the pieces that a corpus holds: the only ones that can get a gradient."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from transformers import BertModel

from sernb.core.ragged import Ragged


@contextmanager
def only_used(text: BertModel, tokens: Ragged) -> Iterator[None]:
    """While it lasts, `text` holds a table of word embeddings for the pieces in `tokens` alone.

    BERT-base knows 30,522 pieces, which take 23.4 M parameters, and a corpus uses a few thousand. The gradient of the
    others is zero at every step, but a dense one is written, read by the optimizer and saved all the same. What the
    used ones have learned is put back at the end; the others are as they were (weight decay passes them by).
    """
    whole = text.embeddings.word_embeddings
    used = torch.from_numpy(np.unique(np.append(tokens.values, 0)))  # 0 fills up a batch
    text.embeddings.word_embeddings = learned = _Few(whole, used)
    try:
        yield
    finally:
        whole.to(learned.weight.device).weight.data[used] = learned.weight.data
        text.embeddings.word_embeddings = whole


class _Few(torch.nn.Embedding):
    """The rows `used` of an embedding, asked for by their old numbers."""

    def __init__(self, whole, used):
        numbers = torch.full((whole.num_embeddings,), -1)
        numbers[used] = torch.arange(len(used))
        padding = None if whole.padding_idx is None else int(numbers[whole.padding_idx])
        super().__init__(
            len(used),
            whole.embedding_dim,
            padding_idx=padding if padding is not None and padding >= 0 else None,
            _weight=whole.weight.detach()[used],
        )
        self.register_buffer("numbers", numbers.to(whole.weight.device), persistent=False)

    def forward(self, ids):
        return super().forward(self.numbers[ids])
