"""A trained 3M-SER on disk, with the tokenizer that it reads with."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from safetensors import SafetensorError
from transformers import AutoTokenizer

from sernb.core.errors import SernbError
from sernb.core.files import whole_folder, write_about
from sernb.models.three_m_ser import ThreeMSER

HEARD = "learnt_from.json"


def save_network(
    model: ThreeMSER,
    tokenizer,
    folder: str | Path,
    learnt_from: Iterable[str] = (),
    about: Mapping | None = None,
) -> Path:
    """Write config.json, model.safetensors and (where the model reads) tokenizer/ into `folder`, whole or not at all.

    learnt_from: ids of the utterances that it was trained and validated on, kept beside it in learnt_from.json.
    about: what else is known, in about.json (`sernb.core.files`).
    """
    with whole_folder(folder) as beside:
        model.save_pretrained(beside)
        if tokenizer is not None and "text" in model.shape.streams:
            tokenizer.save_pretrained(beside / "tokenizer")
        (beside / HEARD).write_text(json.dumps(list(learnt_from)))
        write_about(beside, about)
    return Path(folder)


def load_network(folder: str | Path) -> tuple[ThreeMSER, object]:
    """What `save_network` wrote: the model, and its tokenizer (None where it does not read).

    Raises SernbError for a folder that is incomplete, or holds a model of another class.
    """
    folder = Path(folder)
    for file in ("config.json", "model.safetensors"):
        if not (folder / file).is_file():
            raise SernbError(
                f"{folder}: there is no {file}; expected a network that notebook 02 or 03 saved (their parameter `save`)."
            )
    try:
        model = ThreeMSER.from_pretrained(str(folder), strict=True)
        own = folder / "tokenizer"
        tokenizer = AutoTokenizer.from_pretrained(str(own)) if "text" in model.shape.streams else None
    except (
        AttributeError,
        KeyError,
        OSError,
        RuntimeError,
        SafetensorError,
        TypeError,
        ValueError,
    ) as problem:
        first = str(problem).strip().splitlines()[0]
        raise SernbError(
            f"{folder}: this is no 3M-SER ({first}); expected a network that notebook 02 or 03 saved."
        ) from problem
    return model, tokenizer


def learnt_from(folder: str | Path) -> list[str]:
    """Ids of the utterances that a saved network was trained and validated on; empty where it does not say."""
    file = Path(folder) / HEARD
    return json.loads(file.read_text()) if file.is_file() else []
