"""The one error that sernb raises for input it cannot use, how its messages name many things, and how commands say it."""

import sys
from collections.abc import Callable


class SernbError(ValueError):
    """Input that cannot be used. The message names the file or row, what was expected, what came, and what to do."""


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
