import numpy as np
import pandas as pd
import pytest
import soundfile

from sernb import corpora
from sernb.evaluation.audit import duplicates
from sernb.evaluation.audit.duplicates import candidates, sameness
from sernb.features import audio

RATE = 16000


def pairs(found):
    return {frozenset(pair) for pair in found[["a", "b"]].itertuples(index=False)}


def test_copies_of_every_kind_are_found_and_nothing_else(table, sound, telephone, write_corpus):
    waves = [sound(number) for number in range(12)]
    waves[1] = waves[0].copy()
    waves[3] = 0.3 * waves[2]
    waves[5] = telephone(waves[4])
    waves[7] = waves[6][4000:]
    waves[9] = -0.5 * telephone(waves[8])[:-5000]
    utterances = write_corpus(table(1, 12), waves)
    expected = {frozenset((f"u{a}", f"u{a + 1}")) for a in (0, 2, 4, 6, 8)}
    for given in (None, waves):
        found = duplicates(utterances, given, progress=False)
        assert pairs(found) == expected
        kinds = dict(zip(found["a"], found["kind"], strict=True))
        assert kinds == {"u0": "same samples", "u2": "copy", "u4": "copy", "u6": "cut", "u8": "cut"}
        assert found["similarity"].between(0.95, 1).all()
        assert found["similarity"].is_monotonic_decreasing
        cut = found[found["a"] == "u6"].iloc[0]
        assert cut["shift"] == pytest.approx(0.25, abs=0.001)
        assert cut["seconds"] == pytest.approx(1.25, abs=0.001)


def test_many_copies_of_one_are_all_joined(table, sound):
    draw = np.random.default_rng(0)
    waves = [sound(1) * draw.uniform(0.1, 1) for _ in range(30)] + [sound(1)] * 5 + [sound(2)]
    found = duplicates(table(1, 36), waves, progress=False)
    assert len(found) < 200
    joined, size = {"u0"}, 0
    while size != len(joined):  # everything that can be reached
        size = len(joined)
        for pair in pairs(found):
            joined |= pair if pair & joined else set()
    assert joined == {f"u{number}" for number in range(35)}


def test_silence_single_and_unreadable_recordings(table, sound, write_corpus):
    silence = np.zeros(16000, np.float32)
    assert duplicates(table(1, 3), [silence, silence, silence + 0.5], progress=False).empty
    assert duplicates(table(1, 1), [sound(1)], progress=False).empty
    utterances = write_corpus(table(1, 3), [sound(1), sound(2), sound(1)])
    utterances.loc["u1", "path"] = "nowhere.wav"
    assert pairs(duplicates(utterances, progress=False)) == {frozenset(("u0", "u2"))}


def test_parts_of_one_file_that_overlap(table, sound, tmp_path):
    soundfile.write(tmp_path / "long.wav", sound(1, 6.0), 16000)
    utterances = table(1, 3, path=str(tmp_path / "long.wav"), start=[0.0, 0.5, 3.5], end=[2.0, 2.5, 5.5])
    found = duplicates(utterances, progress=False)
    assert pairs(found) == {frozenset(("u0", "u1"))}
    assert found.loc[0, "shift"] == pytest.approx(0.5, abs=0.001)


@pytest.mark.more
def test_emodb_has_none_but_the_copies_put_in(real_corpus, telephone):
    """535 takes of ten sentences by ten speakers: many alike, none the same."""
    utterances = corpora.load("emodb", real_corpus("emodb"))
    utterances, waves = audio.read_utterances(utterances, progress=False)
    some = utterances.iloc[::20].rename(lambda name: f"{name} copy")
    draw = np.random.default_rng(0)
    cuts = [draw.integers(1, len(wave) // 5, 2) for wave in waves[::20]]
    copies = [0.5 * telephone(wave)[a:-b] for wave, (a, b) in zip(waves[::20], cuts, strict=True)]
    found = duplicates(pd.concat([utterances, some]), waves + copies, progress=False)
    assert pairs(found) == {frozenset((name, f"{name} copy")) for name in utterances.index[::20]}


def test_ravdess_has_one(real_corpus):
    utterances = corpora.load("ravdess", real_corpus("ravdess"))
    found = duplicates(utterances[utterances["speaker"].isin(["06", "07"])], progress=False)
    assert pairs(found) == {frozenset(("03-01-03-01-02-01-07", "03-01-03-01-02-02-07"))}
    assert found.loc[0, "kind"] == "same samples"


def brute(keys, owners, least):
    sets = {owner: set(keys[owners == owner]) for owner in np.unique(owners)}
    pairs = [(a, b, len(sets[a] & sets[b])) for a in sets for b in sets if a < b]
    return sorted(pair for pair in pairs if pair[2] >= least)


@pytest.mark.parametrize("least", [1, 2, 4])
def test_small_buckets_give_every_pair_that_shares_enough(least):
    draw = np.random.default_rng(least)
    owners = np.repeat(np.arange(20), 30)
    keys = np.concatenate([draw.choice(400, 30, replace=False) for _ in range(20)]).astype(np.uint32)
    found = candidates(keys, owners, least, reach=20)
    assert sorted(map(tuple, found.tolist())) == brute(keys, owners, least)


def test_many_of_a_kind_are_joined_in_linear_numbers():
    """1,000 owners of the same 8 keys: all in one chain, and 4 pairs an owner instead of half a million."""
    owners = np.repeat(np.arange(1000), 8)
    found = candidates(np.tile(np.arange(8, dtype=np.uint32), 1000), owners, 8)
    assert len(found) == 4 * 1000 - 10 and (found[:, 2] == 8).all()
    assert {(a, a + 1) for a in range(999)} <= {(a, b) for a, b, _ in found.tolist()}


def test_nothing_and_one():
    assert candidates(np.array([], np.uint32), np.array([], int), 1).shape == (0, 3)
    assert len(candidates(np.array([7], np.uint32), np.array([0]), 1)) == 0
    large = candidates(np.array([2**32 - 1] * 2, np.uint32), np.array([2**30, 3]), 1)
    assert large.tolist() == [[3, 2**30, 1]]


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
