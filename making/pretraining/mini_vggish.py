"""python -m making.pretraining.mini_vggish --out DIR: a small VGGish that learnt to hear how a voice was set.

The published VGGish learnt to name the sounds of millions of videos. This one hears synthetic voices from the
generator of the embedded corpus, other speakers saying other sentences, and learns what the synthesiser was
told: rate, pitch, melody, loudness, roughness, breath, and whose voice it was. No emotion is among that.
"""

import argparse
import os
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.nn import functional as F
from tqdm.auto import tqdm

from making.generator.knobs import Knobs
from making.pretraining import cards
from making.pretraining.voices import voices, windows
from sernb.core.errors import SernbError, exit_code
from sernb.core.files import must_be_new, whole_folder
from sernb.corpora import load
from sernb.evaluation import bootstrap
from sernb.evaluation.baselines import baseline
from sernb.features.audio import read_utterances
from sernb.models.vggish import FRAMES, VGGish, VGGishConfig, examples_of
from sernb.protocols import leave_one_session_out

SHAPE = VGGishConfig(channels=(16, 32, 64, 64, 128, 128), hidden=(256, 256))
UTTERANCES, EPOCHS, SEED = 6000, 6, 11
FEWEST = 40  # utterances: three each of the twelve speakers of four sessions
UNSEEN = 0.1  # share of the sessions, and so of the speakers, kept for validation
BATCH, LEARNING_RATE, WEIGHT_DECAY = 64, 1e-3, 1e-2
RANDOM = (0, 1, 2)  # seeds of the untrained networks to compare with


class VoiceReader(nn.Module):
    """A VGGish, and one linear layer that reads settings off its embedding, normalised as the fusion head
    does it."""

    def __init__(self, config: VGGishConfig, settings: int):
        super().__init__()
        self.audio = VGGish(config)
        self.read = nn.Sequential(nn.LayerNorm(config.embedding), nn.Linear(config.embedding, settings))

    def forward(self, examples):
        return self.read(self.audio(examples))


@torch.no_grad()
def balance(model: VGGish, examples: torch.Tensor) -> None:
    """Scale and shift each layer so that its units have mean 0 and spread 1 over `examples`, before any
    training.

    Else many units of the last ReLU are silent from the start, and what is silent does not learn (Krähenbühl
    et al., "Data-dependent Initializations of Convolutional Neural Networks", ICLR 2016).
    """

    def normalise(layer, _, out):
        axes = [axis for axis in range(out.dim()) if axis != 1]
        mean, spread = out.mean(axes, keepdim=True), out.std(axes, keepdim=True).clamp(min=1e-3)
        layer.weight.div_(spread.view(-1, *[1] * (layer.weight.dim() - 1)))
        layer.bias.copy_((layer.bias - mean.flatten()) / spread.flatten())
        return (out - mean) / spread

    layers = (*model.convs, *model.linears)
    for layer in layers:
        nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    handles = [layer.register_forward_hook(normalise) for layer in layers]
    model(examples)
    for handle in handles:
        handle.remove()


def train(
    told: pd.DataFrame, frames: list[torch.Tensor], epochs: int, seed: int
) -> tuple[VGGish, pd.DataFrame, pd.Series]:
    """The trained network, its curve (epoch, loss, R2 on unseen speakers), and that R2 of each setting at the
    end."""
    sessions = sorted(told["session"].unique())
    unseen = told["session"].isin(sessions[: max(1, round(UNSEEN * len(sessions)))]).to_numpy()
    settings = told.drop(columns="session")
    settings = (settings - settings[~unseen].mean()) / settings[~unseen].std().clip(lower=1e-6)

    def part(rows):
        kept = [one for one, keep in zip(frames, rows, strict=True) if keep]
        return (
            torch.cat(kept),
            [len(one) for one in kept],
            torch.from_numpy(settings[rows].to_numpy()).float(),
        )

    sound, lengths, targets = part(~unseen)
    tests = part(unseen)
    torch.manual_seed(seed)
    model = VoiceReader(SHAPE, len(settings.columns)).to(memory_format=torch.channels_last)
    begins, _ = windows(lengths)
    balance(model.audio, at(sound, begins[torch.randperm(len(begins))[:256]]))
    steps = epochs * -(-len(begins) // BATCH)
    optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, LEARNING_RATE, total_steps=steps + 1, pct_start=0.1
    )
    curve = []
    with tqdm(total=steps, desc="training", unit="step", disable=None) as bar:
        for epoch in range(1, epochs + 1):
            begins, owners = windows(lengths, int(torch.randint(FRAMES, ())))
            total = 0.0
            for rows in torch.randperm(len(begins)).split(BATCH):
                loss = F.mse_loss(model(at(sound, begins[rows])), targets[owners[rows]])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                schedule.step()
                total += loss.item() * len(rows)
                bar.update()
            fit = explained(model, *tests)
            curve.append({"epoch": epoch, "loss": total / len(begins), "R2": fit.mean()})
            bar.set_postfix(loss=f"{curve[-1]['loss']:.3f}", R2=f"{fit.mean():.3f}")
    return model.audio, pd.DataFrame(curve), pd.Series(fit, settings.columns)


def at(sound: torch.Tensor, begins: torch.Tensor) -> torch.Tensor:
    """The examples (n, 96, 64) that begin at these of all frames."""
    return sound[begins[:, None] + torch.arange(FRAMES)].float()


@torch.inference_mode()
def explained(model: VoiceReader, sound, lengths, targets) -> np.ndarray:
    """R2 of each setting over the examples of some utterances; 0 is what their mean would give."""
    begins, owners = windows(lengths)
    found = torch.cat([model(at(sound, some)) for some in begins.split(256)])
    targets = targets[owners]
    errors = (found - targets).square().sum(0) / (targets - targets.mean(0)).square().sum(0).clamp(min=1e-6)
    return (1 - errors).double().numpy()  # float32 would print 0.3 as 0.30000001


def probe(models: dict[str, list[VGGish]]) -> tuple[pd.DataFrame, dict]:
    """UAR on the embedded corpus, leave one session out, with intervals, of frozen embeddings and acoustic
    statistics.

    An utterance is the mean and standard deviation of its embeddings; the classifier is the baselines'.
    Several models under one name count as seeds. Beside it {name: (units that no example wakes, share of
    zeros)} of the first of each.
    """
    utterances, waveforms = read_utterances(load("embedded"))
    folds = leave_one_session_out(utterances)
    examples = [examples_of(waveform) for waveform in waveforms]
    tables, silence = [baseline(utterances, folds, "audio").assign(model="acoustic statistics", seed=0)], {}
    for name, seeds in models.items():
        for seed, model in enumerate(seeds):
            with torch.inference_mode():
                vectors = torch.cat([model.eval()(some) for some in torch.cat(examples).split(256)])
            one = vectors.split([len(some) for some in examples])
            pooled = [torch.cat([some.mean(0), some.std(0, correction=0)]).numpy() for some in one]
            pooled = pd.DataFrame(pooled, utterances.index).add_prefix("embedding_")
            tables.append(baseline(utterances, folds, "audio", pooled).assign(model=name, seed=seed))
            zero = vectors == 0
            silence.setdefault(name, (int(zero.all(0).sum()), float(zero.float().mean())))
    return bootstrap(pd.concat(tables)).set_index("model"), silence


def pretrain(out: Path, utterances: int, epochs: int, seed: int, jobs: int | None = None) -> None:
    """Write the network (config.json, model.safetensors in float16) and its card README.md into `out`, a new
    folder."""
    must_be_new(out)
    if epochs < 1 or utterances < FEWEST:
        raise SernbError(
            f"expected at least 1 epoch and {FEWEST} utterances, got {epochs} epochs and {utterances} "
            "utterances."
        )

    begun = os.times()
    told, frames = voices(utterances, seed, jobs)
    model, curve, settings = train(told, frames, epochs, seed)
    taken = np.subtract(os.times(), begun)

    with whole_folder(out, new=True) as folder:
        model.half().save_pretrained(folder)
        untrained = []
        for one in RANDOM:
            torch.manual_seed(one)
            untrained.append(VGGish(SHAPE))
        judged, silence = probe({"trained": [VGGish.from_pretrained(folder)], "random weights": untrained})
        options = {"utterances": utterances, "epochs": epochs, "seed": seed}
        cards.write(
            folder,
            "mini_vggish",
            command=cards.command("mini_vggish", options),
            parameters=sum(one.numel() for one in model.parameters()),
            spoken=len(told),
            hours=sum(map(len, frames)) / 360_000,
            sessions=told["session"].nunique(),
            speakers=told["session"].nunique() * Knobs.speakers_per_session,
            minutes=taken[:4].sum() / 60,
            clock=taken[4] / 60,
            epochs=epochs,
            batch=BATCH,
            curve=cards.cells(curve.round(3)),
            settings=cards.cells(settings.round(2).reset_index()),
            probe=cards.cells((100 * judged[["value", "low", "high"]]).round(1).reset_index()),
            silent=silence["trained"][0],
            zeros=silence["trained"][1],
        )


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m making.pretraining.mini_vggish", description="Pretrain the kit's small VGGish again."
    )
    parser.add_argument("--out", type=Path, required=True, help="a new folder")
    parser.add_argument("--utterances", type=int, default=UTTERANCES)
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--jobs", type=int, default=None, help="processes that speak; all cores by default")
    return exit_code(pretrain, **vars(parser.parse_args(arguments)))


if __name__ == "__main__":
    sys.exit(main())
