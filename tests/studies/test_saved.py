import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from sernb import corpora
from sernb.core.errors import SernbError
from sernb.core.ratings import Targets
from sernb.features import spectrogram
from sernb.features.audio import read_utterances
from sernb.features.frames import frame_features
from sernb.models.vggish import VGGish, VGGishConfig
from sernb.protocols import Fold
from sernb.studies import attention_pooling, mced, regression, saved, three_m_inputs
from sernb.studies.saved import load, save
from tests.studies import saved_models
from tests.studies.saved_models import FRONT_END, regressor, three_m_ser

KINDS = ("SpectrogramCNN", "ThreeMSER", "SpeechStudent", "AudioTextRegressor")


@pytest.fixture(scope="module")
def heard(tmp_path_factory):
    """(utterances, waveforms)."""
    return read_utterances(saved_models.recordings(tmp_path_factory.mktemp("sounds")), progress=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory, heard):
    """A folder of each kind, in one of that name."""
    home = tmp_path_factory.mktemp("saved")
    saved_models.spectrogram_network(home / "SpectrogramCNN")
    saved_models.student(home / "SpeechStudent", heard[1])
    three_m_ser(home / "ThreeMSER")
    regressor(home / "AudioTextRegressor")
    return home


def answers(folder, heard):
    model, (table, waveforms) = load(folder), heard
    return [model.answer(wave, text) for wave, text in zip(waveforms, table["text"], strict=True)]


def change(path, **settings):
    """Some settings of a JSON file, None for those that go."""
    content = {**json.loads(path.read_text()), **settings}
    path.write_text(json.dumps({key: value for key, value in content.items() if value is not None}))


# ---- what is saved comes back, and says what its notebook said


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_saved_comes_back(folder, kind, tmp_path):
    model = load(folder / kind, kind)
    weights = load_file(folder / kind / "model.safetensors")
    state = model.model.state_dict()
    assert type(model.model).__name__ == model.about["kind"] == kind and not model.model.training
    assert state.keys() >= weights.keys() and all(torch.equal(state[name], weights[name]) for name in weights)
    again = save(model.model, tmp_path / "again", model.about, model.tokenizer, model.scaling)
    for file in (folder / kind).iterdir():
        if file.is_file():
            assert file.read_bytes() == (again / file.name).read_bytes(), file.name
    assert (model.tokenizer is not None) == model.reads == (kind in ("ThreeMSER", "AudioTextRegressor"))
    if model.reads:
        assert model.tokenizer.get_vocab() == saved_models.tokenizer().get_vocab()


def test_the_spectrogram_network_says_what_its_notebook_says(tmp_path, heard):
    table, waveforms = heard
    model = saved_models.spectrogram_network(tmp_path / "voice")
    step = spectrogram.TEST_STEP
    segments = spectrogram.segment_spectrograms(table, waveforms, FRONT_END, step, progress=False)
    fold = Fold("all", train=table.index[:0], test=table.index)
    expected = attention_pooling.predict(model, table, segments, fold, "a").filter(like="p_")
    assert expected.std().max() > 0.01
    np.testing.assert_allclose(answers(tmp_path / "voice", heard), expected, atol=1e-6)


def test_a_long_recording_is_taken_piece_by_piece(folder, monkeypatch):
    wave = (0.1 * np.random.default_rng(1).standard_normal(16000 * 12)).astype(np.float32)
    model = load(folder / "SpectrogramCNN")
    whole = model.answer(wave)
    monkeypatch.setattr(saved, "SEGMENTS", 4)
    np.testing.assert_allclose(model.answer(wave), whole, atol=1e-6)


@pytest.mark.parametrize("streams", [("text", "audio"), ("text",), ("audio",)], ids="+".join)
def test_3m_ser_says_what_its_notebook_says(tmp_path, heard, streams):
    table, waveforms = heard
    model = three_m_ser(tmp_path / "teacher", streams)
    tokenizer = saved_models.tokenizer() if "text" in streams else None
    audio = model.audio if "audio" in streams else None
    inputs = three_m_inputs.prepare(table, waveforms, tokenizer, audio, progress=False)
    expected = three_m_inputs.predict(model, table, inputs, table.index, "all", "a").filter(like="p_")
    np.testing.assert_allclose(answers(tmp_path / "teacher", heard), expected, atol=1e-6)


def test_a_student_says_what_its_notebook_says(tmp_path, heard):
    table, waveforms = heard
    model, scaling = saved_models.student(tmp_path / "RL 0", waveforms)
    frames = scaling.applied(frame_features(waveforms, table.index, progress=False))
    expected = mced.predict(model, frames, np.arange(3))
    np.testing.assert_allclose(answers(tmp_path / "RL 0", heard), expected, atol=1e-6)


@pytest.mark.parametrize("text", [True, False])
@pytest.mark.parametrize("standardised", [True, False])
def test_a_regressor_says_what_its_notebook_says(tmp_path, heard, text, standardised):
    table, waveforms = heard
    model = regressor(tmp_path / "both", text, {"scale": [1, 7], "standardised": standardised})
    targets = Targets(np.zeros((3, 3), np.float32), model.shape.dimensions, (1, 7), table.index)
    tokenizer = saved_models.tokenizer() if text else None
    spoken = regression.prepare(
        table, targets, waveforms, model.speech, standardised, tokenizer, progress=False
    )
    expected = 1 + 6 * regression.predict(model, spoken, np.arange(3))
    assert expected.std(0).min() > 1e-4
    np.testing.assert_allclose(answers(tmp_path / "both", heard), expected, atol=1e-6)


def test_what_cannot_be_answered(folder, heard):
    reader, listener = load(folder / "ThreeMSER"), load(folder / "SpeechStudent")
    with pytest.raises(SernbError, match=r"u1: this model reads .*text="):
        reader.answer(heard[1][0], name="u1")
    with pytest.raises(SernbError, match="hears 120 s at most"):
        listener.answer(np.zeros(16000 * 121))
    with pytest.raises(SernbError, match="needs at least 25 ms"):
        listener.answer(np.zeros(100))
    with pytest.raises(SernbError, match="finite numbers"):
        listener.answer(np.zeros((2, 16000)))


def test_what_it_learnt_from_is_known(folder):
    for corpus in corpora.INSIDE:
        assert corpus in saved.SYNTHETIC
    assert "synthetic speech (the embedded corpus)" in load(folder / "ThreeMSER").notes[0]
    assert "learnt from the corpus manifest" in load(folder / "SpeechStudent").notes[0]


# ---- which folder holds which kind


@pytest.mark.parametrize("kind", KINDS)
def test_a_folder_from_before_kinds_is_told_by_its_settings(folder, heard, kind, tmp_path):
    old = shutil.copytree(folder / kind, tmp_path / "old")
    about = json.loads((old / "about.json").read_text())
    del about["kind"]
    if kind == "SpectrogramCNN":  # all of it stood in another file
        (old / "front_end.json").write_text(json.dumps(about))
        about = {}
    if kind == "ThreeMSER":
        (old / "learnt_from.json").write_text(json.dumps(about.pop("learnt_from")))
    (old / "about.json").write_text(json.dumps(about)) if about else (old / "about.json").unlink()
    assert load(old, kind).about == load(folder / kind).about
    np.testing.assert_array_equal(answers(old, heard), answers(folder / kind, heard))


def test_a_student_from_before_features_were_named(folder, tmp_path):
    old = shutil.copytree(folder / "SpeechStudent", tmp_path / "old")
    (old / "about.json").unlink()
    assert "log-mel bands, the usual, were taken" in load(old).notes[0]
    (old / "about.json").write_text('{"features": "pitch"}')
    with pytest.raises(SernbError, match="it hears 'pitch'"):
        load(old)
    (old / "scaling.safetensors").unlink()
    with pytest.raises(SernbError, match=r"scaling.safetensors: "):
        load(old)


def test_a_model_is_found_below_the_folder_of_a_save(folder, tmp_path):
    shutil.copytree(folder / "SpeechStudent", tmp_path / "students" / "RL 0")
    teacher = tmp_path / "teacher"
    teacher.mkdir()
    (teacher / "config.json").write_text('{"model_type": "bert", "architectures": ["BertForX"]}')
    (teacher / "model.safetensors").touch()
    model = load(tmp_path)  # the text teacher is left aside
    assert model.folder.name == "RL 0" and model.title == "speech student (notebook 04)"
    with pytest.raises(SernbError, match="this is a BertForX, not a Spectro"):
        load(teacher)
    shutil.copytree(folder / "SpectrogramCNN", tmp_path / "voice")
    with pytest.raises(
        SernbError, match=r"2 models lie below this folder; name one of them:\n.*RL 0\n.*voice"
    ):
        load(tmp_path)
    with pytest.raises(SernbError, match="this is a SpectrogramCNN, not a ThreeMSER"):
        load(tmp_path / "voice", "ThreeMSER")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda folder: shutil.rmtree(folder), "no such folder"),
        (lambda folder: (folder / "config.json").unlink(), "there is no model in this folder"),
        (lambda folder: (folder / "model.safetensors").unlink(), "no model.safetensors beside config.json"),
        (lambda folder: change(folder / "about.json", kind="Other"), "this is a Other, not a"),
        (lambda folder: change(folder / "about.json", classes=["a"]), "`classes` are, 3 names"),
        (lambda folder: change(folder / "about.json", spectrogram=None), "the settings of `spectrogram`"),
        (lambda folder: change(folder / "about.json", spectrogram={"colour": 1}), "colour"),
        (lambda folder: (folder / "about.json").write_text("[]"), "expected a JSON object, got list"),
        (lambda folder: (folder / "about.json").unlink(), "must say what its `classes` are"),
        (lambda folder: (folder / "config.json").write_text("{"), "cannot be read as JSON"),
        (lambda folder: change(folder / "config.json", filters=3), "cannot be read .*expected what"),
        (lambda folder: change(folder / "config.json", classes=2), "cannot be read .*expected what"),
        (lambda folder: (folder / "model.safetensors").write_bytes(b"no"), "cannot be read .*expected what"),
    ],
)  # fmt: skip
def test_a_folder_that_holds_something_else(folder, tmp_path, damage, message):
    copy = shutil.copytree(folder / "SpectrogramCNN", tmp_path / "model")
    damage(copy)
    with pytest.raises(SernbError, match=message) as problem:
        load(copy)
    assert str(copy) in str(problem.value)


@pytest.mark.parametrize("kind", KINDS)
def test_weights_that_are_missing_or_cut_off_do_not_stay_random(folder, kind, tmp_path):
    copy = shutil.copytree(folder / kind, tmp_path / "model")
    weights = load_file(copy / "model.safetensors")
    save_file({name: weights[name] for name in sorted(weights)[1:]}, copy / "model.safetensors")
    with pytest.raises(SernbError, match=f"model: cannot be read .*Missing key.*{sorted(weights)[0]}"):
        load(copy)
    content = (folder / kind / "model.safetensors").read_bytes()
    (copy / "model.safetensors").write_bytes(content[: len(content) // 2])
    with pytest.raises(SernbError, match="model: cannot be read"):
        load(copy)


def test_what_a_regressor_needs_to_know(tmp_path):
    folder = tmp_path / "model"
    regressor(folder)
    change(folder / "about.json", scale=None)
    model = load(folder)
    assert model.scale == (0, 1) and "0 stands for the lowest rating" in " ".join(model.notes)
    change(folder / "about.json", scale=[5, 1])
    with pytest.raises(SernbError, match=r"the scale is \[5, 1\]"):
        load(folder)
    change(folder / "about.json", scale=[1, 5], standardised=None)
    with pytest.raises(SernbError, match="whether the speech encoder wants standardised waveforms"):
        load(folder)
    change(folder / "about.json", standardised=True)
    shutil.rmtree(folder / "tokenizer")
    with pytest.raises(SernbError, match="no folder tokenizer, and this model reads"):
        load(folder)


# ---- whole or not at all


def test_only_what_can_be_used_again_is_saved(tmp_path):
    with pytest.raises(SernbError, match="a VGGish is not among"):
        save(VGGish(VGGishConfig((2, 2, 4, 4, 4, 4), (8, 8), 16)), tmp_path / "vggish")
    assert not list(tmp_path.iterdir())


def test_an_interrupted_save_leaves_the_old_one(tmp_path, monkeypatch):
    model = three_m_ser(tmp_path / "teacher")
    tokenizer = saved_models.tokenizer()
    monkeypatch.setattr(type(tokenizer), "save_pretrained", lambda *a, **k: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        save(model, tmp_path / "teacher", tokenizer=tokenizer)
    assert load(tmp_path / "teacher").about["learnt_from"] == ["u1"]
    assert [path.name for path in tmp_path.iterdir()] == ["teacher"]


# ---- what an answer takes


def test_an_answer_imports_few_files(folder, heard):
    """In a process of its own: all kinds together, one after another."""
    code = (
        "import sys, numpy as np; from sernb.studies.saved import load\n"
        "wave = np.ones(16000, np.float32)\n"
        f"for kind in {KINDS}: load(sys.argv[1] + '/' + kind).answer(wave, 'so good')\n"
        "print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=True
    )
    modules = set(done.stdout.split())
    own = {name for name in modules if name.partition(".")[0] == "sernb"}
    assert len(own) <= 20, sorted(own)
    unwanted = {
        "sernb.studies.training",
        "sernb.figures",
        "transformers.trainer",
        "sklearn",
        "pandera",
        "matplotlib",
    }
    assert not unwanted & modules
    assert not [name for name in own if name.startswith(("sernb.corpora", "sernb.protocols"))]
