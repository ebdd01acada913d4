"""What a saved model learnt from, and what its input must be like: `about.json`, beside its weights."""

import json
from collections.abc import Mapping
from pathlib import Path

from sernb.core.errors import SernbError
from sernb.core.files import whole_file

ABOUT = "about.json"


def write_about(folder: str | Path, known: Mapping | None = None) -> Path:
    """Write `known` (what JSON can hold) as about.json into a folder that is there.

    Keys that `sernb.studies.recordings` looks for: corpus (a name of `sernb corpora`), scale (lowest and highest rating),
    standardised (whether a speech encoder wants waveforms of mean 0 and variance 1), features (what frames were made of).
    """
    path = Path(folder) / ABOUT
    with whole_file(path) as beside:
        beside.write_text(json.dumps(dict(known or {}), indent=1), encoding="utf-8")
    return path


def read_about(folder: str | Path) -> dict:
    """What `write_about` wrote; {} where there is nothing. SernbError for a file that is no JSON object."""
    return read_object(Path(folder) / ABOUT) if (Path(folder) / ABOUT).is_file() else {}


def read_object(path: Path) -> dict:
    """The JSON object in a file; SernbError, naming the file, for anything else."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:  # wrong encodings and JSON's own errors are ValueErrors
        raise SernbError(f"{path}: cannot be read as JSON ({problem}).") from problem
    if not isinstance(found, dict):
        raise SernbError(f"{path}: expected a JSON object, got {type(found).__name__}.")
    return found
