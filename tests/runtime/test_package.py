"""The zip that is deployed: it holds what runs and nothing else, and runs as it is, in the real runtime."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.deployment import deployed
from tests.runtime.host import RuntimeHost

ROOT = Path(__file__).parents[2]
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
    command = [sys.executable, str(ROOT / "scripts/package.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    place = tmp_path_factory.mktemp("package")
    done = package("--python", VERSION, "--output", str(place / "app.zip"))
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(place / "app.zip") as archive:
        archive.extractall(place / "app")
    return Built(place / "app.zip", done.stdout, place / "app")


def test_it_says_how_large_it_is(built: Built) -> None:
    size = built.zip.stat().st_size / 1e6

    assert f"{built.zip}: {size:.1f} MB, " in built.said
    assert f"Python {VERSION}" in built.said
    assert size < 40


def test_it_holds_what_runs_and_nothing_else(built: Built) -> None:
    files = {path.relative_to(built.folder).as_posix() for path in built.folder.rglob("*") if path.is_file()}
    ours = {name.partition("/")[0] for name in files}

    assert ours == {"function_app.py", "host.json", "reconciler", "requirements.txt", ".python_packages", "__pycache__"}
    assert not [
        name
        for name in files
        if name.startswith(
            ("reconciler/cli", "reconciler/demo", "reconciler/tools", "reconciler/service/host", "emulator")
        )
    ]
    assert "reconciler/service/http/openapi.json" in files
    packages = {name.split("/")[3] for name in files if name.startswith(SITE)}
    assert packages & {"typer", "rich", "aiohttp", "croniter", "pytest", "hypothesis"} == set()


def test_everything_of_ours_comes_with_bytecode_that_names_the_apps_own_place(built: Built) -> None:
    """A cold start that compiles is several times as long; and a trace shall not speak of a folder that is gone."""
    sources = [built.folder / "function_app.py", *(built.folder / "reconciler").rglob("*.py")]
    compiled = [Path(importlib.util.cache_from_source(str(source))) for source in sources]

    assert [path for path in compiled if not path.exists()] == []
    assert b"/home/site/wwwroot/function_app.py" in compiled[0].read_bytes()
    assert b"/tmp" not in compiled[0].read_bytes()


def test_what_is_packed_again_is_the_same_file(built: Built, tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("package_script", ROOT / "scripts/package.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    script._zip(built.folder, tmp_path / "again.zip")

    assert (tmp_path / "again.zip").read_bytes() == built.zip.read_bytes()


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
