"""`python -m reconciler …` for scripts: forked by the server of a test run, started truly where that would differ.

Run as `python -I -S forked_python.py SOCKET ARGUMENTS…`. This process stands for the other one: it passes signals on,
ends as it ends, and takes it along when it is killed. It imports little, since each command of a script pays for it.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import struct
import sys
from collections.abc import Sequence
from typing import Any

LENGTH = struct.Struct("!I")
_PASSED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)


def ask(path: str, request: dict[str, Any], streams: Sequence[int]) -> tuple[socket.socket, int]:
    """Ask a server for a process: the connection that reports its end, and its id; 0 where it must be started truly."""
    connection = socket.socket(socket.AF_UNIX)
    body = json.dumps(request).encode()
    try:
        connection.connect(path)
        socket.send_fds(connection, [LENGTH.pack(len(body))], list(streams))
        connection.sendall(body)
        answer = heard(connection)
    except BaseException:
        connection.close()
        raise
    return connection, int(answer["pid"])


def heard(connection: socket.socket) -> dict[str, int]:
    """One answer. Raises `ConnectionError` where the server is gone."""
    line = bytearray()
    while not line.endswith(b"\n"):
        part = connection.recv(1)
        if not part:
            raise ConnectionError("the fork server for tests is gone")
        line += part
    answer: dict[str, int] = json.loads(line)
    return answer


def surroundings() -> dict[str, str]:
    """The environment that this process was given: the interpreter may have added to its own."""
    with open("/proc/self/environ", "rb") as file:  # noqa: PTH123 - pathlib takes long to import
        entries = file.read().split(b"\0")
    return dict(os.fsdecode(one).split("=", 1) for one in entries if b"=" in one)


def main(path: str, arguments: list[str]) -> int:
    """Stand for a forked process, or become a started one."""
    environment = surroundings()
    request = {"command": arguments, "environment": environment, "folder": os.getcwd(), "session": False, "bound": True}  # noqa: PTH109
    connection, process = ask(path, request, (0, 1, 2))
    if not process:
        os.execve(sys.executable, [sys.executable, *arguments], environment)  # noqa: S606 - what the script asked for
    for number in _PASSED_ON:
        signal.signal(number, lambda sent, _: os.kill(process, sent))
    code = os.waitstatus_to_exitcode(heard(connection)["status"])
    if code < 0:
        signal.signal(-code, signal.SIG_DFL) if -code != signal.SIGKILL else None
        os.kill(os.getpid(), -code)
    return code


if __name__ == "__main__":
    os._exit(main(sys.argv[1], sys.argv[2:]))
