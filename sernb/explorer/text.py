"""Text that UTF-8, and so a page, can hold: halves of characters (lone surrogates) become U+FFFD."""

from typing import Annotated

import pandas as pd
from pydantic import BeforeValidator, StrictStr, ValidationError


def clean(text):
    """Text without halves of characters; what is no text stays as it is."""
    try:
        if isinstance(text, str):
            text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def clean_table(table: pd.DataFrame) -> pd.DataFrame:
    """A copy of a table whose texts and ids are clean; of pandas' types only objects may not be."""
    if not isinstance(table, pd.DataFrame) or table.columns.has_duplicates:
        return table  # the checks of tables refuse it
    table = table.copy()
    for name in filter(lambda name: pd.api.types.is_object_dtype(table[name]), table):
        table[name] = pd.Series(map(clean, table[name]), table.index, dtype=object)
    return table if table.index.dtype != object else table.set_axis(table.index.map(clean))


Text = Annotated[StrictStr, BeforeValidator(clean)]  # in data from outside, for pydantic's models


def in_words(error: ValidationError) -> str:
    """The first thing that pydantic refuses, in a sentence: where, what came, and what was expected."""
    first = error.errors(include_url=False)[0]
    where = ".".join(map(str, first["loc"][:2]))
    came = f"{where} is {first['input']!r:.100}: " if where else ""
    return f"{came}{first['msg'].removeprefix('Value error, ')}."
