"""The house holds: a room imports only from rooms of its own level or a lower one, never in a circle.

CONTRIBUTING.md says what each room is for. A test that fails here names the line, and what to do.
"""

import ast
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "sernb"
LEVELS = {
    "core": 1, "models": 1,
    "losses": 2, "corpora": 2, "protocols": 2,
    "features": 3,
    "evaluation": 4, "notebook": 4,
    "studies": 5, "figures": 5,
    "explorer": 6,
    "cli": 7,
}  # fmt: skip
# A reader can lift a network or a loss out of the kit: it stands on torch and transformers alone.
ALONE = {"models": set(), "losses": {"models"}}
LONGEST_FILE = 400


def files():
    return sorted(PACKAGE.rglob("*.py"))


def room_of(module: str) -> str:
    """The room of a module's dotted name: "core" of "sernb.core.tables"."""
    return module.split(".")[1] if module.count(".") else ""


def module_of(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def imports(file: Path) -> list[tuple[int, str, bool]]:
    """(line, module, whether at the top of the file) of what a file imports of sernb's and of making's."""
    found = []
    tree = ast.parse(file.read_text(encoding="utf-8"))
    top = set(map(id, tree.body))
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{file}:{node.lineno}: a relative import; write it out, from sernb..."
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        found += [
            (node.lineno, name, id(node) in top)
            for name in names
            if name.split(".")[0] in ("sernb", "making")
        ]
    return found


def test_nothing_lies_flat_but_the_command_line():
    flat = {file.name for file in PACKAGE.glob("*.py")}
    assert flat == {"__init__.py", "cli.py"}, f"put {sorted(flat - {'__init__.py', 'cli.py'})} into a room"
    rooms = {folder.name for folder in PACKAGE.iterdir() if folder.is_dir() and any(folder.rglob("*.py"))}
    assert rooms | {"cli"} == set(LEVELS), "a new room needs a level here and a line in CONTRIBUTING.md"


@pytest.mark.parametrize("room", LEVELS)
def test_no_arrow_goes_up(room):
    for file in files():
        if room_of(module_of(file)) != room:
            continue
        for line, name, _ in imports(file):
            where = f"{file.relative_to(ROOT)}:{line}"
            assert not name.startswith("making"), f"{where}: the package must do without making/ ({name})"
            other = room_of(name)
            if other not in LEVELS or other == room:
                continue
            assert LEVELS[other] <= LEVELS[room], (
                f"{where}: {room} (level {LEVELS[room]}) imports {name} of {other} (level "
                f"{LEVELS[other]}). Move what is shared down, or hand it in as an argument."
            )
            assert room not in ALONE or other in ALONE[room], (
                f"{where}: {room} stands on torch and transformers alone, and imports {name}"
            )


def test_rooms_form_no_circle():
    below = {room: set() for room in LEVELS}
    for file in files():
        room = room_of(module_of(file))
        below.get(room, set()).update(room_of(name) for _, name, _ in imports(file) if room_of(name) != room)
    try:
        TopologicalSorter({room: others & set(LEVELS) for room, others in below.items()}).prepare()
    except CycleError as circle:
        pytest.fail(f"rooms import each other: {' -> '.join(circle.args[1])}")


def test_files_form_no_circle():
    modules = {module_of(file): file for file in files()}
    below = {}
    for module, file in modules.items():
        names = [name for _, name, at_top in imports(file) if at_top]
        below[module] = {name if name in modules else name.rpartition(".")[0] for name in names} - {module}
    packages = {module for module, file in modules.items() if file.name == "__init__.py"}
    try:  # a package's own list of what it offers stands on its files, not they on it
        TopologicalSorter({module: others - packages for module, others in below.items()}).prepare()
    except CycleError as circle:
        pytest.fail(f"files import each other: {' -> '.join(circle.args[1])}")


def test_files_can_be_read_at_a_sitting():
    lines = {file.relative_to(ROOT).as_posix(): len(file.read_text().splitlines()) for file in files()}
    long = {file: count for file, count in lines.items() if count > LONGEST_FILE}
    assert not long, f"over {LONGEST_FILE} lines, split by topic: {long}"
