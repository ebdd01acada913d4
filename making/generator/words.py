"""The word lists that lie beside this file."""

from functools import cache
from importlib.resources import files

import yaml


@cache
def read(name: str) -> dict:
    """One word list by name: "lexicon", "people", "patterns", "slots" or "verbs"."""
    return yaml.safe_load((files("making.generator") / f"{name}.yaml").read_text(encoding="utf-8"))
