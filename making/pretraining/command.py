"""What the makers of the two text encoders ask on the command line."""

import argparse
from collections.abc import Callable
from pathlib import Path

from sernb.core.errors import exit_code


def make_text_encoder(
    work: Callable, script: str, description: str, arguments: list[str] | None, **defaults: int
) -> int:
    """`work(out, number, steps, layers, width, seed)` by the arguments, else `defaults`; the exit code."""
    parser = argparse.ArgumentParser(prog=f"python -m making.pretraining.{script}", description=description)
    parser.add_argument("--out", type=Path, required=True, help="a new folder")
    parser.add_argument("--sentences", type=int, dest="number", metavar="N")
    for name in ("steps", "layers", "width", "seed"):
        parser.add_argument(f"--{name}", type=int)
    parser.set_defaults(**defaults)
    return exit_code(work, **vars(parser.parse_args(arguments)))
