"""Progress counts the work that takes the time, also where it is piped: requests, projects, pools."""

from __future__ import annotations

import json
import os
import pty
import re
from contextlib import suppress
from threading import Event

import pytest

from emulator import Running
from reconciler.cli.progress import EVERY, ProgressDisplay
from reconciler.cli.screen import Screen
from reconciler.telemetry.calls import Calls
from reconciler.telemetry.traffic import TRAFFIC, Traffic
from tests.cli.process import PIPES, Desk

POOL = "fabrikam-managed-pool"


class Beats:
    """A rhythm that begins when a test says so, is over at once so often, and then lasts."""

    def __init__(self, number: int) -> None:
        self._left = number
        self._begun, self._through = Event(), Event()

    def __call__(self, over: Event, seconds: float) -> bool:
        assert seconds == EVERY
        self._begun.wait()
        if self._left:
            self._left -= 1
            return False
        self._through.set()
        return over.wait()

    def begin(self) -> None:
        """From now on."""
        self._begun.set()

    def pass_by(self) -> None:
        """All of them, now."""
        self.begin()
        self._through.wait()


def call(number: int, project: str = "") -> None:
    calls = Calls("devops")
    url = (
        f"https://dev.azure.com/fabrikam/{project}/_apis/queues"
        if project
        else "https://dev.azure.com/fabrikam/_apis/p"
    )
    for _ in range(number):
        with calls.call("GET", "queues", "fabrikam", url) as made:
            made.tried(200, 0.1)


def test_a_line_every_ten_seconds_counts_steps_requests_and_projects(capsys: pytest.CaptureFixture[str]) -> None:
    wait = Beats(2)
    before = TRAFFIC.requests, TRAFFIC.projects
    screen = Screen(wait=wait)
    with screen.progress("reading", 12) as progress:
        progress.step("reading pool-1")
        call(3, f"project-{before}")
        wait.pass_by()

    err = capsys.readouterr().err.splitlines()
    assert [re.sub(r"\d+ requests?, (\d+ projects?, )?", "N, ", line) for line in err] == [
        "reading pool-1: 1 of 12, N, 10 s so far",
        "reading pool-1: 1 of 12, N, 20 s so far",
    ]
    assert (TRAFFIC.requests, TRAFFIC.projects) == (before[0] + 3, before[1] + 1)


def test_nothing_is_counted_while_nobody_watches() -> None:
    traffic = Traffic()
    traffic.sent("fabrikam", "https://dev.azure.com/fabrikam/Web/_apis/queues")
    assert (traffic.requests, traffic.projects) == (0, 0)
    with traffic.watch():
        for url in ("fabrikam/Web/_apis/x", "FABRIKAM/_apis/x", "fabrikam/Web/_apis/y", "fabrikam/Api/_apis/y"):
            traffic.sent("fabrikam", f"https://dev.azure.com/{url}")
        traffic.sent()
    traffic.sent()
    assert (traffic.requests, traffic.projects) == (5, 2)


def test_what_is_waited_for_has_its_own_lines(capsys: pytest.CaptureFixture[str]) -> None:
    wait = Beats(3)
    screen = Screen(wait=wait)
    with screen.progress("reading", None) as progress:
        progress.state("pool-1: waiting for ARM")
        wait.pass_by()
    assert capsys.readouterr().err == ""


def test_progress_within_progress_goes_on_with_it(capsys: pytest.CaptureFixture[str]) -> None:
    screen = Screen()
    with screen.progress("reading", None) as outer, screen.progress("planning", 3) as inner:
        assert inner is outer
        inner.step()
    with screen.progress("reading", None) as again:
        assert again is not outer
    assert capsys.readouterr().err == ""


def test_a_reader_that_is_gone_ends_no_run() -> None:
    """Standard error is closed by who reads it: the run goes on, and nothing is said of the thread."""
    told: list[str] = []

    def broken(line: str) -> None:
        told.append(line)
        raise BrokenPipeError(32, "Broken pipe")

    wait = Beats(1)
    with ProgressDisplay(broken, None).beating(wait):
        wait.begin()
    assert len(told) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("plan", POOL), ("doctor", POOL), ("apply", POOL, "--dry-run"), ("status", "--unmanaged"),
        ("import", "--to", "imported"), ("probe", "--to", "capabilities.yaml"),
    ],
)  # fmt: skip
def test_on_a_terminal_it_is_one_line_that_is_cleared_and_results_are_pure(
    online: Desk, cloud: Running, arguments: tuple[str, ...]
) -> None:
    """A narrow one too, without colours: nothing of the bar is left when the run ends."""
    leader, follower = pty.openpty()
    seen = b""
    options = {**PIPES, "stderr": follower}
    with online.start(
        *arguments, "--output", "json", options=options, TERM="xterm", COLUMNS="40", NO_COLOR="1"
    ) as process:
        os.close(follower)
        assert process.stdout
        out = process.stdout.read()
        with suppress(OSError):  # the terminal is gone with its last user
            while part := os.read(leader, 65536):
                seen += part
    os.close(leader)

    assert process.returncode in (0, 2), seen
    assert isinstance(json.loads(out), dict)
    text = seen.decode()
    assert "\x1b[2K" in text, "the line is cleared"
    assert not re.search(r"\x1b\[[0-9;]*3[0-7]m", text), "no colour"
    assert text.count("\x1b[?25l") == text.count("\x1b[?25h"), "the cursor is shown again"
