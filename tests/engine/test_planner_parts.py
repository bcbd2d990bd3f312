"""What a plan is made with: the policy of the pool, the clock, the caps, the records of agent pools; and what it tells."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

import pytest

from reconciler.engine.facet import Facet, Observation
from reconciler.engine.ownership import Claims
from reconciler.engine.planner import AnyFacet, Planner, of_this_run
from reconciler.errors import Unavailable
from reconciler.plan.caps import NOT_CHECKED, NOTHING_SPENT, CapCheck
from reconciler.plan.model import Change, Gap, Plan, Refusal, Remark
from reconciler.plan.policy import Cap, CapKind, CapPeriod, CapScope, Policy
from reconciler.plan.policy.model import Allow
from reconciler.plan.targets import CreatePool
from reconciler.safety import SafetyFacts, Unknown
from reconciler.spec.model import Spec
from reconciler.survey import SharedSurvey
from reconciler.survey.capabilities import Beliefs
from reconciler.survey.demand import Demand
from reconciler.survey.memo import OutOfTimeError
from reconciler.survey.operators import OperatorNames
from reconciler.telemetry import NO_TELEMETRY, Attribute
from tests.engine.stage import ORG, OTHER, SPEC, converged
from tests.engine.test_ownership import body_of, to_arm
from tests.engine.test_planner_rules import COMING, DARK, OPEN, QUEUE, SECOND

OPENINGS = Policy(caps=(Cap(CapKind.WIDENINGS, CapScope.POOL, CapPeriod.DAY, 1),))
STORED = Claims(SafetyFacts(agent_pools=Unknown("store: 503")))
NOTE = Remark("a", f"{ORG}/p", "p: open by hand")
PlanGuardLike = Callable[..., Sequence[Refusal]]


def allow_all(_: Spec, __: Sequence[Change], ___: Policy, *, today: date | None = None) -> Sequence[Refusal]:
    return [] if today is not None else [Refusal(OPEN, "no-date", "")]


def facet(*rounds: tuple[Sequence[Change], Sequence[Gap]], seen: list[Policy] | None = None) -> AnyFacet:
    """One that sees this in the first look, the next in the second one, and the last in each after that."""
    looks: list[None] = []

    def observe(*_: object) -> Observation[Any]:
        changes, gaps = rounds[min(len(looks), len(rounds) - 1)]
        looks.append(None)
        return Observation(changes, tuple(gaps), (NOTE,))

    def guard(_: object, __: Sequence[Change], policy: Policy) -> Sequence[Refusal]:
        (seen if seen is not None else []).append(policy)
        return ()

    def parse(_: Spec, now: datetime) -> bool:
        return now.tzinfo is not None

    return Facet("a", "a", parse, observe, lambda _, found: found, guard, lambda *_: None)


def plan(
    *facets: AnyFacet,
    policy: Policy | None = None,
    refuse: PlanGuardLike = allow_all,
    caps: CapCheck = NOTHING_SPENT,
    claims: Claims | None = None,
    **options: Any,
) -> Plan:
    stage = converged()
    options = {"margin": None, **options} if claims is None else options
    planner = Planner(facets, stage.estate.readers, policy or Policy(), stage.clock, refuse=refuse, **options)
    return planner.plan(SPEC, planner.survey([SPEC]), "c0ffee", claims, caps=caps)


def test_a_plan_is_of_its_commit_and_has_the_remarks_of_its_facets() -> None:
    found = plan(facet(([OPEN], [])))

    assert (found.pool, found.revision, found.remarks) == ("pool-1", "c0ffee", (NOTE,))
    approvable = plan(facet(([OPEN, SECOND], [])), policy=OPENINGS)
    assert (approvable.revision, len(approvable.refusals)) == ("c0ffee", 2)


def test_guards_get_the_limits_of_the_pool() -> None:
    seen: list[Policy] = []
    shown: list[Policy] = []
    policy = Policy(version=2, allow=(Allow({"pools": ("pool-1",), "max_concurrency": 3}),))

    def refuse(_: Spec, __: Sequence[Change], limits: Policy, *, today: date | None = None) -> Sequence[Refusal]:
        assert today is not None
        shown.append(limits)
        return ()

    plan(facet(([OPEN], []), seen=seen), policy=policy, refuse=refuse)
    assert {one.max_concurrency for one in (*seen, *shown)} == {3}


def test_gaps_that_differ_in_the_time_to_wait_alone_are_told_in_order() -> None:
    patient = replace(DARK, retry_after=7.0)

    assert len(plan(facet(([OPEN], [DARK, patient]))).gaps) == 2


def test_each_refusal_of_each_round_is_told() -> None:
    def one_by_one(_: Spec, changes: Sequence[Change], __: Policy, *, today: date | None = None) -> Sequence[Refusal]:
        return [Refusal(one, "no", str(today)) for one in changes[:1]]

    assert len(plan(facet(([OPEN, SECOND], [])), refuse=one_by_one).refusals) == 2


def test_what_is_allowed_already_is_not_refused_for_what_follows() -> None:
    def jealous(_: Spec, changes: Sequence[Change], __: Policy, *, today: date | None = None) -> Sequence[Refusal]:
        both = len(changes) > 1
        return [Refusal(one, "no", str(today)) for one in changes if both and one.id == QUEUE.id]

    found = plan(facet(([QUEUE], []), ([QUEUE, OPEN], [])), refuse=jealous)
    assert [one.id for one in (*found.changes, *found.following)] == [QUEUE.id, OPEN.id]


def test_what_is_refused_does_not_follow() -> None:
    def never(_: Spec, changes: Sequence[Change], __: Policy, *, today: date | None = None) -> Sequence[Refusal]:
        return [Refusal(one, "no", str(today)) for one in changes if one.id == OPEN.id]

    found = plan(facet(([QUEUE, OPEN], []), ([QUEUE, OPEN], [])), refuse=never)
    assert [one.change.id for one in found.refusals] == [OPEN.id]
    assert found.following == ()


def test_a_cap_counts_what_follows_and_holds_back_that_alone() -> None:
    asked: list[tuple[CapScope, str]] = []

    def spent(_: CapKind, scope: CapScope, name: str) -> int:
        asked.append((scope, name))
        return 0

    found = plan(facet(([QUEUE], [COMING]), ([QUEUE, OPEN, SECOND], [])), policy=OPENINGS, caps=CapCheck(spent=spent))
    assert [one.id for one in found.changes] == [QUEUE.id]
    assert {one.rule for one in found.refusals} == {"cap-widenings"}
    assert set(asked) == {(CapScope.POOL, "pool-1")}


@pytest.mark.parametrize(
    ("policy", "changes", "told"),
    [
        (OPENINGS, [OPEN], True),
        (OPENINGS, [], False),
        (Policy(), [OPEN], False),
        (Policy(caps=(replace(OPENINGS.caps[0], period=CapPeriod.RUN),)), [OPEN], False),
    ],
)
def test_a_plan_without_the_record_says_which_caps_it_did_not_check(
    policy: Policy, changes: list[Change], told: bool
) -> None:
    found = plan(facet((changes, [])), policy=policy, caps=NOT_CHECKED)

    text = "caps over 24 hours not checked (widenings): the record of writes is not read"
    assert found.remarks == (NOTE, *[Remark("policy", "pool-1", text)] * told)
    assert [one.id for one in found.changes] == [one.id for one in changes]


# --- whose the agent pools are -------------------------------------------------------------------------------------


def test_what_waits_for_the_records_is_left_out_and_told_beside_other_gaps() -> None:
    found = plan(facet(([OPEN], [DARK])), claims=STORED)

    assert (found.changes, found.refusals) == ((), ())
    assert {(one.facet, one.subject, one.message) for one in found.gaps} == {
        ("a", DARK.subject, DARK.message),
        ("a", ORG, "store: 503"),
        ("ownership", "pool-1", "store: 503"),
    }


def test_a_creation_whose_names_cannot_be_read_is_left_out_under_its_own_subject() -> None:
    stage = converged()
    stage.estate.arm.clear()
    stage.fail("agent pools", Unavailable("devops: 503"))
    planner = Planner([facet(([to_arm(CreatePool, ORG)], []))], stage.estate.readers, Policy(), stage.clock)

    found = planner.plan(SPEC, planner.survey([SPEC]), "c0ffee", Claims(SafetyFacts()))
    assert found.changes == ()
    assert {(one.facet, one.subject) for one in found.gaps} == {("a", "pool-1")}


def test_what_waits_for_the_records_does_not_follow() -> None:
    found = plan(facet(([OPEN], [COMING]), ([OPEN], [])), claims=STORED)

    assert found.following == ()


@pytest.mark.parametrize(("marks", "written"), [(frozenset[str](), True), (frozenset({"no-such-mark"}), False)])
def test_a_mark_that_the_probe_found_is_asked_of_the_agent_pool(marks: frozenset[str], written: bool) -> None:
    def believe(now: datetime) -> dict[str, Beliefs]:
        assert now.tzinfo is not None
        return {ORG: replace(Beliefs(), marks=marks)}

    found = plan(facet(([OPEN], [])), claims=Claims(SafetyFacts()), believe=believe)
    assert bool(found.changes) is written
    assert [(one.change, one.rule) for one in found.refusals] == [(OPEN, "agent-pool-not-own")] * (not written)


def test_agent_pools_have_the_names_that_arm_has_whatever_the_spec_says() -> None:
    stage = converged()
    stage.estate.arm[SPEC.pool_id.casefold()] = body_of(ORG, alias="alias-1")
    one = replace(SPEC.organizations[0], projects=("Web",))
    other = replace(one, name=OTHER, agent_pool="own")
    spec = replace(SPEC, organizations=(one, other))

    known = of_this_run(spec, stage.planner.survey([spec])).spec
    assert [(each.name, each.agent_pool, each.projects) for each in known.organizations] == [
        (ORG, "alias-1", ("Web",)),
        (OTHER, "own", ("Web",)),
    ]
    assert replace(known, organizations=spec.organizations) == spec

    alone = replace(spec, organizations=(one,))
    assert of_this_run(alone, stage.planner.survey([alone])).spec.organizations == known.organizations[:1]
    same = replace(spec, organizations=(replace(one, agent_pool="alias-1"),))
    assert of_this_run(same, stage.planner.survey([same])).spec == same


def test_what_the_spec_leaves_out_is_what_arm_has_and_stays_open_where_it_cannot_be_read() -> None:
    stage = converged()
    document: dict[str, Any] = body_of(ORG)
    document["properties"]["organizationProfile"]["organizations"][0]["projects"] = ["App"]
    stage.estate.arm[SPEC.pool_id.casefold()] = document
    silent = replace(SPEC.organizations[0], silent=frozenset({"projects"}))
    spec = replace(SPEC, organizations=(silent,))

    (known,) = of_this_run(spec, stage.planner.survey([spec])).spec.organizations
    assert (known.projects, known.silent) == (("App",), frozenset())
    stage.fail("arm pool", Unavailable("arm: 503"))
    assert of_this_run(spec, stage.planner.survey([spec])).spec == spec


def test_a_spec_without_organizations_stays_as_it_is() -> None:
    stage = converged()
    spec = replace(SPEC, organizations=())

    assert of_this_run(spec, stage.planner.survey([spec])).spec == spec


def test_rules_of_refusals_are_told_once_each_in_order() -> None:
    recorder = Recorder()

    def refuse(_: Spec, changes: Sequence[Change], __: Policy, *, today: date) -> Sequence[Refusal]:
        return [Refusal(one, f"no-{one.kind}", str(today)) for one in changes]

    plan(facet(([OPEN, QUEUE, SECOND], [])), refuse=refuse, telemetry=recorder)
    assert recorder.spans[0].attributes["reconciler.rules"] == "no-open access no-queue"


# --- telemetry -----------------------------------------------------------------------------------------------------


@dataclass
class Recorded:
    """A span: its name, and its attributes."""

    name: str
    attributes: dict[str, Attribute] = field(default_factory=dict)

    def set(self, name: str, value: Attribute) -> None:
        self.attributes[name] = value


class Recorder:
    """Telemetry that keeps its spans; what it is not asked for here is as without telemetry."""

    def __init__(self) -> None:
        self.spans: list[Recorded] = []

    def span(self, name: str, *, attributes: dict[str, Attribute]) -> AbstractContextManager[Recorded]:
        self.spans.append(Recorded(name, dict(attributes)))
        return nullcontext(self.spans[-1])

    def __getattr__(self, name: str) -> Any:
        return getattr(NO_TELEMETRY, name)


def test_a_span_tells_what_was_planned() -> None:
    recorder = Recorder()

    plan(facet(([OPEN, SECOND], [DARK])), policy=OPENINGS, telemetry=recorder)
    (span,) = recorder.spans
    assert span.name == "plan"
    assert span.attributes == {
        "reconciler.pool": "pool-1",
        "reconciler.planned": 0,
        "reconciler.gaps": 1,
        "reconciler.refused": 2,
        "reconciler.rules": "cap-widenings",
    }


def test_every_operator_that_is_named_is_asked_for() -> None:
    stage = converged()
    planner = Planner(
        (), stage.estate.readers, Policy(), stage.clock, operators=OperatorNames(("boss@fabrikam.com",), deployed=True)
    )

    found = planner.survey([SPEC]).people(ORG).operators()
    assert (found.named, found.unknown) == (True, ("boss@fabrikam.com",))


def test_no_read_begins_after_the_end_of_the_time_that_a_request_has() -> None:
    stage = converged()
    now, stopwatch = stage.clock.now(), stage.clock.monotonic()

    def survey(until: float | None) -> SharedSurvey:
        return stage.planner.survey([SPEC], demand=Demand(now, now, until=until))

    assert survey(None).agent_pool(ORG, "pool-1").id == 1
    assert survey(stopwatch + 1).agent_pool(ORG, "pool-1").id == 1
    with pytest.raises(OutOfTimeError):
        survey(stopwatch).agent_pool(ORG, "pool-1")


def test_a_survey_knows_when_it_was_requested() -> None:
    stage = converged()
    demand = Demand(stage.clock.now(), stage.clock.now())

    assert stage.planner.survey([SPEC], demand=demand).requested == demand.put
    assert stage.planner.survey([SPEC]).requested is None
