"""Where runs end: bugs, secrets in tracebacks, Ctrl-C."""

from __future__ import annotations

import errno
import logging
import os
import signal
import subprocess
import sys
from pathlib import Path
from subprocess import PIPE

import pytest
import typer

from reconciler.cli.boundary import main
from reconciler.cli.codes import DONE, ERROR, PENDING, STOPPED, worst
from reconciler.cli.program import ENV_FILE
from reconciler.cli.stopping import say_at_once, stop_on_signals
from reconciler.config.settings import PREFIX
from reconciler.errors import Forbidden
from tests.cli.process import Desk


def program(error: BaseException) -> typer.Typer:
    """A command line with one command that ends badly."""
    one = typer.Typer()

    def boom(*, verbose: bool = typer.Option(False, "--verbose")) -> None:
        raise error

    one.command()(boom)
    return one


def test_an_expected_error_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["--verbose"], program(Forbidden("roles: fabrikam-prime: 403")))

    assert code == ERROR
    assert capsys.readouterr().err == "error: Forbidden: roles: fabrikam-prime: 403\n"


def test_a_bug_is_a_short_message(capsys: pytest.CaptureFixture[str]) -> None:
    """People get a line that they can report; the error's text may hold anything, so it is not in it."""
    wrapped = program(ValueError("canary"))
    wrapped.callback()(lambda: None)

    code = main(["boom"], wrapped)
    err = capsys.readouterr().err

    assert code == ERROR
    assert err.startswith("error: this is a bug: ValueError in test_cli_boundary.py, line ")
    assert "canary" not in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "error: standard output: No space left on device\n"),
        (PermissionError(errno.EACCES, "Permission denied", "specs"), "error: specs: Permission denied\n"),
        (OSError(errno.EIO, "Input/output error", "a\nb"), "error: a\\x0ab: Input/output error\n"),
    ],
    ids=["disk", "rights", "device"],
)
def test_trouble_of_the_machine_is_no_bug(error: OSError, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    wrapped = program(error)
    wrapped.callback()(lambda: None)

    assert main(["boom"], wrapped) == ERROR
    assert capsys.readouterr().err == line


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
def test_a_full_disk_behind_standard_output_is_named() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "reconciler", "schema"],
            stdout=full,
            stderr=PIPE,
            text=True,
            check=False,
            timeout=100,
        )

    assert done.returncode == ERROR
    assert done.stderr == "error: standard output: No space left on device\n"


def test_the_traceback_of_a_bug_holds_no_secret(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Whatever the library said that failed: tokens, headers and signed URLs are struck out."""
    monkeypatch.setenv(f"{PREFIX}PAT", "canary-pat")
    (tmp_path / "my.env").write_text(f"{PREFIX}GIT_TOKEN=canary-git\n")
    given = ENV_FILE.set(tmp_path / "my.env")
    text = (
        "canary-pat canary-git; Authorization: Bearer canary-jwt.x-y_z; GET https://host/op?sig=canary-sig&t=1 failed"
    )

    code = main(["--verbose"], program(ValueError(text)))
    err = capsys.readouterr().err
    ENV_FILE.reset(given)

    assert code == ERROR
    assert "Traceback" in err
    assert "ValueError: *** ***; Authorization: Bearer ***; GET https://host/op?sig=***&t=*** failed" in err
    assert "canary-" not in err.replace("raise error", "")


def test_what_libraries_log_is_for_those_who_ask(capsys: pytest.CaptureFixture[str]) -> None:
    """A sign-in that fails is eleven lines of libraries; the one line of ours says it.

    The logger is msal's: a service in this process keeps that of azure-identity silent.
    """

    def noisy(
        *, verbose: bool = typer.Option(False, "--verbose"), again: bool = typer.Option(False, "--again")
    ) -> None:
        logging.getLogger("msal.token").warning("no token\nAuthorization: Bearer %s", "canary")

    one = typer.Typer()
    one.command()(noisy)

    assert main(["--again"], one) == DONE
    assert capsys.readouterr().err == ""
    assert main(["--verbose"], one) == DONE
    assert capsys.readouterr().err == "msal.token: no token\nmsal.token: Authorization: Bearer ***\n"


def test_a_reader_who_leaves_is_no_bug(desk: Desk) -> None:
    """`… --help | head -1` is what people type."""
    command = f"{sys.executable} -m reconciler schema | head -1"

    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        cwd=desk.folder,
        env=desk.surroundings(),
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.stdout, done.stderr) == ("{\n", "")


def test_ctrl_c_has_an_exit_code_of_its_own() -> None:
    assert main(["--verbose"], program(KeyboardInterrupt())) == STOPPED


def test_the_first_ctrl_c_waits_for_the_step_and_the_second_does_not() -> None:
    """A step that is under way is a write that was sent: its answer should be seen."""
    said: list[str] = []
    with stop_on_signals(said.append) as stop:
        stop.check()
        os.kill(os.getpid(), signal.SIGINT)

        assert said == ["stopping after this step; Ctrl-C again ends at once"]
        with pytest.raises(KeyboardInterrupt):
            stop.check()
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)


def test_the_signal_is_answered_past_all_buffers(capfd: pytest.CaptureFixture[str]) -> None:
    """It may come in the middle of a print, and printing cannot be entered twice."""
    say_at_once("stopping")

    assert capfd.readouterr().err == "stopping\n"


def test_waiting_ends_with_ctrl_c() -> None:
    """A long operation may take half an hour; nobody wants to sit through it after Ctrl-C."""
    with stop_on_signals(lambda _: None) as stop:
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt):
            stop.wait(60)


def test_afterwards_ctrl_c_is_what_it_was() -> None:
    before = signal.getsignal(signal.SIGINT)
    with stop_on_signals(lambda _: None):
        assert signal.getsignal(signal.SIGINT) is not before

    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize(
    ("codes", "code", "reason"),
    [
        ([], DONE, "nothing was wrong"),
        ([DONE, PENDING], PENDING, "one pool is out of sync"),
        ([PENDING, ERROR, DONE], ERROR, "an error hides drift: the answer is not whole"),
        ([ERROR, STOPPED], STOPPED, "somebody ended it, so nothing else can be said"),
    ],
)
def test_the_worst_code_is_the_code(codes: list[int], code: int, reason: str) -> None:
    assert worst(codes) == code, reason
