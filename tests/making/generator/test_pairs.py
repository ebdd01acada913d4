"""The pairs can be made again, byte for byte. Needs the extra "generate"; what is planned is tested without
it."""

import io
import multiprocessing
import sys
from dataclasses import asdict, replace

import numpy as np
import pytest
import soundfile

from making.generator.build import SUMS, differences, make
from making.generator.knobs import Knobs
from making.generator.pairs import COLUMNS, KNOBS, build, main, opus, planned, written
from making.generator.plan import plan
from making.generator.voices import variant
from sernb.core.errors import SernbError
from sernb.corpora import load
from sernb.corpora.embedded_pairs import FOLDER

SMALL = replace(KNOBS, utterances=12, sessions=2)


@pytest.fixture
def espeak():
    pytest.importorskip("espeakng_loader", reason='eSpeak NG is not here: pip install "sernb[generate]"')


@pytest.fixture(scope="module")
def pairs():
    return planned()


def test_the_knobs_are_the_embedded_corpus_s_but_for_seed_and_size():
    changed = {name for name, value in asdict(KNOBS).items() if value != getattr(Knobs(), name)}
    assert changed == {"seed", "utterances", "sessions"}
    with pytest.raises(SernbError, match="seed 1 makes the speakers of the embedded corpus"):
        planned(Knobs())


def test_every_voice_is_new(pairs):
    """As eSpeak is told of it."""
    heard = [
        {variant(one, 2, 0) + one.accent for one in cast.values()} for cast in (pairs[1], plan(Knobs())[1])
    ]
    assert [len(voices) for voices in heard] == [45, 15] and not heard[0] & heard[1]


def test_the_plan_is_what_is_shipped(pairs):
    table = written(pairs[0])
    shipped = load("embedded_pairs")
    assert list(table) == COLUMNS and list(table.index) == list(shipped.index)
    assert (table["text"] == shipped["text"]).all() and (table["speaker"] == shipped["speaker"]).all()
    assert [str(FOLDER / file) for file in table["file"]] == list(shipped["path"])
    assert table["speaker"].iloc[0].startswith("Ses06") and table["session"].iloc[-1] == "Ses20"


def test_shipped_recordings_are_spoken_again(espeak, pairs):
    """The sound, within what Opus may differ by from one processor to the next; on the same one, the same
    bytes."""
    table, cast = pairs
    names = list(table.index[[0, 700]])
    files = list(written(table)["file"])
    again = {name: ogg for name, ogg, _ in make(table, cast, KNOBS, opus, only=names, jobs=1)}
    for name in names:
        shipped = FOLDER / files[table.index.get_loc(name)]
        new, old = soundfile.read(io.BytesIO(again[name]))[0], soundfile.read(shipped)[0]
        assert new.shape == old.shape
        assert np.mean((new - old) ** 2) < 1e-3 * np.mean(old**2)


def test_a_small_one_is_built_whole_or_not_at_all(espeak, tmp_path):
    table = build(tmp_path / "small", SMALL, jobs=1)
    found = load("embedded_pairs", tmp_path / "small")
    assert list(found.index) == list(table.index) and found["speaker"].nunique() == 6
    assert [path.name for path in tmp_path.iterdir()] == ["small"]
    assert differences(tmp_path / "small", tmp_path / "small" / SUMS) == []
    words = (tmp_path / "small" / "README.md").read_text()
    assert f"{len(table)} utterances" in words and "6 synthetic speakers" in words and "{" not in words
    with pytest.raises(SernbError, match="not empty"):
        build(tmp_path / "small", SMALL)


def test_without_espeak_the_error_says_what_to_install(monkeypatch, tmp_path, capsys):
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    before = set(multiprocessing.active_children())  # of other tests
    assert main(["--out", str(tmp_path / "new")]) == 1
    assert "sernb[generate]" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
    assert not set(multiprocessing.active_children()) - before
