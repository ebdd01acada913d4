"""The corpus that comes with sernb: what it promises, and what simple models find in it."""

import numpy as np
import pandas as pd
import pytest
import soundfile

from sernb.core.errors import SernbError
from sernb.corpora import load
from sernb.corpora.embedded import FOLDER, sentences
from sernb.corpora.embedded import load as load_folder
from sernb.protocols import normalised

IEMOCAP = {"neutral": 1708, "happy": 1636, "sad": 1084, "angry": 1103}


@pytest.fixture(scope="module")
def corpus():
    return load("embedded")


def test_size(corpus):
    assert len(corpus) >= 1000 and corpus["text"].nunique() >= 900
    assert corpus["speaker"].nunique() >= 12 and corpus["session"].nunique() == 5


def test_classes_stand_in_iemocaps_proportions(corpus):
    shares = corpus["emotion"].value_counts(normalize=True)
    assert set(shares.index) == set(IEMOCAP)
    for name, count in IEMOCAP.items():
        assert shares[name] == pytest.approx(count / sum(IEMOCAP.values()), abs=0.002)


def test_sessions_hold_three_speakers_both_genders_and_all_classes(corpus):
    for _, session in corpus.groupby("session"):
        assert session["speaker"].nunique() == 3 and set(session["gender"]) == {"female", "male"}
        assert session["emotion"].value_counts().min() >= 20
    assert (corpus.groupby("speaker")["session"].nunique() == 1).all()


def test_no_line_is_said_in_two_sessions(corpus):
    assert (corpus.groupby("text")["session"].nunique() == 1).all()


def test_ratings_stand_on_the_stated_scale(corpus):
    low, high = corpus.attrs["scale"]
    raters = [column for column in corpus if column.startswith("arousal_") and column[-1].isdigit()]
    assert (low, high) == (1, 5) and len(raters) >= 3
    for name in ("valence", "arousal", "dominance"):
        assert corpus[name].between(low, high).all()
        single = corpus[[column.replace("arousal", name) for column in raters]]
        assert np.allclose(corpus[name], single.mean(axis=1))
        assert corpus[f"{name}_true"].between(-1, 1).all()


def test_recordings_are_small_clean_and_of_sensible_length(corpus):
    size = sum(path.stat().st_size for path in FOLDER.rglob("*") if path.is_file())
    assert size < 20e6
    assert corpus["seconds"].between(1, 9).all() and 2.5 < corpus["seconds"].mean() < 4
    for name, path in corpus["path"].iloc[::25].items():
        sound, rate = soundfile.read(path)
        assert rate == 16000 and sound.ndim == 1
        assert len(sound) / rate == pytest.approx(corpus.at[name, "seconds"], abs=0.001)
        assert 0.02 < np.abs(sound).max() < 0.999, name


def test_the_voice_follows_arousal_and_the_words_follow_valence(corpus):
    assert corpus["rate"].corr(corpus["arousal_true"]) > 0.5
    assert corpus["loudness"].corr(corpus["arousal_true"]) > 0.5
    assert corpus["valence_of_words"].corr(corpus["valence_true"]) > 0.85
    assert corpus["valence_of_words"].corr(corpus["arousal_true"]) < 0.4


def test_strangers_to_the_corpus_are_named(tmp_path):
    with pytest.raises(SernbError, match="no metadata"):
        load_folder(tmp_path)
    (tmp_path / "metadata.csv").write_text("utterance,file,text\na,audio/a.ogg,hello\n")
    with pytest.raises(SernbError, match=r"1 of 1 recordings .* audio/a\.ogg"):
        load_folder(tmp_path)


def test_words_like_none_are_text(tmp_path):
    """pandas would read "None" and "null" as missing."""
    (tmp_path / "audio").mkdir()
    (tmp_path / "audio" / "a.ogg").write_bytes(b"")
    pd.DataFrame({"file": ["audio/a.ogg"], "text": ["None"]}, pd.Index(["a"], name="utterance")).to_csv(
        tmp_path / "metadata.csv"
    )
    assert load_folder(tmp_path).at["a", "text"] == "None"


def test_more_sentences_come_with_it(corpus):
    assert sentences(0) == [] and sentences(40) == sentences(1500)[:40]
    assert not set(map(normalised, sentences(1500))) & set(corpus["text"].map(normalised))
    with pytest.raises(SernbError, match=r"holds 1500.*making\.pretraining\.sentences --count 1501"):
        sentences(1501)
