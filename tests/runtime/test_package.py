"""The zip that is deployed: it holds what runs and nothing else, and runs as it is, in the real runtime."""

from __future__ import annotations

import csv
import importlib.util
import json
import re
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path

import pytest

from scripts.package import SBOM, _deployed
from scripts.tracked import ROOT, copy_tracked, git
from tests.deployment import deployed
from tests.runtime.host import RuntimeHost
from tests.shared import made_once

VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"
SITE = ".python_packages/lib/site-packages"


@dataclass(frozen=True)
class Built:
    """What was built."""

    zip: Path
    said: str
    folder: Path
    """The zip, unpacked."""


def package(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "scripts.package", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    place = made_once(tmp_path_factory, "package", _build)
    return Built(place / "app.zip", (place / "said").read_text(), place / "app")


def _build(place: Path) -> None:
    done = package("--python", VERSION, "--output", str(place / "app.zip"))
    assert done.returncode == 0, done.stderr
    (place / "said").write_text(done.stdout)
    with zipfile.ZipFile(place / "app.zip") as archive:
        archive.extractall(place / "app")


def files(folder: Path) -> set[str]:
    """The paths of the files in a folder."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_it_says_how_large_it_is(built: Built) -> None:
    size = built.zip.stat().st_size / 1e6

    assert f"{built.zip}: {size:.1f} MB, " in built.said
    assert f"Python {VERSION}" in built.said
    assert size < 40


def test_it_holds_what_runs_and_nothing_else(built: Built) -> None:
    names = files(built.folder)
    ours = {name.partition("/")[0] for name in names}

    assert ours == {
        "function_app.py", "host.json", "reconciler", "requirements.txt", "sbom.cdx.json", ".python_packages", "__pycache__",
    }  # fmt: skip
    assert not [
        name
        for name in names
        if name.startswith(
            ("reconciler/cli", "reconciler/demo", "reconciler/tools", "reconciler/service/host", "emulator")
        )
    ]
    assert "reconciler/service/http/openapi.json" in names
    packages = {name.split("/")[3] for name in names if name.startswith(SITE)}
    assert packages & {"typer", "rich", "aiohttp", "pytest", "hypothesis"} == set()


def test_everything_of_ours_comes_with_bytecode_that_names_the_apps_own_place(built: Built) -> None:
    """A cold start that compiles is several times as long; and a trace shall not speak of a folder that is gone."""
    sources = [built.folder / "function_app.py", *(built.folder / "reconciler").rglob("*.py")]
    compiled = [Path(importlib.util.cache_from_source(str(source))) for source in sources]

    assert [path for path in compiled if not path.exists()] == []
    assert b"/home/site/wwwroot/function_app.py" in compiled[0].read_bytes()
    assert b"/tmp" not in compiled[0].read_bytes()


def test_a_file_that_git_does_not_track_is_left_out(tmp_path: Path) -> None:
    """A key or a note that lies in a working folder, ignored by Git or not, would be deployed."""
    for name in ("reconciler/ours.py", "reconciler/stray.py", "docs/page.md", "reconciler/local.env"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    (tmp_path / ".gitignore").write_text("*.env")
    git("init", "--quiet", root=tmp_path)
    git("add", "reconciler/ours.py", "docs/page.md", root=tmp_path)
    copy_tracked(tmp_path / "all", root=tmp_path)
    copy_tracked(tmp_path / "deployed", root=tmp_path, wanted=_deployed)

    assert files(tmp_path / "all") == {"reconciler/ours.py", "docs/page.md"}
    assert files(tmp_path / "deployed") == {"reconciler/ours.py"}


def test_every_file_of_the_project_in_the_zip_is_tracked(built: Built) -> None:
    ours = {name for name in files(built.folder) if not name.startswith(SITE) and not name.endswith((".pyc", SBOM))}

    assert ours <= set(git("ls-files").splitlines())


def test_a_second_build_gives_the_same_zip(built: Built, tmp_path: Path) -> None:
    """With another folder for temporary files, since neither its name nor the time may show."""
    done = package("--python", VERSION, "--output", str(tmp_path / "again.zip"))

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "again.zip").read_bytes() == built.zip.read_bytes()


def test_the_list_of_packages_names_those_in_the_zip_with_their_hashes(built: Built) -> None:
    text = (built.folder / SBOM).read_text()
    sbom = json.loads(text)
    installed = {(each.name.lower(), each.version) for each in distributions(path=[str(built.folder / SITE)])}
    locked = (ROOT / "requirements.txt").read_text()

    assert (sbom["bomFormat"], sbom["specVersion"]) == ("CycloneDX", "1.6")
    assert sbom["metadata"]["component"]["name"] == "mdp-reconciler"
    assert {(each["name"], each["version"]) for each in sbom["components"]} == {
        (re.sub(r"[-_.]+", "-", name), version) for name, version in installed
    }
    for component in sbom["components"]:
        assert component["purl"] == f"pkg:pypi/{component['name']}@{component['version']}"
        (reference,) = component["externalReferences"]
        assert reference["hashes"]
        assert all(f"sha256:{each['content']}" in locked for each in reference["hashes"])
    assert built.zip.with_suffix(".cdx.json").read_text() == text


def test_the_lists_of_files_name_what_is_there(built: Built) -> None:
    """A record of a removed file holds a hash that depends on the machine that built."""
    site = built.folder / SITE
    for record in site.glob("*.dist-info/RECORD"):
        named = [row[0] for row in csv.reader(record.read_text(encoding="utf-8").splitlines())]

        assert named
        assert [name for name in named if not (site / name).is_file()] == []


def test_the_unpacked_zip_runs_in_the_real_runtime(built: Built, functions_runtime: Path, tmp_path: Path) -> None:
    """With its own packages first, and nothing of this repository in reach."""
    with deployed(tmp_path) as deployment:
        bound = {"RECONCILER_WORK_QUEUE": "work"}
        with RuntimeHost(
            functions_runtime, built.folder, {**deployment.environment, **bound}, packages=built.folder / SITE
        ) as host:
            health = host.http("health", "GET")
            looked = host.queue("worker", "build-pool", "2026-11-22T10:00:00+00:00")

    assert (health.status, b'"healthy": true' in health.body) == (200, True)
    assert looked.succeeded, looked.exception


def test_a_missing_interpreter_is_one_line(tmp_path: Path) -> None:
    done = package("--python", "3.99", "--output", str(tmp_path / "app.zip"))

    assert (done.returncode, done.stdout, list(tmp_path.iterdir())) == (1, "", [])
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("package: no python3.99 was found")
