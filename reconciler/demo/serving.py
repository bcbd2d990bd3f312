"""`serve` as a process: started, its log read, and ended."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from reconciler.demo.process import end, first_line
from reconciler.documents import Json

_START = 30.0
"""Seconds until it has to be there."""
_STOP = 20.0
"""Seconds that a run under way may take after a stop."""


class Serving:
    """A running `serve`; a context manager that ends it."""

    def __init__(self, arguments: Sequence[str], folder: Path, environment: Mapping[str, str]) -> None:
        self._log = folder / "serve.log"
        command = [sys.executable, "-m", "reconciler", *arguments]
        with self._log.open("wb") as errors:
            self._process = subprocess.Popen(  # noqa: S603 - our own module, by this interpreter
                command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=errors, start_new_session=True
            )
        try:
            self.line = first_line(self._process, _START)
        except BaseException:  # Ctrl-C too: the process would stay behind
            end(self._process, _STOP)
            raise
        found = re.search(r"http://[^\s,]+", self.line)
        self.url = found[0] if found else ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """Id of its process."""
        return self._process.pid

    def stop(self) -> int:
        """SIGTERM, as a container gets it; the exit code."""
        return end(self._process, _STOP)

    def runs(self) -> list[dict[str, Json]]:
        """Its log's lines about runs that came to their end."""
        found = [_object(line) for line in self._log.read_text(encoding="utf-8").splitlines()]
        return [line for line in found if line.get("event") == "run"]


def _object(line: str) -> dict[str, Json]:
    try:
        return dict(json.loads(line))
    except ValueError:  # half a line, just being written
        return {}
