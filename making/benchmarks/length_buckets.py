"""A regressor's training on batches of like length against batches by chance: samples a second, padding, peak
memory.

python -m making.benchmarks.length_buckets [--encoder mini|base] [--rounds 3] [--batches 12] [--threads 2]

Utterances have the lengths of the embedded corpus, 16 a batch as in the paper; speech and text encoder learn,
the front end's frames are given. Each way runs in a process of its own, in turn, so that its peak memory is
its own; the memory that a process has before its first step is taken off. mini: the kit's mini-HuBERT and
mini-BERT; base: networks of HuBERT-base's and TinyBERT's size, with random weights.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import torch
from transformers import BertConfig, BertModel

from sernb.core.ragged import Ragged
from sernb.core.ratings import targets_of
from sernb.corpora import load
from sernb.features import encoders
from sernb.losses import concordance_loss
from sernb.models.audio_text_regressor import TINYBERT, assemble, speech_network
from sernb.studies.regression import Spoken
from sernb.studies.rows import Shuffled

WAYS = {"like length": True, "by chance": False}


def networks(encoder: str):
    """(speech, text) of this size."""
    if encoder == "mini":
        return encoders.speech_encoder("mini-hubert")[0], encoders.text_encoder("mini-bert")[0]
    return speech_network({"model_type": "hubert"}), BertModel(BertConfig(**TINYBERT))


def spoken(channels: int, vocabulary: int) -> Spoken:
    """Frames and tokens that are noise, as long as those of the embedded corpus."""
    utterances, rng = load("embedded"), np.random.default_rng(0)
    frames = [rng.normal(size=(int(s * 50), channels)).astype(np.float32) for s in utterances["seconds"]]
    tokens = [rng.integers(5, vocabulary, len(text.split()) + 2) for text in utterances["text"]]
    return Spoken(utterances.index, targets_of(utterances), Ragged.of(frames), Ragged.of(tokens, np.int64))


def once(encoder: str, by_length: bool, batches: int, threads: int, seed: int) -> dict:
    """One way: samples a second, share of padding, peak MB above the start."""
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    model = assemble(*networks(encoder)).train()
    data = spoken(model.speech.config.conv_dim[-1], model.text.config.vocab_size)
    examples = data.examples(np.arange(len(data.index)))
    sampler = Shuffled(data.lengths(), 16, seed, by_length)
    optimizer = torch.optim.Adam([one for one in model.parameters() if one.requires_grad], 1e-5, fused=True)
    order = list(sampler)
    before, begun, real, padded, count = None, None, 0, 0, 0
    for step, start in enumerate(range(0, 16 * (batches + 1), 16)):
        chosen = np.array(order[start : start + 16])
        given = examples.__getitems__(chosen)
        targets = given.pop("targets")
        loss = concordance_loss(model(**given).predicted, targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step == 0:  # the first makes the optimizer's buffers
            begun = time.perf_counter()
            before = _peak()
            continue
        mask = given["frame_mask"]
        real, padded, count = real + int(mask.sum()), padded + mask.numel(), count + len(chosen)
    seconds = time.perf_counter() - begun
    return {
        "samples/s": count / seconds,
        "padding": 1 - real / padded,
        "peak MB": _peak(),
        "after one step MB": before,
    }


def _peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--encoder", choices=("mini", "base"), default="mini")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batches", type=int, default=12)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--seed", type=int, default=0, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.way:
        print(json.dumps(once(given.encoder, WAYS[given.way], given.batches, given.threads, given.seed)))
        return
    rows = []
    for number in range(given.rounds):
        for way in WAYS:
            command = [sys.executable, __file__, "--way", way, "--seed", str(number)]
            for name in ("encoder", "batches", "threads"):
                command += [f"--{name}", str(getattr(given, name))]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            rows.append({"batches": way, **json.loads(done.stdout.splitlines()[-1])})
            print(rows[-1], flush=True)
    table = pd.DataFrame(rows).groupby("batches", sort=False).median().round(2)
    print(table.to_string())
    speed = [statistics.median(one["samples/s"] for one in rows if one["batches"] == way) for way in WAYS]
    print(
        f"{given.encoder}: like length is {speed[0] / speed[1]:.2f} times as fast (median of {given.rounds} "
        "rounds)"
    )


if __name__ == "__main__":
    main()
