"""What a student can earn without listening, and in which order its words listen, by hand."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import torch

from sernb.core.ragged import Ragged
from sernb.features.frames import Scaling
from sernb.losses import MCEDConfig, MultiLevelLoss
from sernb.models.speech_student import SpeechStudent, StudentConfig
from sernb.studies import listening
from sernb.studies.teacher_states import TeacherStates

PAIRS = ((1, 1), (2, 2))


def states(counts, value=None, width=5):
    """A teacher's states of texts of so many words: all `value`, or at random; its answer is the same for
    all."""
    rng = np.random.default_rng(0)
    items = [
        np.full((count, 2, width), value, np.float16) if value is not None
        else rng.normal(size=(count, 2, width)).astype(np.float16)
        for count in counts
    ]  # fmt: skip
    logits = np.tile(np.array([2.0, 0.0, -1.0], np.float32), (len(counts), 1))
    index = pd.RangeIndex(len(counts))
    return TeacherStates(index, ("a", "b", "c"), logits, np.array(counts), (1, 2), Ragged.of(items))


def test_who_hears_nothing_earns_what_never_changes():
    config, counts = MCEDConfig(pairs=PAIRS, weights=(0.5, 1.0)), [3, 4, 2, 5]
    same = listening.without_listening(config, states(counts, 1.5), np.arange(2), np.array([2, 3]))
    assert list(same.index) == ["RL", "FL 1→1", "FL 2→2"]
    np.testing.assert_allclose(same.to_numpy(), 0, atol=1e-6)  # all texts are alike, and can be reached

    low = listening.without_listening(config, states(counts, -1.0), np.arange(2), np.array([2, 3]))
    expected = (1 - 0.16997) ** 2  # GELU reaches no lower, whoever listens
    np.testing.assert_allclose(low.loc["FL 2→2"], [expected, expected], rtol=1e-3)

    differing = listening.without_listening(config, states(counts), np.arange(2), np.array([2, 3]))
    assert (
        differing.loc[["FL 1→1", "FL 2→2"], "always the same"] > differing["floor of Eq. 2"].iloc[1:]
    ).all()


def test_words_in_order():
    forward, backward = np.eye(4), np.eye(4)[::-1]
    together = np.full((4, 4), 0.25)
    found = [{(1, 1): one} for one in (forward, backward, together, forward[:1])]
    np.testing.assert_allclose(listening.in_order(found, (1, 1)), [1, -1, 0, 0], atol=1e-12)


def test_alignments_are_those_of_each_text_alone_with_its_own_or_another_sound():
    torch.manual_seed(0)
    shape = StudentConfig(
        features=6, channels=(8,) * 4, width=8, layers=2, heads=2, feed_forward=16, classifier=8
    )
    config = MCEDConfig(pairs=PAIRS, weights=(0.5, 1.0))
    told, rng = states([3, 4, 2]), np.random.default_rng(1)
    frames = Ragged.of([rng.normal(size=(length, 6)).astype(np.float32) for length in (40, 60, 48)])
    pupil = SimpleNamespace(
        student=SpeechStudent(shape),
        loss=MultiLevelLoss(config, told.width, shape.width, 2, shape.layers),
        scaling=Scaling.fitted(frames, range(3)),
    )
    own = listening.alignments(pupil, told, frames, [0, 2])
    assert [one[1, 1].shape[0] for one in own] == [3, 2] and set(own[0]) == set(PAIRS)
    for one in own:
        np.testing.assert_allclose(one[2, 2].sum(1), 1, rtol=1e-5)
    other = listening.alignments(pupil, told, frames, [0, 2], [2, 0])
    assert other[0][1, 1].shape[1] == own[1][1, 1].shape[1] != own[0][1, 1].shape[1]
