"""The teacher of MCED: a BERT (M0) that reads on in the domain (M1, `adapt`) and is then fine-tuned to tell emotions (MT).

Source: Li, Zhao, Jin, "Speech Emotion Recognition via Multi-Level Cross-Modal Distillation", Interspeech 2022, 2.1 and 3.2.
"""

import copy
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from huggingface_hub.errors import HfHubHTTPError
from safetensors import SafetensorError
from sklearn.metrics import accuracy_score, f1_score
from tqdm.auto import tqdm
from transformers import (
    AutoConfig,
    AutoTokenizer,
    BertConfig,
    BertForSequenceClassification,
    BertModel,
    set_seed,
)

from sernb.core.errors import SernbError, some
from sernb.core.files import whole_folder
from sernb.core.tables import check_predictions, predictions_of
from sernb.features.encoders import quietly
from sernb.protocols import Fold
from sernb.studies.text_reading import adapt, vocabulary_fit, warn_of_misfit
from sernb.studies.text_training import (
    EVALUATION_BATCH,
    LAPTOP,
    LAPTOP_READING,
    PAPER,
    PAPER_READING,
    Labelled,
    Recipe,
    tokens_of,
    trained,
)

__all__ = [
    "LAPTOP", "LAPTOP_READING", "PAPER", "PAPER_READING", "Recipe", "adapt", "classes_of_teacher", "fine_tune_text",
    "load_teacher", "save_teacher", "text_logits", "text_predictions", "vocabulary_fit",
]  # fmt: skip


def fine_tune_text(
    encoder: BertModel,
    tokenizer,
    texts: Sequence[str],
    labels: Sequence[str],
    classes: Sequence[str],
    validation_texts: Sequence[str],
    validation_labels: Sequence[str],
    recipe: Recipe = LAPTOP,
    seed: int = 0,
    checkpoints: str | Path | None = None,
    progress: str | None = None,
) -> tuple[BertForSequenceClassification, pd.DataFrame]:
    """MT: `encoder` with a classifier on its pooled token 0, trained on `texts`; the model, and its learning curve.

    classes: the labels in the order of the logits, kept in the model's id2label. The weights of the epoch with the best
    weighted F1 on the validation texts are returned. Curve: epoch, loss, learning_rate, validation_loss, validation_WF1,
    validation_WA. `encoder` itself stays as it is.
    Raises SernbError for a set that is empty or has one class only, and labels that are none of `classes`.
    """
    classes = list(map(str, classes))
    known = {label: number for number, label in enumerate(classes)}
    sets = []
    for what, said, given in (
        ("training", texts, labels),
        ("validation", validation_texts, validation_labels),
    ):
        said, given = list(said), list(map(str, given))
        _check_set(what, said, given, classes)
        warn_of_misfit(tokenizer, said, f"the {what} texts")
        tokens, numbers = tokens_of(said, tokenizer, encoder), np.array([known[one] for one in given])
        rows = np.argsort(tokens.lengths, kind="stable") if sets else np.arange(len(said))  # less padding
        sets.append(Labelled(tokens, numbers, rows))
    set_seed(seed)
    naming = {"id2label": dict(enumerate(classes)), "label2id": known}
    model = BertForSequenceClassification(BertConfig.from_dict({**encoder.config.to_dict(), **naming}))
    model.bert = copy.deepcopy(encoder)
    curve = trained(
        model, sets, recipe, seed, "validation", scores=_scores, checkpoints=checkpoints, progress=progress
    )
    return model.eval(), curve


@torch.inference_mode()
def text_logits(
    model: BertForSequenceClassification, tokenizer, texts: Sequence[str], progress: bool = False
) -> np.ndarray:
    """What a teacher says of each text: float32 `(texts, classes)`, in the order of its id2label. SernbError for no texts."""
    if not len(texts):
        raise SernbError("there is no text to ask the teacher about.")
    tokens = tokens_of(texts, tokenizer, model)
    device, order = next(model.parameters()).device, np.argsort(tokens.lengths, kind="stable")
    found = np.empty((len(tokens), model.config.num_labels), np.float32)
    model.eval()
    parts = np.split(order, range(EVALUATION_BATCH, len(order), EVALUATION_BATCH))
    for rows in tqdm(parts, "teacher's answers", leave=False, unit="batch", disable=not progress):
        ids, mask = (one.to(device) for one in tokens.padded(rows))
        found[rows] = model(ids, attention_mask=mask.long()).logits.float().cpu().numpy()
    return found


def text_predictions(
    model: BertForSequenceClassification, tokenizer, utterances: pd.DataFrame, fold: Fold, name: str
) -> pd.DataFrame:
    """The predictions table of the fold's test utterances; `name` is what the model is called.

    Raises SernbError where the utterances lack text or emotion, and for emotions that the teacher does not know.
    """
    if missing := {"text", "emotion"} - set(utterances.columns):
        raise SernbError(
            f"a teacher is tried on texts with emotions; there is no column {', '.join(missing)}."
        )
    truth = utterances.loc[fold.test, "emotion"]
    strange = truth.index[~truth.isin(classes_of_teacher(model))]
    if len(strange):
        raise SernbError(
            f"{len(strange)} utterances have an emotion that the teacher does not know ({some(strange)}); "
            f"it knows {', '.join(classes_of_teacher(model))}."
        )
    logits = text_logits(model, tokenizer, utterances.loc[fold.test, "text"])
    probabilities = torch.from_numpy(logits).double().softmax(-1).numpy()
    table = pd.DataFrame(probabilities, fold.test, classes_of_teacher(model))
    return check_predictions(predictions_of(table, utterances, fold.name, name))


def classes_of_teacher(model: BertForSequenceClassification) -> list[str]:
    """The label words in the order of the logits."""
    return [model.config.id2label[number] for number in range(model.config.num_labels)]


def save_teacher(model: BertForSequenceClassification, tokenizer, folder: str | Path) -> Path:
    """Write config.json, model.safetensors and the tokenizer into `folder`, a new one, whole or not at all."""
    with whole_folder(folder, new=True) as beside, quietly():
        model.save_pretrained(beside)
        tokenizer.save_pretrained(beside)
    return Path(folder)


def load_teacher(folder: str | Path) -> tuple[BertForSequenceClassification, object]:
    """A teacher with its tokenizer: what `save_teacher` wrote, or any folder or hub name with a BERT that classifies.

    Weights are read from safetensors only. Raises SernbError for anything else, incomplete weights, and nameless classes.
    """
    expected = (
        "expected config.json, model.safetensors and a tokenizer of a BERT that classifies (save_teacher)"
    )
    try:
        with quietly():
            kind = AutoConfig.from_pretrained(str(folder)).model_type
            if kind != "bert":
                raise SernbError(f"{folder}: this is a {kind!r}; {expected}.")
            model, report = BertForSequenceClassification.from_pretrained(
                str(folder), dtype=torch.float32, use_safetensors=True, output_loading_info=True
            )
        tokenizer = AutoTokenizer.from_pretrained(str(folder))
    except SernbError:
        raise
    except (OSError, ValueError, RuntimeError, SafetensorError, HfHubHTTPError) as problem:
        first = str(problem).strip().splitlines()[0]
        raise SernbError(f"{folder}: cannot be read ({first}); {expected}.") from problem
    if report["missing_keys"]:
        lacking = (
            f"{len(report['missing_keys'])} weights are missing, {some(sorted(report['missing_keys']), 2)}"
        )
        raise SernbError(f"{folder}: this is no teacher ({lacking}); {expected}.")
    if any(name.startswith("LABEL_") for name in classes_of_teacher(model)):
        raise SernbError(
            f"{folder}: its classes have no names; put label words into id2label in its config.json."
        )
    return model.eval(), tokenizer


def _scores(found):
    said, truth = found.predictions.argmax(-1), found.label_ids
    weighted = f1_score(truth, said, labels=np.unique(truth), average="weighted", zero_division=0)
    return {"WF1": weighted, "WA": accuracy_score(truth, said)}


def _check_set(what: str, texts: list, labels: list[str], classes: list[str]) -> None:
    if not texts or len(texts) != len(labels):
        raise SernbError(
            f"the {what} set has {len(texts)} texts and {len(labels)} labels; expected as many of both, and some."
        )
    if strange := sorted(set(labels) - set(classes)):
        raise SernbError(f"the {what} set has labels {some(strange)}; the classes are {', '.join(classes)}.")
    if len(set(labels)) < 2:
        raise SernbError(f"the {what} set has one class only, {labels[0]!r}; there is nothing to tell apart.")
