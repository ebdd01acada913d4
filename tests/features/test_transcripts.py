"""Transcripts by machine: heard once, kept, gone on with after a kill, and errors that name the utterance."""

import numpy as np
import pandas as pd
import pytest

from sernb.core.errors import SernbError
from sernb.corpora import load
from sernb.evaluation.word_errors import word_error_rate
from sernb.features import transcripts
from sernb.features.transcripts import fingerprint, machine_transcripts, main, transcribed

UTTERANCES = pd.DataFrame({"text": ["yes", "no", "perhaps"]}, pd.Index(["a", "b", "c"], name="utterance"))
WAVEFORMS = [np.full(length, 0.1, np.float32) for length in (10, 20, 30)]


def counting(calls):
    def hear(waveform):
        calls.append(len(waveform))
        return {10: "heard ten", 20: "", 30: 'a, "quoted"\nline'}.get(len(waveform), "NA")

    return hear


def test_each_utterance_is_heard_once_and_kept(tmp_path):
    calls = []
    for _ in range(2):
        found = transcribed(UTTERANCES, WAVEFORMS, counting(calls), "own/small", tmp_path, progress=False)
        assert found["asr_text"].tolist() == ["heard ten", "", 'a, "quoted"\nline']
        assert "asr_text" not in UTTERANCES and found["text"].tolist() == ["yes", "no", "perhaps"]
    assert calls == [10, 20, 30]
    assert [file.name for file in tmp_path.iterdir()] == ["own%2Fsmall.csv"]
    transcribed(UTTERANCES, WAVEFORMS, counting(calls), "another", tmp_path, progress=False)
    assert calls == [10, 20, 30] * 2
    changed = [WAVEFORMS[0], WAVEFORMS[1] * 2, np.zeros(40, np.float32)]
    found = transcribed(
        UTTERANCES, changed, counting(calls), "own/small", tmp_path, False, column="text_small"
    )
    assert calls[6:] == [20, 40] and found["text_small"].iloc[2] == "NA"
    calls.clear()
    found = transcribed(UTTERANCES, changed, counting(calls), "own/small", tmp_path, progress=False)
    assert not calls and found["asr_text"].iloc[2] == "NA"  # not read back as a missing value


def test_a_run_that_is_cut_off_goes_on(tmp_path, monkeypatch):
    def killed(waveform):
        if len(waveform) == 30:
            raise KeyboardInterrupt
        return "heard"

    with pytest.raises(KeyboardInterrupt):
        transcribed(UTTERANCES, WAVEFORMS, killed, "x", tmp_path, progress=False)
    calls = []
    found = transcribed(UTTERANCES, WAVEFORMS, counting(calls), "x", tmp_path, progress=False)
    assert calls == [30] and found["asr_text"].tolist()[:2] == ["heard", "heard"]
    # a kill without warning leaves what was saved before: here, after every utterance
    monkeypatch.setattr(transcripts, "SAVED", -1.0)
    seen = []

    def watched(waveform):
        file = tmp_path / "y.csv"
        seen.append(len(pd.read_csv(file)) if file.exists() else 0)
        return "heard"

    transcribed(UTTERANCES, WAVEFORMS, watched, "y", tmp_path, progress=False)
    assert seen == [0, 1, 2] and sorted(one.name for one in tmp_path.iterdir()) == ["x.csv", "y.csv"]


def test_two_runs_keep_each_other_s_words(tmp_path):
    def hear(waveform):  # while this one listens, another run saves
        if len(waveform) == 10:
            transcribed(UTTERANCES[2:], WAVEFORMS[2:], lambda _: "theirs", "x", tmp_path, progress=False)
        return "mine"

    transcribed(UTTERANCES[:2], WAVEFORMS[:2], hear, "x", tmp_path, progress=False)
    found = transcribed(UTTERANCES, WAVEFORMS, None, "x", tmp_path, progress=False)
    assert found["asr_text"].tolist() == ["mine", "mine", "theirs"]


def test_errors_name_the_utterance(tmp_path):
    def failing(waveform):
        if len(waveform) == 20:
            raise RuntimeError("out of breath")
        return "heard"

    with pytest.raises(SernbError, match=r"utterance 'b': x failed \(RuntimeError: out of breath\)"):
        transcribed(UTTERANCES, WAVEFORMS, failing, "x", progress=False)
    with pytest.raises(SernbError, match="utterance 'a': x gave int, expected its words"):
        transcribed(UTTERANCES, WAVEFORMS, len, "x", progress=False)
    for wrong in (np.array([0.1, np.nan]), np.zeros((2, 5)), np.zeros(5, int)):
        with pytest.raises(SernbError, match="utterance 'b': expected a waveform"):
            transcribed(UTTERANCES, [WAVEFORMS[0], wrong, WAVEFORMS[2]], lambda _: "", "x", progress=False)
    with pytest.raises(SernbError, match="3 utterances and 2 waveforms"):
        transcribed(UTTERANCES, WAVEFORMS[:2], lambda _: "", "x", progress=False)
    (tmp_path / "x.csv").write_text("something,else\n1,2\n")
    with pytest.raises(SernbError, match="expected a CSV with utterance, waveform and text"):
        transcribed(UTTERANCES, WAVEFORMS, lambda _: "", "x", tmp_path, progress=False)


def test_a_fingerprint_is_of_the_samples():
    one = np.array([0.5, -0.25, 0])
    assert fingerprint(one) == fingerprint(one.astype(np.float32)) != fingerprint(one[::-1])
    assert len(fingerprint(one)) == 16


def test_the_script_writes_a_corpus_s_transcripts(tmp_path, monkeypatch, capsys):
    few = load("embedded").iloc[:3]
    monkeypatch.setattr(transcripts, "load", lambda name, root: few)
    monkeypatch.setattr(
        transcripts, "recogniser", lambda name, language: lambda waveform: f"{name} {language}"
    )
    out = tmp_path / "new" / "heard.csv"
    assert (
        main([str(out), "--recogniser", "tiny", "--language", "en", "--cache", str(tmp_path / "cache")]) == 0
    )
    table = pd.read_csv(out)
    assert table["utterance"].tolist() == list(few.index) and set(table["text"]) == {"tiny en"}
    assert [one.name for one in (tmp_path / "cache").iterdir()] == ["tiny%20en.csv"]

    def refuse(name, language):
        raise SernbError("no such recogniser")

    monkeypatch.setattr(transcripts, "recogniser", refuse)
    assert main([str(tmp_path / "none.csv")]) == 1 and "no such recogniser" in capsys.readouterr().err
    assert not (tmp_path / "none.csv").exists()


def test_the_shipped_transcripts_fit_the_corpus():
    utterances, heard = load("embedded"), machine_transcripts()
    assert heard.index.equals(utterances.index) and transcripts.SHIPPED.stat().st_size < 150_000
    rate = word_error_rate(utterances["text"], heard)
    assert 0.5 < rate["WER"] < 0.95  # eSpeak's voices are hard to understand for it, yet it is no noise
    other = word_error_rate(utterances["text"], heard.sample(frac=1, random_state=0).to_numpy())
    assert rate["high"] < other["low"]
