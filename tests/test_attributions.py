"""What each word does to the ratings."""

import numpy as np
import pytest
import torch

from sernb.attributions import word_effects
from sernb.audio_text import prepare
from sernb.models.audio_text_regressor import assemble
from sernb.ratings import targets_of
from sernb.regression import frozen, predict
from tests.rated_speech import corpus, encoders


def made(speech=True):
    utterances, waveforms, tokenizer = corpus(6)
    hears, reads = encoders()
    targets = targets_of(utterances)
    spoken = prepare(
        utterances,
        targets,
        waveforms if speech else None,
        hears if speech else None,
        tokenizer=tokenizer,
        progress=False,
    )
    torch.manual_seed(0)
    return utterances, spoken, assemble(hears if speech else None, reads), tokenizer


def test_ratings_are_those_of_the_model():
    utterances, spoken, model, tokenizer = made()
    heard = frozen(model, spoken).speech_pooled
    ratings, effects = word_effects(model, utterances["text"].iloc[2], tokenizer, spoken.targets, heard[2])
    np.testing.assert_allclose(list(ratings.values()), 1 + 4 * predict(model, spoken, [2])[0], atol=1e-5)
    assert list(effects["word"]) == utterances["text"].iloc[2].split()


def test_an_effect_is_the_difference_that_leaving_out_makes():
    _, spoken, model, tokenizer = made(speech=False)
    whole, effects = word_effects(model, "it was good", tokenizer, spoken.targets)
    without, _ = word_effects(model, "it good", tokenizer, spoken.targets)
    for name in whole:
        assert effects.loc[1, name] == pytest.approx(whole[name] - without[name], abs=1e-5)


@pytest.mark.parametrize("text", ["", "   ", "(laughs)"])
def test_a_text_without_words_is_still_rated(text):
    _, spoken, model, tokenizer = made(speech=False)
    ratings, effects = word_effects(model, text, tokenizer, spoken.targets)
    assert all(np.isfinite(one) for one in ratings.values())
    assert len(effects) == len(text.split())


def test_one_word():
    _, spoken, model, tokenizer = made(speech=False)
    _, effects = word_effects(model, "good", tokenizer, spoken.targets)
    assert effects.shape == (1, 4)
