"""A forked process is what a started one is: each case runs both ways, and all that can be seen from outside is the same."""

from __future__ import annotations

import functools
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests import forking
from tests.cli.process import Desk
from tests.deployment import until
from tests.forking import ForkServerDied, Process

WAITS = 'import time; print("begun", flush=True); time.sleep(600)'


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path, {"PYTHONPATH": str(forking.ROOT)})


def forked(desk: Desk, code: str, *arguments: str, **options: Any) -> Process:
    process = Process([sys.executable, "-c", code, *arguments], cwd=desk.folder, env=desk.surroundings(), **options)
    assert process.forked
    return process


def both(desk: Desk, command: list[str], more: Mapping[str, str] | None = None, **options: Any) -> tuple[int, Any, Any]:
    """How it ends and what it says, forked and started."""
    seen = []
    for kind in (Process, subprocess.Popen):
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
        with kind([sys.executable, *command], cwd=desk.folder, env=desk.surroundings(dict(more or {})), **pipes) as one:
            out, err = one.communicate(timeout=60)
        assert isinstance(one, Process) == (kind is Process)
        assert not isinstance(one, Process) or one.forked
        seen.append((one.returncode, out, err))
    assert seen[0] == seen[1]
    return seen[0]


THREAD = """import sys, threading, time
threading.Thread(target=lambda: (time.sleep(0.2), print('thread'))).start()"""
STREAMS = """import sys
for one in sys.stdin, sys.stdout, sys.stderr:
    print(one.name, one.mode, one.encoding, one.errors, one.newlines, one.line_buffering, one.write_through)"""
ENDS: Mapping[str, tuple[str, int]] = {
    "the end of the code": ("print('x')", 0),
    "a number": ("import sys; sys.exit(7)", 7),
    "a number that is too large": ("import sys; sys.exit(259)", 3),
    "nothing": ("import sys; sys.exit()", 0),
    "a text": ("import sys; sys.exit('bad')", 1),
    "an exit without cleaning up": ("import os; print('lost', end=''); os._exit(9)", 9),
    "what runs at exit": ("import atexit, sys; atexit.register(print, 'at exit'); sys.exit(2)", 2),
    "a thread that goes on": (f"{THREAD}\nsys.exit(4)", 4),
    "a signal": ("import os, signal; os.kill(os.getpid(), signal.SIGTERM); signal.pause()", -signal.SIGTERM),
    "Ctrl-C": ("import os, signal, sys; sys.stderr = None; os.kill(os.getpid(), signal.SIGINT); signal.pause()", -2),
    "an output that cannot be written": ("import os; os.close(1); os.open('/dev/full', os.O_WRONLY); print('x')", 120),
    "an output that was closed": ("import sys; print('x'); sys.stdout.close(); sys.exit(5)", 5),
}


@pytest.mark.parametrize("case", ENDS)
def test_every_way_to_end_is_the_same(desk: Desk, case: str) -> None:
    code, expected = ENDS[case]
    assert both(desk, ["-c", code])[0] == expected


SEEN = (
    "import sys; print(sys.argv, sys.path, sys.orig_argv[1:], sys.flags, sys.warnoptions, sys.executable)",
    "import os, sys; print(sorted(os.environ.items()), os.getcwd(), os.listdir('/proc/self/fd'))",
    "import os; print(os.readlink('/proc/self/fd/0'), os.get_inheritable(1), os.umask(0o22))",
    "import os; print([os.read(0, 1), os.getppid() != 1, os.getpid() in os.sched_getaffinity(0)])",
    STREAMS,
    "import signal; print([signal.getsignal(n) for n in sorted(signal.valid_signals()) if n not in (9, 19)][:31], signal.pthread_sigmask(0, []))",
    "import threading, multiprocessing as m; print(threading.enumerate()[0].name, m.current_process().name, __name__, __builtins__.__name__)",
    "import tempfile; print(tempfile.gettempdir())",
    "import gc, warnings; print(gc.isenabled(), gc.get_threshold(), warnings.showwarning.__module__)",
    "import logging, decimal, locale; print(logging.root.handlers, decimal.getcontext(), locale.setlocale(locale.LC_ALL))",
    "import sys; sys.stdout.buffer.write(b'\\xff\\xfe\\r\\n'); print('gr\\u00fc\\u00dfe')",
    "print('x' * 3_000_000)",
    "import time; print(time.tzname, time.localtime(0).tm_hour)",
)


@pytest.mark.parametrize("code", SEEN)
def test_what_a_program_sees_of_itself_is_the_same(desk: Desk, code: str) -> None:
    code_, out, err = both(desk, ["-c", code, "one", "--two", "dr\udce9i"], {"TZ": "Asia/Kolkata", "TMPDIR": "/"})

    assert (code_, err) == (0, b"")
    assert out


def test_a_module_is_run_as_python_runs_it(desk: Desk) -> None:
    """The command line to its end, with an error of usage, and with a full disk."""
    desk.spec()
    assert both(desk, ["-m", "reconciler", "validate", "--specs", "specs"]) == (0, b"1 spec valid\n", b"")
    assert both(desk, ["-m", "reconciler", "validat"])[0] == 1
    assert both(desk, ["-m", "reconciler"])[0] == 0
    assert both(desk, ["-m", "emulator"])[0] == 1
    with Path("/dev/full").open("wb") as full:
        assert both(desk, ["-m", "reconciler", "schema"], stdout=full)[0] == 1


def test_both_outputs_can_be_one_file_and_input_comes_through(desk: Desk) -> None:
    code = "import sys; print('one', flush=True); print('two', file=sys.stderr); print(sys.stdin.read())"

    with forked(desk, code, stdin=-1, stdout=-1, stderr=subprocess.STDOUT, text=True) as process:
        out, err = process.communicate("héllo", timeout=60)

    assert (out, err, process.returncode) == ("one\ntwo\nhéllo\n", None, 0)


def test_a_session_of_its_own_where_one_is_asked_for_else_a_group(desk: Desk) -> None:
    code = "import os; print(os.getpid() == os.getsid(0), os.getpid() == os.getpgid(0))"

    said = []
    for session in (True, False):
        with forked(desk, code, stdout=-1, text=True, start_new_session=session) as process:
            said.append(process.communicate(timeout=60)[0])

    assert said == ["True True\n", "False True\n"]


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGTERM])
def test_a_process_is_polled_and_ended_by_a_signal(desk: Desk, sent: signal.Signals) -> None:
    with forked(desk, WAITS, stdout=-1) as process:
        assert process.stdout
        assert process.stdout.readline() == b"begun\n"
        assert process.poll() is None
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.05)
        process.send_signal(sent)
        assert process.wait(60) == -sent
        assert process.poll() == -sent
        process.kill()  # nothing is left to be killed

    assert not Path(f"/proc/{process.pid}").exists(), "no zombie"


def test_after_the_timeout_the_whole_group_is_gone(desk: Desk) -> None:
    """What it started goes with it."""
    code = (
        "import subprocess, sys, pathlib\n"
        "one = subprocess.Popen(['sleep', '600'])\n"
        "pathlib.Path('new').write_text(str(one.pid)); pathlib.Path('new').rename('child'); one.wait()"
    )
    command = [sys.executable, "-c", code]
    for seconds in (1, 5, 25, 60):  # until it comes so far on this machine
        with pytest.raises(subprocess.TimeoutExpired):
            forking.run(command, cwd=desk.folder, env=desk.surroundings(), timeout=seconds)
        if (desk.folder / "child").exists():
            break

    child = int((desk.folder / "child").read_text())
    until(functools.partial(_ended, child))


def _ended(number: int) -> bool:
    try:
        return ") Z " in Path(f"/proc/{number}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True


def test_many_at_once_get_each_their_own_end(desk: Desk) -> None:
    started = [forked(desk, f"import sys; print({n}); sys.exit({n})", stdout=-1) for n in range(20)]

    assert [one.communicate(timeout=60)[0] for one in started] == [b"%d\n" % n for n in range(20)]
    assert [one.returncode for one in started] == [*range(20)]


@pytest.fixture
def lone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A server for this test alone."""
    monkeypatch.setattr(forking, "_servers", {})
    yield
    for one in forking._servers.values():
        one.close()


@pytest.mark.usefixtures("lone")
def test_a_server_that_died_is_named_and_the_next_process_gets_another(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    with forked(desk, WAITS, stdout=-1) as process:
        first = process.server.process
        assert process.stdout
        process.stdout.readline()
        first.kill()
        with pytest.raises(ForkServerDied, match=rf"process {first.pid}\) ended with -9"):
            process.wait(60)
        os.kill(process.pid, signal.SIGKILL)

    with forked(desk, "print(5)", stdout=-1) as process:
        assert process.communicate(timeout=60)[0] == b"5\n"
    assert process.server.process.pid != first.pid
    assert f"(process {first.pid}) ended with -9: no output; another one is started" in capsys.readouterr().err


@pytest.mark.usefixtures("lone")
def test_what_runs_when_the_tests_end_is_ended(desk: Desk) -> None:
    with forked(desk, WAITS, stdout=-1) as process:
        assert process.stdout
        process.stdout.readline()
        process.server.close()

        assert _ended(process.pid)
        with pytest.raises(ForkServerDied):
            process.wait(60)


@pytest.mark.parametrize(
    "variable", ["PYTHONHASHSEED", "PYTHONUTF8", "PYTHONWARNINGS", "LC_ALL", "LANG", "TYPER_USE_RICH", "SSLKEYLOGFILE"]
)
def test_another_value_of_what_an_interpreter_or_an_import_reads_is_a_true_start(desk: Desk, variable: str) -> None:
    value = {"PYTHONWARNINGS": "ignore", "SSLKEYLOGFILE": str(desk.folder / "keys"), "LANG": "xx"}.get(variable, "1")
    command = [sys.executable, "-c", "import os; print(os.environ.get(os.sys.argv[1]))", variable]
    with Process(command, cwd=desk.folder, env=desk.surroundings({variable: value}), stdout=-1, text=True) as process:
        assert process.communicate(timeout=60)[0] == f"{value}\n"

    assert not process.forked


@pytest.mark.parametrize(
    ("command", "options"),
    [
        ([sys.executable, "-m", "json.tool", "--help"], {}),
        (["true"], {}),
        ("true", {"shell": True}),
        ([sys.executable, "-c", ""], {"umask": 0o77}),
        ([sys.executable, "-c", ""], {"env": None}),
    ],
)
def test_what_a_fork_does_not_do_is_left_to_the_standard_library(
    desk: Desk, command: Any, options: dict[str, Any]
) -> None:
    given = {"env": desk.surroundings(), "stdout": subprocess.DEVNULL, **options}
    with Process(command, cwd=desk.folder, **given) as process:
        assert process.wait(60) == 0

    assert not process.forked


def test_a_folder_that_is_not_there_is_the_same_error(desk: Desk) -> None:
    with pytest.raises(FileNotFoundError):
        Process([sys.executable, "-c", ""], cwd=desk.folder / "none", env=desk.surroundings())


def scripted(desk: Desk, text: str, **options: Any) -> subprocess.Popen[str]:
    """A script in which `python` is the stand-in."""
    program = desk.folder / "python"
    program.write_text(f"#!/bin/sh\n{forking.python()}\n")
    program.chmod(0o755)
    return subprocess.Popen(
        ["bash", "-c", text], cwd=desk.folder, env=desk.surroundings(), text=True, stdout=subprocess.PIPE, **options
    )


def test_a_script_gets_outputs_and_exit_codes_of_its_commands(desk: Desk) -> None:
    desk.spec()
    text = """
    ./python -m reconciler validate --specs specs; echo $?
    ./python -m reconciler validat 2>/dev/null; echo $?
    ./python -c 'import os; print(os.getppid() == int(os.environ["SERVER"]))'
    PYTHONHASHSEED=1 ./python -c 'import os, sys; print(sys.flags.hash_randomization, os.environ["PYTHONHASHSEED"])'
    ./python -m reconciler schema | head -1
    echo text | ./python -c 'print(input(), file=open("here", "w"))'; cat here
    ./python -c 'import os; os.kill(os.getpid(), 15)'; echo $?
    """
    desk.environment["SERVER"] = str(forking.server().process.pid)

    with scripted(desk, text) as shell:
        out, _ = shell.communicate(timeout=90)

    assert out.splitlines() == ["1 spec valid", "0", "1", "True", "1 1", "{", "text", "143"]


def test_a_signal_reaches_what_the_stand_in_stands_for(desk: Desk) -> None:
    text = f"""
    ./python -c 'import os; print(os.getpid(), flush=True); {WAITS}' & child=$!
    read -r; kill -s "$REPLY" $child; wait $child; echo $?
    """
    for sent, code in (("TERM", 143), ("KILL", 137)):
        with scripted(desk, text, stdin=subprocess.PIPE) as shell:
            assert shell.stdout
            assert shell.stdin
            number = int(shell.stdout.readline())
            assert shell.stdout.readline() == "begun\n"
            shell.stdin.write(f"{sent}\n")
            shell.stdin.flush()
            assert shell.stdout.readline() == f"{code}\n"
        until(functools.partial(_ended, number))


@pytest.mark.parametrize("shadowed", [True, False])
def test_another_package_of_the_same_name_is_found_as_python_finds_it(desk: Desk, *, shadowed: bool) -> None:
    """In the folder where a command starts; a link to this clone is this clone."""
    if shadowed:
        (desk.folder / "reconciler").mkdir()
        (desk.folder / "reconciler" / "__init__.py").touch()
        (desk.folder / "reconciler" / "__main__.py").write_text("print('another')\n")
    else:
        (desk.folder / "reconciler").symlink_to(forking.ROOT / "reconciler")
        desk.environment["PYTHONPATH"] = "."

    process = desk.start("--version")

    assert (process.communicate(timeout=60)[0] == "another\n") == shadowed
    assert process.forked != shadowed
