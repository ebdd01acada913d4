"""Sentences to learn from: drawn from the grammar of the embedded corpus, without any that the corpus says.

    python -m making.pretraining.sentences [--count 1500] [--seed 1] [--out FILE]

writes those that come with the kit (`sernb.corpora.embedded.sentences`; notebook 03 has a teacher read them),
one a line.
"""

import argparse
import random
import re
import sys
from collections.abc import Callable, Iterable
from itertools import count
from pathlib import Path

from making.generator.grammar import Grammar, Sentence
from making.generator.knobs import Knobs
from sernb.core.errors import SernbError, exit_code
from sernb.core.files import whole_file
from sernb.corpora import load
from sernb.corpora.embedded import SENTENCES
from sernb.protocols import normalised


def bare(patterns: dict) -> Callable[[str], str]:
    """A function that gives a sentence without its opener ("you know, ...") or closer, in the form that is
    compared."""
    starts, ends = (
        "|".join(normalised(one) for name in names for one in patterns[name])
        for names in (("openers", "openers_of_news"), ("closers",))
    )
    trimmings = re.compile(rf"^(?:{starts}) | (?:{ends})$")
    return lambda text: trimmings.sub("", normalised(text))


def sentences(number: int, seed: int, knobs: Knobs, unwanted: Iterable[str] = ()) -> list[Sentence]:
    """So many different sentences of the grammar: no transcript of the embedded corpus, and none of
    `unwanted`.

    Sentences that differ only in case, punctuation, or their opener or closer are the same one. Good, plain
    and bad ones are drawn in turn; plain ones repeat sooner, so fewer of them remain. Raises SernbError where
    the grammar has not so many.
    """
    grammar = Grammar(random.Random(seed), knobs)
    core = bare(grammar.patterns)
    seen, drawn = {core(text) for text in (*load("embedded")["text"], *unwanted)}, []
    for turn in count():
        if len(drawn) == number:
            grammar.rng.shuffle(drawn)
            return drawn
        if turn > 20 * number + 1000:
            raise SernbError(
                f"{number} different sentences are wanted; the grammar gave {len(drawn)}: ask for fewer."
            )
        sentence = grammar.sentence(turn % 3 - 1, grammar.rng.uniform(-1, 1))
        if (words := core(sentence.text)) not in seen:
            seen.add(words)
            drawn.append(sentence)


def written(number: int, seed: int) -> str:
    """Sentences of the grammar as the embedded corpus has it, one a line."""
    return "".join(f"{sentence.text}\n" for sentence in sentences(number, seed, Knobs()))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser("python -m making.pretraining.sentences")
    parser.add_argument("--count", type=int, default=1500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=SENTENCES)
    return exit_code(_write, parser.parse_args(arguments))


def _write(given: argparse.Namespace) -> None:
    with whole_file(given.out) as beside:
        beside.write_text(written(given.count, given.seed), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
