import re
import warnings

import pytest

from sernb import corpora
from sernb.core.errors import SernbError

COUNTS = {"angry": 127, "bored": 81, "neutral": 79, "happy": 71, "fearful": 69, "sad": 62, "disgusted": 46}


def test_published_layout(emodb_tree):
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a complete corpus gives no cause to warn
        table = corpora.load("emodb", emodb_tree)
    assert table["emotion"].value_counts().to_dict() == COUNTS
    assert table["speaker"].nunique() == 10
    assert table.attrs["notes"] == [] and table.attrs["skipped"] == []
    assert table.attrs["corpus"] == "emodb" and table.attrs["root"] == str(emodb_tree)
    one = table.loc["08a02Na"]
    assert (one["speaker"], one["gender"], one["emotion"], one["sentence"]) == (
        "08",
        "female",
        "neutral",
        "a02",
    )
    assert one["text"] == "Das will sie am Mittwoch abgeben."
    assert one["path"] == str(emodb_tree / "wav" / "08a02Na.wav")


@pytest.mark.parametrize(
    "letter, emotion",
    [*zip("WLEAFTN", ["angry", "bored", "disgusted", "fearful", "happy", "sad", "neutral"], strict=True)],
)
def test_letters(tmp_path, fill, letter, emotion):
    fill([tmp_path / f"03a01{letter}a.wav"])
    with pytest.warns(UserWarning, match="1 utterances, published are 535"):
        assert corpora.load("emodb", tmp_path)["emotion"].tolist() == [emotion]


def test_flac_in_other_folders_and_upper_case_endings(tmp_path, fill):
    fill([tmp_path / "audio" / "03a01Fa.flac", tmp_path / "more" / "deep" / "16b10Wb.WAV"])
    with pytest.warns(UserWarning):
        assert list(corpora.load("emodb", tmp_path).index) == ["03a01Fa", "16b10Wb"]


def test_incomplete_corpus_loads_and_says_so(emodb_tree):
    for name in ("03a01Wa", "08a01Wa", "03a01Ea"):
        (emodb_tree / "wav" / f"{name}.wav").unlink()
    with pytest.warns(UserWarning, match="532 utterances, published are 535"):
        table = corpora.load("emodb", emodb_tree)
    assert "angry 125 of 127, disgusted 45 of 46" in table.attrs["notes"][0]


def test_names_outside_the_code_are_named_and_skipped_only_when_told(emodb_tree, fill):
    strange = ["hello", "99a01Fa", "03a03Fa", "03a01Xa"]
    fill([emodb_tree / "wav" / f"{name}.wav" for name in strange])
    with pytest.raises(SernbError, match="4 of 539 recordings do not fit") as error:
        corpora.load("emodb", emodb_tree)
    for name in strange:
        assert name in str(error.value)
    with pytest.warns(UserWarning, match="4 of 539"):
        table = corpora.load("emodb", emodb_tree, on_bad="skip")
    assert len(table) == 535
    assert sorted(one["utterance"] for one in table.attrs["skipped"]) == sorted(strange)


def test_a_clip_found_twice(emodb_tree, fill):
    fill([emodb_tree / "flac" / "03a01Fa.flac"])
    with pytest.raises(SernbError, match=r"the same clip as .*flac/03a01Fa.flac"):
        corpora.load("emodb", emodb_tree)


def test_hidden_files_of_macos_are_no_recordings(emodb_tree):
    (emodb_tree / "wav" / "._03a01Fa.wav").write_bytes(b"\0\5\26\7")
    (emodb_tree / "__MACOSX").mkdir()
    (emodb_tree / "__MACOSX" / "03a01Fa.wav").write_bytes(b"\0\5\26\7")
    assert len(corpora.load("emodb", emodb_tree)) == 535


def test_linked_folders_are_followed_once(emodb_tree, tmp_path):
    (tmp_path / "link").mkdir()
    (tmp_path / "link" / "emodb").symlink_to(emodb_tree)
    (emodb_tree / "round").symlink_to(emodb_tree)
    assert len(corpora.load("emodb", tmp_path / "link")) == 535


def test_listeners_from_metadata(emodb_tree):
    rows = [
        "file,human_recognised_pct,human_natural_pct",
        "audio/03a01Fa.flac,90.0,75.0",
        "audio/03a01Na.flac,,80",
    ]
    (emodb_tree / "metadata.csv").write_text("\n".join(rows), encoding="utf-8-sig")
    table = corpora.load("emodb", emodb_tree)
    assert table.loc["03a01Fa", ["recognised", "natural"]].tolist() == [90, 75]
    assert table["recognised"].count() == 1 and table["natural"].count() == 2
    assert "533 recordings are not in metadata.csv" in table.attrs["notes"][0]


@pytest.mark.parametrize(
    "content, says",
    [
        ("file,natural\n03a01Fa.wav,much", "cannot be used (Unable to parse string"),
        ("file,natural\n03a01Fa.wav,1\nx/03a01Fa.wav,2", "duplicate labels"),
        ('file,natural\n"03a01Fa.wav,1', "cannot be used (Error tokenizing"),
    ],
)
def test_broken_metadata(emodb_tree, content, says):
    (emodb_tree / "metadata.csv").write_text(content)
    with pytest.raises(SernbError, match=re.escape(says)):
        corpora.load("emodb", emodb_tree)


def test_real(real_corpus):
    table = corpora.load("emodb", real_corpus("emodb"))
    assert len(table) == 535 and table["emotion"].value_counts().to_dict() == COUNTS
    assert table["speaker"].nunique() == 10 and table["sentence"].nunique() == 10
    assert table["recognised"].between(0, 100).all()
    four = corpora.load("emodb", real_corpus("emodb"), emotions=["neutral", "happy", "angry", "sad"])
    assert len(four) == 339


def test_real_facts_agree_with_its_metadata(real_corpus):
    import pandas as pd

    root = real_corpus("emodb")
    table = corpora.load("emodb", root)
    theirs = pd.read_csv(root / "metadata.csv", dtype=str)
    theirs.index = theirs["file"].str.extract(r"/(\w+)\.")[0]
    theirs = theirs.reindex(table.index)
    for ours, name in (
        ("speaker", "speaker"),
        ("gender", "gender"),
        ("text", "transcript"),
        ("sentence",) * 2,
    ):
        assert (table[ours] == theirs[name]).all(), ours
    assert table["emotion"].astype(str).groupby(theirs["emotion"]).nunique().eq(1).all()
