"""The lists of dependencies agree with each other: what Functions gets is pinned alike for the command line."""

from __future__ import annotations

import re
import tomllib

import pytest

from tests.packaging.conftest import ROOT

LOCKED = ("requirements.txt", "requirements-cli.txt", "requirements-build.txt")


def pins(name: str) -> dict[str, str]:
    """Each package of a lock file, with its version."""
    return dict(re.findall(r"^([\w.-]+)==(\S+)", (ROOT / name).read_text(), re.MULTILINE))


def names(lines: list[str]) -> set[str]:
    """The packages of a list, without their versions."""
    return {re.split(r"[<>=\[;]", line)[0].strip() for line in lines if line.strip() and not line.startswith("#")}


@pytest.mark.parametrize("name", LOCKED)
def test_every_package_of_a_lock_file_has_hashes(name: str) -> None:
    entries = re.split(r"^(?=[\w.-]+==)", (ROOT / name).read_text(), flags=re.MULTILINE)

    assert [entry for entry in entries if "==" in entry and "--hash=sha256:" not in entry] == []
    assert pins(name)


def test_the_command_line_has_the_versions_that_functions_has() -> None:
    assert pins("requirements.txt").items() <= pins("requirements-cli.txt").items()


def test_every_extra_that_a_text_names_exists() -> None:
    """A remedy that cannot be carried out is worse than none."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    texts = [path.read_text() for folder in ("reconciler", "docs") for path in (ROOT / folder).rglob("*.[pm][yd]")]
    named = {name for text in texts for name in re.findall(r"mdp-reconciler\[(\w+)\]|\bextra `(\w+)`", text)}

    assert {name for names in named for name in names if name} <= extras.keys()


def test_each_list_is_locked_and_the_functions_app_has_nothing_of_the_command_line() -> None:
    functions = names((ROOT / "requirements.in").read_text().splitlines())
    cli = names((ROOT / "requirements-cli.in").read_text().splitlines())
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]

    assert functions <= pins("requirements.txt").keys()
    assert cli <= pins("requirements-cli.txt").keys()
    assert cli & pins("requirements.txt").keys() == set()
    assert names(groups["build"]) == pins("requirements-build.txt").keys()
