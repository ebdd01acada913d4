"""How a BERT of the text teacher is trained: recipes, batches, and the seam to `transformers.Trainer`.

Source: Li, Zhao, Jin, "Speech Emotion Recognition via Multi-Level Cross-Modal Distillation", Interspeech 2022, 3.2.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from transformers import get_linear_schedule_with_warmup

from sernb.core.errors import SernbError
from sernb.core.ragged import Ragged
from sernb.features.text import token_ids
from sernb.studies.batches import Shuffled, train
from sernb.studies.run_checkpoints import run_of

EVALUATION_BATCH = 64


@dataclass(frozen=True)
class Recipe:
    """One stage: AdamW, a rate that rises for a share `warm_up` of the steps and falls in a straight line to zero.

    The paper fine-tunes for at most 6 epochs and reads on for 20; the rest is usual for BERT-base (Devlin et al. 2019), as
    the paper does not say. patience: epochs in a row without a better validation WF1 that fine-tuning bears. masked: share of
    the pieces that are to be guessed in reading. bf16: half-precision products.
    """

    epochs: int = 6
    batch_size: int = 32
    learning_rate: float = 2e-5
    warm_up: float = 0.1
    weight_decay: float = 0.01
    patience: int = 2
    masked: float = 0.15
    by_length: bool = True
    bf16: bool = False

    def __post_init__(self):
        for name in ("epochs", "batch_size", "patience"):
            if getattr(self, name) < 1:
                raise SernbError(f"{name} is {getattr(self, name)}; it must be at least 1.")
        if not 0 < self.masked < 1:
            raise SernbError(f"masked is {self.masked}; it must lie between 0 and 1.")


PAPER, PAPER_READING = Recipe(), Recipe(epochs=20, batch_size=256, learning_rate=1e-4)
# For encoders as narrow as mini-bert, within minutes on one core.
LAPTOP = Recipe(epochs=3, batch_size=64, learning_rate=5e-4)
LAPTOP_READING = Recipe(epochs=5, batch_size=128, learning_rate=1e-3)


def tokens_of(texts: Sequence[str], tokenizer, model) -> Ragged:
    """Token ids of each text, as many as the model has places for."""
    return Ragged.of(token_ids(pd.Series(texts), tokenizer, model.config.max_position_embeddings), np.int64)


class Sentences(torch.utils.data.Dataset):
    """Token ids, a sentence at a time."""

    def __init__(self, tokens, rows):
        self.tokens, self.rows = tokens, rows

    def __len__(self):
        return len(self.rows)

    def lengths(self) -> np.ndarray:
        return self.tokens.lengths[self.rows]

    def __getitem__(self, item):
        return {"input_ids": self.tokens[self.rows[item]].tolist()}


class Labelled(Sentences):
    """Token ids and labels, a whole padded batch at a time."""

    def __init__(self, tokens, labels, rows):
        super().__init__(tokens, rows)
        self.labels = torch.from_numpy(labels)

    def __getitems__(self, items):
        rows = self.rows[np.asarray(items)]
        ids, mask = self.tokens.padded(rows)
        return {"input_ids": ids, "attention_mask": mask.long(), "labels": self.labels[rows]}


def trained(
    model: torch.nn.Module,
    sets: list[Sentences],
    recipe: Recipe,
    seed: int,
    part: str,
    collator: Callable | None = None,
    scores: Callable | None = None,
    checkpoints: str | Path | None = None,
    progress: str | None = None,
) -> pd.DataFrame:
    """Train `model` in place on the first of `sets`, trying the second after each epoch; with `scores` the best epoch is
    kept and training may stop early. Returns the curve, in which the second is called `part`."""
    steps = -(-len(sets[0]) // recipe.batch_size)
    total = steps * recipe.epochs
    optimizer = torch.optim.AdamW(
        model.parameters(), recipe.learning_rate, weight_decay=recipe.weight_decay, fused=True
    )
    schedule = get_linear_schedule_with_warmup(optimizer, round(recipe.warm_up * total), total)
    return train(
        model,
        Shuffled(sets[0].lengths(), recipe.batch_size, seed, recipe.by_length),
        *sets,
        (optimizer, schedule),
        steps,
        total,
        seed,
        truth="labels",
        part=part,
        best=("WF1", True) if scores else None,
        measures=scores,
        collator=collator,
        patience=recipe.patience if scores else None,
        checkpoints=checkpoints,
        run=run_of((recipe, seed), model, *(one.lengths() for one in sets)),
        progress=progress,
        per_device_eval_batch_size=EVALUATION_BATCH,
        prediction_loss_only=scores is None,
        bf16=recipe.bf16,
    )
