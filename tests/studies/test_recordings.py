import json
import shutil
import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import pytest
import soundfile
import torch
from typer.testing import CliRunner

from sernb.cli import app
from sernb.core.errors import SernbError
from sernb.features.audio import read_utterances
from sernb.models.attention_pooling import SpectrogramCNN
from sernb.studies import recordings
from sernb.studies.recordings import load_model, predict, predict_waveform
from tests.studies import saved_models
from tests.studies.saved_models import CLASSES, LENGTHS, TEXTS


@pytest.fixture(scope="module")
def sounds(tmp_path_factory):
    """A folder with three recordings."""
    folder = tmp_path_factory.mktemp("sounds")
    saved_models.recordings(folder)
    return folder


@pytest.fixture(scope="module")
def utterances(tmp_path_factory):
    """(utterances, waveforms) of the same noise."""
    return read_utterances(saved_models.recordings(tmp_path_factory.mktemp("table")), progress=False)


@pytest.fixture(scope="module")
def cnn(tmp_path_factory):
    """As notebook 07 saves it: the folder, and the network."""
    folder = tmp_path_factory.mktemp("seven") / "attention"
    return folder, saved_models.spectrogram_network(folder)


@pytest.fixture(scope="module")
def student(tmp_path_factory, utterances):
    """The folder of a student, as notebook 04 saves it."""
    folder = tmp_path_factory.mktemp("four") / "students" / "RL 0"
    saved_models.student(folder, utterances[1])
    return folder


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    """The folder of a 3M-SER, as notebook 02 saves it."""
    folder = tmp_path_factory.mktemp("two") / "teacher"
    saved_models.three_m_ser(folder)
    return folder


def probabilities(table):
    return table[[f"p_{label}" for label in CLASSES]].to_numpy()


def call(*words):
    result = CliRunner().invoke(app, ["predict", *map(str, words)])
    return result.exit_code, result.stdout, result.stderr


# ---- what comes out


def test_a_folder_of_recordings(cnn, sounds, utterances):
    found = predict(sounds, cnn[0], progress=False)
    assert list(found.index) == sorted(LENGTHS)  # by name
    found, model = found.loc[list(LENGTHS)], load_model(cnn[0])
    expected = [model.answer(wave) for wave in utterances[1]]
    np.testing.assert_array_equal(probabilities(found), expected)
    assert list(found["predicted"]) == [CLASSES[row.argmax()] for row in expected]
    np.testing.assert_allclose(found["seconds"], list(LENGTHS.values()), atol=1e-3)
    assert list(found) == ["path", "seconds", "predicted", *(f"p_{label}" for label in CLASSES)]
    assert found.attrs["notes"] == list(model.notes) and len(model.notes) == 1
    assert found.attrs["kind"] == "spectrogram network, attention pooling (notebook 07)"


def test_words_are_read_by_those_that_read(student, reader, utterances):
    table = utterances[0]  # an utterances table brings its own words
    unread = "This model reads no words: the transcripts made no difference."
    for folder in (student, reader):
        model, found = load_model(folder), predict(table, folder, progress=False)
        answers = zip(utterances[1], table["text"], strict=True)
        np.testing.assert_array_equal(probabilities(found), [model.answer(*given) for given in answers])
        assert list(found["text"]) == list(TEXTS.values())
        assert (unread in found.attrs["notes"]) == (folder == student)


def test_dimensions_on_their_scale(tmp_path, utterances):
    saved_models.regressor(tmp_path, about={"scale": [1, 7], "standardised": True})
    found = predict(utterances[0], tmp_path, progress=False)
    values = [
        load_model(tmp_path).answer(wave, text)
        for wave, text in zip(utterances[1], TEXTS.values(), strict=True)
    ]
    np.testing.assert_array_equal(
        found[["arousal_predicted", "valence_predicted", "dominance_predicted"]], values
    )
    assert found.attrs["scale"] == [1, 7] and "predicted" not in found


def test_a_part_of_a_recording(cnn, sounds, utterances):
    table, waveforms = utterances
    part = table.iloc[[2]].assign(start=0.5, end=2.0)
    found = predict(part, cnn[0])
    np.testing.assert_allclose(found["seconds"], 1.5)
    np.testing.assert_allclose(
        probabilities(found), probabilities(predict_waveform(waveforms[2][8000:32000], cnn[0])), atol=1e-2
    )


def test_a_model_that_only_listens_asks_for_no_words(cnn, utterances):
    table = utterances[0].assign(text=["so", None, np.nan])
    found = predict(table, cnn[0], progress=False)
    assert found["text"].isna().tolist() == [False, True, True]
    assert recordings.as_text(found).count("“") == 1
    assert ["text" in one for one in json.loads(recordings.as_json(found))["recordings"]] == [
        True,
        False,
        False,
    ]


def test_a_waveform_is_heard_as_its_file(cnn, utterances):
    table, waveforms = utterances
    model = load_model(cnn[0])
    found, expected = predict_waveform(waveforms[0], model), predict(table.iloc[[0]], model)
    np.testing.assert_array_equal(probabilities(found), probabilities(expected))
    assert list(found.index) == ["recording"] and "path" not in found
    slow = predict_waveform(np.repeat(waveforms[0], 2), model, rate=32000)
    assert slow["seconds"].iloc[0] == pytest.approx(0.7)
    recordings.as_text(found), recordings.as_json(found)


@pytest.mark.parametrize(
    "wave", [np.zeros(100, np.int16), np.zeros((2, 100)), np.array([np.nan]), np.zeros(0), "abc"]
)
def test_what_is_no_waveform(cnn, wave):
    with pytest.raises(SernbError, match=r"float|waveform|needs at least"):
        predict_waveform(wave, cnn[0])


# ---- which recordings, and whose words


def test_names_are_unique_and_nothing_is_heard_twice(cnn, sounds, tmp_path):
    for place in ("a", "b/c"):
        shutil.copytree(sounds, tmp_path / place)
    (tmp_path / "a" / "four.wav").write_bytes((sounds / "one.wav").read_bytes())
    found = recordings.recordings_of([tmp_path / "a", tmp_path / "b", tmp_path / "a" / "one.wav"])
    assert sorted(found.index) == sorted(
        ["four.wav", *(f"{place}/{name}" for place in ("a", "b/c") for name in LENGTHS)]
    )


def test_folders_and_files_that_hold_nothing(tmp_path):
    with pytest.raises(SernbError, match="no recording is in this folder"):
        recordings.recordings_of(tmp_path)
    with pytest.raises(SernbError, match="no recording was named"):
        recordings.recordings_of([])
    with pytest.raises(SernbError, match="only words here"):
        recordings.recordings_of(pd.DataFrame({"text": ["a"]}, ["u"]))


def test_bad_recordings_are_named_together_or_left_out(cnn, sounds, tmp_path):
    (tmp_path / "memo.m4a").write_bytes(b"none" * 100)
    (tmp_path / "empty.wav").touch()
    files = [sounds / "one.wav", tmp_path, tmp_path / "lost.wav"]
    with pytest.raises(SernbError, match="3 of 4 cannot be used") as problem:
        predict(files, cnn[0], progress=False)
    for words in ("memo.m4a", "ffmpeg", "empty.wav", "0 bytes", "lost.wav", "no such recording"):
        assert words in str(problem.value)
    with pytest.warns(UserWarning, match="They are left out"):
        found = predict(files, cnn[0], progress=False, on_bad="skip")
    assert list(found.index) == ["one.wav"] and len(found.attrs["skipped"]) == 3
    with pytest.raises(SernbError, match="1 of 1 cannot be used"), warnings.catch_warnings():
        predict(tmp_path / "empty.wav", cnn[0], on_bad="skip")  # nothing would be left
    with pytest.raises(SernbError, match="on_bad must be"):
        predict(files, cnn[0], on_bad="hide")


def test_recordings_that_are_too_short_too_long_or_silent(student, cnn, tmp_path):
    for name, count in {"short.wav": 100, "long.wav": 16000 * 121, "silent.wav": 16000}.items():
        soundfile.write(tmp_path / name, np.zeros(count), 16000)
    with pytest.raises(SernbError, match="2 of 3 cannot be used") as problem:
        predict(tmp_path, student, progress=False)
    assert "needs at least 25 ms" in str(problem.value) and "hears 120 s at most" in str(problem.value)
    assert "Digital silence" in predict(tmp_path / "silent.wav", student).attrs["notes"][-1]
    assert "Digital silence" in predict_waveform(np.zeros(16000), cnn[0]).attrs["notes"][-1]
    assert len(predict(tmp_path, cnn[0], progress=False)) == 3  # the spectrogram network hears any length


def test_words_find_their_recording_by_path_or_name(tmp_path, reader, sounds):
    shutil.copytree(sounds, tmp_path / "sub" / "x")
    shutil.copytree(sounds, tmp_path / "sub" / "y")
    rows = [f"{place}/{name},{text} {place}" for place in "xy" for name, text in TEXTS.items()]
    csv = tmp_path / "sub" / "words.csv"
    csv.write_text("file,text\n" + "\n".join(rows) + "\nother.wav,bad\n")
    found = predict(tmp_path / "sub", reader, recordings.read_transcripts(csv), progress=False)
    assert found["text"]["x/one.wav"] == "good and bad x" and found["text"]["y/two.wav"] == "bad y"
    assert "left aside: other.wav" in " ".join(found.attrs["notes"])
    with pytest.raises(SernbError, match=r"'one.wav' may be x/one.wav, y/one.wav; name the file by its path"):
        predict(tmp_path / "sub", reader, TEXTS)
    with pytest.raises(SernbError, match=r"2 of 3 recordings have no transcript: three.wav, two.wav"):
        predict(sounds, reader, {"one.wav": "good"})
    with pytest.raises(SernbError, match="two different texts"):
        predict(sounds / "one.wav", reader, {"one.wav": "good", str(sounds / "one.wav"): "bad"})
    with pytest.raises(SernbError, match="one text was given for 3 recordings"):
        predict(sounds, reader, "good")
    assert list(predict(sounds / "one.wav", reader, "")["text"]) == [""]  # nothing was said


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("file,words\na.wav,so\n", "no column text"),
        ("file,text\n,so\n", "row 2 names no file"),
        ("file,text\na.wav,so\na.wav,so\n", "a.wav stand more than once"),
        ("", r"cannot be read \(.*expected a CSV"),
        (None, "no such file"),
    ],
)
def test_transcripts_that_cannot_be_used(tmp_path, table, message):
    if table is not None:
        (tmp_path / "words.csv").write_text(table)
    with pytest.raises(SernbError, match=message):
        recordings.read_transcripts(tmp_path / "words.csv")


def test_without_words_a_recogniser_writes_them_down_or_is_asked_for(reader, sounds, monkeypatch):
    monkeypatch.setattr(recordings, "find_spec", lambda name: None)
    with pytest.raises(SernbError, match=r"--text or --transcripts.*PocketSphinx.*sernb\[asr\]"):
        predict(sounds, reader)
    with pytest.raises(SernbError, match=r"Give them with text="):
        predict_waveform(np.ones(16000), reader)
    monkeypatch.setattr(recordings, "find_spec", lambda name: True)
    monkeypatch.setattr(
        recordings, "recogniser", lambda name: lambda wave: "so good" if len(wave) > 16000 else ""
    )
    found = predict(sounds, reader, progress=False)
    given = predict(
        sounds, reader, {"one.wav": "", "two.wav": "so good", "three.wav": "so good"}, progress=False
    )
    assert list(found["text"]) == list(given["text"]) == ["", "so good", "so good"]
    np.testing.assert_array_equal(probabilities(found), probabilities(given))
    assert recordings.GUESSED in found.attrs["notes"] and recordings.GUESSED not in given.attrs["notes"]


def test_a_model_whose_answer_is_no_number(cnn, tmp_path, sounds):
    broken = SpectrogramCNN(cnn[1].shape)
    torch.nn.init.constant_(broken.layers[0].norm.bias, torch.nan)
    folder = shutil.copytree(cnn[0], tmp_path / "model")
    broken.save_pretrained(folder)
    with pytest.raises(SernbError, match="the model's answer is no number"):
        predict(sounds / "one.wav", folder)


# ---- the command line


def test_the_command_shows_labels_probabilities_and_bars(cnn, sounds):
    code, out, err = call(sounds / "one.wav", "--model", cnn[0])
    found = predict(sounds / "one.wav", cnn[0]).iloc[0]
    lines = out.splitlines()
    assert code == 0 and err == "" and lines[0] == f"one.wav · 0.7 s · {found['predicted']}"
    assert lines[1].split()[:3] == ["happy", f"{100 * found['p_happy']:.1f}", "%"]
    assert lines[1].count("█") == round(24 * found["p_happy"])
    assert (
        lines[-1]
        == "This model learnt from synthetic speech (the embedded corpus); on real voices it is a guess."
    )


def test_the_command_gives_json_and_csv(cnn, sounds, tmp_path):
    where = tmp_path / "new" / "said.csv"
    code, out, err = call(sounds, "--model", cnn[0], "--json", "--csv", where)
    said, table = json.loads(out), pd.read_csv(where, index_col="utterance")
    assert code == 0 and f"written to {where}" in err and list(where.parent.iterdir()) == [where]
    assert [one["utterance"] for one in said["recordings"]] == list(table.index) == sorted(LENGTHS)
    for one in said["recordings"]:
        assert sum(one["probabilities"].values()) == pytest.approx(1)
        assert one["probabilities"]["sad"] == pytest.approx(table["p_sad"][one["utterance"]])
    assert said["scale"] is None and said["skipped"] == [] and len(said["notes"]) == 1


def test_the_command_shows_dimensions_on_their_scale(tmp_path, reader, sounds):
    folder = tmp_path / "model"
    saved_models.regressor(folder)
    code, out, _ = call(sounds / "one.wav", "--model", folder, "--text", "so \x1b[31mgood")
    value = predict(sounds / "one.wav", folder, "so \x1b[31mgood")["arousal_predicted"].iloc[0]
    assert code == 0 and "“so ?[31mgood”" in out and "Bars from 1 to 5" in out
    assert f"arousal   {value:6.2f}  " in out
    said = json.loads(call(sounds / "one.wav", "--model", folder, "--text", "so", "--json")[1])
    assert list(said["recordings"][0]["dimensions"]) == ["arousal", "valence", "dominance"]
    assert said["scale"] == [1, 5] and said["recordings"][0]["text"] == "so"


def test_the_command_reads_transcripts(tmp_path, reader, sounds):
    (tmp_path / "w.csv").write_text(
        "file,text\n" + "".join(f"{name},{text}\n" for name, text in TEXTS.items())
    )
    code, out, _ = call(sounds, "--model", reader, "--transcripts", tmp_path / "w.csv")
    assert code == 0 and "“so good so good so”" in out
    code, _, err = call(sounds, "--model", reader, "--transcripts", tmp_path / "w.csv", "--text", "so")
    assert code == 2 and "both given" in err


def test_the_command_says_what_is_wrong(cnn, sounds, tmp_path):
    code, out, err = call(sounds, "--model", tmp_path)
    assert code == 2 and out == "" and err.startswith(f"sernb: {tmp_path}: cannot be read (there is no model")
    code, _, err = call(tmp_path / "lost.wav", "--model", cnn[0])
    assert code == 2 and "no such recording" in err
    code, out, err = call(tmp_path / "lost.wav", sounds / "one.wav", "--model", cnn[0], "--on-bad", "skip")
    assert (
        code == 0
        and out.startswith("one.wav")
        and f"left out: {tmp_path / 'lost.wav'}: no such recording" in err
    )
    code, _, err = call(sounds / "one.wav", "--model", cnn[0], "--csv", sounds / "one.wav" / "out.csv")
    assert code == 2 and err.startswith("sernb: ")
    assert call("--model", cnn[0])[0] == 2 and call(sounds)[0] == 2


def test_a_terminal_that_knows_few_signs():
    assert recordings.encodable("██ é ok", "ascii") == "## ? ok"
    assert recordings.encodable("██ é ok", "cp1252") == "## é ok"
    assert recordings.encodable("██ é ok", "utf-8") == "██ é ok"


# ---- what is wrong is said before torch is imported


def test_lost_recordings_and_models_are_told_early(cnn, sounds, tmp_path):
    code = (
        "import sys; from sernb.studies.recordings import predict\n"
        "for file, model in (sys.argv[1:3], sys.argv[3:]):\n"
        "    try: predict(file, model, progress=False)\n"
        "    except ValueError as problem: print(problem)\n"
        "print({'torch', 'pandera', 'transformers'} & set(sys.modules))"
    )
    words = [tmp_path / "lost.wav", cnn[0], sounds / "one.wav", tmp_path]
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, words)], capture_output=True, text=True, check=True
    )
    said = done.stdout
    assert "no such recording" in said
    assert "there is no model in this folder" in said and said.endswith("set()\n")
