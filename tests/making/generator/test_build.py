"""The corpus can be made again, byte for byte. Needs the extra "generate"; the checksums are tested without
it."""

import io
import shutil
import sys

import numpy as np
import pandas as pd
import pytest
import soundfile

from making.generator.__main__ import main
from making.generator.build import SUMS, build, differences, digest, make
from making.generator.knobs import Knobs
from making.generator.plan import plan
from sernb.core.errors import SernbError
from sernb.corpora.embedded import FOLDER


@pytest.fixture
def espeak():
    pytest.importorskip("espeakng_loader", reason='eSpeak NG is not here: pip install "sernb[generate]"')


@pytest.fixture(scope="module")
def planned():
    return plan(Knobs())


def test_the_shipped_corpus_has_its_checksums():
    assert differences(FOLDER, FOLDER / SUMS) == []


def test_the_knobs_in_the_code_are_those_of_the_shipped_corpus(planned):
    shipped = pd.read_csv(FOLDER / "metadata.csv", index_col="utterance", keep_default_na=False)
    assert list(shipped.index) == list(planned[0].index)
    assert (shipped["text"] == planned[0]["text"]).all() and (
        shipped["emotion"] == planned[0]["emotion"]
    ).all()
    assert np.allclose(shipped["loudness"], planned[0]["loudness"])


def test_utterances_are_spoken_again_byte_for_byte(espeak, planned):
    """In any order and number: each is made in a process of its own."""
    table, cast = planned
    names = list(table.index[[3, 500, 1099]])
    together = {name: ogg for name, ogg, _ in make(table, cast, Knobs(), only=names, jobs=2)}
    alone = {name: ogg for name, ogg, _ in make(table, cast, Knobs(), only=names[1:2], jobs=1)}
    assert list(together) == names and together[names[1]] == alone[names[1]]
    assert len(set(together.values())) == 3


def test_utterances_are_the_shipped_ones(espeak, planned):
    """The sound, within what Opus may differ by from one processor to the next; on the same one, the same
    bytes."""
    table, cast = planned
    for name, ogg, _ in make(table, cast, Knobs(), only=list(table.index[[0, 777]])):
        shipped = FOLDER / "audio" / table.at[name, "session"] / f"{name}.ogg"
        new, old = soundfile.read(io.BytesIO(ogg))[0], soundfile.read(shipped)[0]
        assert new.shape == old.shape
        assert np.mean((new - old) ** 2) < 1e-3 * np.mean(old**2)


def test_a_small_corpus_is_built_whole_or_not_at_all(espeak, tmp_path):
    table = build(tmp_path / "small", Knobs(utterances=20, sessions=2))
    assert len(table) == 20 and table["seconds"].between(0.7, 9).all()
    assert len(list((tmp_path / "small" / "audio").rglob("*.ogg"))) == 20
    assert differences(tmp_path / "small", tmp_path / "small" / SUMS) == []
    assert [path.name for path in tmp_path.iterdir()] == ["small"]
    with pytest.raises(SernbError, match="not empty"):
        build(tmp_path / "small", Knobs(utterances=20))


def test_differences_name_what_is_wrong(tmp_path):
    (tmp_path / "audio").mkdir()
    for name in ("metadata.csv", "audio/a.ogg", "audio/b.ogg"):
        (tmp_path / name).write_bytes(name.encode())
    lines = [
        f"{digest(tmp_path / name)}  {name}\n" for name in ("metadata.csv", "audio/a.ogg", "audio/b.ogg")
    ]
    (tmp_path / SUMS).write_text("".join(lines))
    assert differences(tmp_path, tmp_path / SUMS) == []
    (tmp_path / "audio/a.ogg").write_bytes(b"other")
    (tmp_path / "audio/b.ogg").unlink()
    (tmp_path / "audio/c.ogg").write_bytes(b"new")
    assert differences(tmp_path, tmp_path / SUMS) == [
        "missing audio/b.ogg",
        "extra audio/c.ogg",
        "changed audio/a.ogg",
    ]


def test_the_command_line(capsys, tmp_path):
    assert main(["sentences", "--count", "6", "-k", "emotion_words=0"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 6
    assert main(["check"]) == 0
    assert "every byte as shipped" in capsys.readouterr().out
    copy = tmp_path / "copy"
    shutil.copytree(FOLDER, copy)
    next((copy / "audio").rglob("*.ogg")).write_bytes(b"")
    assert main(["check", "--folder", str(copy)]) == 1
    assert capsys.readouterr().out.startswith("changed audio/")
    with pytest.raises(SystemExit):
        main(["build", "--out", str(tmp_path / "x"), "-k", "nonsense=1"])
    assert "expected NAME=VALUE" in capsys.readouterr().err


def test_without_espeak_the_error_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    with pytest.raises(SernbError, match=r"sernb\[generate\]"):
        build(tmp_path / "new", Knobs(utterances=3, sessions=1))
    assert list(tmp_path.iterdir()) == []
