"""Tables of the model cards."""

import pandas as pd


def cells(table: pd.DataFrame) -> str:
    """The rows of a Markdown table."""
    return "\n".join("| " + " | ".join(map(str, row)) + " |" for row in table.itertuples(index=False))
