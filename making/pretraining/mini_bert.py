"""python -m making.pretraining.mini_bert --out DIR: a small BERT that learnt to read the grammar's sentences.

Guessing masked words alone does not teach that "refused to raise the rent" is good news. So it is asked for
the valence of the whole sentence too, and, a few layers below, for the two parts that multiply to it: how
good or bad the thing is that the sentence is about, and how often that is turned round. The grammar of
`making.generator` knows all three.
"""

import os
import random
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
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
from making.pretraining.sentences import sentences
from sernb.core.errors import SernbError
from sernb.core.files import must_be_new, whole_folder
from sernb.features.text import SPECIAL, learn

SENTENCES, HELD_OUT, STEPS, LAYERS, WIDTH, SEED = 60_000, 2000, 1500, 6, 128, 0
HARDER = {
    "emotion_words": 0.2
}  # a feeling that is named gives the answer away; the corpus names more of them
HEAD = 32  # width of an attention head
BATCH, LEARNING_RATE, WEIGHT_DECAY, WARM_UP = 64, 1e-3, 1e-2, 0.1
MASKED = 0.15  # of the pieces in sentences that pieces are masked in
SPREAD = 0.05  # of random weights: BERT's 0.02 fits its width; at 128 the upper layers then stay idle
POINTS = 15  # of the learning curve


class Reader(nn.Module):
    """The encoder with the heads that are thrown away after the training.

    The valence is read off twice, from the pooled token 0 and from the mean of the last states: a model on
    top may take token 0, but one that attends to the whole sequence begins by averaging it. The parts of it
    are read `below`.
    """

    def __init__(self, encoder: BertModel, below: int):
        super().__init__()
        self.encoder, self.below, width = encoder, below, encoder.config.hidden_size
        self.word = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.LayerNorm(width))
        self.frequency = nn.Parameter(torch.zeros(encoder.config.vocab_size))
        self.first, self.mean, self.thing, self.reversals = (nn.Linear(width, 3) for _ in range(4))

    def forward(self, ids: torch.Tensor, masked: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """ids (batch, pieces), masked (batch, pieces) bool → logits of the masked pieces (n, vocabulary), and
        of valence by token 0, valence by the mean, thing and reversals, each -1, 0, 1 or 0, 1, 2: (4, batch,
        3)."""
        real = ids != self.encoder.config.pad_token_id
        out = self.encoder(ids, attention_mask=real.long(), output_hidden_states=True)
        top, part = out.last_hidden_state, out.hidden_states[self.below]
        top_mean, part_mean = (
            (one * real[..., None]).sum(1) / real.sum(1, keepdim=True) for one in (top, part)
        )
        words = F.linear(
            self.word(top[masked]), self.encoder.embeddings.word_embeddings.weight, self.frequency
        )
        pooled = (
            self.first(out.pooler_output),
            self.mean(top_mean),
            self.thing(part_mean),
            self.reversals(part_mean),
        )
        return words, torch.stack(pooled)


def below(layers: int) -> int:
    """The layer that the parts are read off: the last but one."""
    return max(layers - 1, 1)


def answers(part: list[Sentence]) -> torch.Tensor:
    """(4, sentences): the classes that Reader is asked for."""
    rows = []
    for one in part:
        thing = one.valence * (-1) ** one.reversals
        rows.append((one.valence + 1, one.valence + 1, thing + 1, min(one.reversals, 2)))
    return torch.tensor(rows).T


def mask(ids: torch.Tensor, vocabulary: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Mask pieces in the even rows as BERT does: 80 % [MASK], 10 % another piece, 10 % left as they are.

    The odd rows stay whole, because without its "not" a sentence's valence is a guess.
    Returns the changed ids and which pieces to guess, both (batch, pieces).
    """
    masked = (torch.rand(ids.shape) < MASKED) & (ids >= len(SPECIAL))
    masked[1::2] = False
    way, changed = torch.rand(ids.shape), ids.clone()
    changed[masked & (way < 0.8)] = SPECIAL.index("[MASK]")
    other = masked & (way >= 0.9)
    changed[other] = torch.randint(len(SPECIAL), vocabulary, ids.shape)[other]
    return changed, masked


def batches(lengths: list[int], rng: random.Random) -> Iterator[list[int]]:
    """Row numbers without end: every sentence once a round, those of like length together, to pad little."""
    while True:
        rows = rng.sample(range(len(lengths)), len(lengths))
        for pool in range(0, len(rows), 50 * BATCH):
            near = sorted(rows[pool : pool + 50 * BATCH], key=lengths.__getitem__)
            together = [near[start : start + BATCH] for start in range(0, len(near), BATCH)]
            rng.shuffle(together)
            yield from (rows for rows in together if len(rows) > 1)


def padded(encoded: list[torch.Tensor], rows: Iterable[int]) -> torch.Tensor:
    return nn.utils.rnn.pad_sequence([encoded[row] for row in rows], batch_first=True)


@torch.inference_mode()
def accuracy(model: Reader, encoded: list[torch.Tensor], truth: torch.Tensor) -> list[float]:
    """Share of right answers: valence by token 0, valence by the mean, thing, reversals."""
    model.eval()
    right = torch.zeros(4)
    for rows in torch.arange(len(encoded)).split(250):
        ids = padded(encoded, rows)
        _, logits = model(ids, torch.zeros_like(ids, dtype=torch.bool))
        right += (logits.argmax(-1) == truth[:, rows]).sum(1)
    model.train()
    return (right / len(encoded)).tolist()


def train(
    learning: list[Sentence],
    held_out: list[Sentence],
    tokenizer: BertTokenizer,
    steps: int = STEPS,
    layers: int = LAYERS,
    width: int = WIDTH,
    seed: int = SEED,
) -> tuple[BertModel, pd.DataFrame]:
    """The trained encoder and its curve: step, losses (means since the row before) of masked words, valence
    and parts, and the accuracies on `held_out`."""
    torch.manual_seed(seed)
    shape = {"num_hidden_layers": layers, "hidden_size": width, "intermediate_size": 4 * width}
    heads = {"num_attention_heads": max(width // HEAD, 1), "initializer_range": SPREAD}
    model = Reader(BertModel(BertConfig(vocab_size=len(tokenizer), **shape, **heads)), below(layers)).train()
    with torch.no_grad():  # small embeddings move fast: words first, their composition next
        for table in model.encoder.embeddings.children():
            if isinstance(table, nn.Embedding):
                table.weight.mul_(0.02 / SPREAD)
    encoded, unseen = (
        [torch.tensor(ids) for ids in tokenizer([one.text for one in part])["input_ids"]]
        for part in (learning, held_out)
    )
    targets, truth = answers(learning), answers(held_out)
    optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    schedule = get_linear_schedule_with_warmup(optimizer, round(WARM_UP * steps), steps)
    rows_of = batches([len(ids) for ids in encoded], random.Random(seed))
    half_precision = torch.cpu.get_capabilities().get("amx_bf16", False)  # slower on CPUs without
    curve, losses = [], []
    with tqdm(total=steps, desc="training", unit="step", disable=None) as bar:
        for step in range(1, steps + 1):
            rows = next(rows_of)
            whole = padded(encoded, rows)
            ids, masked = mask(whole, len(tokenizer))
            with torch.autocast("cpu", torch.bfloat16, enabled=half_precision):
                words, logits = model(ids, masked)
            asked, target = logits[:, 1::2].float(), targets[:, rows][:, 1::2]
            each = (
                F.cross_entropy(asked.flatten(0, 1), target.flatten(), reduction="none").view(4, -1).mean(1)
            )
            word = F.cross_entropy(words.float(), whole[masked], reduction="sum") / masked.sum().clamp(min=1)
            optimizer.zero_grad()
            (word + each[:2].mean() + each[2:].mean()).backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            losses.append([word.item(), each[:2].mean().item(), each[2:].mean().item()])
            if step == steps or step % max(steps // POINTS, 1) == 0:
                means = pd.DataFrame(losses, columns=["word_loss", "valence_loss", "parts_loss"]).mean()
                right = accuracy(model, unseen, truth)
                names = ("valence_by_token_0", "valence_by_mean", "thing", "reversals")
                curve.append({"step": step, **means, **dict(zip(names, right, strict=True))})
                losses.clear()
                bar.set_postfix(loss=f"{means.sum():.2f}", valence=f"{right[0]:.3f}")
            bar.update()
    return model.encoder.eval(), pd.DataFrame(curve)


def pretrain(
    out: Path,
    number: int = SENTENCES,
    steps: int = STEPS,
    layers: int = LAYERS,
    width: int = WIDTH,
    seed: int = SEED,
) -> None:
    """Write the encoder (float16), its tokenizer, its curve training.csv and its card README.md into `out`, a
    new folder."""
    must_be_new(out)
    if min(number, steps, layers, width) < 1:
        raise SernbError("sentences, steps, layers and width must be at least 1.")

    begun = os.times()
    held_out = sentences(min(HELD_OUT, number), seed + 1, Knobs())
    learning = sentences(number, seed, replace(Knobs(), **HARDER), [one.text for one in held_out])
    tokenizer = learn(one.text for one in learning)
    encoder, curve = train(learning, held_out, tokenizer, steps, layers, width, seed)
    taken = os.times()

    settings = {"sentences": number, "steps": steps, "layers": layers, "width": width, "seed": seed}
    with whole_folder(out, new=True) as folder:
        ship(encoder, folder)
        tokenizer.save_pretrained(folder)
        curve.round(4).to_csv(folder / "training.csv", index=False, lineterminator="\n")
        valence = Counter(one.valence for one in learning)
        cards.write(
            folder,
            "mini_bert",
            **settings,
            command=cards.command("mini_bert", settings),
            heads=encoder.config.num_attention_heads,
            pieces=len(tokenizer),
            parameters=encoder.num_parameters(),
            cpu=(sum(taken[:2]) - sum(begun[:2])) / 60,
            clock=(taken[4] - begun[4]) / 60,
            batch=BATCH,
            rate=LEARNING_RATE,
            below=below(layers),
            good=valence[1],
            plain=valence[0],
            bad=valence[-1],
            held_out=len(held_out),
            curve=cards.cells(curve.round(3)),
            topics=len({one.topic for one in learning}),
            longest=max(map(len, tokenizer([one.text for one in learning])["input_ids"])),
        )


def ship(encoder: BertModel, folder: Path) -> None:
    """Write the encoder in float16; its config says float32, as which it is loaded where nothing else is
    asked for."""
    encoder.half().save_pretrained(folder)
    encoder.config.dtype = "float32"
    encoder.config.save_pretrained(folder)


def main(arguments: list[str] | None = None) -> int:
    numbers = {"number": SENTENCES, "steps": STEPS, "layers": LAYERS, "width": WIDTH, "seed": SEED}
    what = "Pretrain the kit's small text encoder again."
    return make_text_encoder(pretrain, "mini_bert", what, arguments, **numbers)


if __name__ == "__main__":
    sys.exit(main())
