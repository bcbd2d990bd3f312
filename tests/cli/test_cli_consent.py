"""`apply` on a terminal: it shows what it would do and asks; elsewhere, and with `--yes`, it goes on."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import TypeAlias

import pytest

from emulator import Running
from tests.cli.process import Desk
from tests.forking import Process

POOL, RELEASE = "fabrikam-managed-pool", "fabrikam-release-pool"
QUESTION = "Apply these changes? [y/N] "
TOTAL = "2 pools, 0 in sync: 7 changes: 1 without impact, 4 granting access, 2 revoking access"
LONGEST = 90.0
"""Seconds without any output after which the process counts as stuck."""


@dataclass
class Terminal:
    """A process whose three streams are one terminal."""

    process: Process
    end: int
    seen: str = ""

    def until(self, text: str = "") -> str:
        """Read until the text has come, or the process has closed the terminal; returns all that was seen."""
        while not text or text not in self.seen:
            ready, _, _ = select.select([self.end], [], [], LONGEST)
            assert ready, f"no output: {self.seen}"
            try:
                chunk = os.read(self.end, 65536)
            except OSError:  # Linux: the other end is closed
                chunk = b""
            if not chunk:
                break
            self.seen += chunk.decode(errors="replace").replace("\r\n", "\n")
        return self.seen

    def type(self, text: str) -> None:
        """As a person does."""
        os.write(self.end, text.encode())

    def code(self) -> int:
        """The exit code, after all output was read."""
        self.until()
        return self.process.wait(timeout=LONGEST)


Start: TypeAlias = Callable[..., Terminal]


@pytest.fixture
def on_terminal(online: Desk) -> Iterator[Start]:
    """Start `reconciler …` on a terminal of its own."""
    started: list[Terminal] = []

    def run(*arguments: str) -> Terminal:
        own, its = pty.openpty()
        options = {"stdin": its, "stdout": its, "stderr": its, "start_new_session": True}
        process = online.start(*arguments, options=options, TERM="xterm", NO_COLOR="1", COLUMNS="200")
        os.close(its)
        started.append(Terminal(process, own))
        return started[-1]

    yield run
    for one in started:
        if one.process.poll() is None:
            one.process.kill()
            one.process.wait()
        os.close(one.end)


def recorded_plans(desk: Desk) -> set[str]:
    """Hashes of the plans whose writes are on record, those that later runs of the same apply planned left out."""
    with closing(sqlite3.connect(desk.folder / "state.db")) as file:
        rows = [json.loads(entry) for (entry,) in file.execute("SELECT entry FROM record ORDER BY at, number")]
    first: dict[str, str] = {}
    for row in rows:
        if row["kind"] == "intent":
            first.setdefault(row["pool"], row["plan"])
    return set(first.values())


def test_the_plan_and_its_total_are_shown_before_the_question(on_terminal: Start, online: Desk, cloud: Running) -> None:
    terminal = on_terminal("apply")

    shown = terminal.until(QUESTION)

    assert TOTAL in shown.splitlines()
    assert "+ open access" in shown
    assert "after its queue exists" in shown
    assert cloud.do.count(writes=True) == 0
    hashes = set(re.findall(r"^  plan ([0-9a-f]{64})$", shown, re.MULTILINE))
    terminal.type("y\n")
    assert terminal.code() == 0, terminal.seen
    assert len(hashes) == 2
    assert hashes == recorded_plans(online), "what was shown is what the runs made"
    assert "2 pools: 2 applied and verified; 7 planned, 6 written, 6 verified" in terminal.seen


@pytest.mark.parametrize("answer", ["n\n", "\n", "yeah\n", "\x04"])
def test_any_other_answer_writes_nothing(on_terminal: Start, cloud: Running, answer: str) -> None:
    terminal = on_terminal("apply")
    terminal.until(QUESTION)

    terminal.type(answer)

    assert terminal.code() == 2, terminal.seen
    assert "the plan was not confirmed; nothing is written" in terminal.seen
    assert cloud.do.count(writes=True) == 0


def test_ctrl_c_at_the_question_writes_nothing(on_terminal: Start, cloud: Running) -> None:
    terminal = on_terminal("apply")
    terminal.until(QUESTION)

    os.kill(terminal.process.pid, signal.SIGINT)

    assert terminal.code() == 130, terminal.seen
    assert "Traceback" not in terminal.seen
    assert cloud.do.count(writes=True) == 0


def test_what_changes_while_the_question_waits_is_not_written(on_terminal: Start, cloud: Running) -> None:
    """The person agreed to what was shown: an administrator who appears meanwhile stays until the next plan."""
    terminal = on_terminal("apply", POOL)
    terminal.until(QUESTION)
    edit = {"organization": "fabrikam-prime", "pool": POOL, "who": "eve", "role": "Administrator"}
    cloud.do.edit("set-role", **edit)

    terminal.type("yes\n")

    assert terminal.code() == 2, terminal.seen
    assert "eve@fabrikam.com" in terminal.seen
    written = [(entry["route"], entry["body"]) for entry in cloud.do.requests() if entry["write"]]
    assert len([route for route, _ in written if route == "roleassignments.change"]) == 1, written


def test_yes_goes_on_without_a_question(on_terminal: Start, cloud: Running) -> None:
    terminal = on_terminal("apply", RELEASE, "--yes")

    assert terminal.code() == 0, terminal.seen
    assert QUESTION not in terminal.seen
    assert cloud.do.count(writes=True) == 1


def test_nothing_is_asked_where_nothing_is_to_be_written(on_terminal: Start, online: Desk) -> None:
    assert online.run("apply").code == 0

    terminal = on_terminal("apply")

    assert terminal.code() == 0, terminal.seen
    assert QUESTION not in terminal.seen
    assert f"in sync: {POOL}, {RELEASE}" in terminal.seen


def test_without_a_terminal_the_plan_is_shown_before_the_first_write(online: Desk) -> None:
    """A pipeline's log says what would be done, then what was done."""
    ended = online.run("apply", RELEASE)

    lines = ended.err.splitlines()
    shown = next(index for index, line in enumerate(lines) if line.startswith("  - open access  fabrikam-prime/"))
    done = next(index for index, line in enumerate(lines) if ": verified: - open access" in line)
    assert shown < done
    assert QUESTION not in ended.err


def test_a_dry_run_is_a_plan(online: Desk, cloud: Running) -> None:
    dry, planned = online.run("apply", "--dry-run"), online.run("plan")

    assert (dry.code, dry.out) == (planned.code, planned.out) == (2, dry.out)
    assert cloud.do.count(writes=True) == 0
    assert "state.db" not in online.files()
    assert online.run("apply", RELEASE, "--dry-run", "--plan-hash", "0123456789abcdef").code == 1


def test_pools_in_sync_are_one_line_and_the_total_is_the_last(online: Desk) -> None:
    assert online.run("apply", RELEASE).code == 0

    text, table = online.run("plan").out.splitlines(), online.run("plan", "--output", "markdown").out

    assert text[-2:] == [
        f"in sync: {RELEASE}",
        "2 pools, 1 in sync: 6 changes: 1 without impact, 4 granting access, 1 revoking access",
    ]
    assert f"### <code>{RELEASE}</code>" not in table
    assert "2 pools, 1 in sync" in table


@pytest.mark.parametrize(
    ("variable", "mode"), [("RECONCILER_MODE", "report"), ("RECONCILER_MODE", "stop"), ("", "stop")]
)
def test_nothing_is_asked_where_the_owner_lets_nothing_be_written(
    on_terminal: Start, online: Desk, cloud: Running, variable: str, mode: str
) -> None:
    """The shown plans say what holds them back, as `plan` does."""
    if variable:
        online.environment[variable] = mode
    else:
        assert online.run("mode", "set", mode, "--reason", "incident 7").code == 0
    terminal = on_terminal("apply", POOL)

    assert terminal.code() == 2, terminal.seen
    assert QUESTION not in terminal.seen
    assert f"not applied: mode {mode}" in terminal.seen
    assert cloud.do.count(writes=True) == 0


def test_what_is_asked_about_is_the_approved_spec_where_the_mode_asks_for_one(
    on_terminal: Start, online: Desk, cloud: Running
) -> None:
    """Git has another spec meanwhile: it is not what the run applies, so it is not what is shown."""
    assert online.run("apply").code == 0
    spec = online.folder / "specs" / f"{POOL}.yaml"
    cloud.do.edit("close-access", organization="fabrikam-prime", pool=POOL, project="fabrikam-dev")
    plan = json.loads(online.run("plan", POOL, "--output", "json").out)["plans"][0]
    assert online.run("approve", plan["hash"]).code == 0
    assert online.run("mode", "set", "approved", "--reason", "freeze").code == 0
    text = spec.read_text()
    changed = text.replace("openAccess: true", "openAccess: false")
    spec.write_text(changed)
    assert changed != text

    cloud.do.reset_log()
    terminal = on_terminal("apply", POOL)
    shown = terminal.until(QUESTION)

    assert "- open access" not in shown
    assert "+ open access" in shown
    assert "the spec in git is not approved; drift from the approved one is corrected" in shown
    terminal.type("y\n")
    assert terminal.code() == 2, terminal.seen
    assert {entry["route"] for entry in cloud.do.requests() if entry["write"]} == {"pipelinepermissions.update"}
