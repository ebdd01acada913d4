"""Headless runs of the notebooks: plan (which, with what), execute (papermill), page (HTML), run (all of it)."""

from sernb.notebook.cards import (
    LONGEST,
    VERDICTS,
    check,
    claim,
    clickable,
    headline,
    in_words,
    keep,
    left_open,
    listen,
    plain,
    show,
    start,
)

__all__ = [
    "LONGEST", "VERDICTS", "check", "claim", "clickable", "headline", "in_words", "keep", "left_open", "listen", "plain",
    "show", "start",
]  # fmt: skip
