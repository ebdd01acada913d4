"""A training step through `sernb.studies.training.fit` against a bare loop on the same tensors, in turn, at
batch 64.

python -m making.benchmarks.training_step [--rounds 5] [--steps 4] [--threads 2]

The bare loop is the least that training can be: forward, loss, backward, SGD, on batches cut beforehand. The
ratio is what the Trainer, the shuffling and the batching cost. Times include everything within `fit`, its
start left out by taking the difference of a long and a short run.
"""

import argparse
import statistics
import time
from dataclasses import replace

import torch
from torch.nn import functional as F

from sernb.models.attention_pooling import CNNConfig, SpectrogramCNN
from sernb.studies.attention_pooling import PAPER, _Classifier
from sernb.studies.rows import Rows
from sernb.studies.training import Goal, fit

BATCH = 64


def data(batches: int) -> dict[str, torch.Tensor]:
    return {
        "spectrogram": torch.rand(BATCH * batches, 400, 200) * 2 - 1,
        "labels": torch.arange(BATCH * batches) % 4,
    }


def bare(columns, device) -> float:
    model = SpectrogramCNN(CNNConfig()).to(device, memory_format=torch.channels_last).train()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, nesterov=True, weight_decay=1e-4)
    batches = [
        (x.to(device), y.to(device)) for x, y in zip(*(c.split(BATCH) for c in columns.values()), strict=True)
    ]
    began = time.perf_counter()
    for x, y in batches:
        loss = F.cross_entropy(model(x).logits, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    loss.item()
    return time.perf_counter() - began


def through_fit(columns) -> float:
    began = time.perf_counter()
    recipe = replace(PAPER, epochs=1, batch_size=BATCH, drops=())
    learner = _Classifier(SpectrogramCNN(CNNConfig()), recipe, columns["labels"])
    fit(learner, Rows(columns), None, recipe, Goal(best=None))
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    short, long = data(1), data(1 + arguments.steps)
    bare(short, device), through_fit(short)
    rows = []
    for _ in range(arguments.rounds):
        plain = (bare(long, device) - bare(short, device)) / arguments.steps
        ours = (through_fit(long) - through_fit(short)) / arguments.steps
        rows.append((plain, ours, ours / plain))
        print(f"bare loop {plain:.3f} s a step, fit {ours:.3f} s, ratio {ours / plain:.2f}", flush=True)
    medians = [statistics.median(column) for column in zip(*rows, strict=True)]
    print(
        f"median: bare {medians[0]:.3f} s, fit {medians[1]:.3f} s, ratio {medians[2]:.2f} ({device}, batch "
        f"{BATCH})"
    )


if __name__ == "__main__":
    main()
