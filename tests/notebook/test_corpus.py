"""`notebook.load`: a corpus chosen, checked and heard, in one call of each notebook."""

import pandas as pd
import pytest

from sernb import corpora
from sernb.core.errors import SernbError
from sernb.notebook import corpus, glance, knows, load, where_possible


def test_the_utterances_with_their_sound(capsys):
    utterances, waveforms = load("embedded", emotions="sad, angry", per_speaker=1, needs=("text", "emotion"))
    assert set(utterances["emotion"]) == {"sad", "angry"} and len(utterances) == len(waveforms)
    assert utterances.groupby(["speaker", "emotion"], observed=True).size().max() == 1
    minutes = sum(map(len, waveforms)) / 16000 / 60
    told = capsys.readouterr().out
    assert f"{len(utterances)} utterances, {minutes:.1f} minutes" in told and "left out: 0" in told
    assert "sad, angry" in told  # a note on what was kept


def test_without_sound_nothing_is_read():
    utterances, waveforms = load("embedded", waveforms=False)
    assert len(utterances) == len(corpora.load("embedded")) and waveforms == []


def test_options_reach_the_loader(monkeypatch):
    seen = []

    def loaded(*given, **options):
        seen.append((given, options))
        return corpora_load("embedded")

    corpora_load = corpora.load
    monkeypatch.setattr(corpora, "load", loaded)
    load("iemocap", "/data", labels={"a": "happy"}, on_bad="skip", waveforms=False, classes="all")
    options = {"emotions": None, "on_bad": "skip", "labels": {"a": "happy"}, "classes": "all"}
    assert seen == [(("iemocap", "/data"), options)]


def test_what_a_notebook_needs_is_asked_for(tmp_path, write_sound):
    for number in range(3):
        write_sound(tmp_path / f"{number}.wav", seed=number)
    pd.DataFrame({"file": [f"{number}.wav" for number in range(3)]}).to_csv(tmp_path / "m.csv", index=False)
    with pytest.raises(SernbError, match=r"needs the column text, emotion; the corpus manifest has path"):
        load("manifest", str(tmp_path / "m.csv"), needs=("path", "text", "emotion"))
    assert (
        len(load("manifest", str(tmp_path / "m.csv"), per_speaker=1)[1]) == 3
    )  # nobody is known: 100 are kept


@pytest.fixture
def displayed(monkeypatch):
    shown = []
    monkeypatch.setattr(corpus, "display", shown.append)
    monkeypatch.setattr(corpus, "listen", lambda wave, caption: shown.append(caption))
    return shown


def test_what_a_corpus_knows_and_lacks(displayed, capsys):
    table = pd.DataFrame(
        {"text": ["a", "b", "b"], "emotion": ["sad", "sad", None], "arousal": None, "topic": 1}
    )
    assert knows(table) == {"text", "emotion"}
    told = capsys.readouterr().out
    assert "Not in this corpus: recordings, arousal, valence" in told and "single annotators' ratings" in told
    assert "Also in the table: topic" in told
    assert displayed[0].to_dict("index") == {
        "words": {"known of": 3, "different": 2},
        "emotions": {"known of": 2, "different": 1},
    }


def test_what_is_not_possible_is_told_and_the_notebook_goes_on(capsys):
    with where_possible("Not measured:"):
        raise SernbError("no words.")
    assert capsys.readouterr().out == "Not measured: no words.\n"
    with pytest.raises(SernbError), where_possible("Not measured:", told=False):
        raise SernbError("no words.")
    with pytest.raises(ZeroDivisionError), where_possible("Not measured:"):
        1 / 0  # noqa: B018


def test_a_glance_at_a_list(displayed, capsys, tmp_path, write_sound):
    write_sound(tmp_path / "a.wav")
    table = pd.DataFrame(
        {"path": [str(tmp_path / "a.wav"), None], "emotion": "sad", "predicted": "happy",
         "p_happy": 0.912, "p_sad": 0.1},
        ["a", "b"],
    )  # fmt: skip
    glance(table, count=1)
    assert capsys.readouterr().out == "2 utterances in the list; the first 1:\n"
    caption, shown = displayed
    assert caption == "a: true sad, predicted happy" and list(shown) == ["emotion", "predicted", "sure"]
    assert shown["sure"].tolist() == [0.91]
    glance(table.iloc[:0])
    assert len(displayed) == 2
