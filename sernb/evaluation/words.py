"""Which words tell an emotion from the others: log-odds with an informative Dirichlet prior.

Monroe, Colaresi and Quinn, "Fightin' Words: Lexical feature selection and evaluation for identifying the content of
political conflict", Political Analysis 2008, section 3.5.
"""

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import CountVectorizer

from sernb.core.errors import SernbError
from sernb.evaluation.baselines import WORDS

PRIOR = 500.0  # counts that the prior weighs as much as, shared among all words by how frequent they are


def log_odds(
    texts: pd.Series,
    groups: pd.Series,
    prior: float = PRIOR,
    least: int = 5,
    shuffles: int = 0,
    seed: int = 0,
) -> tuple[pd.DataFrame, float]:
    """How much more often each group says a word than all the others do.

    texts, groups: one value an utterance, in the same order; rows without a text or a group are left out. An utterance
    counts a word once ("No, no, no!" is one no); words are lower-cased, and those in fewer than `least` utterances are
    left out. The prior draws rare words to no difference.

    Returns a table (group, word, count and others: utterances of the group, and of all others, that say it; log_odds, z;
    the most telling words first; groups in the order of their categories, where they have one) and a bar: the largest z of any word and group when the groups are shuffled among the utterances, exceeded in one of 20 of
    `shuffles` shuffles (NaN for none). Below it, a word is no news.
    Raises SernbError for fewer than two groups, and where no word is frequent enough.
    """
    known = (texts.notna() & groups.notna()).to_numpy()
    groups = groups[known].astype("category").cat.remove_unused_categories()
    codes, names = groups.cat.codes.to_numpy(), groups.cat.categories
    if len(names) < 2:
        raise SernbError(f"words are compared between groups; there are {len(names)} with words.")
    vectorizer = CountVectorizer(token_pattern=WORDS, binary=True)
    try:
        counts = vectorizer.fit_transform(texts[known].str.replace("’", "'"))  # (utterances, words)
    except ValueError:  # scikit-learn's "empty vocabulary"
        raise SernbError("the texts hold no words.") from None
    frequent = np.flatnonzero(np.asarray(counts.sum(0)).ravel() >= least)
    if not len(frequent):
        raise SernbError(f"no word stands in {least} utterances or more; lower `least`.")
    words = vectorizer.get_feature_names_out()[frequent]
    counts = counts[:, frequent].tocsr()
    members = np.eye(len(names))[codes]  # (utterances, groups)
    said = counts.T.dot(members).T  # (groups, words)
    ratios, z = scores(said, prior)
    table = pd.DataFrame(
        {
            "group": pd.Categorical(np.repeat(names, len(words)), names),
            "word": np.tile(words, len(names)),
            "count": said.ravel().astype(int),
            "others": (said.sum(0) - said).ravel().astype(int),
            "log_odds": ratios.ravel(),
            "z": z.ravel(),
        }
    )
    rng = np.random.default_rng(seed)
    largest = [scores(counts.T.dot(rng.permutation(members)).T, prior)[1].max() for _ in range(shuffles)]
    bar = float(np.quantile(largest, 0.95)) if shuffles else np.nan
    return table.sort_values("z", ascending=False, kind="stable").reset_index(drop=True), bar


def scores(said: np.ndarray, prior: float = PRIOR) -> tuple[np.ndarray, np.ndarray]:
    """Counts (groups, words) → log-odds of each group against all others, and its z; both (groups, words).

    Equations 16, 20 and 22 of the paper, the prior in proportion to how often a word is said at all.
    """
    total = said.sum(0)
    alpha = prior * total / total.sum()

    def odds(mine):
        mine = mine + alpha
        return np.log(mine) - np.log(mine.sum(1, keepdims=True) - mine), 1 / mine

    (here, here_variance), (there, there_variance) = odds(said), odds(total - said)
    difference = here - there
    return difference, difference / np.sqrt(here_variance + there_variance)
