"""Sounds that are like speech enough, and small corpora of them."""

from functools import cache

import numpy as np
import pandas as pd
import pytest
import soundfile
from scipy.signal import sosfilt
from soxr import resample

RATE = 16000


@cache
def _sound(number: int, seconds: float) -> np.ndarray:
    draw = np.random.default_rng(number)
    size = round(RATE * seconds)
    pitch = np.interp(np.linspace(0, 1, size), np.linspace(0, 1, 6), draw.uniform(80, 300, 6))
    buzz = 2 * (np.cumsum(pitch) / RATE % 1) - 1 + 0.2 * draw.standard_normal(size)
    voice = np.zeros(size)
    for _ in range(6):
        hertz, width = draw.uniform(250, 3500), draw.uniform(60, 200)
        radius, angle = np.exp(-np.pi * width / RATE), 2 * np.pi * hertz / RATE
        section = np.array([[1 - radius, 0, 0, 1, -2 * radius * np.cos(angle), radius**2]])
        voice += sosfilt(section, buzz) * np.interp(
            np.linspace(0, 1, size), np.linspace(0, 1, 12), draw.uniform(0.05, 1, 12)
        )
    return (0.3 * voice / np.abs(voice).max()).astype(np.float32)


@pytest.fixture
def sound():
    """`sound(number, seconds)`: a buzz with a melody and moving resonances, float32 at 16 kHz; each number
    its own."""
    return lambda number, seconds=1.5: _sound(number, seconds).copy()


@pytest.fixture
def telephone():
    """`telephone(waveform)`: to 8 kHz and back."""
    return lambda waveform: resample(resample(waveform, RATE, RATE // 2), RATE // 2, RATE)


@pytest.fixture
def table():
    """`table(speakers, each, …columns)`: utterances u0, u1, … with speaker and emotion in turn."""

    def make(speakers=4, each=12, emotions=("neutral", "happy", "sad"), **columns) -> pd.DataFrame:
        count = speakers * each
        rows = pd.DataFrame(
            {
                "speaker": [f"s{row // each}" for row in range(count)],
                "emotion": pd.Categorical([emotions[row % len(emotions)] for row in range(count)], emotions),
                **columns,
            },
            index=pd.Index([f"u{row}" for row in range(count)], name="utterance"),
        )
        return rows

    return make


@pytest.fixture
def write_corpus(tmp_path):
    """`write_corpus(table, waveforms)`: the table with a column `path` to wav files of them (float, so
    exact)."""

    def write(utterances: pd.DataFrame, waveforms) -> pd.DataFrame:
        paths = []
        for name, waveform in zip(utterances.index, waveforms, strict=True):
            paths.append(str(tmp_path / f"{name}.wav"))
            soundfile.write(paths[-1], waveform, RATE, subtype="FLOAT")
        return utterances.assign(path=paths)

    return write
