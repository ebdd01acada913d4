"""IEMOCAP's layout, written here: its data need an agreement, so none of it can be shared."""

import warnings
from itertools import cycle, islice
from pathlib import Path

import numpy as np
import pytest

from sernb import corpora
from sernb.core.errors import SernbError

CODES = dict(
    ang=1103, dis=2, exc=1041, fea=40, fru=1849, hap=595, neu=1708, oth=3, sad=1084, sur=107, xxx=2507
)
HEADER = "% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]\n\n"
IMPRO = """[6.2901 - 8.2357]\tSes01F_impro01_F000\tneu\t[2.5000, 2.0000, 1.5000]
C-E2:\tNeutral;\t()
C-E3:\tNeutral; Frustration;\t(mild; or so)
C-E4:\tAnger;\t()
C-F1:\tNeutral; Anger;\t(curious)
A-E3:\tval 3; act 2; dom  2;\t()
A-E4:\tval 2; act 2; dom  1;\t(val 5; not a rating)
A-F1:\tval 1; act 5; dom  ;\t()

[10.0100 - 11.3925]\tSes01F_impro01_M000\texc\t[4.5000, 4.0000, 3.0000]
C-E2:\tExcited;\t()
C-E3:\tHappiness;\t()
C-E4:\tExcited;\t()
C-M1:\tExcited;\t()
A-E3:\tval 5; act 4; dom  3;\t()
A-E4:\tval 4; act ; dom  ;\t()
A-M1:\tval 5; act 5; dom  5;\t()

[14.8872 - 18.0175]\tSes01F_impro01_F001\txxx\t[2.5000, 3.5000, 3.5000]
C-E2:\tNeutral;\t()
C-E3:\tFrustration;\t()
C-E4:\tOther;\t(confused)
"""
SCRIPT = """[1.0 - 2.0]\tSes02M_script01_1b_F000\tfru\t[2.0000, 3.0000, 4.0000]
A-E5:\tval 2; act 3; dom  4;\t()

[3.0 - 4.0]\tSes02M_script01_1b_M000\tsad\t[1.0000, 2.0000, 3.0000]
"""


def write(path: Path, text: str, encoding="utf-8") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode(encoding))


@pytest.fixture
def iemocap(tmp_path, fill) -> Path:
    """Two dialogues of two sessions, with the files around them that a release has."""
    root = tmp_path / "iemocap"
    first, second = root / "Session1", root / "Session2"
    write(first / "dialog/EmoEvaluation/Ses01F_impro01.txt", HEADER + IMPRO)
    write(first / "dialog/EmoEvaluation/._Ses01F_impro01.txt", "\0\0macOS")
    write(
        first / "dialog/EmoEvaluation/Categorical/Ses01F_impro01_e2_cat.txt",
        "Ses01F_impro01_F000 :Neutral state; ()\n",
    )
    write(
        first / "dialog/EmoEvaluation/Attribute/Ses01F_impro01_e3_atr.txt",
        "Ses01F_impro01_F000 :act 2; :val 3; :dom 2; ()\n",
    )
    write(second / "dialog/EmoEvaluation/Ses02M_script01_1b.txt", (HEADER + SCRIPT).replace("\n", "\r\n"))
    write(
        first / "dialog/transcriptions/Ses01F_impro01.txt",
        "Ses01F_impro01_F000 [006.2901-008.2357]: Excuse me.\n"
        'Ses01F_impro01_M000 [010.0100-011.3925]: Yeah: "what"?\n'
        "Ses01F_impro01_MXX0 [011.4000-011.5000]: Mhm.\n"
        "M: [LAUGHTER]\n"
        "Ses01F_impro01_F001 [014.8872-018.0175]: Is there a problem?\n",
    )
    write(
        second / "dialog/transcriptions/Ses02M_script01_1b.txt",
        "Ses02M_script01_1b_F000 [001.0000-002.0000]: It’s me.\r\n"
        "Ses02M_script01_1b_M000 [003.0000-004.0000]: Who else?\r\n",
        "cp1252",
    )
    names = ["Ses01F_impro01_F000", "Ses01F_impro01_M000", "Ses01F_impro01_F001"]
    fill([first / "sentences/wav/Ses01F_impro01" / f"{name}.wav" for name in names])
    names = ["Ses02M_script01_1b_F000", "Ses02M_script01_1b_M000"]
    fill([second / "sentences/wav/Ses02M_script01_1b" / f"{name}.wav" for name in names])
    return root


@pytest.fixture
def quiet():
    with warnings.catch_warnings():  # a tree of five utterances is not the published corpus
        warnings.filterwarnings("ignore", message="IEMOCAP: .* published are 10039")
        yield


def load(root, **options):
    return corpora.load("iemocap", root, **options)


def test_every_column_of_an_utterance(iemocap, quiet):
    table = load(iemocap, classes="all")
    one = table.loc["Ses01F_impro01_F000"]
    assert one[["speaker", "gender", "session", "text", "emotion", "label"]].tolist() == [
        "Ses01F", "female", "Ses01", "Excuse me.", "neutral", "neu",
    ]  # fmt: skip
    assert one[["valence", "arousal", "dominance"]].tolist() == [2.5, 2.0, 1.5]  # the file's order is V, A, D
    assert one[["scenario", "dialogue", "dialogue_start", "dialogue_end"]].tolist() == [
        "improvised", "Ses01F_impro01", 6.2901, 8.2357,
    ]  # fmt: skip
    assert one["path"] == str(iemocap / "Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_F000.wav")
    assert one[["emotion_2", "emotion_3", "emotion_4", "emotion_self"]].tolist() == [
        "neutral", "neutral; frustrated", "angry", "neutral; angry",
    ]  # fmt: skip
    assert one[["valence_3", "valence_4", "valence_self"]].tolist() == [3.0, 2.0, 1.0]
    assert one[["arousal_self", "dominance_3"]].tolist() == [5.0, 2.0] and np.isnan(one["dominance_self"])
    assert one["valence_spread"] == 0.5 and one["arousal_spread"] == 0  # of 3 and 2; of 2 and 2
    assert one["agreement"] == pytest.approx(2 / 3)
    assert table.attrs["scale"] == (1, 5)


def test_who_speaks_is_the_last_letter_not_the_one_who_wears_the_sensors(iemocap, quiet):
    table = load(iemocap, classes="all")
    assert table["speaker"].to_dict() == {
        "Ses01F_impro01_F000": "Ses01F",
        "Ses01F_impro01_M000": "Ses01M",
        "Ses01F_impro01_F001": "Ses01F",
        "Ses02M_script01_1b_F000": "Ses02F",
        "Ses02M_script01_1b_M000": "Ses02M",
    }
    assert table.loc["Ses02M_script01_1b_F000", ["gender", "scenario"]].tolist() == ["female", "scripted"]


def test_classes(iemocap, quiet):
    four = load(iemocap)
    assert four["emotion"].to_dict() == {
        "Ses01F_impro01_F000": "neutral",
        "Ses01F_impro01_M000": "happy",
        "Ses02M_script01_1b_M000": "sad",
    }
    assert any("2 of 5 utterances are of none of the four classes" in note and "1 xxx, no majority" in note
               and "1 fru" in note for note in four.attrs["notes"])  # fmt: skip
    assert list(load(iemocap, excited_is_happy=False)["emotion"]) == ["neutral", "sad"]
    every = load(iemocap, classes="all", excited_is_happy=False)
    assert list(every["emotion"].cat.categories) == ["neutral", "sad", "excited", "frustrated"]
    assert every["emotion"].isna().sum() == 1  # xxx
    assert any(
        "1 of 5 utterances have no emotion (1 xxx, no majority)" in note for note in every.attrs["notes"]
    )
    with pytest.raises(SernbError, match="classes must be 'four' or 'all', got 'five'"):
        load(iemocap, classes="five")


def test_empty_ratings_are_missing_and_the_mean_is_checked(iemocap, quiet):
    """E4 gave no arousal for M000, so its mean is E3's; the summary says so too. F001 has categories only."""
    table = load(iemocap, classes="all")
    assert np.isnan(table.at["Ses01F_impro01_M000", "arousal_4"])
    assert np.isnan(table.at["Ses01F_impro01_F001", "arousal_spread"])
    assert not any("not the mean" in note for note in table.attrs["notes"])
    path = iemocap / "Session1/dialog/EmoEvaluation/Ses01F_impro01.txt"
    path.write_text(path.read_text().replace("[2.5000, 2.0000, 1.5000]", "[3.5000, 2.0000, 1.5000]"))
    table = load(iemocap, classes="all")
    assert any(
        "in 1 utterances the summary is not the mean" in note and "F000" in note
        for note in table.attrs["notes"]
    )
    assert table.at["Ses01F_impro01_F000", "valence"] == 3.5


def test_evaluators_files_that_disagree_are_noted(iemocap, quiet):
    assert not any("differ between" in note for note in load(iemocap).attrs["notes"])
    place = iemocap / "Session1/dialog/EmoEvaluation"
    write(place / "Categorical/Ses01F_impro01_e2_cat.txt", "Ses01F_impro01_F000 :Anger; ()\n")
    write(place / "Attribute/Ses01F_impro01_e3_atr.txt", "Ses01F_impro01_F000 :act 5; :val 3; :dom 2; ()\n")
    table = load(iemocap)
    (note,) = [note for note in table.attrs["notes"] if "differ between" in note]
    assert "2 judgements" in note and "evaluator 2, Ses01F_impro01_e2_cat.txt" in note
    assert table.at["Ses01F_impro01_F000", "emotion_2"] == "neutral"


def test_windows_line_ends_and_encoding(iemocap, quiet):
    table = load(iemocap, classes="all")
    assert table.at["Ses02M_script01_1b_F000", "text"] == "It’s me."
    assert "Ses02M_script01_1b.txt is not UTF-8, so it was read as Windows-1252." in table.attrs["notes"]


def test_missing_transcripts_are_named_and_counted(iemocap, quiet):
    (iemocap / "Session2/dialog/transcriptions/Ses02M_script01_1b.txt").unlink()
    table = load(iemocap, classes="all")
    assert table["text"].isna().tolist() == [False, False, False, True, True]
    notes = " ".join(table.attrs["notes"])
    assert "1 dialogues have no transcript file: Ses02M_script01_1b" in notes
    assert "2 utterances have no transcript" in notes


def test_label_without_sound_and_sound_without_label(iemocap, fill, quiet):
    place = iemocap / "Session1/sentences/wav/Ses01F_impro01"
    (place / "Ses01F_impro01_F000.wav").unlink()
    fill([place / "Ses01F_impro01_F099.wav"])
    with (
        pytest.raises(SernbError, match=r"1 of 5 rows cannot be used.*\n.*F000.*no recording of it"),
        pytest.warns(UserWarning),
    ):
        load(iemocap)
    with pytest.warns(UserWarning, match=r"1 recordings have no label.*F099"):
        table = load(iemocap, classes="all", on_bad="skip")
    assert len(table) == 4 and [one["utterance"] for one in table.attrs["skipped"]] == ["Ses01F_impro01_F000"]


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("\tneu\t", "\tmeh\t", "line 3: label 'meh' is none of neu, hap"),
        ("[2.5000, 2.0000, 1.5000]", "[2.5000, 2.0000]", r"line 3: expected \[start - end\]"),
        (
            "[2.5000, 2.0000, 1.5000]",
            "[2.5000, 9.0000, 1.5000]",
            "arousal is 9, expected a number from 1 to 5",
        ),
        ("Ses01F_impro01_F000", "Ses09F_impro01_F000", "no name like"),
        (
            "Ses01F_impro01_M000",
            "Ses01F_impro01_F000",
            "stands in Session1, Ses01F_impro01.txt line 3 already",
        ),
        ("C-E2:\tNeutral;\t()", "what is this", "line 4: not understood"),
        ("\n\n[6.2901", "\nC-E1:\tAnger; what;\t()\n[6.2901", "line 2: a judgement before any utterance"),
    ],
)
def test_a_bad_line_is_named_and_left_out_only_when_told(iemocap, quiet, old, new, why):
    path = iemocap / "Session1/dialog/EmoEvaluation/Ses01F_impro01.txt"
    path.write_text(path.read_text().replace(old, new, 1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(SernbError, match=rf"1 of \d rows cannot be used(.*\n)*.*{why}"):
            load(iemocap, recordings=False)
        table = load(iemocap, recordings=False, classes="all", on_bad="skip")
    assert len(table) == (5 if "what" in new else 4) and len(table.attrs["skipped"]) == 1


def test_a_clip_found_twice_is_refused_or_named(iemocap, fill, quiet):
    first = iemocap / "Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_F000.wav"
    second = iemocap / "Session1/sentences/wav/old/Ses01F_impro01_F000.wav"
    fill([second])
    with pytest.raises(
        SernbError, match=r"1 of 6 recordings are there twice:\n.*old.*: the same clip as .*impro01/Ses"
    ):
        load(iemocap)
    with pytest.warns(UserWarning, match="1 of 6 recordings are there twice"):
        table = load(iemocap, on_bad="skip")
    assert table.loc["Ses01F_impro01_F000", "path"] == str(first) and len(table) == 3
    assert [(one["utterance"], one["path"]) for one in table.attrs["skipped"]] == [(first.stem, str(second))]
    assert len(load(iemocap, recordings=False)) == 3  # clips are not looked for


def test_dialogue_files_of_one_name_in_two_sessions(iemocap, quiet):
    copy = (
        (iemocap / "Session1/dialog/EmoEvaluation/Ses01F_impro01.txt")
        .read_text()
        .replace("2.5000, 2.0000", "9, 9")
    )
    write(iemocap / "Session2/dialog/EmoEvaluation/Ses01F_impro01.txt", copy)
    with pytest.raises(SernbError) as refused:
        load(iemocap, classes="all")
    assert "3 of 8 rows cannot be used" in str(refused.value)
    assert "Session2, Ses01F_impro01.txt line 3: the id stands in Session1, Ses01F_impro01.txt line 3" in str(
        refused.value
    )
    with pytest.warns(UserWarning, match="Session2, Ses01F"):
        table = load(iemocap, classes="all", on_bad="skip")
    assert len(table) == 5 and table.loc["Ses01F_impro01_F000", "valence"] == 2.5


def test_words_only(iemocap, tmp_path, quiet):
    import shutil

    for session in ("Session1", "Session2"):
        shutil.rmtree(iemocap / session / "sentences")
    table = load(iemocap)
    assert "path" not in table and any("no recordings were found" in note for note in table.attrs["notes"])
    with pytest.raises(SernbError, match="no recordings were found"):
        load(iemocap, recordings=True)


def test_release_folder_one_below_and_missing_sessions(iemocap, quiet):
    table = load(iemocap.parent)
    assert "IEMOCAP: sessions 3, 4, 5 are missing." in table.attrs["notes"]


def test_folders_that_are_not_iemocap(tmp_path):
    (tmp_path / "Session1" / "dialog" / "EmoEvaluation").mkdir(parents=True)
    with pytest.raises(SernbError, match="name no utterance"):
        load(tmp_path)
    (tmp_path / "other" / "x").mkdir(parents=True)
    with pytest.raises(SernbError, match="no Session1/dialog/EmoEvaluation"):
        load(tmp_path / "other")


def test_the_published_codes_give_the_four_classes_of_the_papers(tmp_path):
    """10,039 utterances with the published counts of codes, so the loader has no cause to warn."""
    speakers = cycle([(session, gender) for session in range(1, 6) for gender in "FM"])
    lines = {}
    codes = [code for code, count in CODES.items() for _ in range(count)]
    for number, (code, (session, gender)) in enumerate(zip(codes, islice(speakers, len(codes)), strict=True)):
        dialogue = f"Ses{session:02d}{gender}_impro{number // 500:02d}"
        lines.setdefault((session, dialogue), []).append(
            f"[1.0 - 2.0]\t{dialogue}_{gender}{number:05d}\t{code}\t[2.5000, 2.5000, 2.5000]\n"
            "A-E1:\tval 2; act 2; dom 2;\t()\nA-E2:\tval 3; act 3; dom 3;\t()\n"
        )
    for (session, dialogue), said in lines.items():
        write(tmp_path / f"Session{session}/dialog/EmoEvaluation/{dialogue}.txt", HEADER + "\n".join(said))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table = load(tmp_path, recordings=False)
    assert table["emotion"].value_counts().to_dict() == {
        "neutral": 1708,
        "happy": 1636,
        "angry": 1103,
        "sad": 1084,
    }
    assert table["speaker"].nunique() == 10 and table["session"].nunique() == 5
    assert len(load(tmp_path, recordings=False, classes="all")) == 10039
    assert load(tmp_path, recordings=False, excited_is_happy=False)["emotion"].eq("happy").sum() == 595
