"""What simple models reach on the embedded corpus, on other draws of it, and with its knobs turned.

    python -m making.benchmarks.embedded_corpus shipped    the shipped corpus, from its compressed files
    python -m making.benchmarks.embedded_corpus seeds      four other corpora with the same knobs
    python -m making.benchmarks.embedded_corpus voice      one knob of the voice or recording turned at a time
    python -m making.benchmarks.embedded_corpus words      one knob of the words at a time; bag of words only

Each prints rows of a Markdown table (docs/embedded_corpus.md holds them): UAR in %, leave one session out,
and how well ridge regression from the voice follows the ratings (CCC). Corpora other than the shipped one are
not compressed. seeds and voice need the extra "generate" and, on two cores, about a minute a row.
"""

import sys
from dataclasses import replace

import numpy as np
import pandas as pd
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import LeaveOneGroupOut, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from making.generator.build import make
from making.generator.knobs import Knobs
from making.generator.plan import plan
from sernb.core.tables import check_utterances
from sernb.corpora import load
from sernb.evaluation import bootstrap, paired_bootstrap, scores
from sernb.evaluation.baselines import KINDS, baseline
from sernb.features.acoustics import acoustic_statistics, acoustic_table
from sernb.protocols import leave_one_session_out

SEEDS = (6, 7, 8, 9)  # not looked at while the knobs were turned
VOICE = (
    {},
    {"valence_leak": 0.0},
    {"prosody": 0.5},
    {"control_noise": 0.8},
    {"snr": (0.0, 10.0)},
)
WORDS = (
    {},
    {"text_noise": 0.4},
    {"emotion_words": 0.0},
    {"emotion_words": 0.8},
    {"denied_emotions": 0.0},
    {"telling_verbs": 0.0},
    {"telling_verbs": 1.0},
    {"reversals": 0.1},
    {"words_of_arousal": 0.0},
    {"words_of_arousal": 1.0},
    {"annotator_noise": 0.5},
)


def predicted(utterances: pd.DataFrame, acoustics: pd.DataFrame) -> pd.DataFrame:
    folds = leave_one_session_out(utterances)
    return pd.concat([baseline(utterances, folds, kind, acoustics) for kind in KINDS])


def measure(utterances: pd.DataFrame, acoustics: pd.DataFrame) -> list[float]:
    """UAR of each kind of baseline, then CCC of valence, arousal and dominance from the voice."""
    table = scores(predicted(utterances, acoustics))
    uar = [100 * float(table.loc[f"baseline: {kind}", "UAR"]) for kind in KINDS]
    regression = make_pipeline(StandardScaler(), RidgeCV([10.0, 100.0, 1000.0]))
    inputs, groups = acoustics.loc[utterances.index].to_numpy(), utterances["session"]
    ccc = []
    for name in ("valence", "arousal", "dominance"):
        truth = utterances[name].to_numpy()
        guess = cross_val_predict(regression, inputs, truth, groups=groups, cv=LeaveOneGroupOut())
        apart = truth.var() + guess.var() + (truth.mean() - guess.mean()) ** 2
        ccc.append(2 * np.cov(truth, guess, ddof=0)[0, 1] / apart)
    return uar + ccc


def heard(waveform: np.ndarray) -> pd.Series:
    return acoustic_statistics(np.rint(waveform * 32767) / 32768)


def made(knobs: Knobs) -> list[float]:
    table, cast = plan(knobs)
    acoustics = pd.DataFrame(
        {name: numbers for name, numbers, _ in make(table, cast, knobs, heard, per_process=50)}
    ).T
    return measure(check_utterances(table.assign(path="not written")), acoustics)


def written(knobs: Knobs) -> list[float]:
    """UAR of the bag of words, over several seeds: nothing need be spoken."""
    uar = []
    for seed in (knobs.seed, *SEEDS):
        utterances = check_utterances(plan(replace(knobs, seed=seed))[0])
        table = baseline(utterances, leave_one_session_out(utterances), "text")
        uar.append(100 * scores(table)["UAR"].item())
    return [np.mean(uar)]


def show(name: str, numbers: list[float]) -> None:
    cells = [f"{value:.1f}" for value in numbers[: len(KINDS)]] + [
        f"{value:.2f}" for value in numbers[len(KINDS) :]
    ]
    print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


def intervals(predictions: pd.DataFrame) -> None:
    """UAR of each kind with its 95 % intervals, and what both together gain."""
    units = {unit: bootstrap(predictions, unit=unit).set_index("model") for unit in ("utterance", "speaker")}
    print("\n| | UAR, % | by utterance | by speaker |\n|---|---|---|---|")
    for model, row in units["utterance"].iterrows():
        spans = [
            f"{100 * table.at[model, 'low']:.1f}–{100 * table.at[model, 'high']:.1f}"
            for table in units.values()
        ]
        print(f"| {model} | {100 * row['value']:.1f} | " + " | ".join(spans) + " |")
    for alone in ("audio", "text"):
        names = "baseline: both", f"baseline: {alone}"
        gains = [paired_bootstrap(predictions, *names, unit=unit) for unit in units]
        spans = [f"{100 * gain['low']:.1f}–{100 * gain['high']:.1f}" for gain in gains]
        print(f"| both minus {alone} | {100 * gains[0]['difference']:.1f} | " + " | ".join(spans) + " |")


def main(what: str) -> None:
    columns = ("text",) if what == "words" else (*KINDS, "CCC V", "CCC A", "CCC D")
    print("| | " + " | ".join(columns) + " |\n" + "|---" * (len(columns) + 1) + "|", flush=True)
    if what == "shipped":
        utterances = load("embedded")
        acoustics = acoustic_table(utterances)
        show("shipped", measure(utterances, acoustics))
        intervals(predicted(utterances, acoustics))
    elif what == "seeds":
        rows = []
        for seed in SEEDS:
            rows.append(made(replace(Knobs(), seed=seed)))
            show(f"seed {seed}", rows[-1])
        show("mean", np.mean(rows, axis=0))
        show("standard deviation", np.std(rows, axis=0, ddof=1))
    else:
        for turn in VOICE if what == "voice" else WORDS:
            name = ", ".join(f"{knob} = {value}" for knob, value in turn.items()) or "all as they are"
            knobs = replace(Knobs(), **turn)
            show(name, made(knobs) if what == "voice" else written(knobs))


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in ("shipped", "seeds", "voice", "words"):
        sys.exit(__doc__)
    main(sys.argv[1])
