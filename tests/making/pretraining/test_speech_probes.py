"""Probes of frozen layers: what they find in made-up speech, their intervals, and that the shipped encoder
knows something."""

from importlib.resources import files
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import r2_score
from transformers import HubertModel

from making.pretraining import emotion_probes, mini_hubert, speech_probes
from making.pretraining.speech_probes import alone, compare, heard, parts, probe, score, untrained
from sernb.core.errors import SernbError
from sernb.corpora import load
from sernb.features.audio import read_utterances
from tests.making.pretraining.made_up_speech import TONES, made_up

SHIPPED = [
    Path(str(files("sernb.features") / "weights" / name)) for name in ("mini_hubert", "mini_distilhubert")
]


@pytest.fixture(scope="module")
def speech():
    return made_up(54, seconds=(0.7, 0.9))


@pytest.fixture(scope="module")
def small():
    torch.manual_seed(0)
    return HubertModel(mini_hubert.config(1, 16)).eval()


def test_parts_keep_speakers_apart_and_every_speaker_known(speech):
    unseen, late = parts(speech)
    speakers = speech.table["speaker"]
    assert not set(speakers[unseen]) & set(speakers[~unseen]) and unseen.mean() == pytest.approx(1 / 3)
    assert set(speakers[late]) == set(speakers[~late]) == set(speakers)
    assert late.sum() == 18  # the last of three


def test_states_are_each_utterances_own(speech, small):
    each, pooled = heard(speech, speech_probes.states(small), 5)
    assert each.shape == (2, 54, 5, 16) and pooled.shape == (2, 54, 32)
    places = speech_probes.sampled(speech, 5, 0)
    for row in (0, 31):
        sound = speech.waveform(row)[: 320 * (speech.phones.lengths[row] - 1) + 400]
        sound = torch.from_numpy((sound - sound.mean()) / sound.std())
        with torch.inference_mode():
            layers = torch.stack(small(sound[None], output_hidden_states=True).hidden_states)[:, 0].numpy()
        assert np.abs(each[:, row] - layers[:, places[row]]).max() < 1e-3
        assert np.abs(pooled[:, row, :16] - layers.mean(1)).max() < 1e-3
        assert np.abs(pooled[:, row, 16:] - layers.std(1)).max() < 1e-3


def test_what_features_say_is_found_and_what_they_do_not_is_not(speech):
    """Features that hold the phone and the speaker's pitch, and features of noise."""
    rng, speakers = np.random.default_rng(0), speech.table["speaker"].to_numpy()
    pitch = rng.normal(20, 4, 18)[speakers]
    by_frames = pd.Series(range(54)).groupby(speech.phones.lengths).apply(list)

    def telling(sound):
        """Rows of one number of frames come in the table's order."""
        frames = (sound.shape[1] - 400) // 320 + 1
        rows = by_frames[frames]
        phones = np.eye(len(TONES))[np.stack([speech.phones[row] for row in rows])]
        extra = np.broadcast_to(pitch[rows][:, None, None], (*phones.shape[:2], 1))
        who = np.eye(18)[speakers[rows]][:, None].repeat(frames, 1)
        return torch.from_numpy(np.concatenate([phones, extra, who], -1)).float()[:, :, None]

    known = probe(speech, telling, pitch, 6)
    noise = probe(
        speech, lambda sound: torch.randn(len(sound), (sound.shape[1] - 400) // 320 + 1, 1, 8), pitch, 6
    )
    assert score("phone", known["phone", 0].sum(0)) == 1 and score("speaker", known["speaker", 0].sum(0)) == 1
    assert score("pitch", known["pitch", 0].sum(0)) > 0.5
    assert score("phone", noise["phone", 0].sum(0)) < 0.4 and score("pitch", noise["pitch", 0].sum(0)) < 0.3
    table = compare(known, [noise, noise]).set_index("task")
    for task in ("phone", "speaker", "pitch"):
        row = table.loc[task]
        assert row["trained_low"] <= row["trained"] <= row["trained_high"]
        assert row["gain"] == pytest.approx(row["trained"] - row["random"]) and row["gain_low"] > 0
    same = compare(known, [known]).set_index("task")
    assert (same[["gain", "gain_low", "gain_high"]] == 0).all(axis=None)
    assert alone(noise).set_index("task").loc["phone", "low"] < 0.3


def test_scores_by_hand():
    truth, guess = np.array([1.0, 2, 4, 7]), np.array([1.5, 2, 3, 8])
    sums = np.stack([np.ones(4), truth, truth**2, (truth - guess) ** 2], 1)
    assert score("pitch", sums.sum(0)) == pytest.approx(r2_score(truth, guess))
    assert np.isnan(score("pitch", np.array([2.0, 6, 18, 1]))) and score("phone", np.array([3, 4])) == 0.75


def test_random_networks_differ_by_seed_and_stay_by_seed(small):
    one, two = untrained(small.config, (0, 1))
    (again,) = untrained(small.config, (0,))
    name = "encoder.layers.0.attention.q_proj.weight"
    assert torch.equal(one.state_dict()[name], again.state_dict()[name])
    assert not torch.equal(one.state_dict()[name], two.state_dict()[name])


def test_feelings_are_probed_by_session(small):
    few = load("embedded").groupby(["session", "emotion"], observed=True).head(2)
    table = emotion_probes.emotions(small, untrained(small.config, (0,)), few)
    assert list(table["task"].unique()) == ["UAR", "CCC_valence", "CCC_arousal"] and len(table) == 6
    assert (table["trained_low"] <= table["trained"]).all() and (table["gain_low"] <= table["gain"]).all()
    assert table["gain"].to_numpy() == pytest.approx((table["trained"] - table["random"]).to_numpy())


def test_the_script_prints_a_table_for_any_folder(small, speech, tmp_path, monkeypatch, capsys):
    torch.manual_seed(0)
    mini_hubert.ship(HubertModel(mini_hubert.config(1, 16)), tmp_path / "encoder")
    monkeypatch.setattr(speech_probes, "speech", lambda *_: speech)
    assert speech_probes.main([str(tmp_path / "encoder")]) == 0
    said = capsys.readouterr().out
    assert "phone" in said and "gain_low" in said and "log-mel" in said
    assert speech_probes.main([str(tmp_path)]) == 1
    assert "there is no config.json" in capsys.readouterr().err
    with pytest.raises(SernbError, match="cannot be read"):
        (tmp_path / "encoder" / "model.safetensors").write_bytes(b"no weights")
        speech_probes.read_encoder(tmp_path / "encoder")


@pytest.mark.parametrize("folder", SHIPPED, ids=lambda one: one.name)
def test_the_shipped_encoders_know_more_of_speech_than_random_weights(folder):
    """Whether a frame's sound is voiced and loud says little: told apart are a session's speakers, by their
    last layer."""
    corpus = load("embedded")
    few = corpus[corpus["session"] == "Ses01"].groupby("speaker").head(14)
    few, sounds = read_utterances(few)
    spoken = emotion_probes.as_speech(few, sounds)
    late = (few.groupby("speaker").cumcount() >= 8).to_numpy()
    model = speech_probes.read_encoder(folder)
    right = []
    for network in (model, *untrained(model.config, (0,))):
        last = heard(spoken, speech_probes.states(network), 1)[1][-1]
        last = (last - last.mean(0)) / (last.std(0) + 1e-6)
        judge = LogisticRegression(C=0.1, max_iter=200).fit(last[~late], few["speaker"][~late])
        right.append(judge.score(last[late], few["speaker"][late]))
    assert right[0] > max(right[1:]), right
