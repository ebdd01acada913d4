"""The card of the small text encoder: all that its training measured."""

from collections import Counter
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

import pandas as pd
import torch
from transformers import AutoTokenizer, BertModel

from making.generator.grammar import Sentence
from making.pretraining.markdown import cells


def write(
    folder: Path,
    settings: dict,
    seconds: dict,
    learning: list[Sentence],
    held_out: list[Sentence],
    curve: pd.DataFrame,
) -> None:
    """Write README.md into the folder of an encoder.

    settings: sentences, steps, layers, width, seed, batch, rate, below; seconds: cpu and clock of the training.
    """
    tokenizer, model = AutoTokenizer.from_pretrained(folder), BertModel.from_pretrained(folder)
    valence = Counter(one.valence for one in learning)
    options = ("sentences", "steps", "layers", "width", "seed")
    text = (files("making.pretraining") / "mini_bert_card.md").read_text(encoding="utf-8")
    text = text.format(
        **settings,
        heads=model.config.num_attention_heads,
        pieces=len(tokenizer),
        parameters=model.num_parameters(),
        command=" ".join(
            [
                "python -m making.pretraining.mini_bert --out DIR",
                *(f"--{name} {settings[name]}" for name in options),
            ]
        ),
        torch=torch.__version__,
        transformers=version("transformers"),
        threads=torch.get_num_threads(),
        cpu=seconds["cpu"] / 60,
        clock=seconds["clock"] / 60,
        good=valence[1],
        plain=valence[0],
        bad=valence[-1],
        held_out=len(held_out),
        curve=cells(curve.round(3)),
        topics=len({one.topic for one in learning}),
        longest=max(map(len, tokenizer([one.text for one in learning])["input_ids"])),
    )
    (folder / "README.md").write_text(text, encoding="utf-8", newline="\n")
