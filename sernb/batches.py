"""Batches of utterances of like length, for `transformers.Trainer`."""

import torch
from transformers import Trainer
from transformers.trainer_pt_utils import get_length_grouped_indices


class Shuffled(torch.utils.data.Sampler):
    """Another order each epoch, the same for a seed and epoch (so that a resumed run sees what it would have seen);
    with `by_length` in batches of like length."""

    def __init__(self, lengths, batch_size, seed, by_length):
        self.lengths, self.batch_size, self.seed = list(map(int, lengths)), batch_size, seed
        self.by_length, self.epoch = by_length, 0

    def set_epoch(self, epoch):
        self.epoch = epoch

    def __len__(self):
        return len(self.lengths)

    def __iter__(self):
        generator = torch.Generator().manual_seed(1_000_003 * self.seed + self.epoch)
        if not self.by_length or self.batch_size == 1:
            return iter(torch.randperm(len(self.lengths), generator=generator).tolist())
        order = get_length_grouped_indices(self.lengths, self.batch_size, generator=generator)
        batches = [order[i : i + self.batch_size] for i in range(0, len(order), self.batch_size)]
        # A megabatch runs from long to short: shuffled, so that a step's length says nothing about its place. A last
        # batch that is not full stays the last, or the others would be cut elsewhere.
        whole = len(order) // self.batch_size
        shuffled = [*torch.randperm(whole, generator=generator).tolist(), *range(whole, len(batches))]
        return iter([row for batch in shuffled for row in batches[batch]])


class BatchTrainer(Trainer):
    """A `transformers.Trainer` whose batches are the ones that `sampler` makes."""

    def __init__(self, sampler, **given):
        self.sampler = sampler
        super().__init__(**given)
        self.model_accepts_loss_kwargs = False  # or forward would be handed a count of tokens

    def _get_train_sampler(self, train_dataset=None):
        return self.sampler

    def _get_grad_norm(self, model, grad_norm=None):
        return grad_norm  # for the log alone it would be as much work as clipping
