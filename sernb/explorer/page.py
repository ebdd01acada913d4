"""The explorer as one HTML file: code, data and sounds in the page, nothing fetched from anywhere."""

import base64
import hashlib
import html
import json
import re
from collections.abc import Callable
from functools import cache
from itertools import chain, zip_longest
from pathlib import Path

import numpy as np
from tqdm.auto import tqdm

from sernb.core.errors import SernbError
from sernb.core.files import whole_file
from sernb.explorer import front
from sernb.explorer.text import clean

CAP = 20_000_000  # bytes of a saved page
MISSES = 20  # clips in a row that do not fit any more: the page is full
QUIZ, QUIZ_PART = 40, 4  # clips for the quiz at most, in at most a fourth of the bytes for sound
_SPARE = 300  # bytes for the sentence about the cap and the lists' brackets


def html_page(state: dict, view: dict, notes: dict, clips: dict[int, dict], served: bool = False) -> str:
    """A whole page.

    A policy in the page allows this code and style alone, no connections (served: to its own server), and no
    HTML made of text.

    Args:
        state: of `sernb.explorer.state`.
        view: what is shown first.
        notes: as `sernb.explorer.notes.as_dict` gives them.
        clips: {row: clip} of those in the page.
        served: the other clips are fetched from `clip/<row>`.
    """
    data = {
        "state": state,
        "view": view,
        "notes": notes,
        "served": served,
        "clips": {str(row): clip for row, clip in clips.items()},
        # The browser keeps notes under what tells these utterances and these notes from others.
        "key": _short([state["title"], *state["utterance"]]),
        "noted": _short([as_json(notes)]),
    }
    title = html.escape(clean(state["title"] or "Predictions"))
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy(served)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{_style()}</style>
</head>
<body>
<main id="explorer"></main>
<noscript>This page needs JavaScript.</noscript>
<script type="application/json" id="sernb-data">{as_json(data)}</script>
<script type="module">{_code()}</script>
</body>
</html>
"""


def policy(served: bool = False) -> str:
    """The page's Content-Security-Policy."""
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src '{_digest(_code())}'",
            f"style-src '{_digest(_style())}'",
            "media-src data: blob:",
            "img-src data: blob:",
            "connect-src 'self'" if served else "connect-src 'none'",
            "base-uri 'none'",
            "form-action 'none'",
            "require-trusted-types-for 'script'",
        ]
    )


def as_json(data) -> str:
    """JSON that may stand in a page: no text in it can end the script it stands in, or begin another."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for one in "<>&\u2028\u2029":
        text = text.replace(one, f"\\u{ord(one):04x}")
    return re.sub("[\ud800-\udfff]", "\ufffd", text)


def candidates(state: dict, view: dict) -> list[int]:
    """Rows with sound, those first that a reader will want to hear.

    The open one; then, in turn, likely label errors, wrong predictions (the surest first; of dimensions, the
    farthest off), and any, drawn at random.
    """
    n, model = state["n"], next(model for model in state["models"] if model["name"] == view["model"])
    wrong, off = np.zeros(n, bool), np.zeros(n)
    if model["predicted"]:
        truth, predicted = np.array(state["emotion"]), np.array(model["predicted"])
        wrong = (truth >= 0) & (predicted >= 0) & (truth != predicted)
        off = np.array(model["confidence"] or off, float)
    elif model["dimensions"]:
        dim = next(dim for dim in state["dimensions"] if dim["name"] in model["dimensions"])
        off = np.abs(np.array(model["dimensions"][dim["name"]], float) - np.array(dim["truth"], float))
        wrong = off > np.nanmedian(off) if np.isfinite(off).any() else wrong

    worst = np.flatnonzero(wrong)
    worst = worst[np.argsort(-np.nan_to_num(off[worst]), kind="stable")]
    others = np.random.default_rng(0).permutation(np.flatnonzero(~wrong))
    errors = model["errors"]["rows"] if model["errors"] else []
    in_turn = chain.from_iterable(zip_longest(errors, worst.tolist(), others.tolist()))
    opened = [state["utterance"].index(view["utterance"])] if view["utterance"] is not None else []
    heard = state["sound"] or [0] * n
    return [row for row in dict.fromkeys([*opened, *in_turn]) if row is not None and heard[row]]


def quiz_rows(state: dict) -> list[int]:
    """Rows with sound and truth, the classes in turn, each in random order, whatever a model says of them."""
    if state["emotion"] is None or state["sound"] is None:
        return []
    truth, random = np.where(state["sound"], state["emotion"], -1), np.random.default_rng(0)
    ks = range(len(state["classes"]))
    of_classes = [random.permutation(np.flatnonzero(truth == k)).tolist() for k in ks]
    return [row for row in chain.from_iterable(zip_longest(*of_classes)) if row is not None]


def filled(
    state: dict, view: dict, notes: dict, made: Callable[[int], dict], cap: int = CAP, progress: bool = True
) -> tuple[str, int]:
    """A page with the clips that fit.

    Where not all fit, those for the quiz come first (`quiz_rows`): a quiz of the clips that a model fails on
    would be no fair one.

    Args:
        state: of `sernb.explorer.state`.
        view: what is shown first.
        notes: as `sernb.explorer.notes.as_dict` gives them.
        made: a row -> its clip.
        cap: bytes of the page at most.
        progress: whether a bar is shown.

    Returns:
        The page, and how many clips are in it.

    Raises:
        SernbError: the page is larger before any clip.
    """
    if isinstance(cap, bool) or not isinstance(cap, (int, float)) or not cap > 0:
        raise SernbError(f"cap is {cap!r}; expected the largest size of the page in bytes.")
    size = len(html_page(state, view, notes, {}).encode()) + _SPARE
    if size > cap:
        raise SernbError(
            f"the page is {size:,} bytes before any sound, more than cap={int(cap):,}: give it more, or "
            "fewer predictions."
        )

    clips, room = {}, cap - size
    rows, for_quiz = candidates(state, view), quiz_rows(state)
    with tqdm(total=len(rows), desc="clips", unit="", disable=not progress) as bar:
        # Some of those that are tried for the quiz may not be readable.
        used, _ = _put(clips, for_quiz[: 2 * QUIZ], made, room / QUIZ_PART, bar, most=QUIZ)
        quiz = sorted(clips)
        _, all_fit = _put(clips, rows, made, room - used, bar)
        bar.total = bar.n  # full: this is all that will be done

    heard, limit = sum(state["sound"] or []), None
    if len(clips) < heard:
        limit = (
            f"{len(clips):,} of {heard:,} clips are in this page ({cap / 1e6:.3g} MB); the others show all "
            "but their sound."
        )
    quiz = None if all_fit or not for_quiz else quiz
    held = state | {"embedded": sorted(clips), "limit": limit, "quiz": quiz}
    return html_page(held, view, notes, clips), len(clips)


def _put(clips, rows, made, room, bar, most=None):
    """Add clips that fit into `room` bytes, `most` at most; the bytes they take, and whether all fitted."""
    used, misses, all_fit = 0, 0, True
    for row in rows:
        if len(clips) == most or misses == MISSES:
            break
        if row in clips:
            continue
        clip = made(row)
        bar.update()
        if clip["problem"]:
            continue  # it may name folders of this machine
        more = len(as_json(clip).encode()) + 3 * len(str(row)) + 6  # in the lists of rows, too
        if used + more > room:
            misses, all_fit = misses + 1, False
            continue
        clips[row], used, misses = clip, used + more, 0
    return used, all_fit


def write_page(text: str, path: str | Path) -> Path:
    """Write a page, whole or not at all. Raises SernbError where it cannot be written."""
    path = Path(path)
    try:
        with whole_file(path) as beside:
            beside.write_text(text, encoding="utf-8", newline="\n")
    except OSError as problem:
        raise SernbError(
            f"{path}: the page cannot be written ({problem.strerror}); name another file."
        ) from problem
    return path


@cache
def _code() -> str:
    """The module and its start-up."""
    return f"{front.module()}\n{front.joined('page.js')}"


@cache
def _style() -> str:
    return front.read("explorer.css")


def _digest(text):
    """A source of a policy: the browser runs what has this sum and nothing else."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _short(texts):
    return hashlib.sha256("\0".join(texts).encode("utf-8", "replace")).hexdigest()[:16]
