"""Recognisers: a Whisper made here (so that it talks nonsense, by the real path) and PocketSphinx."""

import json
import sys

import numpy as np
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
from sernb.features.audio import read_utterances
from sernb.features.recognisers import pcm, recogniser

SPECIAL = ("<|endoftext|>", "<|startoftranscript|>", "<|en|>", "<|de|>", "<|transcribe|>", "<|notimestamps|>")


def noise(seconds, seed=0):
    return (0.1 * np.random.default_rng(seed).standard_normal(int(16000 * seconds))).astype(np.float32)


def one_letter(tokenizer, number):
    text = tokenizer.convert_ids_to_tokens(number)
    return len(text) == 1 and text.isascii() and text.isalpha()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A Whisper of 1 + 1 layers with random weights, saved as the published ones are; it writes up to 6 letters."""
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
    spy = lambda *given, **options: asked.append(options.get("language")) or generate(*given, **options)  # noqa: E731
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
