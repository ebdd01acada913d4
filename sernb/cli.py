"""The command line: `sernb run`, `explore`, `predict`, `corpora`, `fetch`, `audit`, `params`."""

import json
import signal
import warnings
from pathlib import Path
from typing import Annotated

import typer

import sernb
from sernb.commands.explore import explore
from sernb.commands.options import (
    NameValue,
    OfLoader,
    OnBad,
    Root,
    check_corpus,
    loader_options,
    named,
    pairs,
)
from sernb.commands.predict import predict
from sernb.core.errors import SernbError

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


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


@app.command()
def corpora():
    """List the corpora: what each is, its licence, where to get it, the folder expected, and whether it is there."""
    from sernb.corpora import overview

    for name, corpus in overview().iterrows():
        typer.echo(f"{name}: {corpus['title']}")
        for field in corpus.index.drop("title"):
            typer.echo(f"  {field:<8} {corpus[field]}")


@app.command()
def fetch(
    name: Annotated[str, typer.Argument(help="A corpus of `sernb corpora` that is public.")],
    root: Annotated[
        Path | None, typer.Option(help="The folder to put it in; by default where sernb looks first.")
    ] = None,
    sha256: Annotated[
        str, typer.Option(help="The sum that you know, of a corpus whose sum sernb does not.")
    ] = "",
    recordings: Annotated[
        bool, typer.Option("--recordings", help="MELD: its clips too (11 GB of video).")
    ] = False,
):
    """Download a public corpus, check its sums and unpack it; a download that was cut off goes on.

    Exit code 2: it cannot be had this way, or it failed; the message says what to do.
    """
    try:
        from sernb.corpora.fetch import fetch as fetch_corpus

        folder = fetch_corpus(name, root, sha256 or None, recordings, say=typer.echo)
    except SernbError as error:
        typer.echo(f"sernb: {error}", err=True)
        raise typer.Exit(2) from None
    typer.echo(f"{name} is in {folder}.")


@app.command(cls=NameValue)
def run(
    notebooks: Annotated[
        list[str] | None,
        typer.Argument(help="Notebooks by number (7), name or path; all where none is named."),
    ] = None,
    profile: Annotated[
        str, typer.Option(help="smoke, laptop, full or tuned: see notebooks/profiles.")
    ] = "laptop",
    corpus: Annotated[str, typer.Option(help="A corpus of `sernb corpora`.")] = "",
    root: Root = None,
    parameter: Annotated[
        list[str] | None,
        typer.Option("-p", metavar="NAME VALUE", help="A parameter of the notebooks; may be repeated."),
    ] = None,
    on_bad: Annotated[str, typer.Option(help="raise or skip: what to do about unreadable files.")] = "",
    out: Annotated[Path, typer.Option(help="The folder of the report.")] = Path("reports/latest"),
    jobs: Annotated[int, typer.Option(min=1, help="Notebooks at a time.")] = 1,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume", help="Skip what succeeded and has not changed since (notebook, parameters, sernb)."
        ),
    ] = False,
):
    """Run notebooks and write a report: pages, an index and summary.json.

    Exit code 0: every code cell of every notebook completed. 1: something failed (the report says what).
    2: a wrong argument, before anything ran. 130: interrupted (the finished notebooks are kept for --resume).
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ended by others: tidy up as after Ctrl-C
    try:
        from sernb.corpora.folder import check_on_bad
        from sernb.notebook.plan import make_plans

        given = pairs(parameter or []) | named(corpus=corpus, on_bad=on_bad)
        given |= named(root=check_corpus(given.get("corpus", ""), root or given.get("root")))
        if given.get("on_bad"):
            check_on_bad(given["on_bad"])
        plans = make_plans(notebooks or [], profile, given)
        from sernb.notebook.run import run as run_plans

        summary = run_plans(plans, out, profile, jobs, resume)
    except SernbError as error:
        typer.echo(f"sernb: {error}", err=True)
        raise typer.Exit(2) from None
    typer.echo(f"Report: {out / 'index.html'}")
    raise typer.Exit({"succeeded": 0, "failed": 1, "interrupted": 130}[summary["status"]])


app.command(cls=NameValue)(explore)
app.command()(predict)


@app.command(cls=NameValue)
def audit(
    corpus: Annotated[str, typer.Option(help="A corpus of `sernb corpora`.")],
    root: Root = None,
    parameter: OfLoader = None,
    protocol: Annotated[
        str, typer.Option(help="Who is trained on and tested (docs/corpora.md); by default the corpus's own.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit code 1 where a leak is found.")] = False,
    jobs: Annotated[int, typer.Option(min=1, help="Recordings heard at a time.")] = 1,
    on_bad: OnBad = "raise",
):
    """Look for leaks in a corpus and its folds, and for what gives labels away.

    Exit code 0: the audit was made, whatever it found. 1: it found a leak, with --strict. 2: a wrong argument, or a
    corpus that cannot be read.
    """
    try:
        from sernb.corpora.folder import check_on_bad

        check_on_bad(on_bad)
        check_corpus(corpus, root)
        from sernb import corpora, protocols
        from sernb.evaluation.audit import audit as make_audit
        from sernb.evaluation.audit import wording

        options = loader_options(corpus, pairs(parameter or []))
        utterances = corpora.load(corpus, root, on_bad=on_bad, **options)
        folds = None
        if protocol:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # that speakers are shared is a finding
                folds = protocols.by_name(protocol, utterances)
            protocol = protocols.default(utterances) if protocol == "auto" else protocol
        findings = make_audit(utterances, folds, jobs=jobs)
    except SernbError as error:
        typer.echo(f"sernb: {error}", err=True)
        raise typer.Exit(2) from None
    findings.attrs["protocol"] = protocol or findings.attrs["protocol"]
    about = {
        "corpus": corpus,
        "options": options,
        "utterances": len(utterances),
        "notes": utterances.attrs["notes"],
    }
    title = f"{corpus}, {len(utterances):,} utterances"
    typer.echo(wording.as_json(findings, **about) if as_json else wording.as_text(findings, title))
    if strict and (findings["severity"] == "leak").any():
        raise typer.Exit(1)


@app.command()
def params(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, module by module.")] = False,
):
    """Count the parameters of 3M-SER and its students (Tables I and II, and all of them), and of the audio-textual
    regressors (Table 1)."""
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


if __name__ == "__main__":
    app()
