"""What it costs to train a student of 3M-SER by distillation at the paper's full size, three ways, measured
in turn.

python -m making.benchmarks.distillation_cost [--rounds 5] [--share 0.25] [--threads 2] [--batches 16 32 64]
python -m making.benchmarks.distillation_cost --prove

A BERT2 + VGGish student of a BERT-12 + VGGish teacher (random weights), 4,479 training and 498 validation
utterances, 50 transfer and 100 distillation epochs, extrapolated from measured steps:
  (a) as the paper reads: one utterance a step, the teacher and all encoders in the loop;
  (b) as the authors' code: one utterance a step, the teacher's encodings cached (and a frozen student's);
  ours: `sernb.studies.three_m_ser.train_two_stages`, all that is frozen computed once, batches of like
  length. Ours alone is charged with validation and saving after each epoch, and with its start.
A teacher speaks in both stages, as in the authors' code, whose optimizer (torch's SGD with its defaults) (a)
and (b) take. Lengths are drawn: seconds from a gamma distribution (shape 2.2, mean 4.5), a VGGish example
each whole 0.96 s (at least one), a Poisson count of word pieces (3.48 a second, and [CLS] and [SEP]), which
pieces by Zipf's law over 4,000: means 17.9 and 4.3. A round takes one utterance from each of so many groups
of like length. Ours runs in a process with the memory settings of the kit's notebooks (glibc keeps its
blocks), (a) and (b) without them, and (b) with them too.

--prove saves a BERT-base and a VGGish of full size, loads them as a user would, and takes one step of the
teacher and of each student, each in a process of its own: seconds and peak memory.
"""

import argparse
import os
import resource
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import numpy as np
import pandas as pd
import torch
from transformers import BertConfig, Trainer

from making.benchmarks.full_size import prove
from sernb.core.ragged import Ragged
from sernb.losses import Distillation
from sernb.models.three_m_ser import ThreeMSER, ThreeMSERConfig
from sernb.models.vggish import VGGishConfig
from sernb.notebook.run import KEEP_MEMORY
from sernb.studies.recipes import THREE_M_SER, Stage, TwoStages
from sernb.studies.three_m_inputs import Inputs, Outputs, audio_states, outputs, text_states
from sernb.studies.three_m_ser import train_two_stages

EPOCHS = {"transfer": 50, "distillation": 100}
CLASSES = ("neutral", "happy", "sad", "angry")
A, B = "(a) all in the loop", "(b) encodings cached"


@dataclass(frozen=True)
class Size:
    """How large everything is; the defaults are the paper's."""

    utterances: int = 4479
    validation: int = 498
    teacher: int = 12  # layers
    student: int = 2
    text: dict = field(default_factory=dict)
    audio: VGGishConfig = field(default_factory=VGGishConfig)
    pieces: int = 4000  # that occur

    def network(self, layers: int) -> ThreeMSER:
        torch.manual_seed(layers)
        text = {**self.text, "num_hidden_layers": layers}
        return ThreeMSER(ThreeMSERConfig(CLASSES, text, self.audio))


SMALL = {"vocab_size": 90, "hidden_size": 32, "num_attention_heads": 4, "intermediate_size": 64}
TINY = Size(96, 12, 2, 1, SMALL, VGGishConfig((2, 2, 4, 4, 4, 4), (8, 8), 16), 60)


def made_up(size: Size) -> Inputs:
    """Utterances of drawn lengths: token ids, noise for audio embeddings."""
    rng, count = np.random.default_rng(0), size.utterances + size.validation
    seconds, words = durations(count, rng)
    heard = np.maximum(1, (seconds / 0.96).astype(int))
    often = 1 / np.arange(1, size.pieces + 1)
    pieces = rng.permutation(np.arange(5, BertConfig(**size.text).vocab_size))[: size.pieces]
    tokens = [[1, *rng.choice(pieces, number, p=often / often.sum()), 2] for number in words]
    audio = Ragged(rng.random((heard.sum(), size.audio.embedding), np.float32), np.cumsum([0, *heard]))
    labels = rng.integers(0, len(CLASSES), count)
    return Inputs(pd.RangeIndex(count), CLASSES, labels, Ragged.of(tokens, np.int64), audio)


def durations(count, rng):
    """Seconds and word pieces of `count` utterances."""
    seconds = rng.gamma(2.2, 4.5 / 2.2, count)
    return seconds, np.maximum(1, rng.poisson(3.48 * seconds))


def sample(lengths: np.ndarray, count: int, number: int) -> np.ndarray:
    """`count` rows, one drawn from each of as many groups of like length, so that their mean length is that
    of all."""
    rng, order = np.random.default_rng(number), np.argsort(lengths, kind="stable")
    return np.array([rng.choice(group) for group in np.array_split(order, min(count, len(order)))])


class Reference:
    """Ways (a) and (b): plain loops, one utterance a step."""

    def __init__(self, size: Size):
        self.size, self.inputs, self.loss = size, made_up(size), Distillation()
        self.teacher = size.network(size.teacher).eval().requires_grad_(False)
        self.student = size.network(size.student).train()

    def measure(self, cached: bool, number: int, count: int) -> dict:
        """Seconds a sample of both stages in round `number`, on about `count` utterances; seconds to cache
        all."""
        lengths = self.inputs.tokens.lengths[: self.size.utterances]
        batches = [self._batch(row) for row in sample(lengths, count, number)]
        for stage in EPOCHS:
            self._stage(batches[:2], stage)
        began, caching = time.perf_counter(), 0.0
        if cached:
            for batch in batches:
                batch["told"] = self._encoded(self.teacher, batch)
                batch["said"] = self._encoded(self.student, batch)
            caching = (time.perf_counter() - began) / len(batches) * self.size.utterances
        found = {stage: self._stage(batches, stage) for stage in EPOCHS}
        return {**found, "caching": caching, "memory": peak()}

    def _batch(self, row):
        ids, text_mask = self.inputs.tokens.padded([row])
        audio_mask = torch.ones(1, self.inputs.audio.lengths[row], dtype=torch.bool)
        return {
            "ids": ids,
            "examples": torch.randn(*audio_mask.shape, 96, 64),
            "masks": {"text_mask": text_mask, "audio_mask": audio_mask},
            "label": torch.from_numpy(self.inputs.labels[[row]]),
        }

    @torch.no_grad()
    def _encoded(self, model, batch, text=True):
        heard = {"audio_states": model.audio(batch["examples"]), **batch["masks"]}
        return {**heard, "text_states": model.text(batch["ids"]).last_hidden_state} if text else heard

    def _stage(self, batches, stage) -> float:
        student, frozen = self.student, stage == "transfer"
        student.text.train(not frozen)
        learns = [*student.head.parameters(), *(() if frozen else student.text.parameters())]
        optimizer = torch.optim.SGD(learns, lr=1e-6, momentum=0.99, weight_decay=1e-6)
        began = time.perf_counter()
        for batch in batches:
            with torch.no_grad():
                told = self.teacher(**(batch.get("told") or self._encoded(self.teacher, batch)))
            if frozen:
                said = student(**(batch.get("said") or self._encoded(student, batch)))
            else:
                states = student.text(batch["ids"]).last_hidden_state
                said = student(text_states=states, **self._encoded(student, batch, text=False))
            total, _ = self.loss(said, told, batch["label"])
            optimizer.zero_grad()
            total.backward()
            optimizer.step()
            total.item()
        return (time.perf_counter() - began) / len(batches)


class Ours:
    """The kit's own training, within `transformers.Trainer`."""

    def __init__(self, size: Size):
        self.size, self.inputs = size, made_up(size)
        self.folder = tempfile.TemporaryDirectory()
        self.student = {stage: size.network(size.student) for stage in EPOCHS}
        text_states(self.inputs, self.student["transfer"].text, self.folder.name, progress=False)
        rng, tokens = np.random.default_rng(1), self.inputs.tokens
        logits, fused, values = (
            rng.standard_normal(shape, np.float32)
            for shape in (
                (len(tokens), len(CLASSES)),
                (len(tokens), size.audio.embedding),
                (len(tokens.values), BertConfig(**size.text).hidden_size),
            )
        )
        self.teacher = Outputs(CLASSES, "", logits, fused, Ragged(values, tokens.offsets))

    def caching(self, number: int, count: int) -> dict:
        """Seconds for the teacher's states and logits, the student's states and the audio embeddings of all
        utterances."""
        rows = sample(self.inputs.tokens.lengths, count, number)
        offsets = np.cumsum([0, *self.inputs.audio.lengths[rows]])
        examples = np.random.default_rng(number).standard_normal((offsets[-1], 96, 64), np.float32)
        tokens = Ragged.of([self.inputs.tokens[row] for row in rows])
        some = Inputs(self.inputs.index[rows], CLASSES, self.inputs.labels[rows], tokens)
        teacher = self.size.network(self.size.teacher)
        with tempfile.TemporaryDirectory() as folder:
            began = time.perf_counter()
            heard = audio_states(Ragged(examples, offsets), teacher.audio, cache=folder, progress=False)
            outputs(teacher, replace(some, audio=heard), folder, progress=False)
            text_states(some, self.student["transfer"].text, folder, progress=False)
            seconds = time.perf_counter() - began
        return {"caching": seconds / len(rows) * len(self.inputs.index)}

    def measure(self, batch: int, bf16: bool, number: int, share: float) -> dict:
        """As `Reference.measure`, on `share` of the utterances; and the seconds that each epoch and each
        stage adds."""
        count, found = self.size.utterances, {}
        rows = sample(self.inputs.tokens.lengths[:count], round(share * count), number)
        held = np.arange(count, len(self.inputs.index))
        recipe = replace(THREE_M_SER["paper"].transfer.recipe, epochs=1, batch_size=batch, bf16=bf16)
        plain = Stage(recipe, distil=True)
        recipes = TwoStages(plain, None), TwoStages(None, replace(plain, train_text=True))
        for (stage, model), recipe in zip(self.student.items(), recipes, strict=True):
            given = {"cache": self.folder.name, "seed": number}
            began = time.perf_counter()
            with stopwatch() as seen:
                train_two_stages(model, self.inputs, rows, held, recipe, self.teacher, **given)
            whole = time.perf_counter() - began
            steps = seen["training_step"]  # the first one warms up, the last one may be short
            found[stage] = (steps[-1][0] - steps[1][0]) / (len(steps) - 2) / batch
            trying, saving = (
                sum(end - start for start, end in seen[name]) for name in ("evaluate", "_save_checkpoint")
            )
            found |= {f"{stage} trying": trying, f"{stage} saving": saving}
            found[f"{stage} start"] = max(0.0, whole - found[stage] * len(rows) - trying - saving)
        return {**found, "memory": peak()}


@contextmanager
def stopwatch():
    """{method: [(start, end), ...]} of `transformers.Trainer` while it lasts."""
    seen = {name: [] for name in ("training_step", "evaluate", "_save_checkpoint")}

    def timed(original, times):
        def method(*given, **named):
            began = time.perf_counter()
            found = original(*given, **named)
            times.append((began, time.perf_counter()))
            return found

        return method

    with ExitStack() as stack:
        for name, times in seen.items():
            stack.enter_context(mock.patch.object(Trainer, name, timed(getattr(Trainer, name), times)))
        yield seen


def rounds(plain, kept, ours, batches, count=5, utterances=32, share=0.25, cached=160) -> pd.DataFrame:
    """A row a round and way; `plain`, `kept` and `ours` call a method of `Reference` or `Ours` where it
    lives."""
    rows = []
    for number in range(count):
        rows.append({"way": A, "round": number, **plain("measure", False, number, utterances)})
        for way, ask in ((B, plain), (f"{B}, memory kept", kept)):
            rows.append({"way": way, "round": number, **ask("measure", True, number, utterances)})
        caching = ours("caching", number, cached)
        for batch, bf16 in batches:
            way = f"ours, batch {batch}, {'bf16' if bf16 else 'float32'}"
            found = ours("measure", batch, bf16, number, share)
            rows.append({"way": way, "round": number, **found, **caching})
        print(f"round {number + 1} of {count}, load {os.getloadavg()[0]:.1f}", flush=True)
    return pd.DataFrame(rows).fillna(0.0)


def hours(found: pd.DataFrame, utterances: int) -> pd.Series:
    """Of the whole training, of each row of `rounds`."""
    seconds = found["caching"].copy()
    for stage, epochs in EPOCHS.items():
        an_epoch = utterances * found[stage] + found[f"{stage} trying"] + found[f"{stage} saving"]
        seconds += found[f"{stage} start"] + epochs * an_epoch
    return seconds / 3600


def table(found: pd.DataFrame, utterances: int) -> pd.DataFrame:
    """Medians over rounds, a row a way; the ratios are medians of each round's ratio."""
    found = found.assign(hours=hours(found, utterances))
    by_round = found.pivot(index="round", columns="way", values="hours")
    middle = found.groupby("way", sort=False).median()
    columns = {f"{stage}, ms a sample": 1000 * middle[stage] for stage in EPOCHS}
    for what in ("trying", "saving"):
        columns |= {f"{stage}: {what}, s an epoch": middle[f"{stage} {what}"] for stage in EPOCHS}
    columns |= {"caching, s": middle["caching"], "hours": middle["hours"]}
    for name, way in (("(a)", A), ("(b)", B)):
        columns[f"times faster than {name}"] = by_round.rdiv(by_round[way], axis=0).median()
    columns["peak memory of its process, GB"] = found.groupby("way")["memory"].max()
    return pd.DataFrame(columns).loc[middle.index]


def peak() -> float:
    """The most memory that this process has held, in GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


# The networks live in processes of their own, started with their own settings and asked by turns.
_here = SimpleNamespace()


def _start(kind, size, threads):
    torch.set_num_threads(threads)
    _here.one = kind(size)


def _ask(method, *given):
    return getattr(_here.one, method)(*given)


def compare(size: Size, arguments) -> None:
    inputs = made_up(size)
    tokens, heard = inputs.tokens.lengths, inputs.audio.lengths
    print(
        f"{len(tokens)} utterances: {tokens.mean():.1f} tokens (median {np.median(tokens):.0f}, at most "
        f"{tokens.max()}) and "
        f"{heard.mean():.1f} VGGish examples on average, {len(np.unique(inputs.tokens.values))} pieces in "
        "use; "
        f"{arguments.threads} threads, torch {torch.__version__}"
    )
    batches = [(arguments.batches[0], False), *((batch, True) for batch in arguments.batches)]
    asked = []
    with ExitStack() as stack:
        for kind, settings in ((Reference, {}), (Reference, KEEP_MEMORY), (Ours, KEEP_MEMORY)):
            given = 1, get_context("spawn"), _start, (kind, size, arguments.threads)
            executor = stack.enter_context(ProcessPoolExecutor(*given))
            with mock.patch.dict(os.environ, settings):
                executor.submit(peak).result()  # starts it
            asked.append(lambda *call, to=executor: to.submit(_ask, *call).result())
        began = time.perf_counter()
        found = rounds(*asked, batches, arguments.rounds, arguments.utterances, arguments.share)
    if arguments.out:
        found.to_csv(arguments.out, index=False)
    print(table(found, size.utterances).round(2).T.to_string())
    print(f"measured in {time.perf_counter() - began:.0f} s")


def main() -> None:
    plain = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=plain)
    parser.add_argument("--prove", action="store_true", help="load full-size encoders, one step each")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--share", type=float, default=0.25, help="of the utterances in a round of ours")
    parser.add_argument("--utterances", type=int, default=32, help="in a round of (a) and (b)")
    parser.add_argument(
        "--batches", type=int, nargs="+", default=[16, 32, 64], help="the first in float32 too"
    )
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--tiny", action="store_true", help="tiny networks: does the script run?")
    parser.add_argument("--out", type=Path, help="a csv file for what each round found")
    arguments = parser.parse_args()
    size = TINY if arguments.tiny else Size()
    if arguments.prove:
        text = BertConfig(**{**size.text, "num_hidden_layers": size.teacher})
        students = (1,) if arguments.tiny else (6, 4, 2)
        proved = prove(text, size.audio, students, arguments.threads).round(2)
        print(proved.astype({"parameters": object}).T.to_string())
    else:
        compare(size, arguments)


if __name__ == "__main__":
    main()
