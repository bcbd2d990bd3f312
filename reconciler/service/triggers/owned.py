"""Messages of another deployment, and a state that belongs to one: nothing of it is run, and nothing is lost.

A queue gives each message to one taker, so one that is not ours cannot be left where it is. It is put back for its
owner, later each time; after `PASSES` times it fails here, so that it becomes a dead letter where its owner does not
take one of its further deliveries either. What a dead letter requested, its owner's next full resync does. A message of
ours is postponed while the state belongs to another deployment, as while Git cannot be read: no pool causes this, so it
must not count as an attempt.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from reconciler.documents import Json, number_of, text_of
from reconciler.errors import Refused
from reconciler.service.events.operators import others
from reconciler.service.queue import messages
from reconciler.service.triggers import logs
from reconciler.service.triggers.context import TriggerContext
from reconciler.spec.model import Spec

PASSES = 5
"""How often a message of another deployment is put back."""
BACK = 20.0
"""Seconds until it is visible again, the first time; twice as many each further time."""
REFUSED = 60.0
"""Seconds until a message of ours is tried again."""


def not_ours(context: TriggerContext, text: str) -> bool:
    """Whether a work message is another deployment's; it is put back then. `Refused` where it was too often."""
    body = _body(text)
    owner = text_of(body, "deployment")
    if not owner or owner == (ours := context.ownership.name):
        return False
    sweep, passed = body.get("trigger") == "sweep", int(number_of(body, "passed"))
    context.telemetry.count("reconciler.messages.foreign", queue="sweep" if sweep else "work")
    logs.event("foreign", deployment=owner, taker=ours, passed=passed)
    if passed >= PASSES:
        raise Refused(f"message: is of the deployment {owner}, this one is {ours}, and it was put back {passed} times")
    queue = context.outbox.sweeps if sweep else context.outbox.events
    queue.put(json.dumps({**body, "passed": passed + 1}, separators=(",", ":")), delay=BACK * 2.0**passed)
    return True


def dead_letter_of(context: TriggerContext, text: str) -> str:
    """The other deployment whose dead letter this is; empty where it is ours."""
    owner = text_of(_body(text), "deployment")
    return owner if owner and owner != context.ownership.name else ""


def refused(context: TriggerContext, work: messages.WorkMessage) -> bool:
    """Whether the state is not ours to use; the message is postponed then."""
    error = context.ownership.refusal()
    if error is None:
        return False
    context.outbox.again(work, REFUSED)
    context.telemetry.count("reconciler.state.refused", reason=error.reason)
    logs.event("postponed", trigger=work.trigger, reason=error.reason, message=str(error), pools=len(work.keys))
    return True


def report_others(context: TriggerContext, organization: str, entries: Sequence[Json], specs: Sequence[Spec]) -> None:
    """Count and log what another deployment writes where pools of this one are."""
    ours = context.ownership.name
    for other, keys in others(entries, specs, context.remembered, organization, ours).items():
        context.telemetry.count("reconciler.operators.other", organization=organization)
        logs.event("other-operator", organization=organization, deployment=other, taker=ours, pools=list(keys))


def check(context: TriggerContext) -> tuple[bool, str]:
    """For `health`: whose the state is. No key is needed, so the names are in the log alone."""
    error = context.ownership.refusal()
    if error is not None:
        logs.event("state", reason=error.reason, message=str(error))
        return False, "the state belongs to another deployment, or does not say to which; see the log"
    damaged = len(context.state.names("damaged/"))
    return True, "state of this deployment" + (f"; {damaged} damaged documents are kept for a look" if damaged else "")


def _body(text: str) -> Mapping[str, Json]:
    if len(text) > messages.MAX_TEXT:
        return {}
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) and isinstance(body.get("keys"), list) else {}
