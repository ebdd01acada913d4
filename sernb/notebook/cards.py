"""What every notebook uses: a start with a badge, headline numbers, claim cards, exercise checks, an audio
player.

Whatever a notebook or a corpus hands in is text, and is escaped where HTML is made.
"""

import base64
import html
import inspect
import io
import os
import platform
import random
from importlib import metadata
from pathlib import Path

import numpy as np
import soundfile
import torch
from IPython.display import display

import sernb
from sernb.core.errors import SernbError
from sernb.core.files import whole_file
from sernb.corpora import INSIDE
from sernb.features.audio import read_audio

VERDICTS = {"holds": "#1b7f4b", "not seen here": "#b3541e", "cannot be tested on this corpus": "#5a6374"}
LONGEST = 20.0  # seconds of sound kept in a page: a notebook stays small


def start(corpus: str, encoder: str | None = None, seed: int = 0) -> torch.device:
    """Seed Python, NumPy and torch, show versions, device and a badge that says where the numbers come from.

    `encoder` names the pretrained model, None says that there is none. Returns the device: CUDA when there
    is one.
    """
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002  (libraries that draw from NumPy's global state)
    torch.manual_seed(seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    hardware = (
        torch.cuda.get_device_name() if device.type == "cuda" else f"{torch.get_num_threads()} CPU threads"
    )
    versions = {"sernb": sernb.__version__, "python": platform.python_version()}
    versions |= {name: metadata.version(name) for name in ("torch", "transformers")}
    line = " · ".join(
        [*(f"{name} {version}" for name, version in versions.items()), hardware, f"seed {seed}"]
    )
    own = corpus in INSIDE
    names = {"embedded": "embedded corpus", "embedded_pairs": "embedded pairs"}
    what = f"{names[corpus]} (synthetic speech)" if own else f"corpus {corpus}"
    badge = f"{what} · {encoder or 'no pretrained encoder'}"
    colour = "#8a6100" if own else "#1f5fbf"
    show(
        f"<p style='margin:.3em 0'><span style='background:{colour};color:#fff;border-radius:1em;padding:.2em .9em'>"
        f"{html.escape(badge)}</span></p><p style='opacity:.75;font-size:.85em;margin:.3em 0'>{html.escape(line)}</p>",
        f"{badge}\n{line}",
        start={
            "corpus": corpus,
            "encoder": encoder,
            "seed": seed,
            "device": device.type,
            "hardware": hardware,
        },
    )
    return device


def headline(
    name: str, value: float, low: float | None = None, high: float | None = None, unit: str = ""
) -> None:
    """Show a number that the report's index repeats, with its interval where there is one."""
    text = f"{name}: {in_words(value, low, high, unit)}"
    data = {
        "name": str(name),
        "value": plain(value),
        "low": plain(low),
        "high": plain(high),
        "unit": str(unit),
    }
    show(f"<p style='font-size:1.15em'><strong>{html.escape(text)}</strong></p>", text, headline=data)


def claim(
    paper: str,
    claim: str,
    number: float | str | None,
    ours: float | str | None,
    low: float | None,
    high: float | None,
    verdict: str,
    why: str,
) -> None:
    """Show a claim card: what the paper says, its number, ours with its 95 % interval, and a verdict in
    words.

    Raises SernbError for a verdict other than "holds", "not seen here", "cannot be tested on this corpus".
    """
    if verdict not in VERDICTS:
        raise SernbError(f"The verdict is {verdict!r}; choose one of {', '.join(map(repr, VERDICTS))}.")
    rows = {"The paper": in_words(number), "Here": in_words(ours, low, high), "Verdict": verdict}
    cells = "".join(
        f"<div><div style='opacity:.7;font-size:.8em'>{name}</div><strong>{html.escape(text)}</strong></div>"
        for name, text in rows.items()
    )
    show(
        f"<div style='border:1px solid {VERDICTS[verdict]};border-left:6px solid {VERDICTS[verdict]};"
        f"border-radius:6px;padding:.7em 1em;margin:.6em 0'><div style='opacity:.7;font-size:.85em'>"
        f"{html.escape(paper)} claims</div><div style='margin:.2em 0 .6em'>{html.escape(claim)}</div>"
        f"<div style='display:flex;flex-wrap:wrap;gap:1.5em'>{cells}</div>"
        f"<div style='margin-top:.6em'>{html.escape(why)}</div></div>",
        f"{paper} claims: {claim}\nThe paper: {rows['The paper']}. Here: {rows['Here']}. {verdict}: {why}",
        claim={
            "paper": paper,
            "claim": claim,
            "number": plain(number),
            "ours": plain(ours),
            "low": plain(low),
            "high": plain(high),
            "verdict": verdict,
            "why": why,
        },
    )


def check(condition, ok: str, hint: str) -> None:
    """Say whether an exercise's answer is right, with `ok`, or with `hint` what to look at.

    `condition` is true or false, or a function that tells (so that an answer that cannot even be tried gets
    its hint, with the error). It is not tried while a variable that it reads still holds the dots of the
    exercise. Nothing is raised: an open exercise does not stop a notebook.
    """
    try:
        if left_open(condition):
            text, colour = f"Not answered yet. {hint}", "#5a6374"
        else:
            value = condition() if callable(condition) else condition
            solved = bool(np.all(value)) and value is not ...
            text, colour = (f"✓ {ok}", "#1b7f4b") if solved else (f"Not yet: {hint}", "#b3541e")
    except Exception as error:
        text, colour = f"Not yet: {hint} ({type(error).__name__}: {error})", "#b3541e"
    show(
        f"<div style='border-left:5px solid {colour};padding:.4em .9em;margin:.4em 0'>{html.escape(text)}</div>",
        text,
    )


def left_open(condition) -> bool:
    """Whether `condition`, or a variable that the function `condition` reads, is still `...` (or the text
    "...")."""
    read = [condition]
    if inspect.isfunction(condition):
        variables = inspect.getclosurevars(condition)
        read = [*variables.nonlocals.values(), *variables.globals.values()]
    return any(one is ... or (isinstance(one, str) and one == "...") for one in read)


def listen(sound, rate: int = 16000, caption: str = "") -> None:
    """Show an audio player for a waveform `(samples,)` at `rate` Hz, or for a file.

    The sound lies in the page as 16-bit WAV, so that it plays without the corpus; at most the first 20 s of
    it. Raises SernbError for a waveform that is empty, of another shape, or not finite.
    """
    if isinstance(sound, (str, bytes)) or hasattr(sound, "__fspath__"):
        sound = read_audio(sound, rate=rate)
    wave = np.asarray(sound, dtype=np.float32)
    if wave.ndim != 1 or not len(wave) or not np.isfinite(wave).all():
        raise SernbError(
            f"listen needs a waveform (samples,) of finite numbers, got the shape {wave.shape}"
            + ("" if np.isfinite(wave).all() else " with NaN or infinity")
        )
    seconds = len(wave) / rate
    wave = wave[: int(LONGEST * rate)] / max(1.0, float(np.abs(wave).max()))
    file = io.BytesIO()
    soundfile.write(file, wave, rate, format="WAV", subtype="PCM_16")
    cut = f", the first {LONGEST:.0f} s of it" if seconds > LONGEST else ""
    text = f"{caption + ' · ' if caption else ''}{seconds:.1f} s at {rate} Hz{cut}"
    code = base64.b64encode(file.getvalue()).decode()
    show(
        f"<figure style='margin:.4em 0'><audio controls src='data:audio/wav;base64,{code}' "
        f"aria-label='{html.escape(text)}'></audio><figcaption style='opacity:.75;font-size:.85em'>"
        f"{html.escape(text)}</figcaption></figure>",
        text,
    )


def clickable(figure, on_click) -> None:
    """Show a plotly figure; where somebody is there to click, `on_click(id)` shows what belongs to a dot
    below it.

    The id is the first of a dot's `customdata`. In a report (`sernb run`) the figure stays as it is: a live
    one would store megabytes of JavaScript in the executed notebook.
    """
    if os.environ.get("SERNB_REPORT"):
        display(figure)
        return
    import ipywidgets
    from plotly.graph_objects import FigureWidget  # takes seconds to import

    live, output = FigureWidget(figure), ipywidgets.Output()

    def clicked(trace, points, state):
        if points.point_inds:
            output.clear_output(wait=True)
            with output:
                on_click(trace.customdata[points.point_inds[0]][0])

    for trace in live.data:
        if trace.customdata is not None:
            trace.on_click(clicked)
    display(live, output)


def keep(figure, name: str, folder: str = "") -> None:
    """Show a matplotlib figure; where a folder is named, write it there too, as `name`.png (the repo's
    `figures/`)."""
    display(figure)
    if folder:
        with whole_file(Path(folder) / f"{name}.png") as beside:
            figure.savefig(beside, format="png", dpi=110)


def show(code, text, **data):
    """Display HTML with its plain text; `data` goes along for the runner, which gathers it."""
    kinds = {f"application/vnd.sernb.{name}+json": value for name, value in data.items()}
    display({"text/html": code, "text/plain": text, **kinds}, raw=True)


def plain(value):
    """A number that JSON can hold: numpy's and torch's become Python's, NaN becomes None."""
    value = value.item() if hasattr(value, "item") else value
    return None if isinstance(value, float) and not np.isfinite(value) else value


def in_words(value, low=None, high=None, unit=""):
    """A number to three digits after the point, with its interval and unit; a dash for none."""
    value, low, high = plain(value), plain(low), plain(high)
    words = [f"{x:.3f}" if isinstance(x, float) else "–" if x is None else str(x) for x in (value, low, high)]
    interval = "" if low is None and high is None else f" [{words[1]}, {words[2]}]"
    return f"{words[0]}{' ' + unit if unit else ''}{interval}"
