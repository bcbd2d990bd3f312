"""Processes of the program for tests, forked from one that has imported it: a start costs milliseconds, not a second.

`Process` and `run` take what `subprocess.Popen` and `subprocess.run` take, and give what they give. What a fork cannot
show is started truly, by the same call: another interpreter, another module, other variables that the interpreter or an
import reads. Tests about the start itself call `subprocess`. `forked_process.py` says what a forked process is.
"""

from __future__ import annotations

import atexit
import contextlib
import multiprocessing
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.forked_python import ask, heard

ROOT = Path(__file__).parents[1]


FUNCTIONS = multiprocessing.get_context("forkserver")
"""For functions of tests that run in processes of their own; a test run has one server of this kind, so it has one list."""
FUNCTIONS.set_forkserver_preload(["tests.forked_functions"])


class ForkServerDied(RuntimeError):
    """The server has ended, and its processes with it; the next one that is started gets a new server."""


class _Server:
    """The server's process, seen from a test run."""

    def __init__(self) -> None:
        self.folder = tempfile.mkdtemp(prefix="fork-")
        self.path = f"{self.folder}/s"
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "SYSTEMROOT") if name in os.environ}
        self._log = Path(self.folder, "stderr")
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(ROOT / "tests" / "forkserver.py"), self.path],
                cwd=ROOT,
                env={**kept, "PYTHONPATH": str(ROOT), "HOME": self.folder, "PYDANTIC_DISABLE_PLUGINS": "__all__"},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )
        assert self.process.stdout
        line = self.process.stdout.readline()
        if not line:
            raise ForkServerDied(self.last_words())

    def last_words(self) -> str:
        """Why it ended."""
        code = self.process.wait(30)
        said = self._log.read_text(encoding="utf-8", errors="replace").strip() if self._log.exists() else ""
        return (
            f"the fork server for tests (process {self.process.pid}) ended with {code}: {said[-2000:] or 'no output'}"
        )

    def start(self, request: dict[str, Any], streams: Sequence[int]) -> tuple[socket.socket, int]:
        """The connection that reports the end of a new process, and its id; 0 where it must be started truly."""
        try:
            return ask(self.path, request, streams)
        except (ConnectionError, FileNotFoundError):
            raise ForkServerDied(self.last_words()) from None

    def close(self) -> None:
        """End it, and what it still runs."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.close()
        self.process.stdout.close()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


_lock = threading.Lock()
_servers: dict[int, _Server] = {}
"""Process → its server: one that was forked from a test run gets one of its own."""


def server() -> _Server:
    """The server of this process; a new one where there is none, or where it has died."""
    with _lock:
        found = _servers.get(os.getpid())
        if found is not None and found.process.poll() is not None:
            sys.stderr.write(f"{found.last_words()}; another one is started\n")
            found.close()
            found = None
        if found is None:
            found = _servers[os.getpid()] = _Server()
        return found


@atexit.register
def _close() -> None:
    if found := _servers.pop(os.getpid(), None):
        found.close()


class Process(subprocess.Popen[Any]):
    """As `subprocess.Popen`, forked where that makes no difference.

    The pipes, `communicate` and all waiting are those of the standard library; only how the process begins and how its
    end is learnt are replaced, since it is no child of this one.
    """

    _connection: socket.socket | None = None
    server: _Server

    @property
    def forked(self) -> bool:
        """Whether it was; a true start otherwise."""
        return self._connection is not None

    def _execute_child(self, args: Any, *rest: Any) -> None:
        # Positions as `Popen.__init__` of 3.11 to 3.13 passes them.
        executable, preexec_fn, _close_fds, pass_fds, cwd, env, _info, _flags, shell = rest[:9]
        to_stdin, _, _, from_stdout, _, from_stderr = rest[9:15]
        _restore, gid, gids, uid, umask, session, *group = rest[15:]
        special = (preexec_fn, *pass_fds, shell, gid, gids, uid, executable) != (None, False, None, None, None, None)
        folder = os.fspath(cwd or ".")
        if special or umask != -1 or group not in ([], [-1]) or env is None or not os.path.isdir(folder):  # noqa: PTH112
            super()._execute_child(args, *rest)  # type: ignore[misc] # the standard library's own, which has no types
            return
        words = [] if isinstance(args, (str, bytes)) else [os.fsdecode(word) for word in args]
        given = {os.fsdecode(name): os.fsdecode(text) for name, text in env.items()}
        if sys.platform != "linux" or words[:1] != [sys.executable]:
            super()._execute_child(args, *rest)  # type: ignore[misc]
            return
        request = {"command": words[1:], "environment": given, "folder": os.path.abspath(folder), "session": session}  # noqa: PTH100
        streams = [own if own != -1 else usual for usual, own in enumerate((to_stdin, from_stdout, from_stderr))]
        self.server = server()
        connection, process = self.server.start({**request, "bound": False}, streams)
        if not process:
            connection.close()
            super()._execute_child(args, *rest)  # type: ignore[misc]
            return
        self._connection, self.pid = connection, process
        self._close_pipe_fds(*rest[9:15])  # type: ignore[attr-defined]
        self._child_created = True

    def _try_wait(self, wait_flags: int) -> tuple[int, int]:
        if self._connection is None:
            return super()._try_wait(wait_flags)  # type: ignore[misc, no-any-return]
        self._connection.setblocking(not wait_flags & os.WNOHANG)
        try:
            answer = heard(self._connection)
        except BlockingIOError:
            return 0, 0
        except OSError:
            self._connection.close()
            self.returncode = -9  # it is not to be waited for again
            raise ForkServerDied(self.server.last_words()) from None
        self._connection.close()
        return self.pid, answer["status"]

    def _internal_poll(self, *given: Any, **more: Any) -> int | None:
        if self._connection is None:
            return super()._internal_poll(*given, **more)  # type: ignore[misc, no-any-return]
        if self.returncode is None and self._waitpid_lock.acquire(blocking=False):  # type: ignore[attr-defined]
            try:
                if self.returncode is None:
                    child, status = self._try_wait(os.WNOHANG)
                    if child:
                        self.returncode = os.waitstatus_to_exitcode(status)
            finally:
                self._waitpid_lock.release()  # type: ignore[attr-defined]
        return self.returncode


def run(
    command: Sequence[str], *, timeout: float | None = None, check: bool = False, **options: Any
) -> subprocess.CompletedProcess[Any]:
    """As `subprocess.run`; after the time-out, the group of the process is killed."""
    if options.pop("capture_output", False):
        options |= {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with Process(command, **options) as process:
        try:
            out, err = process.communicate(timeout=timeout)
        except BaseException:
            end(process)
            raise
    done = subprocess.CompletedProcess(process.args, process.returncode, out, err)
    if check:
        done.check_returncode()
    return done


def end(process: Process) -> None:
    """Kill a process, and where it was forked the group that it leads."""
    if process.forked and process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.wait()


def python(*words: str) -> str:
    """A line of shell that runs `python WORDS "$@"` for a script: forked where that makes no difference."""
    script = [sys.executable, "-I", "-S", str(ROOT / "tests" / "forked_python.py"), server().path]
    return f'exec {shlex.join([*script, *words])} "$@"'
