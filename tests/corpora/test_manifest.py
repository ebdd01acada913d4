import re

import numpy as np
import pytest

from sernb import corpora
from sernb.core.errors import SernbError


@pytest.fixture
def manifest(tmp_path, fill):
    """`manifest(text)` writes my/list.csv beside a.wav, b.flac and sub/a.wav, and returns the folder."""
    folder = tmp_path / "my"
    fill([folder / "a.wav", folder / "b.flac", folder / "sub" / "a.wav", tmp_path / "outside.wav"])

    def write(content, name="list.csv", encoding="utf-8"):
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return folder

    return write


def load(folder, **options):
    return corpora.load("manifest", folder, **options)


def fails(folder, *says, **options):
    with pytest.raises(SernbError) as error:
        load(folder, **options)
    for words in says:
        assert words in str(error.value), str(error.value)


def test_usual_column_names(manifest, capsys):
    header = "File Name,Label,spk,Sex,session_id,transcript,EmoAct,val,dom,Split,age\n"
    rows = "a.wav,Anger,01,F,2,hello,3.5,2,1,dev,33\nsub/a.wav,neu,02,m,1,,1,,4,train,41\n"
    table = load(manifest(header + rows))
    assert list(table.index) == ["a", "sub/a"]
    assert table["emotion"].tolist() == ["angry", "neutral"]
    assert table["speaker"].tolist() == ["01", "02"] and table["session"].tolist() == ["2", "1"]
    assert table["gender"].tolist() == ["female", "male"] and table["part"].tolist() == ["dev", "train"]
    assert table["arousal"].tolist() == [3.5, 1] and np.isnan(table.loc["sub/a", "valence"])
    assert table["age"].tolist() == [33, 41]
    assert table.attrs["understood"] == {
        "path": "File Name", "speaker": "spk", "gender": "Sex", "session": "session_id", "text": "transcript",
        "emotion": "Label", "arousal": "EmoAct", "valence": "val", "dominance": "dom", "part": "Split",
    }  # fmt: skip
    said = capsys.readouterr().err
    assert "emotion from 'Label'" in said and "kept as they are: age" in said
    assert said.strip() in table.attrs["notes"]


@pytest.mark.parametrize(
    "header", ["file", "path", "filename", "wav", "audio", "Audio Path", "FILE-NAME", "wav_file", "﻿file"]
)
def test_names_of_the_recording_column(manifest, header):
    assert list(load(manifest(f"{header},emotion\na.wav,sad\n")).index) == ["a"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_separators_marks_and_quotes(manifest, delimiter, encoding, newline):
    rows = [["file", "text", "emotion"], ["a.wav", f'"He said ""no""{delimiter}{newline}twice"', "sad"],
            ["b.flac", "é", '"happy"']]  # fmt: skip
    table = load(manifest(newline.join(map(delimiter.join, rows)) + newline, encoding=encoding))
    assert table["text"].tolist() == [f'He said "no"{delimiter}{newline}twice', "é"]
    assert table["emotion"].tolist() == ["sad", "happy"]


def test_blank_rows_of_spreadsheets_are_no_rows(manifest):
    assert len(load(manifest("\nfile,emotion\na.wav,sad\n\n,\nb.flac,happy\n,\n"))) == 2


def test_the_csv_itself_as_root_and_several_in_a_folder(manifest):
    manifest("file,emotion\na.wav,sad\n")
    folder = manifest("file,emotion\nb.flac,happy\n", name="other.csv")
    fails(folder, "found 2 (list.csv, other.csv)", "Name the one to use")
    assert list(load(folder / "other.csv").index) == ["b"]
    (folder / "list.csv").unlink()
    (folder / "other.csv").unlink()
    fails(folder, "expected one CSV", "found 0")


def test_unknown_labels_are_named_and_mapped_or_kept_or_left_out(manifest):
    folder = manifest("file,emotion\na.wav,Cheerful\nb.flac,sad\nsub/a.wav,cheerful\n")
    unknown = "unknown labels 'Cheerful', 'cheerful' in 2 rows (line 2, line 4)"
    fails(folder, unknown, "Known are neutral, happy", "labels={'cheerful': 'happy'}")
    assert load(folder, labels={"cheerful": "happy"})["emotion"].tolist() == ["happy", "sad", "happy"]
    kept = load(folder, labels={"cheerful": "cheerful"})
    assert list(kept["emotion"].cat.categories) == ["sad", "cheerful"] and kept.attrs["own_labels"] == [
        "cheerful"
    ]
    left = load(folder, labels={"cheerful": None})
    assert list(left.index) == ["b"] and "Left out by labels: 2 of 3 rows." in left.attrs["notes"]
    fails(folder, "labels maps to hapy", labels={"cheerful": "hapy"})
    fails(folder, "labels maps words to words", "cheerful", labels={"cheerful": ["happy"]})
    fails(folder, "labels names merry, the file has", labels={"merry": "happy", "cheerful": "happy"})
    fails(manifest("file,emotion\na.wav,sad\nb.flac,\n"), "1 rows have no label: line 3", on_bad="skip")


def test_labels_that_the_corpus_calls_differently_can_be_overruled(manifest):
    folder = manifest("file,emotion\na.wav,fear\n")
    assert load(folder, labels={"fear": "surprised"})["emotion"].tolist() == ["surprised"]


def test_without_labels_or_with_empty_columns(manifest):
    table = load(manifest("file,emotion,valence,speaker\na.wav,,2,x\nb.flac,,3,y\n"))
    assert "emotion" not in table and "emotion" not in table.attrs["understood"]
    assert "left out, being empty in every row: emotion" in table.attrs["notes"][0]


def test_missing_outside_and_repeated_are_all_named(manifest, tmp_path):
    folder = manifest(
        "id,file,emotion\n1,a.wav,sad\n2,gone.wav,sad\n3,../outside.wav,sad\n4,link.wav,sad\n"
        f"5,linked/outside.wav,sad\n1,b.flac,sad\n6,{tmp_path}/outside.wav,sad\n7,sub,sad\n8,,sad\n9,sub/../../outside.wav,sad\n"
    )
    (folder / "link.wav").symlink_to(tmp_path / "outside.wav")
    (folder / "linked").symlink_to(tmp_path)
    fails(folder, "9 of 10 rows cannot be used", "line 3: gone.wav is not there",
          "line 4: ../outside.wav is outside", "line 5: link.wav is outside",
          "line 6: linked/outside.wav is outside", "line 7: the id stands in line 2 already",
          "/outside.wav is outside", "line 9: sub is not a file", "line 10: no recording is named",
          "line 11: sub/../../outside.wav is outside", 'on_bad="skip"')  # fmt: skip
    with pytest.warns(UserWarning, match="9 of 10 rows cannot be used"):
        table = load(folder, on_bad="skip")
    assert list(table.index) == ["1"] and len(table.attrs["skipped"]) == 9
    with pytest.warns(UserWarning, match="1 of 1 rows"):
        fails(manifest("file,emotion\ngone.wav,sad\n"), "none of its 1 rows can be used", on_bad="skip")


def test_paths_inside_may_be_absolute_or_written_on_windows(manifest):
    folder = manifest("")
    table = load(manifest(f"file,emotion\n{folder}/a.wav,sad\nsub\\a.wav,sad\nsub/../b.flac,sad\n"))
    assert table["path"].tolist() == [str(folder / name) for name in ("a.wav", "sub/a.wav", "b.flac")]


def test_parts_of_files(manifest):
    table = load(manifest("file,onset,offset,emotion\na.wav,0,0.005,sad\na.wav,0.005,,happy\nb.flac,,,sad\n"))
    assert list(table.index) == ["a@0-0.005", "a@0.005-", "b"]
    assert table["end"].isna().tolist() == [False, True, True]
    by_length = load(manifest("file;offset;duration;emotion\na.wav;0,001;0,004;sad\na.wav;0,005;0,002;sad\n"))
    assert by_length["start"].tolist() == [0.001, 0.005]
    assert by_length["end"].tolist() == pytest.approx([0.005, 0.007])
    fails(manifest("file,offset,emotion\na.wav,1,sad\n"), "'offset' may mean the start or the end")
    fails(manifest("file,start,emotion\na.wav,1s,sad\n"), "column 'start' must hold numbers", "line 2; '1s'")
    fails(manifest("file,start,end,emotion\na.wav,2,1,sad\n"), "'end' must be later than the start", "'a'")
    fails(manifest("file,start,end,emotion\na.wav,0,1,sad\na.wav,0,1,sad\n"), "stands in line 2 already")


@pytest.mark.parametrize(
    "content, says",
    [
        ("", "the file has no rows"),
        ("file,emotion\n", "a header and no rows"),
        ("speaker,emotion\na,sad\n", "no column names the recordings; expected one of path, file"),
        ("file,emotion\na.wav,sad\nb.flac,sad,extra\n", "line 3 has 3 fields, the header has 2"),
        ("file,emotion\na.wav\n", "line 2 has 1 fields, the header has 2"),
        ('file,text,emotion\na.wav,"x\ny",sad\nb.flac,"never closed,sad\n', "from line 4 on"),
        ("file,Emotion,emotion\na.wav,sad,sad\n", "'Emotion' and 'emotion' have the same name"),
        ("file,emotion\na.wav,tr\xe4nen\n".encode("latin-1"), "line 2 is not UTF-8"),
        ("file,valence\na.wav,high\n", "column 'valence' must hold numbers; 1 rows do not (line 2; 'high')"),
    ],
)
def test_broken_csv(manifest, content, says):
    folder = manifest(content)
    fails(folder, says, str(folder / "list.csv"))
    with pytest.raises(SernbError, match=re.escape(str(folder))):
        load(folder, on_bad="skip")


def test_same_names_in_two_formats(manifest, fill):
    folder = manifest("file,emotion\na.wav,sad\na.flac,sad\n")
    fill([folder / "a.flac"])
    assert list(load(folder).index) == ["a.wav", "a.flac"]


def test_markup_in_fields_is_just_text(manifest):
    table = load(manifest('file,text,emotion\na.wav,"<script>alert(1)</script>",sad\n'))
    assert table["text"].tolist() == ["<script>alert(1)</script>"]


def test_a_real_table(real_corpus):
    table = load(real_corpus("emotiontts_ko"))
    assert len(table) == 300 and table["speaker"].nunique() == 15
    assert table["emotion"].value_counts().to_dict() == dict.fromkeys(
        ["neutral", "happy", "sad", "angry"], 75
    )
    assert table["text"].notna().all()
