"""Your own voice in a notebook: a button that records the microphone, where the browser allows it."""

import os
from collections.abc import Callable
from contextlib import nullcontext
from html import escape
from pathlib import Path

import anywidget
import numpy as np
import soxr
import traitlets

from sernb.core.errors import SernbError

RATE = 16000  # Hz, of the waveform that is handed on
LONGEST = 30  # seconds
SPARE = 2.0  # seconds that a browser may record more than was asked
LOWEST, HIGHEST = 8000, 192000  # Hz, of what a browser sends
LOUDEST = 10.0  # full scale is 1; more than this is no sound
QUIET = 1e-4  # a peak below this is what a blocked or muted microphone gives
STATIC = "Here stands a button that records your voice: open the notebook in JupyterLab to use it."


def record(
    on_sound: Callable[[np.ndarray], object] | None = None, seconds: float = 5
) -> "Microphone | NotHere":
    """A button that records up to `seconds` of the microphone (at most 30), to be shown as a cell's last
    value.

    After each recording its `waveform` is float32 `(samples,)`, mono, at 16 kHz, as of
    `sernb.features.audio.read_audio`, and `on_sound(waveform)` is called; what it prints, displays or raises
    stands below the button. The sound goes from the browser to the kernel and is stored nowhere. In a report
    (`sernb run`) a sentence stands instead, `waveform` is None.

    Example:
        >>> model = recordings.load_model("my model")  # doctest: +SKIP
        >>> answer = lambda wave: print(recordings.predict_waveform(wave, model))  # doctest: +SKIP
        >>> microphone.record(answer)  # doctest: +SKIP

    Raises SernbError for a length that is not above 0 and at most 30 seconds.
    """
    if not 0 < seconds <= LONGEST:
        raise SernbError(
            f"seconds is {seconds}; a recording lasts more than 0 and at most {LONGEST} seconds."
        )
    return NotHere() if os.environ.get("SERNB_REPORT") else Microphone(on_sound, seconds)


class NotHere:
    """What stands in a report, where nobody can record."""

    waveform = None

    def __repr__(self) -> str:
        return STATIC

    def _repr_html_(self) -> str:
        return f"<p>{escape(STATIC)}</p>"


class Microphone(anywidget.AnyWidget):
    """The button of `record`. `waveform` is None until something was recorded; `said` is the last thing told
    below it."""

    _esm = Path(__file__).parent / "microphone.js"
    seconds = traitlets.Float(5.0).tag(sync=True)

    def __init__(self, on_sound: Callable[[np.ndarray], object] | None = None, seconds: float = 5.0):
        super().__init__(seconds=float(seconds))
        self.on_sound, self.waveform, self.said = on_sound, None, ""
        self._below = None  # where the output of on_sound goes; made when shown
        self.on_msg(self._received)

    def _repr_mimebundle_(self, **given):
        """With a place for output below it."""
        from ipywidgets import Output, VBox

        if self._below is None:
            self._below = Output()
            self._whole = VBox([self, self._below])
        return self._whole._repr_mimebundle_(**given)

    def _received(self, widget, content, buffers):
        """A message of the browser's: nothing that comes may raise here, whoever made it."""
        if not isinstance(content, dict) or content.get("kind") != "sound":
            return
        try:
            waveform = waveform_of(content, buffers, self.seconds)
        except SernbError as problem:
            self._say(str(problem), problem=True)
            return
        self.waveform = waveform
        if self.on_sound is None:
            self._say(f"{len(waveform) / RATE:.1f} s recorded.")
            return
        self._say(f"{len(waveform) / RATE:.1f} s recorded; at work …")
        if self._below is not None:
            self._below.clear_output()
        with self._below or nullcontext():
            self._hand_on(waveform)

    def _hand_on(self, waveform):
        """Call on_sound; what it raises is told in words, where IPython would print a traceback."""
        try:
            self.on_sound(waveform)
        except Exception as problem:
            kind = "" if isinstance(problem, SernbError) else f"{type(problem).__name__}: "
            self._say(f"Recorded, but what was to be done with it failed. {kind}{problem}", problem=True)
        else:
            self._say(f"{len(waveform) / RATE:.1f} s recorded.")

    def _say(self, text, problem=False):
        self.said = text
        self.send({"kind": "said", "text": text, "problem": problem})


def waveform_of(content: dict, buffers, seconds: float = LONGEST) -> np.ndarray:
    """The sound in a message: {"rate": Hz} and one buffer of float32 samples; float32 `(samples,)` at 16 kHz.

    Raises SernbError, in words for the person who recorded, for a message that holds something else or more
    than was asked for, for samples that are no sound, and for silence.
    """
    rate = content.get("rate")
    if isinstance(rate, bool) or not isinstance(rate, int) or not LOWEST <= rate <= HIGHEST:
        raise SernbError(f"The browser names a rate of {str(rate)[:20]} Hz; expected {LOWEST} to {HIGHEST}.")
    if not isinstance(buffers, (list, tuple)) or len(buffers) != 1:
        raise SernbError("The browser sent no samples, or in several pieces; expected one.")
    most = int((min(seconds, LONGEST) + SPARE) * rate) * 4
    try:
        size = memoryview(buffers[0]).nbytes
        samples = np.frombuffer(buffers[0] if size <= most and size % 4 == 0 else b"", "<f4")
    except (BufferError, TypeError, ValueError) as problem:
        raise SernbError("The browser sent something else than samples.") from problem
    if size > most or size % 4:
        raise SernbError(
            f"The browser sent {size} bytes; expected whole samples of 4, and at most {most} ({seconds:g} s)."
        )
    samples = samples.astype(np.float32)  # a copy that may be written to
    peak = float(np.abs(samples).max(initial=0.0))  # NaN where a sample is NaN
    if not peak <= LOUDEST:
        raise SernbError("The browser sent numbers that are no sound.")
    if peak < QUIET:
        raise SernbError(
            "Only silence arrived: is the microphone muted, or another one chosen? The system's settings, "
            "too, can keep it from the browser."
        )
    if rate == RATE:
        return samples
    waveform = soxr.resample(samples, rate, RATE, quality="VHQ").astype(np.float32, copy=False)
    if not len(waveform):
        raise SernbError(f"{len(samples)} samples are too few for a sound.")
    return waveform
