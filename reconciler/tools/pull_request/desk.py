"""Keeps the comment of a pull request and the status of its commit, and lets no older run take a newer one's place.

The comment begins with a mark, by which it is found, and with the run that wrote it. Before a run writes it looks
again: where the pull request has another newest commit, or a later run of the same commit has reported, its own report
is outdated and is not written. A status belongs to one commit, so it is set in any case but the last.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from reconciler.errors import ReconcilerError
from reconciler.plan.render import ChangeReport, comment, succeeded, verdict
from reconciler.ports.code_hosts import CodeHost, CommitState

_SIGNED = re.compile(r"<!-- run (\d{1,18})\.(\d{1,18}) commit ([0-9a-f]{1,64}) -->")


@dataclass(frozen=True, slots=True)
class ReportingRun:
    """The run that reports."""

    number: int
    """Of the pull request."""
    commit: str
    """Full id of the newest commit of its source branch, as the run saw it."""
    order: tuple[int, int] = (0, 0)
    """Larger for a later run; (0, 0) where that is not known."""
    url: str = ""
    """Of the run, for people."""
    name: str = "plan"
    """Tells several reports on one pull request apart."""


class PullRequestDesk:
    """Reports of one run. What the host refuses is said and counted; the plan is shown all the same."""

    def __init__(
        self, host: CodeHost, run: ReportingRun, say: Callable[[str], None], error: Callable[[str], None]
    ) -> None:
        """`say` takes remarks, `error` what could not be written; each one line."""
        self._host = host
        self._run = run
        self._say = say
        self._error = error
        self.failed = False
        """Whether something could not be written."""

    @property
    def mark(self) -> str:
        """First line of the comment."""
        return f"<!-- reconciler: {self._run.name} -->"

    def begin(self, *, status: bool = True) -> None:
        """Say on the commit that a plan is being made."""
        if status:
            self._attempt(lambda: self._status(CommitState.PENDING, "planning"))

    def end(self, report: ChangeReport, *, status: bool = True) -> None:
        """Write the report: the comment of an open pull request, and the status of the commit."""
        later = self._attempt(lambda: self._comment(report))
        if status and not later:
            state = CommitState.SUCCESS if succeeded(report) else CommitState.FAILURE
            self._attempt(lambda: self._status(state, verdict(report)))

    def _status(self, state: CommitState, text: str) -> None:
        run = self._run
        self._host.set_status(run.commit, f"reconciler/{run.name}", state, text, run.url)

    def _comment(self, report: ChangeReport) -> bool:
        """Whether a later run of this commit has reported."""
        run, host = self._run, self._host
        what = f"pull request {run.number}"
        pull = host.pull_request(run.number)
        if not pull.open:
            self._say(f"{what} is closed: no comment is written")
            return False
        if pull.head and pull.head.lower() != run.commit.lower():
            self._say(f"{what} has a newer commit ({pull.head[:12]}): this run is outdated and writes no comment")
            return False
        order, commit = _signature(host.read_comment(run.number, self.mark))
        if commit == run.commit.lower() and order > run.order:
            self._say(f"{what}: a later run has reported: this run is outdated and reports nothing")
            return True
        signed = f"<!-- run {run.order[0]}.{run.order[1]} commit {run.commit.lower()} -->"
        head = f"{self.mark}\n{signed}\n"
        elsewhere = f"the summary of the run, {run.url}" if run.url else "the summary of the run"
        self._say(
            host.write_comment(
                run.number, self.mark, head + comment(report, host.longest_comment - len(head), elsewhere)
            )
        )
        return False

    def _attempt(self, write: Callable[[], bool | None]) -> bool:
        try:
            return bool(write())
        except ReconcilerError as error:
            self.failed = True
            self._error(f"not reported: {error.reason}: {error}")
            return False


def _signature(text: str) -> tuple[tuple[int, int], str]:
    """Order and commit of the run that wrote a comment; of one that says nothing of it the lowest."""
    lines = text.splitlines()[1:2]
    found = _SIGNED.fullmatch(lines[0].strip()) if lines else None
    return ((int(found[1]), int(found[2])), found[3]) if found else ((0, 0), "")
