"""The small speech encoder: its masks and loss, its training, and the shipped one."""

import json
import math
from importlib.resources import files
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file
from transformers import HubertModel, Wav2Vec2FeatureExtractor

from making.pretraining import masked_prediction, mini_hubert, spoken
from making.pretraining.clusters import by_length, clusters, layer_features, mfcc, phone_information
from making.pretraining.masked_prediction import (
    SPAN,
    Crops,
    MaskedPredictor,
    costs,
    spans,
    train,
    without_convolutions,
)
from sernb.core.errors import SernbError
from tests.making.pretraining.made_up_speech import made_up

SHIPPED = Path(str(files("sernb.features") / "weights" / "mini_hubert"))
shipped = pytest.mark.skipif(
    not (SHIPPED / "model.safetensors").is_file(), reason="mini-hubert has not been trained yet"
)


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    for name, value in {"BATCH": 4, "CHECKED": 8, "POINTS": 3}.items():
        monkeypatch.setattr(masked_prediction, name, value)


@pytest.fixture(scope="module")
def speech():
    return made_up()


@pytest.fixture
def whole_precision(monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", dict)


def encoder(seed=0, layers=1, width=16):
    torch.manual_seed(seed)
    return HubertModel(mini_hubert.config(layers, width))


# --- frames and clusters


def test_frames_are_as_many_as_a_hubert_makes():
    with torch.inference_mode():
        for samples in (400, 719, 720, 16000, 16001):
            made = encoder().eval()(torch.randn(1, samples)).last_hidden_state.shape[1]
            assert made == spoken.frames_of(samples)
            assert mfcc(torch.randn(1, samples)).shape == (1, made, 39)
    assert spoken.frames_of(399) == 0


def test_batches_of_one_length_give_each_utterance_its_own_features(speech, tmp_path, whole_precision):
    model = encoder(0, 2).eval()
    rows = np.array([0, 5, 7])
    features = layer_features(model, 1)
    found = {
        row: one
        for part, many in by_length(speech, features, rows, "")
        for row, one in zip(part, many, strict=True)
    }
    assert sorted(found) == [0, 5, 7]
    source = mini_hubert.convolutions_output(speech, model, tmp_path)
    ((_, short),) = by_length(speech, features, rows[:1], "", source)
    assert np.abs(short[0] - found[0]).max() < 0.02  # they are kept as float16
    for row in rows:
        length = speech.phones.lengths[row]
        sound = torch.from_numpy(speech.waveform(row)[: 320 * length + 80])
        sound = (sound - sound.mean()) / sound.std(correction=0)
        with torch.inference_mode():
            alone = model(sound[None], output_hidden_states=True).hidden_states[1][0].numpy()
        assert found[row].shape == alone.shape
        assert np.abs(found[row] - alone).max() < 1e-3


def test_clusters_of_tones_are_the_tones(speech):
    codes = np.zeros(len(speech.phones.values), int)
    offsets = speech.phones.offsets
    for rows, many in clusters(speech, mfcc, 12, np.arange(18), 0):
        for row, one in zip(rows, many, strict=True):
            codes[offsets[row] : offsets[row + 1]] = one
    assert set(codes) <= set(range(12)) and phone_information(codes, speech.phones.values) > 0.5


def test_information_about_phones():
    phones = np.array([0, 0, 1, 1])
    assert phone_information(np.array([5, 5, 2, 2]), phones) == pytest.approx(1)
    assert phone_information(np.array([0, 1, 0, 1]), phones) == pytest.approx(0)
    assert phone_information(np.array([0, 0, 0, 1]), phones) == pytest.approx(
        1 - (0.75 * -(2 / 3 * math.log(2 / 3) + 1 / 3 * math.log(1 / 3))) / math.log(2)
    )
    assert phone_information(np.array([1, 2]), np.zeros(2, int)) == 0


# --- masks and loss


def test_masks_are_whole_spans_in_every_row():
    masked = spans(300, 100, torch.Generator().manual_seed(0)).int()
    edges = torch.diff(masked, prepend=torch.zeros(300, 1), dim=1)
    for row, begins in zip(masked, (edges == 1), strict=True):
        starts = begins.nonzero().flatten().tolist()
        assert starts
        for start in starts:
            length = int((row[start:].cumprod(0)).sum())
            assert length >= SPAN or start + length == 100
    frames = 100 * (1 - (1 - masked_prediction.STARTS) ** SPAN * (1 - SPAN / 100))
    assert 100 * masked.float().mean() == pytest.approx(frames, rel=0.06)


def test_one_start_masks_just_its_span(monkeypatch):
    monkeypatch.setattr(masked_prediction, "STARTS", 0.0)
    masked = spans(50, 40, torch.Generator().manual_seed(1))
    for row in masked:
        places = row.nonzero().flatten()
        assert len(places) == min(SPAN, 40 - int(places[0])) and len(places) == places[-1] - places[0] + 1


def test_masked_sound_is_not_heard_and_the_rest_is():
    """What stands in a masked frame's place is one vector; other frames keep theirs."""
    model = MaskedPredictor(encoder(), 5).eval()
    heard = []
    handle = model.encoder.encoder.register_forward_pre_hook(lambda _, given: heard.append(given[0].clone()))
    sound, masked = torch.randn(2, 320 * 29 + 400), torch.zeros(2, 30, dtype=torch.bool)
    masked[0, 3:13], masked[1, 20:] = True, True
    with torch.inference_mode():
        model(sound, masked)
        model(sound, torch.zeros_like(masked))
    handle.remove()
    assert (heard[0][masked] == model.encoder.masked_spec_embed).all()
    assert torch.equal(heard[0][~masked], heard[1][~masked])


def test_losses_of_masked_and_heard_frames_by_hand(whole_precision):
    model = MaskedPredictor(encoder(3), 5).eval()
    sound = torch.randn(2, 320 * 19 + 400)
    masked = spans(2, 20)
    codes = torch.randint(5, (2, 20))
    with torch.inference_mode():
        losses = costs(model(sound, masked), codes, masked)
        normal = torch.stack([(one - one.mean()) / (one.var(correction=0) + 1e-5).sqrt() for one in sound])
        states = model.encoder(normal, mask_time_indices=masked).last_hidden_state
    weight, bias = (one.detach().numpy() for one in (model.project.weight, model.project.bias))
    labels = model.codes.detach().numpy()
    for loss, frames in zip(losses, (masked, ~masked), strict=True):
        each = []
        for row, frame in frames.nonzero().tolist():
            state = weight @ states[row, frame].numpy() + bias
            cosines = [state @ one / np.linalg.norm(state) / np.linalg.norm(one) for one in labels]
            chances = np.exp(np.array(cosines) / 0.1)
            each.append(-math.log(chances[codes[row, frame]] / chances.sum()))
        assert loss.item() == pytest.approx(np.mean(each), rel=1e-4)


def test_loss_where_all_or_nothing_is_masked():
    logits, codes = torch.zeros(2, 7, 5), torch.zeros(2, 7, dtype=torch.long)
    for masked in (torch.ones(2, 7, dtype=torch.bool), torch.zeros(2, 7, dtype=torch.bool)):
        found = sorted(one.item() for one in costs(logits, codes, masked))
        assert found == pytest.approx([0, math.log(5)])


def test_networks_without_convolutions_take_what_these_give(whole_precision):
    model = MaskedPredictor(encoder(), 5).eval()
    sound, masked = torch.randn(2, 8000), spans(2, 24)
    features = masked_prediction.convolved(model.encoder, sound)
    assert features.shape == (2, 8, 24)
    with torch.inference_mode():
        expected = model(sound, masked)
        with without_convolutions(model.encoder):
            assert torch.allclose(model(features, masked), expected, atol=1e-5)
        assert torch.equal(model(sound, masked), expected)


def test_layers_above_the_convolutions_are_in_whole_precision():
    """In bfloat16 the positional convolution can be wrong by as much as it is large: what is heard would not
    get round."""
    model = MaskedPredictor(encoder(0, 1, 128), 5).eval()
    kinds = []
    handle = model.encoder.encoder.pos_conv_embed.register_forward_hook(
        lambda *given: kinds.append(given[2].dtype)
    )
    model(torch.randn(1, 8000), spans(1, 24))
    handle.remove()
    assert kinds == [torch.float32]


def test_crops_are_pieces_of_utterances_with_their_clusters(speech):
    numbered = speech.phones.__class__(np.arange(len(speech.phones.values)), speech.phones.offsets)
    rows = np.array([1, 4, 30])
    crops = Crops(speech.sound, numbered, rows, frames=50)
    sound, codes = crops.draw(40, torch.Generator().manual_seed(0))
    assert sound.shape == (40, 49 * 320 + 400) and codes.shape == (40, 50)
    owners = np.searchsorted(speech.phones.offsets, codes[:, 0].numpy(), side="right") - 1
    assert set(owners) == set(rows)
    for one, code, owner in zip(sound, codes, owners, strict=True):
        begin = int(code[0]) - speech.phones.offsets[owner]
        assert code.tolist() == list(range(code[0], code[0] + 50))
        assert np.array_equal(one, speech.waveform(owner)[320 * begin :][: len(one)])
    with pytest.raises(SernbError, match="no utterance is as long as 1000 frames"):
        Crops(speech.sound, numbered, rows, frames=1000)


# --- the training


def crops_of(speech):
    every = np.arange(len(speech.table))
    return Crops(speech.sound, speech.phones, every[3:], 50), Crops(
        speech.sound, speech.phones, every[:3], 50
    )


def test_tones_in_order_are_learnt(speech, monkeypatch):
    monkeypatch.setattr(masked_prediction, "LEARNING_RATE", 5e-3)
    monkeypatch.setattr(masked_prediction, "BATCH", 8)
    curve = train(*crops_of(speech), encoder(0, 1, 32), 4, 60, 0)
    assert list(curve["step"]) == [20, 40, 60] and list(curve) == list(masked_prediction.CURVE)
    assert curve["held_out_accuracy"].iloc[-1] > curve["commonest"].iloc[-1] + 0.15
    assert curve["held_out_loss"].iloc[-1] < curve["held_out_loss"].iloc[0]


def test_a_run_that_was_cut_off_goes_on_as_if_it_had_not_been(speech, tmp_path):
    whole, half = encoder(), encoder()
    expected = train(*crops_of(speech), whole, 4, 6, 5)
    train(*crops_of(speech), half, 4, 6, 5, tmp_path / "state.pt", stop=3)
    other = encoder(seed=9)  # its weights are in the checkpoint
    torch.rand(7)
    found = train(*crops_of(speech), other, 4, 6, 5, tmp_path / "state.pt")
    pd.testing.assert_frame_equal(found.drop(columns="minutes"), expected.drop(columns="minutes"))
    assert all(torch.equal(one, two) for one, two in zip(whole.parameters(), other.parameters(), strict=True))
    assert [one.name for one in tmp_path.iterdir()] == ["state.pt"]


def test_the_second_iteration_goes_on_from_the_first(speech, tmp_path):
    first, before = encoder(0), encoder(0).state_dict()
    curve, information = mini_hubert.learn(speech, first, [6, 8], [3, 3], 0, tmp_path)
    assert list(curve["iteration"]) == [1, 1, 1, 2, 2, 2] and len(information) == 2
    kept = sorted(one.name for one in tmp_path.iterdir())
    assert kept == ["clusters_1", "clusters_2", "convolved", "iteration_1.pt", "iteration_2.pt"]
    assert np.load(tmp_path / "clusters_2" / "values.npy").max() < 8
    fresh = encoder(4)
    again, _ = mini_hubert.learn(speech, fresh, [6, 8], [3, 3], 0, tmp_path)
    pd.testing.assert_frame_equal(again, curve)
    for name, weight in first.state_dict().items():
        assert torch.equal(fresh.state_dict()[name], weight) and not torch.equal(before[name], weight), name


def test_pretrain_writes_a_folder_for_transformers_or_nothing(speech, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(mini_hubert, "make_speech", lambda *_: speech)
    monkeypatch.setattr(mini_hubert, "CLUSTERS", (6, 8))
    monkeypatch.setattr("making.pretraining.speech_card.emotions", lambda *_: pd.DataFrame())
    out = tmp_path / "out"
    command = ["--out", str(out), "--steps", "2", "2", "--layers", "1", "--width", "16"]

    def cut_off(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(mini_hubert.speech_card, "write", cut_off)
        with pytest.raises(KeyboardInterrupt):
            mini_hubert.main(command)
    assert not out.exists() and (tmp_path / "out.unfinished").is_dir()
    assert mini_hubert.main([*command, "--seed", "5"]) == 1
    assert "run with other settings" in capsys.readouterr().err
    assert mini_hubert.main(command) == 0
    assert [one.name for one in tmp_path.iterdir()] == ["out"]
    names = {"README.md", "config.json", "model.safetensors", "preprocessor_config.json", "training.csv"}
    assert {one.name for one in out.iterdir()} == names
    card = (out / "README.md").read_text(encoding="utf-8")
    assert "--steps 2 2" in card and "{" not in card and "| phone, accuracy (%) | 1 |" in card
    check_folder(out)
    assert mini_hubert.main(command) == 1
    assert "is not empty" in capsys.readouterr().err


def test_settings_that_make_no_network(tmp_path, capsys):
    assert mini_hubert.main(["--out", str(tmp_path / "b"), "--steps", "0", "5"]) == 1
    assert mini_hubert.main(["--out", str(tmp_path / "b"), "--utterances", "5"]) == 1
    said = capsys.readouterr().err
    assert "must be at least 1" in said and "5 utterances" in said
    for wrong, message in (
        (("--width", "100"), "a multiple of 16, the number of groups"),
        (("--width", "112"), "a multiple of 3, the number of heads"),
        (("--seed", "-1"), "seed is -1"),
        (("--seed", str(2**32)), f"seed is {2**32}"),
    ):
        assert mini_hubert.main(["--out", str(tmp_path / "c"), *wrong]) == 1
        assert message in capsys.readouterr().err
        assert not (tmp_path / "c.unfinished").exists()


# --- what is shipped


def check_folder(folder):
    """Loads without a missing weight, kept in float16, read in float32, hears something finite."""
    model, report = HubertModel.from_pretrained(folder, output_loading_info=True)
    assert not report["missing_keys"] and not report["unexpected_keys"]
    assert next(model.parameters()).dtype == torch.float32
    assert json.loads((folder / "config.json").read_text())["dtype"] == "float32"
    assert {one.dtype for one in load_file(folder / "model.safetensors").values()} == {torch.float16}
    prepare = Wav2Vec2FeatureExtractor.from_pretrained(folder)
    assert prepare.do_normalize and not prepare.return_attention_mask and prepare.sampling_rate == 16000
    sound = prepare(np.random.default_rng(0).normal(3, 0.1, 8000), sampling_rate=16000, return_tensors="pt")
    assert sound["input_values"].mean().abs() < 1e-3
    for mode in (model.eval(), model.train()):
        assert torch.isfinite(mode(**sound).last_hidden_state).all()
    return model


@shipped
def test_the_shipped_encoder_is_the_cards():
    model = check_folder(SHIPPED)
    card = (SHIPPED / "README.md").read_text(encoding="utf-8")
    assert f"{model.num_parameters():,} parameters" in card and "nan" not in card
    assert (SHIPPED / "model.safetensors").stat().st_size < 6e6
    assert model.config.num_hidden_layers == 6 and model.config.hidden_size == 128
    curve = pd.read_csv(SHIPPED / "training.csv")
    ends = curve.groupby("iteration").last()
    assert (ends["held_out_accuracy"] > 2 * ends["commonest"]).all()
