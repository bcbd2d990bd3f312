"""Answers all questions about one organization, one after the other.

A missing permission leaves one question open and stops no other. No response at all ends the run: the answers of an
earlier run are worth more than half of a new one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from reconciler.documents import moment
from reconciler.errors import Forbidden, NotFound, Rejected
from reconciler.survey.capabilities.answers import CapabilityAnswer, OrganizationAnswers
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
from reconciler.tools.probe.organization import ProbeOrganization, unclear

CHECKS: Mapping[str, Callable[[ProbeOrganization], CapabilityAnswer]] = {
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
"""The questions that reads can answer; the last one counts the responses of all others."""


def run_probe(organization: ProbeOrganization, now: datetime) -> OrganizationAnswers:
    """Every answer. Raises where the organization rejects the identity or does not respond: then nothing is known."""
    organization.get("_apis/ConnectionData", **{"api-version": "7.1-preview.1"})
    organization.take_statuses()
    answers = {question: _answer(organization, check) for question, check in CHECKS.items()}
    return OrganizationAnswers(asked=moment(now.replace(microsecond=0)), answers=answers)


def _answer(
    organization: ProbeOrganization, check: Callable[[ProbeOrganization], CapabilityAnswer]
) -> CapabilityAnswer:
    try:
        answer = check(organization)
    except (Forbidden, NotFound, Rejected) as error:
        answer = unclear(f"{error.reason}: the identity needs permission to read this")
    evidence = answer.evidence.model_copy(update={"status": organization.take_statuses()})
    return answer.model_copy(update={"evidence": evidence})
