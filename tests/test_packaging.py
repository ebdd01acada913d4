import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def name_of(requirement):
    return re.match(r"[\w.-]+", requirement).group().lower().replace("_", "-")


def constraints():
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    return dict(
        line.lower().replace("_", "-").split("==") for line in lines if line and not line.startswith("#")
    )


def test_environment_yml_gives_the_same_packages_as_pyproject():
    conda = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    assert f"python{PROJECT['requires-python']}" in conda
    pip = next(item["pip"] for item in conda if isinstance(item, dict))
    assert pip == ["-c constraints.txt", "-e .[dev]"]  # so there is no second list that could differ
    assert "dev" in PROJECT["optional-dependencies"]


def requirements():
    extras = PROJECT["optional-dependencies"].values()
    return [*PROJECT["dependencies"], *(requirement for extra in extras for requirement in extra)]


@pytest.mark.parametrize("requirement", requirements())
def test_every_requirement_has_its_tested_version(requirement):
    assert name_of(requirement) in constraints()


def test_torch_and_torchaudio_are_the_pair_that_fits():
    for name in ("torch", "torchaudio"):
        assert any(r.startswith(f"{name}>=2.11,<2.12") for r in PROJECT["dependencies"])
        assert constraints()[name].startswith("2.11.")


def test_each_dependency_says_what_it_is_for():
    text = (ROOT / "pyproject.toml").read_text()
    for requirement in requirements():
        line = next(line for line in text.splitlines() if f'"{requirement}"' in line)
        assert "#" in line, f"{requirement} has no comment"


def test_importing_sernb_or_its_command_line_loads_no_torch():
    code = "import sys, sernb, sernb.cli; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_ci_runs_all_tests():
    commands = (ROOT / ".ci" / "run").read_text().splitlines()
    assert {"make test", "exec make test-more"} <= set(commands)
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o111


def test_make_install_has_nothing_to_do_when_current(tmp_path):
    """In a folder with a space in its name, with a .venv that is newer than what it depends on."""
    place = tmp_path / "a place"
    (place / ".venv" / "bin").mkdir(parents=True)
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        (place / name).write_text((ROOT / name).read_text())
    for name in ("bin/python", ".installed"):
        (place / ".venv" / name).touch()
    done = subprocess.run(["make", "install"], cwd=place, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "Nothing to be done" in done.stdout, done.stdout + done.stderr


def test_make_says_which_python_it_needs(tmp_path):
    (tmp_path / "Makefile").write_text((ROOT / "Makefile").read_text())
    for name in ("pyproject.toml", "constraints.txt"):
        (tmp_path / name).touch()
    empty = {"PATH": "/nowhere"}
    make = subprocess.run(
        ["sh", "-c", "command -v make"], capture_output=True, text=True, check=True
    ).stdout.strip()
    done = subprocess.run(
        [make, "install"], cwd=tmp_path, env=empty, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0 and "needs Python 3.11.4 or newer" in done.stdout


@pytest.mark.parametrize("arguments", [["check"], ["format", "--check"]], ids=["check", "format"])
def test_ruff_finds_nothing_in_code_and_notebooks(arguments):
    done = subprocess.run(
        [sys.executable, "-m", "ruff", *arguments, "."], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
