"""The package as users install it: built, installed into an environment of its own, and run in an empty folder."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest

from reconciler import __version__
from scripts.tracked import ROOT, git
from tests.cli.process import POOL
from tests.packaging.conftest import UV, Installed, build, into, run

pytestmark = pytest.mark.timeout(600)  # packages are installed


def test_the_wheel_holds_both_packages_with_their_data_and_nothing_else(installed: Installed) -> None:
    names = set(zipfile.ZipFile(installed.wheel).namelist())
    code = {name for name in git("ls-files", "reconciler", "emulator").splitlines() if name.endswith(".py")}
    data = {
        "reconciler/service/http/openapi.json",
        "reconciler/demo/files/estate.yaml",
        "reconciler/demo/files/specs/fabrikam-managed-pool.yaml",
        "reconciler/demo/files/specs/fabrikam-release-pool.yaml",
        *git("ls-files", "reconciler/service/page/templates", "reconciler/service/page/assets").splitlines(),
    }

    assert {name for name in names if ".dist-info/" not in name} == {*code, *data, "function_app.py"}


def test_what_the_packages_read_beside_their_code_is_in_the_wheel(installed: Installed) -> None:
    """A new data file has to be named in pyproject.toml, or it is missing at the user's."""
    names = set(zipfile.ZipFile(installed.wheel).namelist())
    found = {
        path.relative_to(ROOT).as_posix()
        for part in ("reconciler", "emulator")
        for path in (ROOT / part).rglob("*")
        if path.is_file() and path.suffix not in (".py", ".pyc")
    }

    assert found <= names


def test_the_source_archive_holds_what_a_build_needs_and_no_tests(installed: Installed) -> None:
    with tarfile.open(installed.archive) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}

    assert {"pyproject.toml", "requirements.in", "requirements-cli.in", "function_app.py", "CHANGELOG.md"} <= names
    assert [name for name in names if name.startswith("tests/")] == []


def test_a_second_build_gives_the_same_wheel_and_source_archive(installed: Installed, tmp_path: Path) -> None:
    build(tmp_path)

    for first in (installed.wheel, installed.archive):
        assert (tmp_path / first.name).read_bytes() == first.read_bytes()


def test_the_source_archive_tells_neither_who_built_it_nor_when(installed: Installed) -> None:
    """Every time is that of the commit."""
    committed = int(git("log", "-1", "--format=%ct"))
    with tarfile.open(installed.archive) as archive:
        members = archive.getmembers()

    assert {(each.uid, each.gid, each.uname, each.gname, each.mtime) for each in members} == {(0, 0, "", "", committed)}


def test_the_source_archive_holds_tracked_files_and_what_the_build_makes(installed: Installed) -> None:
    with tarfile.open(installed.archive) as archive:
        names = {each.name.partition("/")[2] for each in archive.getmembers() if each.isfile()}
    made = {
        name for name in names - set(git("ls-files").splitlines()) if not name.startswith("mdp_reconciler.egg-info/")
    }

    assert made == {"PKG-INFO", "setup.cfg"}


def test_the_version_is_the_same_everywhere(installed: Installed, tmp_path: Path) -> None:
    released = re.findall(r"^## \[(\d+\.\d+\.\d+)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    shown = installed.run("--version", folder=tmp_path)

    assert (shown.returncode, shown.stdout) == (0, f"mdp-reconciler {__version__}\n")
    assert installed.wheel.name == f"mdp_reconciler-{__version__}-py3-none-any.whl"
    assert released[0] == __version__


def test_help_names_every_command_and_the_program_as_it_was_started(installed: Installed, tmp_path: Path) -> None:
    shown = installed.run("--help", folder=tmp_path)
    one = installed.run("plan", "--help", folder=tmp_path)

    assert shown.returncode == 0
    assert {"validate", "plan", "apply", "serve", "demo"} <= set(shown.stdout.split())
    assert "mdp-reconciler plan --specs specs/" in one.stdout
    assert "python -m" not in one.stdout


def test_a_good_spec_is_valid_and_a_bad_one_is_named(installed: Installed, tmp_path: Path) -> None:
    good, bad = tmp_path / "good", tmp_path / "bad"
    for folder, text in ((good, POOL), (bad, POOL.replace("maximumConcurrency: 2", "maximumConcurency: 2"))):
        folder.mkdir()
        (folder / "pool.yaml").write_text(text.format(name="fabrikam-managed-pool"))
    valid = installed.run("validate", "--specs", "good", folder=tmp_path)
    invalid = installed.run("validate", "--specs", "bad", folder=tmp_path)

    assert valid.returncode == 0, valid.stderr
    assert invalid.returncode == 1
    assert "bad/pool.yaml:9" in invalid.stdout + invalid.stderr
    assert "maximumConcurrency" in invalid.stdout + invalid.stderr
    assert "Traceback" not in invalid.stderr


def test_bicep_is_read_without_anything_else_to_install(installed: Installed, tmp_path: Path) -> None:
    (tmp_path / "pool.bicep").write_text(
        "resource pool 'Microsoft.DevOpsInfrastructure/pools@2025-01-21' = {\n  name: 'build'\n  location: 'eastus'\n}\n"
    )
    converted = installed.run(
        "convert", "pool.bicep", "--subscription", "11111111-2222-3333-4444-555555555555", "--resource-group", "rg",
        folder=tmp_path,
    )  # fmt: skip

    assert "name: build" in converted.stdout, converted.stderr
    assert "not installed" not in converted.stderr


def test_the_demo_runs_from_the_wheel_in_an_empty_folder(installed: Installed, tmp_path: Path) -> None:
    """Up to the second step: plan and apply are then shown and verified. tests/demo has the whole of it."""
    process = subprocess.Popen(
        [str(installed.binaries / "mdp-reconciler"), "demo"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout
    shown = []
    for line in process.stdout:
        shown.append(line)
        if line.startswith("2  "):
            break
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=500)

    assert process.returncode == 130, "".join(shown) + rest
    assert [line for line in shown if line.startswith("  ✓ ")]
    assert "Traceback" not in "".join(shown) + rest
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "present", "missing"),
    [
        (("mdp-reconciler",), (), "typer"),
        (("python", "-m", "reconciler"), (), "typer"),
        (("mdp-reconciler",), ("typer", "python-dotenv"), "yaml"),
    ],
)
def test_a_missing_package_is_one_line_with_the_remedy(
    installed: Installed, tmp_path: Path, words: tuple[str, ...], present: tuple[str, ...], missing: str
) -> None:
    """An installation without its dependencies, as `pip install --no-deps` leaves it, or without some of them."""
    binaries = into(tmp_path / "venv", "--no-deps", str(installed.wheel))
    if present:
        run(UV, "pip", "install", "--quiet", "--python", str(binaries / "python"), *present, folder=ROOT)
    ended = subprocess.run(
        [str(binaries / words[0]), *words[1:], "validate", "--specs", "."],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.count("\n") == 1
    assert ended.stderr.startswith(f"error: the Python package '{missing}")
    assert "uv tool install" in ended.stderr
