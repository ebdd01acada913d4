"""Speech for tiny trainings, without a synthesiser: tones that follow one another, each a "phone"."""

import numpy as np
import pandas as pd

from making.pretraining.spoken import FIELD, HOP, Speech, frames_of
from sernb.core.ragged import Ragged

TONES = (200, 450, 900, 1500)  # Hz
PIECE = 6 * HOP  # samples of one tone


def made_up(utterances: int = 36, seconds: tuple[float, float] = (2.3, 3.0), seed: int = 0) -> Speech:
    """Every speaker (3 of a session) has 3 utterances; a speaker's tones are all higher or lower than
    another's."""
    rng = np.random.default_rng(seed)
    speaker = np.arange(utterances) // 3
    higher = rng.uniform(0.9, 1.1, utterances)[speaker]
    sound, phones = [], []
    for row in range(utterances):
        samples = int(16000 * rng.uniform(*seconds))
        order = (rng.integers(len(TONES)) + np.arange(samples // PIECE + 1)) % len(TONES)
        pitch = higher[row] * np.repeat(np.array(TONES)[order], PIECE)[:samples]
        wave = 8000 * np.sin(2 * np.pi * np.cumsum(pitch) / 16000) + rng.normal(0, 200, samples)
        middles = HOP * np.arange(frames_of(samples)) + FIELD // 2
        sound.append(wave.astype(np.int16))
        phones.append(order[middles // PIECE].astype(np.uint8))
    table = pd.DataFrame(
        {"speaker": speaker, "session": speaker // 3, "samples": [len(one) for one in sound]},
        pd.Index([f"u{row}" for row in range(utterances)], name="utterance"),
    )
    return Speech(table, Ragged.of(sound), Ragged.of(phones), [str(one) for one in TONES])
