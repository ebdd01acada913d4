"""How long a network takes for one utterance: the median of many runs, at batch 1."""

import time

import numpy as np
import torch

from sernb.errors import SernbError
from sernb.models.three_m_ser import ThreeMSER


def inference_time(
    model: ThreeMSER, tokens: int = 16, examples: int = 4, runs: int = 50, warm_up: int = 5
) -> dict[str, float]:
    """Milliseconds from token ids and log-mel examples to logits: `median`, `low` and `high` (5 and 95 % of the runs).

    tokens, examples: the length of the utterance; what stands in it makes no difference to the time. The front end and
    the tokenizer are left out, as in the paper's Table II. Raises SernbError for fewer than one run.
    """
    if runs < 1:
        raise SernbError(f"runs is {runs}; it must be at least 1.")
    device = next(model.parameters()).device
    batch = {}
    if "text" in model.shape.streams:
        batch["input_ids"] = torch.ones(1, tokens, dtype=torch.long, device=device)
        batch["text_mask"] = torch.ones(1, tokens, dtype=torch.bool, device=device)
    if "audio" in model.shape.streams:
        batch["examples"] = torch.zeros(1, examples, 96, 64, device=device)
        batch["audio_mask"] = torch.ones(1, examples, dtype=torch.bool, device=device)
    model.eval()
    times = []
    with torch.inference_mode():
        for run in range(warm_up + runs):
            began = time.perf_counter()
            model(**batch).logits.cpu()  # to the CPU: waits until a GPU is done
            if run >= warm_up:
                times.append(1000 * (time.perf_counter() - began))
    low, median, high = np.quantile(times, [0.05, 0.5, 0.95])
    return {"median": float(median), "low": float(low), "high": float(high)}
