"""What a plan refused is not written in its run; what waits is; and who the service is, is on record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from reconciler.engine import Outcome, Planner, Reconciler
from reconciler.engine.events import Applying
from reconciler.engine.status import ConditionKind
from reconciler.engine.stored import Rest
from reconciler.errors import Forbidden, Rejected, Unavailable
from reconciler.facets import roles
from reconciler.plan.model import Change, Refusal
from reconciler.plan.policy import Policy
from reconciler.ports.devops import Identity
from reconciler.safety import Safety
from reconciler.safety.operators import recorded_operators
from reconciler.survey.operators import OperatorNames
from tests.engine.stage import ORG, Stage, admins, condition, converged, second_run_writes_nothing
from tests.keeping import Shelf
from tests.small_facets import KEYS, SCOPE


def only_after_the_grants(observed: object, changes: Sequence[Change], policy: Policy) -> Sequence[Refusal]:
    """A guard that a grant of the same run satisfies: what it refuses first it would allow in the next pass."""
    granting = any(not change.narrows for change in changes)
    return [Refusal(c, "not-yet", f"{c.subject}: not beside a grant") for c in changes if c.narrows and granting]


def test_what_was_shown_as_refused_is_not_written_in_that_run() -> None:
    """The plan said REFUSED, and the second pass of the run did it."""
    stage = converged(facets=[replace(KEYS, guard=only_after_the_grants)])
    stage.hold("bob")

    first = stage.run(admins("ann"))

    assert first.planned is not None
    assert [refusal.rule for refusal in first.planned.refusals] == ["not-yet"]
    assert [write[0] for write in stage.estate.writes] == ["assign"]
    assert stage.holders() == {"ann", "bob"}
    assert first.outcome is Outcome.PROGRESSING, "its cause is gone, so the next run may"
    stage.settle(admins("ann"))
    assert stage.holders() == {"ann"}
    second_run_writes_nothing(stage, admins("ann"))


def awaiting(wanted: Any, seen: Any) -> Sequence[Change]:
    """Removals that the facet says have to wait, for as long as bob is there."""
    return [replace(one, awaits="grants are verified") if one.narrows else one for one in KEYS.diff(wanted, seen)]


def test_a_change_that_awaits_another_is_planned_and_not_sent() -> None:
    stage = converged(facets=[replace(KEYS, diff=awaiting)])
    stage.hold("ann", "bob")

    result = stage.run(admins("ann"))

    assert result.planned is not None
    assert [change.awaits for change in result.planned.changes] == ["grants are verified"]
    assert stage.estate.writes == []


def test_an_approval_covers_a_removal_that_awaits_grants() -> None:
    """What a change awaits differs within a run, so neither the hash nor the approved text holds it."""
    stage = converged(facets=[replace(KEYS, grants_on=roles.FACET.grants_on)])
    stage.hold("bob")
    plan = stage.plan(admins("ann"))
    assert [change.awaits for change in plan.changes] == ["", "grants are verified"]

    result = stage.run(admins("ann"), plan_hash=plan.hash)

    assert result.outcome is Outcome.APPLIED
    assert stage.holders() == {"ann"}


@pytest.mark.parametrize("error", [Forbidden("403: not your own"), Rejected("400: not your own")])
def test_a_refused_assignment_of_its_own_rests_and_reads_the_same(error: Forbidden | Rejected) -> None:
    """One write, one finding, in the words of the service; after an hour it is tried once more."""
    stage = operated()
    stage.hold("ann", "eve")
    stage.estate.inherits[ORG, 1] = False
    stage.fail("assign", error)

    results = [stage.run(admins("ann")) for _ in range(4)]

    assert sum(isinstance(event, Applying) for event in stage.events) == 1
    assert {condition(one, ConditionKind.READY) for one in results} == {condition(results[0], ConditionKind.READY)}
    assert [f.error.reason for f in results[-1].failures] == [error.reason]
    assert stage.holders() == {"ann", "eve"}
    stage.clock.seconds += 3700
    stage.run(admins("ann"))
    assert sum(isinstance(event, Applying) for event in stage.events) == 2


@pytest.mark.parametrize(("reason", "kind"), [("", Rejected), ("Forbidden", Forbidden), ("Unknown", Rejected)])
def test_a_stored_rest_keeps_the_kind_of_its_error(reason: str, kind: type[Exception]) -> None:
    rest = Rest("no", "c0ffee", 1, converged().clock.now(), reason=reason)
    again = Rest.from_json(rest.to_json())

    assert again is not None
    assert (type(again.error), str(again.error), again) == (kind, "no", rest)


class Operated(Stage):
    """The real facet of roles, as the deployed service runs it."""

    safe = Shelf()

    @property
    def planner(self) -> Planner:
        operators = OperatorNames(deployed=True)
        return Planner([roles.FACET], self.estate.readers, self.policy, self.clock, operators=operators)

    @property
    def reconciler(self) -> Reconciler:
        parts = (self.planner, self.estate.writers, self.shelf, self.desk, self.limits, self.events.append)
        return Reconciler(*parts, record=self.ledger, safety=Safety(self.safe, self.clock))


def operated() -> Operated:
    stage = Operated()
    stage.safe = Shelf()
    Safety(stage.safe, stage.clock).create()
    stage.estate = converged().estate
    stage.estate.people = {name: Identity(name, name) for name in ("ann", "eve")}
    return stage


def test_the_service_records_who_it_is_once() -> None:
    stage = operated()
    stage.hold("ann", "me")

    stage.run(admins("ann"))
    stage.run(admins("ann"))

    assert recorded_operators(Safety(stage.safe, stage.clock).documents, ORG) == {"me": "operator"}
    assert stage.safe.saves.count("operators") == 1


def test_a_record_that_cannot_be_written_ends_no_run() -> None:
    stage = operated()
    stage.hold("ann", "me")
    stage.safe.before = refuse

    assert stage.run(admins("ann")).outcome is Outcome.IN_SYNC


def refuse(name: str) -> None:
    raise Unavailable(f"{name}: the store did not respond")


def test_a_named_operator_is_assigned_and_only_then_is_the_other_removed() -> None:
    """In one run: the grant, a read, and the removal."""
    stage = operated()
    stage.hold("ann", "eve")
    stage.estate.inherits[ORG, 1] = False

    result = stage.run(admins("ann"))

    assert result.planned is not None
    assert result.planned.refusals == ()
    assert [write[0] for write in stage.estate.writes] == ["assign", "remove"]
    assert stage.holders() == {"ann", "me"}
    assert stage.estate.roles[ORG, SCOPE, "1"]["me"] == "Administrator"
