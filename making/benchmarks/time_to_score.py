"""Larger batches make fewer updates: how long until a student reaches the same validation score, batch 1
against ours?

python -m making.benchmarks.time_to_score [--epochs 6] [--fold 0] [--seeds 0 1 2] [--layers 1]

On the embedded corpus, the smallest student of notebook 03 with its teacher. Each way runs its whole
schedule; its time to a score is the share of epochs until the validation UAR, averaged over seeds, first
reaches it, times the measured seconds. The score is the highest that every way reaches. Batch 1 is tried with
the learning rate of batch 16 and with smaller ones (divided by 4 and by 16), and the best of them counts.
"""

import argparse
import time
from dataclasses import replace

import numpy as np
import pandas as pd
import torch

from sernb import corpora, protocols
from sernb.features import encoders
from sernb.features.audio import read_utterances
from sernb.studies import three_m_inputs
from sernb.studies.recipes import Stage, TwoStages
from sernb.studies.three_m_ser import LAPTOP, TAUGHT, Encoders, train_two_stages


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--epochs", type=int, default=LAPTOP.fine_tune.recipe.epochs)
    parser.add_argument("--fold", type=int, default=0)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--layers", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    utterances, waveforms = read_utterances(corpora.load("embedded"))
    folds = protocols.with_validation(protocols.by_name("auto", utterances), utterances)
    fold = folds[arguments.fold]
    text, tokenizer = encoders.text_encoder()
    pretrained = Encoders(text, encoders.audio_encoder())
    inputs = three_m_inputs.prepare(utterances, waveforms, tokenizer, pretrained.audio)
    rows = inputs.rows(fold.train), inputs.rows(fold.validation)
    teacher = pretrained.network(inputs.classes, 0)
    train_two_stages(teacher, inputs, *rows)
    told = three_m_inputs.outputs(teacher, inputs)
    ours = replace(LAPTOP.fine_tune.recipe, epochs=arguments.epochs)
    ways = {"batch 16, by length": ours, "batch 16, at random": replace(ours, by_length=False)}
    for share in (1, 4, 16):
        rates = {name: getattr(ours, name) / share for name in ("learning_rate", "encoder_rate")}
        ways[f"batch 1, rate / {share}"] = replace(ours, batch_size=1, **rates)
    curves, seconds = {}, {}
    for name, way in ways.items():
        runs, began = [], time.perf_counter()
        for seed in arguments.seeds:
            student = pretrained.network(inputs.classes, seed, arguments.layers)
            recipe = TwoStages(None, Stage(way, train_text=True, distil=True))
            runs.append(
                train_two_stages(student, inputs, *rows, recipe, told, TAUGHT.distillation, seed=seed)
            )
        seconds[name] = (time.perf_counter() - began) / len(arguments.seeds)
        curves[name] = np.mean([run["validation_UAR"] for run in runs], axis=0)
        print(f"{name}: {seconds[name]:.1f} s a training, {np.round(curves[name], 3)}", flush=True)
    target = min(
        max(curve)
        for curve in (
            curves["batch 16, by length"],
            max((curve for name, curve in curves.items() if name.startswith("batch 1,")), key=max),
        )
    )
    table = pd.DataFrame(
        {
            name: {
                "seconds a training": seconds[name],
                "best validation UAR": max(curve),
                "epochs to the score": reached(curve, target),
                "seconds to the score": seconds[name] * reached(curve, target) / len(curve),
            }
            for name, curve in curves.items()
        }
    ).T
    print(f"\nthe score: validation UAR {target:.3f}, mean of {len(arguments.seeds)} seeds, {fold.name}")
    print(table.round(3).to_string())


def reached(curve, target) -> float:
    """Epochs until the curve first reaches the target; NaN where it never does."""
    there = np.flatnonzero(np.asarray(curve) >= target - 1e-9)
    return float(there[0] + 1) if len(there) else float("nan")


if __name__ == "__main__":
    main()
