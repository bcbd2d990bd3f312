"""Existing Managed DevOps Pools on both planes: how agent pools are marked and named, what ARM returns of them."""

from __future__ import annotations

from reconciler.survey.capabilities.answers import AnswerEvidence, CapabilityAnswer
from reconciler.survey.capabilities.marks import MARKS as MARK_NAMES
from reconciler.survey.capabilities.marks import marks_of, others_with
from reconciler.survey.capabilities.questions import ALIAS, ECHO, MARKS, RATES
from reconciler.tools.probe.organization import ProbeOrganization, no, unclear, yes

_NONE_HERE = "needs a Managed DevOps Pool of this organization in a subscription that is read"
_FACTS = ("autoProvision", "autoSize", "isHosted", "targetSize")


def marks(organization: ProbeOrganization) -> CapabilityAnswer:
    """What agent pools of Managed DevOps Pools carry, all of them, and agent pools of other origin do not."""
    names = {(alias or name).casefold() for _, name, alias in organization.managed}
    found = [pool for pool in organization.pools if pool["name"].casefold() in names]
    others = [pool for pool in organization.pools if pool["name"].casefold() not in names and not pool.get("isHosted")]
    # A flag that is off and a size of 0 mark nothing.
    counts = {fact: sum(pool.get(fact) not in (None, False, 0) for pool in found) for fact in _FACTS}
    counts |= {mark: sum(mark in marks_of(pool) for pool in found) for mark in MARK_NAMES}
    counts |= {others_with(mark): sum(mark in marks_of(pool) for pool in others) for mark in MARK_NAMES}
    if not found:
        return unclear(_NONE_HERE, pools=0)
    seen = [mark for mark in MARK_NAMES if counts[mark] == len(found) and not counts[others_with(mark)]]
    if seen:
        why = f"each agent pool of a Managed DevOps Pool has {' and '.join(seen)}, and no other has"
        return yes(MARKS, why, pools=len(found), **counts)
    if not any(counts[mark] for mark in MARK_NAMES):
        return no("plain", "no agent pool of a Managed DevOps Pool has any", pools=len(found), **counts)
    return unclear("only some agent pools of Managed DevOps Pools have one, or others do", pools=len(found), **counts)


def echo(organization: ProbeOrganization) -> CapabilityAnswer:
    """Whether ARM returns `openAccess` of an organization."""
    entries = [entry for entry, _, _ in organization.managed]
    echoed = sum("openAccess" in entry for entry in entries)
    if not entries:
        return unclear(_NONE_HERE, pools=0)
    if echoed:
        return yes(ECHO, "ARM returns it", pools=len(entries), echoed=echoed)
    return unclear("needs a pool that was created with openAccess: true", pools=len(entries), echoed=0)


def alias(organization: ProbeOrganization) -> CapabilityAnswer:
    """Which of a pool's two names its agent pool has."""
    there = {pool["name"].casefold() for pool in organization.pools}
    both = [(name.casefold(), called.casefold()) for _, name, called in organization.managed if called]
    both = [(name, called) for name, called in both if name != called]
    by_alias = sum(called in there and name not in there for name, called in both)
    by_name = sum(name in there and called not in there for name, called in both)
    counts = {"pools": len(both), "alias": by_alias, "name": by_name}
    if by_alias and not by_name:
        return yes(ALIAS, "agent pools have the alias, and none has the name of the ARM resource", **counts)
    if by_name and not by_alias:
        return no("resource", "agent pools have the name of the ARM resource, and none has the alias", **counts)
    return unclear("needs a pool with an alias, and its agent pool", **counts)


def rates(organization: ProbeOrganization) -> CapabilityAnswer:
    """Names of rate limit headers; comes last, since it counts all responses before it."""
    headers = [one for one in organization.rates if one]
    counts = {"calls": len(organization.rates), "told": len(headers)}
    if not headers:
        return unclear("no response was slowed; the headers come under load", **counts)
    names = sorted({name for one in headers for name in one})
    found = yes(RATES, "some responses carry rate limit headers", **counts)
    return found.model_copy(update={"evidence": AnswerEvidence(counts=counts, headers=names)})
