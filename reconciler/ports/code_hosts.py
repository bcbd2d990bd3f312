"""Where a repository is hosted: pull requests, their comment, and the status of a commit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class CommitState(StrEnum):
    """What the status of a commit says."""

    PENDING = "pending"
    SUCCESS = "success"
    FAILURE = "failure"


@dataclass(frozen=True, slots=True)
class PullRequest:
    """A pull request as its host names it."""

    number: int
    url: str
    """For people."""
    head: str = ""
    """Full id of the newest commit of its source branch; empty where the host does not say."""
    open: bool = True
    """Whether it is neither completed nor closed."""


def never(_text: str) -> bool:
    """No text stays."""
    return False


class CodeHost(Protocol):
    """The repository of the specs at its host. Every method raises errors of `reconciler.errors` alone."""

    longest_comment: int
    """Characters that one comment takes, its mark included."""

    def open_pull_request(self, source: str, target: str, title: str, text: str) -> PullRequest:
        """Open one from branch `source` to branch `target`, or return the one that is open for the two already."""
        ...

    def pull_request(self, number: int) -> PullRequest:
        """One pull request as it is now."""
        ...

    def write_comment(self, number: int, mark: str, text: str, keep: Callable[[str], bool] = never) -> str:
        """Put a comment on a pull request in place of the one whose first line is `mark`; the URL for people.

        `keep`: whether the text that is there stays; then the result is empty. It may be called with texts of
        strangers, which this identity cannot replace: these are passed over, whatever it says.
        """
        ...

    def set_status(self, commit: str, context: str, state: CommitState, description: str, url: str = "") -> None:
        """Set the status `context` of a commit (its full id)."""
        ...

    def status_url(self, commit: str, context: str) -> str:
        """URL of the newest status `context` of a commit; empty where there is none."""
        ...

    def default_branch(self) -> str:
        """Name of the branch that pull requests go to, without `refs/heads/`."""
        ...
