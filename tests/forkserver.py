"""The process that `tests.forking` forks the program from: it has imported what commands import, and has done nothing else.

Run as `python forkserver.py SOCKET`. A request is one line of JSON and the descriptors 0, 1 and 2 of the new process.
The answers are one line each: the id of the process, then how it ended, as `os.waitpid` reports it.

`forked_process.py` says what such a process is.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import pkgutil
import selectors
import signal
import socket
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from tests.forked_process import Ending, Job, become, begin
from tests.forked_python import LENGTH, surroundings

ROOT = Path(__file__).parents[1]
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
SPEC = ROOT / "reconciler" / "demo" / "files" / "specs" / "fabrikam-managed-pool.yaml"
"""Read once: the first spec that a process reads builds the checks of all fields, whatever is in it."""
MODULES = ("reconciler", "emulator")
"""What may be run as a module: packages of this clone."""
_OF_THE_INTERPRETER = ("PYTHON", "LC_", "LANG", "TZDIR", "LD_", "MALLOC_", "OPENSSL_", "SSL_")
"""Beginnings of variables that the interpreter, or a library in C, reads for itself."""
_MADE_ANEW = frozenset({
    "PYTHONPATH",  # compared by where it leads
    "AZURE_DEVOPS_CACHE_DIR",  # the program switches this cache off, whatever is named
    "TMPDIR", "TEMP", "TMP",  # forgotten after the fork
    "PYDANTIC_DISABLE_PLUGINS",  # the program sets it before it imports pydantic, as the server does
    "COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG",  # coverage begins after the fork
})  # fmt: skip
"""Variables that may differ although they are read at the start or by an import."""


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


class Server:
    """Forks on request, and reports ends."""

    def __init__(self, path: str, read: Iterable[str]) -> None:
        self._given = surroundings()
        self._added = {name: text for name, text in os.environ.items() if name not in self._given}
        """What the interpreter set by itself."""
        self._read = frozenset(read)
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
        if not self._alike(job):
            for stream in job.streams:
                os.close(stream)
            _say(connection, {"pid": 0})
            connection.close()
            return None
        job.environment = {**self._added, **job.environment}
        held = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD))
        child = os.fork()
        if child == 0:
            self._leave(connection)
            begin(job, held)
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

    def _alike(self, job: Job) -> bool:
        """Whether an interpreter that is started for this would begin as the forked process does."""
        match job.command:
            case ["-m", module, *_]:
                known = module in MODULES
            case ["-c", _, *_]:
                known = True
            case _:
                known = False
        names = {**job.environment, **self._given}.keys() - _MADE_ANEW
        decisive = {name for name in names if name in self._read or name.startswith(_OF_THE_INTERPRETER)}
        same = all(job.environment.get(name) == self._given.get(name) for name in decisive)
        return known and same and _is_this_clone(job)

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


def _is_this_clone(job: Job) -> bool:
    """Whether `import reconciler` would find this one."""
    for place in (job.folder, *job.places):
        if (found := Path(place, "reconciler")).exists():
            return found.resolve() == ROOT / "reconciler"
    return False


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


def serve(path: str) -> Job | None:
    """Get ready, say so, and serve."""
    gc.disable()
    names = preload()
    if len(os.listdir("/proc/self/task")) > 1:  # noqa: PTH208 - names alone
        raise SystemExit("fork server: something that was imported has started a thread; a fork would lose it")
    gc.enable()
    gc.collect()
    gc.freeze()
    server = Server(path, names)
    sys.stdout.write("ready\n")
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
