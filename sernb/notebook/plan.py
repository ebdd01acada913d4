"""Which notebooks to run and with what parameters, settled and checked before anything runs."""

import ast
import builtins
import json
import typing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, TypeAdapter, ValidationError

import sernb
from sernb.core.errors import SernbError


@dataclass(frozen=True)
class Parameter:
    """One assignment of a notebook's `parameters` cell: its type as written there, and its default."""

    type: str
    default: object


@dataclass(frozen=True)
class Plan:
    """One notebook to run: `given` are the parameters to inject, `parameters` all, defaults included."""

    name: str
    path: Path
    given: dict
    parameters: dict


class Profile(BaseModel, extra="forbid"):
    """A file of notebooks/profiles: values for all notebooks, and for each."""

    name: str = ""
    description: str = ""
    parameters: dict[str, Any] = {}
    notebooks: dict[str, dict[str, Any]] = {}


def make_plans(wanted, profile, given, folder=None):
    """One `Plan` for each notebook: its own defaults, then the profile's values, then `given`.

    A value reaches each notebook that has a parameter of that name.

    Args:
        wanted: notebooks by number, name or path; [] for all.
        profile: the name of a file in the folder `profiles`.
        given: {name: text or value}.
        folder: of the notebooks; None: where `notebook_folder` finds them.

    Raises:
        SernbError: for anything that cannot be run so, before anything runs.
    """
    folder = folder or notebook_folder()
    paths = find_notebooks(wanted, folder)
    known = {path.stem: parameters_of(path) for path in [*folder.glob("*.ipynb"), *paths]}
    profiles = load_profile(profile, folder, known)
    names = [path.stem for path in paths]
    check_names(given, set().union(*(known[name] for name in names)), ", ".join(names))

    plans = []
    for path in paths:
        own, source = known[path.stem], f"profile {profile}, {path.stem}"
        levels = [(profiles[""], source), (profiles.get(path.stem, {}), source), (given, path.stem)]
        values = [(*item, where) for level, where in levels for item in level.items() if item[0] in own]
        chosen = {name: coerce(name, value, own[name], where) for name, value, where in values}
        defaults = {name: parameter.default for name, parameter in own.items()}
        plans.append(Plan(path.stem, path, chosen, defaults | chosen))
    return plans


def notebook_folder():
    """The folder of notebooks: ./notebooks, or that of the checkout that sernb is imported from.

    Raises SernbError when neither has a folder `profiles`.
    """
    places = [Path.cwd() / "notebooks", Path(sernb.__file__).resolve().parents[1] / "notebooks"]
    for place in places:
        if (place / "profiles").is_dir():
            return place
    raise SernbError(
        f"No folder of notebooks: looked for {places[0]} and {places[1]}. Call sernb from its checkout."
    )


def find_notebooks(wanted, folder):
    """Paths of the notebooks `wanted`: numbers ("7", "07"), names or paths; without one, all of the folder.

    Raises SernbError that lists the notebooks there are, for an unknown or repeated one.
    """
    known = sorted(folder.glob("*.ipynb"))
    if not known and not wanted:
        raise SernbError(f"There is no notebook in {folder}; `make notebooks` makes them from their text.")
    found = []
    for word in map(str, wanted):
        number = word.lstrip("0") if word.isdigit() else None
        hits = [
            path
            for path in known
            if word in (path.stem, path.name) or path.stem.split("_")[0].lstrip("0") == number
        ]
        if not hits and word.endswith(".ipynb") and Path(word).is_file():
            hits = [Path(word).resolve()]
        if len(hits) != 1:
            problem = "There is no notebook" if not hits else "More than one notebook answers to"
            names = ", ".join(path.stem for path in known) or "none"
            raise SernbError(f"{problem} {word!r}. Notebooks in {folder}: {names}.")
        found += hits
    names = [path.stem for path in found]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise SernbError(f"Named twice: {', '.join(twice)}. Name each notebook once.")
    return found or known


def parameters_of(path):
    """The parameters of a notebook, from its cell tagged `parameters`, as {name: Parameter}.

    papermill's own inspection is not used: it misses `x: int | None = 3` and any value that holds "=". Nor is
    nbformat, whose import alone takes longer than all that is done here.
    """
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        code = [cell for cell in cells if cell["cell_type"] == "code"]
        sources = [
            "".join(cell["source"]) for cell in code if "parameters" in cell["metadata"].get("tags", [])
        ]
        statements = [statement for source in sources for statement in ast.parse(source).body]
    except (OSError, ValueError, SyntaxError, KeyError, TypeError, AttributeError) as error:
        raise SernbError(f"{path} is not a readable notebook: {error}") from error

    found = {}
    for statement in statements:
        if not isinstance(statement, (ast.Assign, ast.AnnAssign)) or statement.value is None:
            continue
        typed = isinstance(statement, ast.AnnAssign)
        name = ast.unparse(statement.target if typed else statement.targets[0])
        try:
            default = ast.literal_eval(statement.value)
        except ValueError as error:
            value = ast.unparse(statement.value)
            raise SernbError(
                f"{path}: the default of parameter {name} is not a plain value: {value}"
            ) from error
        found[name] = Parameter(
            ast.unparse(statement.annotation) if typed else type(default).__name__, default
        )
    return found


def coerce(name, value, parameter, source):
    """`value` in the type that the notebook states for the parameter; text is read ("3" is an int where one
    is due).

    Raises SernbError that names the parameter, its type, its default and what came.
    """
    try:
        # the notebook itself will run this too
        wanted = eval(parameter.type, {**vars(typing), **vars(builtins)})
    except Exception:
        wanted = typing.Any
    if parameter.default is None and parameter.type == "NoneType":
        wanted = typing.Any
    readings = [value]
    if isinstance(value, str):
        readings += [None] if value.lower() in ("none", "null") else []
        readings += [read for read in (structure(value), structure(f"[{value}]")) if read is not None]
    for reading in readings:
        try:
            result = TypeAdapter(wanted).validate_python(reading)
        except ValidationError:
            continue
        return list(result) if isinstance(result, tuple) else result  # papermill writes tuples as text
    raise SernbError(
        f"{source}: parameter {name} takes {parameter.type} (default {parameter.default!r}), not {value!r}."
    )


def structure(text):
    """The list or mapping that text stands for ("[1, 2]", "{a: 1}"), or None."""
    try:
        read = yaml.safe_load(text)
    except yaml.YAMLError:
        return None
    return read if isinstance(read, (list, dict)) else None


def load_profile(name, folder, known):
    """The profile `name` as {notebook name or "": {parameter: value}}; `known` maps notebooks to parameters.

    Raises SernbError that lists what is valid, for an unknown profile, key, notebook or parameter.
    """
    files = {path.stem: path for path in sorted((folder / "profiles").glob("*.yaml"))}
    if name not in files:
        raise SernbError(f"There is no profile {name!r}. Profiles: {', '.join(files) or 'none'}.")
    file = files[name]
    try:
        content = Profile.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")) or {})
    except (yaml.YAMLError, ValidationError) as error:
        raise SernbError(f"{file} is no profile: {error}") from error

    check_names(content.parameters, set().union(*known.values()), f"{file}, parameters")
    for notebook, values in content.notebooks.items():
        if notebook not in known:
            raise SernbError(
                f"{file} names the notebook {notebook!r}. Notebooks: {', '.join(sorted(known))}."
            )
        check_names(values, known[notebook], f"{file}, {notebook}")
    return {"": content.parameters, **content.notebooks}


def check_names(given, valid, source):
    """SernbError for a parameter that none of the notebooks has, listing those there are."""
    if unknown := sorted(set(given) - set(valid)):
        raise SernbError(
            f"{source}: no parameter {', '.join(unknown)}. Parameters: {', '.join(sorted(valid)) or 'none'}."
        )
