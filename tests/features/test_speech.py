"""What a frozen speech encoder makes of recordings."""

import numpy as np
import pytest
import torch

from sernb.core.errors import SernbError
from sernb.features.speech import frame_states, frames, layer_states, standardised
from tests.studies.rated_speech import corpus, encoders


def test_standardised_by_hand():
    np.testing.assert_allclose(standardised(np.array([1.0, 3.0])), [-1, 1], atol=1e-6)
    assert not standardised(np.zeros(5)).any()


def test_as_transformers_feature_extractor_does_it():
    from transformers import Wav2Vec2FeatureExtractor

    wave = np.random.default_rng(0).normal(0.3, 2.0, 3000).astype(np.float32)
    expected = Wav2Vec2FeatureExtractor(do_normalize=True)(wave, sampling_rate=16000, return_tensors="np")
    np.testing.assert_allclose(standardised(wave), expected.input_values[0], atol=1e-5)


@pytest.mark.parametrize("normalise", [True, False])
def test_frames_are_the_front_ends(normalise, tmp_path):
    utterances, waveforms, _ = corpus(5)
    speech, _ = encoders()
    found = frames(waveforms, utterances.index, speech, normalise, progress=False)
    for row, wave in enumerate(waveforms):
        wave = standardised(wave) if normalise else wave
        with torch.inference_mode():
            expected = speech.feature_extractor(torch.from_numpy(wave)[None])[0].T
        np.testing.assert_allclose(found[row], expected, atol=1e-6)
    cached = frames(waveforms, utterances.index, speech, normalise, tmp_path, progress=False)
    np.testing.assert_array_equal(cached.values, found.values)
    assert isinstance(cached.values, np.memmap)


def test_the_cache_knows_other_recordings_and_other_weights(tmp_path):
    utterances, waveforms, _ = corpus(3)
    for number, (sound, speech) in enumerate([
        (waveforms, encoders()[0]),
        ([one * 0.5 for one in waveforms], encoders()[0]),
        (waveforms, encoders(1)[0]),
    ]):  # fmt: skip
        frames(sound, utterances.index, speech, False, tmp_path, progress=False)
        assert len(list(tmp_path.iterdir())) == number + 1


def test_states_of_all_layers():
    utterances, waveforms, _ = corpus(4)
    speech, _ = encoders()
    speech.train()  # a frozen encoder is put into evaluation mode
    found = layer_states(waveforms, utterances.index, speech, progress=False)
    assert found.shape == (4, 3, 16)
    long = frame_states(waveforms, utterances.index, speech, progress=False)
    with torch.inference_mode():
        whole = speech.eval()(torch.from_numpy(standardised(waveforms[1]))[None], output_hidden_states=True)
    np.testing.assert_allclose(found[1, -1], whole.last_hidden_state[0].mean(0), atol=1e-5)
    np.testing.assert_allclose(found[1, 0], whole.hidden_states[0][0].mean(0), atol=1e-5)
    np.testing.assert_allclose(long[1][:, -1], whole.last_hidden_state[0], atol=2e-3)


def test_too_short_and_broken_recordings_are_named():
    speech, _ = encoders()
    with pytest.raises(SernbError, match=r"b: 0.02494 s of sound; .* at least 25 ms \(400 samples"):
        frames([np.ones(400), np.ones(399)], ["a", "b"], speech, progress=False)
    with pytest.raises(SernbError, match="a: expected a waveform"):
        layer_states([np.array([np.nan] * 500)], ["a"], speech, progress=False)


@pytest.mark.parametrize(
    "changed", [{"conv_stride": (5, 2, 2, 2, 2, 2, 1)}, {"feat_extract_activation": "relu"}]
)
def test_the_cache_knows_another_front_end_with_the_same_weights(tmp_path, changed):
    utterances, waveforms, _ = corpus(3)
    one, other = encoders()[0], encoders(**changed)[0]
    other.feature_extractor.load_state_dict(one.feature_extractor.state_dict())
    frames(waveforms, utterances.index, one, True, tmp_path, progress=False)
    cached = frames(waveforms, utterances.index, other, True, tmp_path, progress=False)
    fresh = frames(waveforms, utterances.index, other, True, progress=False)
    np.testing.assert_array_equal(cached.values, fresh.values)
