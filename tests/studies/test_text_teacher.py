import json
import shutil
import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file
from torch.nn import functional as F
from transformers import BertConfig, BertForMaskedLM, BertForSequenceClassification, BertModel

from sernb.core.errors import SernbError
from sernb.features.encoders import own_folder, text_encoder
from sernb.features.text import learn
from sernb.protocols import Fold
from sernb.studies import text_teacher
from sernb.studies.text_teacher import (
    READING,
    RECIPES,
    adapt,
    classes_of_teacher,
    fine_tune_text,
    load_teacher,
    save_teacher,
    text_logits,
    text_predictions,
    vocabulary_fit,
)
from sernb.studies.training import _Watch as Watch

CLASSES = ("neutral", "happy", "sad")
TELLING = {"neutral": "door table cup", "happy": "lovely splendid glad", "sad": "awful gloomy lost"}
QUICK = replace(RECIPES["paper"], epochs=4, batch_size=8, learning_rate=3e-3, patience=4)
BRIEF = replace(QUICK, epochs=1)


def sentences(count=72, seed=0):
    """Sentences of five words, of which two tell the class."""
    rng = np.random.default_rng(seed)
    labels = [CLASSES[number % 3] for number in range(count)]
    others = "we see it here now and then at home".split()  # noqa: SIM905
    texts = [" ".join([*rng.choice(others, 3), *rng.choice(TELLING[one].split(), 2)]) for one in labels]
    return texts, labels


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A BERT of two layers, 16 wide, with random weights and a tokenizer that knows the sentences' words."""
    place = tmp_path_factory.mktemp("bert")
    tokenizer = learn(sentences()[0], 700)
    torch.manual_seed(0)
    shape = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    shape |= {"initializer_range": 0.2, "max_position_embeddings": 64}
    BertModel(BertConfig(vocab_size=len(tokenizer), **shape)).save_pretrained(place)
    tokenizer.save_pretrained(place)
    return str(place)


@pytest.fixture(scope="module")
def taught(folder):
    texts, labels = sentences()
    encoder, tokenizer = text_encoder(folder)
    return (
        *fine_tune_text(encoder, tokenizer, texts, labels, CLASSES, texts[:30], labels[:30], QUICK),
        tokenizer,
    )


def test_it_learns_and_keeps_the_epoch_that_validates_best(taught):
    model, curve, tokenizer = taught
    assert list(curve) == [
        "epoch",
        "loss",
        "learning_rate",
        "validation_loss",
        "validation_WF1",
        "validation_WA",
    ]
    assert curve["loss"].iloc[-1] < curve["loss"].iloc[0] and curve["validation_WF1"].max() > 0.8
    texts, labels = sentences()
    said = np.array(CLASSES)[text_logits(model, tokenizer, texts[:30]).argmax(1)]
    assert (said == labels[:30]).mean() == pytest.approx(
        curve.loc[curve["validation_WF1"].idxmax(), "validation_WA"]
    )
    assert classes_of_teacher(model) == list(CLASSES) and not model.training


def test_it_stops_early(folder):
    texts, labels = sentences(24)
    idle = replace(QUICK, epochs=6, learning_rate=1e-9, patience=1)
    _, curve = fine_tune_text(*text_encoder(folder), texts, labels, CLASSES, texts, labels, idle)
    assert len(curve) == 2  # the second epoch is no better than the first


def test_the_same_seed_gives_the_same_and_the_encoder_stays(folder):
    texts, labels = sentences(24)
    encoder, tokenizer = text_encoder(folder)
    before = {name: value.clone() for name, value in encoder.state_dict().items()}
    recipe = replace(BRIEF, learning_rate=1e-3)
    logits = []
    for seed in (0, 0, 1):
        model, _ = fine_tune_text(encoder, tokenizer, texts, labels, CLASSES, texts, labels, recipe, seed)
        logits.append(text_logits(model, tokenizer, texts))
    assert np.array_equal(logits[0], logits[1]) and not np.allclose(logits[0], logits[2])
    assert all(value.equal(before[name]) for name, value in encoder.state_dict().items())


def test_logits_are_those_of_each_text_alone(taught):
    model, _, tokenizer = taught
    texts = ["lovely", "we see it here now and then at home awful gloomy", "door"]
    alone = []
    with torch.inference_mode():
        for text in texts:
            alone.append(model(**tokenizer(text, return_tensors="pt")).logits[0].numpy())
    assert np.allclose(text_logits(model, tokenizer, texts), np.stack(alone), atol=1e-5)
    assert text_logits(model, tokenizer, texts).dtype == np.float32
    with pytest.raises(SernbError, match="no text to ask"):
        text_logits(model, tokenizer, [])


@pytest.mark.parametrize(
    ("texts", "labels", "why"),
    [
        ([], [], "training set has 0 texts and 0 labels"),
        (["a", "b"], ["sad"], "training set has 2 texts and 1 labels"),
        (["a", "b"], ["sad", "sad"], "training set has one class only, 'sad'"),
        (["a", "b"], ["sad", "angry"], "training set has labels angry; the classes are neutral, happy, sad"),
    ],
)
def test_sets_that_cannot_teach(folder, texts, labels, why):
    good = sentences(6)
    with pytest.raises(SernbError, match=why):
        fine_tune_text(*text_encoder(folder), texts, labels, CLASSES, *good)
    with pytest.raises(SernbError, match=why.replace("training", "validation")):
        fine_tune_text(*text_encoder(folder), *good, CLASSES, texts, labels)


def test_predictions_and_strange_emotions(taught):
    model, _, tokenizer = taught
    texts, labels = sentences(12, 3)
    utterances = pd.DataFrame({"text": texts, "emotion": labels}, [f"u{number}" for number in range(12)])
    fold = Fold("fixed", utterances.index[:4], test=utterances.index[4:])
    table = text_predictions(model, tokenizer, utterances, fold, "mine")
    assert list(table.index) == list(fold.test) and set(table["model"]) == {"mine"}
    logits = torch.from_numpy(text_logits(model, tokenizer, texts[4:]))
    assert np.allclose(table[[f"p_{one}" for one in CLASSES]], F.softmax(logits, -1), atol=1e-6)
    utterances.loc["u5", "emotion"] = "angry"
    with pytest.raises(
        SernbError, match=r"1 utterances have an emotion that the teacher does not know \(u5\)"
    ):
        text_predictions(model, tokenizer, utterances, fold, "mine")
    with pytest.raises(SernbError, match="no column emotion"):
        text_predictions(model, tokenizer, utterances[["text"]], fold, "mine")


def test_a_teacher_comes_back_as_it_went(taught, tmp_path):
    model, _, tokenizer = taught
    save_teacher(model, tokenizer, tmp_path / "mt")
    again, reads = load_teacher(tmp_path / "mt")
    texts = sentences(9, 5)[0]
    assert np.array_equal(text_logits(model, tokenizer, texts), text_logits(again, reads, texts))
    assert classes_of_teacher(again) == list(CLASSES)
    assert (tmp_path / "mt" / "model.safetensors").is_file()
    assert not list(tmp_path.glob("*.unfinished"))
    with pytest.raises(SernbError, match="is not empty"):
        save_teacher(model, tokenizer, tmp_path / "mt")
    config = json.loads((tmp_path / "mt" / "config.json").read_text())
    config["id2label"] = {"0": "LABEL_0", "1": "LABEL_1", "2": "LABEL_2"}
    (tmp_path / "mt" / "config.json").write_text(json.dumps(config))
    with pytest.raises(SernbError, match="its classes have no names"):
        load_teacher(tmp_path / "mt")


def test_what_is_no_teacher(folder, tmp_path):
    with pytest.raises(SernbError, match=r"no teacher \(2 weights are missing, classifier.bias"):
        load_teacher(folder)
    with pytest.raises(SernbError, match="cannot be read"):
        load_teacher(tmp_path)
    with pytest.raises(SernbError, match="this is a 'hubert'"):
        load_teacher(own_folder("mini-hubert"))
    shutil.copytree(folder, tmp_path / "broken")
    (tmp_path / "broken" / "model.safetensors").write_bytes(b"nothing")
    with pytest.raises(SernbError, match="cannot be read"):
        load_teacher(tmp_path / "broken")


def test_guessing_masked_pieces_is_berts_own_loss(folder):
    """The same as transformers' model, which computes the logits of every piece."""
    encoder, tokenizer = text_encoder(folder)
    whole = BertForMaskedLM(encoder.config).eval()
    whole.bert.load_state_dict({k: v for k, v in encoder.state_dict().items() if "pooler" not in k})
    whole.tie_weights()
    with torch.no_grad():
        whole.cls.predictions.bias.normal_()
    reader = text_teacher._Reader(encoder.eval(), whole.cls.predictions).eval()
    batch = tokenizer(sentences(6)[0] + ["home"], padding=True, return_tensors="pt")
    labels = torch.full_like(batch["input_ids"], -100)
    labels[0, 2], labels[3, 1], labels[6, 1] = 7, 8, 9
    given = {"input_ids": batch["input_ids"], "attention_mask": batch["attention_mask"], "labels": labels}
    assert reader(**given)["loss"].item() == pytest.approx(whole(**given).loss.item(), rel=1e-5)
    assert (
        reader(**{**given, "labels": torch.full_like(labels, -100)})["loss"].item() == 0
    )  # nothing is masked


def test_reading_on_learns_and_leaves_the_pooler(folder, tmp_path):
    texts = sentences(200, 1)[0]
    recipe = replace(QUICK, batch_size=16, learning_rate=5e-3)
    out = adapt(folder, texts, tmp_path / "m1", recipe, held_out=0.1)
    curve = pd.read_csv(out / "training.csv")
    assert list(curve) == ["epoch", "loss", "learning_rate", "held_out_loss"]
    assert curve["held_out_loss"].iloc[-1] < curve["held_out_loss"].iloc[0]
    before, after = text_encoder(folder)[0].state_dict(), text_encoder(str(out))[0].state_dict()
    for name, value in before.items():
        assert value.equal(after[name]) == name.startswith("pooler."), name
    with pytest.raises(SernbError, match="is not empty"):
        adapt(folder, texts, out, recipe)


def test_reading_on_is_the_same_for_a_seed(folder, tmp_path):
    recipe = replace(BRIEF, batch_size=16, learning_rate=1e-3)
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        adapt(folder, sentences(40)[0], tmp_path / name, recipe, seed=seed)
    a, b, c = (load_file(tmp_path / name / "model.safetensors") for name in "abc")
    assert all(a[name].equal(b[name]) for name in a)
    assert not all(a[name].equal(c[name]) for name in a)


def test_an_encoder_s_own_head_is_used(folder, tmp_path):
    encoder, _ = text_encoder(folder)
    model = BertForMaskedLM(encoder.config)
    with torch.no_grad():
        model.cls.predictions.bias.fill_(3.0)
    model.save_pretrained(tmp_path / "whole")
    assert text_teacher._guesser(str(tmp_path / "whole"), encoder.config).bias.tolist()[:2] == [3.0, 3.0]
    assert text_teacher._guesser(folder, encoder.config).bias.tolist()[:2] == [0.0, 0.0]
    other = BertConfig.from_dict({**encoder.config.to_dict(), "vocab_size": 50})
    assert text_teacher._guesser(str(tmp_path / "whole"), other).bias.shape == (50,)


def test_a_vocabulary_of_its_own(folder, tmp_path):
    texts = [f"{one} zebra marmalade" for one in sentences(60)[0]]
    _, before = text_encoder(folder)
    assert len(before.tokenize("zebra marmalade")) > 2
    out = adapt(
        folder, texts, tmp_path / "own", replace(BRIEF, batch_size=16, learning_rate=1e-12), "own", 700
    )
    encoder, tokenizer = text_encoder(str(out))
    assert tokenizer.tokenize("zebra marmalade") == ["zebra", "marmalade"]
    assert encoder.config.vocab_size == len(tokenizer) == encoder.embeddings.word_embeddings.num_embeddings
    old, new = (one.embeddings.word_embeddings.weight for one in (text_encoder(folder)[0], encoder))
    piece = "lovely"
    kept = new[tokenizer.convert_tokens_to_ids(piece)], old[before.convert_tokens_to_ids(piece)]
    assert torch.allclose(*kept, atol=1e-6)
    fit = vocabulary_fit(tokenizer, {"own": texts}).iloc[0]
    assert fit["whole"] == 1 and fit["pieces_per_word"] == 1
    model, _ = fine_tune_text(encoder, tokenizer, *sentences(12), CLASSES, *sentences(12), BRIEF)
    assert text_logits(model, tokenizer, texts[:2]).shape == (2, 3)
    with pytest.raises(SernbError, match="the alphabet and endings take"):
        adapt(folder, texts, tmp_path / "small", vocabulary="own", size=10)
    with pytest.raises(SernbError, match="vocabulary is 'mine'; choose one of given, own"):
        adapt(folder, texts, tmp_path / "mine", vocabulary="mine")
    with pytest.raises(SernbError, match="1 of 3 sentences have words"):
        adapt(folder, ["", "(laughs)", "home"], tmp_path / "few")


def test_how_well_a_vocabulary_fits_by_hand(folder):
    _, tokenizer = text_encoder(folder)
    table = vocabulary_fit(
        tokenizer, {"known": ["lovely home", "", None], "letters": ["home qqq"], "hebrew": ["שלום home"]}
    )
    assert table.loc["known"].tolist() == [1, 2, 0, 1, 1]
    assert table.loc["letters"].tolist() == [1, 2, 0, 0.5, 2]
    assert table.loc["hebrew", ["unknown", "whole"]].tolist() == [0.5, 0.5]
    with pytest.raises(SernbError, match="empty: there is no text in 2 rows"):
        vocabulary_fit(tokenizer, {"empty": ["", None]})


def test_another_language_is_told(folder, tmp_path):
    texts, labels = sentences(12)
    with pytest.warns(
        UserWarning, match=r"training texts do not fit the vocabulary: 100.0% of their words are unknown"
    ):
        fine_tune_text(*text_encoder(folder), ["שלום"] * 12, labels, CLASSES, texts, labels, BRIEF)
    with pytest.warns(UserWarning, match=r"sentences to read .* a word takes 8.0 pieces"):
        adapt(folder, ["qwertyui"] * 4, tmp_path / "m1", BRIEF)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fine_tune_text(*text_encoder(folder), texts, labels, CLASSES, texts, labels, BRIEF)


def test_the_papers_recipes():
    paper = RECIPES["paper"]
    assert (paper.epochs, paper.patience, READING["paper"].epochs) == (6, 2, 20)
    for recipe in (*RECIPES.values(), *READING.values()):
        assert (recipe.optimizer, recipe.weight_decay, recipe.warm_up, recipe.falling) == (
            "adamw", 0.01, 0.1, True
        )  # fmt: skip
        assert recipe.masked == 0.15


class Killed(Exception):
    pass


def test_a_killed_training_goes_on(folder, tmp_path, monkeypatch):
    """Whole, or cut in the second epoch: the same weights."""
    texts, labels = sentences(24)
    recipe = replace(QUICK, epochs=2, learning_rate=1e-3)
    given = (*text_encoder(folder), texts, labels, CLASSES, texts, labels, recipe)
    whole, _ = fine_tune_text(*given)
    place = tmp_path / "checkpoints"
    on_log, told = Watch.on_log, []

    def dies(self, args, state, control, logs=None, **kwargs):
        on_log(self, args, state, control, logs, **kwargs)
        told.append(logs)
        if sum("loss" in one for one in told) == 2:
            raise Killed

    monkeypatch.setattr(Watch, "on_log", dies)
    with pytest.raises(Killed):
        fine_tune_text(*given, checkpoints=place)
    monkeypatch.setattr(Watch, "on_log", on_log)
    again, curve = fine_tune_text(*given, checkpoints=place)
    assert isinstance(again, BertForSequenceClassification) and len(curve) == 2
    assert np.allclose(text_logits(whole, given[1], texts), text_logits(again, given[1], texts), atol=1e-6)
    with pytest.raises(SernbError, match="of a run with other settings"):
        fine_tune_text(*given, seed=1, checkpoints=place)
