"""The state of a training on disk, so that a run that was cut off goes on as if it had not been."""

import os
from pathlib import Path

import torch


def kept(checkpoint: Path | None, parts: dict, step: int, curve: list[dict]) -> None:
    """Write the states of `parts`, the step, the curve so far and the state of the random numbers; nothing
    without a file."""
    if checkpoint is None:
        return
    state = {name: part.state_dict() for name, part in parts.items()}
    state |= {"step": step, "curve": curve, "random": torch.get_rng_state()}
    beside = checkpoint.with_suffix(".half")
    torch.save(state, beside)
    os.replace(beside, checkpoint)


def gone_on(checkpoint: Path | None, parts: dict) -> tuple[int, list[dict]]:
    """Put all that `kept` wrote back, where the file is there: (step, curve so far), (0, []) for a new
    training."""
    if checkpoint is None or not checkpoint.is_file():
        return 0, []
    state = torch.load(checkpoint, weights_only=True)
    for name, part in parts.items():
        part.load_state_dict(state[name])
    torch.set_rng_state(state["random"])
    return state["step"], state["curve"]
