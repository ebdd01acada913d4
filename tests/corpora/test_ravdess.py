import warnings

import pandas as pd
import pytest

from sernb import corpora
from sernb.core.errors import SernbError


def check(table):
    counts = table["emotion"].value_counts().to_dict()
    assert counts.pop("neutral") == 96
    assert counts == dict.fromkeys(
        ["calm", "happy", "sad", "angry", "fearful", "disgusted", "surprised"], 192
    )
    assert table["speaker"].nunique() == 24
    assert table.groupby("gender")["speaker"].nunique().to_dict() == {"female": 12, "male": 12}
    assert set(table.loc[table["emotion"] == "neutral", "intensity"]) == {"normal"}


def test_published_layout(ravdess_tree):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table = corpora.load("ravdess", ravdess_tree)
    assert len(table) == 1440
    check(table)
    one = table.loc["03-01-05-02-01-02-12"]
    facts = ["emotion", "intensity", "sentence", "repetition", "speaker", "gender", "text"]
    assert one[facts].tolist() == [
        "angry",
        "strong",
        "01",
        "02",
        "12",
        "female",
        "Kids are talking by the door.",
    ]


def test_songs_and_wrong_codes_are_named(ravdess_tree, fill):
    song, actor, emotion = "03-02-03-01-01-01-01", "03-01-03-01-01-01-25", "03-01-09-01-01-01-01"
    fill([ravdess_tree / "Actor_01" / f"{name}.wav" for name in (song, actor, emotion, "notes")])
    with pytest.raises(SernbError, match="4 of 1444") as error:
        corpora.load("ravdess", ravdess_tree)
    for words in ("speech and no song", "speaker 25 is none", "emotion 09 is none", "notes", 'on_bad="skip"'):
        assert words in str(error.value)
    with pytest.warns(UserWarning, match="4 of 1444"):
        check(corpora.load("ravdess", ravdess_tree, on_bad="skip"))


def test_the_archive_unpacked_twice(ravdess_tree):
    for actor in sorted(ravdess_tree.glob("Actor_*")):
        copy = ravdess_tree / "audio_speech_actors_01-24" / actor.name
        copy.mkdir(parents=True)
        for file in actor.iterdir():
            (copy / file.name).write_bytes(file.read_bytes())
    with pytest.raises(
        SernbError, match=r"1440 of 2880 recordings.*\n(.*the same clip as.*\n){10}.*1430 more"
    ):
        corpora.load("ravdess", ravdess_tree)


def test_missing_actor_is_noted(ravdess_tree):
    for file in (ravdess_tree / "Actor_03").iterdir():
        file.unlink()
    with pytest.warns(UserWarning, match="1380 utterances, published are 1440"):
        assert len(corpora.load("ravdess", ravdess_tree)) == 1380


def test_real(real_corpus):
    root = real_corpus("ravdess")
    table = corpora.load("ravdess", root)
    check(table)
    theirs = pd.read_csv(root / "metadata.csv", dtype=str)
    theirs.index = theirs["file"].str.extract(r"/(.+)\.")[0]
    theirs = theirs.reindex(table.index)
    names = dict(
        speaker="speaker", gender="gender", text="transcript", intensity="intensity", sentence="statement"
    )
    for ours, name in names.items():
        assert (table[ours] == theirs[name]).all(), ours
