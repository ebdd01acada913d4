"""Which sentence an utterance is: the corpus's own code for it, or its words."""

import re
import unicodedata

import pandas as pd

from sernb.core.errors import SernbError
from sernb.protocols.folds import groups_of, hint

_NO_WORD = re.compile(r"[\W_]+")


def normalised(text: str) -> str:
    """The words alone: case, punctuation and spaces make no difference, nor does how a letter is encoded."""
    return _NO_WORD.sub(" ", unicodedata.normalize("NFKC", text).casefold()).strip()


def sentences_of(utterances: pd.DataFrame, protocol: str) -> pd.Series:
    """The column `sentence`, or, where there is none, the normalised `text`. Raises SernbError for neither, and gaps."""
    if "sentence" in utterances:
        return groups_of(utterances, "sentence", protocol)
    if "text" not in utterances:
        raise SernbError(
            f"{protocol} needs a column 'sentence' or 'text', which these utterances lack. {hint(utterances)}"
        )
    return groups_of(utterances, "text", protocol).map(normalised)
