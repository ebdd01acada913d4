import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2_contingency
from scipy.stats.contingency import association as plain

from sernb import corpora
from sernb.evaluation import scores
from sernb.evaluation.audit.words import (
    association,
    group_and_label,
    looked_up,
    near_pairs,
    near_texts,
    normalised,
    one_label_only,
    text_and_label,
    transcripts,
)
from sernb.protocols import Fold, by_name, leave_one_speaker_out, sentence_k_fold

quiet = pytest.mark.filterwarnings("ignore:.*both trained on and tested")


def own(count):
    """Sentences that have nothing in common."""
    draw = np.random.default_rng(0)
    first, second = list("abcdefghijklmnop"), list("qrstuvwxyz")
    return [
        "".join(draw.choice(first, 4)) * 2 + f" {n} " + "".join(draw.choice(second, 9)) for n in range(count)
    ]


def test_sentences_of_their_own_are_fine(table):
    t = table(text=own(48))
    folds = leave_one_speaker_out(t)
    assert transcripts(t, folds)["severity"] == "fine"
    assert text_and_label(t, folds)["severity"] == "not checked"


def test_a_transcript_in_two_parts_is_a_leak_and_is_named(table):
    texts = own(48)
    texts[13], texts[30] = texts[2].upper() + "!", texts[5] + "s"  # the same words, and nearly
    texts[20] = texts[3] = "I see."  # too short to count
    t = table(text=texts)
    found = transcripts(t, leave_one_speaker_out(t))
    assert found["severity"] == "leak" and found["value"] == pytest.approx(4 / 48)
    assert "(4.2% word for word" in found["finding"]
    assert set(found["utterances"]) == {"u2", "u13", "u5", "u30"}
    texts[31] = texts[5] + "z"  # near u5 and u30, and in no part: u5 and u30 are still divided
    more = table(text=texts)
    fold = Fold("two", train=more.index[[5, 9]], test=more.index[[30]])
    assert transcripts(more, [fold])["value"] == 1
    fold = Fold("three", train=more.index[[30, 9]], test=more.index[[5]])
    assert transcripts(more, [fold])["value"] == 1
    assert transcripts(more, [fold, fold])["value"] == 1  # tested twice, known twice
    within = Fold("one", train=t.index[24:], test=t.index[:24])
    assert transcripts(t, [within])["value"] == pytest.approx(1 / 24)  # u13 is tested too, u30 is not


@quiet
def test_a_scripted_corpus_is_cautioned_of_once(table):
    t = table(text=["Dogs are sitting by the door.", "Kids are talking by the door."] * 24)
    found = transcripts(t, leave_one_speaker_out(t))
    assert found["severity"] == "caution" and found["finding"].startswith(
        "By design: 2 sentences are said 48 times"
    )
    assert len(found["utterances"]) <= 10
    t["text"] = own(6) * 8
    assert transcripts(t, sentence_k_fold(t))["severity"] == "fine"


def test_a_sentence_for_each_emotion_gives_it_away(table):
    texts = own(6)
    t = table(text=[texts[row % 6] for row in range(48)], subset=["a", "b"] * 24)
    folds = leave_one_speaker_out(t)
    found = text_and_label(t, folds)
    assert found["severity"] == "leak" and found["value"] == 1
    assert "6 sentences of 6 (48 utterances) only ever come with one emotion" in found["finding"]
    draw = np.random.default_rng(0)
    t["text"] = draw.permutation(t["text"].to_numpy())
    assert text_and_label(t, folds)["severity"] == "fine"


def test_where_most_sentences_are_said_once_it_is_a_caution(table):
    t = table(4, 30, text=own(120))
    some = t.index[::4]
    t.loc[some, "text"] = t.loc[some, "emotion"].astype(str).map("what they always say when {}".format)
    assert text_and_label(t, leave_one_speaker_out(t))["severity"] == "caution"


@quiet
def test_new_sentences_cannot_be_looked_up(table):
    texts = own(12)
    t = table(text=[texts[row % 12] for row in range(48)])
    found = text_and_label(t, sentence_k_fold(t))
    assert found["severity"] == "caution" and "not independent" in found["finding"]


def test_speaker_and_label(table):
    t = table(4, 30)
    folds = leave_one_speaker_out(t)
    assert group_and_label(t, folds, "speaker")["severity"] == "fine"
    t.loc[t["speaker"] == "s1", "emotion"] = "sad"
    found = group_and_label(t, folds, "speaker")
    assert (
        found["severity"] == "caution" and "s1 (sad)" in found["finding"] and found["utterances"][0] == "u30"
    )
    many = table(12, 20)
    many["emotion"] = pd.Categorical(many["speaker"].str[1:].astype(int) % 3).rename_categories(
        ["sad", "happy", "angry"]
    )
    mixed = Fold("one", train=many.index[::2], test=many.index[1::2])
    found = group_and_label(many, [mixed], "speaker")
    assert found["severity"] == "leak" and found["value"] == 1
    assert group_and_label(t.assign(speaker="s"), folds, "speaker")["severity"] == "not checked"
    assert group_and_label(t.drop(columns="emotion"), folds, "speaker")["severity"] == "not checked"


@pytest.mark.filterwarnings("ignore")
def test_emotiontts_gives_its_class_away(real_corpus):
    t = corpora.load("manifest", real_corpus("emotiontts_ko"))
    found = text_and_label(t, by_name("auto", t))
    assert found["severity"] == "leak" and "subset 'emotional-to-emotional'" in found["finding"]
    part = t[t["subset"] == "emotional-to-emotional"]
    assert text_and_label(part, by_name("auto", part))["value"] == 1
    plain = t[t["subset"] == "plain-to-emotional"]
    assert text_and_label(plain, by_name("auto", plain))["severity"] == "fine"


@pytest.mark.parametrize("strength", [0.0, 0.2, 0.6])
def test_association_against_scipy(strength):
    draw = np.random.default_rng(1)
    one = draw.integers(0, 6, 500)
    two = np.where(draw.random(500) < strength, one % 4, draw.integers(0, 4, 500))
    table = pd.crosstab(one, two).to_numpy()
    v, p = association(pd.Series(one), pd.Series(two))
    raw = plain(table, method="cramer")
    phi = max(0, raw**2 * 3 - 5 * 3 / 499)  # Bergsma's correction, from scipy's plain V
    assert v == pytest.approx(np.sqrt(phi / min(6 - 25 / 499 - 1, 4 - 9 / 499 - 1)))
    assert p == pytest.approx(chi2_contingency(table).pvalue, abs=0.04)


def test_association_at_its_ends():
    label = pd.Series(["a", "b"] * 50)
    v, p = association(label, label.map({"a": "x", "b": "y"}))
    assert v == pytest.approx(1, abs=1e-6) and p == pytest.approx(0.001)
    assert association(pd.Series(["s", "s", "t", "t"] * 25), label)[0] == 0
    for one in (pd.Series(["x"] * 100), pd.Series([None] * 100, dtype=object), pd.Series([], dtype=object)):
        assert np.isnan(association(one, label[: len(one)])).all()
    gaps = label.where(label.index > 10)
    assert association(gaps, label) == association(gaps[11:], label[11:])


def test_one_label_only():
    groups = pd.Series(["a", "a", "a", "b", "b", "b", "c", None])
    labels = pd.Series(["sad", "sad", "sad", "sad", "happy", "sad", "happy", "sad"], dtype="category")
    assert one_label_only(groups, labels, 3).to_dict() == {"a": "sad"}
    assert one_label_only(groups, labels, 1).to_dict() == {"a": "sad", "c": "happy"}


def test_a_look_up_knows_what_training_said(table):
    utterances = table(4, 12)
    folds = leave_one_speaker_out(utterances)
    known = looked_up(utterances, utterances["emotion"].astype(str).map("sentence {}".format), folds)
    assert scores(known)["UAR"].iloc[0] == 1 and len(known) == 48
    new = looked_up(utterances, utterances["speaker"], folds)  # no speaker was met: drawn at random
    assert 0.1 < scores(new)["UAR"].iloc[0] < 0.6
    utterances.loc["u0", "emotion"] = None
    assert "u0" not in looked_up(utterances, utterances["speaker"], folds).index
    empty = Fold("none", train=utterances.index, test=utterances.index[:0])
    assert looked_up(utterances, utterances["speaker"], [empty]).empty


def test_rare_classes_are_looked_up_too():
    """Sentence x is rarely sad, but sadness is rarely anything else: a plain majority would never say sad."""
    labels = ["neutral"] * 60 + ["sad"] * 6 + ["neutral"] * 40
    words = pd.Series(["x"] * 66 + ["y"] * 40)
    utterances = pd.DataFrame({"emotion": labels})
    fold = Fold("one", train=utterances.index[::2], test=utterances.index[1::2])
    assert (looked_up(utterances, words, [fold])["predicted"] == "sad").sum() == 33


def triples(text):
    text = f" {text} "
    return {text[i : i + 3] for i in range(len(text) - 2)}


def jaccard(a, b):
    return len(triples(a) & triples(b)) / len(triples(a) | triples(b))


def test_what_makes_no_difference():
    assert normalised("  Don't—STOP, now!\n") == normalised("don t stop now") == "don t stop now"
    assert normalised("Stra\u00dfe") == normalised("STRASSE")
    assert normalised("e\u0301te\u0301") == normalised("été")
    assert normalised("가나 다.") == "가나 다" and normalised("...?") == ""


@pytest.mark.parametrize("threshold", [0.7, 0.8, 0.85])
def test_as_comparing_each_with_each(threshold):
    draw = np.random.default_rng(0)
    words = ["".join(draw.choice(list("abcdefghij"), draw.integers(2, 8))) for _ in range(60)]
    texts = [" ".join(draw.choice(words, draw.integers(1, 9))) for _ in range(150)]
    for text in texts[:60]:  # near ones: a letter, a word more, a word less
        place = draw.integers(len(text))
        texts += [text[:place] + "x" + text[place + 1 :], f"{text} well"]
    texts = sorted(set(texts))
    pairs, similarity = near_pairs(texts, threshold)
    found = {tuple(pair): value for pair, value in zip(pairs.tolist(), similarity, strict=True)}
    expected = {
        (a, b): jaccard(texts[a], texts[b])
        for a in range(len(texts))
        for b in range(a + 1, len(texts))
        if jaccard(texts[a], texts[b]) >= threshold
    }
    assert len(expected) > 5 and set(found) <= set(expected)
    assert len(found) >= (0.97 if threshold < 0.8 else 0.995) * len(expected)
    assert all(found[pair] == pytest.approx(expected[pair]) for pair in found)


def test_pairs_of_utterances():
    texts = pd.Series(
        [
            "Dogs are sitting by the door.", "dogs are sitting by the door", None, "",
            "Dogs are sitting by the doors!", "Kids?", "...",
        ],
        list("abcdefg"),
    )  # fmt: skip
    found = near_texts(texts)
    assert found[["a", "b"]].to_numpy().tolist() == [["a", "b"], ["a", "e"]]
    near = jaccard("dogs are sitting by the door", "dogs are sitting by the doors")
    assert found["similarity"].tolist() == [1.0, pytest.approx(near)]
    for few in (texts[:1], texts[2:4], texts[[False] * 7]):
        assert near_texts(few).empty and list(near_texts(few)) == ["a", "b", "similarity"]


def test_one_sentence_a_thousand_times_is_a_thousand_rows_not_a_million():
    assert len(near_texts(pd.Series(["the same words again"] * 1000))) == 999
    near = pd.Series([f"the very same words come back again and again {number}" for number in range(300)])
    assert 299 <= len(near_texts(near)) < 300 * 100
