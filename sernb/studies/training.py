"""Training by a recipe: the seam between our models and `transformers.Trainer`, which does the work.

A recipe is a set of numbers; `PAPER` is that of Li et al. (2018), section 3.1.
"""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch.nn import functional as F
from tqdm.auto import tqdm
from transformers import Trainer, TrainerCallback, TrainingArguments, set_seed

from sernb.core.errors import SernbError


@dataclass(frozen=True)
class Recipe:
    """How a network is trained; the defaults are the paper's (3.1): SGD with Nesterov momentum, steps down by ten."""

    epochs: int = 50
    batch_size: int = 64
    learning_rate: float = 0.05
    drops: tuple = (
        21,
        31,
        41,
    )  # epochs, counted from 1, at whose start the rate falls (21.5: half-way through)
    drop: float = 0.1
    momentum: float = 0.9
    weight_decay: float = 1e-4
    class_weights: bool = False  # each class weighs the same in the loss, however many segments it has
    label_smoothing: float = 0.0
    frequency_mask: int = 0  # SpecAugment: up to so many bins, and
    time_mask: int = 0  # up to so many frames, are silenced in each training segment
    bf16: bool = False  # half-precision products: faster on CPUs with AMX and on GPUs, slower on other CPUs
    compiled: bool = (
        False  # torch.compile: pays on long runs; each epoch then leaves out a last partial batch
    )

    def __post_init__(self):
        for name in ("epochs", "batch_size"):
            if getattr(self, name) < 1:
                raise SernbError(f"{name} is {getattr(self, name)}; it must be at least 1.")

    def shortened(self, epochs: int) -> "Recipe":
        """The same schedule squeezed into `epochs`: every drop at the same share of the run, within an epoch if need be."""
        drops = tuple(1 + (one - 1) * epochs / self.epochs for one in self.drops)
        return Recipe(**{**vars(self), "epochs": epochs, "drops": drops})


PAPER = Recipe()


class Examples(torch.utils.data.Dataset):
    """Tensors in memory, handed out a whole batch at a time: `columns` maps names to `(n, ...)` tensors."""

    def __init__(self, columns: dict[str, torch.Tensor], rows: np.ndarray | None = None):
        self.columns = columns
        self.rows = torch.arange(len(columns["labels"])) if rows is None else torch.as_tensor(rows)

    def __len__(self):
        return len(self.rows)

    def __getitems__(self, indices):
        rows = self.rows[torch.as_tensor(indices)]
        return {name: column[rows] for name, column in self.columns.items()}


def fit(
    model: torch.nn.Module,
    examples: Examples,
    recipe: Recipe = PAPER,
    seed: int = 0,
    change: Callable[[dict], dict] | None = None,
    progress: str | None = None,
) -> pd.DataFrame:
    """Train `model` in place and return its learning curve (columns epoch, loss, learning_rate).

    `examples` give the model's arguments and `labels (batch,)`; the model returns `logits (batch, classes)`. `change`
    alters each training batch (augmentation). `progress` is the bar's title; None shows no bar. Raises SernbError on
    an empty set and when the loss is no longer finite.
    """
    if not len(examples):
        raise SernbError("there is nothing to train on: the training part of this fold holds no segments.")
    labels = examples.columns["labels"][examples.rows]
    weights = None
    if recipe.class_weights:
        counts = torch.bincount(labels).float()
        weights = counts.sum() / (counts.clamp(min=1) * len(counts))

    def loss(outputs, target, num_items_in_batch=None):
        return F.cross_entropy(
            outputs.logits.float(),
            target,
            weight=None if weights is None else weights.to(target.device),
            label_smoothing=recipe.label_smoothing,
        )

    set_seed(seed)
    steps = -(-len(examples) // recipe.batch_size)
    if recipe.compiled:
        torch.compiler.reset()  # each fold's new network counts as a recompilation, and those are limited
        steps = max(len(examples) // recipe.batch_size, 1)
    gpus = max(torch.cuda.device_count(), 1)  # the Trainer gives each its share of a batch
    optimizer = torch.optim.SGD(
        model.parameters(),
        lr=recipe.learning_rate,
        momentum=recipe.momentum,
        nesterov=recipe.momentum > 0,
        weight_decay=recipe.weight_decay,
    )
    schedule = torch.optim.lr_scheduler.MultiStepLR(
        optimizer, [max(1, round((epoch - 1) * steps)) for epoch in recipe.drops], recipe.drop
    )
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            folder,
            per_device_train_batch_size=-(-recipe.batch_size // gpus),
            num_train_epochs=recipe.epochs,
            max_grad_norm=0,  # the Trainer clips gradients by default, the paper does not
            bf16=recipe.bf16,
            torch_compile=recipe.compiled,
            dataloader_drop_last=recipe.compiled and len(examples) >= recipe.batch_size,
            use_cpu=not torch.cuda.is_available(),
            dataloader_pin_memory=False,  # the tensors already lie in memory
            remove_unused_columns=False,
            logging_strategy="epoch",
            logging_nan_inf_filter=False,  # or a loss that exploded would be logged as 0
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
            seed=seed,
        )
        trainer = Trainer(
            model=model.to(memory_format=torch.channels_last),
            args=arguments,
            train_dataset=examples,
            data_collator=change or _unchanged,
            optimizers=(optimizer, schedule),
            compute_loss_func=loss,
            callbacks=[Watch(progress, recipe.epochs)],
        )
        trainer.pop_callback(printer(trainer))
        trainer.train()
    curve = pd.DataFrame(trainer.state.log_history)
    return curve.loc[curve["loss"].notna(), ["epoch", "loss", "learning_rate"]].reset_index(drop=True)


def _unchanged(batch):
    return batch


def printer(trainer):
    """The Trainer's own callback that prints a dictionary an epoch; our bar says it better."""
    return next(
        type(one) for one in trainer.callback_handler.callbacks if type(one).__name__ == "PrinterCallback"
    )


class Watch(TrainerCallback):
    """A bar over epochs; stops a run whose loss is no longer a number."""

    def __init__(self, title, epochs):
        self.bar = tqdm(total=epochs, desc=title, unit="epoch", leave=False, disable=title is None)

    def on_log(self, args, state, control, logs=None, **kwargs):
        if "loss" not in (logs or {}):
            return
        if not np.isfinite(logs["loss"]):
            self.bar.close()
            raise SernbError(
                f"the loss became {logs['loss']} in epoch {state.epoch:.0f}: lower the learning rate "
                f"(it was {logs['learning_rate']:g})."
            )
        self.bar.update()
        self.bar.set_postfix(loss=f"{logs['loss']:.3f}")

    def on_train_end(self, args, state, control, **kwargs):
        self.bar.close()
