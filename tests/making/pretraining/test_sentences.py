"""Sentences of the grammar: none that the embedded corpus says, and those that come with the kit."""

from dataclasses import replace

import pytest

from making.generator.grammar import Sentence
from making.generator.knobs import Knobs
from making.pretraining import mini_bert
from making.pretraining.sentences import bare, main, sentences
from sernb.core.errors import SernbError
from sernb.corpora import embedded, load
from sernb.protocols import normalised


def test_the_command_writes_the_sentences_that_come_with_the_kit(tmp_path):
    assert main(["--out", str(tmp_path / "again.txt")]) == 0
    assert (tmp_path / "again.txt").read_bytes() == embedded.SENTENCES.read_bytes()


def test_no_transcript_is_learnt_from(monkeypatch):
    """What the grammar would draw first is drawn no more once the corpus says it, however it is written."""
    before = {one.text for one in sentences(60, 3, Knobs())}
    corpus = load("embedded").iloc[:60].assign(text=[text.upper() + "!" for text in before])
    monkeypatch.setattr("making.pretraining.sentences.load", lambda name: corpus)
    after = {one.text for one in sentences(60, 3, Knobs())}
    assert len(after) == 60 and not {normalised(one) for one in before} & {normalised(one) for one in after}


def test_many_sentences_hold_none_of_the_shipped_corpus():
    said = set(load("embedded")["text"].map(normalised))
    drawn = [normalised(one.text) for one in sentences(5000, 0, replace(Knobs(), **mini_bert.HARDER))]
    assert len(set(drawn)) == 5000 and not said & set(drawn)


def test_held_out_sentences_stay_out():
    held_out = [one.text for one in sentences(50, 5, Knobs())]
    assert not set(held_out) & {one.text for one in sentences(50, 5, Knobs(), held_out)}


def test_openers_and_closers_make_no_other_sentence():
    core = bare({"openers": ["you know"], "openers_of_news": ["guess what"], "closers": ["I think"]})
    assert (
        core("You know, it rains.")
        == core("It rains, I think.")
        == core("Guess what, it rains!")
        == "it rains"
    )
    assert core("It rains, you know.") == "it rains you know"


def test_more_sentences_than_the_grammar_has_are_refused(monkeypatch):
    one = Sentence("It rains.", 0, "home", "small talk")
    monkeypatch.setattr("making.generator.grammar.Grammar.sentence", lambda self, valence, arousal: one)
    with pytest.raises(SernbError, match="2 different sentences are wanted; the grammar gave 1"):
        sentences(2, 0, Knobs())
