"""Training by `transformers.Trainer`: one `fit` for every network, one `run_folds` for every study."""

import json
import logging
import tempfile
import warnings
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from joblib import Parallel, delayed, effective_n_jobs
from safetensors import SafetensorError
from safetensors.torch import load_file
from sklearn.metrics import recall_score
from tqdm.auto import tqdm
from transformers import Trainer, TrainerCallback, TrainingArguments, set_seed
from transformers.trainer_callback import EarlyStoppingCallback, PrinterCallback

from sernb.core.errors import SernbError
from sernb.core.files import whole_file
from sernb.core.ragged import digest
from sernb.studies.recipes import Recipe
from sernb.studies.rows import Rows, Shuffled

EVALUATION_BATCH = 64
SPEED = ("eval_runtime", "eval_samples_per_second", "eval_steps_per_second")  # the Trainer adds these
BROKEN = (EOFError, KeyError, OSError, RuntimeError, SafetensorError, ValueError)


@dataclass(frozen=True)
class Goal:
    """What is tried after each epoch, and by what the best epoch is known.

    Args:
        part, truth: What the curve calls the rows that are tried; the key of a batch that is to be learnt.
        best, higher: The measure that chooses the epoch ("loss", or of `measures`; None keeps the last); is
            more of it better?
        measures: From `predictions` and `label_ids` of the whole part to numbers by name.
        least: Fewest rows that a batch can learn from; a smaller last one is left out.
    """

    part: str = "validation"
    truth: str = "labels"
    best: str | None = "UAR"
    higher: bool = True
    measures: Callable | None = None
    least: int = 1


def fit(
    learner: torch.nn.Module,
    train_set: Rows,
    tried_set: Rows | None,
    recipe: Recipe,
    goal: Goal,
    seed: int = 0,
    steps: int | None = None,
    change: Callable[[dict], dict] | None = None,
    checkpoints: str | Path | None = None,
    progress: str | None = None,
) -> pd.DataFrame:
    """Train `learner` in place; the curve has epoch, loss, learning_rate, <part>_loss and <part>_<measure>.

    Args:
        learner: Takes a batch of `train_set`, returns {"loss", and what is measured}; the modules that its
            attribute `pretrained` names learn at `recipe.encoder_rate`.
        tried_set: Tried after each epoch; None or empty: the last epoch's weights count.
        steps: An epoch; None: as many as `train_set` has batches.
        change: Alters each batch (augmentation, masking).
        checkpoints: A folder from which a killed training goes on; None takes a temporary one.
        progress: The title of a bar over epochs; None shows none.

    Raises:
        SernbError: For nothing to train on, a loss that is no longer finite, and checkpoints of another run.
    """
    if not len(train_set):
        raise SernbError("there is nothing to train on: the training part is empty.")
    if recipe.batch_size < goal.least:
        raise SernbError(f"batch_size is {recipe.batch_size}; it must be at least {goal.least}.")
    tried_set = tried_set if tried_set is not None and len(tried_set) else None
    goal_counts = tried_set is not None and goal.best is not None
    set_seed(seed)

    # How many steps, in what order
    lengths, order = train_set.lengths(), None  # of one length: the Trainer's own order
    if lengths is not None:
        order = Shuffled(lengths, recipe.batch_size, seed, recipe.by_length, goal.least)
    drop_last = recipe.compiled and len(train_set) >= recipe.batch_size
    if recipe.compiled:
        torch.compiler.reset()  # each fold's new network counts as a recompilation, and those are limited
    count = len(train_set) if order is None else len(order)
    steps = steps or (count // recipe.batch_size if drop_last else -(-count // recipe.batch_size))
    optimizers = _optimizers(learner, recipe, steps)

    # Where a killed run left off
    last, done = None, None
    if checkpoints is not None:
        sets = [part.digest() for part in (train_set, tried_set) if part is not None]
        run = digest((recipe, seed, goal.part, goal.best, steps), learner, *sets)
        last, done = _going_on(Path(checkpoints), run, recipe.patience if goal_counts else None)

    # The Trainer's run
    logging.getLogger("transformers.trainer_utils").setLevel(logging.ERROR)  # sorted checkpoints are no news
    callbacks = [_Watch(progress, recipe.epochs)]
    if goal_counts and recipe.patience:
        callbacks.append(EarlyStoppingCallback(recipe.patience))
    with tempfile.TemporaryDirectory() if checkpoints is None else nullcontext(str(checkpoints)) as folder:
        how = (recipe, goal, goal_counts, seed, steps, done, tried_set, checkpoints, drop_last)
        trainer = _Trainer(
            order,
            model=learner,
            args=_arguments(folder, *how),
            train_dataset=train_set,
            eval_dataset=tried_set,
            data_collator=change or dict,  # a batch comes whole from its Rows
            optimizers=optimizers,
            compute_metrics=goal.measures,
            callbacks=callbacks,
        )
        trainer.pop_callback(PrinterCallback)  # a dictionary an epoch; the bar says it better
        trainer.train(resume_from_checkpoint=last)

    if not all(weights.isfinite().all() for weights in learner.parameters()):
        advice = f"lower the learning rate (it was {recipe.learning_rate:g})"
        raise SernbError(f"training diverged in the last epoch: {advice}.")
    return _curve(trainer.state.log_history, steps, goal.part)


def run_folds(
    train_one: Callable, folds: Sequence, seeds: Sequence[int] = (0,), title: str = "", progress: bool = True
) -> tuple[pd.DataFrame, pd.DataFrame, list]:
    """Train on each fold with each seed: (predictions, learning curves, the models in that order).

    Args:
        train_one: From (fold, seed, whether a bar of its own can be seen) to (predictions, curve, model).
        folds: Or whatever else `train_one` takes first, such as (fold, layers).
    """
    watched = progress and effective_n_jobs(None) == 1
    runs = (delayed(train_one)(fold, seed, watched) for fold in folds for seed in seeds)
    trained = side_by_side(runs, title, len(folds) * len(seeds), "training", progress)
    tables, curves, models = zip(*trained, strict=True)
    return pd.concat(tables), pd.concat(curves, ignore_index=True), list(models)


def side_by_side(tasks: Iterable, title: str, total: int, unit: str, progress: bool = True) -> list:
    """Results of `tasks` (made with `joblib.delayed`), in their order, under a bar of `total` steps.

    One after another, or as many at a time as `with joblib.parallel_config(n_jobs=...)` says, each in a
    process of its own with its share of the cores. An error is raised as it is; the others are given up.
    """
    with warnings.catch_warnings():
        # joblib starts a worker anew when its memory has grown, as training's does, and warns of a leak.
        warnings.filterwarnings("ignore", message="A worker stopped while some jobs", category=UserWarning)
        runs = Parallel(return_as="generator", mmap_mode="c")(tasks)
        return list(tqdm(runs, desc=title, total=total, unit=unit, disable=not progress))


def recall(answers) -> dict:
    """{"UAR"} over the classes that are there: of the Trainer's `predictions (n, classes)`, `label_ids`."""
    classes = np.unique(answers.label_ids)
    guesses = answers.predictions.argmax(-1)
    uar = recall_score(answers.label_ids, guesses, labels=classes, average="macro", zero_division=0)
    return {"UAR": uar}


def rate(step: int, total: int, warm_up: float, falling: bool) -> float:
    """The learning rate at a step, as a share of its highest: up for `warm_up` of all, then down or level."""
    rising = round(warm_up * total)
    if step < rising:
        return (step + 1) / rising
    return max(0.0, 1 - (step - rising) / (total - rising)) if falling else 1.0


def _optimizers(learner, recipe, steps):
    # Two groups: what is new, and what was pretrained
    inside = tuple(f"{name}." for name in getattr(learner, "pretrained", ()))
    named = [(name, weights) for name, weights in learner.named_parameters() if weights.requires_grad]
    groups = [{"params": [weights for name, weights in named if not name.startswith(inside)]}]
    if encoders := [weights for name, weights in named if name.startswith(inside)]:
        groups.append({"params": encoders, "lr": recipe.encoder_rate or recipe.learning_rate})

    # PyTorch's fused SGD rounds Nesterov's step otherwise than the plain one, of which the kit's results are
    numbers = {"lr": recipe.learning_rate, "weight_decay": recipe.weight_decay, "fused": not recipe.nesterov}
    if recipe.optimizer == "sgd":
        optimizer = torch.optim.SGD(groups, momentum=recipe.momentum, nesterov=recipe.nesterov, **numbers)
    else:
        kind = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[recipe.optimizer]
        optimizer = kind(groups, **numbers)

    # Down by steps, or up, then level or down in a straight line
    schedules = torch.optim.lr_scheduler
    if recipe.drops:
        milestones = [max(1, round((epoch - 1) * steps)) for epoch in recipe.drops]
        return optimizer, schedules.MultiStepLR(optimizer, milestones, recipe.drop)
    share = partial(rate, total=steps * recipe.epochs, warm_up=recipe.warm_up, falling=recipe.falling)
    return optimizer, schedules.LambdaLR(optimizer, share)


def _arguments(folder, recipe, goal, goal_counts, seed, steps, done, tried_set, checkpoints, drop_last):
    # Log, try and save once an epoch
    kept = goal_counts or checkpoints is not None
    settings = {"save_steps": steps} if kept else {}
    if tried_set is not None:
        settings |= {"eval_strategy": "steps", "eval_steps": steps, "prediction_loss_only": not goal.measures}
    if goal_counts:
        settings |= {"load_best_model_at_end": True, "metric_for_best_model": f"eval_{goal.best}"}
        settings |= {"greater_is_better": goal.higher}
    gpus = max(torch.cuda.device_count(), 1)  # the Trainer gives each its share of a batch
    return TrainingArguments(
        folder,
        per_device_train_batch_size=-(-recipe.batch_size // gpus),
        per_device_eval_batch_size=EVALUATION_BATCH,
        max_steps=done or steps * recipe.epochs,
        max_grad_norm=recipe.clip,
        bf16=recipe.bf16,
        torch_compile=recipe.compiled,
        dataloader_drop_last=drop_last,
        dataloader_pin_memory=False,  # the tensors already lie in memory
        use_cpu=not torch.cuda.is_available(),
        remove_unused_columns=False,
        label_names=[goal.truth],
        logging_strategy="steps",
        logging_steps=steps,
        logging_nan_inf_filter=False,  # or a loss that exploded would be logged as 0
        save_strategy="steps" if kept else "no",
        save_total_limit=1 if checkpoints is None else 2,  # of one, the end deletes the last
        save_only_model=checkpoints is None,  # nobody can go on from a temporary folder
        restore_callback_states_from_checkpoint=True,  # or the patience would begin anew
        report_to="none",
        disable_tqdm=True,
        seed=seed,
        **settings,
    )


def _going_on(folder, run, patience):
    """(the last whole checkpoint, the step where it stopped early), or None; `run` is noted in run.txt."""
    noted = folder / "run.txt"
    checkpoints = sorted(folder.glob("checkpoint-*"), key=lambda path: -int(path.name.split("-")[1]))
    if checkpoints and (not noted.is_file() or noted.read_text() != run):
        other = "of a run with other settings, seed, first weights or data"
        raise SernbError(f"{folder}: the checkpoints there are {other}. Remove the folder, or name another.")
    with whole_file(noted) as beside:
        beside.write_text(run)
    last = next((path for path in checkpoints if _whole(path)), None)
    if last is None:
        return None, None
    state = json.loads((last / "trainer_state.json").read_text())
    stopping = state["stateful_callbacks"].get("EarlyStoppingCallback")
    over = patience and stopping and stopping["attributes"]["early_stopping_patience_counter"] >= patience
    return str(last), state["global_step"] if over else None


def _whole(checkpoint):
    """Whether a run can go on from it: a training that is killed may leave one half-written."""
    try:
        load_file(checkpoint / "model.safetensors")
        for file in ("optimizer.pt", "scheduler.pt"):
            torch.load(checkpoint / file, map_location="cpu", weights_only=True)
        return "global_step" in json.loads((checkpoint / "trainer_state.json").read_text())
    except BROKEN:
        return False


class _Trainer(Trainer):
    """A Trainer whose batches are the ones that `sampler` makes; None leaves them to it."""

    def __init__(self, sampler, **settings):
        self.sampler = sampler
        super().__init__(**settings)
        self.model_accepts_loss_kwargs = False  # or forward would be handed a count of tokens

    def _get_train_sampler(self, train_dataset=None):
        return super()._get_train_sampler(train_dataset) if self.sampler is None else self.sampler

    def _get_grad_norm(self, model, grad_norm=None):
        return grad_norm  # for the log alone it would be as much work as clipping


class _Watch(TrainerCallback):
    """A bar over epochs; ends a run whose loss or measure is no longer a number."""

    def __init__(self, title, epochs):
        self.bar = tqdm(total=epochs, desc=title, unit="epoch", leave=False, disable=title is None)

    def on_log(self, args, state, control, logs=None, **kwargs):
        if "loss" not in (logs or {}):
            return
        if not np.isfinite(logs["loss"]):
            self._end(f"the loss became {logs['loss']}", state, logs["learning_rate"])
        self.bar.update()
        self.bar.set_postfix(loss=f"{logs['loss']:.3f}")

    def on_evaluate(self, args, state, control, metrics=None, **kwargs):
        # The logged loss may still be a number, from before an epoch's last steps.
        name = args.metric_for_best_model
        if name and not np.isfinite((metrics or {}).get(name, 0.0)):
            highest = max(group["lr"] for group in kwargs["optimizer"].param_groups)
            measure = name.removeprefix("eval_")
            self._end(f"training diverged: {measure} became {metrics[name]}", state, highest)

    def on_train_end(self, args, state, control, **kwargs):
        self.bar.close()

    def _end(self, why, state, learning_rate):
        self.bar.close()
        advice = f"lower the learning rate (it was {learning_rate:g})"
        raise SernbError(f"{why} in epoch {state.epoch:.0f}: {advice}.")


def _curve(history, steps, part):
    table = pd.DataFrame(history)
    table["epoch"] = (table["step"] / steps).round().astype(int)
    # In the order of the last: what a checkpoint has brought back is sorted by name
    tried = [entry for entry in history if "eval_loss" in entry][-1:]
    measures = [name for entry in tried for name in entry if name.startswith("eval_") and name not in SPEED]
    measures.sort(key=lambda name: name != "eval_loss")
    table = table[table["epoch"] > 0].groupby("epoch")[["loss", "learning_rate", *measures]].first()
    table = table[table["loss"].notna()].reset_index()
    return table.rename(columns=lambda name: name.replace("eval_", f"{part}_", 1))
