"""How a speech student is trained, from a teacher or from labels: the recipe, and the seam to `transformers.Trainer`.

Source: R. Li, J. Zhao, Q. Jin, "Speech Emotion Recognition via Multi-Level Cross-Modal Distillation", Interspeech 2022,
3.2.
"""

import logging
import tempfile
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import torch
from transformers import EarlyStoppingCallback, TrainingArguments, set_seed
from transformers.trainer_utils import get_last_checkpoint

from sernb.batches import BatchTrainer, Shuffled
from sernb.errors import SernbError
from sernb.training import Watch, printer

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
    # It warns at each training that it sorts checkpoints by number.
    logging.getLogger("transformers.trainer_utils").setLevel(logging.ERROR)
    steps = -(-len(examples) // recipe.batch_size)
    total = steps * recipe.epochs
    optimizer = torch.optim.Adam(learner.parameters(), recipe.learning_rate, fused=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate(step, total, recipe))
    callbacks, best = [Watch(progress, recipe.epochs)], {}
    if len(tried):
        best = {"eval_strategy": "steps", "eval_steps": steps, "load_best_model_at_end": True,
                "metric_for_best_model": f"eval_{goal.best}", "greater_is_better": goal.higher}  # fmt: skip
        if recipe.patience is not None:
            callbacks.append(EarlyStoppingCallback(recipe.patience))
    saves = bool(best or checkpoints)
    often = {"save_strategy": "steps", "save_steps": steps} if saves else {"save_strategy": "no"}
    folder = tempfile.TemporaryDirectory() if checkpoints is None else nullcontext(str(checkpoints))
    with folder as place:
        arguments = TrainingArguments(
            place,
            per_device_train_batch_size=recipe.batch_size,
            per_device_eval_batch_size=TRY_BATCH,
            max_steps=total,
            max_grad_norm=1.0,
            bf16=recipe.bf16,
            use_cpu=not torch.cuda.is_available(),
            dataloader_pin_memory=False,
            remove_unused_columns=False,
            label_names=[goal.truth],
            logging_strategy="steps",
            logging_steps=steps,
            logging_nan_inf_filter=False,
            save_total_limit=1,
            save_only_model=checkpoints is None,  # nobody can go on from a temporary folder
            report_to="none",
            disable_tqdm=True,
            seed=seed,
            **often,
            **best,
        )
        trainer = BatchTrainer(
            Shuffled(examples.lengths(), recipe.batch_size, seed, recipe.by_length),
            model=learner,
            args=arguments,
            train_dataset=examples,
            eval_dataset=tried if best else None,
            data_collator=lambda batch: batch,
            optimizers=(optimizer, schedule),
            compute_metrics=goal.measures,
            callbacks=callbacks,
        )
        trainer.pop_callback(printer(trainer))
        last = get_last_checkpoint(place) if checkpoints and Path(place).is_dir() else None
        trainer.train(resume_from_checkpoint=last)
    return _curve(trainer.state.log_history, steps, goal.name)


def _rate(step, total, recipe) -> float:
    """The learning rate at a step, as a share of its highest."""
    rising = round(recipe.warm_up * total)
    if step < rising:
        return (step + 1) / rising
    return max(0.0, (total - step) / (total - rising))


def _curve(history, steps, name) -> pd.DataFrame:
    table = pd.DataFrame(history)
    table["epoch"] = (table["step"] / steps).round().astype(int)
    speed = ("eval_runtime", "eval_samples_per_second", "eval_steps_per_second")
    measured = [one for one in table if one.startswith("eval_") and one not in speed]
    table = table[table["epoch"] > 0].groupby("epoch")[["loss", "learning_rate", *measured]].first()
    return (
        table[table["loss"].notna()]
        .rename(columns=lambda one: one.replace("eval_", f"{name}_", 1))
        .reset_index()
    )
