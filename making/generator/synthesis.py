"""Speech from eSpeak NG through ctypes, in a room, with noise.

eSpeak NG (GPL-3.0-or-later) comes with the package espeakng-loader, the optional extra "generate"; only this
file uses it. It keeps state from one sentence to the next, so that each utterance is made in a process of its
own.
"""

import ctypes
import shutil
from pathlib import Path

import numpy as np
from scipy.signal import fftconvolve, lfilter, resample_poly

from making.generator.knobs import Knobs
from making.generator.voices import Controls, Speaker, variant
from sernb.core.errors import SernbError

RATE = 16000
ESPEAK_RATE = 22050
PAUSE = 0.2  # seconds before and after the speech
CALM = -27.0  # dB of full scale: the root mean square of calm speech before reverberation and gain
FILES = ("phontab", "phonindex", "phondata", "intonations", "en_dict")
SYNCHRONOUS, DONT_EXIT, UTF8 = 2, 0x8000, 1
SET_RATE, SET_VOLUME, SET_PITCH, SET_RANGE = 1, 2, 3, 4
PHONES, LAST_EVENT, PHONE_EVENT = 1, 0, 7


class Event(ctypes.Structure):
    """eSpeak's espeak_EVENT. `sample` counts from the first sample of the utterance; `name` is a phone's, in
    ASCII."""

    _fields_ = (
        ("type", ctypes.c_int),
        ("identifier", ctypes.c_uint),
        ("position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("milliseconds", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user", ctypes.c_void_p),
        ("name", ctypes.c_char * 8),
    )


CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(Event))


def library() -> tuple[str, Path]:
    """Where eSpeak NG and its data lie; SernbError when the package is missing."""
    try:
        import espeakng_loader
    except ImportError as missing:
        raise SernbError(
            "Making the embedded corpus again needs eSpeak NG: expected the package espeakng-loader, found "
            "none. "
            'Install it with: pip install "sernb[generate]"'
        ) from missing
    return espeakng_loader.get_library_path(), Path(espeakng_loader.get_data_path())


def lend_data(folder: Path) -> Path:
    """A copy of eSpeak's English data in `folder`: it reads voice variants only from inside its data
    folder."""
    _, data = library()
    copy = folder / "espeak-ng-data"
    (copy / "voices" / "!v").mkdir(parents=True)
    for name in FILES:
        shutil.copy(data / name, copy)
    shutil.copytree(data / "lang" / "gmw", copy / "lang" / "gmw")
    return copy


def espeak(
    text: str, speaker: Speaker, controls: Controls, seed: int, data: Path, phones: list | None = None
) -> np.ndarray:
    """Dry speech, int16 (samples,) at 22,050 Hz. Call it once in a process: see the top of the file.

    data: the folder from `lend_data`; the voice of this utterance stands there while it is spoken. phones: a
    list that each phone is added to, as (eSpeak's name of it, the sample that it begins at); "_" and "_:" are
    pauses. The sound is the same with it; a second utterance in the same process would crash eSpeak.
    """
    path, _ = library()
    voice = f"voice{seed}"
    file = data / "voices" / "!v" / voice
    file.write_text(variant(speaker, controls.roughness, controls.breath))
    engine, chunks = ctypes.CDLL(path), []

    @CALLBACK
    def keep(samples, count, events):
        number = 0
        while phones is not None and events[number].type != LAST_EVENT:
            if events[number].type == PHONE_EVENT:
                phones.append((events[number].name.decode(), events[number].sample))
            number += 1
        if count > 0:
            chunks.append(np.ctypeslib.as_array(samples, (count,)).copy())
        return 0

    options = DONT_EXIT | (PHONES if phones is not None else 0)
    if engine.espeak_Initialize(SYNCHRONOUS, 0, str(data).encode(), options) != ESPEAK_RATE:
        raise SernbError(f"eSpeak NG did not start with the data in {data}: reinstall espeakng-loader.")
    engine.espeak_SetSynthCallback(keep)
    if engine.espeak_SetVoiceByName(f"{speaker.accent}+{voice}".encode()) != 0:
        raise SernbError(f"eSpeak NG has no voice {speaker.accent!r} in {data}: use espeakng-loader 0.2.4.")
    engine.espeak_ng_SetRandSeed(ctypes.c_long(seed))
    for parameter, value in (
        (SET_RATE, controls.rate),
        (SET_VOLUME, 100),
        (SET_PITCH, controls.pitch),
        (SET_RANGE, controls.pitch_range),
    ):
        engine.espeak_SetParameter(parameter, value, 0)
    line = text.encode()
    engine.espeak_Synth(line, len(line) + 1, 0, 1, 0, UTF8, None, None)
    engine.espeak_Synchronize()
    file.unlink()
    if not chunks:
        raise SernbError(f"eSpeak NG made no sound of {text!r}.")
    return np.concatenate(chunks)


def record(
    rng: np.random.Generator, dry: np.ndarray, loudness: float, room: float, knobs: Knobs
) -> np.ndarray:
    """The speech as a microphone in a room hears it: float64 (samples,) at 16 kHz, never beyond full scale.

    dry: int16 at 22,050 Hz; loudness: dB relative to calm; room: reverberation time, seconds.
    """
    speech = resample_poly(dry / 32768.0, 320, 441)
    speech *= 10 ** ((CALM + loudness) / 20) / np.sqrt(np.mean(speech**2))
    pause = np.zeros(round(PAUSE * RATE))
    speech = np.concatenate([pause, speech, pause])
    if knobs.room > 0:
        times = np.arange(round(room * RATE)) / RATE
        echo = rng.normal(0, 1, times.size) * 10 ** (-3 * times / room)
        echo *= 0.35 * knobs.room / np.sqrt(np.sum(echo**2))
        echo[0] = 1.0
        speech = fftconvolve(speech, echo)[: speech.size]
    noise = lfilter([1.0], [1.0, -0.9], rng.normal(0, 1, speech.size))
    noise *= 10 ** ((CALM - rng.uniform(*knobs.snr)) / 20) / np.sqrt(np.mean(noise**2))
    heard = (speech + noise) * 10 ** (rng.uniform(-knobs.gain_spread, knobs.gain_spread) / 20)
    return heard * min(1.0, 0.89 / np.abs(heard).max())
