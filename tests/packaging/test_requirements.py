"""The lists of dependencies agree with each other: what Functions gets is pinned alike for the command line."""

from __future__ import annotations

import json
import re
import tomllib

import pytest

from scripts.audit import LOCKS
from scripts.tracked import ROOT

PYTHON = (
    "requirements.txt", "requirements-cli.txt", "requirements-build.txt", "requirements-dev.txt",
    "tests/locks/docs.txt", "tests/locks/functions-runtime.txt", "tests/locks/mutants.txt", "tests/locks/node.txt",
)  # fmt: skip
NPM = ("azurite", "azmcp", "browser")


def pins(name: str) -> dict[str, str]:
    """Each package of a lock file, with its version."""
    return dict(re.findall(r"^([\w.-]+)==(\S+)", (ROOT / name).read_text(), re.MULTILINE))


def names(lines: list[str]) -> set[str]:
    """The packages of a list, without their versions."""
    return {re.split(r"[<>=\[;]", line)[0].strip() for line in lines if line.strip() and not line.startswith("#")}


@pytest.mark.parametrize("name", PYTHON)
def test_every_package_of_a_lock_file_has_hashes(name: str) -> None:
    entries = re.split(r"^(?=[\w.-]+==)", (ROOT / name).read_text(), flags=re.MULTILINE)

    assert [entry for entry in entries if "==" in entry and "--hash=sha256:" not in entry] == []
    assert pins(name)


def test_the_command_line_has_the_versions_that_functions_has() -> None:
    assert pins("requirements.txt").items() <= pins("requirements-cli.txt").items()


def test_every_lock_file_is_known_here() -> None:
    found = {path.relative_to(ROOT).as_posix() for pattern in LOCKS for path in ROOT.glob(pattern)}

    assert found == set(PYTHON)


@pytest.mark.parametrize("name", NPM)
def test_every_npm_package_has_a_hash(name: str) -> None:
    wanted = json.loads((ROOT / "tests/locks" / name / "package.json").read_text())["dependencies"]
    locked = json.loads((ROOT / "tests/locks" / name / "package-lock.json").read_text())["packages"]

    assert locked[""]["dependencies"] == wanted
    assert [path for path, each in locked.items() if path and not each.get("integrity", "").startswith("sha512-")] == []
    assert {locked[f"node_modules/{package}"]["version"] for package in wanted} == set(wanted.values())


@pytest.mark.parametrize(
    ("group", "lock"),
    [("dev", "requirements-dev.txt"), ("build", "requirements-build.txt"), ("node", "tests/locks/node.txt"), ("docs", "tests/locks/docs.txt"),
     ("functions-runtime", "tests/locks/functions-runtime.txt"), ("mutants", "tests/locks/mutants.txt")],
)  # fmt: skip
def test_each_group_is_locked_as_it_is_pinned(group: str, lock: str) -> None:
    lines = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"][group]
    exact = {name: version for name, _, version in (line.partition("==") for line in lines) if version}

    assert names(lines) <= pins(lock).keys()
    assert exact.items() <= pins(lock).items()


@pytest.mark.parametrize("other", ["requirements-cli.txt", "requirements-build.txt"])
def test_the_tools_have_the_versions_that_the_program_has(other: str) -> None:
    """Both are installed into one environment."""
    shared = pins(other).keys() & pins("requirements-dev.txt").keys()

    assert {name: pins(other)[name] for name in shared} == {name: pins("requirements-dev.txt")[name] for name in shared}


def installs(makefile: str) -> list[str]:
    """The commands of a Makefile that install packages, with its variables expanded and continued lines joined."""
    joined = re.sub(r"\\\n\s*", " ", makefile)
    variables = dict(re.findall(r"^([A-Z_]+) *:?= *(.*)$", joined, re.MULTILINE))
    for _ in range(2):
        joined = re.sub(r"\$\((\w+)\)", lambda found: variables.get(found[1], found[0]), joined)
    return [line.strip() for line in joined.splitlines() if re.match(r"\t.*(pip install|npm (ci|install|i) )", line)]


def without_hashes(makefile: str) -> list[str]:
    """Those that would take a package without a known hash. `npm ci` installs its lock file or nothing."""
    return [
        line
        for line in installs(makefile)
        if ("--require-hashes" not in line or "-r " not in line)
        and "npm ci" not in line
        and "--package-lock-only" not in line
    ]


def test_make_installs_nothing_without_a_hash() -> None:
    text = (ROOT / "Makefile").read_text()

    assert len(installs(text)) >= 7
    assert without_hashes(text) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("--require-hashes -r requirements-build.txt", "'uv>=0.9,<1'"),
        ("--only-binary :all: --require-hashes\n", "--only-binary :all:\n"),
        ("npm ci", "npm install azurite@3.35.0"),
        ("--require-hashes --target $(RUNTIME) -r $(LOCKS)/functions-runtime.txt", "azure-functions-runtime==1.3.0"),
    ],
)
def test_an_installation_without_hashes_is_found(old: str, new: str) -> None:
    text = (ROOT / "Makefile").read_text()

    assert old in text
    assert without_hashes(text.replace(old, new, 1)) != []


def test_users_get_no_tools() -> None:
    """`make setup` installs what runs; the tools come with `make dev` and with the targets that use them."""
    text = (ROOT / "Makefile").read_text()
    steps = re.findall(r"^\$\(STAMP\):.*\n((?:\t.*\n)+)", text, re.MULTILINE)

    assert re.findall(r"^setup: (.*?) ##", text, re.MULTILINE) == ["$(STAMP)"]
    assert re.findall(r"-r (\S+)", steps[0]) == ["requirements-build.txt", "requirements-cli.txt"]


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
