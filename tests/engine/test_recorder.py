"""The record of writes: an intent before each write, its result and what a read showed after, and no write without."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from reconciler.documents import JsonObject
from reconciler.documents.chain import problems
from reconciler.engine import Outcome
from reconciler.engine.recorder import LONGEST_BODY, LONGEST_VALUE, described
from reconciler.engine.status import ConditionKind, Truth
from reconciler.errors import Forbidden, LeaseHeld, Rejected, Unavailable
from reconciler.plan.model import Change, Detail
from reconciler.plan.targets import Risk, UpdatePool
from reconciler.ports.azure import Operation
from reconciler.spec.model import Organization
from tests.engine.stage import ORG, OTHER, SPEC, Stage, admins, condition, converged
from tests.engine.test_operations import TAGGED, URL, updating

CHAIN = f"devops/{ORG}"
BOTH = replace(SPEC, organizations=tuple(Organization(name, "pool-1", (), open_access=True) for name in (ORG, OTHER)))


def closed(projects: int = 3) -> Stage:
    """Open access is desired, and switched off everywhere."""
    stage = converged(projects)
    stage.estate.open.clear()
    return stage


def kinds(stage: Stage, chain: str = CHAIN) -> list[tuple[str, str]]:
    return [(one["kind"], one.get("outcome", "")) for one in stage.ledger.entries(chain)]


def refuse(stage: Stage, error: Exception, *, chain: str = CHAIN, after: int = 0) -> list[str]:
    """From the append after so many on, this chain cannot be written; returns the list of what is tried."""
    appended: list[str] = []

    def before(name: str, _bodies: Sequence[JsonObject]) -> None:
        if name == chain:
            appended.append(name)
            if len(appended) > after:
                raise error

    stage.ledger.before = before
    return appended


def test_each_write_has_its_intent_on_record_before_it_goes_out() -> None:
    stage = closed()
    seen: list[tuple[int, int]] = []
    before = stage.estate.before

    def count(name: str, args: tuple[object, ...]) -> None:
        if name == "open access":
            intents = [one for one in stage.ledger.all() if one["kind"] == "intent"]
            seen.append((len(intents), len(stage.estate.writes)))
        before(name, args)

    stage.estate.before = count

    assert stage.run().outcome is Outcome.APPLIED

    assert seen == [(1, 0), (2, 1), (3, 2)]
    assert kinds(stage) == [
        ("intent", ""), ("result", "confirmed"), ("intent", ""), ("result", "confirmed"), ("intent", ""),
        ("result", "confirmed"), ("proof", "verified"), ("proof", "verified"), ("proof", "verified"),
    ]  # fmt: skip
    assert stage.ledger.appends == [CHAIN] * 4, "one request for each write, and one at the end of the pass"
    assert list(problems(stage.ledger.entries(CHAIN))) == []


def test_an_entry_says_what_is_written_where_and_why() -> None:
    stage = closed(1)

    result = stage.run(requested=stage.clock.now(), trigger="http")

    intent, answer, proof = stage.ledger.entries(CHAIN)
    assert result.planned is not None
    assert {name: intent[name] for name in (
        "v", "kind", "at", "pool", "trigger", "cause", "line", "commit", "file", "plan", "policy", "change", "facet", "what", "subject",
        "action", "route", "before", "after", "risk", "risks", "actor",
    )} == {
        "v": 1, "kind": "intent", "at": "2026-06-01T12:00:00Z", "pool": "pool-1", "trigger": "http",
        "cause": "unknown", "line": 0, "commit": "c0ffee", "file": "pools/pool-1.yaml", "plan": result.planned.hash, "policy": stage.policy.digest,
        "change": result.planned.changes[0].id, "facet": "doors", "what": result.planned.changes[0].kind,
        "subject": f"{ORG}/project-1", "action": "create", "route": "Azure DevOps",
        "before": result.planned.changes[0].before, "after": result.planned.changes[0].after,
        "risk": "widens", "risks": ["widens"], "actor": None,
    }  # fmt: skip
    assert intent["place"]["type"] == "openAccess"
    assert intent["place"]["organization"] == ORG
    assert answer["of"] == proof["of"] == intent["id"]
    assert intent["id"].startswith(intent["run"])


def test_a_converged_estate_appends_nothing() -> None:
    stage = closed()
    stage.settle()
    stage.ledger.appends.clear()

    stage.settle()

    assert stage.ledger.appends == []


@pytest.mark.parametrize(
    ("error", "outcome", "reason"),
    [
        (Unavailable("record: 503"), Outcome.FAILED, "Unavailable"),
        (LeaseHeld("record: 409"), Outcome.FAILED, "Unavailable"),
        (Rejected("record: damaged"), Outcome.STALLED, "Refused"),
        (Forbidden("record: 403"), Outcome.STALLED, "Refused"),
    ],
)
def test_a_write_without_its_intent_on_record_does_not_go_out(error: Any, outcome: Outcome, reason: str) -> None:
    stage = closed()
    tries = refuse(stage, error)

    result = stage.run()

    assert stage.estate.writes == []
    assert (result.outcome, condition(result, ConditionKind.READY).reason) == (outcome, reason)
    message = condition(result, ConditionKind.READY).message
    assert message == f"nothing is written without its entry in the record of writes: {error}"
    assert tries == [CHAIN], "one cause is one try and one message, however many changes wait for it"

    stage.ledger.before = lambda _chain, _bodies: None
    stage.settle()
    assert len(stage.estate.writes) == 3


def test_an_organization_whose_record_fails_stops_no_other() -> None:
    stage = converged(2)
    stage.estate.add(OTHER, 2, 2)
    stage.estate.open.clear()
    refuse(stage, Unavailable("record: 503"))

    stage.run(BOTH)

    assert len(stage.estate.writes) == 2
    assert {one["place"]["organization"] for one in stage.ledger.all() if one["kind"] == "intent"} == {OTHER}


def test_nothing_is_taken_away_where_the_grant_could_not_be_recorded() -> None:
    stage = converged()
    stage.hold("ann")
    refuse(stage, Unavailable("record: 503"))

    stage.run(admins("ben"))

    assert stage.holders() == {"ann"}


def test_a_rejected_write_and_one_without_an_answer_are_told_apart() -> None:
    stage = closed(2)
    stage.fail("open access", Rejected("400"), about="1001")
    stage.fail("open access", Unavailable("503"), about="2001")

    stage.run()

    results = {one["change"]: one for one in stage.ledger.all() if one["kind"] == "result"}
    assert [one["outcome"] for one in results.values()] == ["rejected", "unknown"]
    assert [one["error"]["reason"] for one in results.values()] == ["Rejected", "Unavailable"]
    proofs = [one["outcome"] for one in stage.ledger.all() if one["kind"] == "proof"]
    assert proofs == ["not-seen", "not-seen"]


def test_a_run_that_is_interrupted_during_a_write_leaves_that_it_may_have_been_made() -> None:
    stage = closed()
    stage.fail("open access", KeyboardInterrupt(), about="2001")

    with pytest.raises(KeyboardInterrupt):
        stage.run()

    assert kinds(stage) == [("intent", ""), ("result", "confirmed"), ("intent", ""), ("result", "unknown")]


def test_results_that_cannot_be_recorded_are_a_failure_of_the_run() -> None:
    stage = closed(1)
    refuse(stage, Unavailable("record: 503"), after=1)

    result = stage.run()

    assert len(stage.estate.writes) == 1
    assert result.outcome is Outcome.FAILED
    assert condition(result, ConditionKind.STALLED).status is Truth.FALSE
    assert kinds(stage) == [("intent", "")]


def test_a_long_operation_has_its_end_on_record_in_the_run_that_sees_it() -> None:
    stage = updating()
    stage.run(TAGGED)
    arm = f"arm/{SPEC.subscription}"
    assert kinds(stage, arm) == [("intent", ""), ("result", "pending")]
    appended = len(stage.ledger.appends)
    stage.estate.operations[URL] = Operation("running", retry_after=20.0)
    stage.run(TAGGED)
    assert len(stage.ledger.appends) == appended, "an operation that goes on is no entry"

    stage.estate.operations[URL] = Operation("succeeded")
    stage.run(TAGGED)

    assert kinds(stage, arm) == [("intent", ""), ("result", "pending"), ("result", "over"), ("proof", "verified")]
    assert len({one.get("of", one.get("id")) for one in stage.ledger.entries(arm)}) == 1


def test_a_long_operation_that_failed_is_on_record_with_its_error() -> None:
    stage = updating()
    stage.run(TAGGED)
    stage.estate.operations[URL] = Operation("failed", code="QuotaExceeded", message="no cores left")

    stage.run(TAGGED)

    last = list(stage.ledger.entries(f"arm/{SPEC.subscription}"))[-1]
    assert (last["kind"], last["outcome"]) == ("result", "failed")
    assert "QuotaExceeded: no cores left" in last["error"]["message"]


def test_long_values_are_stored_by_their_hash_and_secrets_not_at_all() -> None:
    long = "x" * (LONGEST_VALUE + 1)
    details = (
        Detail("tags.key", "AccountKey=abc0123456789abcdef==", "short"),
        Detail("script", None, long, Risk.WIDENS),
    )
    change = Change("pool", "pool", "pool-1", None, long, UpdatePool(SPEC.pool_id, {"tags": {"a": long}}), details)

    entry = described(change)

    assert "abc0123456789abcdef" not in str(entry)
    assert long not in str(entry)
    assert entry["after"]["characters"] == len(long) + 2
    assert entry["risks"] == ["neutral", "widens"]
    assert "body" not in entry["place"]
    many = tuple(Detail(f"tags.{n}", "y" * 3000, "z" * 3000) for n in range(30))
    assert len(str(described(replace(change, details=many)))) > LONGEST_BODY
