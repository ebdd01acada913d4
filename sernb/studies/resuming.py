"""Checkpoints of a training: of which run they are, which of them is whole, and whether that run is over."""

import json
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from sernb.core.errors import SernbError
from sernb.core.files import whole_file

BROKEN = (EOFError, KeyError, OSError, RuntimeError, SafetensorError, ValueError)


def going_on(folder: Path, run: str, patience: int | None) -> tuple[str | None, int | None]:
    """(the last whole checkpoint in `folder`, the step where that run stopped early), each None where there
    is none.

    `run` (a `sernb.core.ragged.digest`) is noted in run.txt. Raises SernbError where the checkpoints are of
    another one.
    """
    noted = folder / "run.txt"
    checkpoints = sorted(
        folder.glob("checkpoint-*"), key=lambda path: int(path.name.split("-")[1]), reverse=True
    )
    if checkpoints and (not noted.is_file() or noted.read_text() != run):
        other = "of a run with other settings, seed, first weights or data"
        raise SernbError(f"{folder}: the checkpoints there are {other}. Remove the folder, or name another.")
    with whole_file(noted) as beside:
        beside.write_text(run)
    last = next((path for path in checkpoints if _whole(path)), None)
    if last is None:
        return None, None
    state = json.loads((last / "trainer_state.json").read_text())
    stopping = state["stateful_callbacks"].get("EarlyStoppingCallback")
    over = patience and stopping and stopping["attributes"]["early_stopping_patience_counter"] >= patience
    return str(last), state["global_step"] if over else None


def _whole(checkpoint: Path) -> bool:
    """Whether a run can go on from it: a training that is killed may leave one half-written."""
    try:
        load_file(checkpoint / "model.safetensors")
        for file in ("optimizer.pt", "scheduler.pt"):
            torch.load(checkpoint / file, map_location="cpu", weights_only=True)
        return "global_step" in json.loads((checkpoint / "trainer_state.json").read_text())
    except BROKEN:
        return False
