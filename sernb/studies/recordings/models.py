"""A model that a notebook saved, whatever its kind: found by what lies in its folder, and used in one way."""

import io
import json
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from transformers import AutoTokenizer

from sernb.core.errors import SernbError, some
from sernb.core.files import read_about, read_object, reading
from sernb.core.ratings import Targets
from sernb.corpora import INSIDE
from sernb.features.frames import FEATURES, frame_features
from sernb.features.spectrogram import TEST_STEP, SpectrogramConfig, cut, magnitudes, scale
from sernb.features.text import LONGEST as MOST_TOKENS
from sernb.models.attention_pooling import SpectrogramCNN
from sernb.models.audio_text_regressor import AudioTextRegressor
from sernb.studies import audio_text, mced, multimodal, regression
from sernb.studies.checkpoints import load_network
from sernb.studies.student_checkpoints import load_student

FRONT_END = "front_end.json"
LONGEST = 120.0  # seconds that a model hears at once: attention over more would fill the memory
SEGMENTS = 64  # of the spectrogram network, at once
DEPTH = 2  # folders below the one named that are looked into
EXPECTED = "expected what notebook 02, 04, 06 or 07 leaves in the folder of its parameter `save`"


@dataclass(frozen=True, eq=False)
class Predictor:
    """A saved model, ready to hear. `answer(utterances, waveform)` takes one row (with a column `text` where it `reads`)
    and float32 `(samples,)` at 16 kHz; it gives the probabilities of `classes`, or values of `dimensions` on `scale`.

    kind: what it is, in words. longest: seconds that it can hear at once; None: any. notes: what to know about its answers.
    """

    folder: Path
    kind: str
    answer: Callable[[pd.DataFrame, np.ndarray], np.ndarray]
    classes: tuple = ()
    dimensions: tuple = ()
    scale: tuple | None = None
    reads: bool = False
    longest: float | None = LONGEST
    notes: tuple = ()


def load_model(folder: str | Path) -> Predictor:
    """The model in `folder`, or in the one folder below it that holds one.

    Kinds: the spectrogram network of notebook 07, 3M-SER (02), a speech student (04), a regressor of arousal, valence and
    dominance (06). Weights are read from safetensors only, and must be complete. Raises SernbError, naming the folder, for
    anything else, and where several models are there to choose from.
    """
    folder = _one_model(Path(folder))
    settings, about = read_object(folder / "config.json"), read_about(folder)
    if (folder / FRONT_END).is_file():
        load = _spectrogram_network
    elif (folder / "scaling.safetensors").is_file() or {"kernels", "classifier"} <= set(settings):
        load = _student
    elif "streams" in settings:
        load = _three_m_ser
    elif {"dimensions", "join"} <= set(settings):
        load = _regressor
    elif "filters" in settings:
        raise SernbError(
            f"{folder}: there is no {FRONT_END}, which says what the network's classes are and how its spectrograms are made; "
            "save it with notebook 07 (its parameter `save`)."
        )
    else:
        told = settings.get("architectures") or settings.get("model_type") or sorted(settings)
        told = some(told) if isinstance(told, list) else told
        raise SernbError(f"{folder}: this model does not tell emotions from sound ({told}); {EXPECTED}.")
    # huggingface_hub prints where it loads from, which has no place in JSON.
    with reading(str(folder), EXPECTED), redirect_stdout(io.StringIO()):
        return load(folder, about)


def _one_model(folder):
    """`folder`, where a model lies in it, or the one below it that has one."""
    if not folder.is_dir():
        raise SernbError(f"{folder}: no such folder; {EXPECTED}.")
    if (folder / "config.json").is_file():
        if not (folder / "model.safetensors").is_file():
            raise SernbError(f"{folder}: there is no model.safetensors beside config.json; {EXPECTED}.")
        return folder
    levels = ["/".join(["*"] * depth) for depth in range(1, DEPTH + 1)]
    below = sorted(one.parent for level in levels for one in folder.glob(f"{level}/config.json"))
    found = [one for one in below if (one / "model.safetensors").is_file() and _hears(one)] or below
    if not found:
        raise SernbError(f"{folder}: there is no model in this folder nor in those below it; {EXPECTED}.")
    if len(found) > 1:
        shown = "\n".join(f"  {one}" for one in found[:10]) + ("\n  …" if len(found) > 10 else "")
        raise SernbError(
            f"{folder}: there are {len(found)} models below this folder; name one of them:\n{shown}"
        )
    return _one_model(found[0])


def _hears(folder):
    """Not a text teacher, which notebook 04 leaves beside its students."""
    return "model_type" not in read_object(folder / "config.json")


def _notes(about):
    corpus = about.get("corpus")
    if corpus in INSIDE:
        name = "embedded corpus" if corpus == "embedded" else "embedded pairs"
        return (f"This model learnt from synthetic speech (the {name}); on real voices it is a guess.",)
    return (
        (f"This model learnt from the corpus {corpus}; other voices and rooms it never heard.",)
        if corpus
        else ()
    )


def _device():
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def _spectrogram_network(folder, about):
    front_end = read_object(folder / FRONT_END)
    classes, settings = front_end.get("classes"), front_end.get("spectrogram")
    model = SpectrogramCNN.from_pretrained(str(folder), strict=True).to(_device()).eval()
    if not isinstance(classes, list) or len(classes) != model.shape.classes or not isinstance(settings, dict):
        raise SernbError(
            f"{folder / FRONT_END}: expected `classes`, {model.shape.classes} names, and the settings of `spectrogram`; got "
            f"{json.dumps(front_end)[:200]}."
        )
    config = SpectrogramConfig(**settings)
    if config.rate != 16000:
        raise SernbError(f"{folder / FRONT_END}: rate is {config.rate}; recordings are heard at 16000 Hz.")

    @torch.inference_mode()
    def answer(utterances, waveform):
        # As sernb.studies.attention_pooling.predict: a segment every 0.4 s, and the mean of what is said of each. Some at a time.
        samples = round(config.segment * config.rate)
        starts = np.round(cut(waveform, TEST_STEP, config) * config.rate).astype(int)
        total = torch.zeros(len(classes), dtype=torch.float64)
        for part in np.split(starts, range(SEGMENTS, len(starts), SEGMENTS)):
            batch = torch.zeros(len(part), samples)
            for row, first in enumerate(part):
                piece = waveform[first : first + samples]
                batch[row, : len(piece)] = torch.from_numpy(piece.copy())
            picture = scale(magnitudes(batch, config), config).to(_device_of(model))
            total += model(picture).logits.softmax(-1).sum(0, dtype=torch.float64).cpu()
        return (total / len(starts)).numpy()

    kind = f"spectrogram network, {model.shape.pooling} pooling (notebook 07)"
    notes = _notes({**front_end, **about})
    return Predictor(folder, kind, answer, tuple(map(str, classes)), longest=None, notes=notes)


def _three_m_ser(folder, about):
    model, tokenizer = load_network(folder)
    model = model.to(_device()).eval()
    hears, reads = ("audio" in model.shape.streams, "text" in model.shape.streams)
    postprocess = model.postprocess if hears and model.shape.postprocess else None
    longest = min(MOST_TOKENS, model.text.config.max_position_embeddings) if reads else MOST_TOKENS

    def answer(utterances, waveform):
        audio = model.audio if hears else None
        inputs = multimodal.prepare(
            utterances, [waveform], tokenizer, audio, postprocess, longest, progress=False
        )
        logits = torch.from_numpy(multimodal.outputs(model, inputs, progress=False).logits[0])
        return logits.softmax(-1).numpy()

    kind = f"3M-SER on {' and '.join(model.shape.streams)} (notebook 02)"
    return Predictor(folder, kind, answer, model.shape.classes, reads=reads, notes=_notes(about))


def _student(folder, about):
    model, scaling = load_student(folder)
    features = about.get("features", "log-mel")
    if features not in FEATURES:
        raise SernbError(f"{folder}: it hears {features!r}; known are {', '.join(FEATURES)}.")
    if scaling.mean.shape != (model.shape.features,) or scaling.deviation.shape != scaling.mean.shape:
        raise SernbError(
            f"{folder}: scaling.safetensors is of {scaling.mean.shape} features and the student hears {model.shape.features}."
        )
    model = model.to(_device()).eval()

    def answer(utterances, waveform):
        frames = frame_features([waveform], utterances.index, features, progress=False)
        return mced.predict(model, scaling.applied(frames), np.array([0]))[0]

    notes = _notes(about)
    if "features" not in about:
        notes += ("The folder does not say what the student hears; log-mel bands, the usual, were taken.",)
    return Predictor(folder, "speech student (notebook 04)", answer, tuple(model.shape.classes), notes=notes)


def _regressor(folder, about):
    model = AudioTextRegressor.from_pretrained(str(folder), strict=True).to(_device()).eval()
    hears, reads = model.shape.speech is not None, model.shape.text is not None
    standardised, limits = about.get("standardised"), about.get("scale")
    if hears and not isinstance(standardised, bool):
        raise SernbError(
            f"{folder}: about.json does not say whether the speech encoder wants standardised waveforms, and a wrong guess "
            'would change its answers. Save the model anew with notebook 06, or write {"standardised": true} or false '
            "into about.json (do_normalize in the encoder's preprocessor_config.json)."
        )
    if reads and not (folder / "tokenizer").is_dir():
        raise SernbError(f"{folder}: there is no folder tokenizer, and this model reads; {EXPECTED}.")
    tokenizer = AutoTokenizer.from_pretrained(str(folder / "tokenizer")) if reads else None
    low, high = map(float, limits or (0, 1))
    if not low < high:
        raise SernbError(
            f"{folder}: about.json says that the scale is {limits}; expected lowest and highest rating."
        )
    dimensions = model.shape.dimensions

    def answer(utterances, waveform):
        unknown = Targets(np.full((1, len(dimensions)), np.nan, np.float32), dimensions, (low, high))
        speech = model.speech if hears else None
        spoken = audio_text.prepare(
            utterances, unknown, [waveform], speech, standardised, tokenizer, progress=False
        )
        return low + (high - low) * regression.predict(model, spoken, np.array([0]))[0]

    notes = _notes(about)
    if not limits:
        notes += ("The folder does not name the scale: 0 stands for the lowest rating, 1 for the highest.",)
    branches = " and ".join(name for name, there in (("speech", hears), ("text", reads)) if there)
    kind = f"regressor on {branches} (notebook 06)"
    return Predictor(folder, kind, answer, dimensions=dimensions, scale=(low, high), reads=reads, notes=notes)


def _device_of(model):
    return next(model.parameters()).device
