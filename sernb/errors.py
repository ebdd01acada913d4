"""The one error that sernb raises for input it cannot use."""


class SernbError(ValueError):
    """Input that cannot be used. The message names the file or row, what was expected, what came, and what to do."""
