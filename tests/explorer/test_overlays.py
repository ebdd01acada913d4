"""Overlays: maps laid on an utterance's time axis, and words left out, against numbers by hand."""

import numpy as np
import pandas as pd
import pytest
import torch

from sernb.core.errors import SernbError
from sernb.evaluation.baselines import pipeline
from sernb.explorer import overlays
from sernb.explorer.clips import clip
from sernb.features.spectrogram import TEST_STEP, SpectrogramConfig, segment_spectrograms
from sernb.models.attention_pooling import CNNConfig, SpectrogramCNN

CONFIG = SpectrogramConfig(scaling="log", dft=640, shift=0.04)  # 160 bins × 50 frames
CLASSES = ["neutral", "happy", "sad"]


def test_maps_are_averaged_where_they_overlap():
    maps = np.array([[[1.0, 1, 1]], [[3, 3, 3]]])  # two maps of one band and three columns
    np.testing.assert_allclose(overlays.laid_out(maps, np.array([0, 2])), [[1, 1, 2, 3, 3]])
    np.testing.assert_allclose(overlays.laid_out(maps, np.array([0, 0])), [[2, 2, 2]])
    np.testing.assert_allclose(overlays.laid_out(maps, np.array([0, 4])), [[1, 1, 1, 0, 3, 3, 3]])


def predictions(names, folds, said):
    table = pd.DataFrame(
        {"fold": folds, "model": "m", "emotion": "sad", "predicted": said}, pd.Index(names, name="utterance")
    )
    for name in CLASSES:
        table[f"p_{name}"] = (table["predicted"] == name).astype(float)
    return table


@pytest.fixture(scope="module")
def heard():
    """Networks of two folds, test segments of two utterances (3 s: three segments; 1 s: one), predictions."""
    torch.manual_seed(0)
    small = CNNConfig(classes=3, filters=((10, 2, 2), (2, 8, 2)), channels=(4, 4, 4, 4), pooling="attention")
    networks = {"fold 1": SpectrogramCNN(small), "fold 2": SpectrogramCNN(small)}
    rng = np.random.default_rng(0)
    waves = [rng.normal(size=48000).astype(np.float32), rng.normal(size=16000).astype(np.float32)]
    utterances = pd.DataFrame({"path": ["a.wav", "b.wav"]}, pd.Index(["long", "short"], name="utterance"))
    segments = segment_spectrograms(utterances, waves, CONFIG, TEST_STEP, progress=False)
    return networks, segments, predictions(["long", "short"], ["fold 1", "fold 2"], ["sad", "happy"])


def test_a_map_is_the_product_of_the_predicted_class_less_the_mean(heard):
    networks, segments, table = heard
    made = overlays.attention(networks, table, segments, CONFIG)("short")
    (row,) = segments.of(pd.Index(["short"]))
    with torch.inference_mode():
        out = networks["fold 2"].eval()(segments.spectrograms[[row]], maps=True)
    product = (out.product[0, 1] - out.product[0].mean(0)).numpy()  # happy is the second class
    assert product.shape == (20, 6) and made["map"].shape == (20, 48)
    np.testing.assert_allclose(made["map"][:, ::8], product, atol=1e-6)  # a position spans 8 frames
    np.testing.assert_allclose(made["map"][:, 7::8], product, atol=1e-6)
    logits = out.logits[0].numpy()
    assert product.sum() == pytest.approx(logits[1] - logits.mean(), abs=1e-5)  # what decides, and where
    assert made["what"] == "attention, for happy · m" and (made["low"], made["high"]) == (0, 4000)
    assert (made["start"], made["end"]) == (0, pytest.approx(1.92))


def test_segments_lie_at_their_starts(heard):
    networks, segments, table = heard
    made = overlays.attention(networks, table, segments, CONFIG)("long")
    rows = segments.of(pd.Index(["long"]))
    assert segments.table["start"].iloc[rows].tolist() == pytest.approx([0, 0.4, 0.8])
    maps = overlays.class_maps(networks["fold 1"], segments.spectrograms[rows], CLASSES.index("sad"))
    wide = np.repeat(maps, 8, axis=2)  # (3, 20, 48), from frames 0, 10 and 20 on
    assert made["map"].shape == (20, 68) and made["end"] == pytest.approx(2.72)
    np.testing.assert_allclose(made["map"][:, :10], wide[0][:, :10], atol=1e-6)
    np.testing.assert_allclose(made["map"][:, 15], (wide[0][:, 15] + wide[1][:, 5]) / 2, atol=1e-6)
    np.testing.assert_allclose(
        made["map"][:, 25], (wide[0][:, 25] + wide[1][:, 15] + wide[2][:, 5]) / 3, atol=1e-6
    )
    np.testing.assert_allclose(made["map"][:, -1], wide[2][:, -1], atol=1e-6)


def test_a_clip_takes_it_also_where_there_is_no_sound(heard):
    networks, segments, table = heard
    made = clip(None, "long", overlay=overlays.attention(networks, table, segments, CONFIG))
    assert made["map"]["signed"] and (made["map"]["bands"], made["map"]["frames"]) == (20, 68)
    assert "overlay_problem" not in made


def test_attention_refuses_what_does_not_fit(heard):
    networks, segments, table = heard
    ask = overlays.attention(networks, table, segments, CONFIG)
    assert ask("nobody") is None
    with pytest.raises(SernbError, match="no network of fold 2"):
        overlays.attention({"fold 1": networks["fold 1"]}, table, segments, CONFIG)
    with pytest.raises(SernbError, match="several rows"):
        overlays.attention(networks, pd.concat([table, table]), segments, CONFIG)
    with pytest.raises(SernbError, match="gap pooling"):
        gap = SpectrogramCNN(CNNConfig(classes=3, pooling="gap"))
        overlays.attention({"fold 1": gap, "fold 2": gap}, table, segments, CONFIG)
    with pytest.raises(SernbError, match=r"3 classes.* the 2 classes"):
        overlays.attention(networks, table.drop(columns="p_sad"), segments, CONFIG)
    with pytest.raises(SernbError, match="column fold"):
        overlays.attention(networks, table.drop(columns="fold"), segments, CONFIG)


class Counting:
    """A model by hand: the logit of happy is the number of "good", of sad that of "bad", of neutral 0."""

    classes_ = np.array(["happy", "neutral", "sad"])

    def predict_log_proba(self, table):
        rows = [[text.split().count("good"), 0, text.split().count("bad")] for text in table["text"]]
        return torch.tensor(rows, dtype=torch.float64).log_softmax(1).numpy()


def test_word_weights_by_hand():
    utterances = pd.DataFrame(
        {"text": ["good  news, good bad", None, "good", " "]}, pd.Index(list("abcd"), name="utterance")
    )
    table = predictions(list("abcd"), ["f"] * 4, ["happy", "happy", "sad", "sad"])
    ask = overlays.words({"f": Counting()}, table, utterances)
    made = ask("a")
    assert made["words"] == ["good", "news,", "good", "bad"]  # as written
    # the logit of happy less the mean: 2 − 3/3 = 1; without one "good" 1 − 2/3, without "bad" 2 − 2/3
    np.testing.assert_allclose(made["weights"], [2 / 3, 0, 2 / 3, -1 / 3])
    assert made["words_what"] == "words, for happy · m"
    np.testing.assert_allclose(ask("c")["weights"], [-1 / 3])  # one word: without it nothing is left
    assert ask("b") is None and ask("d") is None and ask("nobody") is None


def test_word_weights_are_predictions_of_the_text_without_the_word():
    texts = [
        "I am so happy",
        "we are happy now",
        "she was sad",
        "so sad it is",
        "it is a bus",
        "the bus is here",
    ]
    labels = ["happy", "happy", "sad", "sad", "neutral", "neutral"]
    model = pipeline("text", []).fit(pd.DataFrame({"text": texts}), labels)
    utterances = pd.DataFrame({"text": ["The bus is so, so happy!"]}, pd.Index(["u"], name="utterance"))
    table = predictions(["u"], ["f"], ["happy"])
    made = overlays.words({"f": model}, table, utterances)("u")
    rest = ["bus is so, so happy!", "The is so, so happy!", "The bus so, so happy!", "The bus is so happy!",
            "The bus is so, happy!", "The bus is so, so"]  # fmt: skip
    logits = model.decision_function(pd.DataFrame({"text": ["The bus is so, so happy!", *rest]}))
    of_happy = logits[:, list(model.classes_).index("happy")] - logits.mean(1)
    np.testing.assert_allclose(made["weights"], of_happy[0] - of_happy[1:], atol=1e-9)
    assert made["words"][int(np.argmax(made["weights"]))] == "happy!"


def test_two_classes_have_weights_too():
    model = pipeline("text", []).fit(pd.DataFrame({"text": ["so happy", "so sad"]}), ["happy", "sad"])
    utterances = pd.DataFrame({"text": ["a happy day"]}, pd.Index(["u"], name="utterance"))
    made = overlays.words({"f": model}, predictions(["u"], ["f"], ["happy"]), utterances)("u")
    assert made["weights"][1] > 0 and made["weights"][0] == pytest.approx(0, abs=1e-9)


def test_words_refuse_what_does_not_fit():
    table = predictions(["a"], ["f"], ["happy"])
    with pytest.raises(SernbError, match="no words to weigh"):
        overlays.words({"f": Counting()}, table, pd.DataFrame({"path": ["a.wav"]}, index=["a"]))
    with pytest.raises(SernbError, match="no fitted pipeline of f"):
        overlays.words({}, table, pd.DataFrame({"text": ["a"]}, index=["a"]))
    with pytest.raises(SernbError, match="knows no angry"):
        overlays.words(
            {"f": Counting()}, table.assign(predicted="angry"), pd.DataFrame({"text": ["a"]}, index=["a"])
        )


def test_joined_overlays_share_a_clip():
    one = {"a": {"map": [[1.0]], "what": "first"}}
    two = {"a": {"words": ["x"], "weights": [1.0], "what": "second"}, "b": {"words": [], "weights": []}}
    ask = overlays.joined(one.get, None, two.get)
    assert ask("a") == {"map": [[1.0]], "what": "first", "words": ["x"], "weights": [1.0]}
    assert ask("b") == two["b"] and ask("c") is None
    assert overlays.joined()("a") is None
