"""The explorer's front end: parts that are joined into one ES module, which needs no build step."""

from pathlib import Path

from sernb.core.errors import SernbError

PARTS = ("rows.js", "dom.js", "matrix.js", "list.js", "clip.js", "plots.js", "quiz.js", "main.js")
FOLDER = Path(__file__).parent


def module() -> str:
    """The ES module: all PARTS, in their order. It ends with `export default { render };`."""
    return "\n".join(read(name) for name in PARTS)


def read(name: str) -> str:
    """A file of this folder, lines ended by \\n alone. SernbError where it is missing."""
    try:
        return (FOLDER / name).read_text(encoding="utf-8").replace("\r\n", "\n")
    except OSError as problem:
        raise SernbError(
            f"{FOLDER / name}: a part of the explorer is missing ({problem.strerror}); install sernb again."
        ) from problem
