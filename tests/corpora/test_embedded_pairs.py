"""The pairs that come with sernb: words and sound, nothing of the embedded corpus, and no label."""

import random
import shutil

import numpy as np
import pytest
import soundfile

from making.generator.build import differences, digest, files_of
from making.generator.words import read
from making.pretraining.sentences import bare
from sernb import corpora
from sernb.core.errors import SernbError
from sernb.corpora.embedded_pairs import FOLDER, SUMS
from sernb.evaluation.audit import audit
from sernb.protocols import normalised


@pytest.fixture(scope="module")
def pairs():
    return corpora.load("embedded_pairs")


@pytest.fixture
def few(tmp_path, pairs):
    """A folder of three pairs by three speakers of two sessions, with sums that fit."""
    rows = [0, 40, 120]
    lines = (FOLDER / "metadata.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    (tmp_path / "few").mkdir()
    (tmp_path / "few" / "metadata.csv").write_text(
        "".join([lines[0], *(lines[1 + row] for row in rows)]), encoding="utf-8", newline="\n"
    )
    for name in pairs.index[rows]:
        session = pairs.at[name, "session"]
        (tmp_path / "few" / "audio" / session).mkdir(parents=True, exist_ok=True)
        shutil.copy(pairs.at[name, "path"], tmp_path / "few" / "audio" / session)
    return sums(tmp_path / "few")


def sums(folder):
    lines = [f"{digest(path)}  {path.relative_to(folder).as_posix()}\n" for path in files_of(folder)]
    (folder / SUMS).write_text("".join(lines))
    return folder


def test_size(pairs):
    assert 1450 <= len(pairs) <= 1600 and pairs["speaker"].nunique() == 45
    assert pairs.groupby("session")["speaker"].nunique().eq(3).all()
    assert pairs.groupby("speaker").size().min() >= 30
    assert pairs.groupby("session")["gender"].nunique().eq(2).all()
    assert sum(path.stat().st_size for path in FOLDER.rglob("*") if path.is_file()) <= 9e6


def test_no_label_is_shipped(pairs):
    assert list(pairs) == ["path", "speaker", "gender", "session", "text"]
    header = (FOLDER / "metadata.csv").read_text(encoding="utf-8").splitlines()[0]
    assert header == "utterance,file,speaker,gender,session,text"
    assert "no labels" in pairs.attrs["notes"][0]
    with pytest.raises(SernbError, match="has no emotion labels"):
        corpora.load("embedded_pairs", emotions=["happy"])


def test_nobody_and_nothing_of_the_embedded_corpus(pairs):
    own = corpora.load("embedded")
    for column in ("speaker", "session"):
        assert not set(pairs[column]) & set(own[column])
    assert not set(pairs.index) & set(own.index)
    core = bare(read("patterns"))
    for form in (normalised, core):
        assert not set(pairs["text"].map(form)) & set(own["text"].map(form))
    assert pairs["text"].map(len).between(10, 200).all()


def test_every_byte_is_as_it_was_made():
    assert differences(FOLDER, FOLDER / SUMS) == []


def test_recordings_are_clean_and_of_sensible_length(pairs):
    chosen = random.Random(0).sample(list(pairs["path"]), 60)
    lengths = []
    for path in chosen:
        sound, rate = soundfile.read(path)
        assert rate == 16000 and sound.ndim == 1
        assert 0.02 < np.abs(sound).max() < 0.999, path
        lengths.append(len(sound) / rate)
    assert min(lengths) > 0.8 and max(lengths) < 10 and 2.5 < np.mean(lengths) < 4


def test_words_like_none_are_text(few):
    """pandas would read "None" and "null" as missing."""
    table = (few / "metadata.csv").read_text().splitlines()
    table[1] = ",".join([*table[1].split(",")[:5], "None"])
    (few / "metadata.csv").write_text("\n".join(table) + "\n")
    assert corpora.load("embedded_pairs", sums(few))["text"].iloc[0] == "None"


def test_line_ends_of_another_system_do_no_harm(few):
    table = few / "metadata.csv"
    table.write_bytes(table.read_bytes().replace(b"\n", b"\r\n"))
    assert corpora.load("embedded_pairs", few)["text"].str.endswith(("?", ".")).all()


def test_missing_and_damaged_data_are_named(few, tmp_path):
    load = lambda: corpora.load("embedded_pairs", few)  # noqa: E731
    assert len(load()) == 3
    first = sorted((few / "audio").rglob("*.ogg"))[0]
    content = first.read_bytes()
    first.write_bytes(content[:-1])
    with pytest.raises(SernbError, match=rf"1 files .* missing or damaged.*{first.name} \(changed\)"):
        load()
    first.unlink()
    with pytest.raises(SernbError, match=rf"{first.name} \(missing\)"):
        load()
    first.write_bytes(content)
    table = few / "metadata.csv"
    words = table.read_text()
    table.write_text(words.replace(".", "!", 1))
    with pytest.raises(SernbError, match=r"metadata.csv \(changed\)"):
        load()
    (few / SUMS).unlink()
    with pytest.raises(SernbError, match="found no SHA256SUMS"):
        load()
    table.unlink()
    with pytest.raises(SernbError, match=r"found no metadata\.csv"):
        load()


def test_an_audit_of_pairs_without_labels(few):
    """It goes without; three recordings are enough to see that."""
    findings = audit(corpora.load("embedded_pairs", few))
    assert (findings["severity"] != "leak").all()
