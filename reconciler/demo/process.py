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
from pathlib import Path
from typing import IO

from reconciler import settings
from reconciler.adapters import loading


def load() -> None:
    """Import what commands import when they begin to work, once for all of them."""
    loading.load()
    from reconciler.adapters import arm, devops, devops_writes, gate_closings, git, local, session  # noqa: F401, PLC0415
    from reconciler.facets import FACETS  # noqa: F401, PLC0415


def run(arguments: Sequence[str], folder: Path, environment: Mapping[str, str], *, keep: bool) -> tuple[int, str]:
    """Run a command of the reconciler to its end: exit code, and its output where it is to be kept."""
    with tempfile.TemporaryFile() as kept:
        streams = (kept, kept) if keep else None
        begin = _forked if sys.platform == "linux" else _started
        code = begin(arguments, folder, environment, kept if streams else None)
        kept.seek(0)
        return code, kept.read().decode("utf-8")


def _forked(arguments: Sequence[str], folder: Path, environment: Mapping[str, str], kept: IO[bytes] | None) -> int:
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    child = os.fork()
    if child == 0:
        os._exit(_be(arguments, folder, environment, kept))
    try:
        _, status = os.waitpid(child, 0)
    except BaseException:  # Ctrl-C too: nobody is left behind
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        raise
    return os.waitstatus_to_exitcode(status)


def _be(arguments: Sequence[str], folder: Path, environment: Mapping[str, str], kept: IO[bytes] | None) -> int:
    """What `python -m reconciler` does, in a process that was this one a moment ago."""
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.chdir(folder)
        settings.become(environment)
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


def _started(arguments: Sequence[str], folder: Path, environment: Mapping[str, str], kept: IO[bytes] | None) -> int:
    command = [sys.executable, "-m", "reconciler", *arguments]
    errors = subprocess.DEVNULL if kept else None
    done = subprocess.run(command, cwd=folder, env=environment, stdout=kept, stderr=errors, check=False)  # noqa: S603 - our own module, by this interpreter
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
