"""Processes of the story: one for each command, and one for `serve`.

A command is the same program that people type. Where the system can fork, its process is forked from this one, which
has loaded the program already; the story would otherwise spend most of its time on loading it again and again.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import IO

from reconciler.adapters import lazy_imports
from reconciler.config import settings

ENDING = (signal.SIGINT, signal.SIGTERM)


class Interruption:
    """Ctrl-C or SIGTERM, so that it cannot get lost.

    Python prints and drops what a signal's handler raises within a destructor; the next line of output has to notice.
    """

    def __init__(self) -> None:
        self._came = False

    def handle(self, _number: int, _frame: FrameType | None) -> None:
        """The signal's handler: ends what is being waited for."""
        self._came = True
        raise KeyboardInterrupt

    def check(self) -> None:
        """Raise again what was raised where Python dropped it."""
        if self._came:
            raise KeyboardInterrupt


def load() -> None:
    """Import what commands import when they begin to work, once for all of them."""
    lazy_imports.load()
    from reconciler.adapters.arm import pools  # noqa: F401, PLC0415
    from reconciler.adapters.devops import reads, session, throttling, writes  # noqa: F401, PLC0415
    from reconciler.adapters.git import source  # noqa: F401, PLC0415
    from reconciler.adapters.sqlite import store  # noqa: F401, PLC0415
    from reconciler.cli import apply, plan, validate  # noqa: F401, PLC0415
    from reconciler.facets.registry import FACETS  # noqa: F401, PLC0415


@dataclass(frozen=True, slots=True)
class Workspace:
    """Where commands of the story run: a folder, an environment, and what may end them."""

    folder: Path
    environment: Mapping[str, str]
    interruption: Interruption


def run(arguments: Sequence[str], place: Workspace, *, keep: bool) -> tuple[int, str]:
    """Run a command of the reconciler to its end: exit code, and its output where it is to be kept."""
    with tempfile.TemporaryFile() as kept:
        begin = _forked if sys.platform == "linux" else _started
        code = begin(arguments, place, kept if keep else None)
        kept.seek(0)
        return code, kept.read().decode("utf-8")


def _forked(arguments: Sequence[str], place: Workspace, kept: IO[bytes] | None) -> int:
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)  # what a handler raises in a hook of fork would be dropped
    child = os.fork()
    if child == 0:
        os._exit(_be(arguments, place, kept))
    try:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        _, status = os.waitpid(child, 0)
    except BaseException:  # Ctrl-C too: no process is left behind
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        raise
    return os.waitstatus_to_exitcode(status)


def _be(arguments: Sequence[str], place: Workspace, kept: IO[bytes] | None) -> int:
    """What `python -m reconciler` does, in a process that was this one a moment ago."""
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
        os.chdir(place.folder)
        settings.become(place.environment)
        if kept is not None:
            os.dup2(kept.fileno(), sys.stdout.fileno())
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())
        from reconciler.cli import main  # noqa: PLC0415 - the command itself

        code = main(arguments)
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
    except BaseException:  # noqa: BLE001 - nothing may return into the story from here
        traceback.print_exc()
        return 1
    return code


def _started(arguments: Sequence[str], place: Workspace, kept: IO[bytes] | None) -> int:
    command = [sys.executable, "-m", "reconciler", *arguments]
    errors = subprocess.DEVNULL if kept else None
    done = subprocess.run(command, cwd=place.folder, env=place.environment, stdout=kept, stderr=errors, check=False)  # noqa: S603 - our own module, by this interpreter
    place.interruption.check()
    return done.returncode


def first_line(process: subprocess.Popen[bytes], seconds: float) -> str:
    """What a process says first; empty where it says nothing in time, and then it is ended."""
    timer = threading.Timer(seconds, process.kill)
    timer.start()
    try:
        line = process.stdout.readline() if process.stdout else b""
    finally:
        timer.cancel()
    return line.decode("utf-8").strip()


def end(process: subprocess.Popen[bytes], seconds: float) -> int:
    """End a process and wait for it; its exit code."""
    process.terminate()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout:
        process.stdout.close()
    return process.returncode
