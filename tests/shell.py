"""The command line in this process, at a folder of its own, signed in to an emulator: for tests of what is read."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from emulator import Running

ROOT = Path(__file__).parent.parent
DEMO = ROOT / "reconciler" / "demo" / "files"


@dataclass(frozen=True, slots=True)
class Said:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The JSON on standard output."""
        return json.loads(self.out)


@dataclass(frozen=True, slots=True)
class Shell:
    """A folder and the command line."""

    folder: Path
    capture: pytest.CaptureFixture[str]

    def run(self, *arguments: str) -> Said:
        """`python -m reconciler …`."""
        from reconciler.cli.boundary import main  # noqa: PLC0415 - every run of pytest imports this file

        self.capture.readouterr()
        code = main([*arguments, "--no-color"] if arguments[0] != "schema" else list(arguments))
        captured = self.capture.readouterr()
        return Said(code, captured.out, captured.err)

    def write(self, name: str, text: str) -> Path:
        """A file below the folder."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path


@pytest.fixture
def world() -> Iterator[Running]:
    """Both planes, drifted as the demo's estate is."""
    from emulator import start  # noqa: PLC0415 - as above

    with start(DEMO / "estate.yaml", switches={"arm.update-seconds": 0.2}) as running:
        yield running


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    """An empty folder, without anybody's settings."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AZURE_DEVOPS_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("RECONCILER_STATE", str(tmp_path / "state.db"))
    monkeypatch.setenv("COLUMNS", "100")
    return Shell(tmp_path, capsys)


def sign_in(monkeypatch: pytest.MonkeyPatch, running: Running) -> None:
    """The environment of a person who may do what the emulator's operator may."""
    values = {
        "SPECS": "specs",
        "ALLOW_LOOPBACK": "1",
        "CREDENTIAL": "static",
        "ARM_ENDPOINT": running.arm,
        "DEVOPS_ENDPOINT": running.devops,
        "ARM_TOKEN": running.tokens["arm"],
        "DEVOPS_TOKEN": running.tokens["devops"],
    }
    for name, value in values.items():
        monkeypatch.setenv(f"RECONCILER_{name}", value)


@pytest.fixture
def signed_in(shell: Shell, world: Running, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """At a folder with the demo's specs, signed in to `world`."""
    shutil.copytree(DEMO / "specs", shell.folder / "specs")
    sign_in(monkeypatch, world)
    return shell


def with_alias(spec: str, name: str) -> str:
    """The spec's text with an alias for each organization, so that Azure DevOps is read without ARM."""
    return re.sub(r"( +)(- url: \S+\n)", rf"\1\2\1  alias: {name}\n", spec)
