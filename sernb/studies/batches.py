"""Batches of utterances of like length, and the one seam through which they reach `transformers.Trainer`."""

import logging
import tempfile
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path

import pandas as pd
import torch
from transformers import EarlyStoppingCallback, Trainer, TrainerCallback, TrainingArguments
from transformers.trainer_pt_utils import get_length_grouped_indices

from sernb.studies.run_checkpoints import going_on
from sernb.studies.training import _Watch as Watch

# what the Trainer adds to measures
SPEED = ("eval_runtime", "eval_samples_per_second", "eval_steps_per_second")


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


def train(
    learner: torch.nn.Module,
    order: Shuffled,
    examples: torch.utils.data.Dataset,
    tried: torch.utils.data.Dataset | None,
    optimizers: tuple,
    steps: int,
    total: int,
    seed: int,
    truth: str,
    part: str,
    best: tuple[str, bool] | None = None,
    measures: Callable | None = None,
    collator: Callable | None = None,
    callbacks: Sequence[TrainerCallback] = (),
    patience: int | None = None,
    checkpoints: str | Path | None = None,
    run: str = "",
    progress: str | None = None,
    **settings,
) -> pd.DataFrame:
    """Train `learner` in place for `total` steps, `steps` of them an epoch; returns the curve: epoch, loss, learning_rate,
    <part>_loss and <part>_<measure>. SernbError where the loss is no longer finite.

    order: of the rows of `examples`; its batch size is that of a step. tried: what is evaluated after each epoch (None:
    nothing), in which `truth` is the key of what is to be told; part: what the curve calls it. best: (measure, whether
    more is better) by which the best epoch's weights are kept; None keeps the last. patience: epochs without a better one
    after which it ends.
    checkpoints: a folder from which a killed training goes on; None takes a temporary one. run: what names this training
    (`sernb.studies.run_checkpoints.digest`); SernbError where the checkpoints there are of another. progress: the title of a bar over
    epochs. settings: others of `TrainingArguments`.
    """
    # It warns at each training that it sorts checkpoints by number.
    logging.getLogger("transformers.trainer_utils").setLevel(logging.ERROR)
    keeps = best is not None or checkpoints is not None
    settings = {
        "save_strategy": "steps" if keeps else "no",
        "save_total_limit": 1 if checkpoints is None else 2,  # of one, the end deletes the last
        "restore_callback_states_from_checkpoint": True,  # or the patience would begin anew
        "max_grad_norm": 1.0,
        **({"save_steps": steps} if keeps else {}),
        **({"eval_strategy": "steps", "eval_steps": steps} if tried is not None else {}),
        **settings,
    }
    if best is not None:
        settings |= {"load_best_model_at_end": True, "metric_for_best_model": f"eval_{best[0]}"}
        settings |= {"greater_is_better": best[1]}
    last, done = None, None
    if checkpoints is not None:
        last, done = going_on(Path(checkpoints), run, patience)
    watch = [Watch(progress, total // steps)]
    stop = [EarlyStoppingCallback(patience)] if patience else []
    with tempfile.TemporaryDirectory() if checkpoints is None else nullcontext(str(checkpoints)) as place:
        arguments = TrainingArguments(
            place,
            per_device_train_batch_size=order.batch_size,
            max_steps=done or total,
            use_cpu=not torch.cuda.is_available(),
            dataloader_pin_memory=False,
            remove_unused_columns=False,
            label_names=[truth],
            logging_strategy="steps",
            logging_steps=steps,
            logging_nan_inf_filter=False,
            save_only_model=checkpoints is None,  # nobody can go on from a temporary folder
            report_to="none",
            disable_tqdm=True,
            seed=seed,
            **settings,
        )
        trainer = BatchTrainer(
            order,
            model=learner,
            args=arguments,
            train_dataset=examples,
            eval_dataset=tried,
            data_collator=collator or (lambda batch: batch),
            optimizers=optimizers,
            compute_metrics=measures,
            callbacks=[*watch, *callbacks, *stop],
        )
        trainer.pop_callback(printer(trainer))
        trainer.train(resume_from_checkpoint=last)
    return _curve(trainer.state.log_history, steps, part)


def rising_and_falling(step: int, total: int, warm_up: float, falling: bool = True) -> float:
    """The learning rate at a step, as a share of its highest: up for `warm_up` of the steps, then down to zero or level."""
    rising = round(warm_up * total)
    if step < rising:
        return (step + 1) / rising
    return max(0.0, (total - step) / (total - rising)) if falling else 1.0


def _curve(history, steps, part):
    """The Trainer's log, a row an epoch; what it tells before the first, or after the last, is left out."""
    table = pd.DataFrame(history)
    table["epoch"] = (table["step"] / steps).round().astype(int)
    # In the order of the last: what a checkpoint has brought back is sorted by name.
    told = [one for one in history if "eval_loss" in one][-1:]
    measured = [name for one in told for name in one if name.startswith("eval_") and name not in SPEED]
    measured.sort(key=lambda name: name != "eval_loss")
    table = table[table["epoch"] > 0].groupby("epoch")[["loss", "learning_rate", *measured]].first()
    table = table[table["loss"].notna()].reset_index()
    return table.rename(columns=lambda one: one.replace("eval_", f"{part}_", 1))


def printer(trainer):
    """The Trainer's own callback that prints a dictionary an epoch; our bar says it better."""
    return next(
        type(one) for one in trainer.callback_handler.callbacks if type(one).__name__ == "PrinterCallback"
    )
