import numpy as np
import pytest
import torch

from sernb.core.errors import SernbError
from sernb.core.ragged import Ragged, computed_once, digest


def test_items_come_back_padded_with_their_mask():
    ragged = Ragged.of([[1, 2, 3], [4], [5, 6]])
    values, mask = ragged.padded(np.array([1, 0]))
    assert values.tolist() == [[4, 0, 0], [1, 2, 3]] and values.dtype == torch.int64
    assert mask.tolist() == [[True, False, False], [True, True, True]]
    assert ragged[2].tolist() == [5, 6] and ragged.lengths.tolist() == [3, 1, 2] and len(ragged) == 3


def test_half_precision_on_disk_is_float32_in_a_batch():
    ragged = Ragged.of([np.ones((2, 4)), np.ones((1, 4))], np.float16)
    values, mask = ragged.padded([0, 1])
    assert values.shape == (2, 2, 4) and values.dtype == torch.float32
    assert values[1, 1].eq(0).all() and mask.sum() == 3


def test_offsets_must_fit():
    with pytest.raises(SernbError, match="offsets end at 3"):
        Ragged(np.zeros(2), np.array([0, 3]))


def halves():
    yield [2, 0], [np.full((1, 2), 2.0), np.full((3, 2), 0.0)]
    yield [1], [np.full((2, 2), 1.0)]


@pytest.mark.parametrize("folder", [None, "cache"])
def test_what_is_computed_once_is_read_from_then_on(tmp_path, folder):
    folder = folder and tmp_path / folder
    first = computed_once(folder, "states", np.array([3, 2, 1]), (2,), halves())
    assert [first[row][0, 0] for row in range(3)] == [0.0, 1.0, 2.0] and first.lengths.tolist() == [3, 2, 1]
    if folder:
        again = computed_once(folder, "states", np.array([3, 2, 1]), (2,), iter(()))
        assert isinstance(again.values, np.memmap)
        np.testing.assert_array_equal(again.values, first.values)


def test_a_computation_that_is_cut_off_leaves_nothing(tmp_path):
    def broken():
        yield [0], [np.zeros((3, 2))]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        computed_once(tmp_path, "states", np.array([3, 2]), (2,), broken())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("file", ["offsets.npy", "values.npy"])
def test_a_folder_that_lacks_a_file_is_made_anew(tmp_path, file):
    given = (tmp_path, "states", np.array([3, 2, 1]), (2,))
    first = computed_once(*given, halves())
    (tmp_path / "states" / file).unlink()
    again = computed_once(*given, halves())
    np.testing.assert_array_equal(again.values, first.values)
    assert again.lengths.tolist() == [3, 2, 1]


@pytest.mark.parametrize("damage", ["cut", "empty", "garbage", "other width", "other lengths"])
def test_what_is_damaged_is_named_and_not_used(tmp_path, damage):
    given = (tmp_path, "states", np.array([3, 2, 1]), (2,))
    computed_once(*given, halves())
    file = tmp_path / "states" / "values.npy"
    content = {"cut": file.read_bytes()[:-8], "empty": b"", "garbage": b"garbage"}
    if damage in content:
        file.write_bytes(content[damage])
    elif damage == "other width":
        np.save(file, np.zeros((6, 5), np.float32))
    else:
        np.save(tmp_path / "states" / "offsets.npy", np.array([0, 1, 2, 6]))
    with pytest.raises(SernbError, match=r"states: what was kept there is damaged .* Delete this folder"):
        computed_once(*given, halves())


def test_settings_are_part_of_a_name():
    one = Ragged.of([[1, 2]])
    assert len({digest(one), digest("a", one), digest("b", one)}) == 3
