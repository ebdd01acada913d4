"""Small corpora in the published layouts: a few samples in each file, all the names."""

from itertools import islice, product
from pathlib import Path

import pytest

EMODB_SPEAKERS = ("03", "08", "09", "10", "11", "12", "13", "14", "15", "16")
EMODB_SENTENCES = ("a01", "a02", "a04", "a05", "a07", "b01", "b02", "b03", "b09", "b10")
EMODB_LETTERS = {"W": 127, "L": 81, "N": 79, "F": 71, "A": 69, "T": 62, "E": 46}


@pytest.fixture
def fill(write_sound):
    """Copy one tiny recording to many names: writing each with soundfile would be slow."""

    def write(paths: list[Path]) -> None:
        for path in paths:
            path.parent.mkdir(parents=True, exist_ok=True)
        for ending in {path.suffix for path in paths}:
            same = [path for path in paths if path.suffix == ending]
            write_sound(same[0], seconds=0.01)
            content = same[0].read_bytes()
            for path in same[1:]:
                path.write_bytes(content)

    return write


@pytest.fixture
def emodb_tree(tmp_path, fill) -> Path:
    """wav/03a01Fa.wav …: 535 files with the published counts."""
    names = [
        f"{speaker}{sentence}{letter}{version}"
        for letter, count in EMODB_LETTERS.items()
        for version, sentence, speaker in islice(product("abc", EMODB_SENTENCES, EMODB_SPEAKERS), count)
    ]
    fill([tmp_path / "emodb" / "wav" / f"{name}.wav" for name in names])
    return tmp_path / "emodb"


@pytest.fixture
def ravdess_tree(tmp_path, fill) -> Path:
    """Actor_01/03-01-01-01-01-01-01.wav …: 1440 files."""
    paths = []
    for actor, emotion, intensity, sentence, repetition in product(
        range(1, 25), range(1, 9), (1, 2), (1, 2), (1, 2)
    ):
        if emotion == 1 and intensity == 2:
            continue  # neutral is spoken at one intensity
        name = f"03-01-{emotion:02d}-{intensity:02d}-{sentence:02d}-{repetition:02d}-{actor:02d}.wav"
        paths.append(tmp_path / "ravdess" / f"Actor_{actor:02d}" / name)
    fill(paths)
    return tmp_path / "ravdess"
