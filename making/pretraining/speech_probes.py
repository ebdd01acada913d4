"""python -m making.pretraining.speech_probes FOLDER: what each layer of a speech encoder knows, untrained
ones beside it.

Linear probes of the frozen states: the phone of each frame and the pitch of each utterance, of speakers that
the probe has not heard; and whose voice it is, in other utterances of known speakers.
"""

import argparse
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from safetensors import SafetensorError
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch.nn import functional as F
from transformers import AutoConfig, HubertConfig, HubertModel

from making.pretraining.clusters import by_length, log_mel, mfcc
from making.pretraining.spoken import Speech, speech
from sernb.core.errors import SernbError
from sernb.evaluation.intervals import interval, resample
from sernb.features.acoustics import acoustic_table

UTTERANCES, SPEAKERS, SEED = 720, 60, 22
RANDOM = (0, 1, 2)  # seeds of the untrained networks
FRAMES = 20  # of an utterance, for the phones
DRAWS = 2000
PENALTIES = np.logspace(-1, 5, 13)


def states(model: HubertModel) -> Callable[[torch.Tensor], torch.Tensor]:
    """A function that gives all hidden states, (batch, samples) to (batch, frames, layers + 1, width); the
    first are the convolutions' output with its positions."""

    def features(sound):
        sound = F.layer_norm(sound, sound.shape[-1:])
        return torch.stack(model(sound, output_hidden_states=True).hidden_states, 2)

    return features


def cepstra(sound: torch.Tensor) -> torch.Tensor:
    """MFCCs with their slopes, as the first clusters are of: (batch, frames, 1, 39)."""
    return mfcc(sound)[:, :, None]


def mel_frames(sound: torch.Tensor) -> torch.Tensor:
    """Log-mel frames: (batch, frames, 1, 40)."""
    return log_mel(sound)[:, :, None]


def untrained(config: HubertConfig, seeds=RANDOM) -> list[HubertModel]:
    """The same network with random weights, once a seed."""
    made = []
    for seed in seeds:
        torch.manual_seed(seed)
        made.append(HubertModel(config).eval())
    return made


def heard(spoken: Speech, features: Callable, frames: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """States of so many frames of every utterance, (layers, utterances, frames, width), and its mean and
    standard deviation, (layers, utterances, 2 * width). The same frames for all encoders."""
    some, pooled = {}, {}
    places = sampled(spoken, frames, seed)
    for rows, found in by_length(spoken, features, np.arange(len(spoken.table)), "listening"):
        for row, one in zip(rows, found.swapaxes(1, 2), strict=True):
            some[row] = one[:, places[row]]
            pooled[row] = np.concatenate([one.mean(1), one.std(1)], -1)
    order = range(len(spoken.table))
    return np.stack([some[row] for row in order], 1), np.stack([pooled[row] for row in order], 1)


def sampled(spoken: Speech, frames: int, seed: int) -> list[np.ndarray]:
    """Which frames of each utterance, with repetition where it has too few."""
    rng = np.random.default_rng(seed)
    return [np.sort(rng.choice(length, frames, replace=length < frames)) for length in spoken.phones.lengths]


def parts(spoken: Speech) -> tuple[np.ndarray, np.ndarray]:
    """Whether an utterance's speaker is unseen (every third session), and whether it is among the last third
    of what its speaker says; bool (utterances,) each."""
    session = pd.factorize(spoken.table["session"], sort=True)[0]
    speaker = spoken.table.groupby("speaker")["samples"]
    return session % 3 == 2, (speaker.cumcount() >= speaker.transform("size") * 2 / 3).to_numpy()


def probe(
    spoken: Speech, features: Callable, pitch: np.ndarray, frames: int = FRAMES
) -> dict[tuple[str, int], np.ndarray]:
    """Sums that the scores of each task and layer come from, a row a unit to draw in the bootstrap.

    phone: right and all frames of each unseen speaker; speaker: right and all (one) of each utterance; pitch:
    count, target, its square and the squared error, summed over each unseen speaker. pitch: semitones, NaN
    where none is heard.
    """
    each, pooled = heard(spoken, features, frames)
    unseen, late = parts(spoken)
    phones = np.stack([spoken.phones[row][places] for row, places in enumerate(sampled(spoken, frames, 0))])
    speaker = pd.factorize(spoken.table["speaker"])[0]
    voiced = np.isfinite(pitch)
    sums = {}
    for layer in range(len(each)):
        frame = each[layer].astype(np.float32)
        width = frame.shape[-1]
        model = classifier(frame[~unseen].reshape(-1, width), phones[~unseen].ravel())
        right = model.predict(frame[unseen].reshape(-1, width)).reshape(-1, frames) == phones[unseen]
        units = np.stack([right.sum(1), np.full(len(right), frames)], 1)
        sums["phone", layer] = summed(units, speaker[unseen])
        model = classifier(pooled[layer][~late], speaker[~late])
        right = model.predict(pooled[layer][late]) == speaker[late]
        sums["speaker", layer] = np.stack([right, np.ones(len(right))], 1)
        learnt, asked = ~unseen & voiced, unseen & voiced
        model = make_pipeline(StandardScaler(), RidgeCV(PENALTIES)).fit(pooled[layer][learnt], pitch[learnt])
        target, error = pitch[asked], pitch[asked] - model.predict(pooled[layer][asked])
        units = np.stack([np.ones(len(target)), target, target**2, error**2], 1)
        sums["pitch", layer] = summed(units, speaker[asked])
    return sums


def classifier(features: np.ndarray, labels: np.ndarray):
    """A fitted logistic regression; the same number of steps for all that is compared, converged or not."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=60, tol=1e-3))
        return model.fit(features, labels)


def summed(rows: np.ndarray, owners: np.ndarray) -> np.ndarray:
    """The rows of each owner, summed."""
    return pd.DataFrame(rows).groupby(owners).sum().to_numpy()


def score(task: str, sums: np.ndarray) -> np.ndarray:
    """(..., sums) as `probe` gives them, summed over units, to accuracy or R²; no pitch that varies gives
    NaN."""
    if task != "pitch":
        return sums[..., 0] / sums[..., 1]
    number, target, squares, errors = np.moveaxis(sums, -1, 0)
    spread = squares - target**2 / number
    return 1 - errors / np.where(spread > 1e-9, spread, np.nan)


def compare(trained: dict, random: list[dict], seed: int = 0) -> pd.DataFrame:
    """A row a task and layer: score of the trained encoder and mean score of the untrained ones, each with
    its 95 % interval, and their difference with its own, from the same draws of speakers (of utterances, for
    the speaker task)."""
    rows = []
    for task, layer in trained:
        runs = np.stack([one[task, layer] for one in (trained, *random)], 1)  # (units, runs, sums)
        scores, drawn = score(task, runs.sum(0)), score(task, resample(runs, DRAWS, seed))
        row = {"task": task, "layer": layer}
        for name, value, many in (
            ("trained", scores[0], drawn[:, 0]),
            ("random", scores[1:].mean(), drawn[:, 1:].mean(1)),
            ("gain", scores[0] - scores[1:].mean(), drawn[:, 0] - drawn[:, 1:].mean(1)),
        ):
            low, high = interval(many, 0.95, len(runs))
            row |= {name: value, f"{name}_low": low, f"{name}_high": high}
        rows.append(row)
    return pd.DataFrame(rows)


def alone(sums: dict, seed: int = 0) -> pd.DataFrame:
    """A row a task: score of features that have no untrained counterpart, with its 95 % interval."""
    rows = []
    for (task, _), units in sums.items():
        low, high = interval(score(task, resample(units, DRAWS, seed)), 0.95, len(units))
        rows.append({"task": task, "value": score(task, units.sum(0)), "low": low, "high": high})
    return pd.DataFrame(rows)


def heard_pitch(spoken: Speech) -> np.ndarray:
    """Median pitch of each utterance, semitones above 55 Hz, as `sernb.features.acoustics` hears it; NaN
    where nothing is voiced."""
    sounds = [spoken.waveform(row) for row in range(len(spoken.table))]
    pitch = acoustic_table(spoken.table, waveforms=sounds)["pitch_p50"].to_numpy()
    return np.where(pitch == 0, np.nan, pitch)


def probes(
    model: HubertModel, spoken: Speech, seeds: tuple[int, ...] = RANDOM, frames: int = FRAMES
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What `compare` gives for an encoder and its untrained likes, and what `alone` gives for plain
    features."""
    pitch = heard_pitch(spoken)
    trained = probe(spoken, states(model), pitch, frames)
    random = [probe(spoken, states(one), pitch, frames) for one in untrained(model.config, seeds)]
    plain = {"MFCC": cepstra, "log-mel": mel_frames}
    tables = [alone(probe(spoken, one, pitch, frames)).assign(features=name) for name, one in plain.items()]
    return compare(trained, random), pd.concat(tables, ignore_index=True)


def read_encoder(folder: str | Path) -> HubertModel:
    """A HuBERT from a folder, in float32. Raises SernbError where there is none, whole."""
    folder = Path(folder)
    expected = f"{folder}: expected config.json and model.safetensors of a HuBERT, as mini_hubert writes them"
    if not (folder / "config.json").is_file():
        raise SernbError(f"{expected}; there is no config.json.")
    try:
        kind = AutoConfig.from_pretrained(folder).model_type
        if kind != "hubert":
            raise SernbError(f"{expected}; this is a {kind!r}.")
        model, report = HubertModel.from_pretrained(
            folder, dtype=torch.float32, use_safetensors=True, output_loading_info=True
        )
    except (OSError, ValueError, SafetensorError) as problem:
        if isinstance(problem, SernbError):
            raise
        raise SernbError(
            f"{expected}; it cannot be read ({str(problem).strip().splitlines()[0]})."
        ) from problem
    if report["missing_keys"]:
        lacking = sorted(report["missing_keys"])
        raise SernbError(f"{expected}; {len(lacking)} weights are missing, {lacking[0]} among them.")
    return model.eval()


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m making.pretraining.speech_probes",
        description="Probe each layer of a speech encoder for phones, speakers and pitch.",
    )
    parser.add_argument("folder", type=Path, help="config.json and model.safetensors of a HuBERT")
    parser.add_argument(
        "--speech", type=Path, help="where the speech lies, or is kept; made and thrown away by default"
    )
    parser.add_argument("--utterances", type=int, default=UTTERANCES)
    parser.add_argument("--speakers", type=int, default=SPEAKERS)
    parser.add_argument("--jobs", type=int, default=None, help="processes that speak; all cores by default")
    given = parser.parse_args(arguments)
    try:
        model = read_encoder(given.folder)
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as thrown_away:
            where = given.speech or Path(thrown_away) / "speech"
            spoken = speech(where, given.utterances, SEED, given.speakers, given.jobs)
            layers, plain = probes(model, spoken)
    except SernbError as error:
        print(error, file=sys.stderr)
        return 1
    print(layers.round(3).to_string(index=False), plain.round(3).to_string(index=False), sep="\n\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
