"""A trained speech student on disk, with the scaling of what it hears."""

from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError

from sernb.core.errors import SernbError
from sernb.core.files import whole_folder, write_about
from sernb.features.frames import Scaling
from sernb.models.speech_student import SpeechStudent


def save_student(
    student: SpeechStudent, scaling: Scaling, folder: str | Path, about: Mapping | None = None
) -> Path:
    """Write config.json, model.safetensors and scaling.safetensors into `folder`, whole or not at all.

    about: what else is known, in about.json (`sernb.core.files`): its `features`, if they are not log-mel bands.
    """
    with whole_folder(folder) as beside:
        student.save_pretrained(beside)
        scaling.save(beside)
        write_about(beside, about)
    return Path(folder)


def load_student(folder: str | Path) -> tuple[SpeechStudent, Scaling]:
    """What `save_student` wrote. Raises SernbError for a folder that is incomplete, or holds another model."""
    folder = Path(folder)
    for file in ("config.json", "model.safetensors"):
        if not (folder / file).is_file():
            raise SernbError(f"{folder}: there is no {file}; expected a student that save_student wrote.")
    scaling = Scaling.read(folder)
    try:
        return SpeechStudent.from_pretrained(str(folder), strict=True), scaling
    except (AttributeError, RuntimeError, SafetensorError, TypeError, ValueError) as problem:
        first = str(problem).strip().splitlines()[0]
        raise SernbError(f"{folder}: this is no speech student ({first}).") from problem
