"""What a forked process is for a test: a `python -m …` that has just begun.

Its environment, folder, streams, signals, process group and `sys` are made so after the fork. The module is then run
at the bottom of the stack, as the main program, and the interpreter ends as it always does.
"""

from __future__ import annotations

import builtins
import io
import os
import runpy
import signal
import sys
import tempfile
import time
import types
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Job:
    """What to become."""

    command: list[str]
    """`-m MODULE …` or `-c CODE …`"""
    environment: dict[str, str]
    folder: str
    session: bool
    """Whether it leads a session of its own; else a process group of its own."""
    bound: bool
    """Whether it is killed when who asked for it is gone."""
    streams: list[int] = field(default_factory=list)

    @property
    def places(self) -> list[str]:
        """What `PYTHONPATH` names."""
        given = self.environment.get("PYTHONPATH", "")
        return [os.path.abspath(Path(self.folder, place)) for place in given.split(os.pathsep)] if given else []  # noqa: PTH100


def begin(job: Job, held: Iterable[int]) -> None:
    """From a process that was the server a moment ago to one that `exec` has just made."""
    for number, stream in enumerate(job.streams):
        os.dup2(stream, number)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    if job.session:
        os.setsid()
    else:
        os.setpgid(0, 0)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_SETMASK, held)
    os.chdir(job.folder)
    os.environ.clear()
    os.environ.update(job.environment)
    time.tzset()
    tempfile.tempdir = None
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        opened = _stream(number, name, mode, getattr(sys, name))
        setattr(sys, name, opened)
        setattr(sys, f"__{name}__", opened)
    if "COVERAGE_PROCESS_START" in os.environ or "COVERAGE_PROCESS_CONFIG" in os.environ:
        import coverage  # noqa: PLC0415 - as its file in site-packages does when an interpreter starts

        coverage.process_startup()


def _stream(number: int, name: str, mode: str, before: io.TextIOWrapper) -> io.TextIOWrapper:
    """One of the three streams, as the interpreter makes it: by the line on a terminal, and standard error always."""
    raw = io.FileIO(number, mode, closefd=False)
    raw.name = f"<{name}>"
    buffer = io.BufferedReader(raw) if mode == "r" else io.BufferedWriter(raw)
    by_line = raw.isatty() or name == "stderr"
    text = io.TextIOWrapper(buffer, before.encoding, before.errors, newline="\n", line_buffering=by_line)
    text.mode = mode  # type: ignore[misc] # as the interpreter does
    return text


def become(job: Job) -> None:
    """Run the module or the code as the interpreter's main program; it ends by `SystemExit`, as programs do."""
    kind, what, *arguments = job.command
    sys.path[1:2] = job.places
    sys.orig_argv = [sys.executable, *job.command]
    if kind == "-m":
        sys.path[0] = str(Path.cwd())
        sys.argv = [what, *arguments]
        runpy.run_module(what, run_name="__main__", alter_sys=True)
    else:
        sys.path[0] = ""
        sys.argv = ["-c", *arguments]
        main: Any = types.ModuleType("__main__")
        main.__builtins__ = builtins
        sys.modules["__main__"] = main
        exec(compile(what, "<string>", "exec"), main.__dict__)  # noqa: S102 - what `python -c` does


@dataclass
class Ending:
    """How a forked process ends: when all that runs at exit has run, but without taking the imported modules apart.

    That alone would take as long as `--help`. It is left to the interpreter wherever the end is another than
    `SystemExit` with a number, or where an output cannot be written.
    """

    code: int | None = None

    def known(self, error: SystemExit) -> None:
        """Remember the exit code."""
        if error.code is None or isinstance(error.code, int):
            self.code = (error.code or 0) & 0xFF

    def __call__(self) -> None:
        """What runs at exit after everything else, because it was registered first."""
        if self.code is None:
            return
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        except (OSError, ValueError):
            return
        os._exit(self.code)
