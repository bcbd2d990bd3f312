"""Every name that telemetry may use: metrics with their labels, spans with their attributes.

docs/operations.md shows these tables, alerts and workbook query these names, and the closed sets of label values bound
the number of time series. Organizations and facets are open: the first `MOST` values of each are kept, later ones are
`OTHER` together; so is a value outside of its set. Names of pools, projects and people are no labels: a pool is found
by its log line and its span.

Some sets are repeated here from higher layers; tests compare them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus

from reconciler import errors
from reconciler.documents.kinds import STATE

OTHER = "other"
MOST = 50


RESULTS = frozenset({
    "in-sync", "applied", "progressing", "out-of-sync", "failed", "stalled", "suspended",
    "superseded", "postponed", "unknown", "busy", "later", "apart",
})  # fmt: skip
"""`engine.Outcome`, and the results of `service.queue.worker.Report` without a run."""
TRIGGERS = frozenset({"event", "audit", "git", "http", "sweep", "follow-up", "unknown"})
QUEUES = frozenset({"work", "sweep", "pool-events", "devops-events"})
REASONS = frozenset(
    name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, errors.ReconcilerError)
)
"""Classes of `reconciler.errors`."""
DROPPED = frozenset({
    "an item that is no event", "not JSON, neither plain nor base64", "not a write or delete of a pool",
    "not about pools, their projects or their rights", "a text that names no pools",
    "a follow-up that is due in more than seven days", "a resource group without pools",
})  # fmt: skip
FUNCTIONS = frozenset({
    "reconcile", "reconcile_pool", "pools", "pool", "plan", "history", "run", "mode", "set_mode",
    "pauses", "set_pause", "resume", "approve", "approve_agent_pool", "health", "openapi", "github_push",
    "azure_repos_push", "page_overview", "page_organization", "page_pool", "page_reconcile", "page_plan",
    "page_pause", "page_file",
})  # fmt: skip
STATUSES = frozenset(str(status.value) for status in HTTPStatus)
RECEIVERS = frozenset({"teams", "slack", "webhook"})
"""`config.notify.Receiver`."""
NOTICES = frozenset({
    "fight", "refused", "stalled", "approval-wanted", "drift", "window-opened", "repaired", "recovered",
})  # fmt: skip
"""`ports.notices.NoticeKind`."""
TARGETS = frozenset({"arm", "devops", "audit"})
METHODS = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"})
OUTCOMES = frozenset({"ok", "not-found", "denied", "throttled", "rejected", "failed", "silent"})
"""Result of one try: 2xx and 3xx, 404, 401 and 403, 429, other 4xx, 5xx, no response."""
ACTIONS = frozenset({"create", "update", "remove"})
CAUSES = frozenset({"drift", "pending", "unknown"})
"""`plan.sync.SyncCause`."""

LABELS: Mapping[str, frozenset[str] | None] = {
    "result": RESULTS,
    "trigger": TRIGGERS,
    "queue": QUEUES,
    "reason": REASONS | DROPPED,
    "function": FUNCTIONS,
    "status": STATUSES,
    "target": TARGETS,
    "method": METHODS,
    "outcome": OUTCOMES,
    "facet": None,
    "action": ACTIONS,
    "cause": CAUSES,
    "receiver": RECEIVERS,
    "notice": NOTICES,
    "document": frozenset(kind.label for kind in STATE),
    "organization": None,
}
"""Label → its values; None: an organization."""


class MetricKind(StrEnum):
    """How a metric counts.

    Columns of Application Insights' `customMetrics` behind it: azure-monitor-opentelemetry-exporter 1.0.0b58 sends
    deltas of counters and histograms, and of a histogram sum, count, least and most (`_convert_point_to_envelope`);
    Microsoft Learn, "Add and modify Azure Monitor OpenTelemetry", says the aggregation for each, and "AppMetrics" the
    columns in the workspace.
    """

    COUNTER = "counter"
    """Adds up; in Application Insights `valueSum`."""
    HISTOGRAM = "histogram"
    """Single values; `valueSum`, `valueCount`, `valueMin`, `valueMax`."""
    GAUGE = "gauge"
    """The current value; `value`."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One row of the table."""

    name: str
    kind: MetricKind
    meaning: str
    labels: tuple[str, ...] = ()
    unit: str = ""


METRICS: tuple[Metric, ...] = (
    Metric("reconciler.runs", MetricKind.COUNTER, "pools of messages, by result", ("result", "trigger")),
    Metric("reconciler.run.seconds", MetricKind.HISTOGRAM, "how long a run took", ("result",), "s"),
    Metric("reconciler.queue.wait", MetricKind.HISTOGRAM, "from the event itself, or a message's first insertion, "
           "to its handling, including deliberate delays", ("trigger",), "s"),
    Metric("reconciler.out_of_sync.age", MetricKind.HISTOGRAM, "at the end of each run that left its pool not `Ready`: "
           "since when it is so", ("result", "cause"), "s"),
    Metric("reconciler.converge.seconds", MetricKind.HISTOGRAM, "from the request, or the first read that found the "
           "pool out of sync, to the verified result", ("trigger",), "s"),
    Metric("reconciler.changes.planned", MetricKind.COUNTER, "changes of the plans with which runs began, what "
           "follows from a creation included", ("facet", "action")),
    Metric("reconciler.changes.written", MetricKind.COUNTER, "changes sent and confirmed", ("facet", "action")),
    Metric("reconciler.changes.verified", MetricKind.COUNTER, "changes read back as written", ("facet", "action")),
    Metric("reconciler.refusals", MetricKind.COUNTER, "changes that a guard or the policy refused", ("facet",)),
    Metric("reconciler.calls", MetricKind.COUNTER, "requests to a service, each try", ("target", "method", "outcome")),
    Metric("reconciler.call.seconds", MetricKind.HISTOGRAM, "how long a request took", ("target", "outcome"), "s"),
    Metric("reconciler.gate.seconds", MetricKind.HISTOGRAM, "time for which an organization throttled",
           ("organization",), "s"),
    Metric("reconciler.budget.needs", MetricKind.GAUGE, "calls that one full resync of an organization makes, as "
           "measured", ("organization",)),
    Metric("reconciler.budget.has", MetricKind.GAUGE, "calls that full resyncs of an organization may make in one "
           "interval, where its limit is known", ("organization",)),
    Metric("reconciler.sweep.age", MetricKind.GAUGE, "time since the last full resync", (), "s"),
    Metric("reconciler.pools", MetricKind.GAUGE, "pools that specs name"),
    Metric("reconciler.pools.unnamed", MetricKind.GAUGE, "pools with a stored status that no valid spec names"),
    Metric("reconciler.specs.problems", MetricKind.GAUGE, "problems of the spec files at the newest commit"),
    Metric("reconciler.specs.failed", MetricKind.COUNTER, "messages postponed because Git could not be read",
           ("reason",)),
    Metric("reconciler.git.stale", MetricKind.COUNTER, "reads of Git that failed, so the last good commit "
           "applies"),
    Metric("reconciler.events.dropped", MetricKind.COUNTER, "events without a pool of a spec", ("trigger", "reason")),
    Metric("reconciler.quarantined", MetricKind.COUNTER, "messages that became dead letters", ("queue",)),
    Metric("reconciler.documents.damaged", MetricKind.COUNTER, "stored documents that could not be used, and were set "
           "aside", ("document",)),
    Metric("reconciler.messages.foreign", MetricKind.COUNTER, "messages of another deployment on a queue of this one",
           ("queue",)),
    Metric("reconciler.operators.other", MetricKind.COUNTER, "reads of an audit log in which another deployment wrote "
           "where pools of this one are", ("organization",)),
    Metric("reconciler.state.refused", MetricKind.COUNTER, "messages postponed because the state belongs to another "
           "deployment, or does not say to which", ("reason",)),
    Metric("reconciler.state.away", MetricKind.COUNTER, "messages postponed because the state could not be read or "
           "written", ("reason",)),
    Metric("reconciler.audit.failed", MetricKind.COUNTER, "audit logs that cannot be read", ("organization", "reason")),
    Metric("reconciler.audit.cut", MetricKind.COUNTER, "audit logs too long for one read", ("organization",)),
    Metric("reconciler.feed.gaps", MetricKind.COUNTER, "changes that an audit log left out, found by reading in turn",
           ("organization",)),
    Metric("reconciler.feed.distrusted", MetricKind.GAUGE, "1 while an audit log does not count, since it left out "
           "changes: full resyncs read everything", ("organization",)),
    Metric("reconciler.notices.sent", MetricKind.COUNTER, "messages about notices that a receiver accepted",
           ("receiver", "notice")),
    Metric("reconciler.notices.unsent", MetricKind.COUNTER, "tries of such a message that were in vain",
           ("receiver",)),
    Metric("reconciler.notices.dead", MetricKind.COUNTER, "such messages that became dead letters", ("receiver",)),
    Metric("reconciler.notices.dropped", MetricKind.COUNTER, "notices that were dropped, since too many wait"),
    Metric("reconciler.notices.failed", MetricKind.COUNTER, "notices that the state store did not take at once; they "
           "are handed over again", ("reason",)),
    Metric("reconciler.http", MetricKind.COUNTER, "HTTP responses", ("function", "status")),
)  # fmt: skip
"""Every metric, in the order of the documentation."""

SPANS: Mapping[str, str] = {
    "event": "an event or a request becomes messages",
    "message": "a message is handled",
    "pool": "one pool of a message: superseded, postponed, or run",
    "reconcile": "a run: observe, plan, apply",
    "plan": "both planes are read and compared with the spec",
    "write": "one change is written",
    "verify": "what was written is read again to verify it",
    "apply": "the command of that name",
}
"""Spans of our own; a call to a service is called ``METHOD route``."""

ATTRIBUTES: Mapping[str, str] = {
    "reconciler.pool": "key of the pool",
    "reconciler.trigger": "source of the request",
    "reconciler.function": "function that began the trace",
    "reconciler.keys": "pools of a message",
    "reconciler.result": "result",
    "reconciler.revision": "commit of the spec",
    "reconciler.facet": "aspect that is written",
    "reconciler.action": "create, update or remove",
    "reconciler.risk": "widens, narrows or neutral",
    "reconciler.subject": "what is written; people by id, unless `RECONCILER_NAMES=on`",
    "reconciler.entry": "id of the entry in the record of writes",
    "reconciler.planned": "changes in the plan",
    "reconciler.refused": "changes refused",
    "reconciler.rules": "rules that refused",
    "reconciler.gaps": "what could not be read",
    "reconciler.written": "changes read again",
    "reconciler.verified": "of these, verified",
    "reconciler.pending": "an operation of the service is in progress",
    "peer.service": "service that is called: arm, devops or audit",
    "reconciler.route": "name of the operation, never the path",
    "reconciler.organization": "organization that is called",
    "reconciler.attempts": "tries of the call",
    "http.request.method": "method of the call",
    "http.response.status_code": "status of the last try",
    "reconciler.correlation": "the service's own id of the last try, for its support",
    "error.type": "class of the error",
}
"""Every attribute that a span may have."""


def metric(name: str) -> Metric | None:
    """The metric of this name."""
    return _BY_NAME.get(name)


_BY_NAME = {each.name: each for each in METRICS}
