"""python -m making.pretraining.mini_distilhubert --teacher DIR --out DIR: the small HuBERT in two layers.

As Chang et al. 2022 ("DistilHuBERT"): a student that begins as the teacher's first layers guesses, from its
last layer, several layers of the teacher's, each through a head of its own. The heads are thrown away. The
convolutions stay the teacher's: unlike the paper's they do not learn on, so that the speech goes through them
once.
"""

import argparse
import sys
import time
from copy import deepcopy
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.nn import functional as F
from tqdm.auto import tqdm
from transformers import HubertModel, get_linear_schedule_with_warmup

from making.generator.build import digest
from making.pretraining import cards, speech_card, speech_probes
from making.pretraining.going_on import gone_on, kept
from making.pretraining.masked_prediction import (
    BATCH,
    CHECKED,
    LEARNING_RATE,
    POINTS,
    WARM_UP,
    WEIGHT_DECAY,
    Crops,
    kept_apart,
    without_convolutions,
)
from making.pretraining.mini_hubert import (
    SEED,
    SPEAKERS,
    UTTERANCES,
    begin,
    convolutions_output,
    finish,
    ship,
)
from making.pretraining.spoken import speech as make_speech
from sernb.core.errors import SernbError, exit_code
from sernb.core.files import must_be_new

STEPS, LAYERS = 1000, 2
COMMAND = "python -m making.pretraining.mini_distilhubert"
WEIGHT = 1.0  # lambda, of the cosine in the loss


def student_of(teacher: HubertModel, layers: int = LAYERS) -> HubertModel:
    """A network of so many layers with the weights of the teacher's convolutions and first layers.

    Raises SernbError where the teacher has not more layers than that.
    """
    if not 1 <= layers < teacher.config.num_hidden_layers:
        raise SernbError(
            f"a teacher of {teacher.config.num_hidden_layers} layers is to be distilled into {layers}; "
            "expected at least "
            "1, and fewer than the teacher has."
        )
    config = deepcopy(teacher.config)
    config.num_hidden_layers = layers
    config.apply_spec_augment = False  # nothing is masked
    student = HubertModel(config)
    student.load_state_dict({name: teacher.state_dict()[name] for name in student.state_dict()})
    return student


def guessed(layers: int) -> list[int]:
    """The teacher's layers that the student guesses: a third and two thirds of the way up, and the last (of
    12: 4, 8, 12)."""
    return sorted({max(round(layers * part / 3), 1) for part in (1, 2, 3)})


class Guesser(nn.Module):
    """The student with one linear head for each of the teacher's layers."""

    def __init__(self, student: HubertModel, heads: int):
        super().__init__()
        self.student = student
        width = student.config.hidden_size
        self.heads = nn.ModuleList(nn.Linear(width, width) for _ in range(heads))

    def forward(self, heard: torch.Tensor) -> torch.Tensor:
        """(batch, channels, frames), what the convolutions give, to (heads, batch, frames, width)."""
        states = self.student(heard).last_hidden_state
        return torch.stack([head(states) for head in self.heads])


def distance(guess: torch.Tensor, truth: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The loss of guessed states, (heads, batch, frames, width) both, and each head's mean cosine, (heads,).

    Mean absolute error minus WEIGHT times the logarithm of the sigmoid of the cosine, averaged over frames
    and summed over heads (eq. 1 of the paper).
    """
    cosine = F.cosine_similarity(guess, truth, dim=-1)
    each = (guess - truth).abs().mean(-1) - WEIGHT * F.logsigmoid(cosine)
    return each.mean((1, 2)).sum(), cosine.mean((1, 2))


@torch.inference_mode()
def states_of(teacher: HubertModel, heard: torch.Tensor, layers: list[int]) -> torch.Tensor:
    """What the teacher takes, to its layers (1 the first), (layers, batch, frames, width)."""
    found = teacher(heard, output_hidden_states=True).hidden_states
    return torch.stack([found[layer] for layer in layers])


def distil(
    teacher: HubertModel,
    student: HubertModel,
    learning: Crops,
    held_out: Crops,
    steps: int,
    seed: int,
    checkpoint: Path | None = None,
    stop: int | None = None,
) -> pd.DataFrame:
    """Train the student where it is, and give its curve: step, loss (mean since the row before), the loss of
    held-out crops and their mean cosine for each of the teacher's layers. The crops are of what the
    convolutions give, and both networks are without theirs; checkpoint, stop, minutes: as
    `masked_prediction.train`.
    """
    torch.manual_seed(seed)
    teacher.eval()
    layers = guessed(teacher.config.num_hidden_layers)
    model = Guesser(student, len(layers)).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    schedule = get_linear_schedule_with_warmup(optimizer, round(WARM_UP * steps), steps)
    parts = {"model": model, "optimizer": optimizer, "schedule": schedule}
    begun, curve = gone_on(checkpoint, parts)
    seen, spent, clock = [], curve[-1]["minutes"] if curve else 0.0, time.process_time()
    with tqdm(total=steps, initial=begun, desc="distilling", unit="step", disable=None) as bar:
        for step in range(begun + 1, (stop or steps) + 1):
            loss, _ = compared(teacher, model, learning, layers)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            seen.append(loss.item())
            bar.update()
            if step == steps or step % max(steps // POINTS, 1) == 0:
                judged, cosines = judge(teacher, model, held_out, layers, seed)
                row = {"step": step, "loss": float(np.mean(seen)), "held_out_loss": judged}
                row |= {f"cosine_{layer}": one for layer, one in zip(layers, cosines, strict=True)}
                curve.append(row | {"minutes": spent + (time.process_time() - clock) / 60})
                seen.clear()
                bar.set_postfix(loss=f"{judged:.3f}", cosine=f"{cosines[-1]:.3f}")
                kept(checkpoint, parts, step, curve)
    student.eval()
    return pd.DataFrame(curve)


def compared(teacher, model: Guesser, crops: Crops, layers: list[int], generator=None):
    """`distance` between student and teacher on new crops."""
    heard, _ = crops.draw(BATCH, generator)
    return distance(model(heard), states_of(teacher, heard, layers).clone())


@torch.inference_mode()
def judge(
    teacher, model: Guesser, held_out: Crops, layers: list[int], seed: int
) -> tuple[float, list[float]]:
    """Loss and cosines on the same held-out crops every time."""
    model.eval()
    generator = torch.Generator().manual_seed(seed)
    found = [compared(teacher, model, held_out, layers, generator) for _ in range(-(-CHECKED // BATCH))]
    model.train()
    losses, cosines = zip(*found, strict=True)
    return torch.stack(losses).mean().item(), torch.stack(cosines).mean(0).tolist()


def pretrain(
    out: Path,
    teacher: Path,
    speech: Path | None = None,
    utterances: int = UTTERANCES,
    speakers: int = SPEAKERS,
    steps: int = STEPS,
    layers: int = LAYERS,
    seed: int = SEED,
    jobs: int | None = None,
) -> None:
    """Write the student, its curve training.csv and its card README.md into `out`, a new folder.

    teacher: a folder with a HuBERT. The rest is as in `mini_hubert.pretrain`, whose speech this is if seed,
    utterances and speakers are the same.
    """
    out = Path(out)
    must_be_new(out)
    if steps < 1:
        raise SernbError("steps must be at least 1.")
    network = speech_probes.read_encoder(teacher)
    torch.manual_seed(seed)
    student = student_of(network, layers)
    settings = {
        "utterances": utterances,
        "speakers": speakers,
        "steps": steps,
        "layers": layers,
        "seed": seed,
    }
    work = begin(out, settings | {"teacher": digest(Path(teacher) / "model.safetensors")})
    where = work / "speech" if speech is None else Path(speech)
    spoken = make_speech(where / "pretraining", utterances, seed, speakers, jobs)
    unseen = kept_apart(spoken)
    source = convolutions_output(spoken, network, work)
    learning, held_out = (Crops(source, spoken.phones, np.flatnonzero(rows)) for rows in (~unseen, unseen))
    with without_convolutions(network, student):
        curve = distil(network, student, learning, held_out, steps, seed, work / "distilled.pt")
    shipped = work / "encoder"
    ship(student, shipped)
    curve.round(4).to_csv(shipped / "training.csv", index=False, lineterminator="\n")
    probed = make_speech(where / "probes", speech_probes.UTTERANCES, seed + 1, speech_probes.SPEAKERS, jobs)
    guesses = guessed(network.config.num_hidden_layers)
    fields = {
        "command": cards.command("mini_distilhubert --teacher DIR", settings),
        "steps": steps,
        "teacher_layers": network.config.num_hidden_layers,
        "guessed": ", ".join(map(str, guesses)),
        "columns": " | ".join(f"cosine to layer {one}" for one in guesses),
        "rules": "|".join("---" for _ in range(len(guesses) + 4)),
    }
    speech_card.write(shipped, "mini_distilhubert", fields, spoken, probed, curve)
    finish(shipped, out)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog=COMMAND,
        description="Distil the kit's small HuBERT into fewer layers. "
        "The same command goes on with a run that was cut off.",
    )
    parser.add_argument("--teacher", type=Path, required=True, help="a folder with a HuBERT")
    parser.add_argument("--out", type=Path, required=True, help="a new folder")
    parser.add_argument("--speech", type=Path, help="where the speech lies, or is to be kept for other runs")
    parser.add_argument("--utterances", type=int, default=UTTERANCES)
    parser.add_argument("--speakers", type=int, default=SPEAKERS)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--layers", type=int, default=LAYERS)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--jobs", type=int, default=None, help="processes that speak; all cores by default")
    return exit_code(pretrain, **vars(parser.parse_args(arguments)))


if __name__ == "__main__":
    sys.exit(main())
