"""The tables that figures are given: are all columns there, does a row stand twice, which order have the targets."""

import pandas as pd

from sernb.core.errors import SernbError
from sernb.core.tables import DIMENSIONS


def needs(table: pd.DataFrame, columns: list[str], once: list[str] | None = None) -> None:
    """Raise SernbError where a column is absent, the table is empty, or a row of the columns ``once`` stands twice."""
    lacking = [one for one in columns if one not in table]
    if lacking:
        there = ", ".join(map(str, table.columns))
        raise SernbError(f"this figure needs the column {', '.join(lacking)}; the table has {there}.")
    if not len(table):
        raise SernbError("this figure needs a table with at least one row.")
    twice = table[table.duplicated(once)] if once else []
    if len(twice):
        which = ", ".join(f"{one} {twice[one].iloc[0]}" for one in once)
        raise SernbError(f"{len(twice)} rows stand twice, the first is {which}: give one row each.")


def targets_of(table: pd.DataFrame) -> list[str]:
    """The targets of a table: arousal, valence, dominance first, others as they come."""
    there = list(table["target"].unique())
    return [one for one in DIMENSIONS if one in there] + [one for one in there if one not in DIMENSIONS]
