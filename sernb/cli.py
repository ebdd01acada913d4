"""The command line: `sernb run`, `explore`, `predict`, `corpora`, `fetch`, `audit`, `params`.

What a command needs is imported inside it, and files that it is to read are looked for first: so help and a
wrong word are answered at once.
"""

import functools
import inspect
import json
import signal
import sys
import warnings
from pathlib import Path
from typing import Annotated

import typer
from typer.core import TyperCommand

import sernb
from sernb.core.errors import SernbError, check_on_bad

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)

Root = Annotated[Path | None, typer.Option(help="The folder (or manifest) of the corpus.")]
OF_LOADER = "An option of the corpus's loader (docs/corpora.md); may be repeated."
OfLoader = Annotated[list[str] | None, typer.Option("-p", metavar="NAME VALUE", help=OF_LOADER)]
OnBad = Annotated[str, typer.Option(help="raise or skip: what to do about what cannot be used.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


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


def command(*errors):
    """Makes a command of a function; what it raises of `errors` is told in a sentence, with exit code 2."""

    def made(function):
        @functools.wraps(function)
        def told(**options):
            try:
                function(**options)
            except BrokenPipeError:  # of `sernb … | head`; typer ends quietly
                raise
            except errors as error:
                typer.echo(f"sernb: {error}", err=True)
                raise typer.Exit(2) from None

        return app.command(cls=NameValue)(told)

    return made


def version(wanted: bool):
    if wanted:
        typer.echo(f"sernb {sernb.__version__}")
        raise typer.Exit


@app.callback()
def main(
    show_version: Annotated[
        bool, typer.Option("--version", callback=version, is_eager=True, help="Print the version.")
    ] = False,
):
    """A notebook-based study kit for speech emotion recognition."""


@command(SernbError)
def corpora():
    """List the corpora: what each is, its licence, where to get it, its folder, and whether it is there."""
    from sernb.corpora import overview

    for name, corpus in overview().iterrows():
        typer.echo(f"{name}: {corpus['title']}")
        for field in corpus.index.drop("title"):
            typer.echo(f"  {field:<8} {corpus[field]}")


@command(SernbError)
def fetch(
    name: Annotated[str, typer.Argument(help="A corpus of `sernb corpora` that is public.")],
    root: Annotated[
        Path | None, typer.Option(help="Where to put it; by default where sernb looks first.")
    ] = None,
    sha256: Annotated[str, typer.Option(help="The sum that you know, where sernb does not.")] = "",
    recordings: Annotated[bool, typer.Option("--recordings", help="MELD: its clips too (11 GB).")] = False,
):
    """Download a public corpus, check its sums and unpack it; a download that was cut off goes on.

    Exit code 2: it cannot be had this way, or it failed; the message says what to do.
    """
    from sernb.corpora.fetch import fetch as fetch_corpus

    folder = fetch_corpus(name, root, sha256 or None, recordings)
    typer.echo(f"{name} is in {folder}.")


@command(SernbError)
def run(
    notebooks: Annotated[
        list[str] | None, typer.Argument(help="Notebooks by number (7), name or path; without one, all.")
    ] = None,
    profile: Annotated[
        str, typer.Option(help="smoke, laptop, full or tuned: notebooks/profiles.")
    ] = "laptop",
    corpus: Annotated[str, typer.Option(help="A corpus of `sernb corpora`.")] = "",
    root: Root = None,
    parameter: Annotated[
        list[str] | None,
        typer.Option("-p", metavar="NAME VALUE", help="A parameter of the notebooks; may be repeated."),
    ] = None,
    on_bad: OnBad = "",
    out: Annotated[Path, typer.Option(help="The folder of the report.")] = Path("reports/latest"),
    jobs: Annotated[int, typer.Option(min=1, help="Notebooks at a time.")] = 1,
    resume: Annotated[
        bool, typer.Option("--resume", help="Skip what succeeded and has not changed since.")
    ] = False,
):
    """Run notebooks and write a report: pages, an index and summary.json.

    Exit code 0: every code cell of every notebook completed. 1: something failed (the report says what).
    2: a wrong argument, before anything ran. 130: interrupted (the finished notebooks are kept for --resume).
    """
    # ended by others: tidy up as after Ctrl-C
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    options = {"corpus": corpus, "root": root, "on_bad": on_bad}
    given = pairs(parameter) | {name: value for name, value in options.items() if value}
    if folder := check_corpus(given.get("corpus"), given.get("root"), given.get("on_bad") or "raise"):
        given["root"] = folder
    from sernb.notebook.plan import make_plans

    plans = make_plans(notebooks or [], profile, given)
    from sernb.notebook.run import run as run_plans

    summary = run_plans(plans, out, profile, jobs, resume)
    typer.echo(f"Report: {out / 'index.html'}")
    raise typer.Exit({"succeeded": 0, "failed": 1, "interrupted": 130}[summary["status"]])


@command(SernbError, OSError)
def explore(
    predictions: Annotated[Path, typer.Argument(help="A CSV: utterance, emotion, predicted, …")],
    corpus: Annotated[
        str, typer.Option(help="Its corpus, for sound, words and filters (`sernb corpora`).")
    ] = "",
    root: Root = None,
    parameter: OfLoader = None,
    on_bad: OnBad = "raise",
    html: Annotated[Path | None, typer.Option(help="Write one HTML file, which needs no server.")] = None,
    cap: Annotated[float, typer.Option(min=0.1, help="With --html: at most so many MB, with sounds.")] = 20.0,
    notes: Annotated[
        Path | None, typer.Option(help="A CSV of notes to go on with, and to keep yours.")
    ] = None,
    view: Annotated[Path | None, typer.Option(help="A saved view (JSON) to begin with.")] = None,
    title: Annotated[str, typer.Option(help="What stands above it; by default the file's name.")] = "",
    port: Annotated[int, typer.Option(help="The port of the page; 0: any that is free.")] = 0,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Only say where the page is.")] = False,
):
    """Look at predictions in your browser: click a cell of the confusion matrix and hear what went wrong.

    The page is served to this machine alone, until Ctrl-C. With --html it becomes one file. Exit code 2: a
    wrong argument, or a file that cannot be read.
    """
    # what was named, before anything is loaded
    must_exist([predictions, view])
    if root and not corpus:
        raise SernbError(
            f"--root {root} is the folder of a corpus: name it with --corpus (`sernb corpora` lists them)."
        )
    utterances = loaded(corpus, root, parameter, on_bad) if corpus else None

    # the explorer
    from sernb.explorer import explore as explorer_of
    from sernb.explorer import write_notes

    explorer = explorer_of(
        predictions,
        utterances,
        title=title or predictions.stem,
        notes=notes if notes and notes.exists() else None,
        view=read_view(view) if view else None,
    )
    for notice in explorer.state["notices"]:
        typer.echo(notice, err=True)

    # as a file
    if html:
        from sernb.explorer.page import write_page

        text, count = explorer.html(cap=int(cap * 1_000_000))
        write_page(text, html)
        clips = f"{count:,} clip{'' if count == 1 else 's'}"
        size = f"{html.stat().st_size / 1e6:.1f} MB, {clips}"
        typer.echo(f"Written: {html} ({size}). It opens in any browser, without a network.")
        if count:
            typer.echo(
                f"It holds recordings of the corpus ({clips}): mind its licence before you pass it on."
            )
        return

    # or as a page of this machine
    from sernb.explorer.server import serve

    if not notes:
        typer.echo("Notes last as long as this runs; --notes FILE.csv keeps them.")
    keep = (lambda served: write_notes(served.notes_table(), notes)) if notes else None
    serve(explorer, port, not no_browser, typer.echo, keep)
    if explorer.notes and not notes:
        typer.echo(
            f"{len(explorer.notes)} notes were not kept in a file: next time --notes FILE.csv keeps them."
        )


@command(SernbError, OSError)
def predict(
    files: Annotated[list[Path], typer.Argument(help="Sound files, or folders: all recordings below them.")],
    model: Annotated[
        Path, typer.Option(help="The folder of a model of notebook 02, 04, 06 or 07 (-p save).")
    ],
    text: Annotated[str | None, typer.Option(help="What is said in the one recording.")] = None,
    transcripts: Annotated[Path | None, typer.Option(help="What is said: a CSV of file and text.")] = None,
    csv: Annotated[Path | None, typer.Option(help="Write the answers into this CSV too.")] = None,
    as_json: AsJson = False,
    on_bad: OnBad = "raise",
):
    """Let a saved model hear recordings of yours: emotions with their probabilities, or arousal, valence,
    dominance.

    A model that reads takes --text or --transcripts, or the words that PocketSphinx hears.
    docs/your_recordings.md says how to get a model, and what its numbers do not mean. Exit code 2: a wrong
    argument, a folder without a model, or a recording that cannot be used.
    """
    if text is not None and transcripts is not None:
        raise SernbError("--text and --transcripts were both given; one of them says what the words are.")
    must_exist([model], "folder")
    must_exist([transcripts])
    from sernb.studies import recordings

    texts = recordings.read_transcripts(transcripts) if transcripts else text
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="recordings: ")  # what was left out is said below
        table = recordings.predict(files, model, texts, on_bad=on_bad)
    if csv:
        recordings.write_csv(table, csv)
    for bad in table.attrs["skipped"]:
        typer.echo(f"sernb: left out: {recordings.printable(bad['path'])}: {bad['why']}", err=True)
    if csv:
        typer.echo(f"sernb: written to {csv}", err=True)
    answer = recordings.as_json(table) if as_json else recordings.as_text(table)
    typer.echo(recordings.encodable(answer, sys.stdout.encoding))


@command(SernbError)
def audit(
    corpus: Annotated[str, typer.Option(help="A corpus of `sernb corpora`.")],
    root: Root = None,
    parameter: OfLoader = None,
    protocol: Annotated[str, typer.Option(help="Who is tested (docs/corpora.md); by default its own.")] = "",
    as_json: AsJson = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit code 1 where a leak is found.")] = False,
    jobs: Annotated[int, typer.Option(min=1, help="Recordings heard at a time.")] = 1,
    on_bad: OnBad = "raise",
):
    """Look for leaks in a corpus and its folds, and for what gives labels away.

    Exit code 0: the audit was made, whatever it found. 1: it found a leak, with --strict. 2: a wrong
    argument, or a corpus that cannot be read.
    """
    # the corpus and its folds
    utterances, folds = loaded(corpus, root, parameter, on_bad), None
    from sernb import protocols
    from sernb.evaluation.audit.audit import as_json as json_of
    from sernb.evaluation.audit.audit import as_text
    from sernb.evaluation.audit.audit import audit as make_audit

    if protocol:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # that speakers are shared is a finding
            folds = protocols.by_name(protocol, utterances)
        protocol = protocols.default(utterances) if protocol == "auto" else protocol

    # the findings, and how they are told
    findings = make_audit(utterances, folds, jobs=jobs)
    findings.attrs["protocol"] = protocol or findings.attrs["protocol"]
    about = {
        "corpus": corpus,
        "options": loader_options(corpus, parameter),
        "utterances": len(utterances),
        "notes": utterances.attrs["notes"],
    }
    title = f"{corpus}, {len(utterances):,} utterances"
    typer.echo(json_of(findings, **about) if as_json else as_text(findings, title))
    if strict and (findings["severity"] == "leak").any():
        raise typer.Exit(1)


@command(SernbError)
def params(as_json: AsJson = False):
    """Count the parameters of 3M-SER and its students (Tables I and II), and of the audio-text regressors."""
    from sernb.studies import sizes

    table = sizes.tables()
    if not as_json:
        typer.echo(sizes.in_words(table))
        typer.echo(f"Tables I and II leave out: {', '.join(sizes.LEFT_OUT)}.\n")
        typer.echo("Table 1 of the audio-textual regressors, parameters in millions:")
        typer.echo((sizes.regressors() / 1e6).round(3).rename_axis(None).to_string())
        return
    rows = [
        {
            "layers": int(layers),
            **row,
            "modules": sizes.modules(sizes.of_depth(None, layers)).to_dict("index"),
        }
        for layers, row in zip(table.index, table.to_dict("records"), strict=True)
    ]
    regressors = sizes.regressors().to_dict("index")
    typer.echo(json.dumps({"3M-SER": rows, "audio-textual": regressors}, indent=1))


def pairs(words):
    """{name: text} of "name=text" words; SernbError for one without a value."""
    for word in words or []:
        if "=" not in word:
            raise SernbError(f"-p {word} has no value: write -p {word} VALUE.")
    return dict(word.split("=", 1) for word in words or [])


def must_exist(paths, what="file"):
    """SernbError that names the first of the paths (None: not named) that does not exist."""
    for path in paths:
        if path and not path.exists():
            raise SernbError(f"{path}: no such {what}.")


def check_corpus(corpus, root, on_bad="raise"):
    """The absolute root of the corpus ("" where none was given); SernbError where corpus or folder do not
    exist."""
    if not corpus and not root and on_bad == "raise":
        return ""
    from sernb.corpora import CORPORA, INSIDE, find_root

    check_on_bad(on_bad)
    if corpus and corpus not in CORPORA:
        raise SernbError(f"There is no corpus {corpus!r}. Corpora: {', '.join(CORPORA)}.")
    if root:
        root = Path(root).expanduser()
        if not root.exists():
            raise SernbError(f"--root {root} does not exist. `sernb corpora` says what is expected there.")
        return str(root.resolve())
    if corpus and corpus not in INSIDE and find_root(corpus) is None:
        raise SernbError(f"Corpus {corpus} was not found: name its folder with --root (see `sernb corpora`).")
    return ""


def loader_options(corpus, parameter):
    """The -p words in the types that the corpus's loader takes; SernbError for what it does not take."""
    from sernb.corpora import options_of
    from sernb.notebook.plan import Parameter, check_names, coerce

    given, source = pairs(parameter), f"corpus {corpus}"
    known = {
        name: Parameter(inspect.formatannotation(taken.annotation), taken.default)
        for name, taken in options_of(corpus).items()
    } | {"emotions": Parameter("list[str] | None", None)}
    check_names(given, known, source)
    return {name: coerce(name, text, known[name], source) for name, text in given.items()}


def loaded(corpus, root, parameter, on_bad):
    """The utterances of a corpus, as the options of a command name it."""
    check_corpus(corpus, root, on_bad)
    from sernb import corpora

    return corpora.load(corpus, root, on_bad=on_bad, **loader_options(corpus, parameter))


def read_view(path: Path) -> dict:
    """The view in a JSON file; SernbError for a file that holds none."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise SernbError(f"{path}: cannot be read as a view (JSON): {problem}") from problem


if __name__ == "__main__":
    app()
