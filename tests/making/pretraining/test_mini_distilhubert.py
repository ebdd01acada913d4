"""The small speech encoder in two layers: where it begins, its loss, its training, and the shipped one."""

import math
from importlib.resources import files
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from transformers import BertConfig, BertModel, HubertModel

from making.pretraining import mini_distilhubert, mini_hubert
from making.pretraining.masked_prediction import Crops, without_convolutions
from making.pretraining.mini_distilhubert import distance, distil, guessed, states_of, student_of
from sernb.core.errors import SernbError
from tests.making.pretraining.made_up_speech import made_up
from tests.making.pretraining.test_mini_hubert import check_folder

SHIPPED = Path(str(files("sernb.features") / "weights" / "mini_distilhubert"))


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    for name, value in {"BATCH": 4, "CHECKED": 8, "POINTS": 3}.items():
        monkeypatch.setattr(mini_distilhubert, name, value)


@pytest.fixture(scope="module")
def speech():
    return made_up()


def teacher(layers=3, seed=0):
    torch.manual_seed(seed)
    return HubertModel(mini_hubert.config(layers, 16)).eval()


@pytest.fixture
def crops(speech, tmp_path_factory):
    """What the convolutions of `teacher()` give: (learning, held out)."""
    every = np.arange(len(speech.table))
    source = mini_hubert.convolutions_output(speech, teacher(), tmp_path_factory.mktemp("convolved"))
    return Crops(source, speech.phones, every[3:]), Crops(source, speech.phones, every[:3])


def test_a_student_begins_as_the_teachers_first_layers():
    large = teacher()
    small = student_of(large, 2).eval()
    sound = torch.randn(2, 8000)
    with torch.inference_mode():
        expected = large(sound, output_hidden_states=True).hidden_states[2]
        assert torch.allclose(small(sound).last_hidden_state, expected, atol=1e-6)
    assert small.config.num_hidden_layers == 2 and large.config.num_hidden_layers == 3
    for layers in (0, 3, 4):
        with pytest.raises(SernbError, match=f"teacher of 3 layers is to be distilled into {layers}"):
            student_of(large, layers)


def test_layers_that_are_guessed():
    assert guessed(12) == [4, 8, 12] and guessed(6) == [2, 4, 6] and guessed(3) == [1, 2, 3]
    assert guessed(2) == [1, 2]
    large, sound = teacher(), torch.randn(1, 4000)
    found = states_of(large, sound, [1, 3])
    with torch.inference_mode():
        assert torch.equal(found[1], large(sound).last_hidden_state)


def test_loss_by_hand():
    torch.manual_seed(0)
    guess, truth = torch.randn(2, 3, 5, 4), torch.randn(2, 3, 5, 4)
    loss, cosines = distance(guess, truth)
    total, means = 0.0, []
    for one, two in zip(guess.numpy(), truth.numpy(), strict=True):
        heads = []
        for a, b in zip(one.reshape(-1, 4), two.reshape(-1, 4), strict=True):
            cosine = a @ b / np.linalg.norm(a) / np.linalg.norm(b)
            total += (np.abs(a - b).sum() / 4 + math.log(1 + math.exp(-cosine))) / 15
            heads.append(cosine)
        means.append(np.mean(heads))
    assert loss.item() == pytest.approx(total, rel=1e-5)
    assert cosines.tolist() == pytest.approx(means, abs=1e-6)
    best, ones = distance(truth, truth)
    assert best.item() == pytest.approx(2 * math.log(1 + math.exp(-1)), rel=1e-5)
    assert ones.tolist() == pytest.approx([1, 1])


def test_a_student_comes_nearer_to_its_teacher_who_stays(crops):
    large, small = teacher(), student_of(teacher())
    before = {name: one.clone() for name, one in large.state_dict().items()}
    with without_convolutions(large, small):
        curve = distil(large, small, *crops, 40, 0)
    assert list(curve)[:3] == ["step", "loss", "held_out_loss"]
    assert {"cosine_1", "cosine_2", "cosine_3", "minutes"} <= set(curve)
    assert curve["held_out_loss"].iloc[-1] < 0.9 * curve["held_out_loss"].iloc[0]
    assert curve["cosine_3"].iloc[-1] > curve["cosine_3"].iloc[0]
    assert all(torch.equal(before[name], one) for name, one in large.state_dict().items())


def test_a_run_that_was_cut_off_goes_on_as_if_it_had_not_been(crops, tmp_path):
    large = teacher()
    whole, half, other = (student_of(large) for _ in range(3))
    with without_convolutions(large, whole, half, other):
        expected = distil(large, whole, *crops, 6, 5)
        distil(large, half, *crops, 6, 5, tmp_path / "state.pt", stop=4)
        torch.rand(7)
        found = distil(large, other, *crops, 6, 5, tmp_path / "state.pt")
    pd.testing.assert_frame_equal(found.drop(columns="minutes"), expected.drop(columns="minutes"))
    assert all(torch.equal(one, two) for one, two in zip(whole.parameters(), other.parameters(), strict=True))


def test_pretrain_writes_a_folder_for_transformers(speech, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(mini_distilhubert, "make_speech", lambda *_: speech)
    monkeypatch.setattr("making.pretraining.speech_card.emotions", lambda *_: pd.DataFrame())
    mini_hubert.ship(teacher(), tmp_path / "teacher")
    out = tmp_path / "out"
    command = ["--teacher", str(tmp_path / "teacher"), "--out", str(out), "--steps", "2", "--layers", "1"]
    assert mini_distilhubert.main(command) == 0
    assert sorted(one.name for one in tmp_path.iterdir()) == ["out", "teacher"]
    card = (out / "README.md").read_text(encoding="utf-8")
    assert "--steps 2" in card and "{" not in card and "layers 1, 2, 3, a head each" in card
    assert check_folder(out).config.num_hidden_layers == 1
    assert mini_distilhubert.main(command) == 1
    assert "is not empty" in capsys.readouterr().err


def test_teachers_that_are_none(tmp_path, capsys):
    def refused(folder):
        assert mini_distilhubert.main(["--teacher", str(folder), "--out", str(tmp_path / "out")]) == 1
        assert not (tmp_path / "out").exists() and not (tmp_path / "out.unfinished").exists()
        return capsys.readouterr().err

    assert "there is no config.json" in refused(tmp_path / "nowhere")
    shape = {"hidden_size": 16, "num_attention_heads": 1, "num_hidden_layers": 1, "intermediate_size": 16}
    BertModel(BertConfig(vocab_size=20, **shape)).save_pretrained(tmp_path / "bert")
    assert "this is a 'bert'" in refused(tmp_path / "bert")
    mini_hubert.ship(teacher(2), tmp_path / "small")
    assert "teacher of 2 layers is to be distilled into 2" in refused(tmp_path / "small")
    (tmp_path / "small" / "model.safetensors").unlink()
    assert "cannot be read" in refused(tmp_path / "small")


@pytest.mark.skipif(
    not (SHIPPED / "model.safetensors").is_file(), reason="mini-distilhubert has not been trained yet"
)
def test_the_shipped_student_is_the_cards():
    model = check_folder(SHIPPED)
    card = (SHIPPED / "README.md").read_text(encoding="utf-8")
    assert f"{model.num_parameters():,} parameters" in card and "nan" not in card
    assert (SHIPPED / "model.safetensors").stat().st_size < 6e6
    assert model.config.num_hidden_layers == 2 and model.config.hidden_size == 128
    curve = pd.read_csv(SHIPPED / "training.csv")
    assert curve["held_out_loss"].iloc[-1] < curve["held_out_loss"].iloc[0]
