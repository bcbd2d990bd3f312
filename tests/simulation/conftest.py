"""Simulations run in processes of their own, whose time is virtual from their start."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import TypeAlias

import pytest

ROOT = Path(__file__).parents[2]
Done: TypeAlias = subprocess.CompletedProcess[bytes]
Simulated: TypeAlias = Callable[..., Done]


@pytest.fixture(scope="session")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulated]:
    """Runs the command in a process that is forked from a warm one: a start and a first history cost seconds."""
    folder, numbers = tmp_path_factory.mktemp("simulated"), count()
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.simulation.forks"],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "0"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )

    def run(*options: str) -> Done:
        assert server.stdin
        assert server.stdout
        number = next(numbers)
        out, errors = (folder / f"{number}.{name}" for name in ("out", "errors"))
        server.stdin.write(json.dumps({"options": options, "out": str(out), "errors": str(errors)}) + "\n")
        server.stdin.flush()
        answer = server.stdout.readline()
        assert answer, "the process to fork from has ended: its output is above"
        return subprocess.CompletedProcess(options, int(answer), out.read_bytes(), errors.read_bytes())

    with server:
        yield run
