"""Transcripts by machine: a Whisper made here (its nonsense comes by the real path), PocketSphinx, and what
is kept."""

import json
import sys

import numpy as np
import pandas as pd
import pytest
import torch
from tokenizers.pre_tokenizers import ByteLevel
from transformers import (
    BertConfig,
    BertModel,
    GenerationConfig,
    WhisperConfig,
    WhisperFeatureExtractor,
    WhisperForConditionalGeneration,
    WhisperProcessor,
    WhisperTokenizer,
)

from sernb.core.errors import SernbError
from sernb.corpora import load
from sernb.evaluation.words import word_error_rate
from sernb.features import transcripts
from sernb.features.audio import read_utterances
from sernb.features.transcripts import fingerprint, machine_transcripts, main, pcm, recogniser, transcribed

SPECIAL = ("<|endoftext|>", "<|startoftranscript|>", "<|en|>", "<|de|>", "<|transcribe|>", "<|notimestamps|>")


def noise(seconds, seed=0):
    return (0.1 * np.random.default_rng(seed).standard_normal(int(16000 * seconds))).astype(np.float32)


def one_letter(tokenizer, number):
    text = tokenizer.convert_ids_to_tokens(number)
    return len(text) == 1 and text.isascii() and text.isalpha()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A Whisper of 1 + 1 layers with random weights, saved as the published ones are; it writes up to 6
    letters."""
    where = tmp_path_factory.mktemp("whisper")
    letters = sorted(ByteLevel.alphabet())
    tokenizer = WhisperTokenizer(vocab={one: number for number, one in enumerate(letters)}, merges=[])
    tokenizer.add_special_tokens({"extra_special_tokens": list(SPECIAL)})
    end, start, english, german, transcribe, plain = tokenizer.convert_tokens_to_ids(SPECIAL)
    sizes = {"d_model": 16, "encoder_layers": 1, "decoder_layers": 1, "num_mel_bins": 80}
    heads = {"encoder_attention_heads": 2, "decoder_attention_heads": 2}
    sizes["init_std"] = 0.5  # larger than Whisper's, so that what is heard depends on the sound
    ids = {"bos_token_id": end, "eos_token_id": end, "pad_token_id": end, "decoder_start_token_id": start}
    torch.manual_seed(1)
    model = WhisperForConditionalGeneration(
        WhisperConfig(
            vocab_size=len(tokenizer), encoder_ffn_dim=32, decoder_ffn_dim=32, **sizes, **heads, **ids
        )
    )
    model.generation_config = GenerationConfig(
        max_length=10,
        is_multilingual=True,
        lang_to_id={"<|en|>": english, "<|de|>": german},
        task_to_id={"transcribe": transcribe},
        no_timestamps_token_id=plain,
        suppress_tokens=[
            one for one in range(len(tokenizer)) if one != end and not one_letter(tokenizer, one)
        ],
        **ids,
    )
    model.save_pretrained(where)
    WhisperProcessor(WhisperFeatureExtractor(feature_size=80), tokenizer).save_pretrained(where)
    return where


def test_whisper_hears_the_same_each_time_and_is_told_the_language(folder, monkeypatch):
    hear = recogniser(str(folder))
    first, other = hear(noise(1)), hear(noise(2, 1))
    assert isinstance(first, str) and first.isalpha()
    assert hear(noise(1)) == first and hear(noise(2, 1)) == other
    asked = []
    generate = WhisperForConditionalGeneration.generate

    def spy(*given, **options):
        asked.append(options.get("language"))
        return generate(*given, **options)

    monkeypatch.setattr(WhisperForConditionalGeneration, "generate", spy)
    for language in (None, "de"):
        recogniser(str(folder), language)(noise(1))
    assert asked == [None, "de"]
    with pytest.raises(SernbError, match=r"language 'ko' is not among those it knows \(de, en\)"):
        recogniser(str(folder), "ko")


def test_whisper_hears_long_recordings_in_pieces(folder):
    hear = recogniser(str(folder), "en")
    long = noise(31)
    assert hear(long).split() == [*hear(long[: 30 * 16000]).split(), *hear(long[30 * 16000 :]).split()]
    assert hear(long[:0]) == hear(0 * long) == "" and isinstance(hear(long[:100]), str)


def test_what_is_no_whisper_is_refused(folder, tmp_path):
    with pytest.raises(SernbError, match=r"cannot be read.*expected config\.json"):
        recogniser(str(tmp_path / "nowhere"))
    shape = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1, "intermediate_size": 8}
    BertModel(BertConfig(vocab_size=9, **shape)).save_pretrained(tmp_path / "bert")
    with pytest.raises(SernbError, match="this is a 'bert'"):
        recogniser(str(tmp_path / "bert"))
    (tmp_path / "half").mkdir()
    for file in folder.iterdir():
        if file.name != "model.safetensors":
            (tmp_path / "half" / file.name).write_bytes(file.read_bytes())
    with pytest.raises(SernbError, match=r"half: cannot be read.*model\.safetensors"):
        recogniser(str(tmp_path / "half"))
    model = WhisperForConditionalGeneration.from_pretrained(folder)
    weights = {
        name: one
        for name, one in model.state_dict().items()
        if "fc1" not in name and name != "proj_out.weight"
    }
    model.save_pretrained(tmp_path / "half", state_dict=weights)
    with pytest.raises(SernbError, match="weights are missing"):
        recogniser(str(tmp_path / "half"))


def copied(folder, to, *left_out):
    to.mkdir()
    for file in folder.iterdir():
        if file.name not in left_out:
            (to / file.name).write_bytes(file.read_bytes())
    return to


def test_a_whisper_without_its_tokenizer_is_refused(folder, tmp_path):
    """transformers makes one that writes nothing, whatever is heard."""
    mute = copied(folder, tmp_path / "mute", "tokenizer.json", "tokenizer_config.json", "vocab.json")
    with pytest.raises(SernbError, match=r"mute: the tokenizer knows \d+ pieces"):
        recogniser(str(mute))


def test_a_damaged_whisper_is_named(folder, tmp_path):
    cut = copied(folder, tmp_path / "cut")
    (cut / "model.safetensors").write_bytes(b"")
    with pytest.raises(SernbError, match=r"cut: cannot be read .*expected config\.json"):
        recogniser(str(cut))
    slow = copied(folder, tmp_path / "slow")
    for file in slow.glob("p*_config.json"):
        told = json.loads(file.read_text())
        inner = told.get("feature_extractor", told)
        if "sampling_rate" in inner:
            inner["sampling_rate"] = 8000
        file.write_text(json.dumps(told))
    with pytest.raises(SernbError, match=r"slow: .*says 8000 Hz; a Whisper hears 16000 Hz"):
        recogniser(str(slow))


def test_pcm_is_16_bits_little_endian_and_clipped():
    assert np.frombuffer(pcm(np.array([0, 0.5, 1, -1, 3, -3], np.float32)), "<i2").tolist() == [
        *(0, 16384, 32767, -32767, 32767, -32767)
    ]


def test_without_pocketsphinx_the_command_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "pocketsphinx", None)
    with pytest.raises(SernbError, match=r'pip install "sernb\[asr\]"'):
        recogniser("pocketsphinx")


def test_pocketsphinx_hears_english_and_nothing_in_silence():
    pytest.importorskip("pocketsphinx", reason='PocketSphinx is not here: pip install "sernb[asr]"')
    with pytest.raises(SernbError, match="model of English; language is 'de'"):
        recogniser("pocketsphinx", "de")
    hear = recogniser("pocketsphinx")
    assert [hear(np.zeros(length, np.float32)) for length in (0, 1, 100, 16000)] == [""] * 4
    utterances = load("embedded")
    _, (one, other) = read_utterances(utterances.sort_values("seconds").iloc[:2], progress=False)
    first = hear(one)
    assert first and first == first.lower()
    hear(other)
    assert hear(one) == first  # what was heard in between makes no difference


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
    found = transcribed(UTTERANCES, changed, counting(calls), "own/small", tmp_path, progress=False)
    assert calls[6:] == [20, 40] and found["asr_text"].iloc[2] == "NA"
    calls.clear()
    found = transcribed(UTTERANCES, changed, counting(calls), "own/small", tmp_path, progress=False)
    assert not calls and found["asr_text"].iloc[2] == "NA"  # not read back as a missing value


def test_a_run_that_is_cut_off_goes_on(tmp_path):
    def killed(waveform):
        if len(waveform) == 30:
            raise KeyboardInterrupt
        return "heard"

    with pytest.raises(KeyboardInterrupt):
        transcribed(UTTERANCES, WAVEFORMS, killed, "x", tmp_path, progress=False)
    calls = []
    found = transcribed(UTTERANCES, WAVEFORMS, counting(calls), "x", tmp_path, progress=False)
    assert calls == [30] and found["asr_text"].tolist()[:2] == ["heard", "heard"]
    # A kill without warning loses nothing: what was heard is saved after every utterance.
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
    with pytest.raises(SernbError, match="expected a CSV of utterance, waveform, text"):
        transcribed(UTTERANCES, WAVEFORMS, lambda _: "", "x", tmp_path, progress=False)


def test_a_fingerprint_is_of_the_samples():
    one = np.array([0.5, -0.25, 0])
    assert fingerprint(one) == fingerprint(one.astype(np.float32)) != fingerprint(one[::-1])
    assert len(fingerprint(one)) == 16


def test_the_script_writes_a_corpus_s_transcripts(tmp_path, monkeypatch, capsys):
    few = load("embedded").iloc[:3]
    monkeypatch.setattr("sernb.corpora.load", lambda name, root: few)
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
