"""python -m making.pretraining.mini_hubert --out DIR: a small HuBERT that learnt to guess masked speech.

Two iterations, as Hsu et al. 2021 ("HuBERT", section II): the network guesses clusters of MFCCs first, and
then clusters of its own middle layer. Theirs begins anew in between and counts masked frames only (their
alpha is 1); in the short time that a laptop has, this one goes on with its weights, and masked and heard
frames count alike (alpha 0.5).
"""

import argparse
import json
import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from transformers import HubertConfig, HubertModel, Wav2Vec2FeatureExtractor

from making.pretraining import cards, speech_card, speech_probes
from making.pretraining.clusters import by_length, clusters, layer_features, mfcc, phone_information
from making.pretraining.masked_prediction import (
    SPAN,
    Crops,
    convolved,
    kept_apart,
    train,
    without_convolutions,
)
from making.pretraining.spoken import Speech
from making.pretraining.spoken import speech as make_speech
from sernb.core.errors import SernbError, exit_code
from sernb.core.files import must_be_new
from sernb.core.ragged import Ragged, computed_once

UTTERANCES, SPEAKERS, STEPS, LAYERS, WIDTH, SEED = 12_000, 360, (700, 2600), 6, 128, 21
CLUSTERS = (100, 200)
LARGEST_SEED = 2**32 - 10  # NumPy's, less those that follow it
COMMAND = "python -m making.pretraining.mini_hubert"
SPREAD = 0.05  # of random weights: HuBERT's 0.02 fits its width of 768


def config(layers: int = LAYERS, width: int = WIDTH) -> HubertConfig:
    """The kernels, strides and positional convolution of HuBERT-base, all of it narrower."""
    return HubertConfig(
        num_hidden_layers=layers,
        hidden_size=width,
        num_attention_heads=max(width // 32, 1),
        intermediate_size=4 * width,
        conv_dim=[max(width // 2, 1)] * 7,
        feat_extract_norm="group",
        initializer_range=SPREAD,
        layerdrop=0.0,
        hidden_dropout=0.05,
        attention_dropout=0.0,
        activation_dropout=0.0,
        feat_proj_dropout=0.0,
        final_dropout=0.0,
    )


def learn(
    spoken: Speech, encoder: HubertModel, numbers: list[int], steps: list[int], seed: int, work: Path
) -> tuple[pd.DataFrame, list[float]]:
    """Train the encoder where it is, on clusters of MFCCs, then on so many clusters of what it has learnt,
    and so on.

    The convolutions learn in the first iteration only. Returns the curves (column `iteration`), and how much
    each iteration's clusters say of the phones. `work` is a folder for clusters, the convolutions' output and
    checkpoints: a run that was cut off goes on from there.
    """
    unseen, lengths = kept_apart(spoken), spoken.phones.lengths
    rows, features, curves, information = np.flatnonzero(~unseen), mfcc, [], []
    source, away = spoken.sound, None
    for iteration, (number, of) in enumerate(zip(numbers, steps, strict=True), start=1):
        found = clusters(spoken, features, number, rows, seed, away)
        codes = computed_once(work, f"clusters_{iteration}", lengths, (), found, np.uint16)
        information.append(phone_information(codes.values, spoken.phones.values))
        learning, held_out = Crops(source, codes, rows), Crops(source, codes, np.flatnonzero(unseen))
        checkpoint = work / f"iteration_{iteration}.pt"
        if away is None:
            curve = train(learning, held_out, encoder, number, of, seed + iteration, checkpoint)
            source = away = convolutions_output(spoken, encoder, work)
        else:
            with without_convolutions(encoder):
                curve = train(learning, held_out, encoder, number, of, seed + iteration, checkpoint)
        curves.append(curve.assign(iteration=iteration))
        features = layer_features(encoder, middle(encoder.config.num_hidden_layers))
    return pd.concat(curves, ignore_index=True), information


def convolutions_output(spoken: Speech, encoder: HubertModel, work: Path) -> Ragged:
    """What the encoder's convolutions make of all the speech, float16 (frames, channels) each, kept in
    `work`."""
    every, width = np.arange(len(spoken.table)), (encoder.config.conv_dim[-1],)
    found = by_length(spoken, lambda sound: convolved(encoder, sound).transpose(1, 2), every, "convolutions")
    return computed_once(work, "convolved", spoken.phones.lengths, width, found, np.float16)


def middle(layers: int) -> int:
    """The layer whose output the second iteration's clusters are of."""
    return max(layers // 2, 1)


def ship(encoder: HubertModel, folder: Path) -> None:
    """Write the encoder (float16; transformers reads it as float32) and what prepares sound for it."""
    encoder.config.apply_spec_augment = False  # masking in a later fine-tuning is for its author to choose
    encoder.half().save_pretrained(folder)
    encoder.config.dtype = "float32"
    encoder.config.save_pretrained(folder)
    # without a mask, as all encoders whose first normalisation is over time
    Wav2Vec2FeatureExtractor(do_normalize=True, return_attention_mask=False).save_pretrained(folder)


def pretrain(
    out: Path,
    speech: Path | None = None,
    utterances: int = UTTERANCES,
    speakers: int = SPEAKERS,
    steps: tuple[int, int] = STEPS,
    layers: int = LAYERS,
    width: int = WIDTH,
    seed: int = SEED,
    jobs: int | None = None,
) -> None:
    """Write the encoder, its curve training.csv and its card README.md into `out`, a new folder.

    speech: the folder where the speech to learn from ("pretraining") and to be probed with ("probes") lies,
    or is kept for other runs. Clusters and checkpoints lie in <out>.unfinished until all is done: the same
    call goes on from there.
    """
    out = Path(out)
    must_be_new(out)
    if min(*steps, layers, width) < 1:
        raise SernbError("steps, layers and width must be at least 1.")
    shape = config(layers, width)
    parts_of = {"groups": shape.num_conv_pos_embedding_groups, "heads": shape.num_attention_heads}
    for what, parts in parts_of.items():
        if width % parts:
            raise SernbError(f"width is {width}; it must be a multiple of {parts}, the number of {what}.")
    if not 0 <= seed < LARGEST_SEED:
        raise SernbError(f"seed is {seed}; it must be at least 0 and below {LARGEST_SEED}.")
    settings = {"utterances": utterances, "speakers": speakers, "steps": list(steps), "layers": layers}
    settings |= {"width": width, "seed": seed}
    work = begin(out, settings)
    where = work / "speech" if speech is None else Path(speech)
    spoken = make_speech(where / "pretraining", utterances, seed, speakers, jobs)
    torch.manual_seed(seed)
    encoder = HubertModel(config(layers, width))
    curve, information = learn(spoken, encoder, CLUSTERS, steps, seed, work)
    shipped = work / "encoder"
    ship(encoder, shipped)
    curve.round(4).to_csv(shipped / "training.csv", index=False, lineterminator="\n")
    probed = make_speech(where / "probes", speech_probes.UTTERANCES, seed + 1, speech_probes.SPEAKERS, jobs)
    settings["steps"] = f"{steps[0]} {steps[1]}"
    fields = {
        "command": cards.command("mini_hubert", settings),
        "steps": steps,
        "clusters": CLUSTERS,
        "information": information,
        "middle": middle(layers),
        "span": SPAN,
    }
    speech_card.write(shipped, "mini_hubert", fields, spoken, probed, curve)
    finish(shipped, out)


def begin(out: Path, settings: dict) -> Path:
    """The folder <out>.unfinished, new or of an earlier run with the same settings; SernbError for other
    ones."""
    work = out.with_name(out.name + ".unfinished")
    noted = work / "settings.json"
    if noted.is_file():
        if json.loads(noted.read_text(encoding="utf-8")) != settings:
            raise SernbError(f"{work} is of a run with other settings: remove it, or name another folder.")
    else:
        work.mkdir(parents=True, exist_ok=True)
        noted.write_text(json.dumps(settings), encoding="utf-8")
    return work


def finish(shipped: Path, out: Path) -> None:
    """Put what a run made where it belongs, and its working folder away."""
    if out.exists():
        out.rmdir()
    os.replace(shipped, out)
    shutil.rmtree(shipped.parent, ignore_errors=True)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog=COMMAND,
        description="Pretrain the kit's small speech encoder again. "
        "The same command goes on with a run that was cut off.",
    )
    parser.add_argument("--out", type=Path, required=True, help="a new folder")
    parser.add_argument("--speech", type=Path, help="where the speech lies, or is to be kept for other runs")
    parser.add_argument("--utterances", type=int, default=UTTERANCES)
    parser.add_argument("--speakers", type=int, default=SPEAKERS)
    parser.add_argument("--steps", type=int, nargs=2, default=STEPS, help="of the first and second iteration")
    parser.add_argument("--layers", type=int, default=LAYERS)
    parser.add_argument("--width", type=int, default=WIDTH)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--jobs", type=int, default=None, help="processes that speak; all cores by default")
    return exit_code(pretrain, **vars(parser.parse_args(arguments)))


if __name__ == "__main__":
    sys.exit(main())
