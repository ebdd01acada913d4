"""Speech whose voices' settings are known: what the kit's small audio encoder learns from."""

from functools import partial

import numpy as np
import pandas as pd
import torch

from making.generator.build import make
from making.generator.knobs import Knobs
from making.generator.plan import plan
from sernb.core.errors import SernbError
from sernb.corpora import load
from sernb.models.vggish import FRAMES, log_mel

LINES = 33  # utterances of a speaker, about


def voices(utterances: int, seed: int, jobs: int | None = None) -> tuple[pd.DataFrame, list[torch.Tensor]]:
    """New speakers' utterances: what each voice was told (float columns, and `session`), and log-mel frames
    (n, 64).

    The voice expresses feelings less exactly than in the embedded corpus, so that its settings vary more
    freely.
    """
    if seed == Knobs.seed:
        raise SernbError(f"seed {seed} makes the speakers of the embedded corpus: name another seed.")
    sessions = max(4, round(utterances / LINES / Knobs.speakers_per_session))
    knobs = Knobs(seed=seed, utterances=utterances, sessions=sessions, control_noise=0.7)
    table, cast = plan(knobs)
    known = set(load("embedded")["text"])
    names = set(table.index[~table["text"].isin(known)])
    # torch is kept out of the processes that speak: it does not always survive a fork
    spoken = make(table, cast, knobs, finish=partial(np.asarray, dtype=np.float32), only=names, jobs=jobs)
    frames = [log_mel(sound).half() for _, sound, _ in spoken]
    table = table[table.index.isin(names)]
    speaker = pd.DataFrame([vars(cast[name]) for name in table["speaker"]], index=table.index)
    told = {
        "rate": np.log(table["rate"]),
        "rate for this speaker": np.log(table["rate"] / speaker["rate"]),
        "pitch": table["pitch"],
        "pitch for this speaker": table["pitch"] - speaker["pitch_habit"],
        "pitch range": table["pitch_range"],
        "pitch range for this speaker": table["pitch_range"] - speaker["range_habit"],
        "loudness": table["loudness"],
        "roughness": table["roughness"],
        "breath": table["breath"],
        "the speaker's lowest pitch": np.log(speaker["pitch"]),
        "the speaker's vocal tract": speaker["tract"],
        "the speaker's gender": table["gender"] == "female",
        "the room": speaker["room"],
    }
    return pd.DataFrame(told).astype(float).assign(session=table["session"]), frames


def windows(lengths: list[int], shift: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Where examples begin among the frames of all utterances, one behind the other, and each one's
    utterance.

    `shift` moves them by so many frames, where an utterance is long enough to have as many examples all the
    same.
    """
    begins, owners, offset = [], [], 0
    for number, length in enumerate(lengths):
        own = torch.arange(min(shift, length % FRAMES), length - FRAMES + 1, FRAMES)
        begins.append(offset + own)
        owners.append(torch.full_like(own, number))
        offset += length
    return torch.cat(begins), torch.cat(owners)
