"""Keeps the comment of a pull request and the status of its commit, and lets no older run take a newer one's place.

The comment is found by its mark. Which run is later is read from the URL in the newest status of the commit: a status
needs the right to write, while each reader of a public repository can write a comment with any mark and any number in
it. A run looks when it begins and before it writes: where the pull request has another newest commit it writes no
comment, and where a later run of the same pipeline has set the status it reports nothing. Without a status the run is
read from the comment, and counts only where this identity can edit that comment.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from reconciler.errors import ReconcilerError
from reconciler.plan.render.comment import ChangeReport, comment, succeeded, verdict
from reconciler.ports.code_hosts import CodeHost, CommitState, never

_RUN = re.compile(r"(?P<pipeline>.+/actions/runs/)(?P<run>\d{1,18})/attempts/(?P<attempt>\d{1,18})")
_RUN_LINE = re.compile(r"<!-- run (?P<url>[^\s<>]{1,500}) -->")
"""Third line of a comment."""
_OUTDATED = "a later run reports: this one is outdated and reports nothing"
_BUILD = re.compile(r"(?P<pipeline>.+[?&]buildId=)(?P<run>\d{1,18})(?P<attempt>)")


@dataclass(frozen=True, slots=True)
class ReportingRun:
    """The run that reports."""

    number: int
    """Of the pull request."""
    commit: str
    """Full id of the newest commit of its source branch, as the run saw it."""
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
        self._told: set[str] = set()
        self.failed = False
        """Whether something could not be written."""

    @property
    def mark(self) -> str:
        """First line of the comment."""
        return f"<!-- reconciler: {self._run.name} -->"

    def begin(self, *, status: bool = True) -> None:
        """Say on the commit that a plan is being made."""
        if status and not self._outdated():
            self._attempt(lambda: self._status(CommitState.PENDING, "planning"))

    def end(self, report: ChangeReport, *, status: bool = True) -> None:
        """Write the report: the comment of an open pull request, and the status of the commit."""
        if status and self._outdated():
            self._say(f"pull request {self._run.number}: {_OUTDATED}")
            return
        self._attempt(lambda: self._comment(report, self._later if not status else never))
        if status:
            state = CommitState.SUCCESS if succeeded(report) else CommitState.FAILURE
            self._attempt(lambda: self._status(state, verdict(report)))

    def _context(self) -> str:
        return f"reconciler/{self._run.name}"

    def _status(self, state: CommitState, text: str) -> None:
        self._host.set_status(self._run.commit, self._context(), state, text, self._run.url)

    def _outdated(self) -> bool:
        """Whether a later run of the same pipeline has set the status of the commit."""
        found = [""]
        self._attempt(lambda: found.append(self._host.status_url(self._run.commit, self._context())))
        (pipeline, ours), (other, theirs) = _order(self._run.url), _order(found[-1])
        return bool(pipeline) and pipeline == other and theirs > ours

    def _later(self, text: str) -> bool:
        """Whether a later run of the same pipeline wrote this comment, for the same commit."""
        _, commit, run, *_ = [*text.splitlines()[:3], "", "", ""]
        found = _RUN_LINE.fullmatch(run.strip())
        (pipeline, ours), (other, theirs) = _order(self._run.url), _order(found["url"] if found else "")
        return commit.strip() == self._commit_line and bool(pipeline) and pipeline == other and theirs > ours

    @property
    def _commit_line(self) -> str:
        return f"<!-- commit {self._run.commit} -->"

    def _comment(self, report: ChangeReport, keep: Callable[[str], bool]) -> None:
        run, host = self._run, self._host
        what = f"pull request {run.number}"
        pull = host.pull_request(run.number)
        if not pull.open:
            self._say(f"{what} is closed: no comment is written")
            return
        if pull.head and pull.head.lower() != run.commit.lower():
            self._say(f"{what} has a newer commit ({pull.head[:12]}): this run is outdated and writes no comment")
            return
        head = f"{self.mark}\n{self._commit_line}\n"
        if _RUN_LINE.fullmatch(line := f"<!-- run {run.url} -->"):
            head += f"{line}\n"
        elsewhere = f"the summary of the run, {run.url}" if run.url else "the summary of the run"
        text = head + comment(report, host.longest_comment - len(head), elsewhere)
        self._say(host.write_comment(run.number, self.mark, text, keep) or f"{what}: {_OUTDATED}")

    def _attempt(self, write: Callable[[], None]) -> None:
        try:
            write()
        except ReconcilerError as error:
            self.failed = True
            line = f"not reported: {error.reason}: {error}"
            if line not in self._told:
                self._error(line)
            self._told.add(line)


def _order(url: str) -> tuple[str, tuple[int, int]]:
    """Pipeline and number of a run by its URL; a pipeline without a name where the URL is of no run."""
    found = _RUN.fullmatch(url) or _BUILD.fullmatch(url)
    return (found["pipeline"], (int(found["run"]), int(found["attempt"] or 0))) if found else ("", (0, 0))
