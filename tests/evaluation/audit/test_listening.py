from pathlib import Path

import numpy as np
import pytest

from sernb.evaluation.audit.listening import fingerprint, hear, listen
from sernb.evaluation.audit.sound import recordings

RATE = 16000


def tone(seconds=1.0, level=0.5, hertz=200.0):
    return level * np.sin(2 * np.pi * hertz * np.arange(round(seconds * RATE)) / RATE).astype(np.float32)


def test_levels_in_decibels_of_full_scale():
    facts = hear(tone(2.0, 0.5))
    assert facts["length"] == 2.0
    assert facts["loudness"] == pytest.approx(20 * np.log10(0.5 / np.sqrt(2)), abs=0.05)
    assert facts["silence"] == 0 == facts["clipping"]
    half = hear(np.concatenate([tone(1.0), np.zeros(RATE, np.float32)]))
    assert half["silence"] == pytest.approx(0.5, abs=0.02)
    assert half["loudness"] == pytest.approx(facts["loudness"], abs=0.1)  # silence does not count
    assert half["background"] == -100
    noise = np.concatenate([tone(1.0), 1e-3 * np.random.default_rng(0).standard_normal(RATE)])
    assert hear(noise)["background"] == pytest.approx(-60, abs=1)


def test_flat_tops_are_clipping_and_peaks_are_not():
    clipped = np.clip(tone(1.0, 1.0), -0.5, 0.5)
    share = 1 - 2 * np.arcsin(0.5) / np.pi  # of a sine above half its height
    assert hear(clipped)["clipping"] == pytest.approx(share, abs=0.03)
    for level in (1.0, 0.3):
        assert hear(tone(level=level, hertz=50))["clipping"] == 0
    assert hear(np.round(tone(level=0.0005) * 32768) / 32768)["clipping"] == 0  # quiet: steps, no tops


def test_silence_and_offsets():
    for waveform in (np.zeros(RATE), np.full(RATE, 0.25), np.zeros(1), np.zeros(100)):
        facts = hear(waveform)
        assert facts["silent"] and facts["digest"] == "" and len(facts["keys"]) == 0
        assert np.isfinite([facts[name] for name in ("loudness", "silence", "background", "clipping")]).all()
    assert hear(np.zeros(RATE))["loudness"] == -100 and hear(np.zeros(RATE))["silence"] == 1


def test_the_digest_is_of_the_samples():
    assert (
        hear(tone())["digest"]
        == hear(tone().astype(np.float64))["digest"]
        != hear(tone(level=0.49))["digest"]
    )


@pytest.mark.more
def test_files_waveforms_and_workers_give_the_same(table, sound, write_corpus):
    waves = [sound(number, 0.5) for number in range(40)]
    utterances = write_corpus(table(4, 10), waves)
    results = [
        listen(utterances, given, ["u3", "u5"], jobs, progress=False)
        for given, jobs in ((waves, 1), (None, 1), (None, 2))
    ]
    for heard, statistics in results:
        assert list(heard.index) == list(utterances.index)
        assert heard.drop(columns="keys").equals(results[0][0].drop(columns="keys"))
        assert all(np.array_equal(a, b) for a, b in zip(heard["keys"], results[0][0]["keys"], strict=True))
        assert list(statistics.index) == ["u3", "u5"] and statistics.notna().to_numpy().all()


def test_what_cannot_be_read_is_a_finding_not_an_end(table, sound, write_corpus):
    utterances = write_corpus(table(1, 4), [sound(1), np.zeros(RATE), sound(2)[:2000], sound(3)])
    assert recordings(listen(utterances.drop(index=["u1", "u2"]), progress=False)[0])["severity"] == "fine"
    Path(utterances.loc["u3", "path"]).write_bytes(b"no sound")
    heard, statistics = listen(utterances, statistics_of=utterances.index, progress=False)
    found = recordings(heard)
    assert found["severity"] == "caution" and found["utterances"] == ["u3", "u1", "u2"]
    assert "1 of 4 recordings cannot be read (the first:" in found["finding"] and "u3.wav" in found["finding"]
    assert found["value"] == pytest.approx(3 / 4)
    assert list(statistics.index) == ["u0", "u1", "u2"]


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
