"""`sernb explore`: predictions to click, see and listen to, without a notebook."""

import json
from pathlib import Path
from typing import Annotated

import typer

from sernb.commands.options import OfLoader, OnBad, Root, check_corpus, loader_options, pairs
from sernb.core.errors import SernbError


def explore(
    predictions: Annotated[
        Path, typer.Argument(help="A CSV of predictions: utterance, emotion, predicted, …")
    ],
    corpus: Annotated[
        str,
        typer.Option(help="The corpus that was predicted (`sernb corpora`), for sound, words and filters."),
    ] = "",
    root: Root = None,
    parameter: OfLoader = None,
    on_bad: OnBad = "raise",
    html: Annotated[
        Path | None, typer.Option(help="Write one HTML file instead, which needs no server.")
    ] = None,
    cap: Annotated[
        float, typer.Option(min=0.1, help="With --html: at most so many MB, sounds included.")
    ] = 20.0,
    notes: Annotated[
        Path | None, typer.Option(help="A CSV of notes to go on with; what you note is kept there.")
    ] = None,
    view: Annotated[Path | None, typer.Option(help="A saved view (JSON) to begin with.")] = None,
    title: Annotated[str, typer.Option(help="What stands above it; by default the file's name.")] = "",
    port: Annotated[int, typer.Option(help="The port of the page; 0: any that is free.")] = 0,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Only say where the page is.")] = False,
):
    """Look at predictions in your browser: click a cell of the confusion matrix and hear what went wrong.

    The page is served to this machine alone, until Ctrl-C. With --html it becomes one file. Exit code 2: a wrong argument,
    or a file that cannot be read.
    """
    try:
        utterances = None
        if root and not corpus:
            raise SernbError(
                f"--root {root} is the folder of a corpus: name it with --corpus (`sernb corpora` lists them)."
            )
        check_corpus(corpus, root)
        if corpus:
            from sernb import corpora

            options = loader_options(corpus, pairs(parameter or []))
            utterances = corpora.load(corpus, root, on_bad=on_bad, **options)
        from sernb.explorer import explore as make
        from sernb.explorer import write_notes
        from sernb.explorer.page import write_page
        from sernb.explorer.server import serve

        explorer = make(
            predictions,
            utterances,
            title=title or predictions.stem,
            notes=notes if notes and notes.exists() else None,
            view=read_view(view) if view else None,
        )
        for notice in explorer.state["notices"]:
            typer.echo(notice, err=True)
        if html:
            text, count = explorer.html(cap=int(cap * 1_000_000))
            write_page(text, html)
            clips = f"{count:,} clip{'' if count == 1 else 's'}"
            typer.echo(
                f"Written: {html} ({html.stat().st_size / 1e6:.1f} MB, {clips}). It opens in any browser, without a network."
            )
            if count:
                typer.echo(
                    f"It holds recordings of the corpus ({clips}): mind its licence before you pass it on."
                )
            return
        if not notes:
            typer.echo("Notes last as long as this runs; --notes FILE.csv keeps them.")
        keep = (lambda one: write_notes(one.notes_table(), notes)) if notes else None
        serve(explorer, port, not no_browser, typer.echo, keep)
    except (SernbError, OSError) as error:
        typer.echo(f"sernb: {error}", err=True)
        raise typer.Exit(2) from None
    if explorer.notes and not notes:
        typer.echo(
            f"{len(explorer.notes)} notes were not kept in a file: next time --notes FILE.csv keeps them."
        )


def read_view(path: Path) -> dict:
    """The view in a JSON file; SernbError for a file that holds none."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise SernbError(f"{path}: cannot be read as a view (JSON): {problem}") from problem
