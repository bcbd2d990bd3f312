"""Runs the pieces of shell of a page one after the other, in one shell, as a reader would, and returns what they print.

A piece is a block ```sh. The block ```text after it is what it prints on standard output; a sentence after that begins
with `Exit code N` where it is not 0. Ports of a page are replaced by free ones: what is started gets port 0 and says
in its file which it took.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from emulator import Running, start
from tests import forking

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "reconciler" / "demo" / "files"
MADE_BEFORE = frozenset({"make setup"})
"""What makes the environment that the tests run in already."""
_PIECE = re.compile(
    r"^```sh\n(?P<code>.*?)^```\n(?:\n*```text\n(?P<shown>.*?)^```\n)?(?:\n*Exit code (?P<ended>\d+))?",
    re.MULTILINE | re.DOTALL,
)
_PORT = re.compile(r"(--port(?:-[a-z]+)? )([1-9]\d*)")
_PATIENCE = 500
"""Seconds after which a piece hangs: the longest one takes five."""
_VARYING = (
    (re.compile(r"\b\d{8}T\d{6}Z-[0-9a-f]{12}"), "RUN"),
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\b"), "ID"),
    (re.compile(r"\b[0-9a-f]{64}\b"), "HASH"),
    (re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z| UTC|\b)"), "TIME"),
)
"""Ids, hashes and moments: the rest has to be the same."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A block of commands; what it is to print, None where the page does not say; how it is to end."""

    code: str
    shown: str | None
    ended: int


def pieces(page: str) -> list[Piece]:
    """The pieces of a page, in order."""
    return [Piece(found["code"], found["shown"], int(found["ended"] or 0)) for found in _PIECE.finditer(page)]


def plain(text: str) -> str:
    """A text without what differs from run to run."""
    for pattern, word in _VARYING:
        text = pattern.sub(word, text)
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


@dataclass(slots=True)
class Shell:
    """One bash process in a folder that holds a clone of the project, made of links."""

    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    ports: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[str] = field(init=False)

    def __enter__(self) -> Self:
        self._clone()
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "COVERAGE_PROCESS_START") if name in os.environ}
        home = {"HOME": str(self.folder), "AZURE_DEVOPS_CACHE_DIR": str(self.folder / "cache"), "COLUMNS": "100"}
        with (self.folder / "stderr").open("w") as errors:
            self.process = subprocess.Popen(
                ["bash", "--norc", "--noprofile"], cwd=self.folder / "clone", env={**kept, **home, **self.environment},
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True, encoding="utf-8",
                start_new_session=True,
            )  # fmt: skip
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Its session holds what the page started and did not end.
        self._kill()
        with self.process:  # closes the pipes, and waits
            pass

    def run(self, code: str) -> tuple[int, str]:
        """Exit code of the last command, and standard output, with the ports of the page."""
        wanted = [port for _, port in _PORT.findall(code)]
        lines = (line for line in self._with_ports(code).splitlines() if line.strip() not in MADE_BEFORE)
        assert self.process.stdin
        assert self.process.stdout
        # `eval` of a quoted text: what a block prints ends with the marker, wherever the block itself ends.
        quoted = "\n".join(lines).replace("'", "'\\''")
        self.process.stdin.write(f"eval '{quoted}' < /dev/null\nprintf '\\n%s %s\\n' END-OF-PIECE $?\n")
        self.process.stdin.flush()
        printed = []
        patience = threading.Timer(_PATIENCE, self._kill)
        patience.start()
        for line in self.process.stdout:
            if line.startswith("END-OF-PIECE "):
                break
            printed.append(line)
        else:
            patience.cancel()
            raise AssertionError(
                f"the shell ended, or took longer than {_PATIENCE} s, within:\n{code}\n{self.errors()}"
            )
        patience.cancel()
        out = "".join(printed)
        self._learn(wanted, code)
        return int(line.split()[1]), self._as_shown(out)

    def errors(self) -> str:
        """The end of what was written on standard error so far."""
        return (self.folder / "stderr").read_text(encoding="utf-8", errors="replace")[-3000:]

    def _kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)

    def _clone(self) -> None:
        """What a reader has after `git clone` and `make setup`."""
        clone = self.folder / "clone"
        (clone / ".venv" / "bin").mkdir(parents=True)
        for name in ("reconciler", "emulator", "function_app.py", "examples", "docs"):
            (clone / name).symlink_to(ROOT / name)
        for name, command in {"python": (), "mdp-reconciler": ("-m", "reconciler")}.items():
            program = clone / ".venv" / "bin" / name
            program.write_text(f"#!/bin/sh\n{forking.python(*command)}\n", encoding="utf-8")
            program.chmod(0o755)

    def _with_ports(self, code: str) -> str:
        for page, real in self.ports.items():
            code = re.sub(rf"\b{page}\b", real, code)
        return _PORT.sub(r"\g<1>0", code)

    def _as_shown(self, text: str) -> str:
        for page, real in self.ports.items():
            text = re.sub(rf"\b{real}\b", page, text)
        return text

    def _learn(self, wanted: list[str], code: str) -> None:
        """The ports that a program took, from the file that its standard output goes to."""
        if wanted:
            file = re.search(r"--port.* > (\S+)", code)
            assert file, f"a program that listens writes to a file:\n{code}"
            said = next(self.folder.rglob(file[1])).read_text(encoding="utf-8")
            real = list(dict.fromkeys(re.findall(r"http://127\.0\.0\.1:(\d+)", said)))
            self.ports |= dict(zip(wanted, real, strict=True))


@contextlib.contextmanager
def at_estate(folder: Path) -> Iterator[tuple[Shell, Running]]:
    """A shell in an empty folder, signed in to an emulator with the demo's estate, which is out of sync with its specs."""
    with start(DEMO / "estate.yaml", switches={"arm.update-seconds": 0.2}) as cloud:
        settings = {
            "RECONCILER_STATE": str(folder / "state.db"), "RECONCILER_ALLOW_LOOPBACK": "1", "RECONCILER_CREDENTIAL": "static",
            "RECONCILER_ARM_ENDPOINT": cloud.arm, "RECONCILER_DEVOPS_ENDPOINT": cloud.devops,
            "RECONCILER_IDENTITY_ENDPOINT": cloud.devops, "RECONCILER_AUDIT_ENDPOINT": cloud.devops,
            "RECONCILER_ARM_TOKEN": cloud.tokens["arm"], "RECONCILER_DEVOPS_TOKEN": cloud.tokens["devops"],
        }  # fmt: skip
        with Shell(folder, settings) as shell:
            shell.run('export PATH="$PWD/.venv/bin:$PATH" PYTHONPATH="$PWD"; mkdir ../desk; cd ../desk')
            yield shell, cloud
