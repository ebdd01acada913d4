"""The explorer's front end: ES modules without a build step; where one text is wanted, they are joined."""

import re
from pathlib import Path

from sernb.core.errors import SernbError

PARTS = (
    "words.js", "dom.js", "colors.js", "view.js", "rows.js", "list.js", "player.js", "clip.js", "matrix.js",
    "plots.js", "quiz.js", "controls.js", "python.js", "main.js",
)  # fmt: skip
FOLDER = Path(__file__).parent


def module() -> str:
    """The ES module of the widget, all PARTS in one; it ends with `export default { render };`.

    A saved page may run no other script than its own text, so nothing can be imported there, and a widget has
    one text, too: the imports go, and the parts share one scope.
    """
    return "\n".join(map(joined, PARTS))


def joined(name: str) -> str:
    """A module without its imports, and without the word export before what it declares."""
    text = re.sub(r"^import [^;]*;\n", "", read(name), flags=re.MULTILINE)
    return re.sub(r"^export (?!default)", "", text, flags=re.MULTILINE)


def read(name: str) -> str:
    """A file of this folder, lines ended by \\n alone. SernbError where it is missing."""
    try:
        return (FOLDER / name).read_text(encoding="utf-8").replace("\r\n", "\n")
    except OSError as problem:
        raise SernbError(
            f"{FOLDER / name}: a part of the explorer is missing ({problem.strerror}); install sernb again."
        ) from problem
