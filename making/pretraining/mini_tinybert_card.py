"""The card of the distilled small text encoder: all that its training measured."""

from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

import pandas as pd
import torch
from transformers import BertModel

from making.pretraining import mini_bert, mini_tinybert
from making.pretraining.imitation import layers_of
from making.pretraining.markdown import cells
from sernb.features.encoders import own_folder


def write(folder: Path, settings: dict, seconds: dict, curve: pd.DataFrame) -> None:
    """Write README.md into the folder of an encoder.

    settings: sentences, steps, layers, width, seed, held_out (how many), of_teacher (its share of right valences);
    seconds: cpu and clock of the training.
    """
    model = BertModel.from_pretrained(folder, add_pooling_layer=False)
    teacher = BertModel.from_pretrained(own_folder("mini-bert"))
    options = ("sentences", "steps", "layers", "width", "seed")
    command = [
        "python -m making.pretraining.mini_tinybert --out DIR",
        *(f"--{one} {settings[one]}" for one in options),
    ]
    text = (files("making.pretraining") / "mini_tinybert_card.md").read_text(encoding="utf-8")
    pairs = enumerate(layers_of(settings["layers"], teacher.config.num_hidden_layers), 1)
    text = text.format(
        **settings,
        heads=model.config.num_attention_heads,
        pieces=model.config.vocab_size,
        parameters=model.num_parameters(),
        teacher_parameters=teacher.num_parameters(),
        teacher_layers=teacher.config.num_hidden_layers,
        teacher_width=teacher.config.hidden_size,
        pairs=", ".join(f"{here} from {there}" for here, there in pairs),
        command=" ".join(command),
        torch=torch.__version__,
        transformers=version("transformers"),
        threads=torch.get_num_threads(),
        cpu=seconds["cpu"] / 60,
        clock=seconds["clock"] / 60,
        batch=mini_bert.BATCH,
        rate=mini_tinybert.LEARNING_RATE,
        temperature=mini_tinybert.TEMPERATURE,
        inside=round(mini_tinybert.INSIDE * settings["steps"]),
        curve=cells(curve.round(3)),
    )
    (folder / "README.md").write_text(text, encoding="utf-8", newline="\n")
