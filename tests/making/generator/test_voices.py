"""Speakers differ, sessions hold both genders, and prosody follows what is felt."""

from collections import defaultdict

import numpy as np
import pytest

from making.generator.knobs import Knobs
from making.generator.voices import HIGHEST, LOWEST, controls, speakers, variant

CALM = Knobs(control_noise=0.0)


@pytest.fixture(scope="module")
def cast():
    return speakers(np.random.default_rng(0), Knobs())


def test_every_session_holds_both_genders(cast):
    sessions = defaultdict(list)
    for speaker in cast:
        sessions[speaker.session].append(speaker.gender)
    assert len(sessions) == 5
    assert all(len(genders) == 3 and set(genders) == {"female", "male"} for genders in sessions.values())
    assert len({speaker.name for speaker in cast}) == 15


def test_voices_differ(cast):
    voices = {variant(speaker, 2, 0) + speaker.accent for speaker in cast}
    assert len(voices) == 15
    lowest = {g: [s.pitch for s in cast if s.gender == g] for g in ("female", "male")}
    assert min(lowest["female"]) > max(lowest["male"])


def test_prosody_follows_what_is_felt(cast):
    def told(valence, arousal, dominance):
        return controls(np.random.default_rng(0), np.array([valence, arousal, dominance]), cast[0], CALM)

    calm, excited = told(0, -0.6, 0), told(0, 0.6, 0)
    assert excited.rate > 1.3 * calm.rate and excited.pitch > calm.pitch
    assert excited.pitch_range > calm.pitch_range and excited.loudness > calm.loudness + 3
    assert (
        told(0, 0, 0.8).pitch < told(0, 0, -0.8).pitch
        and told(0, 0, 0.8).roughness > told(0, 0, -0.8).roughness
    )
    assert told(0.8, 0, 0).pitch_range > told(-0.8, 0, 0).pitch_range
    assert told(0, -0.8, -0.8).breath > 0 == told(0, 0.8, 0.8).breath


def test_without_leak_valence_is_not_heard(cast):
    deaf = Knobs(control_noise=0.0, valence_leak=0.0)
    good, bad = (
        controls(np.random.default_rng(0), np.array([v, 0.3, 0.1]), cast[0], deaf) for v in (0.9, -0.9)
    )
    assert good == bad


def test_controls_stay_inside_the_synthesisers_limits(cast):
    rng = np.random.default_rng(1)
    for _ in range(2000):
        told = controls(rng, rng.uniform(-1, 1, 3), cast[rng.integers(15)], Knobs())
        assert (
            100 <= told.rate <= 280
            and LOWEST <= told.pitch <= HIGHEST
            and LOWEST <= told.pitch_range <= HIGHEST
        )
        assert 0 <= told.roughness <= 7 and 0 <= told.breath <= 70 and abs(told.loudness) <= 9
