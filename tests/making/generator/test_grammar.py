"""The grammar's sentences are English, all different, and as good or bad as they claim."""

import random
import re
from dataclasses import replace

import pytest

from making.generator.grammar import LONGEST, SHORTEST, Grammar
from making.generator.knobs import Knobs
from making.generator.verbs import gerund, past, third_person
from making.generator.words import read


def grammar(seed=0, **knobs):
    return Grammar(random.Random(seed), replace(Knobs(), **knobs))


@pytest.fixture(scope="module")
def sentences():
    writer = grammar()
    return [writer.sentence(number % 3 - 1, writer.rng.uniform(-1, 1)) for number in range(6000)]


def one(kind, valence, topic="work", tries=4000, **knobs):
    """Clauses of one kind and valence, with their reversals."""
    writer = grammar(**knobs)
    return {writer.clause(topic, kind, valence) for _ in range(tries)}


def test_sentences_are_finished(sentences):
    for sentence in sentences:
        assert re.fullmatch(r"[A-Z][\w' ,.é-]*[.?]", sentence.text), sentence.text
        assert "  " not in sentence.text and " ," not in sentence.text and ".." not in sentence.text, (
            sentence.text
        )
        assert SHORTEST <= len(sentence.text.split()) <= LONGEST, sentence.text
        assert not re.search(r"\b(\w+) \1\b", sentence.text.lower()), sentence.text


def test_no_sentence_has_two_openers(sentences):
    words = grammar().patterns
    openers = "|".join(words["openers"] + words["openers_of_news"])
    opened = [s.text for s in sentences if re.match(rf"({openers}), ", s.text, re.IGNORECASE)]
    assert 0.1 < len(opened) / len(sentences) < 0.35
    for text in opened:
        rest = text.split(", ", 1)[1]
        assert not re.match(rf"({openers}|[\w' ]{{,22}}), ", rest, re.IGNORECASE), text


def test_the_vocabulary_is_large_and_sentences_hardly_repeat(sentences):
    assert len({word for s in sentences for word in re.findall(r"[a-zé']+", s.text.lower())}) > 1500
    valent = [s.text for s in sentences if s.valence]
    assert len(set(valent)) / len(valent) > 0.97


def test_only_small_talk_asks_questions(sentences):
    assert {s.valence for s in sentences if s.text.endswith("?")} == {0}


def test_things_and_operators_multiply_to_the_valence():
    """Whatever the operator, an odd number of reversals goes with a thing of the other sign, and with no
    other."""
    acts = {
        value: {act for group in read("people")["work"] for act in group[value]} for value in ("good", "bad")
    }
    rests = {value: {act.split(" ", 1)[1] for act in acts[value]} for value in acts}
    both = rests["good"] & rests["bad"]  # "credit my work", "undermine my work"
    for valence in (-1, 1):
        found = one("acts", valence)
        assert {reversals for _, reversals in found} == {0, 1, 2}
        for text, reversals in found:
            thing = valence * (-1) ** reversals
            assert any(rest in text for rest in rests["good" if thing > 0 else "bad"]), text
            assert not any(text.endswith(rest) for rest in rests["bad" if thing > 0 else "good"] - both), text


@pytest.mark.parametrize(
    ("kind", "valence", "text"),
    [
        ("events", 1, "the layoffs were cancelled"),
        ("events", -1, "my promotion was cancelled"),
        ("events", 1, "my promotion was not cancelled"),
        ("self", 1, "I don't have to skip lunch"),
        ("self", -1, "I have to skip lunch"),
        ("self", -1, "I can no longer keep my job"),
        ("conditions", 1, "the bullying is gone"),
        ("conditions", -1, "the bullying did not go away"),
        ("qualities", -1, "the new manager is not fair at all"),
        ("qualities", 1, "the new manager is anything but rude"),
        ("amounts", 1, "there is hardly any stress in this office"),
        ("outcomes", -1, "the factory shut down"),
    ],
)
def test_composed_sentences_can_be_judged_by_hand(kind, valence, text):
    assert text in {clause for clause, _ in one(kind, valence)}
    assert text not in {clause for clause, _ in one(kind, -valence)}


def test_the_same_words_stand_in_good_and_bad_news():
    """With no telling verbs and as many reversals as not, every operator and every act is on both sides."""
    good, bad = (one("events", v, telling_verbs=0, double_negatives=0) for v in (1, -1))
    words = [{word for text, _ in side for word in text.split()} for side in (good, bad)]
    assert words[0] ^ words[1] <= {
        "was",
        "were",
        "is",
        "are",
        "has",
        "have",
    }  # one of the bad things is plural


def test_a_denied_emotion_stands_beside_its_opposite(sentences):
    denied = [s for s in sentences if s.feeling in ("not_happy", "not_unhappy")]
    named = [s for s in sentences if s.feeling and s not in denied]
    assert all((s.valence > 0) == (s.feeling == "not_unhappy") for s in denied)
    assert all((s.valence > 0) == s.feeling.startswith("happy") for s in named)
    assert 0.2 < len(denied) / (len(denied) + len(named)) < 0.4


def test_words_follow_arousal_as_far_as_the_knob_says():
    def angry_share(follow, arousal):
        writer = grammar(words_of_arousal=follow, emotion_words=1.0, denied_emotions=0.0)
        return sum(writer.sentence(-1, arousal).feeling == "angry" for _ in range(400)) / 400

    assert angry_share(1.0, 0.5) == 1 and angry_share(1.0, -0.5) == 0
    assert abs(angry_share(0.0, 0.5) - 0.5) < 0.1


def test_knobs_of_wording_do_what_they_say():
    writer = grammar(emotion_words=0.0, contrasts=0.0)
    assert {writer.sentence(1).form for _ in range(500)} == {"clause", "both"}
    writer = grammar(reversals=0.0, double_negatives=0.0)
    assert {writer.clause("home", "acts", -1)[1] for _ in range(200)} == {0}


def test_the_same_seed_writes_the_same_sentences():
    first, second, other = ([grammar(seed).sentence(1).text for _ in range(3)] for seed in (7, 7, 8))
    assert first == second != other


def test_verbs_are_inflected():
    assert [past(v) for v in ("sell", "carry", "play", "stop", "bake")] == [
        "sold",
        "carried",
        "played",
        "stopped",
        "baked",
    ]
    assert [gerund(v) for v in ("lie", "cut", "bake", "carry", "see")] == [
        "lying",
        "cutting",
        "baking",
        "carrying",
        "seeing",
    ]
    assert [third_person(v) for v in ("watch", "carry", "play", "do")] == [
        "watches",
        "carries",
        "plays",
        "does",
    ]


def test_every_topic_has_every_kind_of_word():
    topics, people = read("lexicon"), read("people")
    assert topics.keys() == people.keys() and len(topics) >= 12
    for topic, words in topics.items():
        assert set(words) == {"self", "conditions", "events", "amounts", "qualities", "outcomes", "plain"}, (
            topic
        )
        for kind in ("self", "conditions", "events", "outcomes"):
            shared = set(words[kind]["good"]) & set(words[kind]["bad"])
            assert not shared, (topic, kind, shared)
        slots = {slot.rstrip("2") for line in words["plain"] for slot in re.findall(r"\{(\w+)\}", line)}
        assert slots <= read("slots").keys(), topic


def test_no_operator_meets_its_own_verb():
    """ "My teacher refused to refuse" would be no English."""
    verbs = {
        act.split()[0]
        for groups in read("people").values()
        for g in groups
        for v in ("good", "bad", "plain")
        for act in g[v]
    }
    assert not verbs & {
        "refuse",
        "offer",
        "promise",
        "threaten",
        "agree",
        "decide",
        "plan",
        "stop",
        "forget",
        "dare",
        "want",
    }
    assert set(read("patterns")["habits"]) <= verbs
