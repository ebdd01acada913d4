"""What a model looked at, for the explorer's clips: attention over the spectrogram, and how much each word weighs.

An overlay is a function of an utterance's id; it gives a mapping (`map`, `words`, … as `sernb.explorer.clips.clip` takes
them), or None where it knows nothing of that utterance.
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

    networks: {fold: network}, attention pooling, as `sernb.studies.attention_pooling.cross_validate` returns them; predictions:
    theirs, one row an utterance; segments: the test segments; config: how they were made.

    Each utterance goes through its own fold's network. A segment's map is the product of both attentions for the predicted
    class less its mean over classes (only differences between classes decide), (H, W), low frequencies first. Segments
    overlap: the maps are laid on the utterance's frames at their starts, and averaged where several lie. The time in `end`
    may be later than the recording's end, since a short recording was filled with silence.

    Raises SernbError for predictions that do not fit: several rows of an utterance, a fold without network, other classes.
    """
    table = _one_each(predictions, networks, "network", "fold")
    classes = [name.removeprefix("p_") for name in table if name.startswith("p_")]
    for fold in table["fold"].unique():
        shape = networks[fold].shape
        if shape.pooling != "attention":
            raise SernbError(f"the network of {fold} has {shape.pooling} pooling; only attention has maps.")
        if shape.classes != len(classes):
            raise SernbError(
                f"the network of {fold} has {shape.classes} classes, the predictions have {len(classes)} columns p_<class>."
            )
    rows_of = segments.table.groupby("utterance").indices

    def overlay(name: str) -> dict | None:
        if name not in table.index or name not in rows_of:
            return None
        said, rows = table.loc[name, "predicted"], rows_of[name]
        maps = class_maps(networks[table.loc[name, "fold"]], segments.spectrograms[rows], classes.index(said))
        pools = len(networks[table.loc[name, "fold"]].shape.max_pools)
        frames = 2**pools  # of the spectrogram, in one position of the map
        starts = np.rint(segments.table["start"].to_numpy()[rows] / config.shift).astype(int)
        laid = laid_out(np.repeat(maps, frames, axis=2), starts)
        high = maps.shape[1] * 2**pools * config.bin_hz
        return {"map": laid, "what": _what("attention", said, table), "start": 0.0, "end": laid.shape[1] * config.shift,
                "low": 0.0, "high": min(high, config.highest)}  # fmt: skip

    return overlay


def class_maps(network: SpectrogramCNN, spectrograms: torch.Tensor, which: int) -> np.ndarray:
    """Spectrograms `(n, bins, frames)` to the maps of class number `which` less the mean over classes, `(n, H, W)`."""
    device = next(network.parameters()).device
    network.eval()
    with torch.inference_mode():
        products = [network(part.to(device), maps=True).product for part in spectrograms.split(PREDICT_BATCH)]
    product = torch.cat(products).float().cpu()  # (n, classes, H, W)
    return (product[:, which] - product.mean(1)).numpy()


def laid_out(maps: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Maps `(n, H, W)` on one time axis, each from its start (a column number) on; the mean where several lie, `(H, T)`.

    Columns that none covers are 0.
    """
    length = int(starts.max()) + maps.shape[2]
    total, count = np.zeros((maps.shape[1], length)), np.zeros(length)
    for one, start in zip(maps, starts, strict=True):
        total[:, start : start + maps.shape[2]] += one
        count[start : start + maps.shape[2]] += 1
    return total / np.maximum(count, 1)


def words(pipelines: Mapping[str, object], predictions: pd.DataFrame, utterances: pd.DataFrame) -> Overlay:
    """How much each word speaks for the predicted class.

    pipelines: {fold: fitted pipeline of `sernb.evaluation.baselines.pipeline("text", [])`}, or anything that has `classes_` and
    predicts log-probabilities of a table with a column `text`. predictions: theirs, one row an utterance.

    Each word is left out in turn, at that one place, and the rest is read by the model as it is: nothing is trained
    again. The weight is how much the class's logit, less the mean over classes, falls by that; below 0: it rises. Words
    work together (leaving one out makes new neighbours), so weights do not add up to the answer.

    Raises SernbError as `attention` does, and for utterances without words.
    """
    table = _one_each(predictions, pipelines, "fitted pipeline", "fold")
    if "text" not in utterances:
        raise SernbError("these utterances have no column 'text': there are no words to weigh.")
    for fold in table["fold"].unique():
        known = set(map(str, pipelines[fold].classes_))
        if unknown := set(table.loc[table["fold"] == fold, "predicted"].astype(str)) - known:
            raise SernbError(f"the pipeline of {fold} knows no {some(sorted(unknown))}, but {some(known)}.")

    def overlay(name: str) -> dict | None:
        if name not in table.index or name not in utterances.index or pd.isna(utterances.loc[name, "text"]):
            return None
        said = str(table.loc[name, "predicted"])
        spoken = WORD.findall(str(utterances.loc[name, "text"]))
        if not spoken:
            return None
        model = pipelines[table.loc[name, "fold"]]
        scores = margins(model, [spoken, *(spoken[:n] + spoken[n + 1 :] for n in range(len(spoken)))], said)
        return {
            "words": spoken,
            "weights": list(map(float, scores[0] - scores[1:])),
            "words_what": _what("words", said, table),
        }

    return overlay


def margins(model, texts: list[list[str]], said: str) -> np.ndarray:
    """The logit of class `said` less the mean logit over classes, for each text (a list of words), `(n,)`."""
    logs = model.predict_log_proba(pd.DataFrame({"text": [" ".join(one) for one in texts]}))
    logs = np.asarray(logs, float)  # logits less one number a row, which the difference takes out again
    return logs[:, list(map(str, model.classes_)).index(said)] - logs.mean(1)


def joined(*overlays: Overlay | None) -> Overlay:
    """Several overlays as one: a clip gets what each of them gives, of the same key the first one's. None is left out."""
    overlays = tuple(one for one in overlays if one is not None)

    def overlay(name: str) -> dict | None:
        made = {}
        for one in overlays:
            made = {**(one(name) or {}), **made}
        return made or None

    return overlay


def _what(kind, said, table):
    """What a picture is of: "attention, for sad · the voice", with the model's name where it is known."""
    model = f" · {table['model'].iloc[0]}" if "model" in table else ""
    return f"{kind}, for {said}{model}"


def _one_each(predictions, models, what, column):
    """The predictions, once each utterance has one row whose fold has a model."""
    lacking = [one for one in (column, "predicted") if one not in predictions]
    if lacking:
        raise SernbError(
            f"predictions: the column {', '.join(lacking)} is missing, which says whose {what} to ask."
        )
    if predictions.index.has_duplicates:
        twice = predictions.index[predictions.index.duplicated()].unique()
        raise SernbError(
            f"predictions: {len(twice)} utterances have several rows ({some(twice, 3)}); choose one model and seed, as in "
            'predictions[predictions["model"] == NAME].'
        )
    absent = [one for one in predictions[column].unique() if one not in models]
    if absent:
        raise SernbError(f"there is no {what} of {some(absent)}; given are those of {some(models)}.")
    return predictions
