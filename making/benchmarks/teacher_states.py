"""Distilling a speech student from a text teacher: its states read from disk against the teacher in the loop.

python -m making.benchmarks.teacher_states [--size mini|base] [--rounds 3] [--batches 6] [--utterances 320]
    [--threads 2]

Pairs have the words and the lengths of the embedded corpus; their features are noise. 32 of like length a
batch; a step is the batch, the teacher's part, forward, backward and Adam. mini: a teacher of mini-BERT's
size and the laptop's student; base: a teacher of BERT-base's size and the paper's student; all with random
weights, which cost what trained ones cost. Each way runs in a process of its own, in turn; both must come to
the same loss, up to half precision. On a machine that does other work too, look at the processor's time
rather than at samples a second.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from transformers import BertConfig, BertForSequenceClassification

from sernb.core.ragged import Ragged
from sernb.corpora import load
from sernb.features import encoders
from sernb.features.frames import WIDTH
from sernb.losses import MCEDConfig, MultiLevelLoss
from sernb.models.speech_student import LAPTOP_STUDENT, SpeechStudent, StudentConfig
from sernb.studies.rows import Shuffled
from sernb.studies.teacher_states import InTheLoop, size_of, teacher_states

WAYS = ("on disk", "in the loop")
BATCH = 32
MINI = {"hidden_size": 128, "num_hidden_layers": 6, "num_attention_heads": 4, "intermediate_size": 512}


def parts(size: str):
    """(teacher, student's shape, pairs of layers)."""
    names = dict(enumerate(StudentConfig().classes))
    if size == "base":
        return BertForSequenceClassification(BertConfig(id2label=names)), StudentConfig(), MCEDConfig()
    teacher = BertForSequenceClassification(BertConfig(**MINI, id2label=names))
    return teacher, LAPTOP_STUDENT, MCEDConfig(pairs=((3, 3), (4, 4), (5, 5), (6, 6)))


def once(size: str, way: str, batches: int, utterances: int, threads: int, seed: int, cache: Path) -> dict:
    """One way: samples a second, processor time a sample, mean loss, and what the states cost once (seconds;
    MB)."""
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    teacher, shape, mced = parts(size)
    table, rng = load("embedded").iloc[:utterances], np.random.default_rng(0)
    noise = [rng.normal(size=(int(s * 100), WIDTH)).astype(np.float32) for s in table["seconds"]]
    features = Ragged.of(noise)
    given = (teacher, encoders.text_encoder("mini-bert")[1], table["text"], [pair[0] for pair in mced.pairs])
    begun = time.perf_counter()
    told = InTheLoop(*given) if way == "in the loop" else teacher_states(*given, cache, progress=False)
    made = time.perf_counter() - begun
    torch.manual_seed(0)
    student = SpeechStudent(shape)
    depth = teacher.config.num_hidden_layers
    loss = MultiLevelLoss(mced, teacher.config.hidden_size, shape.width, depth, shape.layers)
    learned = [*student.parameters(), *loss.parameters()]
    optimizer = torch.optim.Adam(learned, 1e-4, fused=True)
    order, count, losses = list(Shuffled(features.lengths, BATCH, seed)), 0, []
    for step, start in enumerate(range(0, BATCH * (batches + 1), BATCH)):
        if step == 1:  # the first makes the optimizer's buffers
            begun, spent, count = time.perf_counter(), time.process_time(), 0
        rows = np.array(order[start : start + BATCH])
        total, _ = loss(student(*features.padded(rows)), **told.batch(rows))
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        losses.append(total.item())
        count += len(rows)
    speed = count / (time.perf_counter() - begun)
    spent = 1000 * (time.process_time() - spent) / count
    size_on_disk = size_of(int(told.words.sum()), len(mced.pairs), told.width) / 1e6
    return {
        "samples/s": speed,
        "CPU ms a sample": spent,
        "loss": np.mean(losses),
        "once s": made,
        "MB": size_on_disk,
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", choices=("mini", "base"), default="mini")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batches", type=int, default=6)
    parser.add_argument("--utterances", type=int, default=320)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--seed", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--cache", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if not 2 * BATCH <= BATCH * (given.batches + 1) <= given.utterances:
        parser.error(
            f"{given.batches} batches and one before them take {BATCH * (given.batches + 1)} utterances"
        )
    named = {name: getattr(given, name) for name in ("size", "batches", "utterances", "threads")}
    if given.way:
        print(json.dumps(once(way=given.way, seed=given.seed, cache=given.cache, **named)))
        return
    rows = []
    for number in range(given.rounds):
        with tempfile.TemporaryDirectory() as cache:
            for way in WAYS:
                command = [sys.executable, __file__, "--way", way, "--seed", str(number), "--cache", cache]
                for name, value in named.items():
                    command += [f"--{name}", str(value)]
                done = subprocess.run(command, check=True, capture_output=True, text=True)
                rows.append({"states": way, **json.loads(done.stdout.splitlines()[-1])})
                print(rows[-1], flush=True)
    table = pd.DataFrame(rows)
    print(table.groupby("states", sort=False).median().round(3).to_string())
    disk, loop = (table[table["states"] == way].set_index(np.arange(given.rounds)) for way in WAYS)
    for name, ratio in (
        ("samples/s", disk["samples/s"] / loop["samples/s"]),
        ("processor time", loop["CPU ms a sample"] / disk["CPU ms a sample"]),
    ):
        print(
            f"{given.size}: from disk {ratio.median():.2f} times as fast by {name} ({ratio.min():.2f} to "
            f"{ratio.max():.2f} "
            f"over {given.rounds} rounds)"
        )
    print(
        f"{disk['MB'].iloc[0]:.1f} MB on disk for {given.utterances} pairs, made once in "
        f"{disk['once s'].median():.1f} s"
    )


if __name__ == "__main__":
    main()
