"""Transcripts by machine: speech recognisers behind one small function, and what they heard, kept on disk.

    python -m sernb.features.transcripts OUT.csv --corpus embedded --recogniser pocketsphinx

writes a table of utterance and text: so `transcripts_embedded.csv`, which comes with the kit, was made.
"""

import argparse
import csv
import hashlib
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from sernb.core.errors import SernbError, exit_code
from sernb.core.files import reading, whole_file
from sernb.features.audio import RATE, read_utterances

WINDOW = 30  # seconds that Whisper hears at a time
START = "<|startoftranscript|>"
POCKETSPHINX = "pocketsphinx"
INSTALL = 'pip install "sernb[asr]"'
# Two thirds of the time of PocketSphinx's own settings, with as many errors on 19 embedded clips.
BEAMS = {"maxhmmpf": 5000, "maxwpf": 10, "pl_window": 7}
SHIPPED = Path(__file__).with_name("transcripts_embedded.csv")
COLUMNS = ("utterance", "waveform", "text")

Recogniser = Callable[[np.ndarray], str]


def recogniser(name: str, language: str | None = None) -> Recogniser:
    """A function from a waveform, float32 `(samples,)` at 16 kHz, to the words that are heard in it.

    name: "pocketsphinx" (English, offline; the extra "asr"), or a Whisper's folder or name on the hub
    ("openai/whisper-tiny"; downloaded once). language ("en", "de"): of a Whisper that knows several; None:
    guessed of each utterance. The same waveform always gives the same words.

    Raises SernbError: it is not installed, cannot be read, or is of another architecture.
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

    def recognise(waveform: np.ndarray) -> str:
        if not waveform.any():  # PocketSphinx hears a dog in digital silence
            return ""
        # The mean of the cepstrum is carried over: begin anew, or the order of utterances would matter.
        decoder.reinit_feat()
        decoder.start_utt()
        try:
            decoder.process_raw(pcm(waveform), full_utt=True)
        finally:
            decoder.end_utt()
        return hypothesis.hypstr if (hypothesis := decoder.hyp()) else ""

    return recognise


def pcm(waveform: np.ndarray) -> bytes:
    """Samples, full scale = 1, as 16-bit little-endian integers; louder ones are clipped."""
    return np.rint(np.clip(waveform, -1, 1) * 32767).astype("<i2").tobytes()


def whisper(name: str, language: str | None = None) -> Recogniser:
    """A transformers Whisper (Radford et al. 2022), by greedy decoding; above 30 s in pieces."""
    import torch  # seconds to import, for those who ask for a Whisper alone
    from transformers import AutoConfig, WhisperForConditionalGeneration, WhisperProcessor

    from sernb.features.encoders import loaded

    expected = "expected config.json, preprocessor_config.json, model.safetensors, a tokenizer of a Whisper"
    with reading(name, expected):
        if (kind := AutoConfig.from_pretrained(name).model_type) != "whisper":
            raise SernbError(f"{name}: this is a {kind!r}; a recogniser is a Whisper, or {POCKETSPHINX!r}.")
        processor = WhisperProcessor.from_pretrained(name)
        model = loaded(WhisperForConditionalGeneration, name, name, expected)

    # Its tokenizer (without its files transformers makes one that writes nothing), its rate, its languages.
    tokenizer, rate = processor.tokenizer, processor.feature_extractor.sampling_rate
    if START not in tokenizer.get_vocab() or len(tokenizer) < model.config.vocab_size / 2:
        counts = f"the tokenizer knows {len(tokenizer)} pieces, the model {model.config.vocab_size}"
        raise SernbError(f"{name}: {counts}: tokenizer.json is missing, or another model's; {expected}.")
    if rate != RATE:
        raise SernbError(f"{name}: its preprocessor says {rate} Hz; a Whisper hears {RATE} Hz.")
    known = getattr(model.generation_config, "lang_to_id", {})  # empty for a Whisper of English only
    if language is not None and f"<|{language}|>" not in known:
        codes = ", ".join(sorted(code.strip("<|>") for code in known)) or "English only"
        raise SernbError(f"{name}: language {language!r} is not among those it knows ({codes}).")
    model.to("cuda" if torch.cuda.is_available() else "cpu").eval()
    spoken = {} if language is None else {"language": language, "task": "transcribe"}

    def recognise(waveform: np.ndarray) -> str:
        if not waveform.any():  # Whisper hears all sorts of things in digital silence
            return ""
        pieces = [waveform[start : start + WINDOW * RATE] for start in range(0, len(waveform), WINDOW * RATE)]
        features = processor(pieces, sampling_rate=RATE, return_tensors="pt").input_features
        with torch.inference_mode():
            ids = model.generate(features.to(model.device), do_sample=False, num_beams=1, **spoken)
        return " ".join(" ".join(processor.batch_decode(ids, skip_special_tokens=True)).split())

    return recognise


def transcribed(
    utterances: pd.DataFrame,
    waveforms: Iterable[np.ndarray],
    recognise: Recogniser,
    name: str,
    cache: str | Path | None = None,
    progress: bool = True,
) -> pd.DataFrame:
    """The utterances with a column more, `asr_text`: what `recognise` heard in each waveform ("": nothing).

    Args:
        waveforms: float32 `(samples,)` at 16 kHz, in the order of the table.
        recognise: a `recogniser`, or any function of a waveform; name: its own, another one when it changed.
        cache: a folder. What was heard stands in a CSV there, found by utterance and samples: a run that is
            cut off goes on, and a recording that changed is heard anew.

    Raises:
        SernbError: a waveform is no finite `(samples,)`, or the recogniser fails; the utterance is named.
    """
    waveforms = list(waveforms)
    if len(waveforms) != len(utterances):
        raise SernbError(f"{len(utterances)} utterances and {len(waveforms)} waveforms: give one for each.")
    path = Path(cache) / f"{quote(name, safe='')}.csv" if cache is not None else None
    known, texts = _kept(path) if path is not None and path.exists() else {}, []
    bar = tqdm(waveforms, f"hearing by {name}", unit="utterance", disable=not progress)
    for utterance, waveform in zip(utterances.index, bar, strict=True):
        key = (str(utterance), fingerprint(waveform, utterance))
        if key not in known:
            known[key] = _heard(recognise, waveform, utterance, name)
            if path is not None:
                _keep(path, (*key, known[key]))
        texts.append(known[key])
    return utterances.assign(asr_text=texts)


def fingerprint(waveform: np.ndarray, utterance: str = "") -> str:
    """16 hexadecimal digits that stand for these samples. SernbError where they are no waveform."""
    waveform = np.asarray(waveform)
    if waveform.ndim != 1 or waveform.dtype.kind != "f" or not np.isfinite(waveform).all():
        came = f"{waveform.dtype} {waveform.shape}"
        raise SernbError(
            f"utterance {utterance!r}: expected a waveform (samples,) of finite floats, got {came}."
        )
    return hashlib.sha256(waveform.astype("<f4").tobytes()).hexdigest()[:16]


def _heard(recognise, waveform, utterance, name) -> str:
    try:
        text = recognise(np.asarray(waveform, np.float32))
    except Exception as problem:  # whatever a recogniser raises, the reader must know of which recording
        why = f"failed ({type(problem).__name__}: {problem})"
        raise SernbError(f"utterance {utterance!r}: {name} {why}.") from problem
    if not isinstance(text, str):
        raise SernbError(f"utterance {utterance!r}: {name} gave {type(text).__name__}, expected its words.")
    return text


def _kept(path: Path) -> dict[tuple[str, str], str]:
    """What was heard before, by utterance and fingerprint; SernbError for a file that is no such table."""
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
        return {(row.utterance, row.waveform): row.text for row in table.itertuples()}
    except (AttributeError, ValueError) as problem:
        raise SernbError(
            f"{path}: expected a CSV of {', '.join(COLUMNS)} ({problem}). Delete it."
        ) from problem


def _keep(path: Path, row: tuple[str, str, str]) -> None:
    """A line more in the file: other runs may write there too, and a kill loses one utterance at most."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows([row] if file.tell() else [COLUMNS, row])


def machine_transcripts() -> pd.Series:
    """What PocketSphinx heard in the embedded corpus, by utterance; it comes with the kit."""
    return pd.read_csv(SHIPPED, dtype=str, keep_default_na=False).set_index("utterance")["text"]


def main(arguments: list[str] | None = None) -> int:
    what = "Transcripts of a corpus by machine, as a CSV."
    parser = argparse.ArgumentParser("python -m sernb.features.transcripts", description=what)
    parser.add_argument("out", type=Path, help="the CSV to write")
    parser.add_argument("--corpus", default="embedded")
    parser.add_argument("--root", help="the corpus's folder")
    parser.add_argument("--recogniser", default=POCKETSPHINX, help="or a Whisper's name or folder")
    parser.add_argument("--language", help="of a Whisper that knows several")
    parser.add_argument("--cache", type=Path, help="a folder: a run that is cut off goes on")
    return exit_code(_write, parser.parse_args(arguments))


def _write(given: argparse.Namespace) -> None:
    from sernb.corpora import load  # what hears one recording needs no corpus

    recognise = recogniser(given.recogniser, given.language)
    name = f"{given.recogniser} {given.language or ''}".strip()
    table = transcribed(*read_utterances(load(given.corpus, given.root)), recognise, name, given.cache)
    with whole_file(given.out) as beside:
        table = table["asr_text"].rename("text").reset_index()
        table.to_csv(beside, index=False, encoding="utf-8", lineterminator="\n")


if __name__ == "__main__":
    sys.exit(main())
