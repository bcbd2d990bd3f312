"""Reports on a pull request: one comment that each run replaces, and the status of its newest commit."""

from reconciler.tools.pull_request.desk import PullRequestDesk, Run

__all__ = ["PullRequestDesk", "Run"]
