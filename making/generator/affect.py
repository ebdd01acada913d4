"""What the speakers of the embedded corpus feel, and what simulated annotators make of it.

Affect is (valence, arousal, dominance), each from -1 to 1. Annotators rate 1 to 5, as IEMOCAP's did.
"""

import numpy as np

from making.generator.knobs import Knobs

CLASSES = ("neutral", "happy", "sad", "angry")
PROPORTIONS = {
    "neutral": 1708,
    "happy": 1636,
    "sad": 1084,
    "angry": 1103,
}  # IEMOCAP's utterances, four classes
MEANS = np.array([[0.0, -0.10, 0.0], [0.72, 0.40, 0.15], [-0.62, -0.55, -0.45], [-0.68, 0.55, 0.50]])


def counts(knobs: Knobs) -> dict[str, int]:
    """Utterances of each class: IEMOCAP's proportions, rounded so that they sum to what is asked for."""
    share = np.array([PROPORTIONS[name] for name in CLASSES]) / sum(PROPORTIONS.values()) * knobs.utterances
    whole = np.floor(share).astype(int)
    for index in np.argsort(whole - share)[: knobs.utterances - whole.sum()]:
        whole[index] += 1
    return dict(zip(CLASSES, whole.tolist(), strict=True))


def felt(rng: np.random.Generator, emotion: str, knobs: Knobs) -> np.ndarray:
    """Affect of one utterance, (3,): the mean of its class and a spread, inside -1 to 1."""
    mean = MEANS[CLASSES.index(emotion)]
    return np.clip(mean + rng.normal(0, knobs.affect_spread, 3), -1, 1)


def biases(rng: np.random.Generator, knobs: Knobs) -> np.ndarray:
    """Each annotator's own shift of valence, arousal and dominance, (annotators, 3)."""
    return rng.normal(0, knobs.annotator_bias, (knobs.annotators, 3))


def annotate(rng: np.random.Generator, affect: np.ndarray, bias: np.ndarray, knobs: Knobs):
    """Ratings (annotators, 3) from 1 to 5 and a class from each annotator, who saw the affect with bias and
    noise."""
    seen = affect + bias + rng.normal(0, knobs.annotator_noise, bias.shape)
    ratings = np.clip(np.rint(3 + 2 * seen), 1, 5).astype(int)
    distance = ((seen[:, None] - MEANS) ** 2).sum(-1)  # (annotators, classes)
    return ratings, [CLASSES[index] for index in distance.argmin(1)]


def plurality(votes: list[str]) -> str | None:
    """The class named most often; None where two share the first place."""
    tally = sorted(((votes.count(name), name) for name in set(votes)), reverse=True)
    return None if len(tally) > 1 and tally[0][0] == tally[1][0] else tally[0][1]
