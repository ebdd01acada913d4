"""MSP-Podcast's layout, written here: its data need an agreement, so none of it can be shared."""

import shutil
import warnings

import pytest

from sernb import corpora
from sernb.core.errors import SernbError

FIRST = "MSP-PODCAST_0001_0008"


def load(root, **options):
    return corpora.load("msp_podcast", root, **options)


def change(tree, old, new):
    path = tree / "Labels" / "labels_consensus.csv"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_columns(msp_tree):
    table = load(msp_tree)
    assert len(table) == 7
    one = table.loc["MSP-PODCAST_0001_0009"]
    facts = [
        "speaker",
        "gender",
        "emotion",
        "arousal",
        "valence",
        "dominance",
        "part",
        "partition",
        "podcast",
    ]
    assert one[facts].tolist() == [
        "39", "female", "angry", 5.777778, 1.555556, 5.777778, "train", "Train", "0001",
    ]  # fmt: skip
    assert one["path"] == str(msp_tree / "Audios" / "MSP-PODCAST_0001_0009.wav")
    assert one["text"] == "These are the words of 0001_0009."
    assert table.attrs["scale"] == (1, 7)
    assert table["part"].tolist() == ["test", "train", "train", "validation", "test_unseen", "test3", "train"]
    assert list(table["emotion"].cat.categories) == ["neutral", "happy", "angry", "surprised", "contemptuous"]


def test_what_is_unknown_is_missing_and_counted(msp_tree):
    table = load(msp_tree)
    third = table.loc["MSP-PODCAST_0002_0001"]
    assert third[["speaker", "gender"]].isna().all() and third["emotion"] == "happy"
    assert table["emotion"].isna().sum() == 2
    notes = " ".join(table.attrs["notes"])
    assert "2 turns have no emotion" in notes and "1 turns have an unknown speaker" in notes
    assert "1 turns have no transcript: MSP-PODCAST_0005_0002" in notes
    shutil.rmtree(msp_tree / "Transcripts")
    table = load(msp_tree)
    assert "text" not in table and any("no folder Transcripts" in note for note in table.attrs["notes"])


def test_the_older_spelling_of_the_table_and_withdrawn_sounds(msp_tree):
    labels = msp_tree / "Labels" / "labels_consensus.csv"
    labels.rename(labels.with_name("labels_concensus.csv"))
    assert load(msp_tree).at[FIRST, "path"] == str(msp_tree / "Audios" / f"{FIRST}.wav")


def test_transcripts_in_another_encoding(msp_tree):
    (msp_tree / "Transcripts" / f"{FIRST}.txt").write_bytes("It’s".encode("cp1252"))
    table = load(msp_tree)
    assert table.at[FIRST, "text"] == "It’s"
    assert any("1 transcripts are not UTF-8" in note for note in table.attrs["notes"])


def test_label_without_sound_and_sound_without_label(msp_tree, fill):
    (msp_tree / "Audios" / f"{FIRST}.wav").unlink()
    fill([msp_tree / "Audios" / "MSP-PODCAST_9999_0001.wav"])
    with (
        pytest.raises(SernbError, match=rf"1 of 7 rows.*\n.*{FIRST}.*line 2.*no recording"),
        pytest.warns(UserWarning),
    ):
        load(msp_tree)
    with pytest.warns(
        UserWarning, match="1 recordings have no label, so they are left out: MSP-PODCAST_9999_0001"
    ):
        assert len(load(msp_tree, on_bad="skip")) == 6
    shutil.rmtree(msp_tree / "Audios")
    shutil.rmtree(msp_tree / "Previous_releases_information")
    assert "path" not in load(msp_tree)
    with pytest.raises(SernbError, match="no recordings were found"):
        load(msp_tree, recordings=True)
    shutil.rmtree(msp_tree / "Transcripts")
    with pytest.raises(
        SernbError,
        match=r"labels only, neither recordings nor transcripts. MSP-Podcast is expected as Labels",
    ):
        load(msp_tree)


def test_its_parts_are_a_protocol(msp_tree):
    from sernb import protocols

    table = load(msp_tree)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        folds = protocols.fixed(table)
    assert sorted(len(fold.test) for fold in folds) == [1, 1, 1]


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        (",N,2.2,", ",Q,2.2,", "line 2: EmoClass is 'Q', expected one of A, S, H"),
        (",N,2.2,", ",N,7.2,", "line 2: EmoAct is '7.2', expected a number from 1 to 7"),
        ("Test1", "Test9", "line 2: Split_Set is 'Test9', expected one of Train"),
        (f"{FIRST}.wav", "MSP-PODCAST_0001_0009.wav", "the id stands in line 2 already"),
        (f"{FIRST}.wav", "", "line 2: FileName is '', expected text"),
        ("30,Male", "30", "line 2 has 7 fields"),
    ],
)
def test_a_bad_row_of_many(msp_tree, old, new, why):
    change(msp_tree, old, new)
    with pytest.raises(SernbError, match=rf"1 of 7 rows cannot be used(.*\n)*.*{why}"):
        load(msp_tree, recordings=False)
    with pytest.warns(UserWarning):
        assert len(load(msp_tree, recordings=False, on_bad="skip")) == 6


def test_another_folder(emobank_tree):
    with pytest.raises(SernbError, match=r"no labels_consensus.csv is in this folder"):
        load(emobank_tree)
