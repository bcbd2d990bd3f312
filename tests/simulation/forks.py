"""A process that has imported the program and played one history, and forks on request: others begin where it stands.

Run as `python -m tests.simulation.forks`. A request is one line of JSON: the options, and the files of both outputs; the
answer is one line, the exit code.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import threading
import traceback
from collections.abc import Sequence

from tests.simulation.__main__ import main


def prepare() -> None:
    """Import and build all that the first history of a process would."""
    from tests.simulation import runner  # noqa: PLC0415 - time is virtual first
    from tests.simulation.histories import history  # noqa: PLC0415 - likewise
    from tests.simulation.play import play  # noqa: PLC0415 - likewise

    runner.prepare()
    play(1, history(1))
    if threading.active_count() > 1:
        raise SystemExit(f"a fork would lose threads: {threading.enumerate()}")
    gc.collect()
    gc.freeze()


def forked(options: Sequence[str], out: str, errors: str) -> int:
    """Run this in a process of its own; the exit code."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    code = 1
    try:
        for number, path in ((0, os.devnull), (1, out), (2, errors)):
            os.dup2(os.open(path, os.O_RDWR | os.O_CREAT), number)
        sys.argv[1:] = options
        code = main()
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 1
    except BaseException:  # noqa: BLE001 - nothing of it may reach the loop below
        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(code)


if __name__ == "__main__":
    prepare()
    for line in sys.stdin:
        sys.stdout.write(f"{forked(**json.loads(line))}\n")
        sys.stdout.flush()
