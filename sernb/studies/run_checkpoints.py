"""Checkpoints of a training: of which run they are, which of them is whole, and whether that run is over."""

import hashlib
import json
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from sernb.core.errors import SernbError
from sernb.core.files import whole_file

BROKEN = (EOFError, KeyError, OSError, RuntimeError, SafetensorError, ValueError)


def digest(settings, *arrays: np.ndarray) -> str:
    """A name for a run: other settings or other numbers, another name."""
    told = hashlib.sha256(repr(settings).encode())
    for one in arrays:
        told.update(np.ascontiguousarray(one).tobytes())
    return told.hexdigest()


def run_of(settings, learner: torch.nn.Module, *lengths: np.ndarray) -> str:
    """`digest` of a training that begins with these weights, and whose parts have items of these lengths."""
    weights = (one.detach().cpu().float().numpy() for one in learner.state_dict().values())
    return digest(settings, *(np.asarray(one) for one in lengths), *weights)


def going_on(folder: Path, run: str, patience: int | None) -> tuple[str | None, int | None]:
    """(the last whole checkpoint in `folder`, the step where that run stopped early), each None where there is none.

    `run` is noted in run.txt. Raises SernbError where the checkpoints are of another one.
    """
    noted = folder / "run.txt"
    found = sorted(folder.glob("checkpoint-*"), key=lambda one: int(one.name.split("-")[1]), reverse=True)
    if found and (not noted.is_file() or noted.read_text() != run):
        raise SernbError(
            f"{folder}: the checkpoints there are of a run with other settings, another seed, other weights to begin with, or "
            "other data. Remove the folder, or name another."
        )
    with whole_file(noted) as beside:
        beside.write_text(run)
    last = next((one for one in found if _whole(one)), None)
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
