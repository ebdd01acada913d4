"""The two stages in which 3M-SER and its students are trained, on `transformers.Trainer` (paper, III.B).

Transfer: the encoders are frozen, so what they make of the utterances is computed once, and the head alone learns.
Fine-tuning: the text encoder learns as well; VGGish stays as it is. Each stage hands on its best validation weights.
Source: Nguyen, Tran, Dang, "Enhancing Speech Emotion Recognition through Knowledge Distillation", 2024, and its code.
"""

from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from sklearn.metrics import recall_score
from torch.nn import functional as F
from transformers import set_seed

from sernb.core.errors import SernbError
from sernb.losses import UNLABELLED, Distillation, DistillationConfig
from sernb.models.three_m_ser import ThreeMSER
from sernb.studies.batches import Shuffled
from sernb.studies.batches import train as train_batches
from sernb.studies.multimodal import Examples, Inputs, Outputs, text_states
from sernb.studies.run_checkpoints import run_of
from sernb.studies.word_embeddings import only_used


@dataclass(frozen=True)
class Stage:
    """One stage; the defaults are the paper's: SGD at 1e-6, down by ten every 30 epochs, one utterance a step.

    Momentum 0.99 and weight decay stand in the authors' code only. `train_text`, `train_audio`: which encoders learn
    beside the head. `distil`: whether a student listens to its teacher in this stage. `by_length`: batches of like length.
    """

    epochs: int = 50
    batch_size: int = 1
    optimizer: str = "sgd"
    learning_rate: float = 1e-6
    encoder_rate: float | None = None  # of the encoders; None: the same
    momentum: float = 0.99  # SGD only
    weight_decay: float = 1e-6
    drop_every: int = 30  # epochs; 0: the rate falls in a straight line to zero instead
    drop: float = 0.1
    train_text: bool = False
    train_audio: bool = False
    distil: bool = False
    by_length: bool = True
    bf16: bool = False

    def __post_init__(self):
        for name in ("epochs", "batch_size"):
            if getattr(self, name) < 1:
                raise SernbError(f"{name} is {getattr(self, name)}; it must be at least 1.")
        if self.optimizer not in ("sgd", "adamw"):
            raise SernbError(f"optimizer is {self.optimizer!r}; choose sgd or adamw.")


@dataclass(frozen=True)
class TwoStages:
    """The transfer stage and the fine-tuning after it; `fine_tune=None` leaves it at the first."""

    transfer: Stage | None = Stage()
    fine_tune: Stage | None = Stage(epochs=100, train_text=True, distil=True)


PAPER = TwoStages()
# The authors' released configuration also trains VGGish; behind the rounding of its post-processor the gradient is zero.
CODE = replace(PAPER, fine_tune=replace(PAPER.fine_tune, train_audio=True))
_ADAM = Stage(epochs=4, batch_size=16, optimizer="adamw", learning_rate=1e-3, weight_decay=0.01, drop_every=0)
LAPTOP = TwoStages(_ADAM, replace(_ADAM, epochs=6, encoder_rate=1e-4, train_text=True, distil=True))
RECIPES = {"paper": PAPER, "code": CODE, "laptop": LAPTOP}


def train(
    model: ThreeMSER,
    inputs: Inputs,
    train_rows: np.ndarray,
    validation_rows: np.ndarray = (),
    recipe: TwoStages = LAPTOP,
    teacher: Outputs | None = None,
    distillation: DistillationConfig | None = None,
    cache: str | Path | None = None,
    seed: int = 0,
    checkpoints: str | Path | None = None,
    progress: str | None = None,
) -> pd.DataFrame:
    """Train `model` in place through the stages of `recipe`; returns the learning curve.

    train_rows, validation_rows: rows of `inputs`. After each epoch the model is tried on the validation rows (UAR);
    each stage ends with its best weights, the last epoch's where there are none. teacher: what it says of the same
    inputs; `distillation` says how it joins the labels. Rows without a label learn from the teacher alone, and do not lengthen
    training: an epoch is as many steps as the labelled rows take. cache: a folder for the text states of a frozen encoder,
    which trainings on the same inputs share. checkpoints: a folder; a training that was killed goes on from its last
    epoch there.

    Columns: stage, epoch, loss, learning_rate, validation_loss, validation_UAR.
    Raises SernbError for empty training rows, and where teacher and student differ in labels or tokenizer.
    """
    train_rows, validation_rows = np.asarray(train_rows, int), np.asarray(validation_rows, int)
    lengths = (inputs.audio if inputs.tokens is None else inputs.tokens).lengths
    validation_rows = validation_rows[np.argsort(lengths[validation_rows], kind="stable")]  # less padding
    labelled = int((inputs.labels[train_rows] != UNLABELLED).sum())
    if not labelled:
        raise SernbError("there is nothing to train on: no training row has a label.")
    if model.shape.classes != inputs.classes:
        raise SernbError(f"the model's labels are {model.shape.classes}, the corpus's {inputs.classes}.")
    if teacher is not None:
        check_teacher(teacher, inputs)
    curves = []
    for name, stage in (("transfer", recipe.transfer), ("fine-tuning", recipe.fine_tune)):
        if stage is None:
            continue
        given = None
        if "text" in model.shape.streams and not stage.train_text:
            given = text_states(inputs, model.text, cache, progress is not None)
        told = teacher if stage.distil else None
        loss = None if told is None else _loss(model, told, distillation or DistillationConfig())
        sets = [
            Examples(inputs, rows, given, told if number == 0 else None, stage.train_audio)
            for number, rows in enumerate((train_rows, validation_rows))
        ]
        place = None if checkpoints is None else Path(checkpoints) / name
        title = None if progress is None else f"{progress}, {name}"
        reads = stage.train_text and "text" in model.shape.streams
        with only_used(model.text, inputs.tokens) if reads else nullcontext():
            curve = _fit(model, *sets, stage, loss, labelled, seed, place, title)
        curves.append(curve.assign(stage=name))
    return pd.concat(curves, ignore_index=True)


def check_teacher(teacher: Outputs, inputs: Inputs) -> None:
    """SernbError where a teacher's outputs do not belong to these inputs: other labels, tokenizer or utterances."""
    if teacher.classes != inputs.classes:
        raise SernbError(
            f"teacher and student have other labels: {', '.join(teacher.classes)} against {', '.join(inputs.classes)}. "
            "Train the teacher on the same emotions, in the same order."
        )
    if teacher.vocabulary != inputs.vocabulary:
        raise SernbError(
            "teacher and student have other tokenizers, so their text states do not lie side by side: give the student "
            "the teacher's tokenizer."
        )
    if len(teacher.logits) != len(inputs.index):
        raise SernbError(
            f"the teacher speaks of {len(teacher.logits)} utterances and there are {len(inputs.index)}: take its outputs "
            "on these inputs."
        )


def _loss(model, teacher, config) -> Distillation:
    if config.at == "fused":
        return Distillation(config, model.shape.audio.embedding, teacher.fused.shape[1])
    if "text" not in model.shape.streams or teacher.text_states is None:
        return Distillation(config)
    return Distillation(config, model.text.config.hidden_size, teacher.text_states.values.shape[1])


class _Learner(torch.nn.Module):
    """The parts that learn, and the loss: what is frozen stays out of the optimizer and out of the checkpoints."""

    def __init__(self, model, stage, loss):
        super().__init__()
        self.whole = [model]  # in a list, so that its frozen parts are not this module's
        self.head = model.head
        if stage.train_text and "text" in model.shape.streams:
            self.text = model.text
        if stage.train_audio and "audio" in model.shape.streams:
            self.audio = model.audio
        if loss is not None:
            self.loss = loss

    def forward(self, labels, teacher=None, **batch):
        out = self.whole[0](**batch)
        if teacher is None:
            return {"loss": F.cross_entropy(out.logits.float(), labels), "logits": out.logits}
        total, _ = self.loss(out, teacher, labels)
        return {"loss": total, "logits": out.logits}


def _fit(
    model, train_set, validation_set, stage, loss, labelled, seed, checkpoints, progress
) -> pd.DataFrame:
    set_seed(seed)
    learner = _Learner(model, stage, loss)
    steps = -(-labelled // stage.batch_size)  # an epoch of labelled rows
    optimizer = _optimizer(learner, stage)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate(step, steps, stage))
    tried = len(validation_set) > 0
    return train_batches(
        learner,
        Shuffled(train_set.lengths(), stage.batch_size, seed, stage.by_length),
        train_set,
        validation_set if tried else None,
        (optimizer, schedule),
        steps,
        stage.epochs * steps,
        seed,
        truth="labels",
        part="validation",
        best=("UAR", True) if tried else None,
        measures=_validation,
        checkpoints=checkpoints,
        run=run_of((stage, loss and loss.config, seed), learner, train_set.lengths()),
        progress=progress,
        per_device_eval_batch_size=64,
        max_grad_norm=0 if stage.optimizer == "sgd" else 1.0,
        bf16=stage.bf16,
    )


def _validation(predicted):
    """UAR over the classes that are there."""
    guess = predicted.predictions.argmax(-1)
    classes = np.unique(predicted.label_ids)
    return {"UAR": recall_score(predicted.label_ids, guess, labels=classes, average="macro", zero_division=0)}


def _optimizer(learner, stage):
    encoders = [p for name, p in learner.named_parameters() if name.startswith(("text.", "audio."))]
    others = [p for name, p in learner.named_parameters() if not name.startswith(("text.", "audio."))]
    groups = [{"params": others}]
    if encoders:
        groups.append({"params": encoders, "lr": stage.encoder_rate or stage.learning_rate})
    given = {"lr": stage.learning_rate, "weight_decay": stage.weight_decay, "fused": True}
    if stage.optimizer == "adamw":
        return torch.optim.AdamW(groups, **given)
    return torch.optim.SGD(groups, momentum=stage.momentum, **given)


def _rate(step, steps, stage) -> float:
    """The learning rate at a step, as a share of the first."""
    if not stage.drop_every:
        return max(0.0, 1 - step / (steps * stage.epochs))
    return stage.drop ** (step // (steps * stage.drop_every))
