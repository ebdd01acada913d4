"""Notebook 04: which words its teacher may read; a corpus, pairs and a teacher of the user's own; what cannot
be asked."""

from pathlib import Path

import jupytext
import numpy as np
import pandas as pd
import pytest
import soundfile
import yaml
from transformers import BertConfig, BertForSequenceClassification

from sernb import corpora, protocols
from sernb.core.errors import SernbError
from sernb.core.tables import read_predictions
from sernb.features import encoders
from sernb.features.text import clean
from sernb.notebook.plan import make_plans
from sernb.notebook.run import run
from sernb.studies.saved import load
from sernb.studies.text_teacher import save_teacher
from tests.notebooks.executed import said

pytestmark = pytest.mark.more  # whole notebooks


NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
FIVE = ("neutral", "happy", "surprised", "sad", "angry")
TEXTS = (
    "my dear sister paid the rent",
    "nobody stole the car again",
    "they lost the house",
    "we won the game",
)


def cell(beginning):
    cells = jupytext.read(NOTEBOOKS / "py" / "04_cross_modal_distillation.py").cells
    (found,) = [one.source for one in cells if one.source.startswith(beginning)]
    return found


def chosen(utterances, folds, corpus="embedded", **given):
    """What the cell that chooses the teacher's words leaves behind."""
    names = {"utterances": utterances, "folds": folds, "corpus": corpus, "teacher": "", "seeds": [0], **given}
    names |= {"protocols": protocols, "corpora": corpora, "clean": clean, "SernbError": SernbError, "pd": pd}
    exec(cell("tested_ids"), names)
    return names


def spoken(table):
    return set(table["text"].map(clean).map(protocols.normalised))


@pytest.mark.parametrize(("protocol", "count"), [("auto", 1), ("auto", 3), ("loso", 1), ("loso", 4)])
def test_the_teacher_reads_nothing_that_is_tested(protocol, count):
    utterances = corpora.load("embedded")
    folds = protocols.by_name(protocol, utterances)[:count]
    split = chosen(utterances, folds)["split"]
    tested = folds[0].test.append([one.test for one in folds[1:]])
    read = split.train.append(split.validation)
    assert len(split.train) and len(split.validation) and not len(split.train.intersection(split.validation))
    assert not len(read.intersection(tested))
    assert not spoken(utterances.loc[read]) & spoken(utterances.loc[tested])
    if protocol == "loso":  # people of one session say the same sentences now and then
        assert spoken(utterances.drop(index=tested)) & spoken(utterances.loc[tested])


def test_a_corpus_of_other_words_leaves_the_teacher_all_of_the_embedded_one():
    ids = pd.Index(
        [f"Ses01M1_00{number}" for number in range(1, 9)], name="utterance"
    )  # ids of the embedded corpus
    utterances = pd.DataFrame({"speaker": list("aabbccdd"), "emotion": "happy"}, ids)
    folds = protocols.by_name("loso", utterances)
    assert len(chosen(utterances, folds, "manifest")["lessons"]) == len(corpora.load("embedded"))
    one = corpora.load("embedded")["text"].iloc[0]
    said = chosen(utterances.assign(text=one.upper()), folds, "manifest")["lessons"]
    assert one not in set(said["text"]) and len(said) > 1000


def test_all_folds_leave_no_words_for_a_teacher():
    utterances = corpora.load("embedded")
    with pytest.raises(SernbError, match="no words are left for a teacher"):
        chosen(utterances, protocols.by_name("auto", utterances))


def table(place, name, count, seed, **columns):
    """A CSV of `count` noises of 1.6 to 2 s beside it."""
    rng, files = np.random.default_rng(seed), []
    for number in range(count):
        files.append(f"{name}{number}.wav")
        noise = 0.1 * rng.normal(size=int(rng.uniform(1.6, 2.0) * 16000))
        soundfile.write(place / files[-1], noise.clip(-1, 1), 16000)
    frame = pd.DataFrame({"file": files, **columns})
    frame.to_csv(place / f"{name}.csv", index=False)
    return place / f"{name}.csv"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Recordings with two emotions and no words; pairs without labels; a teacher of five classes."""
    folder = tmp_path_factory.mktemp("own")
    speakers = [f"s{number % 4}" for number in range(16)]
    table(folder, "labelled", 16, 0, speaker=speakers, emotion=["bored", "calm"] * 4 + ["calm", "bored"] * 4)
    table(folder, "pairs", 12, 1, text=[f"{TEXTS[n % 4]} {n}" for n in range(11)] + ["Hm."])
    encoder, tokenizer = encoders.text_encoder("mini-bert")
    naming = {"id2label": dict(enumerate(FIVE)), "label2id": {one: n for n, one in enumerate(FIVE)}}
    model = BertForSequenceClassification(BertConfig.from_dict({**encoder.config.to_dict(), **naming}))
    model.bert = encoder
    save_teacher(model, tokenizer, folder / "teacher")
    return folder


def result(out, **given):
    (entry,) = run(make_plans(["4"], "smoke", given, NOTEBOOKS), out, "smoke")["notebooks"]
    return entry


def test_own_corpus_pairs_and_teacher(place, tmp_path):
    entry = result(
        tmp_path / "report", corpus="manifest", root=str(place / "labelled.csv"),
        pairs=str(place / "pairs.csv"), teacher=str(place / "teacher"), protocol="loso", ways="[FL-4]",
        shares="[1, 2]", save=str(tmp_path / "saved"),
    )  # fmt: skip
    assert entry["status"] == "succeeded", entry["error"]
    text = said(tmp_path / "report", entry)
    assert "cannot be held against this corpus's labels" in text and "11 texts" in text
    assert "fewer than 2 words" in text and "left out beforehand, as their words are tested: 0" in text
    cards = {one["claim"]: one for one in entry["claims"]}
    assert len(cards) == 5
    (both,) = [one for name, one in cards.items() if name.startswith("Both levels")]
    assert both["verdict"] == "cannot be tested on this corpus" and "Not run" in both["why"]
    saved = read_predictions(tmp_path / "saved" / "predictions.csv")
    assert set(saved["model"]) == {"no pretraining", "MCED", "FL-4", *(
        f"{one}, 1/2 of the labels" for one in ("no pretraining", "MCED")
    )}  # fmt: skip
    assert load(tmp_path / "saved" / "students" / "RL+FL-4 0", "SpeechStudent").classes == FIVE
    assert not (tmp_path / "saved" / "teacher").exists()  # it is the user's already


def test_an_unknown_way_is_named_at_once(tmp_path):
    entry = result(tmp_path / "report", ways="[FL-5]")
    assert entry["status"] == "failed" and "'FL-5'; choose among RL, FL-4" in entry["error"]["message"]


def test_the_full_profile_has_the_papers_settings():
    content = yaml.safe_load((NOTEBOOKS / "profiles" / "full.yaml").read_text())["notebooks"]
    given = content["04_cross_modal_distillation"]
    assert given["recipe"] == "paper" and given["text_encoder"] == "bert-base-uncased"
    assert len(given["seeds"]) == given["distilled"] == 3 and given["shares"] == [1, 2, 3, 5]
    assert {"RL", "FL-4", "RL+FL-1", "RL+FL-2", "RL+FL-3"} <= set(given["ways"])
