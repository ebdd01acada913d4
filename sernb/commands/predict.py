"""`sernb predict`: what a saved model hears in one's own recordings."""

import sys
import warnings
from pathlib import Path
from typing import Annotated

import typer

from sernb.core.errors import SernbError


def predict(
    files: Annotated[
        list[Path], typer.Argument(help="Sound files, or folders: then all recordings below them.")
    ],
    model: Annotated[
        Path, typer.Option(help="The folder of a model that notebook 02, 04, 06 or 07 saved (-p save DIR).")
    ],
    text: Annotated[
        str | None, typer.Option(help="What is said in the one recording, for a model that reads.")
    ] = None,
    transcripts: Annotated[
        Path | None, typer.Option(help="What is said in each: a CSV with the columns file and text.")
    ] = None,
    csv: Annotated[Path | None, typer.Option(help="Write the answers into this CSV too.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
    on_bad: Annotated[
        str, typer.Option(help="raise or skip: what to do about recordings that cannot be used.")
    ] = "raise",
):
    """Let a saved model hear recordings of yours: emotions with their probabilities, or arousal, valence, dominance.

    A model that reads takes --text or --transcripts, or the words that PocketSphinx hears. docs/your_recordings.md says
    how to get a model, and what its numbers do not mean. Exit code 2: a wrong argument, a folder without a model, or a
    recording that cannot be used.
    """
    try:
        if text is not None and transcripts is not None:
            raise SernbError("--text and --transcripts were both given; one of them says what the words are.")
        from sernb.studies import recordings

        texts = recordings.read_transcripts(transcripts) if transcripts else text
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="recordings: ")  # what was left out is said below
            table = recordings.predict(files, model, texts, on_bad=on_bad)
        if csv:
            recordings.write_csv(table, csv)
    except (SernbError, OSError) as error:
        typer.echo(f"sernb: {error}", err=True)
        raise typer.Exit(2) from None
    for one in table.attrs["skipped"]:
        typer.echo(f"sernb: left out: {recordings.printable(one['path'])}: {one['why']}", err=True)
    if csv:
        typer.echo(f"sernb: written to {csv}", err=True)
    said = recordings.as_json(table) if as_json else recordings.as_text(table)
    typer.echo(recordings.encodable(said, sys.stdout.encoding))
