"""The first reads of an organization, sent before a facet needs them: one round trip in place of several.

Each is remembered like any other read, so the count of reads stays the same. A read that fails is reported to the facet
that asks for the fact.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from reconciler.spec.model import Spec
from reconciler.survey import scope
from reconciler.survey.memo import BEGUN, Key, Memo, key_of
from reconciler.survey.parallel_reads import Lanes


@dataclass(frozen=True, slots=True)
class FirstReads:
    """Reads by organization; the survey's own, which remember."""

    agent_pools: Callable[[str], Any]
    projects: Callable[[str], Any]
    me: Callable[[str], Any]
    inheritance: Callable[[str], Any]
    hidden_projects: Callable[[str], Any]
    """Reads nothing where no agent pool of the batch exists."""
    roles: Callable[[str], Mapping[Key, Callable[[], Any]]]
    """Roles of the agent pools that exist, one read each."""


def begin(spec: Spec, reads: Callable[[], FirstReads], memo: Memo, lanes: Lanes) -> None:
    """Send what every run of this pool asks its organizations first. Waits for no response.

    Called before many a read, and seldom with anything left to send: `reads` are made only then.
    """
    roles = scope.manages_roles(spec)
    for organization in spec.organizations:
        name = organization.name
        all_projects = not organization.projects and "projects" not in organization.silent
        begun = key_of(BEGUN, name, "", (roles, all_projects))
        memo.get(begun, partial(_first, name, begun, reads, memo, lanes))


def _first(organization: str, begun: Key, made: Callable[[], FirstReads], memo: Memo, lanes: Lanes) -> None:
    reads = made()
    roles, all_projects = begun.detail
    first = {"agent pools": reads.agent_pools, "projects": reads.projects}
    if roles:
        first |= {"me": reads.me, "inheritance": reads.inheritance}
    if all_projects:
        first |= {"hidden projects": reads.hidden_projects}
    unrequested = {key.kind for key in memo.unrequested(Key(kind, organization) for kind in first)}
    lanes.begin(organization, [read for kind, read in first.items() if kind in unrequested])
    if roles:
        lanes.begin(organization, [partial(_roles, reads, memo, lanes)])


def _roles(reads: FirstReads, memo: Memo, lanes: Lanes, organization: str) -> None:
    for key, read in reads.roles(organization).items():
        lanes.begin(organization, [partial(_remembered, memo, key, read)])


def _remembered(memo: Memo, key: Key, read: Callable[[], Any], _organization: str) -> None:
    memo.get(key, read)
