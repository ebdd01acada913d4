"""Speech recognisers behind one small function: a waveform goes in, its words come out."""

from collections.abc import Callable

import numpy as np
import torch
from transformers import AutoConfig, WhisperForConditionalGeneration, WhisperProcessor

from sernb.core.errors import SernbError
from sernb.core.files import reading

RATE = 16000  # Hz, what both kinds hear
WINDOW = 30  # seconds that Whisper hears at a time
START = "<|startoftranscript|>"
POCKETSPHINX = "pocketsphinx"
INSTALL = 'pip install "sernb[asr]"'
# Two thirds of the time of PocketSphinx's own settings; on 19 clips of the embedded corpus the errors were as many.
BEAMS = {"maxhmmpf": 5000, "maxwpf": 10, "pl_window": 7}

Recogniser = Callable[[np.ndarray], str]


def recogniser(name: str, language: str | None = None) -> Recogniser:
    """A function from a waveform, float32 `(samples,)` at 16 kHz, to the words that are heard in it.

    name: "pocketsphinx" (English, works offline; the extra "asr"), a folder that holds a Whisper, or a Whisper's name
    on the Hugging Face hub ("openai/whisper-tiny"; downloaded once). `language` ("en", "de") is for Whispers that know
    several; without one they guess it of each utterance. The same waveform always gives the same words, whatever was
    heard before.

    Raises SernbError where the recogniser is not installed, cannot be read, or is of another architecture.
    """
    return pocketsphinx(language) if name == POCKETSPHINX else whisper(name, language)


def pocketsphinx(language: str | None = None) -> Recogniser:
    """PocketSphinx 5 with the English model and vocabulary that come with it (Huggins-Daines et al. 2006)."""
    try:
        from pocketsphinx import Decoder
    except ImportError as problem:
        raise SernbError(f"PocketSphinx is not installed here: {INSTALL}") from problem
    if language not in (None, "en"):
        raise SernbError(f"PocketSphinx comes with a model of English; language is {language!r}.")
    decoder = Decoder(samprate=RATE, loglevel="FATAL", **BEAMS)

    def heard(waveform: np.ndarray) -> str:
        if not waveform.any():  # PocketSphinx hears a dog in digital silence
            return ""
        # the mean of the cepstrum is carried over from utterance to utterance: begin anew, or the order would matter
        decoder.reinit_feat()
        decoder.start_utt()
        try:
            decoder.process_raw(pcm(waveform), full_utt=True)
        finally:
            decoder.end_utt()
        found = decoder.hyp()
        return found.hypstr if found else ""

    return heard


def pcm(waveform: np.ndarray) -> bytes:
    """Samples, full scale = 1, as 16-bit little-endian integers; louder ones are clipped."""
    return np.rint(np.clip(waveform, -1, 1) * 32767).astype("<i2").tobytes()


def whisper(name: str, language: str | None = None) -> Recogniser:
    """A transformers Whisper (Radford et al. 2022), by greedy decoding; what is longer than 30 s is heard in pieces.

    Weights are read from safetensors only.
    """
    expected = (
        "expected config.json, model.safetensors, a tokenizer and preprocessor_config.json of a Whisper"
    )
    with reading(name, expected):
        kind = AutoConfig.from_pretrained(name).model_type
        if kind != "whisper":
            raise SernbError(f"{name}: this is a {kind!r}; a recogniser is a Whisper, or {POCKETSPHINX!r}.")
        processor = WhisperProcessor.from_pretrained(name)
        model, report = WhisperForConditionalGeneration.from_pretrained(
            name, dtype=torch.float32, use_safetensors=True, output_loading_info=True
        )
    if lacking := sorted(report["missing_keys"]):  # transformers would go on with random weights
        raise SernbError(f"{name}: {len(lacking)} weights are missing, {lacking[0]} among them; {expected}.")
    tokenizer, rate = processor.tokenizer, processor.feature_extractor.sampling_rate
    if START not in tokenizer.get_vocab() or len(tokenizer) < model.config.vocab_size / 2:
        raise SernbError(  # without its files transformers makes one that writes nothing
            f"{name}: the tokenizer knows {len(tokenizer)} pieces and the model {model.config.vocab_size}, and it must "
            f"know {START}: tokenizer.json is missing, or another model's; {expected}."
        )
    if rate != RATE:
        raise SernbError(f"{name}: preprocessor_config.json says {rate} Hz; a Whisper hears {RATE} Hz.")
    known = getattr(model.generation_config, "lang_to_id", {})  # empty for a Whisper of English only
    if language is not None and f"<|{language}|>" not in known:
        codes = ", ".join(sorted(code.strip("<|>") for code in known)) or "English only"
        raise SernbError(f"{name}: language {language!r} is not among those it knows ({codes}).")
    model.to("cuda" if torch.cuda.is_available() else "cpu").eval()
    spoken = {} if language is None else {"language": language, "task": "transcribe"}

    def heard(waveform: np.ndarray) -> str:
        pieces = [waveform[start : start + WINDOW * RATE] for start in range(0, len(waveform), WINDOW * RATE)]
        if not waveform.any():  # Whisper hears all sorts of things in digital silence
            return ""
        features = processor(pieces, sampling_rate=RATE, return_tensors="pt").input_features
        with torch.inference_mode():
            ids = model.generate(features.to(model.device), do_sample=False, num_beams=1, **spoken)
        return " ".join(" ".join(processor.batch_decode(ids, skip_special_tokens=True)).split())

    return heard
