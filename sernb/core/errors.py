"""The one error that sernb raises for input it cannot use; how messages name many, and commands say it."""

import sys
import warnings
from collections.abc import Callable

SHOWN = 10  # of what cannot be used, what a message spells out; the rest are counted


class SernbError(ValueError):
    """Input that cannot be used: the message names it, what was expected, what came, and what to do."""


def some(names, shown: int = 5) -> str:
    """The first few names, and how many more there are."""
    names = [str(name) for name in names]
    return ", ".join(names[:shown]) + (f" and {len(names) - shown} more" if len(names) > shown else "")


def exit_code(work: Callable, *given, **named) -> int:
    """`work(...)` as a command: 0, or 1 with the message on standard error where it raises SernbError."""
    try:
        work(*given, **named)
    except SernbError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def check_on_bad(on_bad: str) -> None:
    if on_bad not in ("raise", "skip"):
        raise SernbError(f"on_bad must be 'raise' or 'skip', got {on_bad!r}.")


def refuse(bad: list[dict], source: str, total: int, what: str, on_bad: str) -> None:
    """Raise for what cannot be used, naming the first ten; with `on_bad="skip"` warn instead.

    Args:
        bad: {utterance, path, why} of each.
        source, total: where they stand, and how many there are in all.
        what: a name for them, and what is wrong with them.
    """
    if not bad:
        return
    shown = "\n".join(f"  {row['utterance']} ({row['path']}): {row['why']}" for row in bad[:SHOWN])
    more = f"\n  … and {len(bad) - SHOWN} more" if len(bad) > SHOWN else ""
    message = f"{source}: {len(bad)} of {total} {what}:\n{shown}{more}\n"
    if on_bad == "raise":
        raise SernbError(message + 'Repair or remove them, or leave them out with on_bad="skip".')
    warnings.warn(message + "They are left out.", stacklevel=3)
