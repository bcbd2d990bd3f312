"""All questions to one organization, one after the other.

A right that is missing leaves one question open and stops none of the others. No answer at all ends the asking: what
was known before is worth more than half of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from reconciler.documents import moment
from reconciler.errors import Forbidden, NotFound, Rejected
from reconciler.survey.capabilities import CapabilityAnswer, OrganizationAnswers
from reconciler.survey.capabilities.questions import (
    ALIAS,
    AUTHORIZED_LIST,
    ECHO,
    INHERITANCE,
    MARKS,
    MISSING_QUEUE,
    POOL_ROLES,
    QUEUE_LIST,
    RATES,
)
from reconciler.tools.probe import lists, people, pools
from reconciler.tools.probe.answer import unclear
from reconciler.tools.probe.organization import ProbeOrganization

ASKS: Mapping[str, Callable[[ProbeOrganization], CapabilityAnswer]] = {
    MARKS: pools.marks,
    ECHO: pools.echo,
    QUEUE_LIST: lists.queue_list,
    AUTHORIZED_LIST: lists.authorized_list,
    MISSING_QUEUE: lists.missing_queue,
    POOL_ROLES: people.pool_roles,
    INHERITANCE: people.inheritance_flag,
    ALIAS: pools.alias,
    RATES: pools.rates,
}
"""The questions that can be asked by reading; the last one looks at the answers to all others."""


def probed(ground: ProbeOrganization, now: datetime) -> OrganizationAnswers:
    """Every answer. Raises where the organization lets nobody in, or stops answering: then nothing was found out."""
    ground.get("_apis/ConnectionData", **{"api-version": "7.1-preview.1"})
    ground.statuses()
    answers = {question: _ask(ground, ask) for question, ask in ASKS.items()}
    return OrganizationAnswers(asked=moment(now.replace(microsecond=0)), answers=answers)


def _ask(ground: ProbeOrganization, ask: Callable[[ProbeOrganization], CapabilityAnswer]) -> CapabilityAnswer:
    try:
        answer = ask(ground)
    except (Forbidden, NotFound, Rejected) as error:
        answer = unclear(f"{error.reason}: the identity needs the right to read this")
    evidence = answer.evidence.model_copy(update={"status": ground.statuses()})
    return answer.model_copy(update={"evidence": evidence})
