"""Reports on a pull request: one comment that each run replaces, and the status of its newest commit."""

from reconciler.tools.pull_request.desk import PullRequestDesk, ReportingRun

__all__ = ["PullRequestDesk", "ReportingRun"]
