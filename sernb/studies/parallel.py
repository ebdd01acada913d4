"""Independent trainings side by side, by joblib: on one machine, or wherever `joblib.parallel_config` points."""

import warnings
from collections.abc import Iterable

from joblib import Parallel
from tqdm.auto import tqdm


def side_by_side(tasks: Iterable, title: str, total: int, unit: str, progress: bool = True) -> list:
    """Results of `tasks` (made with `joblib.delayed`), in their order, under a bar of `total` steps.

    One after another, or as many at a time as `with joblib.parallel_config(n_jobs=...)` says, each in a process of its
    own with its share of the cores. An error in one of them is raised as it is, and the others are given up.
    """
    with warnings.catch_warnings():
        # joblib starts a worker anew when its memory has grown, as training's does, and warns of a leak.
        warnings.filterwarnings("ignore", message="A worker stopped while some jobs", category=UserWarning)
        runs = Parallel(return_as="generator", mmap_mode="c")(tasks)
        return list(tqdm(runs, desc=title, total=total, unit=unit, disable=not progress))
