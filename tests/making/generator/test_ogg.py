"""Opus files: the sound comes back, and the bytes depend on nothing else."""

import io

import numpy as np
import pytest
import soundfile

from making.generator.ogg import SERIAL, checksum, encode, with_fixed_serial

RATE = 16000


@pytest.fixture
def tone():
    times = np.arange(RATE) / RATE
    return 0.3 * np.sin(2 * np.pi * 220 * times) * np.hanning(RATE)


def test_the_sound_comes_back(tone):
    back, rate = soundfile.read(io.BytesIO(encode(tone, RATE, 0.9)))
    assert rate == RATE and back.shape == tone.shape
    assert np.corrcoef(back, tone)[0, 1] > 0.99


def test_the_same_sound_gives_the_same_bytes(tone):
    assert encode(tone, RATE, 0.9) == encode(tone, RATE, 0.9)


def test_only_serial_and_checksum_change(tone):
    buffer = io.BytesIO()
    soundfile.write(buffer, tone, RATE, format="OGG", subtype="OPUS", compression_level=0.9)
    before, after = buffer.getvalue(), with_fixed_serial(buffer.getvalue())
    assert len(before) == len(after) and before[14:18] != after[14:18] == SERIAL
    pages = [i for i in range(len(after)) if after[i : i + 4] == b"OggS"]
    allowed = {page + offset for page in pages for offset in (*range(14, 18), *range(22, 26))}
    assert {i for i in range(len(before)) if before[i] != after[i]} <= allowed


def test_the_checksum_is_the_one_that_ogg_uses(tone):
    """libsndfile's own checksum of a page, computed again."""
    buffer = io.BytesIO()
    soundfile.write(buffer, tone, RATE, format="OGG", subtype="OPUS")
    stream = buffer.getvalue()
    page = bytearray(stream[: stream.index(b"OggS", 4)])
    theirs, page[22:26] = bytes(page[22:26]), bytes(4)
    assert checksum(page).to_bytes(4, "little") == theirs
