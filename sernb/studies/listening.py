"""Does a student that was distilled from words listen? What it could earn without, and where words look in
its sound.

For students of `sernb.studies.mced`; the paper (Li, Zhao & Jin, Interspeech 2022) has no such checks.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from scipy.stats import rankdata

from sernb.core.ragged import Ragged
from sernb.losses import MCEDConfig, kl_divergence, soften
from sernb.studies.mced import Distilled
from sernb.studies.teacher_states import TeacherStates

LEAST = -0.16997  # GELU's least value, below which no average of its values lies


def without_listening(
    config: MCEDConfig, states: TeacherStates, learned: np.ndarray, held: np.ndarray
) -> pd.DataFrame:
    """Losses on held-out texts of a student that says *always the same*, and the least that Eq. 2 allows.

    Args:
        config: Of the loss: its temperature, and the pairs of layers.
        states: The teacher's answers and states of all texts.
        learned, held: Rows of `states`: whose average is the best constant answer, and on which it is tried.

    Returns:
        A row for RL and for each pair of layers ("FL 6→6"), columns "always the same" and "floor of Eq. 2".
    """
    # the answer: the teacher's average answer
    logits = torch.from_numpy(states.logits)
    mean = soften(logits[learned], config.temperature).mean(0).log() * config.temperature
    same = kl_divergence(mean.expand(len(held), -1), logits[held], config.temperature, config.squared)
    rows = {"RL": (float(same), 0.0)}

    # the words: their average state, as far as it can be reached
    for pair in config.pairs:
        place = states.layers.index(pair[0])
        words = [states.states[row][:, place].astype(np.float32) for row in range(len(states.logits))]
        mean = np.maximum(np.mean([words[row].mean(0) for row in learned], 0), LEAST)
        missed = [np.square(words[row] - mean).mean() for row in held]
        floor = [np.square(np.minimum(words[row] - LEAST, 0)).mean() for row in held]
        rows[f"FL {'→'.join(map(str, pair))}"] = np.mean(missed), np.mean(floor)
    return pd.DataFrame(rows, ["always the same", "floor of Eq. 2"]).T


@torch.inference_mode()
def alignments(
    pupil: Distilled,
    states: TeacherStates,
    frames: Ragged,
    texts: Sequence[int],
    heard: Sequence[int] | None = None,
) -> list[dict[tuple, np.ndarray]]:
    """The soft alignments {pair of layers: (words, states of the student)} of each text.

    Args:
        pupil: The student with its loss, of `mced.distil`.
        states: The teacher's.
        frames: What the student hears of each text, row for row.
        texts: Rows of `states`.
        heard: Rows of `frames`; None: the texts' own sound.
    """
    student, blocks = pupil.student.eval(), pupil.loss.eval()
    device, found = next(student.parameters()).device, []
    sound = pupil.scaling.applied(frames)
    for text, row in zip(texts, texts if heard is None else heard, strict=True):
        features, mask = (one.to(device) for one in sound.padded([row]))
        asked = states.batch(np.array([text]))
        told = {layer: one.to(device) for layer, one in asked["teacher_states"].items()}
        rows = blocks.alignments(student(features, mask), told, asked["word_mask"].to(device))
        found.append({pair: one[0].cpu().numpy() for pair, one in rows.items()})
    return found


def in_order(found: Sequence[dict[tuple, np.ndarray]], pair: tuple) -> np.ndarray:
    """For each text of `alignments`, the rank correlation of its words' order and the centres of their
    listening."""
    scores = []
    for alignment in found:
        share = alignment[pair]
        ranks = rankdata((share * np.arange(share.shape[1])).sum(1))
        steady = len(ranks) < 2 or np.ptp(ranks) == 0
        scores.append(0.0 if steady else np.corrcoef(ranks, np.arange(len(ranks)))[0, 1])
    return np.array(scores)
