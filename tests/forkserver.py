"""The process that `tests.forking` forks the program from: it has imported what commands import, and has done nothing else.

Run as `python forkserver.py SOCKET`. A request is one line of JSON and the descriptors 0, 1 and 2 of the new process.
The answers are one line each: the id of the process, then how it ended, as `os.waitpid` reports it.

What a forked process has to be for a test: a `python -m …` that has just begun. Its environment, folder, streams,
signals, process group and `sys` are made so here; the module is then run by the last line of this file, at the
bottom of the stack, and the interpreter ends as it always does.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import io
import json
import os
import pkgutil
import runpy
import selectors
import signal
import socket
import struct
import sys
import tempfile
import time
import types
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

WHOLE = ("reconciler.bootstrap", *(f"reconciler.adapters.{name}" for name in ("arm", "devops", "sqlite")))
"""Packages of which every module is imported, after the commands."""
OTHERS = (
    "reconciler.facets.registry",
    "reconciler.adapters.git.local",
    "reconciler.adapters.git.source",
    "reconciler.service.triggers.composition",
    "emulator.running",
    "concurrent.futures.thread",
    "azure.core.pipeline.transport._requests_basic",
    "azure.core.rest._requests_basic",
    *(
        f"azure.devops.v7_1.{name}"
        for name in ("identity", "location", "pipeline_permissions", "security", "task_agent")
    ),
    "encodings.utf_8_sig",
    "typer._adapters",
    "typer._click.decorators",
)
"""What is imported within functions, and by packages when they are first used; after the reconciler's, which prepares it."""
SPEC = Path(__file__).parents[1] / "reconciler" / "demo" / "files" / "specs" / "fabrikam-managed-pool.yaml"
"""Read once: the first spec that a process reads builds the checks of all fields, whatever is in it."""
LENGTH = struct.Struct("!I")


_LOOKED_UP: set[str] = set()


class _Read(type(os.environ)):  # type: ignore[misc] # the class has no public name
    """An environment that notes which variables are looked up."""

    def __getitem__(self, name: str) -> str:
        _LOOKED_UP.add(name)
        return str(super().__getitem__(name))

    def __contains__(self, name: object) -> bool:
        _LOOKED_UP.add(str(name))
        return bool(super().__contains__(name))


def preload() -> set[str]:
    """Import the program; returns the variables that were read meanwhile."""
    import zoneinfo  # noqa: F401, PLC0415 - looks for a place below HOME, for names that the interpreter reads too

    usual = type(os.environ)
    os.environ.__class__ = _Read
    from reconciler.adapters import lazy_imports  # noqa: PLC0415 - after the environment is watched
    from reconciler.cli.app import COMMANDS, command  # noqa: PLC0415

    for name in COMMANDS:
        command(name)
    lazy_imports.load()
    for package in WHOLE:
        for module in pkgutil.iter_modules(importlib.import_module(package).__path__, f"{package}."):
            importlib.import_module(module.name)
    for name in OTHERS:
        importlib.import_module(name)
    from reconciler.spec import loader  # noqa: PLC0415 - as above

    loader.load({"one.yaml": SPEC.read_bytes()})
    os.environ.__class__ = usual
    return _LOOKED_UP


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


class Server:
    """Forks on request, and reports ends."""

    def __init__(self, path: str) -> None:
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(path)
        self._listener.listen(64)
        self._ended, self._woken = os.pipe()
        for end in (self._ended, self._woken):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(self._woken, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._selector = selectors.DefaultSelector()
        for source in (self._listener, self._ended, sys.stdin):
            self._selector.register(source, selectors.EVENT_READ)
        self._asking: dict[int, socket.socket] = {}
        """Process → the connection that waits for its end."""
        self._bound: dict[socket.socket, int] = {}

    def job(self) -> Job | None:
        """Serve until the tests end, which is None; in a forked process, what it is to become."""
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is sys.stdin:
                    self._end()
                    return None
                if key.fileobj is self._listener:
                    if job := self._accept():
                        return job
                elif key.fileobj == self._ended:
                    with suppress(BlockingIOError):
                        os.read(self._ended, 4096)
                    self._reap()
                elif isinstance(key.fileobj, socket.socket):  # of a bound process, whose asker says nothing but goodbye
                    self._selector.unregister(key.fileobj)
                    _kill(self._bound.pop(key.fileobj))

    def _accept(self) -> Job | None:
        connection, _ = self._listener.accept()
        connection.settimeout(30)
        try:
            job = _received(connection)
        except (OSError, EOFError, ValueError) as error:
            sys.stderr.write(f"fork server: a request could not be read: {error!r}\n")
            connection.close()
            return None
        held = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD))
        child = os.fork()
        if child == 0:
            self._leave(connection)
            _begin(job, held)
            return job
        signal.pthread_sigmask(signal.SIG_SETMASK, held)
        for stream in job.streams:
            os.close(stream)
        self._asking[child] = connection
        _say(connection, {"pid": child})
        if job.bound:
            self._bound[connection] = child
            self._selector.register(connection, selectors.EVENT_READ)
        return None

    def _leave(self, connection: socket.socket) -> None:
        """In a forked process: close what is the server's, so that nothing closes its numbers later."""
        signal.set_wakeup_fd(-1)
        self._selector.close()
        for one in (self._listener, connection, *self._asking.values()):
            one.close()
        os.close(self._ended)
        os.close(self._woken)

    def _reap(self) -> None:
        while self._asking:
            child, status = os.waitpid(-1, os.WNOHANG)
            if not child:
                return
            connection = self._asking.pop(child)
            if self._bound.pop(connection, None):
                self._selector.unregister(connection)
            _say(connection, {"status": status})
            connection.close()

    def _end(self) -> None:
        """The tests have ended: what they left running ends too."""
        for child in self._asking:
            _kill(child)
            os.waitpid(child, 0)


def _say(connection: socket.socket, answer: dict[str, int]) -> None:
    with suppress(OSError):  # who asked is gone
        connection.sendall(json.dumps(answer).encode() + b"\n")


def _kill(child: int) -> None:
    for kill in (os.killpg, os.kill):
        with suppress(ProcessLookupError):
            kill(child, signal.SIGKILL)


def _received(connection: socket.socket) -> Job:
    head, streams, _, _ = socket.recv_fds(connection, LENGTH.size, 3)
    (size,) = LENGTH.unpack(head)
    body = bytearray()
    while len(body) < size:
        part = connection.recv(size - len(body))
        if not part:
            raise EOFError
        body += part
    return Job(**json.loads(body), streams=streams)


def _begin(job: Job, held: Iterable[int]) -> None:
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
    return io.TextIOWrapper(buffer, before.encoding, before.errors, newline="\n", line_buffering=by_line)


def become(job: Job) -> None:
    """Run the module or the code as the interpreter's main program; it ends by `SystemExit`, as programs do."""
    kind, what, *arguments = job.command
    sys.orig_argv = [sys.executable, *job.command]
    if kind == "-m":
        sys.path[0] = str(Path.cwd())
        sys.argv = [what, *arguments]
        runpy.run_module(what, run_name="__main__", alter_sys=True)
    else:
        sys.path[0] = ""
        sys.argv = ["-c", *arguments]
        main: Any = types.ModuleType("__main__")
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


def serve(path: str) -> Job | None:
    """Get ready, say so, and serve."""
    gc.disable()
    names = preload()
    if len(os.listdir("/proc/self/task")) > 1:  # noqa: PTH208 - names alone
        raise SystemExit("fork server: something that was imported has started a thread; a fork would lose it")
    gc.enable()
    gc.collect()
    gc.freeze()
    server = Server(path)
    sys.stdout.write(json.dumps({"read": sorted(names), "environment": dict(os.environ)}) + "\n")
    sys.stdout.flush()
    return server.job()


if __name__ == "__main__":
    _ending = Ending()
    atexit.register(_ending)
    if _job := serve(sys.argv[1]):
        try:
            become(_job)
        except SystemExit as _error:
            _ending.known(_error)
            raise
