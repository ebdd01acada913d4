"""Speech to learn from: that it is new, where its phones stand, and what is refused. Speaking needs the extra
"generate"."""

import multiprocessing

import numpy as np
import pytest

from making.generator.build import speak
from making.generator.knobs import Knobs
from making.generator.plan import plan
from making.generator.synthesis import lend_data
from making.pretraining import spoken
from sernb.core.errors import SernbError
from sernb.corpora import load
from sernb.protocols import normalised


@pytest.fixture
def espeak():
    pytest.importorskip("espeakng_loader", reason='eSpeak NG is not here: pip install "sernb[generate]"')


def test_phones_stand_where_they_are_heard():
    """ "a" from 0.2 s (the pause) on, "b" 0.1 s later: frames whose middle lies before, within and behind."""
    said = spoken.phones_by_frame([("'a:", 0), (";", 1000), ("b", 2205), ("_:", 4410)], 9600)
    middles = (320 * np.arange(len(said)) + 200) / 16000
    assert len(said) == spoken.frames_of(9600) == 29
    expected = np.select([middles < 0.2, middles < 0.3, middles < 0.4], ["_", "a", "b"], "_")
    assert said == expected.tolist()


def test_phones_without_stress_length_and_variants():
    names = ["'i:", ",aU", "t#", "@2", "3:", "I2", "r-", "_:", "_", "", "%@L", "tS", "3"]
    assert [spoken.phone(one) for one in names] == [
        *("i", "aU", "t", "@", "3", "I", "r", "_", "_", "_", "@L", "tS", "3")
    ]


def test_speech_is_new_whole_and_read_again(espeak, tmp_path):
    made = spoken.speech(tmp_path / "s", 14, 3, 6, jobs=1)
    assert len(made.table) <= 14 and made.table["speaker"].nunique() == 6 and made.hours > 0
    said = set(load("embedded")["text"].map(normalised))
    assert not said & set(made.table["text"].map(normalised))
    assert made.phones.lengths.tolist() == made.table["samples"].map(spoken.frames_of).tolist()
    loud, quiet = [], []
    for row in range(len(made.table)):
        middle = made.phones.lengths[row] // 2
        frames = made.waveform(row)[: 320 * middle].reshape(middle, 320).std(1)
        silent = made.phones[row][:middle] == 0
        loud.append(np.median(frames[~silent]))
        quiet.append(np.median(frames[silent]))
    assert np.median(loud) > 3 * np.median(quiet)  # phones where there is sound, none before it
    again = spoken.speech(tmp_path / "s", 14, 3, 6)
    assert np.array_equal(again.sound.values, made.sound.values) and again.names == made.names
    assert [one.name for one in tmp_path.iterdir()] == ["s"]
    with pytest.raises(SernbError, match="holds other speech"):
        spoken.speech(tmp_path / "s", 14, 4, 6)


def test_asking_for_phones_does_not_change_the_sound(espeak, tmp_path):
    knobs = Knobs(seed=3, utterances=9, sessions=2)
    table, cast = plan(knobs)
    data, way = lend_data(tmp_path), multiprocessing.get_context("fork")
    row = table.iloc[4]
    with way.Pool(1, maxtasksperchild=1) as pool:  # eSpeak keeps state from one utterance to the next
        plain = pool.apply(speak, (4, row, cast[row.speaker], data, knobs))
        with_phones, said = pool.apply(spoken._say, ((4, row, cast[row.speaker]), data, knobs))
    assert np.array_equal(with_phones, np.rint(plain * 32767).astype(np.int16))
    assert len(said) == spoken.frames_of(len(plain)) and len(set(said)) > 10


def test_speech_that_cannot_be(tmp_path):
    with pytest.raises(SernbError, match="speakers of the embedded corpus"):
        spoken.speech(tmp_path / "s", 100, Knobs.seed, 9)
    with pytest.raises(SernbError, match="got 9 speakers and 10 utterances"):
        spoken.speech(tmp_path / "s", 10, 3, 9)
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(SernbError, match="holds no speech"):
        spoken.speech(tmp_path, 100, 3, 9)
