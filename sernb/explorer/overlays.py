"""What a model looked at, for the explorer's clips: attention over the spectrogram, and how much each word
weighs.

An overlay is a function of an utterance's id; it gives a mapping (`map`, `words`, … as
`sernb.explorer.clips.clip` takes them), or None where it knows nothing of that utterance.
"""

import re
from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
import torch

from sernb.core.errors import SernbError, some
from sernb.features.spectrogram import Segments, SpectrogramConfig
from sernb.models.attention_pooling import SpectrogramCNN
from sernb.studies.attention_pooling import PREDICT_BATCH

WORD = re.compile(r"\S+")
Overlay = Callable[[str], dict | None]


def attention(
    networks: Mapping[str, SpectrogramCNN],
    predictions: pd.DataFrame,
    segments: Segments,
    config: SpectrogramConfig,
) -> Overlay:
    """Where in the spectrogram the predicted class's score comes from, over the whole utterance.

    Each utterance goes through its own fold's network. A segment's map is the product of both attentions for
    the predicted class less its mean over classes (only differences between classes decide), (H, W), low
    frequencies first. Segments overlap: the maps are laid on the utterance's frames at their starts, and
    averaged where several lie. The time in `end` may be later than the recording's end, since a short
    recording was filled with silence.

    Args:
        networks: {fold: network}, attention pooling, of `sernb.studies.attention_pooling.cross_validate`.
        predictions: theirs, one row an utterance.
        segments: the test segments.
        config: how they were made.

    Raises:
        SernbError: several rows of an utterance, a fold without network, other classes.
    """
    table = _one_each(predictions, networks, "network")
    classes = [name.removeprefix("p_") for name in table if name.startswith("p_")]
    for fold in table["fold"].unique():
        shape = networks[fold].shape
        if shape.pooling != "attention" or shape.classes != len(classes):
            raise SernbError(
                f"the network of {fold} has {shape.pooling} pooling and {shape.classes} classes; expected "
                f"attention pooling, and the {len(classes)} classes of the columns p_<class>."
            )
    rows_of = segments.table.groupby("utterance").indices

    def overlay(name: str) -> dict | None:
        if name not in table.index or name not in rows_of:
            return None
        label, rows = table.loc[name, "predicted"], rows_of[name]
        network = networks[table.loc[name, "fold"]]
        maps = class_maps(network, segments.spectrograms[rows], classes.index(label))
        scale = 2 ** len(network.shape.max_pools)  # frames, and bins, in one position of the map
        starts = np.rint(segments.table["start"].to_numpy()[rows] / config.shift).astype(int)
        laid = laid_out(np.repeat(maps, scale, axis=2), starts)
        high = min(maps.shape[1] * scale * config.bin_hz, config.highest)
        where = {"start": 0.0, "end": laid.shape[1] * config.shift, "low": 0.0, "high": high}
        return {"map": laid, "what": _what("attention", label, table), **where}

    return overlay


def class_maps(network: SpectrogramCNN, spectrograms: torch.Tensor, which: int) -> np.ndarray:
    """Spectrograms `(n, bins, frames)` to the maps `(n, H, W)` of a class less the mean over classes."""
    device = next(network.parameters()).device
    network.eval()
    with torch.inference_mode():
        products = [network(part.to(device), maps=True).product for part in spectrograms.split(PREDICT_BATCH)]
    product = torch.cat(products).float().cpu()  # (n, classes, H, W)
    return (product[:, which] - product.mean(1)).numpy()


def laid_out(maps: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Maps `(n, H, W)` on one time axis, each from its start (a column number) on: `(H, T)`, 0 where none
    lies.

    Where several lie it is their mean.
    """
    total = np.zeros((maps.shape[1], int(starts.max()) + maps.shape[2]))
    count = np.zeros(total.shape[1])
    for segment, start in zip(maps, starts, strict=True):
        total[:, start : start + maps.shape[2]] += segment
        count[start : start + maps.shape[2]] += 1
    return total / np.maximum(count, 1)


def words(pipelines: Mapping[str, object], predictions: pd.DataFrame, utterances: pd.DataFrame) -> Overlay:
    """How much each word speaks for the predicted class.

    Each word is left out in turn, at that one place, and the rest is read by the model as it is: nothing is
    trained again. The weight is how much the class's logit, less the mean over classes, falls by that; below
    0: it rises. Words work together (leaving one out makes new neighbours), so weights do not add up to the
    answer.

    Args:
        pipelines: {fold: fitted pipeline of `sernb.evaluation.baselines.pipeline("text", [])`}, or anything
            that has `classes_` and predicts log-probabilities of a table with a column `text`.
        predictions: theirs, one row an utterance.
        utterances: their words.

    Raises:
        SernbError: as `attention`, and for utterances without words.
    """
    table = _one_each(predictions, pipelines, "fitted pipeline")
    if "text" not in utterances:
        raise SernbError("these utterances have no column 'text': there are no words to weigh.")
    for fold, labels in table["predicted"].astype(str).groupby(table["fold"].to_numpy()):
        known = set(map(str, pipelines[fold].classes_))
        if unknown := set(labels) - known:
            raise SernbError(f"the pipeline of {fold} knows no {some(sorted(unknown))}, but {some(known)}.")

    def overlay(name: str) -> dict | None:
        if name not in table.index or name not in utterances.index or pd.isna(utterances.loc[name, "text"]):
            return None
        label, spoken = str(table.loc[name, "predicted"]), WORD.findall(str(utterances.loc[name, "text"]))
        if not spoken:
            return None
        without = [spoken[:n] + spoken[n + 1 :] for n in range(len(spoken))]
        whole, *others = _margins(pipelines[table.loc[name, "fold"]], [spoken, *without], label).tolist()
        weights = [whole - other for other in others]
        return {"words": spoken, "weights": weights, "words_what": _what("words", label, table)}

    return overlay


def joined(*overlays: Overlay | None) -> Overlay:
    """Several overlays as one; of the same key, a clip gets what the first one gives. None is left out."""

    def overlay(name: str) -> dict | None:
        made = {}
        for one in overlays:
            made = {**((one and one(name)) or {}), **made}
        return made or None

    return overlay


def _margins(model, texts, label):
    """The logit of a class less the mean logit over classes, for each text (a list of words), `(n,)`."""
    logs = model.predict_log_proba(pd.DataFrame({"text": [" ".join(text) for text in texts]}))
    logs = np.asarray(logs, float)  # logits less one number a row, which the difference takes out again
    return logs[:, list(map(str, model.classes_)).index(label)] - logs.mean(1)


def _what(kind, label, table):
    """What a picture is of: "attention, for sad · the voice", with the model's name where it is known."""
    model = f" · {table['model'].iloc[0]}" if "model" in table else ""
    return f"{kind}, for {label}{model}"


def _one_each(predictions, models, what):
    """The predictions, once each utterance has one row whose fold has a model."""
    lacking = [column for column in ("fold", "predicted") if column not in predictions]
    if lacking:
        raise SernbError(f"predictions: no column {some(lacking)}, which says whose {what} to ask.")
    if predictions.index.has_duplicates:
        twice = predictions.index[predictions.index.duplicated()].unique()
        raise SernbError(
            f"predictions: {len(twice)} utterances have several rows ({some(twice, 3)}); choose one model "
            "and seed, as "
            'in predictions[predictions["model"] == NAME].'
        )
    absent = [fold for fold in predictions["fold"].unique() if fold not in models]
    if absent:
        raise SernbError(f"there is no {what} of {some(absent)}; given are those of {some(models)}.")
    return predictions
