import re
import warnings

import pytest

from sernb import corpora
from sernb.core.errors import SernbError

COUNTS = {"neutral": 1087, "happy": 1271, "sad": 1271, "angry": 1271, "fearful": 1271, "disgusted": 1271}
POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "ab" * 32 + "\nsize 72862\n"


def small(root, fill, *names):
    fill([root / "AudioWAV" / f"{name}.wav" for name in names])
    return root


def test_published_layout(cremad_tree):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table = corpora.load("cremad", cremad_tree)
    assert len(table) == 7442 and table["emotion"].value_counts().to_dict() == COUNTS
    assert table.groupby("gender")["speaker"].nunique().to_dict() == {"male": 48, "female": 43}
    assert table["sentence"].nunique() == 12 and table["text"].nunique() == 12
    one = table.loc["1001_IEO_ANG_HI"]
    assert one[["speaker", "gender", "text", "emotion", "sentence", "intensity"]].tolist() == [
        "1001", "male", "It's eleven o'clock.", "angry", "IEO", "high",
    ]  # fmt: skip
    assert table.loc["1040_ITH_SAD_X", "intensity"] == "unspecified"  # the one odd name of the release
    assert "age" not in table and "heard" not in table


def test_ages_and_what_listeners_heard(tmp_path, fill):
    small(tmp_path, fill, "1001_IEO_SAD_HI", "1002_TIE_ANG_XX", "1040_ITH_SAD_X")
    (tmp_path / "VideoDemographics.csv").write_text(
        '"ActorID","Age","Sex","Race","Ethnicity"\n'
        '1001,51,"Male","Caucasian","Not Hispanic"\n1040,42,"Male","x","y"\n'
    )
    (tmp_path / "processedResults").mkdir()
    (tmp_path / "processedResults" / "summaryTable.csv").write_text(
        '"","FileName","VoiceVote","VoiceLevel","FaceVote","FaceLevel","MultiModalVote","MultiModalLevel"\n'
        '"1","1001_IEO_SAD_HI","A:F","30.67:51.00","N","60","N","63.5"\n"2","1040_ITH_SAD_XX","S","1","S","1","S","1"\n'
    )
    with pytest.warns(UserWarning, match="3 utterances, published are 7442"):
        table = corpora.load("cremad", tmp_path)
    assert table["age"].tolist()[::2] == [51, 42] and table["age"].isna().sum() == 1
    assert table["heard"].tolist()[::2] == ["angry; fearful", "sad"] and table["heard"].isna().sum() == 1
    notes = " ".join(table.attrs["notes"])
    assert "no age for 1 actors" in notes and "no votes for 1 recordings" in notes


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("1092_IEO_ANG_HI", "speaker 1092 is none of CREMA-D's"),
        ("1001_XYZ_ANG_XX", "sentence XYZ is none"),
        ("1001_IEO_SUR_HI", "emotion SUR is none"),
        ("1001_IEO_ANG_ZZ", "intensity ZZ is none"),
        ("1001-IEO-ANG-HI", "not a name like 1001_DFA_ANG_XX"),
    ],
)
def test_names_outside_the_code(tmp_path, fill, name, why):
    small(tmp_path, fill, "1001_IEO_ANG_HI", name)
    with pytest.raises(SernbError, match=rf"1 of 2 recordings(.*\n)*.*{re.escape(why)}"):
        corpora.load("cremad", tmp_path)
    with pytest.warns(UserWarning):
        assert list(corpora.load("cremad", tmp_path, on_bad="skip").index) == ["1001_IEO_ANG_HI"]


def test_what_git_left_as_pointers_is_told(tmp_path, fill):
    small(tmp_path, fill, "1001_IEO_ANG_HI")
    (tmp_path / "AudioWAV" / "1002_IEO_ANG_HI.wav").write_text(POINTER)
    with pytest.raises(
        SernbError, match=r"1 of 2 recordings are Git LFS pointers.*1002_IEO_ANG_HI.*sernb fetch cremad"
    ):
        corpora.load("cremad", tmp_path)
