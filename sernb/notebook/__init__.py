"""What notebooks show (`notebook.start`, `load`, `claim` …), and how they are run: plan, run, page.

The names below are imported when they are first used, so that whoever plans a run waits for no torch.
"""

from importlib import import_module

__all__ = [
    "LONGEST", "VERDICTS", "check", "claim", "clickable", "headline", "in_words", "keep", "left_open", "listen", "plain",
    "show", "start",
]  # fmt: skip


def __getattr__(name):
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("sernb.notebook.cards"), name)


def __dir__():
    return sorted({*globals(), *__all__})
