"""Structured log lines in JSON: one for each run, and one for each dropped event.

Names of pools, organizations, revisions, counts and reasons appear; never tokens, claims or documents.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from reconciler.documents import Json, json_text
from reconciler.documents.redaction import redacted
from reconciler.engine.events import Applied, Event, Failed, Quarantined
from reconciler.engine.naming import without_names
from reconciler.plan.model import Change
from reconciler.plan.policy import Policy, warnings
from reconciler.service.catalogue import Specs
from reconciler.service.queue.messages import WorkMessage
from reconciler.service.queue.worker import Report
from reconciler.spec.problem import Problem

MOST_WARNINGS = 20
_log = logging.getLogger("reconciler")
# Its warnings name tenants and clients, at each attempt; our own error says once what is wrong, and what to do.
logging.getLogger("azure.identity").setLevel(logging.ERROR)


def event(name: str, **fields: Json) -> None:
    """Log one event, redacted; empty fields are left out."""
    given = {key: value for key, value in fields.items() if value not in (None, "", {})}
    _log.info(json_text({"event": name, **redacted(given)}))


def dropped(trigger: str, reasons: Mapping[str, int]) -> None:
    """Log why events of a document were dropped."""
    if reasons:
        event("dropped", trigger=trigger, reasons=dict(reasons))


def notices(
    result: str, *, target: str = "", kind: str = "", pools: int | None = None, attempts: int | None = None,
    letter: str = "", message: str = "", reason: str = "",
) -> None:  # fmt: skip
    """Log what came of a message about notices: ``sent``, ``unsent`` or ``dead``; ``failed`` where the store failed."""
    event(
        "notify", result=result, target=target, kind=kind, pools=pools, attempts=attempts, letter=letter,
        message=message, reason=reason,
    )  # fmt: skip


def policy(given: Policy) -> None:
    """Log what the owner of the policy file should know, once for each process."""
    for line in warnings(given):
        event("policy", warning=line)


def spec_warnings(revision: str, found: Sequence[Problem]) -> None:
    """Log what deserves a look in the specs of a commit: once for the commit, and once a day."""
    if found:
        event("specs", revision=revision, number=len(found), warnings=[str(one) for one in found[:MOST_WARNINGS]])


def run(work: WorkMessage, report: Report, specs: Specs) -> None:
    """Log the run of one pool; nothing of a message in a burst that another run covers, but how many there were."""
    if report.silent:
        return
    result = report.result
    fields: dict[str, Json] = {
        "pool": report.key,
        "trigger": work.trigger,
        "trace": work.trace,
        "revision": specs.revision,
        "stale": specs.snapshot.stale,
        "outcome": report.what,
        "seconds": round(report.seconds, 3),
        "superseded": report.unsaid or "",
        "clock": "stored moments lay ahead of it" if report.ahead else "",
    }
    if result is not None:
        ready = next((condition for condition in result.status.conditions if condition.kind.value == "Ready"), None)
        fields |= {
            "planned": _counted(result.planned.all_changes if result.planned else ()),
            "written": _counted(result.written),
            "verified": _counted(result.verified),
            "left": _counted(result.plan.all_changes if result.plan else ()),
            "reason": ready.reason if ready else "",
            "message": ready.message if ready else "",
            "nextLook": result.next_look,
        }
    event("run", **fields)


def writes(*, names: bool) -> Callable[[Event], None]:
    """A listener that logs one line for each write; with `names` people are named, else ids stand for them."""

    def heard(happened: Event) -> None:
        if isinstance(happened, Quarantined):
            event("fight", pool=happened.pool, message=happened.text if names else without_names(None, happened.text))
        if not isinstance(happened, Applied | Failed):
            return
        change = happened.change
        result, reason = ("pending" if isinstance(happened, Applied) and happened.pending else "confirmed"), ""
        if isinstance(happened, Failed):
            result, reason = ("failed" if happened.sent else "not-sent"), happened.error.reason

        def said(value: Json) -> Json:
            return value if names else without_names(change, value)

        event(
            "write",
            pool=happened.pool,
            entry=happened.entry,
            facet=change.facet,
            what=change.kind,
            subject=said(change.subject),
            before=said(change.before),
            after=said(change.after),
            risk=change.risk.value,
            result=result,
            reason=reason,
        )

    return heard


def _counted(changes: Iterable[Change]) -> dict[str, int]:
    """Counts by action and risk: ``{"create": 2, "widens": 2}``."""
    found = list(changes)
    return dict(Counter([change.action.value for change in found] + [change.risk.value for change in found]))
