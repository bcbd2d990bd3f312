"""Managed DevOps Pools on both planes, as they are there already: how they are marked, echoed and named."""

from __future__ import annotations

from reconciler.survey.capabilities.answers import AnswerEvidence, CapabilityAnswer
from reconciler.survey.capabilities.questions import ALIAS, ECHO, MARKS, RATES
from reconciler.tools.probe.answer import no, unclear, yes
from reconciler.tools.probe.organization import ProbeOrganization

_NONE_HERE = "a Managed DevOps Pool of this organization, in a subscription that is read, is needed"
_FACTS = ("agentCloudId", "autoProvision", "autoSize", "isHosted", "targetSize")


def marks(ground: ProbeOrganization) -> CapabilityAnswer:
    """What the agent pools of Managed DevOps Pools carry (documented of pools backed by pool providers alone)."""
    names = {(alias or name).casefold() for _, name, alias in ground.managed}
    found = [pool for pool in ground.pools if pool["name"].casefold() in names]
    # A flag that is off and a size of nothing are not what marks a pool.
    counts = {fact: sum(pool.get(fact) not in (None, False, 0) for pool in found) for fact in _FACTS}
    if not found:
        return unclear(_NONE_HERE, pools=0)
    marked = counts["agentCloudId"]
    if marked == len(found):
        return yes(MARKS, "each agent pool behind a Managed DevOps Pool has one", pools=len(found), **counts)
    if not marked:
        return no("plain", "no agent pool behind a Managed DevOps Pool has one", pools=len(found), **counts)
    return unclear("some agent pools behind Managed DevOps Pools have one", pools=len(found), **counts)


def echo(ground: ProbeOrganization) -> CapabilityAnswer:
    """Whether ARM's answers carry the flag of the organization."""
    entries = [entry for entry, _, _ in ground.managed]
    echoed = sum("openAccess" in entry for entry in entries)
    if not entries:
        return unclear(_NONE_HERE, pools=0)
    if echoed:
        return yes(ECHO, "ARM's answer carries it", pools=len(entries), echoed=echoed)
    return unclear("a pool that was made with openAccess: true is needed", pools=len(entries), echoed=0)


def alias(ground: ProbeOrganization) -> CapabilityAnswer:
    """Which of a pool's two names the agent pool has."""
    there = {pool["name"].casefold() for pool in ground.pools}
    both = [(name.casefold(), called.casefold()) for _, name, called in ground.managed if called]
    both = [(name, called) for name, called in both if name != called]
    by_alias = sum(called in there and name not in there for name, called in both)
    by_name = sum(name in there and called not in there for name, called in both)
    counts = {"pools": len(both), "alias": by_alias, "name": by_name}
    if by_alias and not by_name:
        return yes(ALIAS, "the agent pool has the alias, and none has the pool's own name", **counts)
    if by_name and not by_alias:
        return no("resource", "the agent pool has the pool's own name, and none has the alias", **counts)
    return unclear("a pool with an alias, and its agent pool, are needed", **counts)


def rates(ground: ProbeOrganization) -> CapabilityAnswer:
    """The names of the headers; asked last, of all answers before."""
    told = [one for one in ground.rates if one]
    counts = {"calls": len(ground.rates), "told": len(told)}
    if not told:
        return unclear("no answer was slowed; they say so under load", **counts)
    names = sorted({name for one in told for name in one})
    found = yes(RATES, "some answers carry headers of the rate limit", **counts)
    return found.model_copy(update={"evidence": AnswerEvidence(counts=counts, headers=names)})
