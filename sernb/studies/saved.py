"""Trained networks on disk: `save` writes any of the kit's, `load(folder).answer(waveform)` lets it hear."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sernb.core.errors import SernbError
from sernb.core.files import read_object, reading, whole_folder

# Torch and each network are imported when one is read, so that a wrong folder is told at once.
RATE = 16000  # Hz
LONGEST = 120.0  # seconds that a model hears at once: attention over more would fill the memory
SEGMENTS = 64  # of the spectrogram network, at once
EXPECTED = "expected what notebook 02, 04, 06 or 07 leaves in the folder of its parameter `save`"
SYNTHETIC = {"embedded": "embedded corpus", "embedded_pairs": "embedded pairs"}


def save(model, folder: str | Path, about: Mapping | None = None, tokenizer=None, scaling=None) -> Path:
    """Write a network and what is needed to use it again into `folder`, whole or not at all.

    Args:
        model: A SpectrogramCNN, ThreeMSER, SpeechStudent or AudioTextRegressor.
        folder: A new one, or one that `save` wrote before.
        about: More for about.json. Of all: `corpus`; of a SpectrogramCNN: `classes`, and the settings of its
            `spectrogram`; of a regressor: `scale` (lowest and highest rating), and whether its encoder wants
            `standardised` waveforms; of a student: `features`, if not log-mel bands; of a teacher:
            `learnt_from` (ids of what it was trained and validated on).
        tokenizer, scaling: Of a model that reads; of what a SpeechStudent hears.

    Raises:
        SernbError: For another network, and for a folder that holds other files too.
    """
    kind = type(model).__name__
    if kind not in KINDS:
        raise SernbError(f"a {kind} is not among the networks that are saved here: {', '.join(KINDS)}.")
    with whole_folder(folder) as unfinished:
        model.save_pretrained(unfinished)
        if tokenizer is not None and hasattr(model, "text"):
            tokenizer.save_pretrained(unfinished / "tokenizer")
        if scaling is not None:
            scaling.save(unfinished)
        (unfinished / "about.json").write_text(json.dumps({**(about or {}), "kind": kind}, indent=1), "utf-8")
    return Path(folder)


@dataclass(frozen=True, eq=False)
class Saved:
    """A network that `save` wrote, ready to hear: on the CPU, in evaluation mode.

    Args:
        batches: From `(waveform, text, name)` to what the network's forward takes, some rows at a time.
        classes, dimensions, scale: Whose probabilities it answers, or else whose values on which scale.
        longest: Seconds that it can hear at once; None: any.
        notes: Sentences to print with its answers.
    """

    folder: Path
    title: str
    model: Any  # a torch.nn.Module
    about: dict
    batches: Callable[[np.ndarray, str | None, str], Iterator[dict]]
    classes: tuple = ()
    dimensions: tuple = ()
    scale: tuple | None = None
    tokenizer: Any = None
    scaling: Any = None
    longest: float | None = LONGEST
    notes: tuple = ()

    @property
    def reads(self) -> bool:
        return self.tokenizer is not None

    def answer(self, waveform: np.ndarray, text: str | None = None, name: str = "recording") -> np.ndarray:
        """Probabilities of `classes`, or values of `dimensions` on `scale`, float64, about one utterance.

        waveform: floats `(samples,)` at 16 kHz, full scale 1. Raises SernbError for another shape, NaN, too
        little or too much sound, and where a model that reads is given no words (`text`).
        """
        import torch

        waveform = self.checked(waveform, name)
        if self.reads and text is None:
            raise SernbError(f"{name}: this model reads ({self.title}); give it the words (text=…).")
        device, rows = next(self.model.parameters()).device, []
        with torch.inference_mode():
            for batch in self.batches(waveform, text, name):
                output = self.model(**{key: tensor.to(device) for key, tensor in batch.items()})
                rows.append(output.logits.float().softmax(-1) if self.classes else output.predicted.float())
        values = torch.cat(rows).double().mean(0).cpu().numpy()  # of segments, where there are several
        if not np.isfinite(values).all():
            raise SernbError(f"{name}: the model's answer is no number; its weights may be damaged.")
        low, high = self.scale or (0, 1)
        return low + (high - low) * values

    def checked(self, waveform: np.ndarray, name: str) -> np.ndarray:
        """The waveform as float32; SernbError for another shape, NaN, and too little or too much of it."""
        from sernb.features.audio import waveform_of

        waveform = waveform_of(waveform, name, 1, "a model")
        if self.longest is not None and len(waveform) > RATE * self.longest:
            lasts = f"it lasts {len(waveform) / RATE:.0f} s, the model hears {self.longest:.0f} s at most"
            cut = "cut it into utterances (columns start and end of an utterances table)"
            raise SernbError(f"{name}: {lasts}; {cut}.")
        return waveform


def load(folder: str | Path, kind: str | None = None) -> Saved:
    """What `save` wrote into `folder`, or into the one folder below it that holds a model.

    kind: the only one that will do, such as "ThreeMSER"; None: any of `KINDS`. Weights are read from
    safetensors only. Raises SernbError for anything else, and where there are several models to choose from.
    """
    with reading(folder, EXPECTED):
        folder = _one_model(Path(folder))
        settings, about = read_object(folder / "config.json"), {}
        for file in ("front_end.json", "about.json"):  # the first one, of old folders of notebook 07
            if (folder / file).is_file():
                about |= read_object(folder / file)
        if (folder / "learnt_from.json").is_file():  # of old folders of notebook 02
            about["learnt_from"] = json.loads((folder / "learnt_from.json").read_text("utf-8"))
        if "kind" not in about:  # old folders are known by their settings
            own = [network for network, (setting, _) in KINDS.items() if setting in settings]
            others = settings.get("architectures") or [settings.get("model_type", "network of another kind")]
            about["kind"] = [*own, *others][0]
        if about["kind"] not in ([kind] if kind else list(KINDS)):
            raise ValueError(f"this is a {about['kind']}, not a {kind or ' or '.join(KINDS)}")
        parts = KINDS[about["kind"]][1](folder, settings, about)
    notes = (*_origin(about.get("corpus")), *parts.pop("notes", ()))
    return Saved(folder=folder, about=about, notes=notes, **parts)


def _one_model(folder):
    if not folder.is_dir():
        raise ValueError("no such folder")
    if (folder / "config.json").is_file():
        if not (folder / "model.safetensors").is_file():
            raise ValueError("there is no model.safetensors beside config.json")
        return folder
    below = sorted(file.parent for level in ("*", "*/*") for file in folder.glob(f"{level}/config.json"))
    whole = [path for path in below if (path / "model.safetensors").is_file()]
    # Not a text teacher, which notebook 04 leaves beside its students.
    models = [path for path in whole if "model_type" not in read_object(path / "config.json")] or below
    if not models:
        raise ValueError("there is no model in this folder nor in those below it")
    if len(models) > 1:
        names = "\n".join(f"  {path}" for path in models[:10]) + ("\n  …" if len(models) > 10 else "")
        raise SernbError(f"{folder}: {len(models)} models lie below this folder; name one of them:\n{names}")
    return _one_model(models[0])


def _spectrogram_network(folder, settings, about):
    import torch

    from sernb.features.spectrogram import TEST_STEP, SpectrogramConfig, magnitudes, scale
    from sernb.models.attention_pooling import CNNConfig, SpectrogramCNN

    model = _weights(folder, SpectrogramCNN(CNNConfig(**settings)))
    classes, front_end = about.get("classes"), about.get("spectrogram")
    if not isinstance(classes, list) or len(classes) != model.shape.classes or not front_end:
        wanted = f"what its `classes` are, {model.shape.classes} names, and the settings of `spectrogram`"
        raise ValueError(f"about.json must say {wanted}; got {json.dumps(about)[:200]}")
    config = SpectrogramConfig(**front_end)
    if config.rate != RATE:
        raise ValueError(f"its rate is {config.rate}; recordings are heard at {RATE} Hz")
    samples, step = round(config.segment * RATE), round(TEST_STEP * RATE)

    def batches(waveform, text, name):
        whole = torch.nn.functional.pad(torch.from_numpy(waveform), (0, max(0, samples - len(waveform))))
        for segments in whole.unfold(0, samples, step).split(SEGMENTS):
            yield {"spectrogram": scale(magnitudes(segments, config), config)}

    title = f"spectrogram network, {model.shape.pooling} pooling (notebook 07)"
    return {"title": title, "model": model, "batches": batches, "classes": tuple(classes), "longest": None}


def _three_m_ser(folder, settings, about):
    from sernb.core.ragged import Ragged
    from sernb.models.three_m_ser import ThreeMSER, ThreeMSERConfig
    from sernb.models.vggish import examples_of

    model = _weights(folder, ThreeMSER(ThreeMSERConfig(**settings)))
    streams = model.shape.streams
    tokenizer = _tokenizer(folder) if "text" in streams else None

    def batches(waveform, text, name):
        batch = _words(text, name, tokenizer, model.text.config.max_position_embeddings) if tokenizer else {}
        if "audio" in streams:
            batch |= _batch(("examples", "audio_mask"), Ragged.of([examples_of(waveform)]))
        yield batch

    title, classes = f"3M-SER on {' and '.join(streams)} (notebook 02)", model.shape.classes
    return {"title": title, "model": model, "batches": batches, "classes": classes, "tokenizer": tokenizer}


def _speech_student(folder, settings, about):
    from sernb.features.frames import FEATURES, Scaling, frame_features
    from sernb.models.speech_student import SpeechStudent, StudentConfig

    scaling = Scaling.read(folder)
    model = _weights(folder, SpeechStudent(StudentConfig(**settings)))
    features = about.get("features", "log-mel")
    if features not in FEATURES:
        raise ValueError(f"it hears {features!r}; known are {', '.join(FEATURES)}")
    if not (shape := scaling.mean.shape) == scaling.deviation.shape == (model.shape.features,):
        raise ValueError(f"its scaling is of {shape} features, and the student hears {model.shape.features}")

    def batches(waveform, text, name):
        frames = frame_features([waveform], [name], features, progress=False)
        yield _batch(("features", "mask"), scaling.applied(frames))

    unsaid = "The folder does not say what the student hears; log-mel bands, the usual, were taken."
    return {
        "title": "speech student (notebook 04)", "model": model, "batches": batches, "scaling": scaling,
        "classes": model.shape.classes, "notes": () if "features" in about else (unsaid,),
    }  # fmt: skip


def _regressor(folder, settings, about):
    from sernb.features.speech import frames
    from sernb.models.audio_text_regressor import AudioTextRegressor, RegressorConfig

    model = _weights(folder, AudioTextRegressor(RegressorConfig(**settings)))
    branches = [name for name in ("speech", "text") if hasattr(model, name)]
    standardised, limits = about.get("standardised"), about.get("scale")
    if "speech" in branches and not isinstance(standardised, bool):
        unknown = "about.json does not say whether the speech encoder wants standardised waveforms"
        advice = 'write {"standardised": true} or false into it (do_normalize in preprocessor_config.json)'
        raise ValueError(f"{unknown}: save the model anew with notebook 06, or {advice}")
    low, high = map(float, limits or (0, 1))
    if not low < high:
        raise ValueError(f"about.json says that the scale is {limits}, not the lowest and highest rating")
    tokenizer = _tokenizer(folder) if "text" in branches else None

    def batches(waveform, text, name):
        batch = _words(text, name, tokenizer, tokenizer.model_max_length) if tokenizer else {}
        if "speech" in branches:
            heard = frames([waveform], [name], model.speech, standardised, progress=False)
            batch |= _batch(("frames", "frame_mask"), heard)
        yield batch

    unsaid = "The folder does not name the scale: 0 stands for the lowest rating, 1 for the highest."
    return {
        "title": f"regressor on {' and '.join(branches)} (notebook 06)", "model": model, "batches": batches,
        "dimensions": model.shape.dimensions, "scale": (low, high), "tokenizer": tokenizer,
        "notes": () if limits else (unsaid,),
    }  # fmt: skip


# By the network's class: a setting that only it has, which tells a folder without `kind`, and what reads it.
KINDS = {
    "SpectrogramCNN": ("filters", _spectrogram_network),
    "ThreeMSER": ("streams", _three_m_ser),
    "SpeechStudent": ("kernels", _speech_student),
    "AudioTextRegressor": ("join", _regressor),
}


def _weights(folder, model):
    from safetensors.torch import load_model

    load_model(model, folder / "model.safetensors")
    return model.eval()


def _tokenizer(folder):
    from transformers import AutoTokenizer

    if not (folder / "tokenizer").is_dir():
        raise ValueError("there is no folder tokenizer, and this model reads")
    return AutoTokenizer.from_pretrained(str(folder / "tokenizer"))


def _words(text, name, tokenizer, longest):
    from sernb.core.ragged import Ragged
    from sernb.features import text as words

    ids = words.token_ids(pd.Series([text], [name]), tokenizer, min(words.LONGEST, longest))
    return _batch(("input_ids", "text_mask"), Ragged.of(ids, np.int64))


def _batch(names, rows):
    return dict(zip(names, rows.padded([0]), strict=True))


def _origin(corpus):
    origin = f"the corpus {corpus}; other voices and rooms it never heard."
    if corpus in SYNTHETIC:
        origin = f"synthetic speech (the {SYNTHETIC[corpus]}); on real voices it is a guess."
    return [f"This model learnt from {origin}"] if corpus else []
