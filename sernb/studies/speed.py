"""How long a network takes for one utterance: the median of many runs, at batch 1."""

import time
from collections.abc import Mapping

import numpy as np
import torch

from sernb.core.errors import SernbError
from sernb.models.three_m_ser import ThreeMSER


def inference_times(
    models: Mapping[object, ThreeMSER], tokens: int = 16, examples: int = 4, runs: int = 50, warm_up: int = 5
) -> dict[object, dict[str, float]]:
    """For each model the milliseconds from token ids and log-mel examples to logits: `median`, and `low` and `high`
    (5 and 95 % of the runs).

    The models take turns, so that a machine that is busy for a while is busy for all of them. tokens, examples: the
    length of the utterance; what stands in it makes no difference to the time. The front end and the tokenizer are left
    out, as in the paper's Table II. Raises SernbError for fewer than one run.
    """
    if runs < 1:
        raise SernbError(f"runs is {runs}; it must be at least 1.")
    batches = {name: _utterance(model, tokens, examples) for name, model in models.items()}
    times = {name: [] for name in models}
    for run in range(warm_up + runs):
        for name, model in models.items():
            began = time.perf_counter()
            with torch.inference_mode():
                model.eval()(**batches[name]).logits.cpu()  # to the CPU: waits until a GPU is done
            if run >= warm_up:
                times[name].append(1000 * (time.perf_counter() - began))
    quantiles = {name: np.quantile(each, [0.05, 0.5, 0.95]) for name, each in times.items()}
    return {
        name: {"median": float(median), "low": float(low), "high": float(high)}
        for name, (low, median, high) in quantiles.items()
    }


def _utterance(model, tokens, examples):
    device, batch = next(model.parameters()).device, {}
    if "text" in model.shape.streams:
        batch["input_ids"] = torch.ones(1, tokens, dtype=torch.long, device=device)
        batch["text_mask"] = torch.ones(1, tokens, dtype=torch.bool, device=device)
    if "audio" in model.shape.streams:
        batch["examples"] = torch.zeros(1, examples, 96, 64, device=device)
        batch["audio_mask"] = torch.ones(1, examples, dtype=torch.bool, device=device)
    return batch
