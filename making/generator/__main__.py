"""python -m making.generator build|check|sentences"""

import argparse
import random
import sys
import tempfile
from dataclasses import fields, replace
from pathlib import Path

from making.generator.build import SUMS, build, differences
from making.generator.grammar import Grammar
from making.generator.knobs import Knobs
from sernb.core.errors import SernbError
from sernb.corpora.embedded import FOLDER


def knob(text: str) -> tuple[str, object]:
    name, _, value = text.partition("=")
    kinds = {field.name: field.type for field in fields(Knobs)}
    if name not in kinds or not value:
        raise argparse.ArgumentTypeError(
            f"expected NAME=VALUE with NAME one of {', '.join(kinds)}; got {text!r}"
        )
    if name == "snr":
        low, high = value.split(",")
        return name, (float(low), float(high))
    return name, kinds[name](value)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m making.generator", description="Make the embedded corpus again."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    make = commands.add_parser("build", help="write a corpus into a new folder")
    make.add_argument("--out", type=Path, required=True)
    check = commands.add_parser(
        "check", help="compare the shipped corpus, or one made anew, with its checksums"
    )
    check.add_argument("--folder", type=Path, default=FOLDER)
    check.add_argument("--rebuild", action="store_true", help="make the corpus again first, and compare that")
    show = commands.add_parser("sentences", help="print sentences with their valence")
    show.add_argument("--count", type=int, default=30)
    for command in (make, show):
        command.add_argument("--seed", type=int, default=Knobs.seed)
        command.add_argument("-k", "--knob", type=knob, action="append", default=[], metavar="NAME=VALUE")
    chosen = parser.parse_args(arguments)
    try:
        if chosen.command == "sentences":
            grammar = Grammar(random.Random(chosen.seed), replace(Knobs(), **dict(chosen.knob)))
            for number in range(chosen.count):
                sentence = grammar.sentence(number % 3 - 1, grammar.rng.uniform(-1, 1))
                print(f"{sentence.valence:+d}  {sentence.text}")
        elif chosen.command == "build":
            table = build(chosen.out, replace(Knobs(), seed=chosen.seed, **dict(chosen.knob)))
            print(f"{len(table)} utterances, {table.seconds.sum() / 60:.1f} minutes, in {chosen.out}")
        else:
            with tempfile.TemporaryDirectory() as spare:
                folder = chosen.folder
                if chosen.rebuild:
                    folder = Path(spare) / "corpus"
                    build(folder, Knobs())
                found = differences(folder, chosen.folder / SUMS)
            print("\n".join(found) or "every byte as shipped")
            return 1 if found else 0
    except SernbError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
