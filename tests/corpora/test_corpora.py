import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from sernb import corpora, protocols
from sernb.core.errors import SernbError
from sernb.core.tables import EMOTIONS
from sernb.corpora.labels import KNOWN


def test_unknown_corpus_lists_the_valid_ones():
    with pytest.raises(
        SernbError,
        match="unknown corpus 'emo-db'; the corpora are embedded, embedded_pairs, emodb, ravdess",
    ):
        corpora.load("emo-db")


def test_folder_that_is_missing_empty_a_file_or_another_corpus(tmp_path, ravdess_tree):
    with pytest.raises(SernbError, match=r"none does not exist.*Expected there: wav/03a01Fa.wav.*bilderbar"):
        corpora.load("emodb", tmp_path / "none")
    (tmp_path / "empty").mkdir()
    with pytest.raises(SernbError, match=r"is empty.*Expected there.*Where to get it"):
        corpora.load("emodb", tmp_path / "empty")
    (tmp_path / "a.wav").write_bytes(b"")
    with pytest.raises(SernbError, match="is a file, expected a folder"):
        corpora.load("emodb", tmp_path / "a.wav")
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "readme.txt").write_text("nothing to hear")
    with pytest.raises(SernbError, match="no wav or flac file"):
        corpora.load("emodb", tmp_path / "texts")
    with pytest.raises(
        SernbError, match=r"none of its 1440 recordings is named as in EMO-DB.*another corpus"
    ):
        corpora.load("emodb", ravdess_tree)
    with pytest.raises(SernbError, match="none of its 1440 recordings"):  # nothing left is no reason to go on
        corpora.load("emodb", ravdess_tree, on_bad="skip")


def test_find_root(tmp_path, monkeypatch, emodb_tree):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SERNB_CORPORA", raising=False)
    assert corpora.find_root("emodb") is None
    with pytest.raises(SernbError, match=r"not found: no folder corpora/emodb.*SERNB_CORPORA"):
        corpora.load("emodb")
    monkeypatch.setenv("SERNB_CORPORA", str(tmp_path))
    assert corpora.find_root("emodb") == emodb_tree
    assert len(corpora.load("emodb", "")) == 535  # a notebook's empty parameter means: find it
    monkeypatch.delenv("SERNB_CORPORA")
    (tmp_path / "corpora").mkdir()
    (tmp_path / "corpora" / "emodb").symlink_to(emodb_tree)
    assert len(corpora.load("emodb")) == 535


def test_overview(tmp_path, monkeypatch, emodb_tree):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SERNB_CORPORA", str(tmp_path))
    table = corpora.overview()
    assert list(table.index) == list(corpora.CORPORA)
    assert {"title", "licence", "obtain", "folder", "layout", "found", "files"} <= set(table.columns)
    assert table.loc["emodb", ["found", "files"]].tolist() == [str(emodb_tree), 535]
    assert table.loc["ravdess", ["found", "files"]].tolist() == ["not found", 0]
    assert table.loc["ravdess", "folder"] == str(tmp_path / "ravdess")
    (tmp_path / "ravdess").write_text("a file where the folder is expected")
    table = corpora.overview()
    assert "ravdess: the folder cannot be read" in table.loc["ravdess", "found"]
    assert table.loc["emodb", "files"] == 535


def test_emotions_keeps_only_these_and_counts_the_rest(emodb_tree):
    table = corpora.load("emodb", emodb_tree, emotions=["sad", "happy"])
    assert table["emotion"].value_counts().to_dict() == {"happy": 71, "sad": 62}
    assert list(table["emotion"].cat.categories) == ["happy", "sad"]
    assert table.attrs["notes"] == ["Kept 133 of 535 utterances: happy, sad."]
    with pytest.raises(SernbError, match="no utterance of 'calm'; its emotions are neutral, happy"):
        corpora.load("emodb", emodb_tree, emotions=["calm"])


def test_unknown_options(emodb_tree):
    with pytest.raises(SernbError, match="corpus 'emodb' has no option labels"):
        corpora.load("emodb", emodb_tree, labels={})
    with pytest.raises(SernbError, match="on_bad must be 'raise' or 'skip', got 'ignore'"):
        corpora.load("emodb", emodb_tree, on_bad="ignore")


def test_label_words():
    assert KNOWN["anger"] == KNOWN["ang"] == "angry" and "cheerful" not in KNOWN
    assert set(KNOWN.values()) == set(EMOTIONS) and all(KNOWN[emotion] == emotion for emotion in EMOTIONS)


def test_every_file_with_facts_is_listed_and_its_protocol_is_one():
    with_facts = {
        path.stem for path in Path(corpora.__file__).parent.glob("*.py") if "\nCORPUS = " in path.read_text()
    }
    assert with_facts == set(corpora.CORPORA)
    assert {corpus.protocol for corpus in corpora.CORPORA.values()} - {""} <= set(protocols.PROTOCOLS)


def test_a_table_names_the_protocol_of_its_corpus(emodb_tree):
    table = corpora.load("emodb", emodb_tree, emotions=["sad", "happy"])
    assert protocols.default(table) == "leave-one-speaker-out"
    assert protocols.default(corpora.load("embedded")) == "leave-one-session-out"
    table.attrs["protocol"] = ""
    assert protocols.default(table) == "leave-one-speaker-out"  # ten speakers


def test_the_overview_needs_no_heavy_library():
    """`sernb corpora` answers within a second: what decodes, checks or trains is imported where used."""
    program = "import sys; from sernb.corpora import overview; overview(); print(*sys.modules)"
    modules = set(
        subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True
        ).stdout.split()
    )
    assert "pandas" in modules
    assert (
        not {"torch", "transformers", "pandera", "scipy", "sklearn", "joblib", "soundfile", "tqdm"} & modules
    )


def test_a_broken_recording_among_many_is_told_before_any_work(emodb_tree):
    """Loading reads names only; reading names all bad recordings at once, and goes on only when told to."""
    from sernb.features.audio import read_utterances

    bad = ["03a01Fa", "03a01Na", "08a01Wa"]
    for name in bad:
        (emodb_tree / "wav" / f"{name}.wav").write_bytes(b"")
    table = corpora.load("emodb", emodb_tree)
    with pytest.raises(SernbError, match="3 of 535 recordings cannot be used") as error:
        read_utterances(table, progress=False)
    assert all(name in str(error.value) for name in bad)
    with pytest.warns(UserWarning, match=r"3 of 535.*\n(.*\n)*They are left out"):
        kept, waveforms = read_utterances(table, on_bad="skip", progress=False)
    assert len(kept) == len(waveforms) == 532
    pd.testing.assert_index_equal(kept.index, table.index.drop(bad))
    assert [one["utterance"] for one in kept.attrs["skipped"]] == bad
