"""Acoustic statistics of sounds whose pitch, loudness and tempo are known."""

import numpy as np
import pandas as pd
import pytest
from scipy.signal import sawtooth

from sernb.core.errors import SernbError
from sernb.features.acoustics import acoustic_statistics, acoustic_table

RATE = 16000


def voice(pitch=120.0, seconds=1.0, level=0.1, rate=RATE):
    """A buzz; pitch in Hz, one number or one a sample."""
    phase = 2 * np.pi * np.cumsum(np.broadcast_to(pitch, round(seconds * rate))) / rate
    return level * sawtooth(phase)


def semitones(hertz):
    return 12 * np.log2(hertz / 55)


@pytest.mark.parametrize("hertz", [75, 110, 180, 260, 380])
def test_pitch_is_found_to_a_quarter_of_a_semitone(hertz):
    found = acoustic_statistics(voice(hertz))
    assert found["pitch_mean"] == pytest.approx(semitones(hertz), abs=0.25)
    assert found["pitch_sd"] < 0.3 and found["voiced_share"] > 0.95


def test_slope_and_spread_follow_a_glide():
    glide = np.geomspace(110, 220, RATE)  # an octave in a second
    found = acoustic_statistics(voice(glide))
    assert found["pitch_slope"] == pytest.approx(12, abs=0.6)
    assert found["pitch_p10"] < found["pitch_p50"] < found["pitch_p90"]


def test_loudness_is_in_decibels():
    soft, loud = acoustic_statistics(voice(level=0.05)), acoustic_statistics(voice(level=0.5))
    for name in ("loudness_p10", "loudness_p50", "loudness_p90", "mel_10_mean"):
        assert loud[name] - soft[name] == pytest.approx(20, abs=0.1)
    assert loud["pitch_mean"] == pytest.approx(soft["pitch_mean"])


def test_syllables_are_counted_and_silence_measured():
    beats = np.concatenate([np.concatenate([voice(seconds=0.15), np.zeros(RATE // 10)]) for _ in range(8)])
    beats = beats + 1e-5 * np.random.default_rng(0).standard_normal(beats.size)
    found = acoustic_statistics(beats)
    assert 8 / 2 <= found["syllable_rate"] <= 8 / (8 * 0.13)
    assert found["silent_share"] == pytest.approx(0.4, abs=0.12)
    assert found["seconds"] == pytest.approx(2.0)


def test_noise_has_no_voice_and_silence_no_numbers_out_of_range():
    noise = acoustic_statistics(0.1 * np.random.default_rng(0).standard_normal(RATE))
    assert noise["voiced_share"] < 0.1
    silence = acoustic_statistics(np.zeros(RATE))
    assert np.isfinite(silence).all() and silence["voiced_share"] == 0 == silence["pitch_mean"]


@pytest.mark.parametrize("seconds", [0.1, 0.11, 0.3, 5.0])
@pytest.mark.parametrize("rate", [16000, 44100])
def test_any_length_gives_the_same_finite_names(seconds, rate):
    found = acoustic_statistics(voice(seconds=seconds, rate=rate), rate)
    assert np.isfinite(found).all() and list(found.index) == list(acoustic_statistics(voice()).index)


@pytest.mark.parametrize(
    "wrong", [np.zeros(1599), np.zeros((2, 16000)), np.full(16000, np.nan), np.array([])]
)
def test_what_is_no_waveform_is_refused(wrong):
    with pytest.raises(SernbError, match="expected a finite waveform"):
        acoustic_statistics(wrong)


def test_low_rates_are_refused():
    with pytest.raises(SernbError, match="8000 Hz"):
        acoustic_statistics(np.zeros(8000), 8000)


def test_a_table_has_a_row_for_each_utterance(write_sound, tmp_path):
    for name in "ab":
        write_sound(tmp_path / f"{name}.wav", seconds=0.5, seed=ord(name))
    utterances = pd.DataFrame(
        {"path": [str(tmp_path / "b.wav"), str(tmp_path / "a.wav"), str(tmp_path / "a.wav")],
         "start": [np.nan, np.nan, 0.1], "end": [np.nan, np.nan, 0.4]},
        index=pd.Index(["two", "one", "part"], name="utterance"),
    )  # fmt: skip
    table = acoustic_table(utterances, progress=False)
    assert list(table.index) == ["two", "one", "part"] and table.index.name == "utterance"
    assert table.at["part", "seconds"] == pytest.approx(0.3)
    assert table.at["two", "mel_05_mean"] != table.at["one", "mel_05_mean"]


def test_utterances_without_recordings_are_refused():
    table = pd.DataFrame({"text": ["Hello."]}, index=pd.Index(["a"], name="utterance"))
    with pytest.raises(SernbError, match="these utterances are only words here"):
        acoustic_table(table)
