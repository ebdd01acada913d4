import numpy as np
import pytest

from sernb.evaluation.audit.fingerprint import fingerprint
from sernb.evaluation.audit.sameness import sameness

RATE = 16000


def test_a_cut_is_found_where_it_was_made(sound, telephone):
    whole = sound(1)
    similarity, shift, overlap = sameness(whole, -0.3 * telephone(whole)[4321:-3000] + 0.1)
    assert similarity > 0.99
    assert shift == pytest.approx(4321 / RATE, abs=1e-4)
    assert overlap == pytest.approx((len(whole) - 7321) / RATE, abs=1e-3)
    assert sameness(whole[4321:], whole)[1] == pytest.approx(-4321 / RATE)


def test_the_number_is_the_correlation():
    draw = np.random.default_rng(0)
    time = np.arange(RATE) / RATE
    one = np.sin(2 * np.pi * 440 * time)
    for noise in (0.0, 0.5, 2.0):
        two = one + noise * np.sin(2 * np.pi * 1000 * time + draw.uniform())
        expected = 1 / np.sqrt(1 + noise**2)  # two tones of whole periods are uncorrelated
        assert sameness(one, two)[0] == pytest.approx(expected, abs=0.01)
        assert np.corrcoef(one, two)[0, 1] == pytest.approx(expected, abs=0.01)


def test_others_silence_and_crumbs_are_not_the_same(sound):
    assert max(sameness(sound(1), sound(number))[0] for number in range(2, 12)) < 0.5
    silence = np.zeros(RATE, np.float32)
    assert sameness(sound(1), silence) == sameness(silence, silence) == (0, 0, 0)
    assert sameness(np.full(RATE, 0.5), np.full(RATE, 0.5)) == (0, 0, 0)  # an offset is no sound
    assert sameness(sound(1)[:1000], sound(1)) == (0, 0, 0)  # 0.06 s in common


def test_copies_share_keys_and_others_do_not(sound, telephone):
    keys = fingerprint(sound(1))
    assert np.array_equal(keys, np.unique(keys)) and keys.dtype == np.uint32 and 50 < len(keys) <= 400
    softer, cut = 0.1 * telephone(sound(1)), sound(1)[3333:-2222]
    assert len(np.intersect1d(keys, fingerprint(softer))) > 0.9 * len(keys)
    assert len(np.intersect1d(keys, fingerprint(cut))) > 10
    for number in range(2, 30):
        assert len(np.intersect1d(keys, fingerprint(sound(number)))) < 3


def test_silence_offsets_and_clicks_have_no_fingerprint():
    for waveform in (np.zeros(RATE), np.zeros(1), np.zeros(1024), 1e-7 * np.ones(RATE)):
        assert fingerprint(waveform).shape == (0,)
    long = np.random.default_rng(0).standard_normal(60 * RATE)
    assert len(fingerprint(long)) == 400
