"""What notebooks show: a start with a badge, headline numbers, claim cards, exercise checks, a player, a
menu.

Whatever a notebook or a corpus hands in is text, and is escaped where HTML is made.
"""

import base64
import html
import inspect
import io
import os
import platform
import random
from collections.abc import Callable, Iterable, Sequence
from importlib import metadata
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile
import torch
from IPython.display import display
from joblib import cpu_count, parallel_config

import sernb
from sernb.core.errors import SernbError
from sernb.core.files import whole_file
from sernb.corpora import INSIDE
from sernb.features.audio import read_audio

UNTESTED = "cannot be tested on this corpus"
VERDICTS = {"holds": "#1b7f4b", "not seen here": "#b3541e", UNTESTED: "#5a6374"}
LONGEST = 20.0  # seconds of sound kept in a page: a notebook stays small


def start(corpus: str, encoder: str | None = None, seed: int = 0) -> torch.device:
    """Seed Python, NumPy and torch, show versions, device and a badge that says where the numbers come from.

    `encoder` names the pretrained model, None says that there is none. Returns the device: CUDA where there
    is one.
    """
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002  (libraries that draw from NumPy's global state)
    torch.manual_seed(seed)
    pd.set_option("display.max_colwidth", None)  # tables show whole sentences
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

    threads = f"{torch.get_num_threads()} CPU threads"
    hardware = torch.cuda.get_device_name() if device.type == "cuda" else threads
    versions = {"sernb": sernb.__version__, "python": platform.python_version()}
    versions |= {name: metadata.version(name) for name in ("torch", "transformers")}
    line = " · ".join([*map(" ".join, versions.items()), hardware, f"seed {seed}"])

    own = {"embedded": "embedded corpus", "embedded_pairs": "embedded pairs"}
    origin = f"{own[corpus]} (synthetic speech)" if corpus in INSIDE else f"corpus {corpus}"
    badge = f"{origin} · {encoder or 'no pretrained encoder'}"
    colour = "#8a6100" if corpus in INSIDE else "#1f5fbf"
    given = {"corpus": corpus, "encoder": encoder, "seed": seed, "device": device.type, "hardware": hardware}
    show(
        f"<p style='margin:.3em 0'><span style='background:{colour};color:#fff;border-radius:1em;"
        f"padding:.2em .9em'>{html.escape(badge)}</span></p>"
        f"<p style='opacity:.75;font-size:.85em;margin:.3em 0'>{html.escape(line)}</p>",
        f"{badge}\n{line}",
        start=given,
    )
    return device


def workers(jobs: int, device: torch.device | None = None, most: int = 4) -> parallel_config:
    """A context in which trainings run side by side, `jobs` at a time; 0: up to `most`, one alone on a
    GPU."""
    on_gpu = device is not None and device.type == "cuda"
    return parallel_config(n_jobs=jobs or (1 if on_gpu else min(most, cpu_count())))


def headline(name: str, value, low: float | None = None, high: float | None = None) -> None:
    """Show a number that the report's index repeats, with its interval where there is one.

    `value` is a number, or an interval as `ends` takes it: then it brings `low` and `high`.
    """
    if isinstance(value, (pd.Series, dict, tuple)):
        value, low, high = ends(value)
    text = f"{name}: {in_words(value, low, high)}"
    data = {"name": str(name), "value": plain(value), "low": plain(low), "high": plain(high)}
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

    Raises SernbError for a verdict that is none of VERDICTS.
    """
    if verdict not in VERDICTS:
        raise SernbError(f"The verdict is {verdict!r}; choose one of {', '.join(map(repr, VERDICTS))}.")
    rows = {"The paper": in_words(number), "Here": in_words(ours, low, high), "Verdict": verdict}
    cells = "".join(
        f"<div><div style='opacity:.7;font-size:.8em'>{name}</div><strong>{html.escape(text)}</strong></div>"
        for name, text in rows.items()
    )
    data = {"paper": paper, "claim": claim, "number": plain(number), "ours": plain(ours)}
    data |= {"low": plain(low), "high": plain(high), "verdict": verdict, "why": why}
    colour = VERDICTS[verdict]
    show(
        f"<div style='border:1px solid {colour};border-left:6px solid {colour};"
        f"border-radius:6px;padding:.7em 1em;margin:.6em 0'><div style='opacity:.7;font-size:.85em'>"
        f"{html.escape(paper)} claims</div><div style='margin:.2em 0 .6em'>{html.escape(claim)}</div>"
        f"<div style='display:flex;flex-wrap:wrap;gap:1.5em'>{cells}</div>"
        f"<div style='margin-top:.6em'>{html.escape(why)}</div></div>",
        f"{paper} claims: {claim}\nThe paper: {rows['The paper']}. Here: {rows['Here']}. {verdict}: {why}",
        claim=data,
    )


def claim_of(
    paper: str,
    words: str,
    number: float | str | None,
    found,
    why: str,
    above: float = 0.0,
    below: float | None = None,
    also: Iterable[float] = (),
    testable: bool = True,
) -> None:
    """Show a claim card whose verdict is read from an interval: it holds where the whole of it is on the
    claim's side.

    Without an interval, or with one that has no end (a single speaker), it cannot be tested on this corpus.

    Args:
        paper, words, number: Who claims what, and the paper's number.
        found: Ours, as `ends` takes it; several in a list must all hold, and the weakest is shown; None or []
            where nothing was measured.
        why: A sentence on where ours comes from, or on why it was not measured.
        above, below: It holds where the lower end lies above the first, or the upper end below the second.
        also: Further ends that have to be on that side, such as that of an interval over seeds.
        testable: False where it was measured, but says nothing about the claim.
    """
    several = found if isinstance(found, list) else [] if found is None else [found]
    sign, bound, end = (1, above, 1) if below is None else (-1, below, 2)
    margins = np.array([sign * (ends(interval)[end] - bound) for interval in several])
    weakest = int(np.argmin(np.where(np.isnan(margins), -np.inf, margins))) if several else None
    margins = [*margins, *(sign * (one - bound) for one in also)]

    verdict = "holds" if min(margins, default=0) > 0 else "not seen here"
    if not several or not testable or np.isnan(margins).any():
        verdict = UNTESTED
    shown = ends(several[weakest]) if several else (None, None, None)
    claim(paper, words, number, *shown, verdict, why)


def ends(interval) -> tuple[float, float, float]:
    """(value, low, high) of an interval: these three, or a row with `value` or `difference`, `low` and
    `high`."""
    if hasattr(interval, "_asdict"):  # a row of DataFrame.itertuples
        interval = interval._asdict()
    if isinstance(interval, (pd.Series, dict)):
        value = interval["difference"] if "difference" in interval else interval["value"]
        return value, interval["low"], interval["high"]
    value, low, high = interval
    return value, low, high


def interval(found, form: str = "+.3f") -> str:
    """A number with its interval, as `ends` takes it, in words: "−0.021 [−0.040, +0.001]"; "–" for no
    number."""
    numbers = [f"{number:{form}}".replace("-", "−") if number == number else "–" for number in ends(found)]
    return f"{numbers[0]} [{numbers[1]}, {numbers[2]}]"


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
    style = f"border-left:5px solid {colour};padding:.4em .9em;margin:.4em 0"
    show(f"<div style='{style}'>{html.escape(text)}</div>", text)


def left_open(condition) -> bool:
    """Whether `condition`, or a variable that the function reads, is still `...` (or the text "...")."""
    read = [condition]
    if inspect.isfunction(condition):
        variables = inspect.getclosurevars(condition)
        read = [*variables.nonlocals.values(), *variables.globals.values()]
    return any(value is ... or (isinstance(value, str) and value == "...") for value in read)


def listen(sound, rate: int = 16000, caption: str = "") -> None:
    """Show an audio player for a waveform `(samples,)` at `rate` Hz, or for a file.

    The sound lies in the page as 16-bit WAV, so that it plays without the corpus; at most the first 20 s of
    it. Raises SernbError for a waveform that is empty, of another shape, or not finite.
    """
    if isinstance(sound, (str, Path)):
        sound = read_audio(sound, rate=rate)
    wave = np.asarray(sound, dtype=np.float32)
    if wave.ndim != 1 or not len(wave) or not np.isfinite(wave).all():
        raise SernbError(f"listen needs a waveform (samples,) of finite numbers, got the shape {wave.shape}.")
    seconds = len(wave) / rate
    wave = wave[: int(LONGEST * rate)] / max(1.0, float(np.abs(wave).max()))
    file = io.BytesIO()
    soundfile.write(file, wave, rate, format="WAV", subtype="PCM_16")
    code = base64.b64encode(file.getvalue()).decode()

    cut = f", the first {LONGEST:.0f} s of it" if seconds > LONGEST else ""
    text = f"{caption + ' · ' if caption else ''}{seconds:.1f} s at {rate} Hz{cut}"
    show(
        f"<figure style='margin:.4em 0'><audio controls src='data:audio/wav;base64,{code}' "
        f"aria-label='{html.escape(text)}'></audio><figcaption style='opacity:.75;font-size:.85em'>"
        f"{html.escape(text)}</figcaption></figure>",
        text,
    )


def clickable(figure, on_click: Callable[[str], object]) -> None:
    """Show a plotly figure; where somebody is there to click, `on_click(id)` shows below it what belongs to a
    dot.

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


def menu(names: Sequence[str], look: Callable[[str], object], first: str) -> None:
    """Show a list to choose from; `look(name)` shows below it what is chosen, at the beginning nothing."""
    import ipywidgets

    choice = ipywidgets.Dropdown(options=list(names), value=first, description="utterance")
    output = ipywidgets.Output()

    def chosen(change):
        output.clear_output(wait=True)
        with output:
            look(change["new"])

    choice.observe(chosen, names="value")
    display(choice, output)


def keep(figure, name: str, folder: str = "") -> None:
    """Show a matplotlib figure; where a folder is named, write it there too, as `name`.png."""
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


def in_words(value, low=None, high=None):
    """A number to three digits after the point, with its interval; a dash for none."""
    value, low, high = plain(value), plain(low), plain(high)
    words = [f"{x:.3f}" if isinstance(x, float) else "–" if x is None else str(x) for x in (value, low, high)]
    return words[0] if low is None and high is None else f"{words[0]} [{words[1]}, {words[2]}]"
