"""What notebooks show (`notebook.start`, `load`, `claim` …), and how they are run: plan, run, page.

The names below are imported when they are first used, so that whoever plans a run waits for no torch.
"""

from importlib import import_module

HOMES = {
    "cards": (
        "VERDICTS", "check", "claim", "claim_of", "clickable", "headline", "interval", "keep", "listen",
        "menu", "start", "workers",
    ),
    "comparing": ("compare", "comparisons", "t_interval"),
    "corpus": ("glance", "knows", "load", "where_possible"),
    "microphone": ("record",),
}  # fmt: skip
__all__ = [name for names in HOMES.values() for name in names]


def __getattr__(name):
    for home, names in HOMES.items():
        if name in names:
            return getattr(import_module(f"sernb.notebook.{home}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted({*globals(), *__all__})
