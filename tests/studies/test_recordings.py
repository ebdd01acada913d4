import json
import shutil
import warnings

import numpy as np
import pandas as pd
import pytest
import soundfile
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast
from typer.testing import CliRunner

from sernb.cli import app
from sernb.core.errors import SernbError
from sernb.core.files import write_about
from sernb.core.ratings import Targets
from sernb.features import spectrogram
from sernb.features.audio import read_utterances
from sernb.features.frames import Scaling, frame_features
from sernb.features.spectrogram import SpectrogramConfig
from sernb.models.attention_pooling import CNNConfig, SpectrogramCNN
from sernb.models.audio_text_regressor import assemble as assemble_regressor
from sernb.models.speech_student import SpeechStudent, StudentConfig
from sernb.models.three_m_ser import ThreeMSERConfig, assemble
from sernb.protocols import Fold
from sernb.studies import attention_pooling, mced, multimodal, recordings, regression
from sernb.studies import three_m_ser as of_three_m_ser
from sernb.studies.checkpoints import save_network
from sernb.studies.recordings import load_model, predict, predict_waveform, predicting
from sernb.studies.student_checkpoints import save_student
from tests.studies import rated_speech, two_streams

CLASSES = ["happy", "sad", "angry"]
LENGTHS = {"one.wav": 0.7, "two.wav": 2.5, "three.wav": 4.1}
TEXTS = {"one.wav": "good and bad", "two.wav": "bad", "three.wav": "so good so good so"}
FRONT_END = SpectrogramConfig(scaling="log", dft=640, shift=0.02)


@pytest.fixture(scope="module")
def tokenizer():
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "good", "bad", "so", "and"]
    made = Tokenizer(models.WordPiece({word: number for number, word in enumerate(words)}, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.post_processor = processors.TemplateProcessing(
        "[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=made, pad_token="[PAD]", unk_token="[UNK]", model_max_length=128
    )


@pytest.fixture(scope="module")
def sounds(tmp_path_factory):
    """A folder with three recordings: noise of different lengths, rates and channels."""
    folder, rng = tmp_path_factory.mktemp("sounds"), np.random.default_rng(0)
    for (name, seconds), rate in zip(LENGTHS.items(), (16000, 44100, 8000), strict=True):
        noise = 0.1 * rng.standard_normal((int(seconds * rate), 2 if rate == 44100 else 1))
        soundfile.write(folder / name, noise, rate)
    return folder


@pytest.fixture(scope="module")
def utterances(sounds):
    table = pd.DataFrame({"path": [str(sounds / name) for name in LENGTHS], "text": list(TEXTS.values()),
                          "emotion": pd.Categorical(CLASSES, CLASSES)}, pd.Index(list(LENGTHS), name="utterance"))  # fmt: skip
    return read_utterances(table, progress=False)


@pytest.fixture(scope="module")
def cnn(tmp_path_factory):
    """As notebook 07 saves it: the folder, and the network."""
    torch.manual_seed(0)
    small = CNNConfig(classes=3, filters=((4, 2, 2), (2, 4, 2)), channels=(4, 4, 4, 8))
    folder, model = tmp_path_factory.mktemp("seven") / "attention", SpectrogramCNN(small).eval()
    with torch.no_grad():  # so that recordings differ in what is said of them
        model.pool.top_down.weight *= 100
    model.save_pretrained(folder)
    front_end = {"classes": CLASSES, "spectrogram": vars(FRONT_END), "corpus": "embedded"}
    (folder / "front_end.json").write_text(json.dumps(front_end))
    return folder, model


@pytest.fixture(scope="module")
def student(tmp_path_factory, utterances):
    """As notebook 04 saves it: (folder, student, scaling)."""
    torch.manual_seed(0)
    config = StudentConfig(classes=tuple(CLASSES), channels=(8,) * 4, width=8, layers=2, heads=2, feed_forward=8, classifier=8)  # fmt: skip
    table, waveforms = utterances
    scaling = Scaling.fitted(frame_features(waveforms, table.index, progress=False), [0, 1, 2])
    folder, model = tmp_path_factory.mktemp("four") / "students" / "RL 0", SpeechStudent(config)
    save_student(model, scaling, folder, {"corpus": "manifest", "features": "log-mel"})
    return folder, model, scaling


def three_m_ser(folder, tokenizer, text=True, audio=True):
    """As notebook 02 saves it."""
    bert, vggish = two_streams.encoders()
    model = assemble(
        bert if text else None, vggish if audio else None, ThreeMSERConfig(classes=tuple(CLASSES))
    )
    save_network(model, tokenizer, folder, ["u1"], {"corpus": "embedded"})
    return folder, model


def regressor(folder, tokenizer, text=True, about=None):
    """As notebook 06 saves it."""
    speech, bert = rated_speech.encoders()
    model = assemble_regressor(speech, bert if text else None)
    model.standardise(torch.tensor([[0.2, 0.4, 0.6], [0.3, 0.8, 0.4], [0.9, 0.6, 0.5]]))
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder / "tokenizer")
    write_about(folder, about or {"corpus": "embedded", "scale": (1.0, 5.0), "standardised": True})
    return folder, model


def probabilities(table):
    return table[[f"p_{one}" for one in CLASSES]].to_numpy()


def call(*words):
    result = CliRunner().invoke(app, ["predict", *map(str, words)])
    return result.exit_code, result.stdout, result.stderr


# ---- what is predicted is what the training path predicts


def test_the_spectrogram_network_says_what_it_said_in_its_notebook(cnn, sounds, utterances):
    folder, model = cnn
    table, waveforms = utterances
    segments = spectrogram.segment_spectrograms(
        table, waveforms, FRONT_END, spectrogram.TEST_STEP, progress=False
    )
    fold = Fold("all", train=table.index[:0], test=table.index)
    expected = attention_pooling.predict(model, table, segments, fold, "a")
    found = predict(sounds, folder, progress=False)
    assert list(found.index) == sorted(LENGTHS)  # a folder's recordings, by name
    found = found.loc[list(LENGTHS)]
    np.testing.assert_allclose(probabilities(found), probabilities(expected), atol=1e-5)
    assert list(found["predicted"]) == list(expected["predicted"])
    np.testing.assert_allclose(found["seconds"], list(LENGTHS.values()), atol=1e-3)
    assert list(found) == ["path", "seconds", "predicted", *(f"p_{one}" for one in CLASSES)]
    assert found.attrs["notes"] == [
        "This model learnt from synthetic speech (the embedded corpus); on real voices it is a guess."
    ]


def test_a_long_recording_is_taken_piece_by_piece(cnn, monkeypatch):
    wave = (0.1 * np.random.default_rng(1).standard_normal(16000 * 12)).astype(np.float32)
    whole = predict_waveform(wave, cnn[0])
    monkeypatch.setattr("sernb.studies.recordings.models.SEGMENTS", 4)
    np.testing.assert_allclose(probabilities(predict_waveform(wave, cnn[0])), probabilities(whole), atol=1e-6)


@pytest.mark.parametrize("streams", [("text", "audio"), ("text",), ("audio",)], ids="+".join)
def test_3m_ser_says_what_it_said_in_its_notebook(tmp_path, tokenizer, utterances, streams):
    table, waveforms = utterances
    folder, model = three_m_ser(
        tmp_path / "teacher", tokenizer, *(one in streams for one in ("text", "audio"))
    )
    given = (tokenizer if "text" in streams else None, model.audio if "audio" in streams else None)
    inputs = multimodal.prepare(table, waveforms, *given, progress=False)
    expected = of_three_m_ser.predict(model, table, inputs, table.index, "all", "a")
    found = predict(list(table["path"]), folder, TEXTS, progress=False)
    np.testing.assert_allclose(probabilities(found), probabilities(expected), atol=1e-5)
    assert list(found["text"]) == list(TEXTS.values())
    unread = "This model reads no words: the transcripts made no difference."
    assert (unread in found.attrs["notes"]) == ("text" not in streams)


def test_a_student_says_what_it_said_in_its_notebook(student, utterances):
    folder, model, scaling = student
    table, waveforms = utterances
    frames = scaling.applied(frame_features(waveforms, table.index, progress=False))
    expected = mced.predict(model, frames, np.arange(3))
    found = predict(list(table["path"]), folder, progress=False)
    np.testing.assert_allclose(probabilities(found), expected, atol=1e-5)
    assert found.attrs["notes"] == [
        "This model learnt from the corpus manifest; other voices and rooms it never heard."
    ]


@pytest.mark.parametrize("text", [True, False])
@pytest.mark.parametrize("standardised", [True, False])
def test_a_regressor_says_what_it_said_in_its_notebook(tmp_path, tokenizer, utterances, text, standardised):
    about = {"scale": [1, 7], "standardised": standardised}
    folder, model = regressor(tmp_path / "both", tokenizer, text, about)
    table, waveforms = utterances
    targets = Targets(np.zeros((3, 3), np.float32), model.shape.dimensions, (1, 7), table.index)
    spoken = regression.prepare(
        table, targets, waveforms, model.speech, standardised, tokenizer if text else None, progress=False
    )
    expected = 1 + 6 * regression.predict(model, spoken, np.arange(3))
    found = predict(table, folder, progress=False)  # an utterances table brings its own words
    values = found[["arousal_predicted", "valence_predicted", "dominance_predicted"]]
    np.testing.assert_allclose(values, expected, atol=1e-5)
    assert found.attrs["scale"] == [1, 7] and "predicted" not in found and expected.std(0).min() > 1e-4


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


# ---- which folder holds which model


def test_a_model_is_found_below_the_folder_of_a_save(student, cnn, tmp_path):
    found = load_model(student[0].parents[1])  # students/RL 0, two folders down
    assert found.folder == student[0] and found.kind == "speech student (notebook 04)"
    assert load_model(cnn[0].parent).folder == cnn[0]
    for name in ("a", "b"):
        shutil.copytree(cnn[0], tmp_path / "models" / name)
    with pytest.raises(
        SernbError, match=r"2 models below this folder; name one of them:\n.*models/a\n.*models/b"
    ):
        load_model(tmp_path)


def test_a_text_teacher_beside_the_student_is_left_aside(student, tmp_path):
    shutil.copytree(student[0], tmp_path / "students" / "RL 0")
    (tmp_path / "teacher").mkdir()
    (tmp_path / "teacher" / "config.json").write_text('{"model_type": "bert", "architectures": ["BertForX"]}')
    (tmp_path / "teacher" / "model.safetensors").touch()
    assert load_model(tmp_path).folder.name == "RL 0"
    with pytest.raises(
        SernbError, match=r"teacher: this model does not tell emotions from sound \(BertForX\)"
    ):
        load_model(tmp_path / "teacher")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda folder: shutil.rmtree(folder), "no such folder"),
        (lambda folder: (folder / "config.json").unlink(), "there is no model in this folder"),
        (lambda folder: (folder / "model.safetensors").unlink(), "no model.safetensors beside config.json"),
        (lambda folder: (folder / "front_end.json").unlink(), "no front_end.json, which says"),
        (lambda folder: (folder / "front_end.json").write_text('{"classes": ["a"]}'), "`classes`, 3 names"),
        (lambda folder: (folder / "front_end.json").write_text("[]"), "expected a JSON object, got list"),
        (lambda folder: (folder / "config.json").write_text("{"), "cannot be read as JSON"),
        (lambda folder: (folder / "config.json").write_text('{"classes": 3}'), "cannot be read .*; expected what notebook"),
        (lambda folder: (folder / "model.safetensors").write_bytes(b"no"), "cannot be read .*; expected what notebook"),
    ],
)  # fmt: skip
def test_a_folder_that_holds_something_else(cnn, tmp_path, change, message):
    folder = shutil.copytree(cnn[0], tmp_path / "model")
    change(folder)
    with pytest.raises(SernbError, match=message) as problem:
        load_model(folder)
    assert str(folder) in str(problem.value)


def test_front_end_settings_that_do_not_exist(cnn, tmp_path):
    folder = shutil.copytree(cnn[0], tmp_path / "model")
    settings = {"classes": CLASSES, "spectrogram": {**vars(FRONT_END), "colour": 1}}
    (folder / "front_end.json").write_text(json.dumps(settings))
    with pytest.raises(SernbError, match="colour"):
        load_model(folder)


def test_what_a_regressor_needs_to_know(tmp_path, tokenizer):
    folder, _ = regressor(tmp_path / "model", tokenizer)
    write_about(folder, {"standardised": True})
    model = load_model(folder)
    assert model.scale == (0, 1) and "0 stands for the lowest rating" in " ".join(model.notes)
    write_about(folder, {"standardised": True, "scale": [5, 1]})
    with pytest.raises(SernbError, match=r"the scale is \[5, 1\]"):
        load_model(folder)
    (folder / "about.json").unlink()
    with pytest.raises(SernbError, match="whether the speech encoder wants standardised waveforms"):
        load_model(folder)
    write_about(folder, {"standardised": True})
    shutil.rmtree(folder / "tokenizer")
    with pytest.raises(SernbError, match="no folder tokenizer, and this model reads"):
        load_model(folder)


def test_a_student_saved_before_folders_told_is_taken_with_a_note(student, tmp_path):
    folder = shutil.copytree(student[0], tmp_path / "model")
    (folder / "about.json").unlink()
    assert "log-mel bands, the usual, were taken" in load_model(folder).notes[0]
    write_about(folder, {"features": "pitch"})
    with pytest.raises(SernbError, match="it hears 'pitch'"):
        load_model(folder)
    (folder / "scaling.safetensors").unlink()
    with pytest.raises(SernbError, match=r"scaling.safetensors: no such file"):
        load_model(folder)


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
    with pytest.raises(SernbError, match="no column"):
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
        predict(tmp_path, student[0], progress=False)
    assert "needs at least 25 ms" in str(problem.value) and "hears 120 s at most" in str(problem.value)
    assert "Digital silence" in predict(tmp_path / "silent.wav", student[0]).attrs["notes"][-1]
    assert "digital silence" in predict_waveform(np.zeros(16000), cnn[0]).attrs["notes"][-1]
    assert len(predict(tmp_path, cnn[0], progress=False)) == 3  # the spectrogram network hears any length


def test_words_find_their_recording_by_path_or_name(tmp_path, tokenizer, sounds):
    folder, _ = three_m_ser(tmp_path / "teacher", tokenizer)
    shutil.copytree(sounds, tmp_path / "sub" / "x")
    shutil.copytree(sounds, tmp_path / "sub" / "y")
    rows = [f"{place}/{name},{text} {place}" for place in "xy" for name, text in TEXTS.items()]
    csv = tmp_path / "sub" / "words.csv"
    csv.write_text("file,text\n" + "\n".join(rows) + "\nother.wav,bad\n")
    found = predict(tmp_path / "sub", folder, recordings.read_transcripts(csv), progress=False)
    assert found["text"]["x/one.wav"] == "good and bad x" and found["text"]["y/two.wav"] == "bad y"
    assert "left aside: other.wav" in " ".join(found.attrs["notes"])
    with pytest.raises(SernbError, match=r"'one.wav' may be x/one.wav, y/one.wav; name the file by its path"):
        predict(tmp_path / "sub", folder, TEXTS)
    with pytest.raises(SernbError, match=r"2 of 3 recordings have no transcript: three.wav, two.wav"):
        predict(sounds, folder, {"one.wav": "good"})
    with pytest.raises(SernbError, match="two different texts"):
        predict(sounds / "one.wav", folder, {"one.wav": "good", str(sounds / "one.wav"): "bad"})
    with pytest.raises(SernbError, match="one text was given for 3 recordings"):
        predict(sounds, folder, "good")
    assert list(predict(sounds / "one.wav", folder, "")["text"]) == [""]  # nothing was said


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("file,words\na.wav,so\n", "no column 'text'"),
        ("file,text\n,so\n", "row 2 names no file"),
        ("file,text\na.wav,so\na.wav,so\n", "a.wav stand more than once"),
        ("", "cannot be read as a CSV"),
        (None, "no such file"),
    ],
)
def test_transcripts_that_cannot_be_used(tmp_path, table, message):
    if table is not None:
        (tmp_path / "words.csv").write_text(table)
    with pytest.raises(SernbError, match=message):
        recordings.read_transcripts(tmp_path / "words.csv")


def test_without_words_a_recogniser_writes_them_down_or_is_asked_for(
    tmp_path, tokenizer, sounds, monkeypatch
):
    folder, _ = three_m_ser(tmp_path / "teacher", tokenizer)
    monkeypatch.setattr(predicting, "find_spec", lambda name: None)
    with pytest.raises(SernbError, match=r"--text or --transcripts.*PocketSphinx.*sernb\[asr\]"):
        predict(sounds, folder)
    with pytest.raises(SernbError, match=r"Give them with text="):
        predict_waveform(np.ones(16000), folder)
    monkeypatch.setattr(predicting, "find_spec", lambda name: True)
    monkeypatch.setattr(
        predicting, "recogniser", lambda name: lambda wave: "so good" if len(wave) > 16000 else ""
    )
    found = predict(sounds, folder, progress=False)
    given = predict(
        sounds, folder, {"one.wav": "", "two.wav": "so good", "three.wav": "so good"}, progress=False
    )
    assert list(found["text"]) == list(given["text"]) == ["", "so good", "so good"]
    np.testing.assert_array_equal(probabilities(found), probabilities(given))
    assert predicting.GUESSED in found.attrs["notes"] and predicting.GUESSED not in given.attrs["notes"]


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


def test_the_command_shows_dimensions_on_their_scale(tmp_path, tokenizer, sounds):
    folder, _ = regressor(tmp_path / "model", tokenizer)
    code, out, _ = call(sounds / "one.wav", "--model", folder, "--text", "so \x1b[31mgood")
    value = predict(sounds / "one.wav", folder, "so \x1b[31mgood")["arousal_predicted"].iloc[0]
    assert code == 0 and "“so ?[31mgood”" in out and "Bars from 1 to 5" in out
    assert f"arousal   {value:6.2f}  " in out
    said = json.loads(call(sounds / "one.wav", "--model", folder, "--text", "so", "--json")[1])
    assert list(said["recordings"][0]["dimensions"]) == ["arousal", "valence", "dominance"]
    assert said["scale"] == [1, 5] and said["recordings"][0]["text"] == "so"


def test_the_command_reads_transcripts(tmp_path, tokenizer, sounds):
    folder, _ = three_m_ser(tmp_path / "teacher", tokenizer)
    (tmp_path / "w.csv").write_text(
        "file,text\n" + "".join(f"{name},{text}\n" for name, text in TEXTS.items())
    )
    code, out, _ = call(sounds, "--model", folder, "--transcripts", tmp_path / "w.csv")
    assert code == 0 and "“so good so good so”" in out
    code, _, err = call(sounds, "--model", folder, "--transcripts", tmp_path / "w.csv", "--text", "so")
    assert code == 2 and "both given" in err


def test_the_command_says_what_is_wrong(cnn, sounds, tmp_path):
    code, out, err = call(sounds, "--model", tmp_path)
    assert code == 2 and out == "" and err.startswith(f"sernb: {tmp_path}: there is no model")
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
