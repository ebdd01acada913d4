"""The one error that sernb raises for input it cannot use, and how its messages name many things."""


class SernbError(ValueError):
    """Input that cannot be used. The message names the file or row, what was expected, what came, and what to do."""


def some(names, shown: int = 5) -> str:
    """The first few names, and how many more there are."""
    names = [str(name) for name in names]
    return ", ".join(names[:shown]) + (f" and {len(names) - shown} more" if len(names) > shown else "")
