"""python -m making.pretraining.fine_tuning FOLDER: what the first layers of a text encoder are worth.

Each depth is fine-tuned by itself on the transcripts of the embedded corpus, leave one session out, so that
speakers and nearly all sentences are unseen. The table is printed, and added to the encoder's card.
"""

import argparse
import os
import sys
from pathlib import Path

import pandas as pd
import torch
from torch import nn
from torch.nn import functional as F
from tqdm.auto import tqdm
from transformers import BertConfig, BertModel

from sernb.core.errors import SernbError
from sernb.corpora import load
from sernb.evaluation import bootstrap, paired_bootstrap, scores
from sernb.features.encoders import first_layers, text_encoder
from sernb.protocols import leave_one_session_out

DEPTHS, SEEDS = (6, 3, 2, 1), 2
EPOCHS, BATCH, LEARNING_RATE, WEIGHT_DECAY, WARM_UP = 8, 32, 5e-4, 1e-2, 0.1
TEXT = """## Fine-tuned

By `{command}`: the mean of the last states, dropout and a linear
layer, trained with all the layers below on the transcripts of the embedded corpus. Four emotions, leave one
session out; AdamW, {epochs} epochs, batches of {batch}, learning rate {rate:g}. UAR in %: the mean of {seeds}
seed(s), and its 95 % interval by utterance.

| layers | UAR | from | to | single seeds |
|---|---|---|---|---|
{rows}
"""
DIFFERENCES = """
{first}, minus each of the others, on the same utterances (paired bootstrap), in points:

| minus | difference | from | to | p |
|---|---|---|---|---|
{rows}
"""


class Classifier(nn.Module):
    """The mean of the last states, dropout, one linear layer."""

    def __init__(self, encoder: BertModel, classes: int):
        super().__init__()
        self.encoder = encoder
        self.classify = nn.Sequential(nn.Dropout(0.1), nn.Linear(encoder.config.hidden_size, classes))

    def forward(self, ids, real):
        states = self.encoder(ids, attention_mask=real).last_hidden_state
        return self.classify((states * real[..., None]).sum(1) / real.sum(1, keepdim=True))


def fine_tuned(
    folder: Path, depth: int, seed: int, pretrained: bool = True, name: str | None = None
) -> pd.DataFrame:
    """Predictions of the first `depth` layers of the encoder in `folder` on every session of the embedded
    corpus, each after fine-tuning on the other four; with `pretrained` False, of the same network from random
    weights. `name` is what the model is called instead of "pretrained" or "random weights"."""
    utterances, (whole, tokenizer) = load("embedded"), text_encoder(str(folder))
    names = sorted(utterances["emotion"].unique())
    encoded = tokenizer(list(utterances["text"]), padding=True, return_tensors="pt")
    ids, real = encoded["input_ids"], encoded["attention_mask"]
    labels = torch.tensor([names.index(one) for one in utterances["emotion"]])
    predictions = []
    for fold in leave_one_session_out(utterances):
        torch.manual_seed(seed)
        encoder = first_layers(whole, depth)
        model = Classifier(encoder if pretrained else BertModel(encoder.config), len(names)).train()
        train, test = (
            torch.from_numpy(utterances.index.get_indexer(part)) for part in (fold.train, fold.test)
        )
        weights = len(train) / (len(names) * labels[train].bincount(minlength=len(names)).clamp(min=1))
        optimizer = torch.optim.AdamW(model.parameters(), LEARNING_RATE, weight_decay=WEIGHT_DECAY)
        steps = EPOCHS * -(-len(train) // BATCH)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, steps + 1, pct_start=WARM_UP)
        for _ in range(EPOCHS):
            for rows in train[torch.randperm(len(train))].split(BATCH):
                longest = real[rows].sum(1).max()
                with torch.autocast(
                    "cpu", torch.bfloat16, enabled=torch.cpu.get_capabilities().get("amx_bf16", False)
                ):
                    logits = model(ids[rows, :longest], real[rows, :longest])
                optimizer.zero_grad()
                F.cross_entropy(logits.float(), labels[rows], weights).backward()
                nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                optimizer.step()
                schedule.step()
        with torch.inference_mode():
            said = model.eval()(ids[test], real[test]).argmax(-1)
        found = utterances.loc[fold.test, ["emotion", "speaker"]]
        predictions.append(found.assign(predicted=[names[one] for one in said], fold=fold.name))
    way = name or ("pretrained" if pretrained else "random weights")
    return pd.concat(predictions).assign(model=f"{way}, {depth}", seed=seed)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m making.pretraining.fine_tuning",
        description="What the first layers of a text encoder are worth on the embedded corpus.",
    )
    parser.add_argument("folder", type=Path, help="config.json, model.safetensors, tokenizer and README.md")
    parser.add_argument("--depths", type=int, nargs="+", default=None, help="6 3 2 1, as far as there are")
    parser.add_argument(
        "--beside", nargs="+", default=[], metavar="FOLDER:LAYERS", help="encoders to compare the first with"
    )
    parser.add_argument("--seeds", type=int, default=SEEDS)
    chosen = parser.parse_args(arguments)
    card = chosen.folder / "README.md"
    try:
        if not card.is_file():
            raise SernbError(f"{chosen.folder}: expected an encoder's folder with README.md, found none.")
        most = BertConfig.from_pretrained(chosen.folder).num_hidden_layers
        depths = chosen.depths or [one for one in DEPTHS if one <= most]
        models = [(chosen.folder, depth, way, None) for way in (True, False) for depth in depths]
        models += [named(one) for one in chosen.beside]
        runs = [(*one, seed) for one in models for seed in range(chosen.seeds)]
        bar = tqdm(runs, desc="fine-tuning", unit="run", disable=None)
        predictions = pd.concat(
            fine_tuned(folder, depth, seed, way, name) for folder, depth, way, name, seed in bar
        )
    except SernbError as error:
        print(error, file=sys.stderr)
        return 1
    text = TEXT.format(
        epochs=EPOCHS,
        batch=BATCH,
        rate=LEARNING_RATE,
        seeds=chosen.seeds,
        command=" ".join(command(chosen)),
        rows=rows(predictions),
    )
    if chosen.beside:
        text += differences(predictions)
    print(text)
    before = card.read_text(encoding="utf-8").split("\n## Fine-tuned")[0].rstrip()
    beside = card.with_name("README.md.part")
    beside.write_text(f"{before}\n\n{text}", encoding="utf-8", newline="\n")
    os.replace(beside, card)
    return 0


def command(chosen: argparse.Namespace) -> list[str]:
    """What was asked for, without the folders that encoders lie in."""
    words = ["python -m making.pretraining.fine_tuning FOLDER", f"--seeds {chosen.seeds}"]
    if chosen.depths:
        words.append(f"--depths {' '.join(map(str, chosen.depths))}")
    if chosen.beside:
        words.append(f"--beside {' '.join(one.rpartition('/')[2] for one in chosen.beside)}")
    return words


def named(given: str) -> tuple[Path, int, bool, str]:
    """What `fine_tuned` takes for "FOLDER:LAYERS"; the model is called by the folder."""
    folder, _, depth = given.rpartition(":")
    if not depth.isdecimal() or not (Path(folder) / "config.json").is_file():
        raise SernbError(f"--beside {given}: expected an encoder's folder, a colon and a number of layers.")
    return Path(folder), int(depth), True, Path(folder).name


def differences(predictions: pd.DataFrame) -> str:
    """How far the first model is above each of the others."""
    first, *others = predictions["model"].unique()
    lines = []
    for other in others:
        one = paired_bootstrap(predictions, first, other)
        cells = [f"{100 * one[name]:+.1f}" for name in ("difference", "low", "high")]
        lines.append(f"| {' | '.join([other, *cells, format(one['p'], '.3f')])} |")
    return DIFFERENCES.format(first=first.capitalize(), rows="\n".join(lines))


def rows(predictions: pd.DataFrame) -> str:
    """A line of the table for each model."""
    single, lines = scores(predictions, by=("model", "seed"))["UAR"], []
    for one in bootstrap(predictions).itertuples():
        cells = [f"{100 * number:.1f}" for number in (one.value, one.low, one.high)]
        seeds = ", ".join(f"{100 * number:.1f}" for number in single[one.model])
        lines.append(f"| {' | '.join([one.model, *cells, seeds])} |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
