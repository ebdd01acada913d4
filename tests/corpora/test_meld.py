import warnings

import pytest

from sernb import corpora, protocols
from sernb.core.errors import SernbError
from sernb.features.audio import read_utterances

COUNTS = dict(neutral=6436, happy=2308, sad=1002, angry=1607, fearful=358, disgusted=361, surprised=1636)


@pytest.fixture(autouse=True)
def quiet():
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="MELD: .* published are 13708")
        yield


def load(root, **options):
    return corpora.load("meld", root, **options)


def change(tree, old, new, part="train", encoding="utf-8"):
    path = tree / f"{part}_sent_emo.csv"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_bytes(text.replace(old, new, 1).encode(encoding))


def sounds(tree, fill, *names):
    fill([tree / f"{name}.wav" for name in names])


ALL = ("train_splits/dia0_utt0", "train_splits/dia0_utt1", "train_splits/dia1_utt0",
       "dev_splits_complete/dia0_utt0", "output_repeated_splits_test/dia0_utt0",
       "output_repeated_splits_test/dia0_utt1")  # fmt: skip


def test_columns(meld_tree):
    table = load(meld_tree)
    assert list(table.index) == ["train_dia0_utt0", "train_dia0_utt1", "train_dia1_utt0", "dev_dia0_utt0",
                                 "test_dia0_utt0", "test_dia0_utt1"]  # fmt: skip
    assert "path" not in table
    one = table.loc["train_dia0_utt1"]
    columns = ["text", "speaker", "gender", "emotion", "sentiment", "part", "dialogue", "turn"]
    assert one[columns].tolist() == [
        'No, "really"?', "Chandler", "male", "surprised", "positive", "train", "train_dia0", 1,
    ]  # fmt: skip
    assert (one["season"], one["episode"]) == ("8", "21")
    assert (one["episode_start"], one["episode_end"]) == (16 * 60 + 48.8, 16 * 60 + 54.514)
    assert table.at["train_dia1_utt0", "episode_end"] == 6 * 60 + 47.28  # a final zero was dropped
    assert table.at["test_dia0_utt1", "text"] == "null"  # a word, not a gap
    assert table["gender"].isna().sum() == 3  # the interviewer, Mark, two at once
    assert "1 utterances have no sensible time: test_dia0_utt1" in " ".join(table.attrs["notes"])
    assert list(table["part"].unique()) == ["train", "validation", "test"]


def test_the_parts_are_a_protocol(meld_tree):
    with pytest.warns(UserWarning):
        (fold,) = protocols.fixed(load(meld_tree).assign(speaker="x"))
    assert [len(ids) for ids in fold.parts().values()] == [3, 1, 2]


def test_recordings_by_part(meld_tree, fill):
    sounds(meld_tree, fill, *ALL)
    table = load(meld_tree)
    assert table.at["dev_dia0_utt0", "path"] == str(meld_tree / "dev_splits_complete/dia0_utt0.wav")
    assert table.at["test_dia0_utt0", "path"].endswith("output_repeated_splits_test/dia0_utt0.wav")
    assert len(read_utterances(table, progress=False)[1]) == 6
    assert "path" not in load(meld_tree, recordings=False)


def test_words_only_and_sound_asked_for(meld_tree):
    with pytest.raises(SernbError, match=r"no recordings were found.*leave recordings=True out"):
        load(meld_tree, recordings=True)
    with pytest.raises(SernbError, match="utterances of 'meld' are only words here"):
        read_utterances(load(meld_tree), progress=False)
    (meld_tree / "train_splits").mkdir()
    (meld_tree / "train_splits" / "dia0_utt0.mp4").write_bytes(b"video")
    assert any("1 clips are mp4" in note and "ffmpeg" in note for note in load(meld_tree).attrs["notes"])


def test_label_without_sound_sound_without_label_and_clips_twice(meld_tree, fill):
    sounds(meld_tree, fill, *ALL[1:], "train_splits/dia99_utt0", "train_splits/final_videos_testdia0_utt0")
    with (
        pytest.raises(SernbError, match=r"1 of 6 rows.*\n.*train_dia0_utt0.*no recording"),
        pytest.warns(UserWarning),
    ):
        load(meld_tree)
    with pytest.warns(
        UserWarning, match="1 recordings have no label, so they are left out: train_dia99_utt0"
    ):
        table = load(meld_tree, on_bad="skip")
    assert len(table) == 5 and table.attrs["skipped"][0]["utterance"] == "train_dia0_utt0"
    sounds(meld_tree, fill, "copy/train/dia0_utt1", ALL[0])
    with pytest.raises(SernbError, match=r"1 of \d recordings are there twice"):
        load(meld_tree)


def test_the_two_clips_that_were_never_published_are_left_out_with_a_note(meld_tree, fill):
    change(meld_tree, ",1,0,9,3,", ",125,3,9,3,")
    sounds(meld_tree, fill, *[name for name in ALL if "dia1_" not in name])
    table = load(meld_tree)
    assert len(table) == 5
    assert "MELD: left out, as the published clips lack them: train_dia125_utt3." in table.attrs["notes"]
    assert [one["utterance"] for one in table.attrs["skipped"]] == ["train_dia125_utt3"]


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        (",surprise,", ",delight,", "line 3: Emotion is 'delight', expected one of neutral, joy"),
        ("Chandler", "", "line 3: Speaker is '', expected text"),
        ('"No, ""really""?"', '""', "line 3: Utterance is '', expected text"),
        (",0,1,8,", ",x,1,8,", "line 3: Dialogue_ID is 'x', expected a whole number"),
        (",0,1,8,", ",0,0,8,", "line 3: the id stands in line 2 already"),
        ("Chandler,", "Chandler,,", "line 3 has 12 fields, the header has 11"),
    ],
)
def test_a_bad_row_of_many(meld_tree, old, new, why):
    change(meld_tree, old, new)
    with pytest.raises(SernbError, match=rf"train_sent_emo.csv: 1 of 3 rows cannot be used(.*\n)*.*{why}"):
        load(meld_tree)
    with pytest.warns(UserWarning, match="1 of 3"):
        table = load(meld_tree, on_bad="skip")
    assert len(table) == 5 and len(table.attrs["skipped"]) == 1


def test_encodings(meld_tree):
    change(meld_tree, "must’ve", "must’ve", encoding="cp1252")
    change(meld_tree, "he’s", "he\x92s", "dev")  # Windows-1252 read as Latin-1
    change(meld_tree, "Why do all", "Iâ€™ve, cafÃ©", "test", "utf-8-sig")  # UTF-8 read as Windows-1252
    table = load(meld_tree)
    assert table["text"].iloc[[0, 3, 4]].tolist() == [
        "You must’ve had your hands full.",
        "Oh, he’s lost it.",
        "I’ve, café",
    ]
    notes = " ".join(table.attrs["notes"])
    assert "train_sent_emo.csv is not UTF-8, so it was read as Windows-1252" in notes
    assert "wrongly decoded characters were put right in 2 texts" in notes


def test_missing_parts_and_strange_files(meld_tree, tmp_path):
    (meld_tree / "dev_sent_emo.csv").unlink()
    table = load(meld_tree)
    assert "so there is no validation part" in " ".join(table.attrs["notes"]) and len(table) == 5
    change(meld_tree, "Dialogue_ID", "dialog")
    with pytest.raises(SernbError, match="no column 'Dialogue_ID'; expected Utterance"):
        load(meld_tree)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "a.txt").write_text("")
    with pytest.raises(SernbError, match=r"no train_sent_emo.csv, dev_… or test_sent_emo.csv"):
        load(tmp_path / "other")
    (meld_tree / "train_sent_emo.csv").write_text("")
    with pytest.raises(SernbError, match=r"train_sent_emo.csv: the file has no rows"):
        load(meld_tree)


def test_real(real_text):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table = load(real_text("meld"))
    assert len(table) == 13708 and table["emotion"].value_counts().to_dict() == COUNTS
    assert table["part"].value_counts().to_dict() == {"train": 9989, "test": 2610, "validation": 1109}
    assert table["sentiment"].value_counts().to_dict() == {
        "neutral": 6436,
        "negative": 4184,
        "positive": 3088,
    }
    assert table.groupby("part")["dialogue"].nunique().to_dict() == {
        "train": 1038,
        "test": 280,
        "validation": 114,
    }
    assert table.groupby("part")["speaker"].nunique().to_dict() == {
        "train": 260,
        "test": 100,
        "validation": 47,
    }
    assert table["episode_start"].isna().sum() == 1
