"""Side by side: order, one at a time or several, and the first error."""

import os

import pytest
from joblib import delayed, parallel_config

from sernb.core.errors import SernbError
from sernb.studies.parallel import side_by_side


def square(number):
    return number**2, os.getpid()


def refuse(number):
    raise SernbError(f"task {number} cannot be done")


def test_results_come_in_the_order_of_the_tasks_one_after_another():
    done = side_by_side((delayed(square)(n) for n in range(5)), "squares", 5, "task", progress=False)
    assert [value for value, _ in done] == [0, 1, 4, 9, 16]
    assert {process for _, process in done} == {os.getpid()}


def test_in_processes_of_their_own_where_joblib_is_told_so(capsys):
    with parallel_config(n_jobs=2):
        done = side_by_side((delayed(square)(n) for n in range(5)), "squares", 5, "task")
    assert [value for value, _ in done] == [0, 1, 4, 9, 16]
    assert os.getpid() not in {process for _, process in done}
    assert "squares" in capsys.readouterr().err


def test_an_error_comes_through_as_it_is():
    with parallel_config(n_jobs=2), pytest.raises(SernbError, match="cannot be done"):
        side_by_side((delayed(refuse)(n) for n in range(2)), "refused", 2, "task", progress=False)
