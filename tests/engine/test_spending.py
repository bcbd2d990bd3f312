"""What the record shows of 24 hours, for the caps of a pool, an organization and all."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from reconciler.documents import moment
from reconciler.engine.spending import Spending, cap_check
from reconciler.errors import Rejected
from reconciler.plan.model import Plan
from reconciler.plan.policy import CapKind, CapScope
from reconciler.safety import SafetyFacts, Unknown
from reconciler.safety.approvals import Approvals, ApprovedPlan
from tests.engine.stage import SPEC as BARE
from tests.keeping import START, HandClock, Ledger
from tests.plan.guarded import closing, opening

SPEC = replace(BARE, blob="b10b")
ORG = SPEC.organizations[0].name
DEVOPS, ARM = f"devops/{ORG}", f"arm/{SPEC.subscription}"
HOURS = timedelta(hours=1)
REMOVALS = CapKind.REMOVALS


def written(
    log: Ledger, chain: str, count: Any = 1, *, hours: float = 1, pool: str = SPEC.key, name: str = "i"
) -> None:
    """An intent of so many hours ago."""
    at = moment(START - hours * HOURS)
    log.append(chain, [{"kind": "intent", "id": name, "at": at, "pool": pool, "counts": {"removals": count}}])


def spent(log: Ledger, scope: CapScope, name: str = "", kind: CapKind = REMOVALS) -> int:
    return Spending(log, SPEC, HandClock()).spent(kind, scope, name)


def test_a_pool_an_organization_and_all_are_counted_apart() -> None:
    log = Ledger()
    written(log, DEVOPS, 1)
    written(log, DEVOPS, 2, pool="another")
    written(log, ARM, 4)
    written(log, "devops/contoso", 8)
    written(log, "devops/contoso", 16, pool="another")

    assert spent(log, CapScope.POOL, SPEC.key) == 5, "in places of the spec alone"
    assert spent(log, CapScope.ORGANIZATION, ORG) == 3
    assert spent(log, CapScope.ORGANIZATION, "contoso") == 24
    assert spent(log, CapScope.ALL) == 31
    assert spent(log, CapScope.ALL, kind=CapKind.WIDENINGS) == 0


def test_a_pools_name_is_one_in_any_case() -> None:
    log = Ledger()
    written(log, DEVOPS, pool=SPEC.key.upper())

    assert spent(log, CapScope.POOL, SPEC.key) == 1


def test_it_counts_24_hours() -> None:
    log = Ledger()
    written(log, DEVOPS, 1, hours=24)
    written(log, DEVOPS, 2, hours=24.01)

    assert spent(log, CapScope.ORGANIZATION, ORG) == 1


def test_what_the_service_rejected_was_not_written_and_whatever_is_unknown_was() -> None:
    log = Ledger()
    for name, outcome in (("a", "rejected"), ("b", "written"), ("c", "unknown")):
        written(log, DEVOPS, name=name)
        log.append(DEVOPS, [{"kind": "result", "of": name, "at": moment(START), "outcome": outcome}])
    written(log, DEVOPS, name="d")

    assert spent(log, CapScope.ORGANIZATION, ORG) == 3


def test_only_intents_with_counts_count() -> None:
    log = Ledger()
    log.append(DEVOPS, [{"kind": "result", "id": "x", "at": moment(START), "counts": {"removals": 9}}])
    log.append(DEVOPS, [{"kind": "intent", "id": "y", "at": moment(START)}])
    log.append(DEVOPS, [{"kind": "intent", "id": "z", "at": moment(START), "counts": 3}])
    written(log, DEVOPS, "many")

    assert spent(log, CapScope.ORGANIZATION, ORG) == 0


def test_each_chain_is_read_once_until_this_run_wrote() -> None:
    log = Ledger()
    written(log, DEVOPS)
    spending = Spending(log, SPEC, HandClock())
    for _ in range(3):
        assert spending.spent(REMOVALS, CapScope.ORGANIZATION, ORG) == 1
    assert log.reads == [DEVOPS]
    written(log, DEVOPS)
    assert spending.spent(REMOVALS, CapScope.ORGANIZATION, ORG) == 1
    spending.forget()
    assert spending.spent(REMOVALS, CapScope.ORGANIZATION, ORG) == 2
    assert log.reads == [DEVOPS] * 2


def test_a_record_that_is_damaged_counts_nothing_and_says_so() -> None:
    log = Ledger({DEVOPS: [b'{"torn": 1}']})

    with pytest.raises(Rejected, match="damaged"):
        spent(log, CapScope.ORGANIZATION, ORG)


def test_the_caps_of_a_run_read_the_record_where_there_is_one() -> None:
    log = Ledger()
    written(log, DEVOPS)
    check = cap_check(log, SPEC, SafetyFacts(), HandClock(), "digest")

    assert check.checked
    assert check.spent(REMOVALS, CapScope.ORGANIZATION, ORG) == check.spent(REMOVALS, CapScope.POOL, SPEC.key) == 1
    written(log, DEVOPS)
    check.forget()
    assert check.spent(REMOVALS, CapScope.ORGANIZATION, ORG) == 2
    assert not cap_check(None, SPEC, SafetyFacts(), HandClock(), "digest").checked


def test_an_approval_lifts_caps_for_its_spec_its_policy_and_a_day() -> None:
    plan = Plan(SPEC.key, "", changes=(opening(),), spec="b10b", policy="digest")
    facts = SafetyFacts(approvals=Approvals(plans=(ApprovedPlan.of_plan(plan, "ann", START),)))

    def lifts(*, blob: str = "b10b", policy: str = "digest", hours: float = 0, now: float | None = None) -> bool:
        at = None if now is None else START + now * HOURS
        spec, clock = replace(SPEC, blob=blob), HandClock(hours * 3600)
        one, other = (cap_check(log, spec, facts, clock, policy, now=at) for log in (None, Ledger()))
        assert one.approved(opening()) == other.approved(opening())
        assert not one.approved(closing())
        return one.approved(opening())

    assert lifts()
    assert lifts(hours=24)
    assert not lifts(hours=25)
    assert lifts(hours=25, now=1)
    assert not lifts(now=25)
    assert not lifts(blob="another")
    assert not lifts(policy="another")


def test_approvals_that_cannot_be_read_lift_no_cap() -> None:

    facts = SafetyFacts(approvals=Unknown("damaged"))

    for log in (None, Ledger()):
        assert not cap_check(log, SPEC, facts, HandClock(), "digest").approved(opening())
        assert not cap_check(log, SPEC, SafetyFacts(), HandClock(), "digest").approved(opening())
