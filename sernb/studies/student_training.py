"""How a speech student is trained, from a teacher or from labels: the recipe, and the seam to `transformers.Trainer`.

Source: R. Li, J. Zhao, Q. Jin, "Speech Emotion Recognition via Multi-Level Cross-Modal Distillation", Interspeech 2022,
3.2.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import torch
from transformers import set_seed

from sernb.core.errors import SernbError
from sernb.studies.batches import Shuffled, rising_and_falling, train
from sernb.studies.run_checkpoints import run_of

TRY_BATCH = 64


@dataclass(frozen=True)
class Recipe:
    """How a student is distilled or fine-tuned; the defaults are the paper's (3.2): Adam at 1e-4 that falls in a straight
    line, 50 epochs at most.

    The paper names neither the batch (32 utterances of like length here) nor when it stops. patience: epochs in a row
    that may pass without a better one on the held-out part; None runs all. The best epoch is kept either way.
    warm_up: share of `epochs` in which the rate rises from zero. Gradients are clipped at a norm of 1. bf16: half-precision
    products.
    """

    epochs: int = 50
    batch_size: int = 32
    learning_rate: float = 1e-4
    patience: int | None = None
    warm_up: float = 0.0
    by_length: bool = True
    bf16: bool = False

    def __post_init__(self):
        if not 0 <= self.warm_up < 1 or not self.learning_rate > 0:
            raise SernbError(
                f"warm_up is {self.warm_up:g} and learning_rate {self.learning_rate:g}; expected a share of the epochs, at "
                "least 0 and below 1, and a rate above 0."
            )
        for name in ("epochs", "batch_size", "patience"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise SernbError(f"{name} is {value}; it must be at least 1.")


PAPER = Recipe()
LAPTOP = Recipe(epochs=12, batch_size=16, learning_rate=5e-4, warm_up=0.1)
RECIPES = {"paper": PAPER, "laptop": LAPTOP}


@dataclass(frozen=True)
class Goal:
    """By what the best epoch is known: a measure of what is tried after each.

    name: of the part that is tried, for the curve's columns. truth: the key of a batch that is there to learn from. best: the measure
    ("loss", or one that `measures` gives), the higher the better with `higher`. measures: from what the learner said of the whole
    part to numbers by name.
    """

    name: str
    truth: str
    best: str
    higher: bool
    measures: Callable


def fit(
    learner: torch.nn.Module,
    examples: torch.utils.data.Dataset,
    tried: torch.utils.data.Dataset,
    goal: Goal,
    recipe: Recipe = LAPTOP,
    seed: int = 0,
    checkpoints: str | Path | None = None,
    progress: str | None = None,
) -> pd.DataFrame:
    """Train `learner` in place; returns the curve: epoch, loss, learning_rate, <goal>_loss and <goal>_<measure>.

    learner: takes a batch of `examples` (whose `lengths()` say which are of like length) and returns {"loss", what is measured}.
    The weights of the epoch that is best on `tried` are kept; where it is empty, the last epoch's. checkpoints: a folder from
    which a killed training goes on; None writes to a temporary one. Raises SernbError when the loss is no longer finite.
    """
    set_seed(seed)
    steps = -(-len(examples) // recipe.batch_size)
    total = steps * recipe.epochs
    optimizer = torch.optim.Adam(learner.parameters(), recipe.learning_rate, fused=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: rising_and_falling(step, total, recipe.warm_up)
    )
    return train(
        learner,
        Shuffled(examples.lengths(), recipe.batch_size, seed, recipe.by_length),
        examples,
        tried if len(tried) else None,
        (optimizer, schedule),
        steps,
        total,
        seed,
        truth=goal.truth,
        part=goal.name,
        best=(goal.best, goal.higher) if len(tried) else None,
        measures=goal.measures,
        patience=recipe.patience if len(tried) else None,
        checkpoints=checkpoints,
        run=run_of((recipe, seed, goal.name), learner, examples.lengths(), tried.lengths()),
        progress=progress,
        per_device_eval_batch_size=TRY_BATCH,
        bf16=recipe.bf16,
    )
