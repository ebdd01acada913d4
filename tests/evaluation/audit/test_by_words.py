import numpy as np
import pandas as pd
import pytest

from sernb import corpora
from sernb.evaluation.audit import by_words
from sernb.protocols import Fold, by_name, leave_one_speaker_out, sentence_k_fold

quiet = pytest.mark.filterwarnings("ignore:.*both trained on and tested")


def own(count):
    """Sentences that have nothing in common."""
    draw = np.random.default_rng(0)
    return ["".join(draw.choice(list("abcdefghijklmnop"), 4)) * 2 + f" {n} " + "".join(draw.choice(list("qrstuvwxyz"), 9))
            for n in range(count)]  # fmt: skip


def test_sentences_of_their_own_are_fine(table):
    t = table(text=own(48))
    folds = leave_one_speaker_out(t)
    assert by_words.transcripts(t, folds)["severity"] == "fine"
    assert by_words.text_and_label(t, folds)["severity"] == "not checked"


def test_a_transcript_in_two_parts_is_a_leak_and_is_named(table):
    texts = own(48)
    texts[13], texts[30] = texts[2].upper() + "!", texts[5] + "s"  # the same words, and nearly
    texts[20] = texts[3] = "I see."  # too short to count
    t = table(text=texts)
    found = by_words.transcripts(t, leave_one_speaker_out(t))
    assert found["severity"] == "leak" and found["value"] == pytest.approx(4 / 48)
    assert "(4.2% word for word" in found["finding"]
    assert set(found["utterances"]) == {"u2", "u13", "u5", "u30"}
    texts[31] = texts[5] + "z"  # near u5 and u30, and in no part: u5 and u30 are still divided
    more = table(text=texts)
    fold = Fold("two", train=more.index[[5, 9]], test=more.index[[30]])
    assert by_words.transcripts(more, [fold])["value"] == 1
    fold = Fold("three", train=more.index[[30, 9]], test=more.index[[5]])
    assert by_words.transcripts(more, [fold])["value"] == 1
    assert by_words.transcripts(more, [fold, fold])["value"] == 1  # tested twice, known twice
    within = Fold("one", train=t.index[24:], test=t.index[:24])
    assert by_words.transcripts(t, [within])["value"] == pytest.approx(
        1 / 24
    )  # u13 is tested too, u30 is not


@quiet
def test_a_scripted_corpus_is_cautioned_of_once(table):
    t = table(text=["Dogs are sitting by the door.", "Kids are talking by the door."] * 24)
    found = by_words.transcripts(t, leave_one_speaker_out(t))
    assert found["severity"] == "caution" and found["finding"].startswith(
        "By design: 2 sentences are said 48 times"
    )
    assert len(found["utterances"]) <= 10
    t["text"] = own(6) * 8
    assert by_words.transcripts(t, sentence_k_fold(t))["severity"] == "fine"


def test_a_sentence_for_each_emotion_gives_it_away(table):
    texts = own(6)
    t = table(text=[texts[row % 6] for row in range(48)], subset=["a", "b"] * 24)
    folds = leave_one_speaker_out(t)
    found = by_words.text_and_label(t, folds)
    assert found["severity"] == "leak" and found["value"] == 1
    assert "6 sentences of 6 (48 utterances) only ever come with one emotion" in found["finding"]
    draw = np.random.default_rng(0)
    t["text"] = draw.permutation(t["text"].to_numpy())
    assert by_words.text_and_label(t, folds)["severity"] == "fine"


def test_where_most_sentences_are_said_once_it_is_a_caution(table):
    t = table(4, 30, text=own(120))
    some = t.index[::4]
    t.loc[some, "text"] = t.loc[some, "emotion"].astype(str).map("what they always say when {}".format)
    assert by_words.text_and_label(t, leave_one_speaker_out(t))["severity"] == "caution"


@quiet
def test_new_sentences_cannot_be_looked_up(table):
    texts = own(12)
    t = table(text=[texts[row % 12] for row in range(48)])
    found = by_words.text_and_label(t, sentence_k_fold(t))
    assert found["severity"] == "caution" and "not independent" in found["finding"]


def test_speaker_and_label(table):
    t = table(4, 30)
    folds = leave_one_speaker_out(t)
    assert by_words.group_and_label(t, folds, "speaker")["severity"] == "fine"
    t.loc[t["speaker"] == "s1", "emotion"] = "sad"
    found = by_words.group_and_label(t, folds, "speaker")
    assert (
        found["severity"] == "caution" and "s1 (sad)" in found["finding"] and found["utterances"][0] == "u30"
    )
    many = table(12, 20)
    many["emotion"] = pd.Categorical(many["speaker"].str[1:].astype(int) % 3).rename_categories(
        ["sad", "happy", "angry"]
    )
    mixed = Fold("one", train=many.index[::2], test=many.index[1::2])
    found = by_words.group_and_label(many, [mixed], "speaker")
    assert found["severity"] == "leak" and found["value"] == 1
    assert by_words.group_and_label(t.assign(speaker="s"), folds, "speaker")["severity"] == "not checked"
    assert by_words.group_and_label(t.drop(columns="emotion"), folds, "speaker")["severity"] == "not checked"


@pytest.mark.filterwarnings("ignore")
def test_emotiontts_gives_its_class_away(real_corpus):
    t = corpora.load("manifest", real_corpus("emotiontts_ko"))
    found = by_words.text_and_label(t, by_name("auto", t))
    assert found["severity"] == "leak" and "subset 'emotional-to-emotional'" in found["finding"]
    part = t[t["subset"] == "emotional-to-emotional"]
    assert by_words.text_and_label(part, by_name("auto", part))["value"] == 1
    plain = t[t["subset"] == "plain-to-emotional"]
    assert by_words.text_and_label(plain, by_name("auto", plain))["severity"] == "fine"
