import pytest

from sernb.core.errors import SernbError
from sernb.notebook.plan import Parameter, coerce, find_notebooks, make_plans, notebook_folder, parameters_of

from .conftest import write_notebook


def names(paths):
    return [path.stem for path in paths]


@pytest.mark.parametrize("word", ["1", "01", "01_good", "01_good.ipynb", "notebooks/01_good.ipynb"])
def test_a_notebook_has_a_number_a_name_and_a_path(folder, word):
    assert names(find_notebooks([word], folder)) == ["01_good"]


def test_all_notebooks_in_order_without_a_name(folder):
    assert names(find_notebooks([], folder)) == ["01_good", "02_fails", "03_exits", "04_dies"]


@pytest.mark.parametrize("word", ["9", "good", "01_good.py", "nowhere/01_good.ipynb"])
def test_an_unknown_notebook_is_an_error_that_lists_them(folder, word):
    with pytest.raises(SernbError, match=r"01_good, 02_fails, 03_exits, 04_dies"):
        find_notebooks([word], folder)


def test_a_notebook_named_twice_is_refused(folder):
    with pytest.raises(SernbError, match="01_good"):
        find_notebooks(["1", "01_good"], folder)


def test_parameters_are_read_with_types_and_defaults(tmp_path):
    cell = (
        'seed: int = 1  # a comment = here\nn: int | None = None\nname = "a=b"\nsizes: list[int] = [\n  1, 2]'
    )
    write_notebook(tmp_path, "x", (cell, ["parameters"]), "other = 3")
    assert parameters_of(tmp_path / "x.ipynb") == {
        "seed": Parameter("int", 1),
        "n": Parameter("int | None", None),
        "name": Parameter("str", "a=b"),
        "sizes": Parameter("list[int]", [1, 2]),
    }


def test_a_default_that_is_computed_is_refused(tmp_path):
    write_notebook(tmp_path, "x", ("seed: int = int(3)", ["parameters"]))
    with pytest.raises(SernbError, match=r"x\.ipynb.*seed.*int\(3\)"):
        parameters_of(tmp_path / "x.ipynb")


def test_a_file_that_is_no_notebook_is_named(tmp_path):
    (tmp_path / "x.ipynb").write_text("nonsense")
    with pytest.raises(SernbError, match=r"x\.ipynb is not a readable notebook"):
        parameters_of(tmp_path / "x.ipynb")


@pytest.mark.parametrize(
    ("type_", "text", "value"),
    [
        ("int", "7", 7),
        ("float", "1e-3", 0.001),
        ("float", 2, 2.0),
        ("bool", "no", False),
        ("str", "7", "7"),
        ("str", "", ""),
        ("int | None", "none", None),
        ("int | None", "3", 3),
        ("list[int]", "[1, 2]", [1, 2]),
        ("list[str]", "[gap, attention]", ["gap", "attention"]),
        ("list", "gap, attention", ["gap", "attention"]),
        ("list[int]", "3", [3]),
        ("dict", "{a: 1}", {"a": 1}),
        ("tuple[int, int]", "[1, 2]", [1, 2]),
        ("Literal['a', 'b']", "b", "b"),
        ("Optional[float]", "0.5", 0.5),
    ],
)
def test_text_becomes_the_type_that_the_notebook_states(type_, text, value):
    result = coerce("x", text, Parameter(type_, None), "here")
    assert result == value and type(result) is type(value)


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        ("int", "3.5"),
        ("int", "many"),
        ("bool", "maybe"),
        ("int | None", "many"),
        ("list[int]", "1, a"),
        ("list[int]", "[a]"),
        ("str", 3),
        ("int", 2.5),
        ("Literal['a', 'b']", "c"),
    ],
)
def test_a_wrong_type_is_refused_with_both_sides(type_, value):
    with pytest.raises(SernbError) as error:
        coerce("x", value, Parameter(type_, 1), "07_notebook")
    assert "07_notebook: parameter x" in str(error.value)
    assert type_ in str(error.value) and repr(value) in str(error.value)


def test_own_values_win_over_the_profile_which_wins_over_defaults(folder):
    plans = {plan.name: plan for plan in make_plans([], "smoke", {"word": "b"})}
    assert plans["01_good"].parameters == {
        "corpus": "embedded",
        "root": "",
        "epochs": 1,
        "rate": 1.0,
        "word": "b",
    }
    assert plans["02_fails"].parameters["rate"] == 0.5
    assert make_plans(["1"], "smoke", {"epochs": "9"})[0].given == {"epochs": 9, "rate": 1.0}


def test_an_unknown_profile_lists_them(folder):
    with pytest.raises(SernbError, match=r"'tiny'.*full, laptop, smoke"):
        make_plans([], "tiny", {})


def test_an_unknown_parameter_lists_them(folder):
    with pytest.raises(SernbError, match=r"epoch.*corpus, epochs, rate, root, word"):
        make_plans([], "smoke", {"epoch": "3"})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("paramters: {}", "paramters"),
        ("parameters: {epoch: 1}", "no parameter epoch"),
        ("notebooks: {09_nine: {}}", "09_nine"),
        ("notebooks: {01_good: {epoch: 1}}", "01_good: no parameter epoch"),
        ("notebooks: {01_good: {epochs: many}}", "many"),
        ("a: [", "no profile"),
        ("[1]", "no profile"),
    ],
)
def test_a_wrong_profile_is_refused(folder, text, expected):
    (folder / "profiles" / "wrong.yaml").write_text(text)
    with pytest.raises(SernbError, match=expected):
        make_plans([], "wrong", {})


def test_the_checkouts_notebooks_are_found_from_elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert (notebook_folder() / "profiles" / "laptop.yaml").is_file()
