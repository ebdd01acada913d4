"""How often a 95 % bootstrap interval holds the true UAR, by the number of speakers; docs/evaluation.md has
the table.

Each simulated corpus has 40 utterances of four classes for every speaker, and each speaker and class a recall
of its own (standard deviation about 10 points around 70 %), so the true UAR over all speakers is 0.70. An
interval is good when it holds 0.70 in 95 of 100 corpora.

Run: python -m making.benchmarks.interval_coverage (half a minute)
"""

import numpy as np

from sernb.evaluation.intervals import interval, resample
from sernb.evaluation.metrics import from_counts

CORPORA, RESAMPLES, UTTERANCES, CLASSES, RECALL, SPREAD = 1000, 1000, 40, 4, 0.7, 0.1


def corpus(speakers, rng):
    """Confusion counts of one simulated corpus, shape (speakers, classes, classes)."""
    concentration = RECALL * (1 - RECALL) / SPREAD**2 - 1
    # Half of the spread is the speaker's, shared by the classes; half is the class's own.
    shared = rng.beta(RECALL * 2 * concentration, (1 - RECALL) * 2 * concentration, (speakers, 1))
    own = rng.beta(RECALL * 2 * concentration, (1 - RECALL) * 2 * concentration, (speakers, CLASSES))
    right = rng.binomial(UTTERANCES // CLASSES, np.clip(shared + own - RECALL, 0, 1))
    counts = np.zeros((speakers, CLASSES, CLASSES))
    diagonal = np.arange(CLASSES)
    counts[:, diagonal, diagonal] = right
    counts[:, diagonal, (diagonal + 1) % CLASSES] = UTTERANCES // CLASSES - right
    return counts


def by_utterance(counts):
    """The same corpus with each utterance as a unit, shape (utterances, classes, classes)."""
    cells = np.repeat(np.arange(CLASSES**2), counts.sum(0).ravel().astype(int))
    return np.eye(CLASSES**2)[cells].reshape(-1, CLASSES, CLASSES)


def holds(units, seed):
    drawn = from_counts("UAR", resample(units, RESAMPLES, seed), list("abcd"))
    low, high = interval(drawn, 0.95, len(units))
    plain_low, plain_high = np.quantile(drawn, [0.025, 0.975])
    return low <= RECALL <= high, plain_low <= RECALL <= plain_high


if __name__ == "__main__":
    print("| speakers | by utterance | by speaker | by speaker, plain percentile |\n|---|---|---|---|")
    for speakers in (4, 6, 10, 15, 24, 50):
        rng = np.random.default_rng(speakers)
        drawn = [corpus(speakers, rng) for _ in range(CORPORA)]
        utterance, _ = np.mean([holds(by_utterance(c), i) for i, c in enumerate(drawn)], axis=0)
        speaker, plain = np.mean([holds(c, i) for i, c in enumerate(drawn)], axis=0)
        print(f"| {speakers} | {utterance:.0%} | {speaker:.0%} | {plain:.0%} |")
