"""Options that several commands take: -p NAME VALUE, a corpus, its folder."""

import inspect
from pathlib import Path
from typing import Annotated

import typer
from typer.core import TyperCommand

from sernb.core.errors import SernbError

Root = Annotated[Path | None, typer.Option(help="The folder (or manifest) of the corpus.")]
OfLoader = Annotated[
    list[str] | None,
    typer.Option(
        "-p",
        metavar="NAME VALUE",
        help="An option of the corpus's loader (docs/corpora.md); may be repeated.",
    ),
]
OnBad = Annotated[str, typer.Option(help="raise or skip: what to do about rows that do not fit.")]


class NameValue(TyperCommand):
    """Lets `-p NAME VALUE` be written as such: typer has no repeated option of two values."""

    def parse_args(self, ctx, args):
        rest, joined = list(args), []
        while rest:
            word = rest.pop(0)
            joined.append(word)
            if word == "-p" and len(rest) > 1 and "=" not in rest[0]:
                joined.append(f"{rest.pop(0)}={rest.pop(0)}")
        return super().parse_args(ctx, joined)


def pairs(words):
    """{name: text} of "name=text" words; SernbError for one without a value."""
    for word in words:
        if "=" not in word:
            raise SernbError(f"-p {word} has no value: write -p {word} VALUE.")
    return dict(word.split("=", 1) for word in words)


def loader_options(corpus, given):
    """`given` {name: text} in the types that the corpus's loader takes; SernbError for what it does not take."""
    from sernb.corpora import CORPORA
    from sernb.notebook.plan import Parameter, check_names, coerce

    known = {
        name: Parameter(inspect.formatannotation(one.annotation), one.default)
        for name, one in CORPORA[corpus].parameters().items()
        if name not in ("root", "on_bad")
    } | {"emotions": Parameter("list[str] | None", None)}
    check_names(given, known, f"corpus {corpus}")
    return {name: coerce(name, text, known[name], f"corpus {corpus}") for name, text in given.items()}


def named(**options):
    """The options that were given."""
    return {name: value for name, value in options.items() if value}


def check_corpus(corpus, root):
    """The absolute root of the corpus ("" where none was given); SernbError when corpus or folder do not exist."""
    from sernb.corpora import CORPORA, find_root

    if corpus and corpus not in CORPORA:
        raise SernbError(f"There is no corpus {corpus!r}. Corpora: {', '.join(CORPORA)}.")
    if root:
        root = Path(root).expanduser()
        if not root.exists():
            raise SernbError(f"--root {root} does not exist. `sernb corpora` says what is expected there.")
        return str(root.resolve())
    if corpus and corpus != "embedded" and find_root(corpus) is None:
        raise SernbError(f"Corpus {corpus} was not found: name its folder with --root (see `sernb corpora`).")
    return ""
