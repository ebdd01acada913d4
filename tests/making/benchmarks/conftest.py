"""Made-up sentences as XED and MELD have them."""

import pytest

from tests.making.benchmarks.texts import meld_table, xed_table


@pytest.fixture
def xed():
    return xed_table()


@pytest.fixture
def meld():
    return meld_table()
