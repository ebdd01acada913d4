"""Which notebooks to run and with what parameters, settled and checked before anything runs."""

import ast
import builtins
import json
import typing
from dataclasses import dataclass
from pathlib import Path

import yaml
from pydantic import TypeAdapter, ValidationError

import sernb
from sernb.core.errors import SernbError

PROFILE_KEYS = {"name", "description", "parameters", "notebooks"}


@dataclass(frozen=True)
class Parameter:
    """One assignment of a notebook's `parameters` cell: its type as written there, and its default."""

    type: str
    default: object


@dataclass(frozen=True)
class Plan:
    """One notebook to run: `given` are the parameters to inject, `parameters` all of them, defaults
    included."""

    name: str
    path: Path
    given: dict
    parameters: dict


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
        own, chosen = known[path.stem], {}
        source = f"profile {profile}, {path.stem}"
        for values, where in (
            (profiles[""], source),
            (profiles.get(path.stem, {}), source),
            (given, path.stem),
        ):
            chosen |= {
                name: coerce(name, value, own[name], where) for name, value in values.items() if name in own
            }
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
    """Paths of the notebooks `wanted`: numbers ("7", "07"), names or paths; all of the folder where none is
    named.

    Raises SernbError that lists the notebooks there are, for an unknown or repeated one.
    """
    known = sorted(folder.glob("*.ipynb"))
    if not known and not wanted:
        raise SernbError(f"There is no notebook in {folder}; `make notebooks` makes them from their text.")
    numbers = [path.stem.split("_")[0] for path in known]
    found = []
    for word in map(str, wanted):
        if word.isdigit():
            numbered = zip(numbers, known, strict=True)
            hits = [path for number, path in numbered if number.isdigit() and int(number) == int(word)]
        else:
            hits = [path for path in known if word in (path.stem, path.name)]
            path = Path(word)
            hits = hits or ([path.resolve()] if path.suffix == ".ipynb" and path.is_file() else [])
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
        sources = [
            "".join(cell["source"])
            for cell in cells
            if cell["cell_type"] == "code" and "parameters" in cell["metadata"].get("tags", [])
        ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise SernbError(f"{path} is not a readable notebook: {error}") from error

    found = {}
    for source in sources:
        try:
            statements = ast.parse(source).body
        except SyntaxError as error:
            raise SernbError(f"{path}: the parameters cell is not Python: {error}") from error
        for statement in statements:
            target = statement.targets[0] if isinstance(statement, ast.Assign) else statement
            target = target.target if isinstance(target, ast.AnnAssign) else target
            if not isinstance(target, ast.Name) or statement.value is None:
                continue
            try:
                default = ast.literal_eval(statement.value)
            except ValueError as error:
                written = ast.unparse(statement.value)
                raise SernbError(
                    f"{path}: the default of parameter {target.id} is not a plain value: {written}"
                ) from error
            written = ast.unparse(statement.annotation) if isinstance(statement, ast.AnnAssign) else None
            found[target.id] = Parameter(written or type(default).__name__, default)
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
        content = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
    except yaml.YAMLError as error:
        raise SernbError(f"{file} is not YAML: {error}") from error
    if not isinstance(content, dict) or set(content) - PROFILE_KEYS:
        extra = ", ".join(sorted(set(content) - PROFILE_KEYS)) if isinstance(content, dict) else "no keys"
        raise SernbError(f"{file} has {extra}; a profile has {', '.join(sorted(PROFILE_KEYS))}.")

    common, each = content.get("parameters") or {}, content.get("notebooks") or {}
    check_names(common, set().union(*known.values()), f"{file}, parameters")
    for notebook, values in each.items():
        if notebook not in known:
            raise SernbError(
                f"{file} names the notebook {notebook!r}. Notebooks: {', '.join(sorted(known))}."
            )
        check_names(values or {}, known[notebook], f"{file}, {notebook}")
    return {"": common, **{notebook: values or {} for notebook, values in each.items()}}


def check_names(given, valid, source):
    """SernbError for a parameter that none of the notebooks has, listing those there are."""
    if unknown := sorted(set(given) - set(valid)):
        raise SernbError(
            f"{source}: no parameter {', '.join(unknown)}. Parameters: {', '.join(sorted(valid)) or 'none'}."
        )
