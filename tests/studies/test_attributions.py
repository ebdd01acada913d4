"""What each word does to the ratings."""

import numpy as np
import pytest
import torch
from transformers import BertConfig, BertModel

from sernb.core.ratings import targets_of
from sernb.models.audio_text_regressor import assemble
from sernb.studies.attributions import word_effects
from sernb.studies.audio_text import prepare
from sernb.studies.regression import frozen, predict
from tests.studies.rated_speech import corpus, encoders


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
    assert len(effects) == 0


def test_notes_in_brackets_are_no_words():
    """Without "(door" the rest would be "slams) good", which is read as two words."""
    _, spoken, model, tokenizer = made(speech=False)
    _, effects = word_effects(model, "(door slams) it was [LAUGHTER] good", tokenizer, spoken.targets)
    _, plain = word_effects(model, "it was good", tokenizer, spoken.targets)
    assert effects["word"].tolist() == ["it", "was", "good"]
    assert effects.equals(plain)


def test_a_text_longer_than_the_model_reads():
    _, spoken, _, tokenizer = made(speech=False)
    short = {"max_position_embeddings": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    model = assemble(
        None, BertModel(BertConfig(vocab_size=50, hidden_size=12, intermediate_size=24, **short))
    )
    with pytest.warns(UserWarning, match="more than 16 tokens"):
        _, effects = word_effects(model, "good " * 20, tokenizer, spoken.targets)
    assert len(effects) == 20


def test_one_word():
    _, spoken, model, tokenizer = made(speech=False)
    _, effects = word_effects(model, "good", tokenizer, spoken.targets)
    assert effects.shape == (1, 4)
