"""Model cards: a template beside this file, filled with what the making measured, so that no number is
typed."""

from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

import pandas as pd
import torch


def write(folder: Path, name: str, **fields) -> None:
    """Write README.md into the folder of an encoder, from the template making/pretraining/<name>_card.md."""
    template = (files("making.pretraining") / f"{name}_card.md").read_text(encoding="utf-8")
    machine = {
        "torch": torch.__version__,
        "transformers": version("transformers"),
        "threads": torch.get_num_threads(),
    }
    (folder / "README.md").write_text(template.format(**machine, **fields), encoding="utf-8", newline="\n")


def cells(table: pd.DataFrame) -> str:
    """The rows of a Markdown table."""
    return "\n".join("| " + " | ".join(map(str, row)) + " |" for row in table.itertuples(index=False))


def command(script: str, settings: dict) -> str:
    """The line that makes the encoder again."""
    options = " ".join(f"--{name} {value}" for name, value in settings.items())
    return f"python -m making.pretraining.{script} --out DIR {options}"
