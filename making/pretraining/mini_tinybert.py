"""python -m making.pretraining.mini_tinybert --out DIR: mini-bert distilled into a smaller one, as TinyBERT
was from BERT.

The student imitates what stands inside the teacher: its embeddings, and at evenly spaced layers its attention
scores and hidden states. Its answers come next: how sure the teacher is of the valence of the whole sentence
and of the two parts that multiply to it (`making.pretraining.mini_bert` says which). No label is learnt from,
only the teacher.

Source: X. Jiao et al., "TinyBERT: Distilling BERT for Natural Language Understanding", Findings of EMNLP 2020
(below: "the paper").
"""

import os
import random
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd
import torch
from torch import nn
from torch.nn import functional as F
from tqdm.auto import tqdm
from transformers import BertConfig, BertModel, BertTokenizer, get_linear_schedule_with_warmup

from making.generator.grammar import Sentence
from making.generator.knobs import Knobs
from making.pretraining import cards
from making.pretraining.command import make_text_encoder
from making.pretraining.imitation import Answers, Imitation, layers_of
from making.pretraining.mini_bert import (
    BATCH,
    HARDER,
    HELD_OUT,
    POINTS,
    SPREAD,
    WEIGHT_DECAY,
    answers,
    batches,
    padded,
    ship,
)
from making.pretraining.sentences import sentences
from sernb.core.errors import SernbError
from sernb.core.files import must_be_new, whole_folder
from sernb.features.encoders import own_folder, text_encoder
from sernb.losses import kl_divergence

SENTENCES, STEPS, LAYERS, WIDTH, SEED = 60_000, 1500, 3, 64, 0
LEARNING_RATE, WARM_UP = 2e-3, 0.1
INSIDE = 0.5  # of the steps imitate the inside alone, the paper's first stage; then the answers too
TEMPERATURE = 1.0  # of the answers; the paper found 1 to do well


def new_student(teacher: BertModel, layers: int, width: int) -> BertModel:
    """A BERT with random weights, the teacher's vocabulary and as many heads, without a pooler."""
    shape = {"num_hidden_layers": layers, "hidden_size": width, "intermediate_size": 4 * width}
    student = BertModel(BertConfig(**{**teacher.config.to_dict(), **shape}), add_pooling_layer=False)
    with torch.no_grad():
        for table in student.embeddings.children():
            if isinstance(table, nn.Embedding):
                table.weight.mul_(0.02 / SPREAD)
    return student


def distil(
    teacher: BertModel,
    learning: list[Sentence],
    held_out: list[Sentence],
    tokenizer: BertTokenizer,
    steps: int = STEPS,
    layers: int = LAYERS,
    width: int = WIDTH,
    seed: int = SEED,
) -> tuple[BertModel, pd.DataFrame, float]:
    """The student, its curve (step, losses, which are means since the row before, and how often its valence
    of held-out sentences is right), and how often the teacher's is.

    The teacher's own heads were not kept, so linear ones are fitted to it anew in the first stage, with the
    grammar's answers; the student sees only what they say.
    """
    torch.manual_seed(seed)
    teacher = teacher.eval().requires_grad_(False)
    model = Imitation(new_student(teacher, layers, width), teacher).train()
    told = Answers(teacher.config.hidden_size)
    encoded, unseen = (
        [torch.tensor(ids) for ids in tokenizer([one.text for one in part])["input_ids"]]
        for part in (learning, held_out)
    )
    targets, truth = (
        answers(learning)[1:].T,
        answers(held_out)[1:].T,
    )  # (sentences, 3): valence, thing, reversals
    fitting = torch.optim.AdamW(told.parameters(), lr=1e-2)
    optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    schedule = get_linear_schedule_with_warmup(optimizer, round(WARM_UP * steps), steps)
    rows_of = batches([len(ids) for ids in encoded], random.Random(seed))
    half_precision = torch.cpu.get_capabilities().get("amx_bf16", False)  # slower on CPUs without
    curve, losses = [], []
    with tqdm(total=steps, desc="distilling", unit="step", disable=None) as bar:
        for step in range(1, steps + 1):
            rows = next(rows_of)
            ids = padded(encoded, rows)
            real = ids != tokenizer.pad_token_id
            with torch.autocast("cpu", torch.bfloat16, enabled=half_precision):
                with torch.no_grad():
                    found = teacher(ids, attention_mask=real.long(), output_hidden_states=True).hidden_states
                errors, said = model(ids, real, found)
            says, said = told(found[-1].float(), real), said.float()
            if step <= INSIDE * steps:
                fitting.zero_grad()
                F.cross_entropy(says.flatten(0, 1), targets[rows].flatten()).backward()
                fitting.step()
                errors["answers"] = 0 * said.sum()
            else:
                errors["answers"] = kl_divergence(said.flatten(0, 1), says.flatten(0, 1), TEMPERATURE)
            optimizer.zero_grad()
            sum(errors.values()).backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            losses.append({name: error.item() for name, error in errors.items()})
            if step == steps or step % max(steps // POINTS, 1) == 0:
                means = pd.DataFrame(losses).mean()
                right = right_answers(model.student, model.answers, unseen, truth)
                curve.append({"step": step, **means, "valence": right})
                losses.clear()
                bar.set_postfix(loss=f"{means.sum():.3f}", valence=f"{right:.3f}")
            bar.update()
    return model.student.eval(), pd.DataFrame(curve), right_answers(teacher, told, unseen, truth)


@torch.inference_mode()
def right_answers(
    encoder: BertModel, read: Answers, encoded: list[torch.Tensor], truth: torch.Tensor
) -> float:
    """Share of sentences whose valence is told right."""
    training, right = encoder.training, 0
    encoder.eval()
    for rows in torch.arange(len(encoded)).split(250):
        ids = padded(encoded, rows)
        real = ids != encoder.config.pad_token_id
        states = encoder(ids, attention_mask=real.long()).last_hidden_state
        right += (read(states, real)[:, 0].argmax(-1) == truth[rows, 0]).sum().item()
    encoder.train(training)
    return right / len(encoded)


def make(
    out: Path,
    number: int = SENTENCES,
    steps: int = STEPS,
    layers: int = LAYERS,
    width: int = WIDTH,
    seed: int = SEED,
) -> None:
    """Write the student (float16), the teacher's tokenizer, its curve training.csv and its card README.md
    into `out`, a new folder. The sentences are those that mini-bert learnt from, and the same are held
    out."""
    must_be_new(out)
    teacher, tokenizer = text_encoder("mini-bert")
    depth, heads = teacher.config.num_hidden_layers, teacher.config.num_attention_heads
    if min(number, steps, layers, width) < 1 or layers > depth:
        raise SernbError(
            f"sentences, steps, layers and width must be at least 1, and layers at most {depth}."
        )
    if width % heads:
        raise SernbError(f"width must be a multiple of the {heads} heads; it is {width}.")

    begun = os.times()
    held_out = sentences(min(HELD_OUT, number), seed + 1, Knobs())
    learning = sentences(number, seed, replace(Knobs(), **HARDER), [one.text for one in held_out])
    student, curve, of_teacher = distil(teacher, learning, held_out, tokenizer, steps, layers, width, seed)
    taken = os.times()

    settings = {"sentences": number, "steps": steps, "layers": layers, "width": width, "seed": seed}
    with whole_folder(out, new=True) as folder:
        ship(student, folder)
        for file in ("tokenizer.json", "tokenizer_config.json"):
            shutil.copyfile(own_folder("mini-bert") / file, folder / file)
        curve.round(4).to_csv(folder / "training.csv", index=False, lineterminator="\n")
        cards.write(
            folder,
            "mini_tinybert",
            **settings,
            command=cards.command("mini_tinybert", settings),
            heads=student.config.num_attention_heads,
            pieces=student.config.vocab_size,
            parameters=student.num_parameters(),
            teacher_parameters=teacher.num_parameters(),
            teacher_layers=depth,
            teacher_width=teacher.config.hidden_size,
            pairs=", ".join(f"{here} from {there}" for here, there in enumerate(layers_of(layers, depth), 1)),
            held_out=len(held_out),
            of_teacher=of_teacher,
            cpu=(sum(taken[:2]) - sum(begun[:2])) / 60,
            clock=(taken[4] - begun[4]) / 60,
            batch=BATCH,
            rate=LEARNING_RATE,
            temperature=TEMPERATURE,
            inside=round(INSIDE * steps),
            curve=cards.cells(curve.round(3)),
        )


def main(arguments: list[str] | None = None) -> int:
    numbers = {"number": SENTENCES, "steps": STEPS, "layers": LAYERS, "width": WIDTH, "seed": SEED}
    what = "Distil the kit's small text encoder into a smaller one again."
    return make_text_encoder(make, "mini_tinybert", what, arguments, **numbers)


if __name__ == "__main__":
    sys.exit(main())
