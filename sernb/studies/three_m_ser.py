"""Teachers of 3M-SER, with all of BERT, and students with its first layers, with and without a teacher.

Source: Nguyen, Tran, Dang, "Enhancing Speech Emotion Recognition through Knowledge Distillation", 2024
(III.B, Table II), and its code.
"""

import tempfile
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch.nn import functional as F
from transformers import BertModel

from sernb.core.errors import SernbError, some
from sernb.features.encoders import first_layers
from sernb.losses import UNLABELLED, Distillation, DistillationConfig
from sernb.models.three_m_ser import ThreeMSER, ThreeMSERConfig, assemble
from sernb.models.vggish import PostProcess, VGGish
from sernb.protocols import Fold
from sernb.studies.recipes import THREE_M_SER, TwoStages
from sernb.studies.rows import only_used
from sernb.studies.saved import load
from sernb.studies.three_m_inputs import Inputs, Outputs, fingerprint_of, outputs, predict, text_states
from sernb.studies.training import Goal, fit, recall, run_folds

RECIPES = THREE_M_SER
LAPTOP = RECIPES["laptop"]


@dataclass(frozen=True)
class Way:
    """How a student learns: from labels alone (`distillation=None`), or from a teacher too.

    sentences: also from the utterances without labels that the teacher has read.
    """

    distillation: DistillationConfig | None = None
    sentences: bool = False


ALONE, TAUGHT = Way(), Way(DistillationConfig())
WAYS = {"alone": ALONE, "KD": TAUGHT}


@dataclass(frozen=True)
class Encoders:
    """Pretrained encoders; None leaves a stream out. Every training starts from copies of them."""

    text: BertModel | None
    audio: VGGish | None
    config: ThreeMSERConfig = field(default_factory=ThreeMSERConfig)
    postprocess: PostProcess | None = None

    def network(self, classes: Sequence[str], seed: int, layers: int | None = None) -> ThreeMSER:
        """A `ThreeMSER` on the first `layers` text layers (None: all), its head drawn with `seed`."""
        torch.manual_seed(seed)
        text = self.text
        if text is not None:
            text = first_layers(text, layers or text.config.num_hidden_layers)
        postprocess = None if self.audio is None else self.postprocess
        return assemble(text, self.audio, replace(self.config, classes=tuple(classes)), postprocess)


def train_two_stages(
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

    Transfer: the encoders are frozen, so what they make of the utterances is computed once, and the head
    alone learns. Fine-tuning: the text encoder learns as well; VGGish stays as it is. Each stage hands on the
    weights that do best on the validation rows (UAR), the last epoch's where there are none.

    Args:
        train_rows, validation_rows: Rows of `inputs`. Those without a label learn from the teacher alone, and
            do not lengthen training: an epoch is as many steps as the labelled rows take.
        teacher: What it says of the same inputs; `distillation` says how it joins the labels.
        cache: A folder for the text states of a frozen encoder, which trainings on the same inputs share.
        checkpoints: A folder; a training that was killed goes on from its last epoch there.
        progress: The title of a bar over epochs; None shows none.

    Returns:
        A row an epoch: stage, epoch, loss, learning_rate, validation_loss, validation_UAR.

    Raises:
        SernbError: Without a labelled row, and where teacher and student differ in labels or tokenizer.
    """
    train_rows = np.asarray(train_rows, int)
    labelled = int((inputs.labels[train_rows] != UNLABELLED).sum())
    if not labelled:
        raise SernbError("there is nothing to train on: no training row has a label.")
    if model.shape.classes != inputs.classes:
        raise SernbError(f"the model's labels are {model.shape.classes}, the corpus's {inputs.classes}.")
    if teacher is not None:
        _check_teacher(teacher, inputs)

    curves = []
    for name, stage in (("transfer", recipe.transfer), ("fine-tuning", recipe.fine_tune)):
        if stage is None:
            continue

        # What is frozen is computed once, and a teacher speaks where the stage says so
        reads = "text" in model.shape.streams
        learns = reads and stage.train_text
        states, loss = None, None
        if reads and not learns:
            states = text_states(inputs, model.text, cache, progress is not None)
        speaks = teacher if stage.distil else None
        if speaks is not None:
            loss = _loss(model, teacher, distillation or DistillationConfig())

        # Training: an epoch is as long as the labelled rows take
        train_set = inputs.dataset(train_rows, states, speaks, stage.train_audio)
        tried_set = inputs.dataset(validation_rows, states, None, stage.train_audio).shortest_first()
        with only_used(model.text, inputs.tokens) if learns else nullcontext():
            curve = fit(
                _Learner(model, stage, loss),
                train_set,
                tried_set,
                stage.recipe,
                Goal(measures=recall),
                seed,
                -(-labelled // stage.recipe.batch_size),
                checkpoints=None if checkpoints is None else Path(checkpoints) / name,
                progress=None if progress is None else f"{progress}, {name}",
            )
        curves.append(curve.assign(stage=name))
    return pd.concat(curves, ignore_index=True)


def train_teachers(
    utterances: pd.DataFrame,
    inputs: Inputs,
    folds: Sequence[Fold],
    encoders: Encoders,
    recipe: TwoStages = LAPTOP,
    name: str = "teacher",
    seeds: Sequence[int] = (0,),
    cache: str | Path | None = None,
    progress: bool = True,
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, ThreeMSER]]:
    """One network a fold and seed, from labels.

    Folds run side by side within `with joblib.parallel_config(n_jobs=...)`.

    Args:
        name: What the model is called.
        cache: A folder for the states of the frozen text encoder, memory-mapped; None takes a temporary one.

    Returns:
        (predictions, learning curves, {fold: network of the first seed}). predictions hold the column `part`,
        "validation" or "test"; look at them apart (an utterance can be validated in several folds, but is
        tested once).
    """
    with nullcontext(cache) if cache else tempfile.TemporaryDirectory() as states:

        def train_one(fold, seed, watched):
            model = encoders.network(inputs.classes, seed)
            rows = (inputs.rows(fold.train), inputs.rows(fold.validation))
            title = fold.name if watched else None
            curve = train_two_stages(model, inputs, *rows, recipe, cache=states, seed=seed, progress=title)
            table = _answers(model, utterances, inputs, fold, name, seed)
            return table, curve.assign(model=name, fold=fold.name, seed=seed), model

        predictions, curves, models = run_folds(train_one, folds, seeds, name, progress)
    firsts = models[:: len(seeds)]
    return predictions, curves, {fold.name: model for fold, model in zip(folds, firsts, strict=True)}


def train_students(
    utterances: pd.DataFrame,
    inputs: Inputs,
    folds: Sequence[Fold],
    encoders: Encoders,
    teachers: Mapping[str, Outputs],
    layers: Sequence[int],
    ways: Mapping[str, Way] = WAYS,
    recipe: TwoStages = LAPTOP,
    seeds: Sequence[int] = (0,),
    sentences: np.ndarray = (),
    progress: bool = True,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Students with the first `layers` of the text encoder, in all `ways`: (predictions, learning curves).

    The ways of one fold, seed and number of layers share their transfer stage, where no teacher speaks, so
    they start fine-tuning from the same weights and differ in the loss alone; all take the same number of
    steps. The model's name is "BERT<layers> <way>".

    Args:
        teachers: What each fold's teacher says of `inputs` (`teacher_outputs`), by the fold's name.
        sentences: Rows of `inputs` without a label, for ways that use them.
    """
    before, after = replace(recipe, fine_tune=None), replace(recipe, transfer=None)
    sentences = np.asarray(sentences, int)

    kinds = [(count, fold, teachers[fold.name]) for count in layers for fold in folds]
    with tempfile.TemporaryDirectory() as states:

        def train_one(kind, seed, watched):
            count, fold, teacher = kind
            model = encoders.network(inputs.classes, seed, count)
            rows, tried = inputs.rows(fold.train), inputs.rows(fold.validation)

            # The transfer stage, once
            first = pd.DataFrame()
            if recipe.transfer is not None:
                first = train_two_stages(model, inputs, rows, tried, before, cache=states, seed=seed)
            start = {key: value.clone() for key, value in model.state_dict().items()}

            # Fine-tuning, in each way from the same weights
            tables, curves = [], []
            for way_name, way in ways.items():
                name = f"BERT{count} {way_name}"
                model.load_state_dict(start)
                learned = np.concatenate([rows, sentences]) if way.sentences else rows
                taught_by = (teacher, way.distillation) if way.distillation else ()
                curve = train_two_stages(
                    model, inputs, learned, tried, after, *taught_by, cache=states, seed=seed
                )
                curve = pd.concat([first, curve], ignore_index=True)
                curves.append(curve.assign(model=name, fold=fold.name, seed=seed))
                tables.append(_answers(model, utterances, inputs, fold, name, seed))
            return pd.concat(tables), pd.concat(curves, ignore_index=True), None

        predictions, curves, _ = run_folds(train_one, kinds, seeds, "students", progress)
    return predictions, curves


def saved_teachers(
    folder: str | Path, utterances: pd.DataFrame, inputs: Inputs, folds: Sequence[Fold]
) -> tuple[pd.DataFrame, dict[str, ThreeMSER]]:
    """Teachers that `sernb.studies.saved.save` wrote into `folder`/<name of the fold>: predictions, networks.

    Raises SernbError for one that is missing, has other labels or another tokenizer than `inputs`, or learnt
    from what is tested here.
    """
    tables, models = [], {}
    for fold in folds:
        path = Path(folder) / fold.name
        saved = load(path, "ThreeMSER")
        model, tokenizer = saved.model, saved.tokenizer
        if model.shape.classes != inputs.classes:
            raise SernbError(
                f"{path}: its labels are {', '.join(model.shape.classes)}; here they are "
                f"{', '.join(inputs.classes)}."
            )
        if tokenizer is not None and fingerprint_of(tokenizer) != inputs.vocabulary:
            raise SernbError(f"{path}: it reads with another tokenizer than the students' text encoder.")
        if learnt := set(saved.about.get("learnt_from", ())) & set(fold.test):
            raise SernbError(
                f"{path}: it learnt from {len(learnt)} utterances that are tested here, "
                f"{some(sorted(learnt))}. Train it with the same corpus, protocol and seed."
            )
        models[fold.name] = model
        tables.append(_answers(model, utterances, inputs, fold, "teacher", 0))
    return pd.concat(tables), models


def teacher_outputs(
    models: Mapping[str, ThreeMSER], inputs: Inputs, cache: str | Path | None = None, progress: bool = True
) -> dict[str, Outputs]:
    """What each fold's teacher says of all `inputs`, once; text states memory-mapped in a folder `cache`."""
    return {fold: outputs(model, inputs, cache, progress) for fold, model in models.items()}


class _Learner(torch.nn.Module):
    """The parts that learn, and the loss: optimizer and checkpoints do without what is frozen."""

    pretrained = ("text", "audio")

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


def _loss(model, teacher, config) -> Distillation:
    """The loss, for the widths of the features that it compares."""
    if config.at == "fused":
        return Distillation(config, model.shape.audio.embedding, teacher.fused.shape[1])
    if "text" not in model.shape.streams or teacher.text_states is None:
        return Distillation(config)
    return Distillation(config, model.text.config.hidden_size, teacher.text_states.values.shape[1])


def _check_teacher(teacher: Outputs, inputs: Inputs) -> None:
    """SernbError where a teacher's outputs do not belong to these inputs."""
    if teacher.classes != inputs.classes:
        raise SernbError(
            f"teacher and student have other labels: {', '.join(teacher.classes)} against "
            f"{', '.join(inputs.classes)}. Train the teacher on the same emotions, in the same order."
        )
    if teacher.vocabulary != inputs.vocabulary:
        raise SernbError(
            "teacher and student have other tokenizers, so their text states do not lie side by side: give "
            "the student the teacher's tokenizer."
        )
    if len(teacher.logits) != len(inputs.index):
        raise SernbError(
            f"the teacher speaks of {len(teacher.logits)} utterances and there are {len(inputs.index)}: take "
            "its outputs on these inputs."
        )


def _answers(model, utterances, inputs, fold, name, seed):
    """Predictions of the validation and the test part."""
    tables = [
        predict(model, utterances, inputs, ids, fold.name, name).assign(part=part, seed=seed)
        for part, ids in (("validation", fold.validation), ("test", fold.test))
        if len(ids)
    ]
    return pd.concat(tables)
